package verifier_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
	"github.com/chskd/chskd/auth/verifier"
)

func TestRemembersGrants(t *testing.T) {
	a := &app{ttl: 10 * time.Second}
	r := newRig(t, verifier.Config{Hook: a}).start()
	q := request("tab", "alice")
	if g, known := r.get(q, hooked); g.UID != "alice" || known {
		t.Fatalf("%+v, known %v", g, known)
	}
	r.pass(9999 * time.Millisecond)
	if g, known := r.get(q, hooked); g.UID != "alice" || !known {
		t.Errorf("within 10 s: %+v, known %v", g, known)
	}
	r.pass(time.Millisecond)
	if _, known := r.get(q, hooked); known || a.asked.Load() != 2 {
		t.Errorf("after 10 s it is still known; asked %d times", a.asked.Load())
	}
}

// TestTTL: how long each kind of answer is remembered.
func TestTTL(t *testing.T) {
	refused := &auth.Grant{Refusal: &auth.Refusal{Status: 401}}
	at := func(ms int64) *auth.Grant { return &auth.Grant{UID: "u", Expires: 1_700_000_000_000 + ms} }
	for _, c := range []struct {
		name  string
		cache time.Duration
		g     *auth.Grant
		want  time.Duration // the first time at which it is asked again
	}{
		{"granted", 10 * time.Second, &auth.Grant{UID: "u"}, 10 * time.Second},
		{"granted, no cache", 0, &auth.Grant{UID: "u"}, 0},
		{"expires before", 10 * time.Second, at(3000), 3 * time.Second},
		{"expires after", 10 * time.Second, at(30000), 10 * time.Second},
		{"expired", 10 * time.Second, at(-1), 0},
		{"refused", 10 * time.Second, refused, time.Second},
		{"unknown", 10 * time.Second, hook.Unknown, 250 * time.Millisecond},
		{"unreachable", 10 * time.Second, hook.Unreachable, 250 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &app{ttl: c.cache, grant: func(*hook.Question) *auth.Grant { return c.g }}
			r := newRig(t, verifier.Config{Hook: a}).start()
			q := request("tab", "x")
			r.get(q, hooked)
			if c.want > 0 {
				r.pass(c.want - time.Millisecond)
				if g, known := r.get(q, hooked); !known || g != c.g {
					t.Errorf("1 ms before: %+v, known %v", g, known)
				}
				r.pass(time.Millisecond)
			}
			if g, known := r.get(q, hooked); known || g != c.g {
				t.Errorf("then: %+v, known %v", g, known)
			}
		})
	}
}

func TestTokenTTL(t *testing.T) {
	for _, c := range []struct {
		name    string
		expires int64
		token   string
		want    time.Duration
	}{
		{"without end", 0, "u@5", verifier.TokenFor},
		{"expires before", 1_700_000_060_000, "u@5", time.Minute},
		{"expires after", 1_800_000_000_000, "u@5", verifier.TokenFor},
		{"refused", 0, "bad", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, verifier.Config{JWT: &keys{expires: c.expires}}).start()
			q := request("tab", "")
			g, _ := r.get(q, token(c.token))
			if c.token == "bad" && (g.Refusal == nil || g.Refusal.Status != 401) {
				t.Errorf("%+v", g)
			}
			r.pass(c.want - time.Millisecond)
			if _, known := r.get(q, token(c.token)); !known {
				t.Error("1 ms before it is not known")
			}
			r.pass(time.Millisecond)
			if _, known := r.get(q, token(c.token)); known {
				t.Error("it is still known")
			}
		})
	}
}

// TestTheft: a client-id is chosen by clients and may be known to others. Alone it gives nothing.
func TestTheft(t *testing.T) {
	a := &app{ttl: time.Hour}
	r := newRig(t, verifier.Config{Hook: a, JWT: new(keys)}).start()
	if g, _ := r.get(request("tab", "alice"), hooked); g.UID != "alice" {
		t.Fatal(g)
	}
	for range 2 {
		if g, _ := r.get(request("tab", "mallory"), hooked); g.UID != "mallory" {
			t.Errorf("another cookie gets %q", g.UID)
		}
	}
	if g, _ := r.get(request("tab", ""), hooked); g.UID != "" {
		t.Errorf("no cookie gets %q", g.UID)
	}
	if g, _ := r.get(request("tab", "alice"), token("mallory@1")); g.UID != "mallory" {
		t.Errorf("a token gets %q, known of a cookie", g.UID)
	}
	if g, known := r.get(request("tab", "alice"), hooked); g.UID != "alice" || !known {
		t.Errorf("alice is not remembered: %+v", g)
	}
	// While alice's question is on its way, too.
	a.gate = make(chan struct{})
	_, first := r.ask(request("tab2", "alice"), hooked)
	_, second := r.ask(request("tab2", "mallory"), hooked)
	close(a.gate)
	if g := r.wait(second); g.UID != "mallory" || r.wait(first).UID != "alice" {
		t.Errorf("joined to another's question: %+v", g)
	}
}

