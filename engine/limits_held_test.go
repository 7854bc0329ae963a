package engine

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/metrics"
)

// old opens a WebSocket that is there before a limit is met; check says that it still
// gets answers.
func (r *limitRig) old(peer string, fields ...string) (check func()) {
	r.t.Helper()
	s := r.ws(peer, fields...)
	r.is(s, 101)
	s.said()
	return func() {
		r.t.Helper()
		r.give(s, text(`[[:chsk/ws-ping] "a"]`))
		if got := s.said(); !strings.Contains(got, `["pong" "a"]`) {
			r.t.Fatalf("who was there before is not answered: %q", got)
		}
	}
}

// counts checks what was held and shed for a reason.
func (r *limitRig) counts(why metrics.Hold, held, shed uint64) {
	r.t.Helper()
	if h, s := r.m.Held[why].Load(), r.m.Shed[why].Load(); h != held || s != shed {
		r.t.Fatalf("held %d and shed %d for %v, want %d and %d", h, s, why, held, shed)
	}
	if r.held < 0 {
		r.t.Fatalf("%d are held now", r.held)
	}
}

func TestConnsPerAddress(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.ConnsPerAddress = 2
		o.Trusted = set("10.0.0.0/8")
	})
	alive := r.old("192.0.2.1")
	second := r.ws("192.0.2.1")
	r.is(second, 101)
	third, poll := r.ws("192.0.2.1"), r.dial("192.0.2.1")
	r.give(poll, r.pollRequest(true))
	r.is(third, 0)
	r.is(poll, 0)
	r.is(r.ws("192.0.2.2"), 101)
	r.counts(metrics.HoldAddress, 2, 0)
	r.advance(7000)
	r.is(third, 0)
	r.closeConn(second.c.slot)
	r.advance(100)
	r.is(third, 101) // the first that waits
	r.is(poll, 0)
	r.advance(2000)
	r.is(poll, 429)
	if !strings.Contains(string(poll.out), "Retry-After: ") || !poll.fin {
		t.Errorf("%q", poll.out)
	}
	r.counts(metrics.HoldAddress, 2, 1)
	alive()
	// Who gives up while it waits leaves nothing behind.
	gone := r.ws("192.0.2.1")
	r.closeConn(gone.c.slot)
	r.turns()
	r.closeConn(third.c.slot)
	r.turns()
	r.is(r.ws("192.0.2.1"), 101)
	if r.held != 0 {
		t.Errorf("%d are held", r.held)
	}
}

// TestConnsPerAddressBehindProxy: a proxy's own conns are not counted; a WebSocket over one
// is its client's.
func TestConnsPerAddressBehindProxy(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.ConnsPerAddress = 1
		o.Trusted = set("10.0.0.0/8")
	})
	for range 3 {
		s := r.dial("10.0.0.1")
		r.give(s, r.pollRequest(true, "X-Forwarded-For: 1.2.3.4"))
		r.is(s, 200)
	}
	alive := r.old("10.0.0.1", "X-Forwarded-For: 1.2.3.4")
	r.is(r.ws("10.0.0.1", "X-Forwarded-For: 5.6.7.8"), 101)
	second := r.ws("10.0.0.1", "X-Forwarded-For: 1.2.3.4")
	r.is(second, 0)
	// An upgrade that is refused gives its place back with its conn.
	shared := r.dial("10.0.0.1")
	r.give(shared, strings.Replace(r.wsRequest("X-Forwarded-For: 9.9.9.9"), "client-id", "other", 1))
	r.is(shared, 400)
	if !shared.closed {
		r.closeConn(shared.c.slot)
		r.turns()
	}
	r.is(r.ws("10.0.0.1", "X-Forwarded-For: 9.9.9.9"), 101)
	r.advance(8100)
	r.is(second, 429)
	alive()
}

func TestHandshakesPerSecond(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.HandshakesPerSecond = 3
		o.Limits.HeldConns = 30
	})
	alive := r.old("192.0.2.1")
	var socks []*plainSock
	for i := range 34 {
		s := r.dial("192.0.2.1")
		if i%2 == 0 {
			r.give(s, r.pollRequest(true))
		} else {
			r.give(s, r.wsRequest())
		}
		socks = append(socks, s)
	}
	ok := map[bool]int{false: 200, true: 101}
	for i, s := range socks {
		switch {
		case i < 2:
			r.is(s, ok[i%2 == 1])
		case i < 33:
			r.is(s, 0)
		default:
			r.is(s, 503) // no room to wait
		}
	}
	for second := 1; second <= 7; second++ {
		r.advance(1000)
		for i, s := range socks[:33] {
			if i < 2+3*second-1 {
				r.is(s, ok[i%2 == 1]) // in the order in which they came
			} else if i >= 2+3*second+1 {
				r.is(s, 0)
			}
		}
		alive()
	}
	r.advance(1100)
	shed := 0
	for i, s := range socks[26:33] {
		if strings.HasPrefix(string(s.out), "HTTP/1.1 503") {
			shed++
			continue
		}
		r.is(s, ok[i%2 == 1])
	}
	if shed < 5 {
		t.Errorf("%d were given up", shed)
	}
	if r.held != 0 || r.heldForRate != 0 {
		t.Errorf("%d and %d are held", r.held, r.heldForRate)
	}
	if n := r.m.Requests.Load(); n != uint64(1+34) {
		t.Errorf("%d requests are counted", n)
	}
}

