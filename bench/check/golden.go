package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

const goldenHead = `# What a round of each hot path costs. Written by make bench-check UPDATE=1, read by
# make bench-check; see README.md. A round is what the benchmark's loop has in it.
`

// readGolden reads a file of numbers.
func readGolden(path string) (*counts, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &counts{of: map[string]figures{}}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if err := c.readLine(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return c, nil
}

func (c *counts) readLine(line string) error {
	for key, to := range map[string]*string{"go: ": &c.goVersion, "arch: ": &c.arch, "counter: ": &c.counter} {
		if value, ok := strings.CutPrefix(line, key); ok {
			*to = value
			return nil
		}
	}
	w := strings.Fields(line)
	if len(w) != 5 {
		return fmt.Errorf("%d columns, want 5", len(w))
	}
	if w[0] == "path" {
		return nil
	}
	var n [4]float64
	for i, text := range w[1:] {
		var err error
		if n[i], err = strconv.ParseFloat(text, 64); err != nil {
			return err
		}
	}
	c.of[w[0]] = figures{rounds: n[0], instr: n[1], allocs: n[2], bytes: n[3]}
	return nil
}

// writeGolden writes c to a file.
func writeGolden(path string, c *counts) error {
	var b strings.Builder
	b.WriteString(goldenHead)
	fmt.Fprintf(&b, "go: %s\narch: %s\ncounter: %s\n", c.goVersion, c.arch, c.counter)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "path\trounds\tinstructions\tallocs\tbytes")
	for _, name := range slices.Sorted(maps.Keys(c.of)) {
		f := c.of[name]
		fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%s\t%s\n", name, f.rounds, f.instr, short(f.allocs), short(f.bytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// short is v with what is worth reading of it.
func short(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
