package bench

import (
	"fmt"
	"time"
)

// job is what a loop can be asked. All methods run on the loop.
type job interface {
	begin(l *loop)
	step(l *loop, now int64) (done bool) // after each turn, and every jobTick at least
	report(l *loop) *reply
}

// failuresMax stops a step of connecting: what refuses this many will refuse the rest.
const failuresMax = 100

// connectJob opens more connections, at most window at a time.
type connectJob struct {
	count, window int
	limit         time.Duration

	until    int   // slots to be started in all
	deadline int64 // ns
	failed   int   // failures before this job
}

func (j *connectJob) begin(l *loop) {
	j.until = min(l.started+j.count, len(l.conns))
	j.deadline = l.clock.now() + int64(j.limit)
	j.failed = l.closed
}

func (j *connectJob) step(l *loop, now int64) bool {
	stop := l.closed-j.failed >= failuresMax
	for !stop && l.started < j.until && l.pending < j.window {
		l.started++
		l.dial(int32(l.started - 1))
		stop = l.closed-j.failed >= failuresMax
	}
	if now >= j.deadline {
		j.expire(l)
		return true
	}
	return l.pending == 0 && (stop || l.started == j.until)
}

// expire fails what did not get its handshake in time, by the state that it is stuck in.
func (j *connectJob) expire(l *loop) {
	for i := range l.conns[:l.started] {
		var stuck string
		switch l.conns[i].state {
		case connConnecting:
			stuck = "the TCP connection was not accepted"
		case connUpgrading:
			stuck = "no answer to the upgrade"
		case connHandshaking:
			stuck = "no :chsk/handshake after the upgrade"
		default:
			continue
		}
		l.fail(int32(i), fmt.Errorf("%s within %v", stuck, j.limit))
	}
}

func (j *connectJob) report(l *loop) *reply {
	r := l.snapshot()
	r.Handshakes = l.handshakes.pairs()
	l.handshakes = newLatency()
	return r
}

// pingJob keeps a number of connections waiting for a pong, or for the echo of an event, for a time
// or up to a count. Each answer lets the connection that has rested longest ask next, so that all
// take part.
type pingJob struct {
	parallel int
	total    int64 // 0 = no limit
	duration time.Duration
	limit    time.Duration // for the last answers
	echo     int           // letters of the events to be echoed; 0 = pings

	outstanding int
	sent, got   int64
	resting     []int32 // ring of slots
	head, count int
	stopAt      int64
	begun, last int64 // ns: first question, last answer
	latency     *latency
}

func (j *pingJob) begin(l *loop) {
	j.latency = newLatency()
	j.resting = make([]int32, len(l.conns))
	for i := range l.conns {
		if l.conns[i].state == connOpen {
			j.resting[j.count] = int32(i)
			j.count++
		}
	}
	j.begun = l.clock.now()
	j.last = j.begun
	j.stopAt = j.begun + int64(j.duration)
	l.pings = j
	for j.outstanding < j.parallel && j.next(l, j.begun) {
	}
}

// next asks once, from the connection that has rested longest; false if nothing is to be sent.
func (j *pingJob) next(l *loop, now int64) bool {
	for j.count > 0 && now < j.stopAt && (j.total == 0 || j.sent < j.total) {
		slot := j.resting[j.head]
		j.head = (j.head + 1) % len(j.resting)
		j.count--
		c := &l.conns[slot]
		if c.state != connOpen {
			continue
		}
		j.sent++
		c.cb = uint32(j.sent)&0x7fffff | 0x800000 // six letters, never 0
		c.at = now
		l.text = j.appendQuestion(l.text[:0], l, slot, c.cb)
		l.out = appendFrame(l.out[:0], opText, l.nextKey(), l.text)
		j.outstanding++
		l.send(slot, c, l.out) // a failure takes it out of outstanding again
		if c.state == connOpen {
			return true
		}
	}
	return false
}

func (j *pingJob) appendQuestion(dst []byte, l *loop, slot int32, cb uint32) []byte {
	if j.echo == 0 {
		return l.packer.appendPing(dst, cb)
	}
	return l.packer.appendEcho(dst, l.target.Run, l.target.First+int(slot), cb, j.echo)
}

// ponged takes the pong for the connection in slot.
func (l *loop) ponged(slot int32, c *conn, cb []byte) error {
	if !c.waitsFor(cb) || l.pings.echo != 0 {
		return fmt.Errorf("pong for %q, which nobody waits for", clip(cb))
	}
	l.pings.answered(l, slot, c)
	return nil
}