func TestHandshakesPerAddress(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.HandshakesPerAddress = 1
		o.Trusted = set("10.0.0.0/8")
	})
	alive := r.old("192.0.2.1")
	held, other := r.ws("192.0.2.1"), r.ws("192.0.2.2")
	proxied := r.ws("10.0.0.1", "X-Forwarded-For: 192.0.2.2")
	r.is(held, 0)
	r.is(other, 101)
	r.is(proxied, 0)
	v6, neighbour := r.ws("2001:db8::1"), r.ws("2001:db8::2")
	r.is(v6, 101)
	r.is(neighbour, 0) // of one subscriber
	r.advance(1100)
	r.is(held, 101)
	r.is(proxied, 101)
	r.is(neighbour, 101)
	var many []*plainSock
	for range 9 {
		many = append(many, r.ws("192.0.2.1"))
	}
	// One address does not take all the room in which others wait.
	r.behind = true
	stranger := r.ws("192.0.2.77")
	r.is(stranger, 0)
	r.behind = false
	r.advance(9000)
	r.is(stranger, 101)
	status := map[string]int{}
	for _, s := range many {
		status[string(s.out[9:12])]++
	}
	if status["101"] < 5 || status["429"] < 3 || status["101"]+status["429"] != 9 {
		t.Errorf("%v", status)
	}
	alive()
}

// TestHeldRequestWithBody: a request that is not in the buffer any more is not held.
func TestHeldRequestWithBody(t *testing.T) {
	r := newLimitRig(t, func(o *Options) { o.Limits.HandshakesPerSecond = 1 })
	r.old("192.0.2.1")
	s := r.dial("192.0.2.1")
	head := strings.Replace(r.pollRequest(true), "\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n", 1)
	r.give(s, head+"ab")
	r.give(s, "cd")
	r.is(s, 503)
}

// TestHeldThenAnother: one that waited for one thing waits for the next one no longer than
// all together may take.
func TestHeldForSeveral(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.MaxConns = 1
		o.Limits.HandshakesPerSecond = 1
	})
	first := r.ws("192.0.2.1")
	r.is(first, 101)
	second := r.ws("192.0.2.1")
	r.advance(7500)
	r.is(second, 0)
	r.closeConn(first.c.slot)
	r.eng.pace.Take(r.tick) // by another loop
	r.advance(200)
	r.is(second, 0)
	r.counts(metrics.HoldRate, 1, 0)
	r.advance(400)
	r.is(second, 503)
	r.counts(metrics.HoldRate, 1, 1)
	if !strings.Contains(string(second.out), "Too many handshakes") {
		t.Errorf("%q", second.out)
	}
}

// TestNoLimitTakesNoMemory: without limits nothing is kept beside conns.
func TestNoLimitTakesNoMemory(t *testing.T) {
	r := newLimitRig(t, func(*Options) {})
	alive := r.old("192.0.2.1")
	alive()
	if len(r.places.chunks)+len(r.spoken.chunks)+len(r.posted.chunks) != 0 || r.eng.addresses != nil ||
		r.eng.pace != nil || r.eng.located {
		t.Error("something is kept")
	}
}

// TestIdleConnsPerAddress: conns that ask for nothing do not take others' room.
func TestIdleConnsPerAddress(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.ConnsPerAddress = 2
		o.Trusted = set("10.0.0.0/8")
	})
	alive := r.old("192.0.2.1")
	var open []*plainSock
	for range 100 {
		if s := r.dial("192.0.2.2"); s != nil {
			open = append(open, s)
		}
	}
	if len(open) != 2*2+16 || r.m.Shed[metrics.HoldAddress].Load() != 100-20 {
		t.Fatalf("%d are open", len(open))
	}
	r.is(r.ws("192.0.2.3"), 101)
	for range 100 {
		if r.dial("10.0.0.1") == nil {
			t.Fatal("a proxy's conn is counted")
		}
	}
	r.advance(11_000) // none has sent its head
	r.is(r.ws("192.0.2.2"), 101)
	if n := r.eng.addresses.Conns(); n != 3 {
		t.Errorf("%d are counted", n)
	}
	alive()
}
