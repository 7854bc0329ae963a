package main_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/internal/daemontest"
)

// daemonStarts is how long a daemon that cannot start may take to say so.
const daemonStarts = 30 * time.Second

func TestMain(m *testing.M) { os.Exit(daemontest.Main(m.Run)) }

// daemonProgram gives the path of the chskd program, built when first asked for.
func daemonProgram(t testing.TB) string {
	t.Helper()
	return daemontest.Program(t)
}

// daemon is a running chskd. It is stopped when its test ends.
type daemon struct {
	Addr   string // host:port of the channel socket
	API    string // path of the API socket
	PID    int
	Stderr func() string // what it printed so far, on both outputs
	Ended  func() error  // waits until it has ended: nil for exit status 0
}

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
	d := daemontest.ServeUnder(t, under, args...)
	// One that will not go fails its test.
	t.Cleanup(func() { d.End(t, syscall.SIGTERM) })
	return tested(d)
}

// tested is a daemon as these tests know it.
func tested(d *daemontest.Daemon) *daemon {
	return &daemon{Addr: d.Addr, API: d.API, PID: d.PID(), Stderr: d.Out.String, Ended: d.Wait}
}

// output collects what a process prints. Any goroutine.
type output = daemontest.Output
