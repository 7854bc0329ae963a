package backend_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

func TestEventLines(t *testing.T) {
	r := plainRig(t)
	streams := map[string]*lines{
		"json": r.open("?group=j"), "edn": r.open("?group=e&format=edn"),
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 5e6, time.UTC)
	for _, c := range []struct {
		name         string
		tenant, uid  string
		nilUID, ajax bool
		format       packer.Format
		event        string
		bad          bool
		replyTo      string
		json, edn    string
	}{
		{
			name: "edn over ws", uid: "alice", event: `[:chat/send {:text "hi"}]`,
			json: `{"type":"event","seq":S,"uid":"alice","client":"c1","transport":"ws",` +
				`"event":["chat/send",{"text":"hi"}],"at":"2026-01-01T00:00:00.005Z"}`,
			edn: `{"type":"event","seq":S,"uid":"alice","client":"c1","transport":"ws",` +
				`"edn":"[:chat/send {:text \"hi\"}]","at":"2026-01-01T00:00:00.005Z"}`,
		},
		{
			name: "json over ajax, with tenant and reply", tenant: "t", uid: "b\x01\"ob", ajax: true,
			format: packer.JSON, event: "[\"a/b\",\r\n{\"x\":1}]", replyTo: "k3.91.7",
			json: `{"type":"event","seq":S,"tenant":"t","uid":"b\u0001\"ob","client":"c1",` +
				`"transport":"ajax","event":["a/b",  {"x":1}],"reply_to":"k3.91.7",` +
				`"at":"2026-01-01T00:00:00.005Z"}`,
			edn: `{"type":"event","seq":S,"tenant":"t","uid":"b\u0001\"ob","client":"c1",` +
				`"transport":"ajax","edn":"[:a/b {:x 1}]","reply_to":"k3.91.7",` +
				`"at":"2026-01-01T00:00:00.005Z"}`,
		},
		{
			name: "nil uid", nilUID: true, event: `[:a/b]`,
			json: `{"type":"event","seq":S,"uid":null,"client":"c1","transport":"ws",` +
				`"event":["a/b"],"at":"2026-01-01T00:00:00.005Z"}`,
			edn: `{"type":"event","seq":S,"uid":null,"client":"c1","transport":"ws",` +
				`"edn":"[:a/b]","at":"2026-01-01T00:00:00.005Z"}`,
		},
		{
			name: "bad event", uid: "alice", event: `"x"`, bad: true,
			json: `{"type":"bad-event","seq":S,"uid":"alice","client":"c1","transport":"ws",` +
				`"event":"x","at":"2026-01-01T00:00:00.005Z"}`,
			edn: `{"type":"bad-event","seq":S,"uid":"alice","client":"c1","transport":"ws",` +
				`"edn":"\"x\"","at":"2026-01-01T00:00:00.005Z"}`,
		},
	} {
		var replyTo []byte
		if c.replyTo != "" {
			replyTo = []byte(c.replyTo)
		}
		if r.hub.Event([]byte(c.tenant), []byte(c.uid), c.nilUID, []byte("c1"), c.ajax, c.format,
			[]byte(c.event), c.bad, replyTo, at) != backend.Taken {
			t.Errorf("%s: not taken", c.name)
		}
		for format, want := range map[string]string{"json": c.json, "edn": c.edn} {
			got := streams[format].next()
			want = strings.Replace(want, `"seq":S`, fmt.Sprintf(`"seq":%d`, got.Seq), 1)
			if got.text != want {
				t.Errorf("%s, %s:\n got %s\nwant %s", c.name, format, got.text, want)
			}
		}
	}
}

// What cannot be said in the stream's format goes as it came, with the reason.
func TestEventThatCannotBeTranscoded(t *testing.T) {
	r := plainRig(t)
	s := r.open("")
	deep := `[:a/b ` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `]`
	r.event("alice", deep, "k")
	got := s.next()
	if got.Type != "event" || got.Raw != deep || got.RawFormat != "edn" || got.Error == "" ||
		got.ReplyTo != "k" || got.Event != nil {
		t.Errorf("%.300s", got.text)
	}
}

func TestHello(t *testing.T) {
	r := plainRig(t)
	a, b := r.open(""), r.open("?group=other")
	want := fmt.Sprintf(`{"type":"hello","api":1,"epoch":%q,"consumer":"c1"}`, r.hub.Epoch())
	if a.hello.text != want {
		t.Errorf("got %s, want %s", a.hello.text, want)
	}
	if b.hello.Epoch != a.hello.Epoch || b.hello.Consumer != "c2" {
		t.Errorf("second: %s", b.hello.text)
	}
	if other := backend.NewHub(backend.HubOptions{}); other.Epoch() == r.hub.Epoch() {
		t.Error("two hubs with one epoch")
	}
}

