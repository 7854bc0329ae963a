package metrics_test

import (
	"testing"

	"github.com/chskd/chskd/metrics"
)

// TestHistogram: each value is in the first bucket whose bound is not below it, by either way.
func TestHistogram(t *testing.T) {
	const last = metrics.HistogramBuckets - 1
	for _, c := range []struct {
		v      uint64
		bucket int
	}{
		{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {250, 8}, {256, 8}, {257, 9},
		{1 << (last - 1), last - 1}, {1<<(last-1) + 1, last}, {1 << 63, last},
	} {
		var direct, tallied metrics.Histogram
		var tally metrics.Tally
		direct.Observe(c.v)
		tally.Observe(c.v, 1)
		tally.AddTo(&tallied)
		tally.AddTo(&tallied) // it began anew
		for name, h := range map[string]*metrics.Histogram{"direct": &direct, "tallied": &tallied} {
			for i := range h.Buckets {
				want := uint64(0)
				if i == c.bucket {
					want = 1
				}
				if got := h.Buckets[i].Load(); got != want {
					t.Errorf("%d, %s: bucket %d has %d, want %d", c.v, name, i, got, want)
				}
			}
			if got := h.Sum.Load(); got != c.v {
				t.Errorf("%d, %s: the sum is %d", c.v, name, got)
			}
		}
	}
}

// TestKindsHaveNames: every kind has a name of its own, and every code a kind.
func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range metrics.Closes {
		if c.String() == "" || seen[c.String()] {
			t.Errorf("close %d is called %q", c, c)
		}
		seen[c.String()] = true
	}
	for code, want := range map[uint16]string{
		1000: "1000", 1005: "1005", 1013: "1013", 4410: "4410", 4000: "4xxx", 4999: "4xxx",
		0: "other", 1004: "other", 3000: "other", 5000: "other", 65535: "other",
	} {
		if got := metrics.CloseOf(code).String(); got != want {
			t.Errorf("%d is counted as %s, want %s", code, got, want)
		}
	}
	for h := range metrics.Handshakes {
		if h.String() == "" {
			t.Errorf("handshake %d has no name", h)
		}
	}
	for tr := range metrics.Transports {
		if tr.String() == "" {
			t.Errorf("transport %d has no name", tr)
		}
	}
}

// TestSet: a gauge is what was set last.
func TestSet(t *testing.T) {
	var c metrics.Counter
	for _, n := range []uint64{3, 3, 0, 7} {
		if c.Set(n); c.Load() != n {
			t.Errorf("set to %d it is %d", n, c.Load())
		}
	}
}
