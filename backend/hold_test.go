package backend_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// What becomes of events without a consumer, and of those for which its queue has no room.
func TestOnFull(t *testing.T) {
	for _, c := range []struct {
		policy          string
		nobody, waiting backend.Verdict // without a consumer; and of one that waits for a reply
		full            backend.Verdict
		first           string // what the first consumer hears of the two that nobody was there for
		held            int
	}{
		{"hold", backend.Taken, backend.Dropped, backend.Dropped, "event a, event a", 2},
		{"drop", backend.Dropped, backend.Dropped, backend.Dropped, "gap 2", 0},
		{"reject", backend.Reject, backend.Reject, backend.Reject, "gap 2", 0},
	} {
		t.Run(c.policy, func(t *testing.T) {
			policy, err := backend.ParseOnFull(c.policy)
			if err != nil || policy.String() != c.policy {
				t.Fatalf("%v, %v", policy, err)
			}
			r := newRig(t, backend.HubOptions{QueueEvents: 4, OnFull: policy}, backend.Options{})
			for range 2 {
				if v := r.verdict("a", "[:a/b]", ""); v != c.nobody {
					t.Errorf("nobody is there: %v", v)
				}
			}
			if v := r.verdict("a", "[:a/b]", "k"); v != c.waiting {
				t.Errorf("nobody is there, waiting for a reply: %v", v)
			}
			if got := r.hub.Stats().Held; got != c.held {
				t.Errorf("%d are held", got)
			}
			s := r.open("?ack=1")
			if got := s.short(strings.Count(c.first, ",") + 1); got != c.first {
				t.Errorf("the first consumer hears %s", got)
			}
			eventually(t, "written", func() bool { return r.hub.Stats().Delivered > 0 })
			for range 4 - c.held {
				if v := r.verdict("b", "[:a/b]", ""); v != backend.Taken {
					t.Errorf("there is room: %v", v)
				}
			}
			for _, reply := range []string{"", "k"} {
				if v := r.verdict("b", "[:a/b]", reply); v != c.full {
					t.Errorf("full: %v", v)
				}
			}
			st := r.hub.Stats()
			if rejected := st.Rejected > 0; rejected != (c.policy == "reject") || st.Unheard != 1 {
				t.Errorf("%+v", st)
			}
		})
	}
	if _, err := backend.ParseOnFull("wait"); err == nil || !strings.Contains(err.Error(), `"wait"`) {
		t.Errorf("%v", err)
	}
}

// What is held for too long is dropped from the front, and told as a gap in its place.
func TestHoldMax(t *testing.T) {
	r := newRig(t, backend.HubOptions{HoldMax: 20 * time.Second}, backend.Options{})
	r.event("a", "[:a/b]", "")
	r.event("b", "[:a/b]", "")
	r.hub.Tick(10_000)
	r.event("c", "[:a/b]", "")
	r.hub.Tick(20_001)
	if s := r.hub.Stats(); s.Held != 1 || s.Expired != 2 || s.Items != 1 {
		t.Errorf("%+v", s)
	}
	if got := r.open("").short(2); got != "gap 2, event c" {
		t.Errorf("the first consumer hears %s", got)
	}
}

// A group is held for while others are heard, for five minutes; one that nobody but its consumers
// ever asked for leaves nothing behind then.
func TestGroupsEnd(t *testing.T) {
	r := plainRig(t)
	r.open("?group=stays")
	gone := r.open("?group=gone&ack=1")
	gone.close()
	r.awaitConsumers(1)
	if v := r.verdict("a", "[:a/b]", ""); v != backend.Taken {
		t.Errorf("%v", v)
	}
	if s := r.hub.Stats(); s.Groups != 3 || s.Held != 2 { // for "gone", and for the default group
		t.Errorf("%+v", s)
	}
	r.hub.Tick(1_000_000)
	r.event("b", "[:a/b]", "")
	if s := r.hub.Stats(); s.Groups != 2 || s.Held != 0 {
		t.Errorf("%+v", s)
	}
	if got := r.open("?ids=x/*"); got.hello.Type != "hello" {
		t.Error("the default group is gone")
	}
}

// Each format of clients in each format of streams; what cannot be said goes as it came.
func TestStreamFormats(t *testing.T) {
	r := plainRig(t)
	json, edn := r.open("?group=j"), r.open("?group=e&format=edn")
	transit := r.open("?group=t&format=transit")
	filtered := r.open("?group=f&ids=chat/*")
	from := map[packer.Format]string{
		packer.EDN:     `[:chat/send {:a 1, :b [nil true]}]`,
		packer.JSON:    "[\"chat/send\",\n{\"a\":1,\"b\":[null,true]}]",
		packer.Transit: "[\"~:chat/send\",\n[\"^ \",\"~:a\",1,\"~:b\",[null,true]]]",
	}
	o := packer.Options{Event: true}
	msgpack, err := packer.Append(nil, packer.Msgpack, []byte(from[packer.EDN]), packer.EDN, o)
	if err != nil {
		t.Fatal(err)
	}
	from[packer.Msgpack] = string(msgpack)
	for format := range packer.Count {
		other, err := packer.Append(nil, format, []byte("[:other/send]"), packer.EDN, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range []string{string(other), from[format]} {
			if v := r.hub.Event(nil, []byte("a"), false, nil, false, format, []byte(event), false, nil,
				time.Now()); v != backend.Taken {
				t.Errorf("%s: %v", format, v)
			}
		}
		json.next()
		edn.next()
		transit.next()
		if got := string(json.next().Event); strings.Join(strings.Fields(got), "") !=
			`["chat/send",{"a":1,"b":[null,true]}]` {
			t.Errorf("%s in json: %s", format, got)
		}
		if got := edn.next().EDN; got != "[:chat/send {:a 1 :b [nil true]}]" && got != from[packer.EDN] {
			t.Errorf("%s in edn: %s", format, got)
		}
		if got := string(transit.next().Transit); strings.Join(strings.Fields(got), "") !=
			`["~:chat/send",["^","~:a",1,"~:b",[null,true]]]` {
			t.Errorf("%s in transit: %s", format, got)
		}
		if got := filtered.next().text; !strings.Contains(got, "chat/send") {
			t.Errorf("%s, filtered: %s", format, got)
		}
	}
	deep := []byte{0x92, 0xc7, 1} // no event at all: what the engine would never let through
	r.hub.Event(nil, []byte("a"), false, nil, false, packer.Msgpack, deep, true, nil, time.Now())
	l := json.next()
	if l.Type != "bad-event" || string(l.RawBase64) != string(deep) || l.RawFormat != "msgpack" ||
		l.Error == "" || l.Raw != "" {
		t.Errorf("%s", l.text)
	}
}
