package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// figure is one number of a result, for tables, thresholds and comparisons.
type figure struct {
	Name  string
	Unit  string
	Value float64
	sort  figureSort
}

// figureSort says what a threshold or a comparison makes of a figure.
type figureSort uint8

const (
	figurePlain figureSort = iota
	figureCPU              // us each: less is better
	figureP50              // us
	figureP99
	figureP999
	figureTime // another latency
	figureRate // operations a second: more is better
	figureRSS  // bytes each
	figureLost
)

// figures are all numbers of a result in the order of its text.
func (r *report) figures() (list []figure) {
	add := func(name, unit string, value float64, sort figureSort) {
		list = append(list, figure{name, unit, value, sort})
	}
	cost := func(name string, c *cpuCost, sort figureSort) {
		if c != nil {
			add(name+" server CPU", "us", c.EachUs, sort)
		}
	}
	if h := r.Handshakes; h != nil {
		add("handshakes", "/s", h.PerSecond, figurePlain)
		cost("handshake", h.CPU, figurePlain)
		list = append(list, h.Latency.figures("handshake", false)...)
	}
	if i := r.Idle; i != nil {
		if i.RSS != nil {
			add("RSS each", "B", i.RSS.Slope, figureRSS)
			add("PSS each", "B", i.PSS.Slope, figurePlain)
		}
		add("kernel slab each", "B", i.Slab.Slope, figurePlain)
		cost("idle second", i.CPU, figurePlain)
	}
	if j := r.Join; j != nil {
		add("joins", "/s", j.PerSecond, figurePlain)
		cost("join", j.CPU, figurePlain)
	}
	for _, kind := range []struct {
		name string
		ask  *askResult
	}{{"ping", r.Ping}, {"echo", r.Echo}, {"post", r.Post}} {
		if a := kind.ask; a != nil {
			add(kind.name+" round trips", "/s", a.PerSecond, figureRate)
			cost(kind.name, a.CPU, figureCPU)
			list = append(list, a.Latency.figures(kind.name, true)...)
		}
	}
	if b := r.Broadcast; b != nil {
		add("deliveries", "/s", b.DeliveriesPerSecond, figureRate)
		add("events a batch", "", b.EventsPerBatch, figurePlain)
		cost("delivery", b.CPU, figureCPU)
		list = append(list, b.Latency.figures("delivery", true)...)
		list = append(list, b.Tally.figures()...)
	}
	if p := r.Push; p != nil {
		add("pushes taken", "/s", p.TakenPerSecond, figureRate)
		add("deliveries", "/s", p.DeliveredPerSecond, figurePlain)
		add("events a batch", "", p.EventsPerBatch, figurePlain)
		cost("push", p.CPU, figureCPU)
		if p.Latency != nil {
			list = append(list, p.Latency.figures("delivery", true)...)
		}
		list = append(list, p.Tally.figures()...)
	}
	if c := r.Churn; c != nil {
		add("returns", "", float64(c.Back), figurePlain)
		add("lost outside the window", "", float64(r.Push.Tally.LostOutside), figurePlain)
		list = append(list, c.Latency.figures("return", false)...)
	}
	cost("operation", r.CPU, figureCPU)
	return list
}

func (s *latencySummary) figures(name string, judged bool) (list []figure) {
	for _, f := range []figure{
		{"p50", "us", float64(s.P50), figureP50}, {"p90", "us", float64(s.P90), figureTime},
		{"p99", "us", float64(s.P99), figureP99}, {"p99.9", "us", float64(s.P999), figureP999},
		{"p99.99", "us", float64(s.P9999), figureTime}, {"max", "us", float64(s.Max), figureTime},
	} {
		f.Name = name + " latency " + f.Name
		if !judged {
			f.sort = figureTime
		}
		list = append(list, f)
	}
	return list
}

func (t *watchTally) figures() []figure {
	return []figure{
		{"lost", "", float64(t.Lost), figureLost}, {"doubled", "", float64(t.Doubled), figurePlain},
		{"reordered", "", float64(t.Reordered), figurePlain},
	}
}

// limits are what a result must keep; 0 = anything, except for lost events.
type limits struct {
	p50, p99, p999   time.Duration
	cpuUs, rss, rate float64
	lost             int64
}

