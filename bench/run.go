package bench

import (
	"fmt"
	"time"
)

// runPlan is what a worker's connections do for a while: ask, leave and come back. Events may be
// pushed to them meanwhile, which a watch looks at.
type runPlan struct {
	Asks     []askPlan     `json:"asks,omitempty"`
	Churn    *churnPlan    `json:"churn,omitempty"`
	Duration time.Duration `json:"duration"`
	Limit    time.Duration `json:"limit"`            // for what is under way at the end
	Pushes   bool          `json:"pushes,omitempty"` // it goes on until the driver says "end"
}

// askPlan is questions of one kind.
type askPlan struct {
	Kind     askKind `json:"kind"`
	Parallel int     `json:"parallel,omitempty"` // a closed loop: so many wait at any time
	Rate     float64 `json:"rate,omitempty"`     // an open loop: so many a second
	Count    int64   `json:"count,omitempty"`    // at most; 0 = no limit
	Size     int     `json:"size,omitempty"`     // letters of what is to be echoed
}

// askKind is what a client may ask.
type askKind string

const (
	askPing askKind = "ping" // over WebSocket; the server answers
	askEcho askKind = "echo" // over WebSocket; a backend answers
	askPost askKind = "post" // by POST; a backend answers
)

// runJob does a plan. What connections wait to be asked is shared by all askers.
type runJob struct {
	plan    *runPlan
	asks    []*asker
	churn   *churn
	clients pool // open WebSockets without a question
	posters pool
	turn    int32 // slot of the client that posted last
}

func (j *runJob) begin(l *loop) {
	l.run = j
	now := l.clock.now()
	j.clients, j.posters = newPool(l.clients), newPool(len(l.conns)-l.clients)
	for i := range l.conns[:l.clients] {
		if c := &l.conns[i]; c.state == connOpen && c.kind == kindWS {
			j.clients.put(l, int32(i))
		}
	}
	for slot := l.clients; slot < len(l.conns); slot++ {
		l.dial(int32(slot))
	}
	for i := range j.plan.Asks {
		a := &asker{plan: j.plan.Asks[i], place: uint8(i), latency: newLatency()}
		a.begun, a.last = now, now
		a.stopAt = now + int64(j.plan.Duration)
		a.giveUpAt = a.stopAt + int64(j.plan.Limit)
		j.asks = append(j.asks, a)
	}
	if j.plan.Churn != nil {
		j.churn = newChurn(j.plan, now, l.target.Run)
	}
}

func (j *runJob) step(l *loop, now int64) bool {
	done := !j.plan.Pushes || l.told.Load()
	for _, a := range j.asks {
		done = a.step(l, now) && done
	}
	if j.churn != nil {
		done = j.churn.step(l, now) && done
	}
	return done
}

// returned takes a connection that is open again.
func (j *runJob) returned(l *loop, slot int32, c *conn, now int64) {
	if c.kind == kindWS {
		j.clients.put(l, slot)
	}
	if j.churn != nil {
		j.churn.returned(l, slot, now)
	}
}

// failed takes a connection that has none any more.
func (j *runJob) failed(slot int32, c *conn) {
	if c.cb != 0 {
		j.asks[c.ask].outstanding--
	}
	if j.churn != nil {
		delete(j.churn.absent, slot)
	}
}

func (j *runJob) report(l *loop) *reply {
	l.run = nil
	for i := range l.conns {
		c := &l.conns[i]
		c.queued = false
		if c.kind == kindPost && c.state != connClosed {
			l.shut(c)
			l.forget(int32(i), c)
		}
	}
	r := l.snapshot()
	for _, a := range j.asks {
		r.Asks = append(r.Asks, askReply{
			Sent: a.sent, Got: a.got, Unsent: a.unsent, TookNs: a.last - a.begun, LateNs: a.late,
			Latency: a.latency.pairs(),
		})
	}
	if j.churn != nil {
		r.Churn = &j.churn.tally
		r.Returns = j.churn.latency.pairs()
	}
	return r
}

// asker asks questions of one kind, for a time or up to a count. In a closed loop a number of them
// waits for answers at any time; in an open one each is asked at its time, and one for which no
// connection is free goes later, but counts from that time. Owner: loop.
type asker struct {
	plan  askPlan
	place uint8 // among the run's askers

	outstanding int
	sent, got   int64
	unsent      int64 // of an open loop: those for which no connection became free in time
	late        int64 // ns: the longest that one was asked after its time
	begun, last int64 // ns: first question, last answer
	stopAt      int64
	giveUpAt    int64
	latency     *latency
}

func (a *asker) step(l *loop, now int64) bool {
	for a.next(l, now) {
	}
	if now >= a.giveUpAt {
		a.expire(l)
		a.unsent = a.wanted() - a.sent
		return true
	}
	if a.outstanding == 0 && a.ended(now) {
		return true
	}
	if due := a.due(); due > now {
		l.wakeBy(due)
	}
	return false
}

// wanted is how many questions an open loop has in all; a closed one has none that it must ask.
func (a *asker) wanted() int64 {
	if a.plan.Rate == 0 {
		return a.sent
	}
	n := int64(a.plan.Rate * float64(a.stopAt-a.begun) / 1e9)
	if a.plan.Count > 0 {
		n = min(n, a.plan.Count)
	}
	return n
}

