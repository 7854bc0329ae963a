package bench_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chskd/chskd/bench"
)

func TestReadMessage(t *testing.T) {
	numbered := func(n uint32) bench.Event {
		return bench.Event{Numbered: true, Run: 9, Number: n, At: 123}
	}
	other := bench.Event{}
	cases := []struct {
		name, packer, in, kind, cb string
		events                     []bench.Event
	}{
		{"handshake", "edn", `[[:chsk/handshake ["u1" nil nil]] nil]`, "handshake", "", nil},
		{"handshake without uid", "edn", `[[:chsk/handshake [:sente/nil-uid nil {:a [1 #{2}]}]] nil]`,
			"handshake", "", nil},
		{"handshake with extras", "edn",
			`[[:chsk/handshake ["u" nil #inst "2024-01-02T03:04:05.678-00:00" 7 \]]] nil 9]`,
			"handshake", "", nil},
		{"json handshake", "json", `[["chsk/handshake",["u\"]",null,{"a":[1]}]],null]`,
			"handshake", "", nil},
		{"server ping", "edn", `[:chsk/ws-ping nil]`, "ping", "", nil},
		{"server ping with extra", "edn", `[:chsk/ws-ping nil 44]`, "ping", "", nil},
		{"json server ping", "json", `["chsk/ws-ping",null]`, "ping", "", nil},
		{"pong", "edn", `["pong" "abc123"]`, "pong", "abc123", nil},
		{"pong with extra", "edn", `["pong" "abc123" 42]`, "pong", "abc123", nil},
		{"json pong", "json", `["pong","abc123"]`, "pong", "abc123", nil},
		{"reply", "edn", `["an echo" "abc123"]`, "reply", "abc123", nil},
		{"reply that is a map", "edn", `[{:a [1 #{2}]} "abc123" 42]`, "reply", "abc123", nil},
		{"reply that nobody gave", "edn", `[:chsk/error "abc123"]`, "reply", "abc123", nil},
		{"json reply", "json", `["an echo","abc123"]`, "reply", "abc123", nil},
		{"empty batch", "edn", `[[] nil]`, "batch", "", nil},
		{"one event", "edn", `[[[:bench/n [9 1 123 "xx"]]] nil]`, "batch", "",
			[]bench.Event{numbered(1)}},
		{"other events between", "edn",
			`[[[:a/b] [:bench/n [9 1 123 "]\""]] [:c/d {:k #:n{:x "["}}] [:bench/n [9,2,123]]] nil]`,
			"batch", "", []bench.Event{other, numbered(1), other, numbered(2)}},
		{"told gap", "edn", `[[[:chskd/gap {:missed 3}]] nil]`, "batch", "",
			[]bench.Event{{Gap: true}}},
		{"values of all kinds", "edn",
			`[[[:a/b (1 -2.5M 22/7 \a \[ nil true ##Inf #uuid "x" sym)]] nil]`, "batch", "",
			[]bench.Event{other}},
		{"json batch", "json", `[[["bench/n",[9,1,123,"x"]], ["a/b",{"c":[null,-1]}]],null]`,
			"batch", "", []bench.Event{numbered(1), other}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kind, cb, events, err := bench.ReadMessage(c.packer, []byte(c.in))
			if err != nil || kind != c.kind || cb != c.cb || !slices.Equal(events, c.events) {
				t.Errorf("got %s %q %v, err %v", kind, cb, events, err)
			}
			for cut := range len(c.in) {
				if _, _, _, err := bench.ReadMessage(c.packer, []byte(c.in[:cut])); err == nil {
					t.Errorf("the first %d bytes pass as a message", cut)
				}
			}
		})
	}
}

