package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// alive: the client gets answers from the daemon.
func (c *chskConn) alive() {
	c.t.Helper()
	c.say(`[[:chsk/ws-ping] "alive"]`)
	c.want(`text ["pong" "alive"]`)
}

// counterIs waits until a counter has reached n.
func counterIs(t *testing.T, d *daemon, name string, n uint64) {
	t.Helper()
	waitFor(t, func() error {
		if got := counter(t, d, name); got != n {
			return fmt.Errorf("%s is %d, want %d", name, got, n)
		}
		return nil
	})
}

// TestConnectionCap: with every place taken a request is held back, and served as soon as a place
// is free, or refused after 8 s; the connections that have a place do not notice.
func TestConnectionCap(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-conns", "3")
	s := openStream(t, d, false)
	var served []*chskConn
	for i := range 3 {
		served = append(served, openChannel(t, d, fmt.Sprintf("/chsk?client-id=c%d", i),
			fmt.Sprintf(`"c%d"`, i)))
	}
	upgrade := dialRaw(t, d)
	upgrade.send(rawUpgrade("/chsk?client-id=u"))
	counterIs(t, d, "conns_held", 1)
	_ = served[0].tcp.Close() // its place is for the one that waits
	if a := upgrade.answer("GET"); a.status != 101 {
		t.Fatalf("a held upgrade: %d", a.status)
	}
	tab := &chskConn{t, upgrade.tcp, upgrade.in}
	tab.want("text " + helloEDN(`"u"`))

	gone := dialRaw(t, d)
	gone.send(rawUpgrade("/chsk?client-id=gone"))
	counterIs(t, d, "conns_held", 2)
	_ = gone.tcp.Close() // who does not wait any more has no place to come
	counterIs(t, d, "conns_now", 3)
	_ = served[1].tcp.Close()
	counterIs(t, d, "conns_now", 2)
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=p&handshake%3F") + ajaxSend("p", "[[:x/y] nil]"))
	poll.want(200, helloEDN(`"p"`))
	poll.want(200, ajaxDummy)
	s.want("event p p ajax [:x/y]")

	// All places are taken again, one of them by a kept-alive HTTP connection.
	var held []*rawConn
	for _, request := range []string{
		rawUpgrade("/chsk?client-id=x"), rawGet("/chsk?client-id=x"), ajaxSend("x", "[[:x/z] nil]"),
	} {
		c := dialRaw(t, d)
		c.send(request)
		held = append(held, c)
	}
	for _, c := range held {
		a := c.want(503, "The server has as many connections as it may")
		if a.header.Get("Retry-After") == "" || a.header.Get("Connection") != "close" {
			t.Errorf("503 with %v", a.header)
		}
		c.wantEnd()
	}
	if n := counter(t, d, "conns_shed"); n != 3 {
		t.Errorf("%d were refused, want 3", n)
	}
	served[2].alive()
	tab.alive()
	poll.send(ajaxSend("p", "[[:x/y 2] nil]"))
	poll.want(200, ajaxDummy)
	s.want("event p p ajax [:x/y 2]") // and not [:x/z]
	_ = poll.tcp.Close()
	openChannel(t, d, "/chsk?client-id=last", `"last"`).alive()
}

// limitedFiles runs a program with so many open files at most.
func limitedFiles(n int) []string {
	return []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, n)}
}

// TestFileLimit: at the limit of open files new connections are turned away; those that are there
// stay and work, backends are served, and when files are free again so are new connections.
func TestFileLimit(t *testing.T) {
	t.Parallel()
	const files, old, flood = 400, 20, 500
	d := startDaemonUnder(t, limitedFiles(files))
	s := openStream(t, d, false)
	var tabs []*chskConn
	for i := range old {
		tabs = append(tabs, openChannel(t, d, fmt.Sprintf("/chsk?client-id=c%d", i),
			fmt.Sprintf(`"c%d"`, i)))
	}
	for round := range 3 {
		var conns []*rawConn
		accepted, refused := counter(t, d, "conns_accepted"), counter(t, d, "conns_refused")
		for range flood {
			conns = append(conns, dialRaw(t, d))
		}
		counterIs(t, d, "conns_accepted", accepted+flood)
		if n := counter(t, d, "conns_refused") - refused; n < flood-files || n == flood {
			t.Fatalf("%d of %d connections were turned away", n, flood)
		}
		if n := openFiles(t, d); n >= files {
			t.Errorf("%d files are open, of %d", n, files)
		}
		for i, tab := range tabs {
			tab.say(fmt.Sprintf("[[:x/y %d] nil]", round))
			s.want(fmt.Sprintf("event c%d c%d ws [:x/y %d]", i, i, round))
		}
		pushEDN(t, d, `"all":true`, "[:a/b]")
		for _, tab := range tabs {
			tab.want("text [[[:a/b]] nil]")
		}
		for _, c := range conns {
			_ = c.tcp.Close()
		}
		counterIs(t, d, "conns_now", old)
		fresh := openChannel(t, d, fmt.Sprintf("/chsk?client-id=%d", round), fmt.Sprintf(`"%d"`, round))
		fresh.alive()
		_ = fresh.tcp.Close()
	}
	if strings.Contains(d.Stderr(), "panic") {
		t.Error(d.Stderr())
	}
}

// TestFileLimitHandshakes: a flood of upgrades at the limit of open files: as many as there is room
// for are served, and everyone gets an answer or is turned away.
func TestFileLimitHandshakes(t *testing.T) {
	t.Parallel()
	const flood = 400
	d := startDaemonUnder(t, limitedFiles(400))
	var conns []*rawConn
	for i := range flood {
		c := dialRaw(t, d)
		c.send(rawUpgrade(fmt.Sprintf("/chsk?client-id=c%d", i)))
		conns = append(conns, c)
	}
	got := map[int]int{}
	for i, c := range conns {
		a, err := c.read("GET")
		switch {
		case err != nil:
			got[0]++
		case a.status == 101:
			(&chskConn{t, c.tcp, c.in}).want("text " + helloEDN(fmt.Sprintf(`"c%d"`, i)))
			got[101]++
		default:
			got[a.status]++
		}
	}
	if got[101] < 100 || got[503] == 0 || got[0] == 0 || got[101]+got[503]+got[0] != flood {
		t.Errorf("answers by status, 0 = none: %v", got)
	}
	presentIs(t, d, got[101], got[101], 0)
}

// TestTooFewFiles: with fewer files than serving takes the daemon says so.
func TestTooFewFiles(t *testing.T) {
	t.Parallel()
	const want = "only 100 open files allowed; set the limit (ulimit -n)"
	args := append(limitedFiles(100), daemonProgram(t), "serve")
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, %s", err, out)
	}
}

// openFiles counts the files that the daemon has open.
func openFiles(t *testing.T, d *daemon) int {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(d.PID), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
