package count_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/count"
)

var kept []byte

// run is what a benchmark of work reports, and how often work was called.
func run(rounds int, work func()) (r testing.BenchmarkResult, calls int) {
	r = testing.Benchmark(func(b *testing.B) {
		calls = 0
		for loop := count.Loop(b, rounds); loop.Next(); {
			work()
			calls++
		}
	})
	return r, calls
}

func TestGuardRunsTheRoundsTwiceAndCountsTheSecond(t *testing.T) {
	t.Setenv(count.Env, "1")
	n := 0
	r, calls := run(100, func() {
		if n++; n%200 == 0 || n%200 > 100 { // of each 200 rounds the second 100
			kept = make([]byte, 4096)
		}
	})
	if calls != 200 {
		t.Errorf("%d rounds, want 100 to fill what fills and 100 that count", calls)
	}
	for metric, want := range map[string]float64{"rounds": 100, "allocs/round": 1, "alloc-B/round": 4096} {
		// What the runtime allocates at the same time is in it too.
		if got := r.Extra[metric]; got < want || got > want*1.2 {
			t.Errorf("%s: %v, want %v", metric, got, want)
		}
	}
}

func TestOutsideOfTheGuardItIsAnOrdinaryLoop(t *testing.T) {
	t.Setenv(count.Env, "")
	r, calls := run(3, func() { kept = make([]byte, 16) })
	if calls != r.N || calls <= 6 {
		t.Errorf("%d rounds, the benchmark says %d", calls, r.N)
	}
	if len(r.Extra) != 0 {
		t.Errorf("reports %v", r.Extra)
	}
	if r.AllocsPerOp() != 1 {
		t.Errorf("%d allocations a round, want 1", r.AllocsPerOp())
	}
}

func TestLabelHasNameAndRounds(t *testing.T) {
	if got := count.Label("BenchmarkPing/edn", 1000); got != "BenchmarkPing/edn rounds=1000" {
		t.Errorf("got %q", got)
	}
	if strings.Contains(count.Label("a", 1), "\n") {
		t.Error("a label is one line")
	}
}
