package main_test

import (
	"fmt"
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

// freePort is an address on which nobody listens now.
func freePort(t *testing.T) string {
	t.Helper()
	d := daemontest.Serve(t)
	d.Kill()
	_ = d.Wait() // killed
	return d.Addr
}
