package engine

import (
	"testing"
	"time"

	"github.com/chskd/chskd/metrics"
)

// TestBehindHoldsWhatIsNew: a loop whose turns take long holds handshakes, over WebSocket
// and Ajax, and serves whom it has; when it has caught up they go on.
func TestBehindHoldsWhatIsNew(t *testing.T) {
	r := newLimitRig(t, func(*Options) {})
	alive := r.old("192.0.2.1")
	r.slow = 300 * time.Millisecond
	alive()
	r.advance(13_000) // a turn of its keep-alive
	if !r.behind || r.m.BehindNow.Load() != 1 {
		t.Fatal("it does not notice")
	}
	upgrade := r.ws("192.0.2.1")
	poll := r.dial("192.0.2.1")
	r.give(poll, r.pollRequest(true))
	again := r.dial("192.0.2.1")
	r.give(again, r.pollRequest(false))
	r.is(upgrade, 0)
	r.is(poll, 0)
	r.counts(metrics.HoldBehind, 2, 0)
	alive()
	r.advance(3000)
	r.is(upgrade, 0)
	r.slow = 50 * time.Millisecond
	r.advance(200)
	r.is(upgrade, 101)
	r.is(poll, 200)
	if r.behind || r.m.BehindNow.Load() != 0 {
		t.Error("it does not notice that it has caught up")
	}
	r.counts(metrics.HoldBehind, 2, 0)
	alive()
}

// TestBehindForLong: after 8 s who waits is refused, not before, and who is old is not.
func TestBehindForLong(t *testing.T) {
	r := newLimitRig(t, func(*Options) {})
	alive := r.old("192.0.2.1")
	r.slow = time.Second
	r.advance(13_000)
	s := r.ws("192.0.2.1")
	r.advance(7900)
	r.is(s, 0)
	r.advance(200)
	r.is(s, 503)
	r.counts(metrics.HoldBehind, 1, 1)
	alive()
}

func TestBehindByWhat(t *testing.T) {
	for _, c := range []struct {
		name   string
		took   time.Duration
		late   uint32
		left   int
		before bool
		want   bool
	}{
		{"idle", 0, 0, 0, false, false},
		{"a long turn", 250 * time.Millisecond, 0, 0, false, true},
		{"nearly a long turn", 249 * time.Millisecond, 0, 0, false, false},
		{"a late turn", 0, 250, 0, false, true},
		{"more messages than a turn may take", 0, 0, messagesPerTurn + 1, false, true},
		{"a turn's messages", 0, 0, messagesPerTurn, false, false},
		{"half caught up", 150 * time.Millisecond, 0, 0, true, true},
		{"caught up", 100 * time.Millisecond, 100, 0, true, false},
		{"messages left", 0, 0, 1, true, true},
		{"a clock that went back", -time.Hour, 0, 0, true, false},
		{"asleep for a day", 24 * time.Hour, 1 << 30, 0, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newLimitRig(t, func(*Options) {})
			r.behind, r.late = c.before, c.late
			r.judge(c.took, c.left)
			if r.behind != c.want {
				t.Errorf("behind %v", r.behind)
			}
		})
	}
}

// TestLateAlarm: a turn that comes long after it was asked for.
func TestLateAlarm(t *testing.T) {
	r := newLimitRig(t, func(*Options) {})
	alive := r.old("192.0.2.1")
	r.tick += 14_000 // its keep-alive was due at 12,500
	r.eng.clock.Ring(r.tick)
	r.turns()
	if !r.behind {
		t.Error("it does not notice")
	}
	alive()
	r.advance(20_000)
	if r.behind {
		t.Error("it stays behind")
	}
}

// TestBacklog: a mailbox with more than turns can take holds what is new until it is empty.
func TestBacklog(t *testing.T) {
	r := newLimitRig(t, func(*Options) {})
	alive := r.old("192.0.2.1")
	for range 3 * messagesPerTurn {
		r.eng.queues[0].Post(msg{kind: mDrained}) // of a session that is not there
	}
	r.wanted = false
	r.turn()
	s := r.dial("192.0.2.1")
	s.in = []byte(r.wsRequest())
	r.onTraffic(s.c.slot)
	r.is(s, 0)
	r.turns()
	r.advance(100)
	r.is(s, 101)
	alive()
}
