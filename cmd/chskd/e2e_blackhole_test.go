package main_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBlackHole: the network between a client and the daemon loses everything while pushes go on.
// The client comes back on a new connection, over the same network or another, while the daemon
// still believes in the old one. Nothing may be missing, and nothing out of order; what the old
// connection delivered without the daemon hearing of it may come twice, which is counted and said.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		redelivery string
		heal       bool // the client comes back the way that it was cut off from
	}{
		{"back over another network", "tcp", false},
		{"back over the same network", "tcp", true},
		{"back over another network, confirmed by pongs", "pong", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNetwork(t)
			var d *daemon
			daemonProgram(t) // is built where there is a network
			n.in(n.server, func() {
				d = startDaemon(t, "--listen", "0.0.0.0:0", "--insecure",
					"--redelivery", tt.redelivery)
			})
			playBlackHole(t, n, d, tt.heal)
		})
	}
}

func playBlackHole(t *testing.T, n *network, d *daemon, heal bool) {
	const total, darkAt, backAt = 600, 200, 400
	b := &backend{t, d}
	var old, c *wsClient
	n.in(n.client, func() { old = connectWS(t, d.at(n, "wifi"), "one", "") })
	b.awaitClient("one")

	var pushed atomic.Int64
	done := make(chan error, 1)
	go func() { done <- pushEach(d, total, &pushed) }()
	reached := func(want int64) {
		waitFor(t, func() error {
			if got := pushed.Load(); got < want {
				return fmt.Errorf("%d events are pushed, want %d", got, want)
			}
			return nil
		})
	}
	reached(darkAt)
	n.ip("-n", n.client, "link", "set", "wifi", "down")
	reached(backAt)
	seen := old.inKernel()
	if got := len(seen); got == 0 || got >= backAt {
		t.Fatalf("%d events had come before the network was dark, %d are pushed", got, backAt)
	}
	old.conn.Close() // the daemon does not hear of it
	way := "cell"
	if heal {
		n.ip("-n", n.client, "link", "set", "wifi", "up")
		way = "wifi"
	}
	n.in(n.client, func() { c = connectWS(t, d.at(n, way), "one", "") })
	again := numbersOf(t, c.batch())
	doubled := len(seen) - again[0]
	if doubled < 0 {
		t.Fatalf("%d events had come, then %d: %d are missing", len(seen), again[0], -doubled)
	}
	next := again[0] + len(again)
	wantNumbers(t, c, next, total-next)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events had come; %d of them came again", len(seen), doubled)
}

// pushEach pushes numbered events one by one and counts them.
func pushEach(d *daemon, total int, pushed *atomic.Int64) error {
	for i := range total {
		line := fmt.Sprintf(`{"uid":"one","edn":%q}`, numbered(i, 0))
		if err := postPushes(d, line+"\n"); err != nil {
			return err
		}
		pushed.Add(1)
	}
	return nil
}

// network is two hosts, each a network namespace, and two networks between them, wifi and cell.
type network struct {
	t              *testing.T
	server, client string
}

// networks counts them, for their names.
var networks atomic.Int32

func newNetwork(t *testing.T) *network {
	t.Helper()
	name := fmt.Sprintf("chskd-%d-%d", os.Getpid(), networks.Add(1))
	n := &network{t, name + "s", name + "c"}
	for _, host := range []string{n.server, n.client} {
		if out, err := exec.Command("ip", "netns", "add", host).CombinedOutput(); err != nil {
			t.Skipf("\n**** SKIPPED: %s makes networks, which takes root and iproute2: %v %s ****",
				t.Name(), err, strings.TrimSpace(string(out)))
		}
		t.Cleanup(func() { n.ip("netns", "del", host) })
	}
	for i, way := range []string{"wifi", "cell"} {
		n.ip("-n", n.server, "link", "add", way, "type", "veth", "peer", "name", way,
			"netns", n.client)
		for j, host := range []string{n.server, n.client} {
			n.ip("-n", host, "addr", "add", fmt.Sprintf("10.77.%d.%d/24", i+1, j+1), "dev", way)
			n.ip("-n", host, "link", "set", way, "up")
		}
	}
	return n
}

// at is the daemon by its address in one of the networks.
func (d *daemon) at(n *network, way string) *daemon {
	n.t.Helper()
	_, port, err := net.SplitHostPort(d.Addr)
	if err != nil {
		n.t.Fatal(err)
	}
	there := *d
	there.Addr = map[string]string{"wifi": "10.77.1.1:", "cell": "10.77.2.1:"}[way] + port
	return &there
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

// in does something on a host: its sockets and processes belong there for good. The thread goes
// back to where it was.
func (n *network) in(host string, do func()) {
	n.t.Helper()
	runtime.LockOSThread()
	home := n.open("/proc/thread-self/ns/net")
	defer home.Close()
	there := n.open(filepath.Join("/run/netns", host))
	defer there.Close()
	n.enter(there)
	defer func() {
		n.enter(home)
		runtime.UnlockOSThread() // not if that failed: then the thread ends with its goroutine
	}()
	do()
}

func (n *network) open(path string) *os.File {
	n.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		n.t.Fatal(err)
	}
	return f
}

func (n *network) enter(ns *os.File) {
	n.t.Helper()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		n.t.Fatal(err)
	}
}
