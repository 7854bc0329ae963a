package bench

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// pushResult is numbered events to single users. Each connection is a user and has numbers of its
// own. A paced run (Rate over 0) is an open loop: latency counts from the time at which a push was
// due. Without a rate pushes go as fast as the server takes them, and a latency would only say
// how much it queues.
type pushResult struct {
	Dialect   string     `json:"dialect"`
	Size      int        `json:"size"`      // bytes of an event's text
	Rate      float64    `json:"rate"`      // wanted, a second; 0 = as fast as they are taken
	Receivers int        `json:"receivers"` // users among whom the pushes are spread
	Burst     int        `json:"burst"`     // pushes in a row to one of them
	Pushed    int64      `json:"pushed"`
	TakenS    float64    `json:"taken_s"`     // from the first push until all are answered
	DeliverS  float64    `json:"delivered_s"` // from the first push to the last delivery
	Tally     watchTally `json:"seen"`

	TakenPerSecond     float64 `json:"taken_per_second"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	EventsPerBatch     float64 `json:"events_per_batch"`

	LateMaxUs int64           `json:"push_late_max_us"` // how far pushing fell behind its times
	CPU       *cpuCost        `json:"server_cpu,omitempty"`
	Latency   *latencySummary `json:"latency,omitempty"` // of a paced run
}

func pushRun(ctx context.Context, d *driver) error {
	if err := d.o.checkPush(); err != nil {
		return err
	}
	defer ownThreads()()
	if err := d.connect(ctx, d.o.conns); err != nil {
		return err
	}
	d.connected()
	if err := pause(ctx, d.o.settle); err != nil {
		return err
	}
	if _, err := d.fleet.do(ctx, 0, func(int) *request {
		return &request{Op: "watch", Run: d.target.Run}
	}); err != nil {
		return err
	}
	var s *pushStream
	var replies []*reply
	var took time.Duration
	used, all, err := d.measure(func() (err error) {
		if s, err = newPushStream(ctx, &d.target, d.o); err != nil {
			return err
		}
		if err := d.send(ctx, s); err != nil {
			return err
		}
		took = time.Duration(s.clock.now() - s.start)
		replies, err = d.awaitPushes(ctx, s.last)
		return err
	})
	if err != nil {
		return err
	}
	d.account(replies)
	r := &pushResult{
		Dialect: d.o.dialect, Size: d.o.size, Rate: d.o.rate, Receivers: d.o.receivers(),
		Burst: d.o.burst, Pushed: s.pushed, TakenS: took.Seconds(), LateMaxUs: s.late / 1000,
	}
	d.report.Push = r
	if d.server != nil {
		r.CPU = newCost(used, r.Pushed, all)
	}
	return r.merge(replies, s)
}

// awaitPushes waits for the last number of every connection, of which each worker has a stretch.
func (d *driver) awaitPushes(ctx context.Context, last []uint32) ([]*reply, error) {
	return d.fleet.do(ctx, d.o.timeout, func(i int) *request {
		from, to := d.fleet.targets[i].First, len(last)
		if i+1 < len(d.fleet.targets) {
			to = d.fleet.targets[i+1].First
		}
		return &request{Op: "await", Lasts: last[from:to], Limit: d.o.timeout}
	})
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

func (r *pushResult) merge(replies []*reply, s *pushStream) error {
	all := newLatency()
	lastAt := s.start
	for _, one := range replies {
		if one.Tally == nil {
			return fmt.Errorf("bench: a worker has no tally")
		}
		r.Tally.add(one.Tally)
		lastAt = max(lastAt, one.LastAt)
		if err := all.addPairs(one.Latency); err != nil {
			return err
		}
	}
	if r.Rate > 0 {
		l := all.summary()
		r.Latency = &l
	}
	r.DeliverS = time.Duration(lastAt - s.start).Seconds()
	if r.TakenS > 0 {
		r.TakenPerSecond = float64(r.Pushed) / r.TakenS
	}
	if r.DeliverS > 0 {
		r.DeliveredPerSecond = float64(r.Tally.Events) / r.DeliverS
	}
	if r.Tally.Batches > 0 {
		r.EventsPerBatch = float64(r.Tally.Events) / float64(r.Tally.Batches)
	}
	return nil
}

func (r *pushResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	t := &r.Tally
	rate := "as fast as taken"
	if r.Rate > 0 {
		rate = fmt.Sprintf("at %g/s", r.Rate)
	}
	fmt.Fprintf(b, "pushes         %d of %d B by %s %s, to %d users, %d in a row\n",
		r.Pushed, r.Size, r.Dialect, rate, r.Receivers, r.Burst)
	fmt.Fprintf(b, "  taken        %.0f/s (%.2f s until all were answered)\n", r.TakenPerSecond, r.TakenS)
	fmt.Fprintf(b, "  delivered    %.0f/s (%d in %.2f s)\n", r.DeliveredPerSecond, t.Events, r.DeliverS)
	fmt.Fprintf(b, "  checked      lost %d, doubled %d, reordered %d, told gaps %d, other events %d\n",
		t.Lost, t.Doubled, t.Reordered, t.Gaps, t.Foreign)
	fmt.Fprintf(b, "  batches      %d, %.2f events each\n", t.Batches, r.EventsPerBatch)
	fmt.Fprintf(b, "  server CPU   %v\n", r.CPU)
	if r.Latency != nil {
		fmt.Fprintf(b, "  latency      %v; pushed at most %v late\n", r.Latency,
			time.Duration(r.LateMaxUs)*time.Microsecond)
	}
}