// Each event goes to one consumer of each group; one uid's events go to one consumer, in order.
func TestGroups(t *testing.T) {
	r := plainRig(t)
	streams := []*lines{r.open(""), r.open(""), r.open("?group=default"), r.open("?group=audit")}
	const users, each = 50, 20
	for n := range each {
		for u := range users {
			if !r.event(fmt.Sprint("u", u), fmt.Sprintf("[:n/n %d]", n), "") {
				t.Fatal("not taken")
			}
		}
	}
	r.hub.Close()
	home := map[string]int{}
	for i, s := range streams {
		next, seq, total := map[string]int{}, uint64(0), 0
		for {
			l, err := s.read()
			if err != nil {
				break
			}
			if want := fmt.Sprintf(`["n/n",%d]`, next[*l.UID]); string(l.Event) != want {
				t.Fatalf("stream %d, %s: got %s, want %s", i, *l.UID, l.Event, want)
			}
			next[*l.UID]++
			if l.Seq <= seq {
				t.Fatalf("stream %d: seq %d after %d", i, l.Seq, seq)
			}
			seq = l.Seq
			total++
			if was, seen := home[*l.UID]; i < 3 && seen && was != i {
				t.Fatalf("%s came to streams %d and %d", *l.UID, was, i)
			}
			if i < 3 {
				home[*l.UID] = i
			}
		}
		if i < 3 && (total == 0 || total == users*each) {
			t.Errorf("stream %d of three got %d events", i, total)
		}
		if i == 3 && total != users*each {
			t.Errorf("the other group got %d events", total)
		}
	}
	if len(home) != users {
		t.Errorf("%d users were heard in the default group", len(home))
	}
}

// While consumers come and go in turn, no event is lost that no broken stream had taken, and each
// stream has every uid's events in order.
func TestConsumersComeAndGo(t *testing.T) {
	r := plainRig(t)
	stay := r.open("")
	got := map[string]int{}
	take := func(s *lines, n int) {
		for range n {
			got[string(s.next().Event)]++
		}
	}
	n := 0
	for round := range 5 {
		extra := r.open("")
		for range 200 {
			r.event(fmt.Sprint("u", n%37), fmt.Sprintf("[:n/n %d]", n), "")
			n++
		}
		eventually(t, "all written", func() bool { return r.hub.Stats().Queued == 0 })
		// Both have their part in their sockets: count what the extra one has by its end.
		extraGot := 0
		r.event("flush", "[:n/flush]", "")
		eventually(t, "all written", func() bool { return r.hub.Stats().Queued == 0 })
		extra.conn.(interface{ CloseWrite() error }).CloseWrite()
		r.awaitConsumers(1)
		for {
			l, err := extra.read()
			if err != nil {
				break
			}
			got[string(l.Event)]++
			extraGot++
		}
		if extraGot == 0 {
			t.Errorf("round %d: the second consumer got nothing", round)
		}
		take(stay, 201-extraGot)
	}
	for i := range n {
		if key := fmt.Sprintf(`["n/n",%d]`, i); got[key] != 1 {
			t.Errorf("%s came %d times", key, got[key])
		}
	}
}

// Events without a wait for a reply are held for the first consumer, as many as fit.
func TestHold(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 5}, backend.Options{})
	if r.event("a", "[:a/b 0]", "k1") {
		t.Error("an event that waits for a reply was taken by nobody")
	}
	for n := range 8 {
		if took := r.event("a", fmt.Sprintf("[:a/b %d]", n), ""); took != (n < 5) {
			t.Errorf("event %d: %v", n, took)
		}
	}
	if s := r.hub.Stats(); s.Held != 5 || s.Dropped != 3 || s.Unheard != 1 || s.Events != 9 {
		t.Errorf("stats: %+v", s)
	}
	s := r.open("")
	if got := s.short(6); got != "event a, event a, event a, event a, event a, gap 3" {
		t.Errorf("held: %s", got)
	}
	eventually(t, "room", func() bool { return r.hub.Stats().Queued == 0 })
	r.event("a", "[:a/b]", "k2")
	if l := s.next(); l.ReplyTo != "k2" {
		t.Errorf("then: %s", l.text)
	}
	s.close()
	r.awaitConsumers(0)
	r.event("b", "[:a/b]", "")
	if got := r.open("").short(1); got != "event b" {
		t.Errorf("the next consumer got %s", got)
	}
}

