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

// broadcaster pushes to all, one call after the other, so that each call's time and answer are
// known.
type broadcaster struct {
	d        *driver
	pushed   int
	min, max int // sessions, as the server says
	late     int64
	calls    *latency
}

func (b *broadcaster) lasts() *lasts { return &lasts{All: uint32(b.pushed)} }

// send pushes every event at its time; one that is late goes at once.
func (b *broadcaster) send(ctx context.Context) error {
	p, err := b.d.pusher()
	if err != nil {
		return err
	}
	defer p.close()
	clock, err := newClock()
	if err != nil {
		return err
	}
	b.calls = newLatency()
	start := clock.now()
	for i := range b.pushed {
		due := start + int64(float64(i)/b.d.o.rate*1e9)
		if wait := due - clock.now(); wait > 0 {
			if err := pause(ctx, time.Duration(wait)); err != nil {
				return err
			}
		}
		begin := clock.now()
		b.late = max(b.late, begin-due)
		e := event{run: b.d.target.Run, number: uint32(i + 1), at: due, stream: streamAll}
		sessions, err := p.push(ctx, e, b.d.o.size)
		if err != nil {
			return fmt.Errorf("broadcast %d of %d: %w", i+1, b.pushed, err)
		}
		b.calls.record(clock.now() - begin)
		if b.min = min(b.min, sessions); i == 0 {
			b.min = sessions
		}
		b.max = max(b.max, sessions)
	}
	return nil
}

// pusher is the API socket if there is one, else a client whose wish the application carries out.
func (d *driver) pusher() (pusher, error) {
	c, err := newCodec(d.o.packer)
	if err != nil {
		return nil, err
	}
	if d.o.apiSocket != "" {
		return newAPIPusher(d.o.apiSocket, c.api(), d.o.flush, d.o.timeout), nil
	}
	return newClientPusher(d.target, c, d.o.conns, d.o.timeout)
}

func (b *broadcaster) result(out *outcome) (*broadcastResult, error) {
	tally, all, _, err := watched(out)
	if err != nil {
		return nil, err
	}
	r := &broadcastResult{
		Size: b.d.o.size, Rate: b.d.o.rate, Pushed: b.pushed, Tally: *tally, TookS: out.took.Seconds(),
		Expected: int64(b.pushed) * int64(b.d.open), SessionsMin: b.min, SessionsMax: b.max,
		LateMaxUs: b.late / 1000, PushLatency: b.calls.summary(), Latency: all.summary(),
	}
	r.Latency.curve = all.curve()
	r.DeliveriesPerSecond = perSecond(tally.Events, r.TookS)
	r.EventsPerBatch = perSecond(tally.Events, float64(tally.Batches))
	r.CPU = b.d.cost(out.used, tally.Events, out.took)
	return r, nil
}

func (r *broadcastResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	t := &r.Tally
	fmt.Fprintf(b, "broadcasts     %d of %d B at %g/s, %d deliveries of %d in %.2f s: %.0f/s\n",
		r.Pushed, r.Size, r.Rate, t.Events, r.Expected, r.TookS, r.DeliveriesPerSecond)
	t.text(b, r.EventsPerBatch)
	if r.SessionsMin >= 0 {
		fmt.Fprintf(b, "  sessions     %d to %d, as the server counts\n", r.SessionsMin, r.SessionsMax)
	}
	fmt.Fprintf(b, "  push calls   %v; at most %v late\n", r.PushLatency, micros(r.LateMaxUs))
	r.CPU.text(b)
	fmt.Fprintf(b, "  latency      %v\n", r.Latency)
}
