package main_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/daemontest"
)

// A port has one daemon, unless all that listen on it say that they share it.
func TestReusePort(t *testing.T) {
	alone := daemontest.Serve(t)
	shared := daemontest.Serve(t, "--listen", freePort(t), "--reuse-port")
	for _, c := range []struct {
		addr string
		args []string
		ok   bool
	}{
		{alone.Addr, nil, false},
		{shared.Addr, nil, false},
		{shared.Addr, []string{"--reuse-port"}, true},
		{freePort(t), nil, true},
	} {
		t.Run(fmt.Sprint(c.addr, c.args), func(t *testing.T) {
			if c.ok {
				d := daemontest.Serve(t, append(c.args, "--listen", c.addr)...)
				if d.Addr != c.addr {
					t.Errorf("it listens on %s", d.Addr)
				}
				return
			}
			socket := filepath.Join(daemontest.Folder(t), "s")
			_, errs, code := runCommand(t, "", append([]string{"serve", "--listen", c.addr,
				"--api-socket", socket}, c.args...)...)
			if code != 1 || !strings.Contains(errs, "address already in use") {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
}

// TestPortOutlived: what a daemon leaves of its conns does not keep the next one from its port,
// however it ended.
func TestPortOutlived(t *testing.T) {
	d := daemontest.Serve(t)
	for range 3 {
		for range 8 {
			c, err := net.Dial("tcp", d.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte(rawUpgrade("/chsk?client-id=c"))); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, make([]byte, 12)); err != nil {
				t.Fatal(err)
			}
			// Unread: the kernel goes on with the conn when its process is gone.
		}
		d.Kill()
		_ = d.Wait() // killed
		d = daemontest.Serve(t, "--listen", d.Addr)
	}
}

// freePort is an address on which nobody listens now.
func freePort(t *testing.T) string {
	t.Helper()
	d := daemontest.Serve(t)
	d.Kill()
	_ = d.Wait() // killed
	return d.Addr
}
