package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// idleStep is what was seen with so many idle connections.
type idleStep struct {
	Conns  int          `json:"conns"`
	Server *memory      `json:"server,omitempty"`
	Kernel kernelMemory `json:"kernel"`
}

// idleResult is the memory of idle connections as slopes over the steps, so that what the server
// needs without any connection does not count.
type idleResult struct {
	Steps  []idleStep `json:"steps"`
	RSS    *fit       `json:"rss_per_conn,omitempty"` // bytes
	PSS    *fit       `json:"pss_per_conn,omitempty"`
	Slab   fit        `json:"slab_per_conn"` // bytes, of both ends if the server is on this host
	TCP    fit        `json:"tcp_memory_per_conn"`
	BothOn bool       `json:"both_ends_here"`

	WatchedS float64  `json:"watched_s"`            // idle time at the end
	CPU      *cpuCost `json:"idle_cpu,omitempty"`   // operations = connections times seconds
	Received int64    `json:"received_bytes_total"` // by all connections while idle
}

// idleRun connects in steps, reads the server's memory at each, and then watches it do nothing.
func idleRun(ctx context.Context, d *driver) error {
	result := &idleResult{BothOn: d.target.loopback()}
	d.report.Idle = result
	for _, count := range idleSteps(d.o) {
		if err := d.connect(ctx, count-d.open); err != nil {
			return err
		}
		if err := pause(ctx, d.o.settle); err != nil {
			return err
		}
		step, err := d.observe()
		if err != nil {
			return err
		}
		result.Steps = append(result.Steps, step)
	}
	d.connected()
	result.fitSteps()
	return d.watchIdle(ctx, result)
}

// idleSteps are the numbers of connections at which memory is read: from, then every step, conns.
func idleSteps(o *options) []int {
	from, step := o.from, o.step
	if from == 0 {
		from = max(o.conns/5, 1)
	}
	if step == 0 {
		step = max((o.conns-from)/7, 1)
	}
	var list []int
	for n := from; n < o.conns; n += step {
		list = append(list, n)
	}
	return append(list, o.conns)
}

// observe reads all memory figures at once.
func (d *driver) observe() (idleStep, error) {
	step := idleStep{Conns: d.open}
	if d.server != nil {
		m, err := d.server.memory()
		if err != nil {
			return step, err
		}
		step.Server = &m
	}
	var err error
	step.Kernel, err = readKernel()
	return step, err
}

func (r *idleResult) fitSteps() {
	line := func(get func(*idleStep) int64) fit {
		var x, y []float64
		for i := range r.Steps {
			x = append(x, float64(r.Steps[i].Conns))
			y = append(y, float64(get(&r.Steps[i])))
		}
		return leastSquares(x, y)
	}
	r.Slab = line(func(s *idleStep) int64 { return s.Kernel.Slab })
	r.TCP = line(func(s *idleStep) int64 { return s.Kernel.TCP })
	if r.Steps[0].Server != nil {
		rss := line(func(s *idleStep) int64 { return s.Server.RSS })
		pss := line(func(s *idleStep) int64 { return s.Server.PSS })
		r.RSS, r.PSS = &rss, &pss
	}
}

// watchIdle measures what the idle connections cost over time: keep-alive, ticks.
func (d *driver) watchIdle(ctx context.Context, result *idleResult) error {
	received := func() (n int64, err error) {
		replies, err := d.fleet.do(ctx, 0, func(int) *request { return &request{Op: "idle"} })
		if err != nil {
			return 0, err
		}
		for _, r := range replies {
			n += r.ReceivedBytes
		}
		d.account(replies)
		return n, nil
	}
	before, err := received()
	if err != nil {
		return err
	}
	conns := d.open
	d.monitor.phase("idle")
	used, took, err := d.measure(func() error { return pause(ctx, d.o.duration) })
	if err != nil {
		return err
	}
	after, err := received()
	if err != nil {
		return err
	}
	result.Received = after - before
	result.WatchedS = took.Seconds()
	result.CPU = d.cost(used, int64(float64(conns)*took.Seconds()), took)
	return nil
}

func (r *idleResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	for _, s := range r.Steps {
		fmt.Fprintf(b, "at %-7d     ", s.Conns)
		if s.Server != nil {
			fmt.Fprintf(b, "RSS %s  PSS %s  ", mib(s.Server.RSS), mib(s.Server.PSS))
		}
		fmt.Fprintf(b, "slab %s  TCP %s\n", mib(s.Kernel.Slab), mib(s.Kernel.TCP))
	}
	if r.RSS != nil {
		fmt.Fprintf(b, "per client     RSS %.0f B (r2 %.4f)  PSS %.0f B (r2 %.4f)\n",
			r.RSS.Slope, r.RSS.R2, r.PSS.Slope, r.PSS.R2)
	}
	ends := "the load's end only"
	if r.BothOn {
		ends = "both ends, whole host"
	}
	fmt.Fprintf(b, "  kernel       slab %.0f B (r2 %.4f), TCP buffers %.0f B (%s)\n",
		r.Slab.Slope, r.Slab.R2, r.TCP.Slope, ends)
	if r.CPU != nil {
		fmt.Fprintf(b, "idle CPU       %.2f%% of a core over %v, %.3f us a second and connection\n",
			r.CPU.CorePct, time.Duration(r.WatchedS*float64(time.Second)).Round(time.Millisecond),
			r.CPU.EachUs)
	}
	fmt.Fprintf(b, "idle traffic   %d B received\n", r.Received)
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