func TestReadMessageRefuses(t *testing.T) {
	cases := []struct{ name, packer, in, err string }{
		{"not a vector", "edn", `{:a 1}`, "not a vector"},
		{"number first", "edn", `[7 nil]`, "neither"},
		{"other keyword", "edn", `[:chsk/timeout nil]`, "neither"},
		{"ping with callback", "edn", `[:chsk/ws-ping "abc"]`, "callback"},
		{"bytes after a reply", "edn", `["an echo" "abc123"] x`, "after"},
		{"reply without callback", "json", `["an echo",null]`, "neither"},
		{"pong without callback", "edn", `["pong" nil]`, "callback"},
		{"single event instead of a batch", "edn", `[[:a/b 1] nil]`, "vector of events"},
		{"short handshake", "edn", `[[:chsk/handshake ["u" nil]] nil]`, "three"},
		{"handshake without vector", "edn", `[[:chsk/handshake "u"] nil]`, "vector"},
		{"handshake with callback", "edn", `[[:chsk/handshake ["u" nil nil]] "cb"]`, "callback"},
		{"batch of numbers", "edn", `[[[:a/b] 7] nil]`, "not a vector"},
		{"event without id", "edn", `[[["a/b" 1]] nil]`, "no id"},
		{"batch with callback", "edn", `[[[:a/b]] "abc123"]`, "callback"},
		{"no second slot", "edn", `[[[:a/b]]]`, "callback"},
		{"trailing bytes", "edn", `[[[:a/b]] nil] x`, "after"},
		{"crossed brackets", "edn", `[[[:a/b {:c [1}]]] nil]`, "match"},
		{"deep nesting", "edn", `[[[:a/b ` + strings.Repeat("[", 99), "deep"},
		{"event numbers are words", "edn", `[[[:bench/n [a b c]]] nil]`, "numbers"},
		{"event number 0", "edn", `[[[:bench/n [9 0 5]]] nil]`, "numbers"},
		{"event number too long", "edn", `[[[:bench/n [9 99999999999 5]]] nil]`, "numbers"},
		{"edn from a json server", "json", `[[:chsk/handshake ["u" nil nil]] nil]`, "handshake"},
		{"json from an edn server", "edn", `[["chsk/handshake",["u",null,null]],null]`, "handshake"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := bench.ReadMessage(c.packer, []byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

func TestAppendEventHasItsSize(t *testing.T) {
	for _, packer := range []string{"edn", "json"} {
		for _, size := range []int{64, 128, 1000} {
			b, err := bench.AppendEvent(packer, 1<<32-1, 1<<20, 1<<50, size)
			if err != nil || len(b) != size {
				t.Fatalf("%s: %d bytes, err %v, want %d", packer, len(b), err, size)
			}
			null := map[string]string{"edn": " nil]", "json": ",null]"}[packer]
			_, _, events, err := bench.ReadMessage(packer, []byte("[["+string(b)+"]"+null))
			want := []bench.Event{{Numbered: true, Run: 1<<32 - 1, Number: 1 << 20, At: 1 << 50}}
			if err != nil || !slices.Equal(events, want) {
				t.Errorf("%s: read back %v, err %v", packer, events, err)
			}
		}
	}
	if _, err := bench.AppendEvent("edn", 1, 1, 1, 10); err == nil {
		t.Error("an event of 10 bytes is built")
	}
}

func TestWatch(t *testing.T) {
	cases := []struct {
		name                     string
		numbers                  []uint32
		lost, doubled, reordered int64
	}{
		{"in order", []uint32{1, 2, 3, 4, 5}, 0, 0, 0},
		{"nothing came", nil, 5, 0, 0},
		{"first lost", []uint32{2, 3, 4, 5}, 1, 0, 0},
		{"middle lost", []uint32{1, 4, 5}, 2, 0, 0},
		{"last lost", []uint32{1, 2, 3, 4}, 1, 0, 0},
		{"doubled at once", []uint32{1, 2, 2, 3, 4, 5}, 0, 1, 0},
		{"doubled later", []uint32{1, 2, 3, 4, 5, 1}, 0, 1, 0},
		{"swapped", []uint32{1, 3, 2, 4, 5}, 0, 0, 1},
		{"late, then again", []uint32{1, 3, 2, 2, 4, 5}, 0, 1, 1},
		{"backwards", []uint32{5, 4, 3, 2, 1}, 0, 0, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			complete, lost, doubled, reordered := bench.Watch(5, c.numbers)
			if lost != c.lost || doubled != c.doubled || reordered != c.reordered {
				t.Errorf("lost %d doubled %d reordered %d", lost, doubled, reordered)
			}
			if complete != (c.lost == 0) {
				t.Errorf("complete is %v", complete)
			}
		})
	}
}

func TestReadingABatchDoesNotAllocate(t *testing.T) {
	message := []byte(`[[[:bench/n [1 1 123 "xxxxxxxx"]] [:bench/n [1 2 123 "xxxxxxxx"]]] nil]`)
	if n := testing.AllocsPerRun(100, bench.ReadAllocs(message)); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
