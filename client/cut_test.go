package client_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chskd/chskd/client"
)

// cutter stands between a client and the daemon, and cuts each connection after some bytes of
// either direction, in the middle of a line as well.
type cutter struct {
	net.Listener
	to   string
	done sync.WaitGroup
}

func startCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("unix", filepath.Join(filepath.Dir(to), "cut"))
	check(t, err)
	c := &cutter{Listener: l, to: to}
	c.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.done.Go(func() { c.carry(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.done.Wait()
	})
	return c
}

// carry copies both ways, up to the cut.
func (c *cutter) carry(conn net.Conn) {
	defer conn.Close()
	daemon, err := net.Dial("unix", c.to)
	if err != nil {
		return
	}
	defer daemon.Close()
	var both sync.WaitGroup
	copyUpTo := func(to, from net.Conn, n int64) {
		_, _ = io.CopyN(to, from, n) // the other direction may have been cut
		to.Close()
		from.Close()
	}
	both.Go(func() { copyUpTo(daemon, conn, 2000+rand.Int64N(400_000)) })
	both.Go(func() { copyUpTo(conn, daemon, 2000+rand.Int64N(200_000)) })
	both.Wait()
}

// Inside one life of the daemon each push is done once, in order, however often the connection is
// cut and its requests are sent again.
func TestCut(t *testing.T) {
	d := startDaemon(t)
	ctx := contextOf(t)
	cuts := 0
	c := dial(t, startCutter(t, d.api).Addr().String(), client.Options{
		Notify: func(connected bool, _ error) {
			if !connected {
				cuts++
			}
		},
	})
	users := watchUsers(t, d.addr)
	duplicates, answered := 0, 0
	for k := range restartPushes {
		check(t, c.PushAsync(ctx, numbered(k), func(p client.Pushed, err error) {
			answered++
			if err != nil {
				t.Errorf("push %d: %v", k, err)
			}
			if p.Duplicate {
				duplicates++
			}
		}))
	}
	check(t, c.Flush(ctx))
	check(t, c.Close()) // its goroutine's values are ours now
	equal(t, "answers", answered, restartPushes)
	users.done.Wait()
	for u, got := range users.got {
		if fmt.Sprint(got) != fmt.Sprint([][]int{upTo(restartEach)}) {
			t.Errorf("user %d got %v", u, got)
		}
	}
	t.Logf("%d cuts, %d duplicates", cuts, duplicates)
	if cuts == 0 {
		t.Error("nothing was cut")
	}
}