func TestHoldBytes(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueBytes: 4000}, backend.Options{})
	big := `[:a/b "` + strings.Repeat("x", 3000) + `"]`
	huge := `[:a/b "` + strings.Repeat("x", 9000) + `"]`
	for i, c := range []struct {
		event string
		took  bool
	}{{big, true}, {big, false}, {"[:a/c]", true}} {
		if took := r.event("a", c.event, ""); took != c.took {
			t.Errorf("event %d: %v", i, took)
		}
	}
	s := r.open("")
	if got := s.short(3); got != "event a, gap 1, event a" {
		t.Errorf("held: %s", got)
	}
	s.close()
	r.awaitConsumers(0)
	if !r.event("a", huge, "") {
		t.Error("one event alone must fit, however large")
	}
}

// What a consumer did not write before it left goes to the others of its group, or is held.
func TestInheritance(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{})
	stuck := r.open("")
	const n = 3000
	event := `[:a/b "` + strings.Repeat("x", 1000) + `"]`
	for i := range n { // far more than the socket takes
		if !r.event(fmt.Sprint("u", i), event, "") {
			t.Fatal("not taken")
		}
	}
	stuck.close()
	r.awaitConsumers(0)
	heir := r.open("")
	r.event("last", "[:a/b]", "")
	seen, last := map[string]bool{}, -1
	for {
		l := heir.next()
		if *l.UID == "last" {
			break
		}
		var i int
		fmt.Sscanf(*l.UID, "u%d", &i)
		if i <= last || seen[*l.UID] {
			t.Fatalf("%d after %d", i, last)
		}
		last, seen[*l.UID] = i, true
	}
	if len(seen) == 0 || len(seen) == n || last != n-1 {
		t.Errorf("inherited %d of %d, the last one %d", len(seen), n, last)
	}
}

// A consumer that joins gets the slots of which nothing waits; those of a consumer that does not
// read stay with it, so that no uid's events overtake each other, until it leaves.
func TestInheritanceBySurvivors(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 2000}, backend.Options{})
	const users = 100
	text := strings.Repeat("x", 1000)
	n, missed := 0, 0
	offer := func(count int) {
		for range count {
			if !r.event(fmt.Sprint("u", n%users), fmt.Sprintf("[:n/n [%d %q]]", n, text), "") {
				missed++
			}
			n++
		}
	}
	stuck := r.open("")
	offer(1000)
	heir := r.open("")
	offer(4000)
	if missed == 0 {
		t.Fatal("the stuck consumer's queue is not full: the test says nothing")
	}
	stuck.close()
	r.awaitConsumers(1)
	r.event("last", "[:n/last]", "")
	got, told, newest := 0, 0, map[string]int{}
	for {
		l := heir.next()
		if l.Type == "gap" {
			told += int(l.Missed)
			continue
		}
		if *l.UID == "last" {
			break
		}
		got++
		var number int
		if _, err := fmt.Sscanf(string(l.Event), `["n/n",[%d,`, &number); err != nil {
			t.Fatalf("%s: %v", l.Event, err)
		}
		if was, seen := newest[*l.UID]; seen && number <= was {
			t.Fatalf("%s: %d after %d", *l.UID, number, was)
		}
		newest[*l.UID] = number
	}
	if got == 0 || told != missed {
		t.Errorf("got %d events, %d missed, told %d", got, missed, told)
	}
}

// A stream is valid JSON whatever a client calls itself.
func TestTextThatIsNoUTF8(t *testing.T) {
	r := plainRig(t)
	s := r.open("")
	client := []byte("\xff\xc3\"\\\r\n\t\x1f\u00e9\u2028\U0001F600\xf0\x9f")
	r.hub.Event(nil, []byte("a"), false, client, false, packer.EDN, []byte("[:a/b]"), false, nil, time.Now())
	want := "\ufffd\ufffd\"\\\r\n\t\x1f\u00e9\u2028\U0001F600\ufffd\ufffd"
	if l := s.next(); l.Client != want {
		t.Errorf("got %q, want %q in %s", l.Client, want, l.text)
	}
}

