package engine

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
)

func (r *grantRig) in(d time.Duration) int64 { return r.wall.Add(d).UnixMilli() }

// TestExpiry: a WebSocket is told before its identity expires, and closed then.
func TestExpiry(t *testing.T) {
	r := newGrantRig(t, nil)
	s, _ := r.upgraded(0, "c1", &auth.Grant{UID: "alice", Expires: r.in(time.Hour)})
	short, first := r.upgraded(0, "c2", &auth.Grant{UID: "bob", Expires: r.in(10 * time.Second)})
	wants(t, first, []string{`[[:chsk/handshake ["bob" nil nil]] nil]`, "[[[:chskd/expiring {:ms 10000}]] nil]"})
	r.pass(10 * time.Second)
	wants(t, short.frames(), []string{"close 4401 identity expired"})

	lives := func(d time.Duration) { // it answers what it is asked, or keep-alive would end it
		for end := r.now + uint32(d/time.Millisecond); int32(end-r.now) > 0; {
			s.event("[[:chsk/ws-pong] nil]")
			r.pass(min(time.Second, time.Duration(end-r.now)*time.Millisecond))
		}
	}
	lives(3555 * time.Second) // 35 s before
	if got := s.frames(); len(got) != 0 {
		t.Errorf("told early: %q", got)
	}
	lives(6 * time.Second)
	wants(t, s.frames(), []string{"[[[:chskd/expiring {:ms 30000}]] nil]"})
	lives(28 * time.Second)
	wants(t, s.frames(), []string(nil))
	lives(2 * time.Second)
	wants(t, s.frames(), []string{"close 4401 identity expired"})
	m := r.e.loops[0].m
	if m.ExpiryNotices.Load() != 2 || m.ExpiryCloses.Load() != 2 {
		t.Errorf("%d notices, %d closes are counted", m.ExpiryNotices.Load(), m.ExpiryCloses.Load())
	}
}

// TestExpiryNotice is told in every packer, and not when it is not wanted.
func TestExpiryNotice(t *testing.T) {
	for p := range packer.Packer(packer.Packers) {
		r := newGrantRig(t, func(o *Options) { o.Packer = p })
		_, got := r.upgraded(0, "c1", &auth.Grant{UID: "alice", Expires: r.in(20 * time.Second)})
		if len(got) != 2 || simUnpack(t, p, got[1]) != `[[["chskd/expiring",{"ms":20000}]],null]` {
			t.Errorf("%v: %q", p, got)
		}
	}
	r := newGrantRig(t, func(o *Options) { o.ExpiryNoticeMs = 0 })
	s, _ := r.upgraded(0, "c1", &auth.Grant{UID: "alice", Expires: r.in(5 * time.Second)})
	r.pass(5 * time.Second)
	wants(t, s.frames(), []string{"close 4401 identity expired"})
}

// TestExpiryClock: expiries are far, and the clock is set.
func TestExpiryClock(t *testing.T) {
	r := newGrantRig(t, func(o *Options) { o.WSKaliveMs = 1 << 30 })
	far, _ := r.upgraded(0, "c1", &auth.Grant{UID: "alice", Expires: r.in(100 * 365 * 24 * time.Hour)})
	r.upgraded(0, "c2", &auth.Grant{UID: "alice", Expires: 1<<63 - 1})
	weeks, _ := r.upgraded(0, "c3", &auth.Grant{UID: "bob", Expires: r.in(60 * 24 * time.Hour)}) // over 2^32 ms
	r.pass(5 * time.Minute)
	wants(t, far.frames(), []string(nil))
	wants(t, weeks.frames(), []string(nil))
	r.step(60 * 24 * time.Hour)
	r.pass(expiryLookMs * time.Millisecond)
	wants(t, weeks.frames(), []string{"close 4401 identity expired"})
	wants(t, far.frames(), []string(nil))

	back, _ := r.upgraded(0, "c4", &auth.Grant{UID: "bob", Expires: r.in(2 * time.Minute)})
	r.step(-time.Hour)
	r.pass(10 * time.Minute)
	wants(t, back.frames(), []string(nil))
	r.pass(52 * time.Minute)
	if got := back.frames(); len(got) != 2 || got[1] != "close 4401 identity expired" {
		t.Errorf("%q", got)
	}
}

// TestExpiryPoll: a poll that waits ends with its identity; what its client asks then is refused.
func TestExpiryPoll(t *testing.T) {
	r := newGrantRig(t, nil)
	r.sync = &auth.Grant{UID: "alice", Expires: r.in(5 * time.Second)}
	s := r.open(0)
	s.give(pollHandshake)
	s.took()
	s.give("GET /chsk?client-id=c1&udt=2 HTTP/1.1\nHost: x\n\n")
	r.pass(4900 * time.Millisecond)
	if s.took() != "" {
		t.Fatal("answered early")
	}
	r.pass(200 * time.Millisecond)
	wants(t, s.answers(), []string{"200 [:chsk/timeout nil]"})
	s.give("GET /chsk?client-id=c1&udt=3 HTTP/1.1\nHost: x\n\n")
	s.give("POST /chsk?client-id=c1&ppstr=x HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
	wants(t, s.answers(), []string{"401 credentials expired", "401 credentials expired"})
	if n := r.e.loops[0].m.PollsNow.Load(); n != 0 {
		t.Errorf("%d polls wait", n)
	}
}

// TestExpiriesAreBounded: conns that come and go long before they expire leave nothing.
func TestExpiriesAreBounded(t *testing.T) {
	r := newGrantRig(t, nil)
	stay, _ := r.upgraded(0, "c0", &auth.Grant{UID: "alice", Expires: r.in(time.Hour)})
	g := &auth.Grant{UID: "bob", Expires: r.in(24 * time.Hour)}
	for range 5 * minExpiries {
		s, _ := r.upgraded(0, "c1", g)
		s.l.closeConn(s.c.slot)
		r.turns()
	}
	x := &r.e.loops[0].expiries
	if len(x.heap) > minExpiries || cap(x.heap) > 4*minExpiries {
		t.Errorf("%d expiries of one conn, room for %d", len(x.heap), cap(x.heap))
	}
	if !r.e.loops[0].expires(&x.heap[0]) || stay.closed {
		t.Error("the one that stays is forgotten")
	}
}

// TestExpiriesHeap: what comes out is in order, also after a search.
func TestExpiriesHeap(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for range 200 {
		var x expiries
		n := rng.Intn(40)
		for i := range n {
			x.push(expiry{at: int64(rng.Intn(20)), id: uint64(i)})
		}
		if rng.Intn(2) == 0 {
			x.keep(func(e *expiry) bool { return e.id%3 > 0 })
		}
		got, before := fmt.Sprint(x.heap), int64(-1)
		for len(x.heap) > 0 {
			e := x.pop()
			if e.at < before {
				t.Fatalf("%d behind %d: %s", e.at, before, got)
			}
			before = e.at
		}
	}
}
