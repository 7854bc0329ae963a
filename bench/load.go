package bench

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// load is what a scenario lets happen when its connections are open: what they do, and what is
// pushed to them meanwhile. Any part may be missing.
type load struct {
	asks    []askPlan
	churn   *churnPlan
	source  source
	members membership
	backend bool // of our own, which echoes
}

// source is what pushes numbered events.
type source interface {
	// send pushes all events, the first one now, and returns when all are answered.
	send(ctx context.Context) error
	// lasts are the numbers of the last events; known after send.
	lasts() *lasts
}

// outcome is what came of a load.
type outcome struct {
	ran     []*reply      // of what the connections did
	watched []*reply      // of what was pushed to them
	start   int64         // ns, CLOCK_MONOTONIC
	sent    time.Duration // until all pushes were answered
	took    time.Duration // until all was over
	used    cpuTime       // of the server
	backend *echoer       // closed; nil = none
}

// play lets a load happen to the open connections. It needs the backend before they open.
func (d *driver) play(ctx context.Context, l *load) (*outcome, error) {
	defer ownThreads()()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := &outcome{}
	if l.backend {
		e, err := startEchoer(ctx, cancel, d.o, d.target.Run)
		if err != nil {
			return nil, err
		}
		defer e.close()
		out.backend = e
	}
	if err := d.connectAll(ctx); err != nil {
		return nil, err
	}
	if err := d.join(ctx, l.members); err != nil {
		return nil, err
	}
	if l.source != nil {
		plan := &watchPlan{Run: d.target.Run, Members: l.members, Leaves: l.churn != nil}
		if _, err := d.fleet.do(ctx, 0, func(int) *request {
			return &request{Op: "watch", Watch: plan}
		}); err != nil {
			return nil, err
		}
	}
	d.monitor.phase(d.report.Scenario)
	var err error
	out.used, out.took, err = d.measure(func() error { return d.both(ctx, cancel, l, out) })
	if out.backend != nil {
		err = cmp.Or(out.backend.close(), err)
	}
	return out, err
}

// both runs what the connections do beside the pushes, and waits for the last events.
func (d *driver) both(
	ctx context.Context, cancel context.CancelCauseFunc, l *load, out *outcome,
) error {
	clock, err := newClock()
	if err != nil {
		return err
	}
	out.start = clock.now()
	ran := make(chan error, 1)
	var asked sync.WaitGroup // until every worker is asked, it could take an end for an earlier one
	asked.Add(len(d.fleet.workers))
	go func() {
		err := d.runPlans(ctx, l, out, asked.Done)
		if err != nil {
			cancel(err)
		}
		ran <- err
	}()
	asked.Wait()
	if l.source != nil {
		if err = l.source.send(ctx); err != nil {
			cancel(err)
		}
		out.sent = time.Duration(clock.now() - out.start)
		d.fleet.end()
	}
	ranErr := <-ran
	if err != nil || ranErr != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			return cause
		}
		return cmp.Or(err, ranErr)
	}
	if l.source == nil {
		return nil
	}
	last := l.source.lasts()
	out.watched, err = d.fleet.do(ctx, d.o.timeout, func(i int) *request {
		part := last.part(d.fleet.targets[i].First, d.fleet.shares[i])
		return &request{Op: "await", Lasts: part, Limit: d.o.timeout}
	})
	if err == nil {
		d.account(out.watched)
	}
	return err
}

// runPlans lets every worker do its share of what the connections do.
func (d *driver) runPlans(ctx context.Context, l *load, out *outcome, asked func()) (err error) {
	limit := d.o.duration + 2*d.o.timeout
	if l.churn != nil {
		limit += l.churn.Long + farewell
	}
	out.ran, err = d.fleet.do(ctx, limit, func(i int) *request {
		plan := &runPlan{
			Duration: d.o.duration, Limit: d.o.timeout, Pushes: l.source != nil,
		}
		part := float64(d.fleet.shares[i]) / float64(d.o.conns)
		for _, a := range l.asks {
			a.Rate *= part
			a.Parallel = portion(a.Parallel, i, len(d.fleet.workers))
			a.Count = int64(portion(int(a.Count), i, len(d.fleet.workers)))
			plan.Asks = append(plan.Asks, a)
		}
		if l.churn != nil {
			c := *l.churn
			c.Rate *= part
			plan.Churn = &c
		}
		return &request{Op: "run", Run: plan, written: asked}
	})
	if err == nil {
		d.account(out.ran)
	}
	return err
}

// portion is worker i's part of n; a part of something is never nothing.
func portion(n, i, workers int) int {
	part := n*(i+1)/workers - n*i/workers
	if n > 0 {
		part = max(part, 1)
	}
	return part
}

// ownThreads lets the epoll loop, the pushes and the reading of their answers each have a thread,
// also on one CPU: a loop that waits for events would keep the others waiting until Go's scheduler
// notices. The function returned undoes it.
func ownThreads() (undo func()) {
	before := runtime.GOMAXPROCS(0)
	if before >= 3 {
		return func() {}
	}
	runtime.GOMAXPROCS(3)
	return func() { runtime.GOMAXPROCS(before) }
}
