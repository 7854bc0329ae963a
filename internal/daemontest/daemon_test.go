package daemontest_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/chskd/chskd/internal/daemontest"
)

func TestMain(m *testing.M) { os.Exit(daemontest.Main(m.Run)) }

func TestServe(t *testing.T) {
	d := daemontest.Serve(t, "--drain-ms", "100", "--packer", "json")
	one := d.Process
	reach(t, d, true)
	d.End(t, syscall.SIGTERM)
	if err := d.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	reach(t, d, false)

	addr, api := d.Addr, d.API
	d.Again(t, "--listen", addr)
	if d.Addr != addr || d.API != api || d.PID() == one.PID() {
		t.Errorf("it is at %s, %s with pid %d; was at %s, %s with pid %d",
			d.Addr, d.API, d.PID(), addr, api, one.PID())
	}
	if !strings.Contains(d.Out.String(), ", packer json, ") {
		t.Errorf("its flags are forgotten: %s", d.Out)
	}
	reach(t, d, true)
	d.Kill()
	if err := d.Wait(); err == nil {
		t.Error("killed, it ended with status 0")
	}
}

// A daemon is gone when its test is over.
func TestServeEndsWithItsTest(t *testing.T) {
	var d *daemontest.Daemon
	t.Run("one that is not ended", func(t *testing.T) { d = daemontest.Serve(t) })
	reach(t, d, false)
}

func TestLaunch(t *testing.T) {
	if d, err := daemontest.Launch("--packer", "none"); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a daemon that cannot start gives %v, %v", d, err)
	}
	d, err := daemontest.Launch()
	if err != nil {
		t.Fatal(err)
	}
	reach(t, d, true)
	d.Kill()
	reach(t, d, false)
}

// What holds the outputs of a process does not hold its end.
func TestProcessWithChild(t *testing.T) {
	p := daemontest.Start(t, exec.Command("sh", "-c", "sleep 60 & echo $!; exit 3"))
	err := p.Wait()
	if err == nil || err.Error() != "exit status 3" {
		t.Errorf("it ended with %v", err)
	}
	if err := exec.Command("kill", strings.TrimSpace(p.Out.String())).Run(); err != nil {
		t.Errorf("its child %s: %v", p.Out, err)
	}
}

// reach tells whether the daemon is there on both of its sockets.
func reach(t *testing.T, d *daemontest.Daemon, want bool) {
	t.Helper()
	for network, addr := range map[string]string{"tcp": d.Addr, "unix": d.API} {
		conn, err := net.Dial(network, addr)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != want {
			t.Errorf("dial %s: %v", addr, err)
		}
	}
}
