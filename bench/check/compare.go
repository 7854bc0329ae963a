package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// growth is how much of each figure may come without anybody having said so.
const growth = 1.05

// The runtime's own allocations, and those of goroutines that a benchmark started, are few in one
// benchmark, and not each time the same. So a growth below these is none.
const (
	strayAllocs, strayBytes             = 16, 8 << 10 // in all
	strayAllocsARound, strayBytesARound = 0.2, 16
)

// change is one figure that grew or shrank by more than growth, or a path that is new or gone.
type change struct {
	path, what string
	was, is    float64
}

func (c change) percent() string {
	if c.is > 10*c.was {
		return "from next to nothing"
	}
	return fmt.Sprintf("%+.1f %%", 100*(c.is/c.was-1))
}

// comparison is what came out.
type comparison struct {
	grew, shrank []change
	strays       []string // paths that are on one side only, with what that means
	instructions bool     // were compared
	why          string   // not
}

// compare holds is against was.
func compare(was, is *counts) *comparison {
	c := &comparison{instructions: true}
	switch {
	case is.counter == "none":
		c.why = "nothing counts them here, valgrind is missing"
	case was.machine != is.machine:
		c.why = fmt.Sprintf("the numbers are of %s, %s, %s; here is %s, %s, %s", was.goVersion, was.arch,
			was.counter, is.goVersion, is.arch, is.counter)
	}
	c.instructions = c.why == ""
	for _, path := range slices.Sorted(maps.Keys(was.of)) {
		if _, ok := is.of[path]; !ok {
			c.strays = append(c.strays, path+" is in golden.txt, but no benchmark has that name now")
			continue
		}
		c.figures(path, was.of[path], is.of[path])
	}
	for _, path := range slices.Sorted(maps.Keys(is.of)) {
		if _, ok := was.of[path]; !ok {
			c.strays = append(c.strays, path+" is not in golden.txt")
		}
	}
	return c
}

func (c *comparison) figures(path string, was, is figures) {
	if was.rounds != is.rounds {
		c.strays = append(c.strays, fmt.Sprintf("%s has %.0f rounds, golden.txt %.0f", path, is.rounds, was.rounds))
		return
	}
	if c.instructions {
		c.figure(path, "instructions", was.instr, is.instr, 0)
	}
	c.figure(path, "allocs", was.allocs, is.allocs, max(strayAllocs/is.rounds, strayAllocsARound))
	c.figure(path, "bytes", was.bytes, is.bytes, max(strayBytes/is.rounds, strayBytesARound))
}

// figure notes a change by more than growth and slack.
func (c *comparison) figure(path, what string, was, is, slack float64) {
	x := change{path, what, was, is}
	switch {
	case is > was*growth && is-was > slack:
		c.grew = append(c.grew, x)
	case was > is*growth && was-is > slack:
		c.shrank = append(c.shrank, x)
	}
}

// rowsOf are the rows whose package has something that grew.
func (c *comparison) rowsOf(rows []guarded) (out []guarded) {
	for _, g := range rows {
		if slices.ContainsFunc(c.grew, func(x change) bool {
			return strings.HasPrefix(x.path, g.pkg+".Benchmark")
		}) {
			out = append(out, g)
		}
	}
	return out
}

// ok says whether the guard passes. What became cheaper is no failure.
func (c *comparison) ok() bool { return len(c.grew)+len(c.strays) == 0 }

const advice = `
Find what was added: go test -run '^$' -bench BENCHMARK -cpuprofile cpu.out ./PACKAGE, or the change
that did it: git stash or bisect with make bench-check. When what it buys is worth it, say so in
the commit and write the new numbers with it: make bench-check UPDATE=1
`

// report writes the result for people.
func (c *comparison) report(w io.Writer, paths int) error {
	if !c.instructions {
		fmt.Fprintf(w, "bench-check: allocations only; instructions are not compared: %s\n", c.why)
	}
	if err := table(w, "grew by more than 5 %", c.grew); err != nil {
		return err
	}
	if err := table(w, "shrank by more than 5 %; make bench-check UPDATE=1 keeps it so", c.shrank); err != nil {
		return err
	}
	for _, s := range c.strays {
		fmt.Fprintf(w, "bench-check: %s; write it anew with make bench-check UPDATE=1\n", s)
	}
	switch {
	case len(c.grew) > 0:
		fmt.Fprint(w, advice)
	case c.ok() && c.instructions:
		fmt.Fprintf(w, "bench-check: %d paths, neither instructions nor allocations beyond golden.txt\n", paths)
	case c.ok():
		fmt.Fprintf(w, "bench-check: %d paths, no allocations beyond golden.txt\n", paths)
	}
	return nil
}

func table(w io.Writer, title string, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	fmt.Fprintf(w, "bench-check: %s\n", title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  path\tfigure of a round\twas\tis\tchange\n")
	for _, x := range changes {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", strings.Replace(x.path, ".Benchmark", " ", 1), x.what,
			short(x.was), short(x.is), x.percent())
	}
	return t.Flush()
}
