package main_test

import (
	"net/http"
	"strings"
	"testing"
)

// logEntries is how many events a log keeps.
const logEntries = 1000

// missSome pushes more to a client that is away than its log keeps: events 0 to missed-1 are lost.
func missSome(t *testing.T, b *backend, client string, missed int) {
	t.Helper()
	b.pushNumbers(client, 0, logEntries+missed, 0)
}

// TestGapNotice: a client that missed something is told so where it stood.
func TestGapNotice(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"WebSocket", "Ajax"} {
		t.Run(transport, func(t *testing.T) {
			d := startDaemon(t)
			b := away(t, d, "c1")
			missSome(t, b, "c1", 100)
			c := comeBack(b, "c1", transport)
			if got := c.batch(); len(got) != 1 || got[0] != "[:chskd/gap {:missed 100}]" {
				t.Fatalf("got %.200s", got)
			}
			wantNumbers(t, c, 100, logEntries)
			b.awaitCounter("gaps", 1)
			b.awaitCounter("gap_events", 100)
			b.awaitCounter("gap_closes", 0)
		})
	}
}

// TestGapClose: with --on-gap close such a client is sent away once, and begins anew.
func TestGapClose(t *testing.T) {
	t.Parallel()
	t.Run("WebSocket", func(t *testing.T) {
		d := startDaemon(t, "--on-gap", "close")
		b := away(t, d, "c1")
		missSome(t, b, "c1", 100)
		c := connectWS(t, d, "c1", "")
		if got := c.frame(); !strings.HasPrefix(got, "close 4410") {
			t.Fatalf("got %.200s", got)
		}
		c.write(wsClose(4410))
		b.awaitCounter("ws_now", 0)
		wantAnew(t, b, "WebSocket")
	})
	t.Run("Ajax", func(t *testing.T) {
		d := startDaemon(t, "--on-gap", "close")
		b := away(t, d, "c1")
		missSome(t, b, "c1", 100)
		c := connectAjax(t, d, "c1", "")
		c.poll("")
		if a := c.answer(http.MethodGet); a.status != http.StatusGone || a.body == "" {
			t.Fatalf("the poll was answered %d %q", a.status, a.body)
		}
		// A stock client asks for a handshake at once, on the same connection.
		c.poll("&handshake%3F=1")
		if body := c.polled(); !strings.HasPrefix(body, "[[:chsk/handshake [") {
			t.Fatalf("the handshake is %.100s", body)
		}
		c.poll("")
		b.awaitClient("c1")
		b.pushNumbers("c1", 5000, 3, 0)
		wantNumbers(t, &polling{c}, 5000, 3)
		b.awaitCounter("gap_closes", 1)
	})
	t.Run("hanging poll", func(t *testing.T) {
		// Events that were pushed to the next poll are lost before it comes.
		d := startDaemon(t, "--on-gap", "close")
		b := &backend{t, d}
		c := connectAjax(t, d, "c1", "")
		c.poll("")
		b.awaitClient("c1")
		b.pushNumbers("c1", 0, 1, 0)
		wantNumbers(t, &answered{c}, 0, 1)
		missSome(t, b, "c1", 5)
		c.poll("")
		if a := c.answer(http.MethodGet); a.status != http.StatusGone || a.body == "" {
			t.Fatalf("the poll was answered %d %q", a.status, a.body)
		}
		wantAnew(t, b, "Ajax")
	})
}

// answered reads the answer to the poll that is out, and sends none.
type answered struct{ *ajaxClient }

func (c *answered) batch() []string {
	c.t.Helper()
	return batchEvents(c.t, c.polled())
}

// wantAnew: the client comes back, stays, gets what is pushed from then on, and nothing from before.
func wantAnew(t *testing.T, b *backend, transport string) {
	t.Helper()
	c := comeBack(b, "c1", transport)
	if a, ok := c.(*ajaxClient); ok {
		a.poll("")
		c = &polling{a}
	}
	userIs(t, b.d, "uid=c1", strings.Count(transport, "WebSocket"), strings.Count(transport, "Ajax"))
	b.pushNumbers("c1", 5000, 3, 0)
	wantNumbers(t, c, 5000, 3)
	b.awaitCounter("gap_closes", 1)
}

// TestGapCloseKeepsOthers: only the session that missed something is closed, its user's others and
// its topics stay.
func TestGapCloseKeepsOthers(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--on-gap", "close", "--auth", "dev")
	b := &backend{t, d}
	stays := connectWS(t, d, "c2", "&uid=alice")
	c := connectWS(t, d, "c1", "&uid=alice")
	userIs(t, d, "uid=alice", 2, 0)
	membership(t, d, "join", `"uid":"alice","client":"c1"`, "own", true)
	c.acknowledge()
	c.leave()
	b.awaitCounter("ws_now", 1)
	for i := range 3 { // in parts that the other's log can hold
		b.pushNumbers("alice", i*logEntries/2, logEntries/2, 0)
		wantNumbers(t, stays, i*logEntries/2, logEntries/2)
	}
	c = connectWS(t, d, "c1", "&uid=alice")
	if got := c.frame(); !strings.HasPrefix(got, "close 4410") {
		t.Fatalf("got %.200s", got)
	}
	c.write(wsClose(4410))
	b.awaitCounter("ws_now", 1)
	c = connectWS(t, d, "c1", "&uid=alice")
	b.awaitCounter("ws_now", 2)
	userIs(t, d, "uid=alice", 2, 0)
	pushTopic(t, d, "own", "", numbered(7000, 0), 1)
	wantNumbers(t, c, 7000, 1)
	pushEDN(t, d, `"uid":"alice","flush":true`, numbered(7001, 0))
	wantNumbers(t, c, 7001, 1)
	wantNumbers(t, stays, 7001, 1)
}
