package bench_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chskd/chskd/bench"
)

// A threshold that is broken, or of something that the run does not tell, is an error that says so.
func TestThresholds(t *testing.T) {
	s := startSente(t, "", "edn")
	lossy := startSente(t, "lose", "edn")
	ping := []string{"ping", "--conns", "2", "--count", "50"}
	broadcast := []string{
		"broadcast", "--conns", "5", "--count", "6", "--rate", "200",
		"--api-socket", lossy.api, "--timeout", "1s",
	}
	cases := []struct {
		name string
		s    *sente
		args []string
		err  string
	}{
		{"kept", s, append(ping, "--max-p99", "1m", "--max-p50", "1m", "--max-p999", "1m",
			"--max-cpu-us", "1e9", "--min-rate", "0.001", "--pid", self()), ""},
		{"p99", s, append(ping, "--max-p99", "1us"), "--max-p99: ping latency p99 is"},
		{"p99.9", s, append(ping, "--max-p999", "1us"), "--max-p999: ping latency p99.9 is"},
		{"CPU", s, append(ping, "--max-cpu-us", "0.001", "--pid", self()),
			"--max-cpu-us: ping server CPU"},
		{"rate", s, append(ping, "--min-rate", "1e9"), "--min-rate: ping round trips is"},
		{"CPU without a pid", s, append(ping, "--max-cpu-us", "1"), "does not tell"},
		{"RSS of pings", s, append(ping, "--max-rss", "1"), "does not tell"},
		{"loss", lossy, broadcast, "1 events lost"},
		{"loss that is allowed", lossy, append(broadcast, "--max-loss", "5"), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.s == lossy {
				lossy.restart()
			}
			_, err := run(t, c.s, c.args...)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	s := startSente(t, "", "edn")
	old := filepath.Join(t.TempDir(), "old.json")
	out := command(t, s, "ping --conns 2 --count 50 --json")
	if err := os.WriteFile(old, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	text := command(t, s, "ping --conns 2 --count 80 --compare "+old)
	for _, want := range []string{"compared", "old", "delta", "ping latency p99.99"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r, err := run(t, s, "ping", "--conns", "2", "--count", "50", "--compare", old)
	if err != nil || len(r.Comparison) == 0 || r.Comparison[0].Name != "handshakes" ||
		r.Comparison[0].Old <= 0 || r.Comparison[0].New <= 0 {
		t.Errorf("%+v, %v", r.Comparison, err)
	}
	for args, want := range map[string]string{
		"ping --conns 3":                    "another load: --conns was 2 and is 3",
		"ping --conns 2 --outstanding 1":    "another load: --outstanding was 0 and is 1",
		"ping --conns 2 --packer gzip-edn":  "another load: --packer was edn and is gzip-edn",
		"echo --conns 2 --api-socket /none": "is of ping, this run of echo",
	} {
		_, err := run(t, s, append(strings.Fields(args), "--compare", old)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	if err := os.WriteFile(old, []byte(`{"a":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, s, "ping", "--conns", "2", "--compare", old); err == nil {
		t.Error("any JSON passes as a result")
	}
}

// command runs one and gives what it prints.
func command(t *testing.T, s *sente, line string) string {
	t.Helper()
	var out, told bytes.Buffer
	c := bench.NewCommand()
	c.SetOut(&out)
	c.SetErr(&told)
	c.SetArgs(append(strings.Fields(line), "--url", s.url, "--settle", "0s"))
	if err := c.Execute(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, told.String())
	}
	return out.String()
}

// Every scenario shows examples, and their flags are its own.
func TestExamples(t *testing.T) {
	root := bench.NewCommand()
	examples := root.Example
	for _, c := range root.Commands() {
		if !c.Hidden {
			if !strings.Contains(c.Example, "chskd bench "+c.Name()) {
				t.Errorf("%s has no example", c.Name())
			}
			examples += "\n" + c.Example
		}
	}
	for line := range strings.Lines(examples) {
		_, line, found := strings.Cut(line, "chskd bench ")
		if !found {
			continue
		}
		line, _, _ = strings.Cut(line, " #")
		line, _, _ = strings.Cut(line, " >")
		line = strings.ReplaceAll(line, "$(pidof chskd)", "1")
		c, args, err := bench.NewCommand().Find(strings.Fields(line))
		if err == nil {
			err = c.ParseFlags(args)
		}
		if err != nil || !c.HasParent() {
			t.Errorf("%s: %v", line, err)
		}
	}
}
