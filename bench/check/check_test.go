package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// here is a machine whose instructions are counted.
var here = machine{goVersion: "go1.26.8", arch: "amd64", counter: "valgrind-3.19.0, some processor"}

func countsOf(m machine, of map[string]figures) *counts { return &counts{machine: m, of: of} }

func TestCompare(t *testing.T) {
	base := figures{rounds: 1000, instr: 3400, allocs: 3, bytes: 400}
	other := here
	other.goVersion = "go1.27.0"
	for _, c := range []struct {
		name   string
		m      machine
		change func(f *figures)
		ok     bool
		want   string // in the report
	}{
		{"the same", here, func(*figures) {}, true, "1 paths, neither instructions nor allocations beyond golden.txt"},
		{"5 % more instructions", here, func(f *figures) { f.instr = 3570 }, true, "beyond golden.txt"},
		{"6 % more instructions", here, func(f *figures) { f.instr = 3604 }, false,
			"engine Ping  instructions       3400  3604  +6.0 %"},
		{"6 % more instructions by another Go", other, func(f *figures) { f.instr = 3604 }, true,
			"allocations only; instructions are not compared: the numbers are of go1.26.8"},
		{"no counter", machine{counter: "none"}, func(f *figures) { f.instr = 0 }, true, "valgrind is missing"},
		{"one allocation more", here, func(f *figures) { f.allocs++ }, false, "+33.3 %"},
		{"one allocation more by another Go", other, func(f *figures) { f.allocs++ }, false, "+33.3 %"},
		{"what the runtime allocates beside it", here, func(f *figures) { f.allocs += 0.19; f.bytes += 15 }, true, ""},
		{"the first allocation", here, func(f *figures) { f.bytes = 4001 }, false, "from next to nothing"},
		{"larger allocations", here, func(f *figures) { f.bytes = 440 }, false, "bytes              400  440  +10.0 %"},
		{"fewer instructions", here, func(f *figures) { f.instr = 1700 }, true, "-50.0 %"},
		{"other rounds", here, func(f *figures) { f.rounds = 10 }, false, "has 10 rounds, golden.txt 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := base
			c.change(&is)
			got := compare(countsOf(here, map[string]figures{"engine.BenchmarkPing": base}),
				countsOf(c.m, map[string]figures{"engine.BenchmarkPing": is}))
			var out strings.Builder
			if err := got.report(&out, 1); err != nil {
				t.Fatal(err)
			}
			if got.ok() != c.ok {
				t.Errorf("ok is %v, want %v", got.ok(), c.ok)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("the report lacks %q:\n%s", c.want, out.String())
			}
			if !c.ok && !strings.Contains(out.String(), "UPDATE=1") {
				t.Errorf("the report does not say what to do:\n%s", out.String())
			}
		})
	}
}

func TestPathsThatAreNewOrGoneFail(t *testing.T) {
	one := countsOf(here, map[string]figures{"a.BenchmarkA": {rounds: 1}})
	two := countsOf(here, map[string]figures{"a.BenchmarkA": {rounds: 1}, "a.BenchmarkB": {rounds: 1}})
	if c := compare(one, two); c.ok() || len(c.strays) != 1 {
		t.Errorf("new: %+v", c)
	}
	if c := compare(two, one); c.ok() || len(c.strays) != 1 {
		t.Errorf("gone: %+v", c)
	}
}

func TestWhatGrewIsCountedAgain(t *testing.T) {
	rows := []guarded{{"auth", "x"}, {"auth/verifier", "x"}, {"engine", "x"}, {"engine", "y"}}
	c := &comparison{grew: []change{{path: "auth.BenchmarkCheck/client"}, {path: "engine.BenchmarkPing"}}}
	if got, want := c.rowsOf(rows), []guarded{rows[0], rows[2], rows[3]}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseBenchmarks(t *testing.T) {
	found, cpu, err := parseBenchmarks([]byte("goos: linux\ncpu: A CPU\n" +
		"BenchmarkPing/edn \t 1\t 0.06400 alloc-B/round\t 0.003000 allocs/round\t 1000 rounds\t 877752 B/op\n" +
		"BenchmarkBroadcast/edn/500 \t 1\t 178.0 alloc-B/round\t 1.060 allocs/round\t 14 ns/delivery\t 50.00 rounds\nPASS\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]figures{
		"BenchmarkPing/edn":          {rounds: 1000, allocs: 0.003, bytes: 0.064},
		"BenchmarkBroadcast/edn/500": {rounds: 50, allocs: 1.06, bytes: 178},
	}
	if !reflect.DeepEqual(found, want) || cpu != "A CPU" {
		t.Errorf("got %v of %q", found, cpu)
	}
	for _, bad := range []string{"PASS\n", "BenchmarkX \t 1\t 12 ns/op\n", "BenchmarkX \t 1\t x rounds\n"} {
		if _, _, err := parseBenchmarks([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestReadDumps(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"out":      "version: 1\ndesc: Trigger: Program termination\nsummary: 9\n",
		"out.1-01": "pid: 7\ndesc: Trigger: Client Request: BenchmarkA rounds=10\nevents: Ir\nsummary: 3850\nfn=(1)\n",
		"out.1-03": "desc: Trigger: Client Request: BenchmarkA rounds=10\nsummary: 12\n",
		"out.2-01": "desc: Trigger: Client Request: BenchmarkB rounds=1\nsummary: 40\n",
		"out.2-03": "desc: Trigger: Client Request: BenchmarkB rounds=1\nsummary: 18446744073705701604\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readDumps(dir)
	want := map[string]float64{"BenchmarkA rounds=10": 3850, "BenchmarkB rounds=1": 40}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestGoldenIsWrittenAsItIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "golden.txt")
	c := countsOf(here, map[string]figures{
		"engine.BenchmarkPing/edn":  {rounds: 1000, instr: 3425.4, allocs: 0.003, bytes: 0.064},
		"shard.BenchmarkBroadcast":  {rounds: 3, instr: 20962624.3, allocs: 2, bytes: 45.33},
		"engine.BenchmarkEchoReply": {rounds: 1000, instr: 11910.1, allocs: 3.004, bytes: 366},
	})
	if err := writeGolden(file, c); err != nil {
		t.Fatal(err)
	}
	got, err := readGolden(file)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("go: go1.26.8\nengine.BenchmarkPing 1 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readGolden(file); err == nil || !strings.Contains(err.Error(), "golden.txt:2") {
		t.Errorf("a line with too few columns: %v", err)
	}
}

// TestGoldenOfTheTree: the file in the tree has each row of paths.
func TestGoldenOfTheTree(t *testing.T) {
	c, err := readGolden("golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	if c.goVersion == "" || c.arch == "" || !strings.HasPrefix(c.counter, "valgrind-") {
		t.Errorf("of %+v", c.machine)
	}
	for path, f := range c.of {
		if f.rounds == 0 || f.instr == 0 {
			t.Errorf("%s: %+v", path, f)
		}
	}
	for _, g := range paths {
		rows := &comparison{}
		for path := range c.of {
			rows.grew = append(rows.grew, change{path: path})
		}
		if len(rows.rowsOf([]guarded{g})) == 0 {
			t.Errorf("nothing of %s is in golden.txt", g.pkg)
		}
	}
}
