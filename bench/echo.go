package bench

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// echoResult is the round trips of `[[:bench/echo text] callback]` to the backend and of the reply
// back. The loop is closed, as that of pingResult.
type echoResult struct {
	Outstanding int            `json:"outstanding"`
	Size        int            `json:"size"` // letters of an event's text
	Ack         bool           `json:"ack"`  // the backend acknowledges what it got
	Sent        int64          `json:"sent"`
	Answered    int64          `json:"answered"`
	TookS       float64        `json:"took_s"`
	PerSecond   float64        `json:"per_second"`
	Replied     int64          `json:"backend_replies"`
	PerRead     float64        `json:"backend_events_per_read"` // how many came to it at once
	CPU         *cpuCost       `json:"server_cpu,omitempty"`
	Latency     latencySummary `json:"latency"`
}

func echoRun(ctx context.Context, d *driver) error {
	if err := d.o.checkEcho(); err != nil {
		return err
	}
	defer ownThreads()()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	backend, err := startEchoer(ctx, cancel, d.o, d.target.Run)
	if err != nil {
		return err
	}
	defer backend.close()
	if err := d.connect(ctx, d.o.conns); err != nil {
		return err
	}
	d.connected()
	if err := pause(ctx, d.o.settle); err != nil {
		return err
	}
	outstanding := d.o.outstanding
	if outstanding == 0 {
		outstanding = d.o.conns
	}
	replies, used, took, err := d.askAll(ctx, "echo", outstanding)
	if err := cmp.Or(backend.close(), err); err != nil {
		return err
	}
	d.account(replies)
	r := &echoResult{
		Outstanding: outstanding, Size: d.o.size, Ack: d.o.ack, Replied: backend.replied,
	}
	if backend.reads > 0 {
		r.PerRead = float64(backend.replied) / float64(backend.reads)
	}
	d.report.Echo = r
	if err := r.merge(replies); err != nil {
		return err
	}
	if d.server != nil {
		r.CPU = newCost(used, r.Sent, took)
	}
	return nil
}

// askAll lets the workers ping, or send echoes, and says what CPU the server used meanwhile.
func (d *driver) askAll(ctx context.Context, op string, outstanding int) (
	replies []*reply, used cpuTime, took time.Duration, err error,
) {
	limit := d.o.duration + d.o.timeout
	used, took, err = d.measure(func() (err error) {
		replies, err = d.fleet.do(ctx, limit, func(i int) *request {
			return &request{
				Op: op, Size: d.o.size, Duration: d.o.duration, Limit: d.o.timeout,
				Parallel: portion(outstanding, i, len(d.fleet.workers)),
				Count:    portion(d.o.count, i, len(d.fleet.workers)),
			}
		})
		return err
	})
	return replies, used, took, err
}

func (r *echoResult) merge(replies []*reply) error {
	all := newLatency()
	for _, one := range replies {
		r.Sent += one.Sent
		r.Answered += one.Got
		r.TookS = max(r.TookS, time.Duration(one.TookNs).Seconds())
		if err := all.addPairs(one.Latency); err != nil {
			return err
		}
	}
	if r.TookS > 0 {
		r.PerSecond = float64(r.Answered) / r.TookS
	}
	r.Latency = all.summary()
	return nil
}

func (r *echoResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	ack := ""
	if r.Ack {
		ack = ", acked"
	}
	fmt.Fprintf(b, "echoes         %d of %d B sent, %d answered in %.2f s: %.0f round trips/s, "+
		"%d at a time%s\n", r.Sent, r.Size, r.Answered, r.TookS, r.PerSecond, r.Outstanding, ack)
	fmt.Fprintf(b, "  backend      %d replies, %.2f events at once\n", r.Replied, r.PerRead)
	fmt.Fprintf(b, "  server CPU   %v\n  latency      %v\n", r.CPU, r.Latency)
}
