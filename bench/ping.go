package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// pingResult is the round trips of `[[:chsk/ws-ping] "abc123"]` and `["pong" "abc123"]`. The loop
// is closed: a connection pings only when an earlier pong came, so that latencies are those of
// this load and not of a fixed rate.
type pingResult struct {
	Outstanding int            `json:"outstanding"`
	Sent        int64          `json:"sent"`
	Answered    int64          `json:"answered"`
	TookS       float64        `json:"took_s"`
	PerSecond   float64        `json:"per_second"`
	CPU         *cpuCost       `json:"server_cpu,omitempty"`
	Latency     latencySummary `json:"latency"`
}

func pingRun(ctx context.Context, d *driver) error {
	if err := d.connect(ctx, d.o.conns); err != nil {
		return err
	}
	d.connected()
	if err := pause(ctx, d.o.settle); err != nil {
		return err
	}
	outstanding := d.o.outstanding
	if outstanding == 0 {
		outstanding = min(64, d.o.conns)
	}
	replies, used, took, err := d.askAll(ctx, "ping", outstanding)
	if err != nil {
		return err
	}
	d.account(replies)
	result := &pingResult{Outstanding: outstanding}
	d.report.Ping = result
	if d.server != nil {
		defer func() { result.CPU = newCost(used, result.Sent, took) }()
	}
	return result.merge(replies)
}

// portion is worker i's part of n; a part of something is never nothing.
func portion(n, i, workers int) int {
	part := n*(i+1)/workers - n*i/workers
	if n > 0 {
		part = max(part, 1)
	}
	return part
}

func (r *pingResult) merge(replies []*reply) error {
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

func (r *pingResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "pings          %d sent, %d answered in %.2f s: %.0f round trips/s, %d at a time\n",
		r.Sent, r.Answered, r.TookS, r.PerSecond, r.Outstanding)
	fmt.Fprintf(b, "  server CPU   %v\n  latency      %v\n", r.CPU, r.Latency)
}
