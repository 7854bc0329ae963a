package backend_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

// ackLine acks as a backend does, from a connection of its own.
func (r *rig) ackLine(s *lines, l line) {
	r.t.Helper()
	status, body := r.post("/v1/ack", fmt.Sprintf(`{"epoch":%q,"consumer":%q,"seq":%d}`,
		s.hello.Epoch, s.hello.Consumer, l.Seq))
	if status != 200 {
		r.t.Fatalf("ack: %d %s", status, body)
	}
}

// uids reads events and gives their users, the redelivered ones with a star.
func (s *lines) uids(n int) (out string, last line) {
	s.t.Helper()
	for range n {
		l := s.next()
		if l.Type != "event" {
			s.t.Fatalf("%s", l.text)
		}
		out += *l.UID
		if l.Redelivered {
			out += "*"
		}
		out += " "
		last = l
	}
	return out, last
}

// What a consumer did not ack is given to the others of its group, in order, marked, and before
// anything newer.
func TestAckInheritedBySurvivors(t *testing.T) {
	r := plainRig(t)
	a := r.open("?ack=1")
	for _, uid := range []string{"a", "b", "c", "d"} {
		r.event(uid, "[:a/b]", "")
	}
	l := a.next()
	r.ackLine(a, l)
	a.uids(3)
	b := r.open("?ack=1") // may get slots that are at rest, but none of those three
	a.close()
	r.awaitConsumers(1)
	for _, uid := range []string{"b", "c", "d", "e"} {
		r.event(uid, "[:a/b]", "")
	}
	got, last := b.uids(7)
	if got != "b* c* d* b c d e " {
		t.Errorf("the survivor got %s", got)
	}
	r.ackLine(b, last)
	if s := r.hub.Stats(); s.Acked != 8 || s.Redelivered != 3 || s.Unacked+s.Queued+s.Items != 0 {
		t.Errorf("%+v", s)
	}
	r.ackLine(b, l) // an old one does nothing
}

// The last consumer's death is a backend's restart: what it did not ack is held for the next, in
// any group, with what came meanwhile.
func TestAckAcrossARestart(t *testing.T) {
	for _, group := range []string{"default", "orders"} {
		r := plainRig(t)
		query := "?ack=1&group=" + group
		s := r.open(query)
		for _, uid := range []string{"a", "b", "c"} {
			r.event(uid, "[:a/b]", "")
		}
		first, last := "", line{}
		if first, last = s.uids(2); first != "a b " {
			t.Errorf("%s: %s", group, first)
		}
		s.next()
		for range 3 { // dies again and again, acking nothing or one event
			s.close()
			r.awaitConsumers(0)
			r.event("late", "[:a/b]", "")
			s = r.open(query)
			l := s.next()
			if last.Seq != 0 && *l.UID != "a" || !l.Redelivered {
				t.Fatalf("%s: %s", group, l.text)
			}
		}
		if got, _ := s.uids(5); got != "b* c* late* late* late " && got != "b* c* late* late late " &&
			got != "b* c* late late late " {
			// How much of the last lives was written before they ended is a matter of time.
			t.Errorf("%s: then %s", group, got)
		}
	}
}

func TestAckErrors(t *testing.T) {
	r := plainRig(t)
	s, plain := r.open("?ack=1&group=a"), r.open("?group=b")
	r.event("u", "[:a/b]", "")
	seq := s.next().Seq
	for _, c := range []struct {
		name, epoch, consumer string
		seq                   uint64
		status                int
		code, message         string
	}{
		{"another epoch", "old", s.hello.Consumer, seq, 409, "stale_ack", "is over"},
		{"nobody", s.hello.Epoch, "c99", seq, 409, "stale_ack", `no consumer "c99"`},
		{"ahead", s.hello.Epoch, s.hello.Consumer, seq + 7, 400, "bad_ack", "nothing above"},
		{"no acks", s.hello.Epoch, plain.hello.Consumer, 1, 400, "bad_ack", "did not ask"},
	} {
		status, body := r.post("/v1/ack", fmt.Sprintf(`{"epoch":%q,"consumer":%q,"seq":%d}`,
			c.epoch, c.consumer, c.seq))
		checkError(t, c.name, status, body, c.status, c.code, c.message, 1)
	}
	if got := r.hub.Stats().Unacked; got != 1 {
		t.Errorf("%d are not acked", got)
	}
	status, body := r.get("/v1/events?group=a")
	checkError(t, "mixed", status, body, 400, "conflict", `"ack"`, 0)
	status, body = r.get("/v1/events?group=b&ack=1")
	checkError(t, "mixed", status, body, 400, "conflict", `"ack"`, 0)
}