// TestAskedOnce: equal requests at one time are one question, and all are told.
func TestAskedOnce(t *testing.T) {
	a := &app{ttl: time.Hour, gate: make(chan struct{})}
	r := newRig(t, verifier.Config{Hook: a}).start()
	var tickets []uint64
	for range verifier.WaitersMax {
		g, ticket := r.ask(request("tab", "alice"), hooked)
		if g != nil {
			t.Fatal(g)
		}
		tickets = append(tickets, ticket)
	}
	if g, _ := r.ask(request("tab", "alice"), hooked); g == nil || g.Refusal.Status != 503 {
		t.Errorf("one more than may wait: %+v", g)
	}
	close(a.gate)
	for _, ticket := range tickets {
		if g := r.wait(ticket); g.UID != "alice" {
			t.Errorf("%+v", g)
		}
	}
	s := r.v.Stats()
	if n := a.asked.Load(); n != 1 || s.Joined != verifier.WaitersMax-1 ||
		s.Ways[verifier.Hook].Unasked[verifier.Crowded] != 1 {
		t.Errorf("asked %d times, %+v", n, s)
	}
}

// TestFull: over the queue it is 503 at once, and the queue is worked off.
func TestFull(t *testing.T) {
	a := &app{gate: make(chan struct{})}
	r := newRig(t, verifier.Config{Hook: a, Workers: 4, Queue: 100}).start()
	var waiting []uint64
	full := 0
	for i := range 10_000 {
		g, ticket := r.ask(request(fmt.Sprint("tab", i), "u"), hooked)
		switch {
		case g == nil:
			waiting = append(waiting, ticket)
		case g.Refusal.Status == 503 && g.Refusal.RetryAfter == 1:
			full++
		default:
			t.Fatalf("%+v", g)
		}
	}
	if len(waiting) < 100 || len(waiting) > 104 || full+len(waiting) != 10_000 {
		t.Errorf("%d wait, %d are turned away", len(waiting), full)
	}
	close(a.gate)
	for _, ticket := range waiting {
		if g := r.wait(ticket); g.UID != "u" {
			t.Errorf("%+v", g)
		}
	}
	r.eventually("the workers rest", func() bool {
		w := r.v.Stats().Ways[verifier.Hook]
		return w.Waiting == 0 && w.Busy == 0
	})
	if w := r.v.Stats().Ways[verifier.Hook]; w.Unasked[verifier.Full] != uint64(full) ||
		w.Checks[verifier.Granted] != uint64(len(waiting)) {
		t.Errorf("%+v", w)
	}
}

// TestLate: what waited too long is not asked any more.
func TestLate(t *testing.T) {
	a := &app{gate: make(chan struct{})}
	r := newRig(t, verifier.Config{Hook: a, Workers: 1, Wait: time.Second}).start()
	_, first := r.ask(request("a", "u"), hooked)
	r.eventually("the first is asked", func() bool { return a.asked.Load() == 1 })
	_, second := r.ask(request("b", "u"), hooked)
	r.pass(1001 * time.Millisecond)
	close(a.gate)
	if g := r.wait(first); g.UID != "u" {
		t.Errorf("%+v", g)
	}
	if g := r.wait(second); g.Refusal == nil || g.Refusal.Status != 503 || a.asked.Load() != 1 {
		t.Errorf("%+v, asked %d times", g, a.asked.Load())
	}
}

// A dead application keeps no token from being checked.
func TestTokensBesideDeadHook(t *testing.T) {
	a := &app{gate: make(chan struct{})}
	r := newRig(t, verifier.Config{Hook: a, JWT: new(keys), Workers: 2, Queue: 5}).start()
	for i := range 50 {
		r.ask(request(fmt.Sprint(i), "u"), hooked)
	}
	for i := range 50 {
		if g, _ := r.get(request(fmt.Sprint(i), "u"), token("bob@1")); g.UID != "bob" {
			t.Errorf("%+v", g)
		}
	}
	close(a.gate)
}

