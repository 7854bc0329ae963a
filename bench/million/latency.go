package main

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latency is an HDR histogram of microseconds with three significant digits. Between processes it
// travels as pairs of slot and count.
type latency struct{ h *hdrhistogram.Histogram }

const latencyMaxUs = int64(10 * time.Minute / time.Microsecond)

func newLatency() latency { return latency{hdrhistogram.New(1, latencyMaxUs, 3)} }

func (l latency) record(ns int64) {
	if err := l.h.RecordValue(min(max(ns/1000, 0), latencyMaxUs)); err != nil {
		panic(fmt.Sprintf("million: a clamped latency is refused: %v", err))
	}
}

func (l latency) pairs() (list []int64) {
	for slot, n := range l.h.Export().Counts {
		if n != 0 {
			list = append(list, int64(slot), n)
		}
	}
	return list
}

// addPairs adds what pairs of this very program gave.
func (l *latency) addPairs(list []int64) {
	s := l.h.Export()
	for i := 0; i+1 < len(list); i += 2 {
		s.Counts[list[i]] += list[i+1]
	}
	l.h = hdrhistogram.Import(s)
}

// quantiles is a histogram as people read it, in microseconds.
type quantiles struct {
	Count int64 `json:"count"`
	P50   int64 `json:"p50_us"`
	P90   int64 `json:"p90_us"`
	P99   int64 `json:"p99_us"`
	P999  int64 `json:"p999_us"`
	Max   int64 `json:"max_us"`
}

func (l latency) quantiles() quantiles {
	q := l.h.ValueAtQuantile
	return quantiles{l.h.TotalCount(), q(50), q(90), q(99), q(99.9), l.h.Max()}
}

func (q quantiles) String() string {
	if q.Count == 0 {
		return "none"
	}
	us := func(n int64) time.Duration {
		d := time.Duration(n) * time.Microsecond
		if d > time.Second {
			return d.Round(10 * time.Millisecond)
		}
		return d.Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, p99.9 %v, max %v", us(q.P50), us(q.P90), us(q.P99),
		us(q.P999), us(q.Max))
}
