package main_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/internal/daemontest"
)

// The command line as scripts use it: the program itself, its exit codes and what it prints, against
// a daemon.
//
//	cli_push_test.go    push - : many pushes from the standard input
//	cli_events_test.go  events --follow: daemons that come and go
//	cli_help_test.go    every example of --help, as it stands there

// command is a running chskd command.
type command struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *output
	errs *output
	done <-chan struct{}
}

// startCommand runs a command; its input is what the test writes to in, until that is closed.
// tune changes how it is started.
func startCommand(t *testing.T, args []string, tune ...func(*exec.Cmd)) *command {
	t.Helper()
	c := &command{
		t: t, cmd: exec.Command(daemonProgram(t), args...), out: new(output), errs: new(output),
	}
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.errs
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in = in
	for _, change := range tune {
		change(c.cmd)
	}
	c.done = daemontest.Start(t, c.cmd).Ended()
	return c
}

// runCommand runs a command with an input to its end.
func runCommand(t *testing.T, in string, args ...string) (out, errs string, code int) {
	t.Helper()
	c := startCommand(t, args)
	c.say(in)
	if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	code = c.end()
	return c.out.String(), c.errs.String(), code
}

// say writes to the input. A command that does not read any more is none of its concern.
func (c *command) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, text); err != nil && !errors.Is(err, unix.EPIPE) {
		c.t.Fatal(err)
	}
}

// end waits until the command has ended, and gives its exit code.
func (c *command) end() int {
	c.t.Helper()
	<-c.done
	return c.cmd.ProcessState.ExitCode()
}

// awaitText waits until a text is in what was printed.
func awaitText(t *testing.T, o *output, text string) {
	t.Helper()
	waitFor(t, func() error {
		if printed := o.String(); !strings.Contains(printed, text) {
			return fmt.Errorf("%q is not in %.2000q", text, printed)
		}
		return nil
	})
}

// shortPath is a path that a socket can have.
func shortPath(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(daemontest.Folder(t), name)
}

// terminal gives the two ends of a new pseudo-terminal (pty(7)), and collects what is shown on it.
func terminal(t *testing.T) (slave *os.File, shown *output) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	shown = new(output)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(shown, master) // ends with EIO once no process has the other end
	}()
	t.Cleanup(func() {
		slave.Close()
		<-ended
		master.Close()
	})
	return slave, shown
}
