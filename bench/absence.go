package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// churnPlan is WebSocket clients that leave at a rate and come back under the same client-id.
type churnPlan struct {
	Rate   float64       `json:"rate"`             // a second
	Away   time.Duration `json:"away"`             // how long most stay away
	Keep   time.Duration `json:"keep"`             // the server keeps what they miss for so long
	Beyond float64       `json:"beyond,omitempty"` // share (0 to 1) that stays away for
	Long   time.Duration `json:"long,omitempty"`   // so long
	How    []leaving     `json:"how"`              // in turn
}

// leaving is a way to end a connection. After close and fin what is under way is still read, so
// that nothing may be lost; a reset throws it away.
type leaving string

const (
	leaveClose leaving = "close" // a close frame, code 1000
	leaveFin   leaving = "fin"   // TCP ends without one, as when a program ends
	leaveReset leaving = "reset"
)

// farewell is how long the server may take to end a connection that the client leaves.
const farewell = 10 * time.Second

// churnTally is who left and came back.
type churnTally struct {
	Left    int64 `json:"left"`
	Back    int64 `json:"back"`
	Inside  int64 `json:"inside"`  // of those: while the server keeps what they miss
	Outside int64 `json:"outside"` // later, or so near to it that either may be
	LateNs  int64 `json:"late_ns"` // the longest that one left after its time
}

func (t *churnTally) add(o *churnTally) {
	t.Left += o.Left
	t.Back += o.Back
	t.Inside += o.Inside
	t.Outside += o.Outside
	t.LateNs = max(t.LateNs, o.LateNs)
}

// churn does a plan. Owner: loop.
type churn struct {
	plan   *churnPlan
	rng    *rand.Rand
	begun  int64
	stopAt int64 // nobody leaves after it
	absent map[int32]*absence
	queues [2][]int32 // who comes back next: those away for Away, and for beyond
	cursor int32      // who leaves next
	lookAt int64      // those whom the server keeps waiting are looked for once a tick
	tally  churnTally

	latency *latency // from when a client should have come back to its handshake
}

// absence is one client between leaving and its next handshake.
type absence struct {
	leftAt int64
	goneAt int64 // the TCP connection has ended; 0 = not yet
	backAt int64
	beyond bool
	why    cause // of what may be missing when it is back
}

func newChurn(p *runPlan, now int64, seed uint32) *churn {
	return &churn{
		plan: p.Churn, rng: rand.New(rand.NewPCG(uint64(seed), 1)), begun: now,
		stopAt: now + int64(p.Duration), absent: make(map[int32]*absence), latency: newLatency(),
	}
}

func (ch *churn) step(l *loop, now int64) bool {
	ch.bringBack(l, now)
	for {
		due := ch.begun + int64(float64(ch.tally.Left)/ch.plan.Rate*1e9)
		if due >= ch.stopAt || now >= ch.stopAt {
			return len(ch.absent) == 0
		}
		if due > now {
			l.wakeBy(due)
			return false
		}
		if !ch.leave(l, now) {
			return false
		}
		ch.tally.LateNs = max(ch.tally.LateNs, now-due)
	}
}

// leave lets the next client go that has no question under way; false = there is none.
func (ch *churn) leave(l *loop, now int64) bool {
	for range l.clients {
		ch.cursor = (ch.cursor + 1) % int32(l.clients)
		c := &l.conns[ch.cursor]
		if c.state != connOpen || c.kind != kindWS || c.cb != 0 {
			continue
		}
		a := &absence{leftAt: now, beyond: ch.rng.Float64() < ch.plan.Beyond}
		how := ch.plan.How[ch.tally.Left%int64(len(ch.plan.How))]
		ch.absent[ch.cursor] = a
		ch.tally.Left++
		l.open--
		ch.end(l, ch.cursor, c, a, how)
		return true
	}
	return false
}

// end ends a connection in one of the ways.
func (ch *churn) end(l *loop, slot int32, c *conn, a *absence, how leaving) {
	var err error
	switch how {
	case leaveClose:
		l.out = appendFrame(l.out[:0], opClose, l.nextKey(), binary.BigEndian.AppendUint16(nil, 1000))
		if l.send(slot, c, l.out); c.state == connOpen {
			c.state = connLeaving
		}
	case leaveFin:
		c.state = connLeaving
		err = unix.Shutdown(int(c.fd), unix.SHUT_WR)
	case leaveReset:
		a.why |= causeReset
		c.state = connLeaving
		ch.gone(l, slot, c)
	}
	if err != nil {
		l.fail(slot, fmt.Errorf("shutdown: %w", err))
	}
}

// gone takes a leaving client whose TCP connection is over.
func (ch *churn) gone(l *loop, slot int32, c *conn) {
	a := ch.absent[slot]
	l.shut(c)
	l.forget(slot, c)
	c.state = connAway
	a.goneAt = l.clock.now()
	queue, away := 0, ch.plan.Away
	if a.beyond {
		queue, away = 1, ch.plan.Long
	}
	a.backAt = a.goneAt + int64(away)
	ch.queues[queue] = append(ch.queues[queue], slot)
	l.wakeBy(a.backAt)
}

// bringBack connects those again whose time has come.
func (ch *churn) bringBack(l *loop, now int64) {
	for i := range ch.queues {
		q := ch.queues[i]
		for len(q) > 0 {
			a := ch.absent[q[0]]
			if a != nil && a.backAt > now {
				l.wakeBy(a.backAt)
				break
			}
			if a != nil {
				l.dialAt(q[0], a.backAt)
			}
			q = q[1:]
		}
		ch.queues[i] = q
	}
	if now < ch.lookAt {
		return
	}
	ch.lookAt = now + int64(jobTick)
	for slot, a := range ch.absent {
		if a.goneAt == 0 && now-a.leftAt > int64(farewell) {
			l.fail(slot, errors.New("the server does not end the TCP connection of a client that left"))
		} else if a.backAt != 0 && now-a.backAt > int64(farewell) {
			l.fail(slot, fmt.Errorf("a client that came back has no handshake within %v", farewell))
		}
	}
}

// returned takes a client's next handshake: from now on it is known whether it must have all that
// was pushed meanwhile. An absence close to the limit may go either way.
func (ch *churn) returned(l *loop, slot int32, now int64) {
	a := ch.absent[slot]
	if a == nil {
		return
	}
	delete(ch.absent, slot)
	ch.tally.Back++
	ch.latency.record(now - a.backAt)
	if time.Duration(now-a.leftAt) > ch.plan.Keep*4/5 {
		a.why |= causeOutside
		ch.tally.Outside++
	} else {
		ch.tally.Inside++
	}
	if l.watch != nil && l.watch.why != nil {
		l.watch.why[slot] |= a.why
	}
}
