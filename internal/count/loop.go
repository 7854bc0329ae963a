package count

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Env is the environment variable that says, with any value, that this is a run of the guard. The
// collector must be off in it (GOGC=off), because it empties pools.
const Env = "CHSKD_COUNT"

// settle is how long other goroutines, which benchmarks may have started, have to do what they
// begin with; it is no promise, and not needed for right figures of the benchmark's thread.
const settle = 5 * time.Millisecond

// Label is the name of the dump of a benchmark: its name, as b.Name, and the rounds counted.
func Label(benchmark string, rounds int) string {
	return fmt.Sprintf("%s rounds=%d", benchmark, rounds)
}

// Rounds is the loop of one benchmark. Its methods belong to the benchmark's goroutine.
type Rounds struct {
	b      *testing.B
	left   int // of this pass; not used outside of the guard
	rounds int // 0 outside of the guard
	passes int // begun
	before runtime.MemStats
}

// Loop begins a loop of b that the guard runs twice rounds times, from 1; b must not call
// b.Loop or use b.N beside it.
func Loop(b *testing.B, rounds int) *Rounds {
	b.ReportAllocs()
	r := &Rounds{b: b}
	if os.Getenv(Env) != "" {
		r.rounds = rounds
		runtime.LockOSThread() // instructions are those of a thread
	}
	return r
}

// Next says whether there is another round. The way that is taken within a pass is small
// enough to be inlined, so that it weighs little in the figures of small operations.
func (r *Rounds) Next() bool {
	if r.left--; r.left > 0 {
		return true
	}
	return r.turn()
}

func (r *Rounds) turn() bool {
	if r.rounds == 0 {
		r.left = 0
		return r.b.Loop()
	}
	r.passes++
	switch r.passes {
	case 1:
		r.left = r.rounds
		return true
	case 2:
		r.left = r.rounds
		r.begin()
		return true
	}
	r.end()
	return false
}

// begin and end read the allocations outside of the instructions' marks: reading them stops the
// world, which costs some thousands.
func (r *Rounds) begin() {
	time.Sleep(settle)
	runtime.ReadMemStats(&r.before)
	startCounting()
}

func (r *Rounds) end() {
	stopCounting(Label(r.b.Name(), r.rounds))
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	n := float64(r.rounds)
	r.b.ReportMetric(float64(after.Mallocs-r.before.Mallocs)/n, "allocs/round")
	r.b.ReportMetric(float64(after.TotalAlloc-r.before.TotalAlloc)/n, "alloc-B/round")
	r.b.ReportMetric(n, "rounds")
	r.b.ReportMetric(0, "ns/op")
	runtime.UnlockOSThread()
}
