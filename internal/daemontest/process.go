package daemontest

import (
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// shownLen is how much of what a process printed is shown when a test failed, in bytes.
	shownLen = 16 << 10
	// afterEnd is how long the outputs of a process that has ended may be held by a child of its.
	afterEnd = 3 * time.Second
)

// Process is a program that runs for a test. Any goroutine.
type Process struct {
	// Out is what it has printed so far on those outputs for which the test had no use of its own.
	Out *Output

	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended and err is set
	err   error
}

// Start starts a program that is killed when its test ends, and then shows what it printed if the
// test failed. Outputs that cmd has already are left as they are.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.endWith(t) })
	return p
}

func start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Out: new(Output), cmd: cmd, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.Out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.Out
	}
	cmd.WaitDelay = afterEnd
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// endWith is the end of a process with its test's.
func (p *Process) endWith(t testing.TB) {
	p.Kill()
	shown := p.Out.String()
	if !t.Failed() || shown == "" {
		return
	}
	if len(shown) > shownLen {
		shown = "..." + shown[len(shown)-shownLen:]
	}
	t.Logf("%s printed:\n%s", strings.Join(p.cmd.Args, " "), shown)
}

// PID is the process's id, also after it has ended.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended and all that it printed was read.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits until the process has ended: nil for exit status 0, else as [exec.Cmd.Wait].
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// Signal sends a signal. A process that has ended is left alone.
func (p *Process) Signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s) // os.ErrProcessDone
}

// End sends a signal and waits until the process has ended; one that does not is killed, and fails
// the test.
func (p *Process) End(t testing.TB, s syscall.Signal) {
	t.Helper()
	p.Signal(s)
	select {
	case <-p.ended:
	case <-time.After(Patience):
		p.Kill()
		t.Errorf("%s did not end on %v", strings.Join(p.cmd.Args, " "), s)
	}
}

// Kill ends the process, if it runs, and waits until it has ended.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Output collects what a process prints. Any goroutine.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes what was printed; it cannot fail.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

// String gives what was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
