package prom

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
)

// The families in the order of the documentation:
//
//	families.go           the daemon itself, and its loops
//	families_clients.go   connections, sessions, topics, requests
//	families_limits.go    what is held back and refused
//	families_events.go    events of clients, pushes, the hub
//	verifier.go           identities that are found out by tokens and the application

var families = slices.Concat(daemon, connections, limits, sessions, requests, identities, inbound, outbound, hub, identity)

const (
	grows = prometheus.CounterValue
	isNow = prometheus.GaugeValue
)

var daemon = []family{
	{
		name: "chskd_build_info", help: "The version that runs; always 1.",
		kind: isNow, labels: []string{"version"},
		tell: func(s *scrape, series func(float64, ...string)) { series(1, s.Version) },
	},
	gauge("chskd_ready", "1 while the daemon takes connections, 0 while it starts or goes down.",
		func(s *scrape) float64 { return truth(s.Ready()) }),
	gauge("chskd_loops", "Event loops.", func(s *scrape) float64 { return float64(len(s.Loops)) }),
	gauge("chskd_loops_answered", "1 if every loop answered this scrape within 2 s. If 0, what "+
		"only they know is left out of it.",
		func(s *scrape) float64 { return truth(s.answered) }),
	{
		name: "chskd_loop_turn_seconds", help: "How long the turns of the loops took: messages, " +
			"deadlines, deliveries. What is done at once when bytes come is not in them.",
		histogram: &histogram{of: func(l *metrics.Loop) *metrics.Histogram { return &l.TurnTimes },
			unit: metrics.TurnUnit.Seconds(), buckets: 17},
	},
	counter("chskd_loop_messages_total", "Messages that loops handled, of other loops and backends.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Messages }),
	gauge("chskd_mailbox_messages", "Messages that wait for the loops.",
		func(s *scrape) float64 { return float64(s.waiting) }),
	gauge("chskd_mailbox_messages_max", "Messages that wait for the loop for which most wait.",
		func(s *scrape) float64 { return float64(s.fullest) }),
	told("chskd_buffers", "Buffers lent: events in logs, batches on their way.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Buffers) }),
	counter("chskd_panics_total", "Mistakes of ours, each of which cost one connection; "+
		"the log has the place.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Panics }),
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// eachPacker tells one gauge of the loops by packer.
func eachPacker(s *scrape, series func(float64, ...string), transport metrics.Transport,
	of func(*metrics.Loop) *[metrics.Packers]metrics.Counter,
) {
	for p := range packer.Packer(packer.Packers) {
		n := s.sum(func(l *metrics.Loop) *metrics.Counter { return &of(l)[p] })
		series(n, transport.String(), p.String())
	}
}