// replied takes the reply for the connection in slot, which must be what it sent.
func (l *loop) replied(slot int32, c *conn, cb []byte) error {
	if !c.waitsFor(cb) || l.pings.echo == 0 {
		return fmt.Errorf("reply for %q, which nobody waits for", clip(cb))
	}
	got := l.scan.value
	l.text = append(l.text[:0], '"')
	l.text = appendEchoText(l.text, l.target.Run, l.target.First+int(slot), c.cb, l.pings.echo)
	if string(got) != string(append(l.text, '"')) {
		return fmt.Errorf("the reply is not what was sent: %q", clip(got))
	}
	l.pings.answered(l, slot, c)
	return nil
}

// waitsFor says whether c has asked something with this callback.
func (c *conn) waitsFor(cb []byte) bool {
	var want [callback]byte
	return c.cb != 0 && string(appendCallback(want[:0], c.cb)) == string(cb)
}

// answered counts an answer, and lets the next connection ask.
func (j *pingJob) answered(l *loop, slot int32, c *conn) {
	c.cb = 0
	now := l.clock.now()
	j.latency.record(now - c.at)
	j.got++
	j.outstanding--
	j.last = now
	j.resting[(j.head+j.count)%len(j.resting)] = slot
	j.count++
	j.next(l, now)
}

func (j *pingJob) step(l *loop, now int64) bool {
	for j.outstanding < j.parallel && j.next(l, now) { // for those that failed
	}
	if j.outstanding > 0 && now >= j.stopAt+int64(j.limit) {
		j.expire(l)
	}
	return j.outstanding == 0
}

// expire fails the connections whose answer did not come.
func (j *pingJob) expire(l *loop) {
	for i := range l.conns[:l.started] {
		if l.conns[i].cb != 0 {
			what := "pong"
			if j.echo > 0 {
				what = "reply"
			}
			l.fail(int32(i), fmt.Errorf("no %s within %v", what, j.limit))
		}
	}
}

func (j *pingJob) report(l *loop) *reply {
	l.pings = nil
	r := l.snapshot()
	r.Sent, r.Got, r.TookNs = j.sent, j.got, j.last-j.begun
	r.Latency = j.latency.pairs()
	return r
}

// watchJob begins to look for the numbered events of a run.
type watchJob struct{ run uint32 }

func (j *watchJob) begin(l *loop)          { l.watch = newWatch(j.run) }
func (j *watchJob) step(*loop, int64) bool { return true }
func (j *watchJob) report(l *loop) *reply  { return l.snapshot() }

// awaitJob waits until every open connection has all events up to its last, or the limit is over.
type awaitJob struct {
	last     uint32   // of every connection,
	lasts    []uint32 // or by slot
	limit    time.Duration
	deadline int64
	lookAt   int64 // connections are looked through once a tick, not each turn
}

func (j *awaitJob) begin(l *loop) { j.deadline = l.clock.now() + int64(j.limit) }

func (j *awaitJob) step(l *loop, now int64) bool {
	if now >= j.deadline {
		return true
	}
	if now < j.lookAt {
		return false
	}
	j.lookAt = now + int64(jobTick)
	for i := range l.conns {
		c := &l.conns[i]
		if c.state == connOpen && !l.watch.complete(int32(i), c, j.lastOf(i)) {
			return false
		}
	}
	return true
}

func (j *awaitJob) lastOf(slot int) uint32 {
	if j.lasts == nil {
		return j.last
	}
	return j.lasts[slot]
}

func (j *awaitJob) report(l *loop) *reply {
	r := l.snapshot()
	tally := l.watch.tally
	tally.Lost += tally.Unchecked
	for i := range l.conns {
		if c := &l.conns[i]; c.state == connOpen {
			tally.Lost += l.watch.lost(int32(i), c, j.lastOf(i))
		}
	}
	r.Tally = &tally
	r.Latency = l.watch.latency.pairs()
	r.LastAt = l.watch.lastAt
	l.watch = nil
	return r
}

// idleJob only tells how things stand.
type idleJob struct{}

func (idleJob) begin(*loop)            {}
func (idleJob) step(*loop, int64) bool { return true }
func (idleJob) report(l *loop) *reply  { return l.snapshot() }

// snapshot is the part of a reply that every job gives.
func (l *loop) snapshot() *reply {
	failures := make(map[string]int, len(l.failures))
	for reason, n := range l.failures {
		failures[reason] = n
	}
	return &reply{
		Open: l.open, Failures: failures,
		ReceivedBytes: l.received, ServerPings: l.pinged,
	}
}
