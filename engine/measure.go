package engine

import (
	"encoding/binary"

	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// What is counted beside what is done. A count is a store that readers may see, so what
// happens for every delivery of a turn is tallied first and stored at its end.

// The packers that are counted apart are all that there are.
const _ = uint(metrics.Packers-packer.Packers) + uint(packer.Packers-metrics.Packers)

// measure ends a turn: the second and last look at the clock, and what was tallied.
func (l *loop) measure() {
	_, ended := l.time()
	took, left := ended.Sub(l.wall), len(l.in)-l.inAt
	l.m.TurnTimes.Observe(uint64(max(took, 0) / metrics.TurnUnit))
	l.m.BacklogNow.Set(uint64(left))
	l.judge(took, left)
	l.tallied()
	l.batches.AddTo(&l.m.BatchEvents)
	l.delays.AddTo(&l.m.Delays)
}

// alike are n deliveries of one run, one after the other: nearly all of a broadcast are.
type alike struct {
	run    *shard.Run
	to     uint64
	events int
	delay  uint64 // ms
	n      uint32
}

// tally counts the events of a delivery, and how long the oldest of them has waited. The
// notice of a gap is none.
func (l *loop) tally(d *shard.Delivery) {
	a := &l.alike
	if d.Run == nil {
		return
	}
	if d.Run == a.run && d.To == a.to && len(d.Run.Entries) == a.events {
		a.n++
		return
	}
	l.tallyNext(d)
}

// tallyNext begins with deliveries of another run. What they are is noted now, for the run
// is valid no longer than its last one.
func (l *loop) tallyNext(d *shard.Delivery) {
	l.tallied()
	l.alike = alike{run: d.Run, to: d.To, events: len(d.Run.Entries), n: 1,
		delay: uint64(l.passed(d.Run.Entries[0].PushedAt()))}
}

// tallied ends the deliveries of one run.
func (l *loop) tallied() {
	a := &l.alike
	if a.n == 0 {
		return
	}
	l.batches.Observe(uint64(a.events), a.n)
	l.delays.Observe(a.delay, a.n)
	*a = alike{}
}

// pollOver counts a request that waits no longer, if it is a poll.
func (l *loop) pollOver(c *conn, p *parked) {
	if p.wait == waitPoll {
		l.m.PollsOf[c.packer].Sub(1)
	}
}

// wsOver counts the end of a WebSocket. Who closed it first was counted with the frame.
func (l *loop) wsOver(c *conn) {
	l.m.WSNow.Sub(1)
	l.m.WSOf[c.packer].Sub(1)
	if c.flags&fCloseSent == 0 {
		l.m.ClosesAbnormal.Add(1)
	}
}

// countClose counts the close frame of a client that closes first.
func (l *loop) countClose(c *conn, payload []byte) {
	if c.flags&fEcho != 0 {
		return // its conns are no clients
	}
	code := uint16(1005) // no code (RFC 6455 §7.1.5)
	if len(payload) >= 2 {
		code = binary.BigEndian.Uint16(payload)
	}
	l.m.ClosesClient[metrics.CloseOf(code)].Add(1)
}

// lagSamples is how many sessions of each loop Lags looks at.
const lagSamples = 256

// Lags tells, for a sample of the sessions that have a conn or a poll that waits, how many
// entries each has not been sent. Every call looks at others, so that all have their turn.
// done is called on a loop and must not block. Any goroutine.
func (e *Engine) Lags(done func(entries []uint64)) {
	q := &query{onLags: done}
	e.queues[0].Post(msg{kind: mQuery, cmd: &command{query: q}})
}

func (l *loop) addLags(m *msg, q *query) {
	l.lagAt = l.sh.SampleLag(l.lagAt, lagSamples, func(n uint64) { q.lags = append(q.lags, n) })
	if l.id+1 < len(l.eng.loops) {
		l.post(l.id+1, *m)
		return
	}
	q.onLags(q.lags)
}

// Waiting is how many messages wait in the mailboxes of all loops, and in the fullest. Any
// goroutine.
func (e *Engine) Waiting() (sum, most int) {
	for i, q := range e.queues {
		n := q.Len() + int(e.loops[i].m.BacklogNow.Load())
		sum += n
		most = max(most, n)
	}
	return sum, most
}
