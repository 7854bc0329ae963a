// Check is the guard of the hot paths: `make bench-check` runs the benchmarks that are listed in
// paths.go a fixed number of rounds, counts what a round allocates and, under valgrind, how many
// instructions it takes, and compares that with golden.txt. It fails when something grew by more
// than 5 %, with a table of what grew, by how much, and what to do. It never looks at time.
//
//	go run ./bench/check            compare
//	go run ./bench/check -update    write golden.txt
//	go run ./bench/check -repeat 10 say how well the figures repeat
//
// How it counts, why so, and how well it repeats is in README.md.
//
// Map of the files: paths.go (what is guarded), run.go (building and running it), callgrind.go
// (reading valgrind's dumps), golden.go (the file of numbers), compare.go (what grew), repeat.go.
package main