// TestBreaker: after some failures nobody is asked for a second, then one.
func TestBreaker(t *testing.T) {
	var mu sync.Mutex
	answer := hook.TimedOut
	set := func(g *auth.Grant) { mu.Lock(); answer = g; mu.Unlock() }
	a := &app{grant: func(*hook.Question) *auth.Grant { mu.Lock(); defer mu.Unlock(); return answer }}
	r := newRig(t, verifier.Config{Hook: a, Workers: 1}).start()
	n := 0
	try := func() (*auth.Grant, bool) {
		n++
		return r.get(request(fmt.Sprint(n), "u"), hooked)
	}
	alice := &auth.Grant{UID: "alice"}
	for _, other := range []*auth.Grant{alice, hook.Unknown, {Refusal: &auth.Refusal{Status: 401}}} {
		for range verifier.BreakAfter - 1 {
			try()
		}
		set(other) // an answer between them
		try()
		set(hook.TimedOut)
	}
	if s := r.v.Stats(); s.BreakerOpen || s.BreakerOpens != 0 {
		t.Fatal("it opens though there are answers")
	}
	for range verifier.BreakAfter {
		if _, known := try(); known {
			t.Fatal("it opens too early")
		}
	}
	r.eventually("it opens", func() bool { return r.v.Stats().BreakerOpen })
	before := a.asked.Load()
	for range 100 {
		if g, known := try(); !known || g.Refusal.Status != 503 {
			t.Errorf("open, and %+v", g)
		}
	}
	r.pass(time.Second)
	if _, known := try(); known || a.asked.Load() != before+1 {
		t.Errorf("no probe")
	}
	r.eventually("it opens again", func() bool { return r.v.Stats().BreakerOpens == 2 })
	if _, known := try(); !known {
		t.Error("a bad probe lets others through")
	}
	r.pass(time.Second)
	set(alice)
	try()
	r.eventually("it closes", func() bool { return !r.v.Stats().BreakerOpen })
	if g, known := try(); known || g.UID != "alice" {
		t.Errorf("closed, and %+v", g)
	}
}

// TestProbeIsLate: a probe that is not asked does not keep all others out for ever.
func TestProbeIsLate(t *testing.T) {
	a := &app{grant: func(*hook.Question) *auth.Grant { return hook.Unreachable }}
	r := newRig(t, verifier.Config{Hook: a, Workers: 1, Wait: 5 * time.Second}).start()
	for i := range verifier.BreakAfter {
		r.get(request(fmt.Sprint(i), "u"), hooked)
	}
	r.eventually("it opens", func() bool { return r.v.Stats().BreakerOpen })
	opened := r.ms.Load()
	r.pass(10 * time.Second)
	if g := r.v.Verify(request("late", "u"), hooked, 1<<40, opened+2000); g != nil {
		t.Fatal("no probe")
	}
	if r.wait(1 << 40); a.asked.Load() != verifier.BreakAfter {
		t.Fatal("it is asked, though it is late")
	}
	if _, known := r.get(request("next", "u"), hooked); known || a.asked.Load() != verifier.BreakAfter+1 {
		t.Error("no other probe goes")
	}
}

// TestBreakerEmptiesQueue: what waits when it opens is told at once, and one probe goes at a time.
func TestBreakerEmptiesQueue(t *testing.T) {
	a := &app{gate: make(chan struct{}), grant: func(*hook.Question) *auth.Grant { return hook.Unreachable }}
	r := newRig(t, verifier.Config{Hook: a, Workers: 1, Queue: 1000}).start()
	var tickets []uint64
	for i := range 500 {
		_, ticket := r.ask(request(fmt.Sprint(i), "u"), hooked)
		tickets = append(tickets, ticket)
	}
	close(a.gate)
	for _, ticket := range tickets {
		if g := r.wait(ticket); g.Refusal.Status != 503 {
			t.Errorf("%+v", g)
		}
	}
	if n := a.asked.Load(); n != verifier.BreakAfter {
		t.Errorf("asked %d times", n)
	}
}

// TestStop: who waits is told, nobody waits for ever, and nothing is told afterwards.
func TestStop(t *testing.T) {
	for _, started := range []bool{true, false} {
		a := &app{gate: make(chan struct{})}
		r := newRig(t, verifier.Config{Hook: a, JWT: new(keys), Workers: 3})
		r.v.Start(r.tell)
		var tickets []uint64
		var asking sync.WaitGroup
		var mu sync.Mutex
		for c := range 4 {
			asking.Go(func() {
				for i := range 200 {
					if g, ticket := r.ask(request(fmt.Sprint(c, i), "u"), hooked); g == nil {
						mu.Lock()
						tickets = append(tickets, ticket)
						mu.Unlock()
					}
				}
			})
		}
		if started {
			asking.Wait()
		}
		r.v.Stop()
		asking.Wait()
		r.mu.Lock()
		for _, ticket := range tickets {
			if g := r.grants[ticket]; g == nil || g.Refusal == nil || g.Refusal.Status != 503 {
				t.Errorf("ticket %d: %+v", ticket, g)
			}
		}
		r.mu.Unlock()
		if g, _ := r.ask(request("z", "u"), hooked); g == nil || g.Refusal.Status != 503 {
			t.Errorf("after Stop: %+v", g)
		}
	}
}

