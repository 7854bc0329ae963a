package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/bench"
)

const statusLine = `\d+\.\ds ping +\d+ of 5 open, \d+/s, p50 \S+ p99 \S+ max \S+, server \d+% CPU \S+ MiB`

// While a run goes on there are lines, each of its own, where nobody looks at a terminal.
func TestStatusLines(t *testing.T) {
	s := startSente(t, "", "edn")
	var out, told bytes.Buffer
	runWith(t, s, &out, &told, "ping --conns 5 --rate 200 --duration 1s --status 100ms --pid "+self())
	lines := regexp.MustCompile(`(?m)^ *`+statusLine+`$`).FindAllString(told.String(), -1)
	if len(lines) < 2 || strings.Contains(told.String(), "\x1b") {
		t.Errorf("told %q", told.String())
	}
	told.Reset()
	runWith(t, s, &out, &told, "ping --conns 5 --rate 200 --duration 300ms --status -1s")
	if told.Len() != 0 {
		t.Errorf("asked to be quiet, told %q", told.String())
	}
}

// On a terminal one line is drawn anew, and taken away at the end.
func TestStatusOnATerminal(t *testing.T) {
	s := startSente(t, "", "edn")
	master, slave := terminal(t)
	read := make(chan string)
	go func() {
		var all []byte
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			all = append(all, b[:n]...)
			if err != nil || bytes.Contains(all, []byte("THE END")) {
				read <- string(all)
				return
			}
		}
	}()
	var out bytes.Buffer
	runWith(t, s, &out, slave, "ping --conns 5 --rate 200 --duration 1s --status 100ms --pid "+self())
	fmt.Fprint(slave, "THE END")
	told := <-read
	drawn := regexp.MustCompile("\r\x1b\\[K *"+statusLine).FindAllString(told, -1)
	if len(drawn) < 2 || strings.Contains(told, "\n") || !strings.HasSuffix(told, "\r\x1b[KTHE END") {
		t.Errorf("told %q", told)
	}
}

// terminal opens a new one: pty(7).
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
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
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func runWith(t *testing.T, s *sente, out, told interface{ Write([]byte) (int, error) }, line string) {
	t.Helper()
	c := bench.NewCommand()
	c.SetOut(out)
	c.SetErr(told)
	c.SetArgs(append(strings.Fields(line), "--url", s.url, "--settle", "0s"))
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
}
