package daemontest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

// Daemon is a chskd that listens.
type Daemon struct {
	*Process
	Addr string // host:port of the channel socket
	API  string // path of the API socket

	args []string // as it was started
}

// Serve runs `chskd serve` with these flags, on a free port and with an API socket of its own unless
// they say otherwise, and returns when it listens.
func Serve(t testing.TB, flags ...string) *Daemon {
	t.Helper()
	return ServeUnder(t, nil, flags...)
}

// ServeUnder is [Serve] by a command that is given what to run, as "nice", and that becomes it.
func ServeUnder(t testing.TB, under []string, flags ...string) *Daemon {
	t.Helper()
	args, err := command(under, flags)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, args)
}

// Launch is [Serve] for examples, which have no testing.TB: whoever calls it kills the daemon.
func Launch(flags ...string) (*Daemon, error) {
	args, err := command(nil, flags)
	if err != nil {
		return nil, err
	}
	p, err := start(exec.Command(args[0], args[1:]...))
	if err != nil {
		return nil, err
	}
	d, err := listening(p)
	if err != nil {
		p.Kill()
	}
	return d, err
}

// command is the command line of a daemon. Of a flag that is there twice the last one counts.
func command(under, flags []string) ([]string, error) {
	program, err := build()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	return slices.Concat(under, []string{
		program, "serve", "--listen", "127.0.0.1:0", "--api-socket", filepath.Join(folder, "api.sock"),
	}, flags), nil
}

func run(t testing.TB, args []string) *Daemon {
	t.Helper()
	d := Await(t, Start(t, exec.Command(args[0], args[1:]...)))
	d.args = args
	return d
}

// Again starts a daemon that has ended with the flags that it had and these, which count more, and
// with the same API socket.
func (d *Daemon) Again(t testing.TB, flags ...string) {
	t.Helper()
	*d = *run(t, slices.Concat(d.args, []string{"--api-socket", d.API}, flags))
}

// Await waits until a process has said where it listens, as chskd does, also when another program
// runs it.
func Await(t testing.TB, p *Process) *Daemon {
	t.Helper()
	d, err := listening(p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var startLine = regexp.MustCompile(
	`(?m)^chskd \S+ listening on http://([^/\s]+)/\S*, API socket ([^,\n]+), `)

func listening(p *Process) (*Daemon, error) {
	for end := time.Now().Add(Patience); ; time.Sleep(5 * time.Millisecond) {
		if m := startLine.FindStringSubmatch(p.Out.String()); m != nil {
			return &Daemon{Process: p, Addr: m[1], API: m[2]}, nil
		}
		select {
		case <-p.Ended():
			return nil, fmt.Errorf("chskd ended before it listened: %v\n%s", p.Wait(), p.Out)
		default:
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("chskd did not say where it listens\n%s", p.Out)
		}
	}
}
