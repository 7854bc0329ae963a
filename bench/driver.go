package bench

import (
	"context"
	"fmt"
	"time"
)

// driver is one run as seen from the command: the workers, the server's account, the result.
// Owner: the goroutine of the command.
type driver struct {
	o       *options
	target  target
	server  server
	fleet   *fleet
	monitor *monitor
	report  *report

	handshakes   *latency
	handshakeCPU cpuTime
	connecting   time.Duration // time spent in connect
	open         int
}

// newDriver checks the options and the limits, and starts the workers, still without connections.
func newDriver(ctx context.Context, o *options, scenario string, self []string, m *monitor) (
	*driver, error,
) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t, err := o.target()
	if err != nil {
		return nil, err
	}
	s, err := o.server()
	if err != nil {
		return nil, err
	}
	files, err := raiseFiles()
	if err != nil {
		return nil, err
	}
	list, err := shares(o.conns, o.perProc, files-o.posters)
	if err != nil {
		return nil, err
	}
	t.Posters = (o.posters + len(list) - 1) / len(list)
	f, err := startFleet(ctx, t, list, self, m)
	if err != nil {
		return nil, err
	}
	m.begin(s, o.conns)
	return &driver{
		o: o, target: t, server: s, fleet: f, monitor: m, handshakes: newLatency(),
		report: &report{
			Scenario: scenario, URL: o.url, Packer: o.packer, Processes: len(list),
		},
	}, nil
}

// connectAll opens all connections, writes the handshakes' part of the report, and rests.
func (d *driver) connectAll(ctx context.Context) error {
	if err := d.connect(ctx, d.o.conns); err != nil {
		return err
	}
	d.connected()
	return pause(ctx, d.o.settle)
}

// connect opens count more connections and accounts for them. A step that does not open all of
// them is an error: every later figure would be of another load than it says.
func (d *driver) connect(ctx context.Context, count int) error {
	d.monitor.phase("connecting")
	var replies []*reply
	used, took, err := d.measure(func() (err error) {
		replies, err = d.fleet.connect(ctx, count, d.o.window, d.o.timeout)
		return err
	})
	if err != nil {
		return err
	}
	d.handshakeCPU.total += used.total
	d.handshakeCPU.user += used.user
	d.handshakeCPU.system += used.system
	d.connecting += took
	for _, r := range replies {
		if err := d.handshakes.addPairs(r.Handshakes); err != nil {
			return err
		}
	}
	want := d.open + count
	if d.account(replies); d.open != want {
		return fmt.Errorf("bench: %d of %d connections are open: %s", d.open, want,
			mostOf(d.report.Failures))
	}
	return nil
}

// account takes over what every reply says of the connections.
func (d *driver) account(replies []*reply) {
	d.open = 0
	d.report.ServerPings, d.report.Polls, d.report.Forgotten = 0, 0, 0
	d.report.Failures = make(map[string]int)
	for i, r := range replies {
		d.open += r.Open
		d.monitor.opened(i, r.Open)
		d.report.ServerPings += r.ServerPings
		d.report.Polls += r.Polls
		d.report.Forgotten += r.Forgotten
		for reason, n := range r.Failures {
			d.report.Failures[reason] += n
		}
	}
	d.report.Conns = d.open
}

// connected writes the handshakes' part of the report.
func (d *driver) connected() {
	h := &handshakeResult{Count: d.open, Latency: d.handshakes.summary()}
	h.PerSecond = float64(d.open) / d.connecting.Seconds()
	h.CPU = d.cost(d.handshakeCPU, int64(d.open), d.connecting)
	d.report.Handshakes = h
}

// measure runs f and says what CPU the server used meanwhile, and how long it took.
func (d *driver) measure(f func() error) (used cpuTime, took time.Duration, err error) {
	before, err := d.server.cpu()
	if err != nil {
		return used, 0, err
	}
	begin := time.Now()
	if err := f(); err != nil {
		return used, 0, err
	}
	took = time.Since(begin)
	after, err := d.server.cpu()
	return after.sub(before), took, err
}

// cost is newCost if the server is known.
func (d *driver) cost(used cpuTime, operations int64, took time.Duration) *cpuCost {
	if d.server == nil {
		return nil
	}
	return newCost(used, operations, took)
}

// pause waits, or ends early with the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
