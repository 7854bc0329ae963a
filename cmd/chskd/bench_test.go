package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// runBench runs the load tool against a daemon. Its exit status says that nothing was lost, doubled
// or reordered, and that every echo was the right one.
func runBench(t *testing.T, d *daemon, path, line string) (stdout string) {
	t.Helper()
	args := append([]string{"bench"}, strings.Fields(line)...)
	// A client has its handshake before the home of its user knows of it, and what is pushed to a
	// user between the two is for nobody: so the first push waits.
	args = append(args, "--url", "ws://"+d.Addr+"/chsk"+path, "--api-socket", d.API,
		"--settle", "200ms", "--status", "-1s")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, daemonProgram(t), args...)
	out, err := cmd.Output()
	if err != nil {
		said := ""
		if exit, ok := err.(*exec.ExitError); ok {
			said = string(exit.Stderr)
		}
		t.Fatal(fmt.Errorf("%s: %w\n%s%s", line, err, out, said))
	}
	return string(out)
}

// TestBench: the load tool's scenarios that need a backend, against the daemon.
func TestBench(t *testing.T) {
	d := startDaemon(t)
	named := startDaemon(t, "--auth", "dev")
	json := startDaemon(t, "--packer", "json")
	for _, c := range []struct {
		daemon           *daemon
		path, args, want string
	}{
		{d, "", "push --conns 50 --count 5000", "5000 of 128 B by line as fast as taken"},
		{d, "", "push --conns 50 --count 5000 --dialect http", "5000 of 128 B by http as fast as taken"},
		{d, "", "push --conns 50 --count 2000 --rate 5000 --flush", "2000 of 128 B by line at 5000/s"},
		{d, "", "push --conns 50 --count 5000 --burst 32 --per-process 20", "from 3 process(es)"},
		{json, "", "push --conns 50 --count 5000 --packer json", "5000 of 128 B by line"},
		{named, "?uid=user-{i}", "push --conns 50 --count 5000 --uid user-{i}", "delivered"},
		{named, "?uid=user-{i}", "topic --conns 50 --topics 7 --count 100 --uid user-{i}", "delivered"},
		{d, "", "push --conns 50 --count 3000 --polls 50", "3000 of 128 B by line"},
		{d, "", "broadcast --conns 50 --count 10 --polls 50", "500 deliveries of 500"},
		{d, "", "echo --conns 50 --count 2000", "2000 of 64 B sent, 2000 answered"},
		{d, "", "echo --conns 50 --count 2000 --ack", "2000 answered"},
		{d, "", "echo --conns 50 --rate 1000 --count 500", "500 answered"},
		{json, "", "echo --conns 50 --count 2000 --packer json", "2000 answered"},
		{d, "", "idle --conns 50 --polls 100 --from 10 --step 40 --duration 1s", "per client"},
	} {
		t.Run(c.args, func(t *testing.T) {
			args := c.args
			if !strings.Contains(args, "--duration") {
				args += " --duration 1m"
			}
			if out := runBench(t, c.daemon, c.path, args); !strings.Contains(out, c.want) {
				t.Errorf("no %q in\n%s", c.want, out)
			}
		})
	}
}

// benchResult is what --json prints, as far as these tests look.
type benchResult struct {
	Ping, Echo, Post *struct {
		Sent, Answered int64
		Latency        struct{ Count int64 }
	}
	Join *struct{ Joins int64 }
	Push *struct {
		Pushed, Expected int64
		ToUsers          int64 `json:"to_users"`
		ToAll            int64 `json:"to_all"`
		ToTopics         int64 `json:"to_topics"`
		Seen             struct {
			Events, Lost int64
			LostOutside  int64 `json:"lost_outside"`
			Again        int64 `json:"doubled_leaving"`
		}
	}
	Churn *struct{ Left, Back, Inside, Outside int64 }
	Polls int64                       `json:"polls_answered"`
	CPU   *struct{ Operations int64 } `json:"server_cpu"`
}

