package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// request is one line from the driver to a worker.
type request struct {
	Op       string        `json:"op"` // open connect idle run end watch await
	Target   *target       `json:"target,omitempty"`
	Count    int           `json:"count,omitempty"`    // connect: how many more
	Parallel int           `json:"parallel,omitempty"` // connect: at a time
	Limit    time.Duration `json:"limit,omitempty"`    // connect, await: how long it may take
	Run      *runPlan      `json:"run,omitempty"`
	Watch    *watchPlan    `json:"watch,omitempty"`
	Lasts    *lasts        `json:"lasts,omitempty"` // await

	written func() // the driver's: called when the line is written, or cannot be; nil = nothing
}

// reply is a worker's one line for each request. Before it there may be lines with a sample only.
type reply struct {
	Sample *sample `json:"sample,omitempty"`

	Err           string         `json:"err,omitempty"` // the worker itself is at fault
	Open          int            `json:"open"`
	Failures      map[string]int `json:"failures,omitempty"` // since the start, by reason
	ReceivedBytes int64          `json:"received_bytes"`     // since the start
	ServerPings   int64          `json:"server_pings"`       // since the start, all answered
	Polls         int64          `json:"polls,omitempty"`    // since the start: answers
	Forgotten     int64          `json:"forgotten,omitempty"`
	Handshakes    []int64        `json:"handshakes,omitempty"`
	Asks          []askReply     `json:"asks,omitempty"` // as the plan has them
	Churn         *churnTally    `json:"churn,omitempty"`
	Returns       []int64        `json:"returns,omitempty"` // latencies
	Tally         *watchTally    `json:"tally,omitempty"`
	Latency       []int64        `json:"latency,omitempty"` // of the events in Tally
	LastAt        int64          `json:"last_at,omitempty"` // ns, CLOCK_MONOTONIC: the last event
}

// askReply is what became of the questions of one kind.
type askReply struct {
	Sent    int64   `json:"sent"`
	Got     int64   `json:"got"`
	Unsent  int64   `json:"unsent"`
	TookNs  int64   `json:"took_ns"`
	LateNs  int64   `json:"late_ns"`
	Latency []int64 `json:"latency"`
}

// serveWorker does what the lines of in ask, one answer each to out, until in ends; the end of in
// also breaks off a job that is under way, so that no worker outlives its driver.
func serveWorker(in io.Reader, out io.Writer) error {
	requests, ended := make(chan request), make(chan struct{})
	leaving := make(chan struct{})
	defer close(leaving)
	go func() {
		defer close(ended)
		lines := json.NewDecoder(in)
		for {
			var q request
			if lines.Decode(&q) != nil { // the end, or a driver that is no longer sane
				return
			}
			select {
			case requests <- q:
			case <-leaving:
				return
			}
		}
	}()
	answers := json.NewEncoder(out)
	tell := func(s sample) error { return answers.Encode(reply{Sample: &s}) }
	w := worker{requests: requests, ended: ended, tell: tell}
	defer w.close()
	for {
		select {
		case <-ended:
			return nil
		case q := <-requests:
			if q.Op == "end" { // its job has ended by itself
				continue
			}
			if err := answers.Encode(w.answer(&q)); err != nil {
				return fmt.Errorf("bench: worker: %w", err)
			}
		}
	}
}

// worker is the state between requests.
type worker struct {
	loop     *loop
	requests <-chan request
	ended    <-chan struct{}
	tell     func(sample) error
}

func (w *worker) close() {
	if w.loop != nil {
		w.loop.stop()
	}
}

func (w *worker) answer(q *request) *reply {
	r, err := w.do(q)
	if err != nil {
		return &reply{Err: err.Error()}
	}
	return r
}

func (w *worker) do(q *request) (*reply, error) {
	if (q.Op == "open") != (w.loop == nil) {
		return nil, errors.New("bench: worker: open comes first, once")
	}
	var j job
	switch q.Op {
	case "open":
		return &reply{}, w.open(q.Target)
	case "connect":
		j = &connectJob{count: q.Count, window: q.Parallel, limit: q.Limit}
	case "idle":
		j = idleJob{}
	case "run":
		if err := q.Run.check(w.loop); err != nil {
			return nil, err
		}
		j = &runJob{plan: q.Run}
	case "watch":
		j = &watchJob{plan: q.Watch}
	case "await":
		if w.loop.watch == nil {
			return nil, errors.New("bench: worker: await without watch")
		}
		j = &awaitJob{last: q.Lasts, limit: q.Limit}
	default:
		return nil, fmt.Errorf("bench: worker: unknown op %q", q.Op)
	}
	return w.loop.do(j, w)
}

func (w *worker) open(t *target) (err error) {
	if t == nil {
		return errors.New("bench: worker: open without a target")
	}
	if _, err := raiseFiles(); err != nil {
		return err
	}
	w.loop, err = startLoop(*t)
	return err
}

// check refuses what would end in a panic.
func (p *runPlan) check(l *loop) error {
	if p == nil || len(p.Asks) > 200 {
		return errors.New("bench: worker: run without a plan")
	}
	for _, a := range p.Asks {
		if a.Kind != askPing && a.Size < echoMin {
			return errors.New("bench: worker: an echo without a size")
		}
		if a.Kind == askPost && !l.polls() {
			return errors.New("bench: a process has no client that polls: more --polls or --per-process")
		}
	}
	if p.Churn != nil && (p.Churn.Rate <= 0 || len(p.Churn.How) == 0) {
		return errors.New("bench: worker: churn without a rate")
	}
	return nil
}

// polls says whether any of the clients does.
func (l *loop) polls() bool {
	for i := range l.conns[:l.clients] {
		if l.conns[i].kind == kindPoll {
			return true
		}
	}
	return false
}