func (a *asker) ended(now int64) bool {
	if a.plan.Rate > 0 {
		return a.sent >= a.wanted()
	}
	return now >= a.stopAt || a.plan.Count > 0 && a.sent >= a.plan.Count
}

// due is when the next question is to be asked; 0 = not before an answer.
func (a *asker) due() int64 {
	if a.plan.Rate == 0 || a.sent >= a.wanted() {
		return 0
	}
	return a.begun + int64(float64(a.sent)/a.plan.Rate*1e9)
}

// next asks once, if it is time; false if it is not, or nobody can.
func (a *asker) next(l *loop, now int64) bool {
	if a.ended(now) || a.plan.Rate == 0 && a.outstanding >= a.plan.Parallel {
		return false
	}
	at := now
	if a.plan.Rate > 0 {
		if at = a.due(); at > now {
			return false
		}
	}
	from := &l.run.clients
	if a.plan.Kind == askPost {
		from = &l.run.posters
	}
	slot, ok := from.take(l)
	if !ok {
		return false
	}
	a.late = max(a.late, now-at)
	a.sent++
	c := &l.conns[slot]
	c.at, c.ask = at, a.place
	c.cb = uint32(a.sent)&0x7fffff | 0x800000 // six letters, never 0
	a.outstanding++
	a.question(l, slot, c) // a failure takes it out of outstanding again
	return true
}

func (a *asker) question(l *loop, slot int32, c *conn) {
	text := l.text[:0]
	switch a.plan.Kind {
	case askPing:
		l.text = l.codec.write.appendPing(text, c.cb)
	case askEcho:
		l.text = l.appendEcho(text, slot, c, false)
	case askPost:
		c.client = l.run.nextPoller(l)
		l.text = l.appendEcho(text, slot, c, true)
		l.post(slot, c, l.text)
		return
	}
	l.out = l.appendMessage(l.out[:0], l.text)
	l.send(slot, c, l.out)
}

// nextPoller is the client that posts next: those that poll take turns.
func (j *runJob) nextPoller(l *loop) int32 {
	for {
		j.turn = (j.turn + 1) % int32(l.clients)
		if l.conns[j.turn].kind == kindPoll { // there is one: else there are no posters
			return j.turn
		}
	}
}

func (l *loop) appendEcho(dst []byte, slot int32, c *conn, ajax bool) []byte {
	a := l.run.asks[c.ask]
	number := l.target.First + int(slot)
	return l.codec.write.appendEcho(dst, l.target.Run, number, c.cb, a.plan.Size, ajax)
}

// ponged takes the pong for the connection in slot.
func (l *loop) ponged(slot int32, c *conn, cb []byte) error {
	if !l.waitsFor(c, cb, askPing) {
		return fmt.Errorf("pong for %q, which nobody waits for", clip(cb))
	}
	l.run.asks[c.ask].answered(l, slot, c)
	return nil
}

// echoed takes the reply for the connection in slot.
func (l *loop) echoed(slot int32, c *conn, cb []byte) error {
	if !l.waitsFor(c, cb, askEcho) {
		return fmt.Errorf("reply for %q, which nobody waits for", clip(cb))
	}
	return l.replied(slot, c)
}

// replied compares the reply in the scanner with what the connection in slot asked.
func (l *loop) replied(slot int32, c *conn) error {
	if c.cb == 0 {
		return fmt.Errorf("an answer, but nothing was asked: %q", clip(l.scan.value))
	}
	a := l.run.asks[c.ask]
	l.text = append(l.text[:0], '"')
	l.text = appendEchoText(l.text, l.target.Run, l.target.First+int(slot), c.cb, a.plan.Size)
	if string(l.scan.value) != string(append(l.text, '"')) {
		return fmt.Errorf("the reply is not what was sent: %q", clip(l.scan.value))
	}
	a.answered(l, slot, c)
	return nil
}

// waitsFor says whether c has asked something of a kind with this callback.
func (l *loop) waitsFor(c *conn, cb []byte, kind askKind) bool {
	var want [callback]byte
	return c.cb != 0 && l.run.asks[c.ask].plan.Kind == kind &&
		string(appendCallback(want[:0], c.cb)) == string(cb)
}

// answered counts an answer, and lets the next connection ask.
func (a *asker) answered(l *loop, slot int32, c *conn) {
	c.cb = 0
	now := l.clock.now()
	a.latency.record(now - c.at)
	l.recent.record(now - c.at)
	l.answered++
	a.got++
	a.outstanding--
	a.last = now
	if c.kind == kindPost {
		l.run.posters.put(l, slot)
	} else if c.state == connOpen {
		l.run.clients.put(l, slot)
	}
	a.next(l, now)
}

// expire fails the connections whose answer did not come.
func (a *asker) expire(l *loop) {
	what := "reply"
	if a.plan.Kind == askPing {
		what = "pong"
	}
	for i := range l.conns {
		if c := &l.conns[i]; c.cb != 0 && c.ask == a.place {
			l.fail(int32(i), fmt.Errorf("no %s within %v", what,
				time.Duration(a.giveUpAt-a.stopAt)))
		}
	}
}