// A consumer that reads and does not ack is cut, is told why, and what it had goes on.
func TestAckTimeout(t *testing.T) {
	r := newRig(t, backend.HubOptions{AckTimeout: 30 * time.Second}, backend.Options{})
	s := r.open("?ack=1")
	r.event("a", "[:a/b]", "")
	r.ackLine(s, s.next())
	r.hub.Tick(20_000)
	r.event("b", "[:a/b]", "")
	s.next()
	eventually(t, "it is written", func() bool { return r.hub.Stats().Delivered == 2 })
	r.hub.Tick(49_999)
	if r.hub.Stats().AckTimeouts != 0 {
		t.Error("too early")
	}
	r.hub.Tick(50_000)
	if l := s.next(); l.Type != "error" || l.Code != "ack_timeout" {
		t.Errorf("%s", l.text)
	}
	if _, err := s.read(); err == nil {
		t.Error("the stream goes on")
	}
	r.awaitConsumers(0)
	if got, _ := r.open("?ack=1").uids(1); got != "b* " {
		t.Errorf("then %s", got)
	}
}

// What is not acked takes room: a consumer that does not ack misses the newest, and is told so.
func TestAckIsBounded(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 5}, backend.Options{})
	s := r.open("?ack=1")
	took := 0
	for range 5 {
		if r.event("a", "[:a/b]", "") {
			took++
		}
	}
	_, last := s.uids(5)
	for range 3 {
		if r.event("a", "[:a/b]", "") {
			t.Error("more than the bound was taken")
		}
	}
	missed := uint64(0)
	for missed < 3 { // told by the hub's clock, in one line or more
		missed += s.next().Missed
	}
	if took != 5 || missed != 3 {
		t.Errorf("%d were taken, %d missed", took, missed)
	}
	r.ackLine(s, last)
	if !r.event("b", "[:a/b]", "") || s.short(1) != "event b" {
		t.Error("no room after the ack")
	}
}

// A day of events and acks, with consumers that die now and then, leaves nothing behind.
func TestADayOfAcks(t *testing.T) {
	h := backend.NewHub(backend.HubOptions{})
	rng := rand.New(rand.NewPCG(24, 4))
	consumers := []*backend.Consumer{subscribe(t, h, "g", true), subscribe(t, h, "g", true)}
	uids := make([]string, 1000)
	for i := range uids {
		uids[i] = fmt.Sprint("user-", i)
	}
	day := 86_400
	if testing.Short() || raceEnabled {
		day /= 10
	}
	events, acked := 0, 0
	var spare []backend.Entry
	second := func(s int) {
		h.Tick(int64(s) * 1000)
		for range 20 {
			offer(h, "", uids[rng.IntN(len(uids))])
			events++
		}
		for i, c := range consumers {
			batch, _, _ := h.Take(c, spare)
			h.Settle(c, batch)
			spare = batch
			if rng.IntN(5) > 0 {
				if err := h.Ack(h.Epoch(), c.ID(), c.Taken()); err != nil {
					t.Fatal(err)
				}
			}
			if rng.IntN(1000) == 0 {
				h.Leave(c, nil, false)
				consumers[i] = subscribe(t, h, "g", true)
			}
		}
	}
	for s := range 1000 {
		second(s)
	}
	before := heap()
	for s := 1000; s < day; s++ {
		second(s)
	}
	for _, c := range consumers {
		readAll(h, c)
	}
	grown := heap() - before
	ackAll(t, h, consumers...)
	st := h.Stats()
	acked = int(st.Acked)
	t.Logf("%d events, %d acked, %d redelivered, %d slots moved, the heap grew by %d bytes", events,
		acked, st.Redelivered, st.Moved, grown)
	if st.Dropped != 0 || acked != events || st.Items != 0 || st.Queued != 0 {
		t.Errorf("%+v", st)
	}
	if st.Redelivered == 0 || grown > 1<<20 {
		t.Errorf("%d redelivered, the heap grew by %d bytes", st.Redelivered, grown)
	}
	for _, c := range consumers {
		if n := c.UnackedCap(); n > 4096 {
			t.Errorf("the list of what is not acked has room for %d", n)
		}
	}
}