func benchJSON(t *testing.T, d *daemon, path, line string) (r benchResult) {
	t.Helper()
	out := runBench(t, d, path, line+" --json")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// Every member of every topic gets each push to it, and nobody else does.
func TestBenchTopic(t *testing.T) {
	d := startDaemon(t)
	for _, args := range []string{
		"--each 1 --rate 200", "--each 3 --rate 200 --per-process 20", "--each 3 --rate 0 --polls 30",
	} {
		r := benchJSON(t, d, "", "topic --conns 50 --topics 10 --count 100 --duration 1m "+args)
		each := int64(1)
		if strings.Contains(args, "each 3") {
			each = 3
		}
		p := r.Push
		if r.Join.Joins != 50*each || p.ToTopics != 100 || p.Expected != 100*5*each ||
			p.Seen.Events != p.Expected {
			t.Errorf("%s: %+v %+v", args, r.Join, p)
		}
	}
}

func TestBenchPoll(t *testing.T) {
	d := startDaemon(t)
	r := benchJSON(t, d, "", "poll --conns 40 --rate 200 --posts 100 --duration 1s --per-process 25")
	p := r.Push
	if p.Pushed != 200 || p.Seen.Events != 200 || r.Post.Sent < 98 || r.Post.Sent > 100 ||
		r.Post.Answered != r.Post.Sent || r.Post.Latency.Count != r.Post.Sent || r.Polls < 40 {
		t.Errorf("%+v %+v %d", p, r.Post, r.Polls)
	}
}

// Clients that are away while the daemon keeps what they miss get all of it. Those that stay away
// for longer lose what was pushed meanwhile, and nothing else.
func TestBenchChurn(t *testing.T) {
	d := startDaemon(t)
	r := benchJSON(t, d, "",
		"churn --conns 40 --rate 500 --leaves 40 --away 100ms --duration 2s --per-process 25")
	if c := r.Churn; c.Left < 20 || c.Back != c.Left || c.Inside != c.Left || c.Outside != 0 {
		t.Errorf("%+v", c)
	}
	if p := r.Push; p.Pushed != 1000 || p.Seen.Events-p.Seen.Again != 1000 || p.Seen.LostOutside != 0 {
		t.Errorf("%+v", p)
	}
	d = startDaemon(t, "--session-keep-ms", "10000", "--ms-allow-reconnect-before-close-ws", "100")
	forgetful := startDaemon(t, "--session-keep-ms", "0", "--ms-allow-reconnect-before-close-ws", "100")
	const args = "churn --conns 20 --rate 500 --leaves 20 --beyond 100 --duration 1s --away 0s " +
		"--how close,fin,reset --keep 10ms --long-away 1500ms"
	for _, kept := range []bool{true, false} {
		server := forgetful
		if kept {
			server = d
		}
		r = benchJSON(t, server, "", args)
		c, p := r.Churn, r.Push
		if c.Left < 5 || c.Back != c.Left || c.Outside != c.Left {
			t.Errorf("%+v", c)
		}
		// What is in flight at a reset may be lost, or come again; one in three leaves so.
		lost := p.Seen.LostOutside
		if p.Seen.Events-p.Seen.Again+lost != 500 || kept && lost > 20 || !kept && lost == 0 {
			t.Errorf("kept %v: %+v", kept, p.Seen)
		}
	}
}

// The mix, in every packer, with messages long enough to be compressed.
func TestBenchMixed(t *testing.T) {
	d := startDaemon(t)
	for _, p := range allPackers {
		t.Run(p.String(), func(t *testing.T) {
			r := benchJSON(t, d, "/"+p.String(), "mixed --conns 60 --duration 1s --size 1200 --away 50ms "+
				"--topics 10 --pings 50 --echoes 50 --posts 20 --pushes 100 --broadcasts 2 "+
				"--topic-pushes 10 --leaves 10 --packer "+p.String())
			push := r.Push
			if r.Ping.Answered != 50 || r.Echo.Answered != 50 || r.Post.Answered != 20 ||
				push.ToUsers != 100 || push.ToAll != 2 || push.ToTopics != 10 ||
				push.Expected != 100+2*60+10*6 || push.Seen.Events-push.Seen.Again != push.Expected ||
				r.Churn.Back < 1 {
				t.Errorf("%+v", r)
			}
			if r.CPU == nil || r.CPU.Operations < push.Expected+120 {
				t.Errorf("CPU %+v", r.CPU)
			}
		})
	}
}
