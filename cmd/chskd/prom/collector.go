package prom

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chskd/chskd/auth/verifier"
	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/metrics"
)

// Source is where the numbers come from. Its functions may be called from any goroutine.
type Source struct {
	Version  string
	MaxConns int // connections served at once
	Loops    []*metrics.Loop
	// Ask asks the loops, and returns within some seconds; ok is false if one did not answer.
	// lags is a sample: how many events wait for each of some sessions.
	Ask     func() (n *engine.Numbers, lags []uint64, ok bool)
	Waiting func() (sum, most int) // messages in all mailboxes, and in the fullest
	Hub     func() backend.HubStats
	Ready   func() bool
	// Verifier is what finds out who clients are; nil = nothing does.
	Verifier func() verifier.Stats
}

// scrapesMax is how many scrapes may be answered at once; further ones get 503.
const scrapesMax = 4

// Handler answers a scrape with the daemon's numbers, those of the Go runtime and of the process.
func Handler(s Source, log *slog.Logger) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(NewCollector(s), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // a part is better than nothing
		MaxRequestsInFlight: scrapesMax,
	})
}

// collector tells all families at once.
type collector struct {
	source Source
	descs  []*prometheus.Desc // as families
}

// NewCollector makes a collector of all that Handler tells but for the runtime and the process.
func NewCollector(s Source) prometheus.Collector {
	c := &collector{source: s}
	for i := range families {
		f := &families[i]
		c.descs = append(c.descs, prometheus.NewDesc(f.name, f.help, f.labels, nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	s := c.scrape()
	for i := range families {
		f, desc := &families[i], c.descs[i]
		switch {
		case f.asked && !s.answered:
			// What is not known is left out: a 0 would be a lie.
		case f.histogram != nil:
			to <- f.histogram.sum(desc, s.Loops)
		case f.made != nil:
			f.made(s, desc, to)
		default:
			f.tell(s, func(v float64, labels ...string) {
				to <- prometheus.MustNewConstMetric(desc, f.kind, v, labels...)
			})
		}
	}
}

// scrape is all that one answer is made of.
type scrape struct {
	Source
	numbers  *engine.Numbers
	lags     []uint64
	answered bool
	hub      backend.HubStats
	waiting  int // messages
	fullest  int
	identity *verifier.Stats // see verified
}

func (c *collector) scrape() *scrape {
	s := &scrape{Source: c.source}
	// Before the question, which waits in the mailboxes itself.
	s.waiting, s.fullest = s.Waiting()
	s.numbers, s.lags, s.answered = s.Ask()
	s.hub = s.Hub()
	return s
}

// family is all series of one name.
type family struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	asked      bool // left out when the loops did not answer
	tell       func(s *scrape, series func(v float64, labels ...string))
	histogram  *histogram                                                          // in place of tell
	made       func(s *scrape, desc *prometheus.Desc, to chan<- prometheus.Metric) // too
}

// histogram is the sum of one histogram of each loop.
type histogram struct {
	of      func(*metrics.Loop) *metrics.Histogram
	unit    float64 // of its values
	buckets int     // that are told; what is in the others is in +Inf
}

func (h *histogram) sum(desc *prometheus.Desc, loops []*metrics.Loop) prometheus.Metric {
	var counts [metrics.HistogramBuckets]uint64
	var sum uint64
	for _, l := range loops {
		one := h.of(l)
		for i := range one.Buckets {
			counts[i] += one.Buckets[i].Load()
		}
		sum += one.Sum.Load()
	}
	buckets := make(map[float64]uint64, h.buckets)
	total := uint64(0)
	for i, n := range counts {
		total += n
		if i < h.buckets {
			buckets[float64(uint64(1)<<i)*h.unit] = total
		}
	}
	return prometheus.MustNewConstHistogram(desc, total, float64(sum)*h.unit, buckets)
}

// sum adds up one counter of all loops.
func (s *scrape) sum(of func(*metrics.Loop) *metrics.Counter) float64 {
	n := uint64(0)
	for _, l := range s.Loops {
		n += of(l).Load()
	}
	return float64(n)
}

// counter is a family of one counter of the loops.
func counter(name, help string, of func(*metrics.Loop) *metrics.Counter) family {
	return family{name: name, help: help, kind: prometheus.CounterValue,
		tell: func(s *scrape, series func(float64, ...string)) { series(s.sum(of)) }}
}

// gauge is a family of one number of now.
func gauge(name, help string, of func(*scrape) float64) family {
	return family{name: name, help: help, kind: prometheus.GaugeValue,
		tell: func(s *scrape, series func(float64, ...string)) { series(of(s)) }}
}

// told is a family of one number that the loops are asked for.
func told(name, help string, kind prometheus.ValueType, of func(*engine.Numbers) float64) family {
	return family{name: name, help: help, kind: kind, asked: true,
		tell: func(s *scrape, series func(float64, ...string)) { series(of(s.numbers)) }}
}

// ofHub is a family of one number of the hub.
func ofHub(name, help string, kind prometheus.ValueType, of func(*backend.HubStats) float64) family {
	return family{name: name, help: help, kind: kind,
		tell: func(s *scrape, series func(float64, ...string)) { series(of(&s.hub)) }}
}
