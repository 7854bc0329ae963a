package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/internal/daemontest"
)

func TestMain(m *testing.M) { os.Exit(daemontest.Main(m.Run)) }

var built struct {
	sync.Once
	path string
	err  error
}

// program is the path of the command, built when first asked for.
func program(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		built.path = filepath.Join(daemontest.Folder(t), "million")
		out, err := exec.Command("go", "build", "-o", built.path, ".").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// command is a run with a report in the folder that is returned.
func command(t *testing.T, args ...string) (cmd *exec.Cmd, report string) {
	t.Helper()
	report = filepath.Join(t.TempDir(), "report")
	args = append([]string{"--chskd", daemontest.Program(t), "--report", report}, args...)
	cmd = exec.Command(program(t), args...)
	// Sockets and logs go where the test sees whether they are taken away.
	cmd.Env = append(os.Environ(), "TMPDIR="+daemontest.Folder(t))
	return cmd, report
}

type result struct {
	Conns, Servers int
	Load           int `json:"load_processes"`
	Connect        struct{ Each []int }
	Memory         struct {
		PerConn map[string]float64 `json:"per_connection"`
	}
	Hold      struct{ Pings, Closed int }
	Push      struct{ Sent, Answered int }
	Broadcast struct{ Expected, Answered int }
	Seen      struct {
		Events                   [2]int
		Lost, Doubled, Reordered int
	}
	Faults []string
}

// play runs to the end and gives the result.
func play(t *testing.T, args ...string) *result {
	t.Helper()
	cmd, report := command(t, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(report + ".json")
	if err != nil {
		t.Fatal(err)
	}
	r := &result{}
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if md, err := os.ReadFile(report + ".md"); err != nil || !bytes.Contains(out, md) {
		t.Errorf("the report is not what was printed: %v\n%s", err, md)
	} else {
		t.Logf("%s", md)
	}
	leavesNothing(t, cmd)
	return r
}

// leavesNothing fails when a run has left a file or a process behind: each process of a run names
// the run's folder among its arguments, or was started in it.
func leavesNothing(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	dir := ""
	for _, v := range cmd.Env {
		dir, _ = strings.CutPrefix(v, "TMPDIR=") // the last one counts
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte("TMPDIR="+dir)) {
			t.Errorf("%s is still there", filepath.Dir(path))
		}
	}
}

// good checks a run in which nothing may have gone wrong.
func good(t *testing.T, r *result, conns int) {
	t.Helper()
	each := 0
	for _, n := range r.Connect.Each {
		each += n
	}
	if r.Conns != conns || each != conns || len(r.Connect.Each) != r.Servers {
		t.Errorf("%d connections, %v at the chskd; want %d", r.Conns, r.Connect.Each, conns)
	}
	if r.Push.Sent == 0 || r.Push.Answered != r.Push.Sent || r.Seen.Events[0] != r.Push.Sent {
		t.Errorf("%+v, %+v", r.Push, r.Seen)
	}
	if r.Broadcast.Answered != r.Servers || r.Broadcast.Expected != conns ||
		r.Seen.Events[1] != conns {
		t.Errorf("%+v, %+v", r.Broadcast, r.Seen)
	}
	if len(r.Faults) > 0 || r.Seen.Lost+r.Seen.Doubled+r.Seen.Reordered+r.Hold.Closed > 0 {
		t.Errorf("%v, %+v, %+v", r.Faults, r.Seen, r.Hold)
	}
}

// A small one, in which no process may have many files, so that there are several of each kind.
func TestSmall(t *testing.T) {
	r := play(t, "--conns=900", "--fds=500", "--hold=6s", "--kalive=2s", "--ping-timeout=1m",
		"--rate=300", "--min-free=1", "--exact")
	good(t, r, 900)
	if r.Servers < 3 || r.Load < 3 {
		t.Errorf("%d chskd, %d load processes", r.Servers, r.Load)
	}
	if r.Hold.Pings == 0 {
		t.Error("no connection was pinged")
	}
}

func TestOneProcess(t *testing.T) {
	r := play(t, "--conns=100", "--hold=1s", "--rate=300", "--min-free=1", "--exact")
	if good(t, r, 100); r.Servers != 1 || r.Load != 1 {
		t.Errorf("%d chskd, %d load processes", r.Servers, r.Load)
	}
}

// Whatever ends a run, all that it has started ends.
func TestInterrupted(t *testing.T) {
	for name, during := range map[string]string{
		"by Ctrl-C at the start": "source addresses",
		"by Ctrl-C in the hold":  "holding",
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := command(t, "--conns=300", "--hold=10m", "--min-free=1")
			out := &daemontest.Output{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Kill() // it has ended, unless the test has failed
			}()
			daemontest.Eventually(t, during, func() bool { return strings.Contains(out.String(), during) })
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "interrupted") {
				t.Errorf("it ends with %v\n%s", err, out)
			}
			leavesNothing(t, cmd)
		})
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--chskd=/bin/false"}, "chskd-0 (pid "},
		{[]string{"--chskd=/nowhere/chskd"}, "no such file"},
		{[]string{"--conns=1000000", "--fds=64"}, "ulimit -Hn"},
		{[]string{"--min-free=100000000"}, "no connection fits"},
		{[]string{"--conns=0"}, "1 to 16000000"},
		{[]string{"--servers=5000"}, "at most 1000"},
		{[]string{"surplus"}, "no argument"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			cmd, _ := command(t, append([]string{"--conns=10", "--hold=1s"}, c.args...)...)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.want) {
				t.Errorf("it ends with %v\n%s", err, out)
			}
			leavesNothing(t, cmd)
		})
	}
}

// Only --check looks, and starts nothing.
func TestCheck(t *testing.T) {
	cmd, report := command(t, "--check", "--conns=1000", "--fds=600", "--min-free=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\n1,000 connections: ") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(report + ".json"); err == nil {
		t.Error("there is a report")
	}
}

// The long test: what `make million` does, at a tenth of its size and with a short hold.
func TestLong(t *testing.T) {
	if os.Getenv("CHSKD_LONG") == "" || testing.Short() {
		t.Skip("CHSKD_LONG=1 opens 100,000 connections")
	}
	began := time.Now()
	good(t, play(t, "--conns=100000", "--hold=20s", "--ping-timeout=1m", "--min-free=256",
		"--exact"), 100_000)
	t.Logf("took %v", time.Since(began).Round(time.Second))
}