// Without a way there is no answer, rather than none ever.
func TestNoWay(t *testing.T) {
	r := newRig(t, verifier.Config{Hook: &app{}}).start()
	if g, _ := r.ask(request("a", ""), token("u@1")); g == nil || g.Refusal.Status != 503 {
		t.Errorf("%+v", g)
	}
}

// TestPanic: it costs one request, and its text, which may quote a token, is not logged.
func TestPanic(t *testing.T) {
	a := &app{grant: func(q *hook.Question) *auth.Grant {
		if q.Cookie == "bad" {
			panic("secret")
		}
		return &auth.Grant{UID: "u"}
	}}
	r := newRig(t, verifier.Config{Hook: a, Workers: 1}).start()
	if g, _ := r.get(request("a", "bad"), hooked); g.Refusal == nil || g.Refusal.Status != 503 {
		t.Errorf("%+v", g)
	}
	if g, _ := r.get(request("b", "good"), hooked); g.UID != "u" {
		t.Errorf("%+v", g)
	}
}

// TestMemoryIsBounded in entries and bytes, and given back.
func TestMemoryIsBounded(t *testing.T) {
	big := []byte(strings.Repeat("x", 10_000))
	a := &app{ttl: time.Minute, grant: func(q *hook.Question) *auth.Grant {
		if q.Cookie == "big" {
			return &auth.Grant{UID: "u", Handshake: big}
		}
		return &auth.Grant{UID: "u"}
	}}
	const entries, size = 640, 1 << 20
	r := newRig(t, verifier.Config{Hook: a, Entries: entries, Bytes: size}).start()
	for i := range 3000 {
		r.get(request(fmt.Sprint(i), "small"), hooked)
	}
	if s := r.v.Stats(); s.Entries > entries || s.Entries < entries/2 || s.Evicted == 0 {
		t.Errorf("%+v", s)
	}
	for i := range 1000 {
		r.get(request(fmt.Sprint(i), "big"), hooked)
	}
	if s := r.v.Stats(); s.Bytes > size || s.Bytes < size/4 {
		t.Errorf("%d bytes in %d entries", s.Bytes, s.Entries)
	}
	r.pass(59 * time.Second)
	r.v.Sweep(r.ms.Load())
	if s := r.v.Stats(); s.Entries == 0 {
		t.Error("forgotten too early")
	}
	r.pass(time.Second)
	r.v.Sweep(r.ms.Load())
	if s := r.v.Stats(); s.Entries != 0 || s.Bytes != 0 {
		t.Errorf("%d bytes in %d entries", s.Bytes, s.Entries)
	}
}

// TestLeastRecentlyUsed: who is asked for stays.
func TestLeastRecentlyUsed(t *testing.T) {
	a := &app{ttl: time.Hour}
	r := newRig(t, verifier.Config{Hook: a, Entries: 32 * 20}).start()
	alice := request("alice", "alice")
	r.get(alice, hooked)
	for i := range 5000 {
		r.get(request(fmt.Sprint(i), "u"), hooked)
		if _, known := r.get(alice, hooked); !known {
			t.Fatalf("forgotten after %d others", i)
		}
	}
}

// TestStopBesideVerify: also those who come while it stops are told, at once or later.
func TestStopBesideVerify(t *testing.T) {
	for range 50 {
		r := newRig(t, verifier.Config{Hook: new(app), Workers: 1, Queue: 2})
		r.v.Start(r.tell)
		var asking sync.WaitGroup
		tickets := make([][]uint64, 4)
		for c := range tickets {
			asking.Go(func() {
				for i := range 100 {
					if g, ticket := r.ask(request(fmt.Sprint(c, i), "u"), hooked); g == nil {
						tickets[c] = append(tickets[c], ticket)
					}
				}
			})
		}
		r.v.Stop()
		asking.Wait()
		r.mu.Lock()
		for _, ticket := range slices.Concat(tickets...) {
			if r.grants[ticket] == nil {
				t.Errorf("ticket %d is never told", ticket)
			}
		}
		r.mu.Unlock()
	}
}
