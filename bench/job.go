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
	j.until = min(l.started+j.count, l.clients)
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

// watchJob begins to look for the numbered events of a run.
type watchJob struct{ plan *watchPlan }

func (j *watchJob) begin(l *loop)          { l.watch = newWatch(j.plan, l.target.First, l.clients) }
func (j *watchJob) step(*loop, int64) bool { return true }
func (j *watchJob) report(l *loop) *reply  { return l.snapshot() }

// awaitJob waits until every open connection has all events up to the last ones, or the limit is
// over.
type awaitJob struct {
	last     *lasts
	limit    time.Duration
	deadline int64
	lookAt   int64 // connections are looked through once a tick, not each turn
	from     int   // those before it are complete, and stay so
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
	for ; j.from < l.clients; j.from++ {
		if l.conns[j.from].state == connOpen && !l.watch.complete(int32(j.from), j.last) {
			return false
		}
	}
	return true
}

func (j *awaitJob) report(l *loop) *reply {
	r := l.snapshot()
	tally := l.watch.tally
	tally.Lost += tally.Unchecked
	for i := range l.conns[:l.clients] {
		if l.conns[i].state == connOpen {
			l.watch.addLost(int32(i), j.last, &tally)
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
		ReceivedBytes: l.received, ServerPings: l.pinged, Polls: l.polled, Forgotten: l.forgotten,
	}
}

// sampleEvery is how often a loop tells how a job goes on.
const sampleEvery = 250 * time.Millisecond

// sample is how a loop's job goes on: counts since the loop's start, and the latencies since the
// last sample.
type sample struct {
	Open    int     `json:"open"`
	Done    int64   `json:"done"` // answers, and events of the run
	Failed  int     `json:"failed"`
	Latency []int64 `json:"latency,omitempty"`
}

// sample gives one to whoever takes it, when it is time. Nobody may; then the next one has more.
func (l *loop) sample(now int64) {
	if now < l.sampleAt || len(l.samples) == cap(l.samples) {
		return
	}
	l.sampleAt = now + int64(sampleEvery)
	l.samples <- sample{
		Open: l.open, Done: l.seen + l.answered, Failed: l.closed, Latency: l.recent.pairs(),
	}
	l.recent.h.Reset()
}
