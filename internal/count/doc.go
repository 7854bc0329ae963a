// Package count lets benchmarks be run a fixed number of times between two marks, so that what
// they cost can be counted instead of timed: allocations always, and under valgrind the
// instructions of their thread. It belongs to `make bench-check`; see bench/check/README.md.
//
// A benchmark that is guarded has Loop's Next for testing.B's Loop and is the same otherwise:
//
//	for loop := count.Loop(b, 1000); loop.Next(); {
//		work()
//	}
//
// Without the environment of the guard (Env) Next is b.Loop, and nothing else happens. With it
// the rounds are run once to fill pools, slabs and tables, and once more between the marks. What
// is reported is a round, as metrics of the benchmark: allocs/round, alloc-B/round, and rounds.
// Under valgrind each benchmark leaves a dump of callgrind's that has its name and its rounds
// (Label).
//
// It is not a way to measure time, and counts nothing but the goroutine that runs the benchmark,
// except for allocations, which are those of the process.
package count
