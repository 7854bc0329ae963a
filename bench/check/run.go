package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/chskd/chskd/internal/count"
)

// figures are what a round of one benchmark costs.
type figures struct {
	rounds float64
	instr  float64 // 0: not counted
	allocs float64
	bytes  float64 // allocated
}

// least is the lower of each figure: what is beyond it in one of two runs came from elsewhere.
func (f figures) least(g figures) figures {
	return figures{f.rounds, min(f.instr, g.instr), min(f.allocs, g.allocs), min(f.bytes, g.bytes)}
}

// machine says what the figures depend on beside the code.
type machine struct {
	goVersion string
	arch      string
	counter   string // valgrind's version and the processor that it plays; "none"
}

// counts are the figures by "package.Benchmark/case".
type counts struct {
	machine
	of map[string]figures
}

// builder has the test binaries of the guarded packages.
type builder struct {
	dir      string
	valgrind string // path, "" for none
	version  string // valgrind's
}

func newBuilder(valgrind bool) (*builder, error) {
	b := &builder{}
	var err error
	if b.dir, err = os.MkdirTemp("", "bench-check-"); err != nil {
		return nil, err
	}
	if path, err := exec.LookPath("valgrind"); err == nil && valgrind && runtime.GOARCH == "amd64" {
		out, err := exec.Command(path, "--version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s --version: %w", path, err)
		}
		b.valgrind, b.version = path, strings.TrimSpace(string(out))
	}
	for i, g := range paths {
		if i > 0 && paths[i-1].pkg == g.pkg {
			continue
		}
		c := exec.Command("go", "test", "-c", "-o", b.binary(g.pkg), "./"+g.pkg)
		c.Env = append(os.Environ(), "CGO_ENABLED=0") // the C library has variants for processors
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", c.Args, err, out)
		}
	}
	return b, nil
}

func (b *builder) close() error { return os.RemoveAll(b.dir) }

func (b *builder) binary(pkg string) string {
	return filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "_")+".test")
}

// newCounts are those of no path.
func newCounts() *counts {
	return &counts{of: map[string]figures{},
		machine: machine{goVersion: runtime.Version(), arch: runtime.GOARCH, counter: "none"}}
}

// run counts once what rows has, and puts into all what is new or less. Progress gets a dot for
// each row.
func (b *builder) run(rows []guarded, all *counts, progress io.Writer) error {
	for _, g := range rows {
		fmt.Fprint(progress, ".")
		if err := b.count(g, all); err != nil {
			return fmt.Errorf("%s: %w", g.pkg, err)
		}
	}
	fmt.Fprintln(progress)
	return nil
}

// count runs the benchmarks of one package and adds their figures to all.
func (b *builder) count(g guarded, all *counts) error {
	dumps, err := os.MkdirTemp(b.dir, "dumps-")
	if err != nil {
		return err
	}
	args := []string{b.binary(g.pkg), "-test.run=^$", "-test.bench=" + g.bench, "-test.benchtime=1x"}
	if b.valgrind != "" {
		args = append([]string{b.valgrind, "--tool=callgrind", "--instr-atstart=no",
			"--separate-threads=yes", "--callgrind-out-file=" + filepath.Join(dumps, "out")}, args...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Dir = g.pkg
	// What makes Go's runtime do things at times of its own: the collector, preemption by
	// signals, other Ps.
	c.Env = append(os.Environ(), count.Env+"=1", "GOGC=off", "GOMEMLIMIT=off", "GOMAXPROCS=1",
		"GODEBUG=asyncpreemptoff=1")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("%v: %w\n%s%s", args, err, out, stderr.String())
	}
	found, cpu, err := parseBenchmarks(out)
	if err != nil {
		return err
	}
	instr := map[string]float64{}
	if b.valgrind != "" {
		all.counter = b.version + ", " + cpu
		if instr, err = readDumps(dumps); err != nil {
			return err
		}
	}
	for name, f := range found {
		if total, ok := instr[count.Label(name, int(f.rounds))]; ok {
			f.instr = total / f.rounds
		} else if b.valgrind != "" {
			return fmt.Errorf("valgrind says nothing of %s", name)
		}
		path := g.pkg + "." + name
		if before, ok := all.of[path]; ok {
			f = f.least(before)
		}
		all.of[path] = f
	}
	return nil
}

var benchmarkLine = regexp.MustCompile(`^(Benchmark\S+)\s+1\s+(.*)$`)

// parseBenchmarks reads what a run of the guard printed: the metrics of internal/count, and the
// name of the processor that the program saw.
func parseBenchmarks(out []byte) (found map[string]figures, cpu string, err error) {
	found = map[string]figures{}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if model, ok := strings.CutPrefix(line, "cpu: "); ok {
			cpu = model
		}
		m := benchmarkLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		var f figures
		metrics := map[string]*float64{"rounds": &f.rounds, "allocs/round": &f.allocs, "alloc-B/round": &f.bytes}
		words := strings.Fields(m[2])
		for i := 0; i+1 < len(words); i += 2 {
			if at := metrics[words[i+1]]; at != nil {
				if *at, err = strconv.ParseFloat(words[i], 64); err != nil {
					return nil, "", fmt.Errorf("%s: %w", line, err)
				}
			}
		}
		if f.rounds == 0 {
			return nil, "", fmt.Errorf("%s does not loop with internal/count", m[1])
		}
		found[m[1]] = f
	}
	if len(found) == 0 {
		return nil, "", errors.New("no benchmark ran")
	}
	return found, cpu, nil
}
