package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	daemonStarts = 30 * time.Second
	daemonStops  = 30 * time.Second
)

// buildFolder holds the program for the time of the tests.
var buildFolder string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "chskd-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	buildFolder = folder
	return m.Run()
}

var buildOnce = sync.OnceValues(func() (string, error) {
	program := filepath.Join(buildFolder, "chskd")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// daemonProgram gives the path of the chskd program, built when first asked for.
func daemonProgram(t testing.TB) string {
	t.Helper()
	program, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// daemon is a running chskd. It is stopped when its test ends.
type daemon struct {
	Addr   string // host:port of the channel socket
	API    string // path of the API socket
	PID    int
	Stderr func() string // what it printed so far, on both outputs
	Ended  func() error  // waits until it has ended: nil for exit status 0
}

var startLine = regexp.MustCompile(
	`(?m)^chskd \S+ listening on http://([^/\s]+)/\S*, API socket ([^,\n]+), `)

// startDaemon runs `chskd serve` on a free port of 127.0.0.1 with an API socket of its own, and
// returns when it listens.
func startDaemon(t testing.TB, args ...string) *daemon {
	t.Helper()
	return startDaemonUnder(t, nil, args...)
}

// startDaemonUnder is startDaemon by a command that is given what to run, as "nice", and that
// becomes it.
func startDaemonUnder(t testing.TB, under []string, args ...string) *daemon {
	t.Helper()
	// Not t.TempDir: its names are too long for a socket's path.
	folder, err := os.MkdirTemp(buildFolder, "d")
	if err != nil {
		t.Fatal(err)
	}
	out := new(output)
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--api-socket", filepath.Join(folder, "api.sock"),
	}, args...)
	args = slices.Concat(under, []string{daemonProgram(t)}, args)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stopDaemon(t, cmd, ended, out) })

	for deadline := time.Now().Add(daemonStarts); ; time.Sleep(5 * time.Millisecond) {
		if m := startLine.FindStringSubmatch(out.String()); m != nil {
			return &daemon{
				Addr: m[1], API: m[2], PID: cmd.Process.Pid, Stderr: out.String,
				Ended: func() error { return lastOf(ended) },
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("chskd ended before it listened: %v\n%s", err, out)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("chskd did not say where it listens\n%s", out)
		}
	}
}

// lastOf waits for the one value of a channel, and leaves it there for others.
func lastOf(ended chan error) error {
	err := <-ended
	ended <- err
	return err
}

// stopDaemon ends a daemon that still runs; one that will not go fails the test.
func stopDaemon(t testing.TB, cmd *exec.Cmd, ended chan error, out *output) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-ended:
	case <-time.After(daemonStops):
		_ = cmd.Process.Kill()
		<-ended
		t.Errorf("chskd did not end on SIGTERM\n%s", out)
	}
}

// output collects what a process prints. Any goroutine.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
