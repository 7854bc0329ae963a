package main_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestBench: the load tool's scenarios that need a backend, against the daemon. Its exit status
// says that nothing was lost, doubled or reordered, and that every echo was the right one.
func TestBench(t *testing.T) {
	d := startDaemon(t)
	named := startDaemon(t, "--auth", "dev")
	json := startDaemon(t, "--packer", "json")
	for _, c := range []struct {
		daemon     *daemon
		args, want string
	}{
		{d, "push --conns 50 --count 5000", "5000 of 128 B by line as fast as taken"},
		{d, "push --conns 50 --count 5000 --dialect http", "5000 of 128 B by http as fast as taken"},
		{d, "push --conns 50 --count 2000 --rate 5000 --flush", "2000 of 128 B by line at 5000/s"},
		{d, "push --conns 50 --count 5000 --burst 32 --per-process 20", "from 3 process(es)"},
		{json, "push --conns 50 --count 5000 --packer json", "5000 of 128 B by line"},
		{named, "push --conns 50 --count 5000 --uid user-{i} --url ?uid=user-{i}", "delivered"},
		{d, "echo --conns 50 --count 2000", "2000 of 64 B sent, 2000 answered"},
		{d, "echo --conns 50 --count 2000 --ack", "2000 answered"},
		{json, "echo --conns 50 --count 2000 --packer json", "2000 answered"},
	} {
		t.Run(c.args, func(t *testing.T) {
			url := "ws://" + c.daemon.Addr + "/chsk"
			args := strings.Fields(c.args)
			if last := args[len(args)-1]; last[0] == '?' {
				args[len(args)-1] = url + last
			} else {
				args = append(args, "--url", url)
			}
			args = append(args, "--api-socket", c.daemon.API, "--settle", "0s", "--duration", "1m")
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, daemonProgram(t),
				append([]string{"bench"}, args...)...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Error(fmt.Errorf("%w\n%s", err, out))
			}
		})
	}
}