// check says which of the limits a result breaks, or does not tell. Lost events are the verdict's.
func (l *limits) check(r *report) error {
	var err error
	for _, rule := range []struct {
		flag  string
		sort  figureSort
		limit float64
		least bool
	}{
		{"--max-p50", figureP50, float64(l.p50.Microseconds()), false},
		{"--max-p99", figureP99, float64(l.p99.Microseconds()), false},
		{"--max-p999", figureP999, float64(l.p999.Microseconds()), false},
		{"--max-cpu-us", figureCPU, l.cpuUs, false},
		{"--max-rss", figureRSS, l.rss, false},
		{"--min-rate", figureRate, l.rate, true},
	} {
		if rule.limit == 0 {
			continue
		}
		known := false
		for _, f := range r.figures() {
			if f.sort != rule.sort {
				continue
			}
			known = true
			if f.Value > rule.limit != rule.least && f.Value != rule.limit {
				err = errors.Join(err, fmt.Errorf("bench: %s: %s is %s, the limit %s", rule.flag, f.Name,
					f.text(f.Value), f.text(rule.limit)))
			}
		}
		if !known {
			err = errors.Join(err, fmt.Errorf("bench: %s: this run does not tell (CPU and memory need "+
				"--pid, latency of pushes a --rate)", rule.flag))
		}
	}
	return err
}

// text is a value of the figure for people.
func (f *figure) text(v float64) string {
	switch {
	case f.Unit == "us" && f.sort != figureCPU && f.sort != figurePlain:
		return time.Duration(v * 1e3).String()
	case v == float64(int64(v)):
		return fmt.Sprintf("%d%s", int64(v), unit(f.Unit))
	case v >= 1000:
		return fmt.Sprintf("%.0f%s", v, unit(f.Unit))
	}
	return fmt.Sprintf("%.2f%s", v, unit(f.Unit))
}

func unit(u string) string {
	if u == "" || u[0] == '/' {
		return u
	}
	return " " + u
}

// comparison is one line of a table old, new, difference.
type comparison struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit,omitempty"`
	Old   float64 `json:"old"`
	New   float64 `json:"new"`
	Delta float64 `json:"delta_percent"` // of the old one; 0 if that is 0

	texts [2]string
}

// readOld reads the result to compare with, which must be of the same load.
func (o *outputs) readOld(scenario string, setup map[string]string) (*report, error) {
	if o.compare == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.compare)
	if err != nil {
		return nil, fmt.Errorf("bench: --compare: %w", err)
	}
	var old report
	if err := json.Unmarshal(text, &old); err != nil || old.Scenario == "" {
		return nil, fmt.Errorf("bench: --compare %s: not a result that --json printed", o.compare)
	}
	if old.Scenario != scenario {
		return nil, fmt.Errorf("bench: --compare %s is of %s, this run of %s", o.compare, old.Scenario,
			scenario)
	}
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(setup)) {
		if was, ok := old.Setup[name]; ok && was != setup[name] {
			differ = append(differ, fmt.Sprintf("--%s was %s and is %s", name, was, setup[name]))
		}
	}
	if len(differ) > 0 {
		return nil, fmt.Errorf("bench: --compare %s is of another load: %s", o.compare,
			strings.Join(differ, "; "))
	}
	return &old, nil
}

// compare lists what both results have.
func compare(old, new *report) (list []comparison) {
	was := make(map[string]figure)
	for _, f := range old.figures() {
		was[f.Name] = f
	}
	for _, f := range new.figures() {
		o, ok := was[f.Name]
		if !ok {
			continue
		}
		c := comparison{Name: f.Name, Unit: f.Unit, Old: o.Value, New: f.Value}
		c.texts = [2]string{o.text(o.Value), f.text(f.Value)}
		if o.Value != 0 {
			c.Delta = 100 * (f.Value - o.Value) / o.Value
		}
		list = append(list, c)
	}
	return list
}

func writeComparison(w io.Writer, list []comparison) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-28s %14s %14s %9s\n", "compared", "old", "new", "delta")
	for _, c := range list {
		fmt.Fprintf(w, "%-28s %14s %14s %+8.1f%%\n", c.Name, c.texts[0], c.texts[1], c.Delta)
	}
}
