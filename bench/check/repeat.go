package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// repeat counts n times and writes how far the runs lie apart: the least, the middle and the
// most instructions of a round, and the most allocations beyond the least.
func repeat(b *builder, n int, w, progress io.Writer) error {
	var runs []*counts
	for range n {
		c := newCounts()
		if err := b.run(paths, c, progress); err != nil {
			return err
		}
		runs = append(runs, c)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "min\tmedian\tmax\tspread\tallocs min\tmax\tbytes min\tmax\t  path")
	for _, path := range slices.Sorted(maps.Keys(runs[0].of)) {
		var instr, allocs, bytes []float64
		for _, c := range runs {
			f := c.of[path]
			instr, allocs, bytes = append(instr, f.instr), append(allocs, f.allocs), append(bytes, f.bytes)
		}
		slices.Sort(instr)
		slices.Sort(allocs)
		slices.Sort(bytes)
		middle := instr[n/2]
		fmt.Fprintf(t, "%.1f\t%.1f\t%.1f\t%.2f %%\t%s\t%s\t%s\t%s\t  %s\n", instr[0], middle, instr[n-1],
			100*(instr[n-1]-instr[0])/max(middle, 1), short(allocs[0]), short(allocs[n-1]),
			short(bytes[0]), short(bytes[n-1]), path)
	}
	return t.Flush()
}
