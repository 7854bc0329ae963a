package bench

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencyMaxUs is the longest time that a histogram holds apart; longer ones count as this.
const latencyMaxUs = int64(10 * time.Minute / time.Microsecond)

// latency is an HDR histogram of microseconds with three significant digits. It travels between
// processes as pairs of slot and count (sparse), since most slots are empty.
type latency struct {
	h *hdrhistogram.Histogram
}

func newLatency() *latency {
	return &latency{h: hdrhistogram.New(1, latencyMaxUs, 3)}
}

// record counts a time in ns.
func (l *latency) record(ns int64) {
	us := min(max(ns/1000, 0), latencyMaxUs)
	if err := l.h.RecordValue(us); err != nil {
		panic(fmt.Sprintf("bench: clamped latency refused: %v", err))
	}
}

// pairs returns the filled slots as slot, count, slot, count.
func (l *latency) pairs() []int64 {
	var pairs []int64
	for slot, count := range l.h.Export().Counts {
		if count != 0 {
			pairs = append(pairs, int64(slot), count)
		}
	}
	return pairs
}

// addPairs merges what pairs gave in another process.
func (l *latency) addPairs(pairs []int64) error {
	s := l.h.Export()
	if len(pairs)%2 != 0 {
		return fmt.Errorf("bench: histogram of %d numbers", len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] < 0 || pairs[i] >= int64(len(s.Counts)) {
			return fmt.Errorf("bench: histogram slot %d", pairs[i])
		}
		s.Counts[pairs[i]] += pairs[i+1]
	}
	l.h = hdrhistogram.Import(s)
	return nil
}

// latencySummary is a histogram as people read it, in microseconds.
type latencySummary struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_us"`
	P50   int64   `json:"p50_us"`
	P90   int64   `json:"p90_us"`
	P99   int64   `json:"p99_us"`
	P999  int64   `json:"p999_us"`
	P9999 int64   `json:"p9999_us"`
	Max   int64   `json:"max_us"`

	curve []curvePoint // for a plot; nil = not asked for
}

// curvePoint is one point of the distribution as HDR plots have it: x counts nines.
type curvePoint struct {
	Nines float64 // -log10(1 - share): 1 = p90, 2 = p99
	Us    int64
}

// curve is the distribution as far as there are samples for it.
func (l *latency) curve() (points []curvePoint) {
	count := float64(l.h.TotalCount())
	for nines := 0.0; nines <= 6; nines += 0.1 {
		above := math.Pow(10, -nines)
		if above*count < 1 {
			break
		}
		points = append(points, curvePoint{nines, l.h.ValueAtQuantile(100 * (1 - above))})
	}
	return points
}

func (l *latency) summary() latencySummary {
	return latencySummary{
		Count: l.h.TotalCount(),
		Mean:  l.h.Mean(),
		P50:   l.h.ValueAtQuantile(50),
		P90:   l.h.ValueAtQuantile(90),
		P99:   l.h.ValueAtQuantile(99),
		P999:  l.h.ValueAtQuantile(99.9),
		P9999: l.h.ValueAtQuantile(99.99),
		Max:   l.h.Max(),
	}
}

func (s latencySummary) String() string {
	if s.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %v  p90 %v  p99 %v  p99.9 %v  p99.99 %v  max %v  (n=%d)",
		micros(s.P50), micros(s.P90), micros(s.P99), micros(s.P999), micros(s.P9999),
		micros(s.Max), s.Count)
}
