package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// broadcastResult is numbered events to all connections at a fixed rate. Latency counts from the
// time at which an event was due, whether or not the push was late, so that a server that stops
// for a while is not flattered (coordinated omission).
type broadcastResult struct {
	Size     int        `json:"size"`     // bytes of an event's text
	Rate     float64    `json:"rate"`     // wanted, a second
	Pushed   int        `json:"pushed"`   // broadcasts
	TookS    float64    `json:"took_s"`   // from the first push to the last delivery
	Expected int64      `json:"expected"` // deliveries to connections that stayed
	Tally    watchTally `json:"seen"`

	DeliveriesPerSecond float64 `json:"deliveries_per_second"`
	EventsPerBatch      float64 `json:"events_per_batch"`

	SessionsMin int            `json:"sessions_min"` // told by the server; -1 = it did not say
	SessionsMax int            `json:"sessions_max"`
	LateMaxUs   int64          `json:"push_late_max_us"` // how far pushing fell behind its times
	PushLatency latencySummary `json:"push_latency"`     // of the push calls
	CPU         *cpuCost       `json:"server_cpu,omitempty"`
	Latency     latencySummary `json:"latency"`
}

func broadcastRun(ctx context.Context, d *driver) error {
	if err := d.connect(ctx, d.o.conns); err != nil {
		return err
	}
	d.connected()
	p, err := d.pusher()
	if err != nil {
		return err
	}
	defer p.close()
	if err := pause(ctx, d.o.settle); err != nil {
		return err
	}
	if _, err := d.fleet.do(ctx, 0, func(int) *request {
		return &request{Op: "watch", Run: d.target.Run}
	}); err != nil {
		return err
	}
	result := &broadcastResult{
		Size: d.o.size, Rate: d.o.rate, Pushed: d.o.broadcasts(), SessionsMin: -1, SessionsMax: -1,
	}
	var replies []*reply
	used, took, err := d.measure(func() error {
		if err := d.pushAll(ctx, p, result); err != nil {
			return err
		}
		replies, err = d.fleet.do(ctx, d.o.timeout, func(int) *request {
			return &request{Op: "await", Last: uint32(result.Pushed), Limit: d.o.timeout}
		})
		return err
	})
	if err != nil {
		return err
	}
	d.account(replies)
	d.report.Broadcast = result
	if err := result.merge(replies, d.open, took); err != nil {
		return err
	}
	if d.server != nil {
		result.CPU = newCost(used, result.Tally.Events, took)
	}
	return nil
}

// pusher is the API socket if there is one, else a client whose wish the application carries out.
func (d *driver) pusher() (pusher, error) {
	p := packers[d.o.packer]
	if d.o.apiSocket != "" {
		return newAPIPusher(d.o.apiSocket, p, d.o.flush, d.o.timeout), nil
	}
	return newClientPusher(d.target, p, d.o.conns, d.o.timeout)
}

// pushAll pushes every event at its time; one that is late goes at once.
func (d *driver) pushAll(ctx context.Context, p pusher, result *broadcastResult) error {
	clock, err := newClock()
	if err != nil {
		return err
	}
	calls := newLatency()
	start := clock.now()
	for i := range result.Pushed {
		due := start + int64(float64(i)/d.o.rate*1e9)
		if wait := due - clock.now(); wait > 0 {
			if err := pause(ctx, time.Duration(wait)); err != nil {
				return err
			}
		}
		begin := clock.now()
		result.LateMaxUs = max(result.LateMaxUs, (begin-due)/1000)
		e := event{run: d.target.Run, number: uint32(i + 1), at: due}
		sessions, err := p.push(ctx, e, d.o.size)
		if err != nil {
			return fmt.Errorf("broadcast %d of %d: %w", i+1, result.Pushed, err)
		}
		calls.record(clock.now() - begin)
		if result.SessionsMin = min(result.SessionsMin, sessions); i == 0 {
			result.SessionsMin = sessions
		}
		result.SessionsMax = max(result.SessionsMax, sessions)
	}
	result.PushLatency = calls.summary()
	return nil
}

func (r *broadcastResult) merge(replies []*reply, open int, took time.Duration) error {
	all := newLatency()
	for _, one := range replies {
		if one.Tally == nil {
			return fmt.Errorf("bench: a worker has no tally")
		}
		r.Tally.add(one.Tally)
		if err := all.addPairs(one.Latency); err != nil {
			return err
		}
	}
	r.Latency = all.summary()
	r.TookS = took.Seconds()
	r.Expected = int64(r.Pushed) * int64(open)
	r.DeliveriesPerSecond = float64(r.Tally.Events) / r.TookS
	if r.Tally.Batches > 0 {
		r.EventsPerBatch = float64(r.Tally.Events) / float64(r.Tally.Batches)
	}
	return nil
}

func (r *broadcastResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	t := &r.Tally
	fmt.Fprintf(b, "broadcasts     %d of %d B at %g/s, %d deliveries of %d in %.2f s: %.0f/s\n",
		r.Pushed, r.Size, r.Rate, t.Events, r.Expected, r.TookS, r.DeliveriesPerSecond)
	fmt.Fprintf(b, "  checked      lost %d, doubled %d, reordered %d, told gaps %d, other events %d\n",
		t.Lost, t.Doubled, t.Reordered, t.Gaps, t.Foreign)
	fmt.Fprintf(b, "  batches      %d, %.2f events each\n", t.Batches, r.EventsPerBatch)
	if r.SessionsMin >= 0 {
		fmt.Fprintf(b, "  sessions     %d to %d, as the server counts\n", r.SessionsMin, r.SessionsMax)
	}
	fmt.Fprintf(b, "  push calls   %v; at most %v late\n", r.PushLatency,
		time.Duration(r.LateMaxUs)*time.Microsecond)
	fmt.Fprintf(b, "  server CPU   %v\n  latency      %v\n", r.CPU, r.Latency)
}