func TestFilter(t *testing.T) {
	r := plainRig(t)
	s := r.open("?group=f&ids=chat/*,:x/?ne&ids=chsk/bad-event")
	hears := func(format packer.Format, event string, bad bool) {
		r.hub.Event(nil, []byte("a"), false, nil, false, format, []byte(event), bad, nil, time.Now())
	}
	for _, event := range []string{
		"[:chat/send 1]", "[:chat]", "[:chatter/send]", "[:x/one]", "[:x/no]", "[:x/onee]",
		"( :chat/a )", "[,:chat/a\"x\"]",
	} {
		hears(packer.EDN, event, false)
	}
	hears(packer.EDN, "7", true)
	hears(packer.JSON, ` [ "chat/json", 1]`, false)
	hears(packer.JSON, `["other/json"]`, false)
	hears(packer.EDN, "[:chat/end]", false)
	want := []string{
		`["chat/send",1]`, `["x/one"]`, `["chat/a"]`, `["chat/a","x"]`, "7", `["chat/json", 1]`,
		`["chat/end"]`,
	}
	for _, w := range want {
		if l := s.next(); strings.TrimSpace(string(l.Event)) != w && !strings.Contains(l.text, "chat/json") {
			t.Errorf("got %s, want %s", l.text, w)
		}
	}
	// All consumers of a group want the same.
	status, body := r.get("/v1/events?group=f&ids=other/*")
	checkError(t, "another filter", status, body, 400, "conflict", `"ids"`, 0)
	// An event that waits for a reply, and that no filter lets through, has nobody to answer it.
	if r.event("a", "[:other/x]", "k") {
		t.Error("an unwanted event was taken")
	}
	if !r.event("a", "[:chat/x]", "k") {
		t.Error("a wanted event was not taken")
	}
}

// A consumer that reads nothing is cut, hears why if it reads at last, and holds nobody up.
func TestSlowConsumer(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 1000},
		backend.Options{Stall: 200 * time.Millisecond})
	slow, good := r.open("?group=slow"), r.open("?group=good")
	event := `[:a/b "` + strings.Repeat("x", 1000) + `"]`
	sent := 0
	for ; r.hub.Stats().Cut == 0; sent++ {
		r.event("a", event, "")
		if l := good.next(); l.Type != "event" {
			t.Fatalf("the good one got %s", l.text)
		}
	}
	r.awaitConsumers(1)
	got := 0
	for {
		l, err := slow.read()
		if err != nil {
			t.Fatalf("the end without a reason: %v", err)
		}
		if l.Type == "error" {
			if l.Code != "slow_consumer" || !strings.Contains(l.Message, "200ms") {
				t.Errorf("reason: %s", l.text)
			}
			break
		}
		got++
	}
	if _, err := slow.read(); err == nil {
		t.Error("the stream goes on after its end")
	}
	if got == 0 || got >= sent {
		t.Errorf("got %d of %d", got, sent)
	}
}

// A consumer that is slow for a while misses the newest, and is told how many.
func TestGap(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 100}, backend.Options{})
	s := r.open("")
	event := []byte(`[:a/b "` + strings.Repeat("x", 5000) + `"]`)
	took, missed := 0, 0
	for range 1000 {
		if r.hub.Event(nil, []byte("a"), false, nil, false, packer.EDN, event, false, nil,
			time.Now()) == backend.Taken {
			took++
		} else {
			missed++
		}
	}
	if missed == 0 {
		t.Fatal("nothing was missed: the test says nothing")
	}
	for events, gaps := 0, 0; events < took || gaps < missed; {
		switch l := s.next(); l.Type {
		case "event":
			events++
		case "gap":
			gaps += int(l.Missed)
		default:
			t.Fatalf("%d events, %d missed: %s", events, gaps, l.text)
		}
	}
	if got := r.hub.Stats().Dropped; got != uint64(missed) {
		t.Errorf("counted %d, missed %d", got, missed)
	}
}

// Streams end when the hub closes, with all that was queued.
func TestDrainStreams(t *testing.T) {
	r := plainRig(t)
	s := r.open("")
	for range 1000 {
		r.event("a", "[:a/b]", "")
	}
	ctx, cancel := contextOf(patience)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- r.server.Shutdown(ctx) }()
	rest, err := io.ReadAll(s.r)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(rest, []byte("\n")); n != 1000 {
		t.Errorf("%d lines", n)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestTooManyConsumers(t *testing.T) {
	r := plainRig(t)
	for i := range 15 {
		r.open(fmt.Sprint("?group=g", i))
	}
	status, body := r.get("/v1/events?group=g15")
	checkError(t, "17th group", status, body, 503, "busy", "16 groups", 0)
	for range 64 - 15 {
		r.open("")
	}
	status, body = r.get("/v1/events")
	checkError(t, "65th consumer", status, body, 503, "busy", "64 consumers", 0)
}
