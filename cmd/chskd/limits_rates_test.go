package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHandshakeRates: too many handshakes at once wait for their turn, by address and in
// all; who is there is served meanwhile.
func TestHandshakeRates(t *testing.T) {
	for _, c := range []struct{ name, flag, reason string }{
		{"in all", "--max-handshakes-per-second=2", "rate"},
		{"per address", "--max-handshakes-per-second-per-address=2", "address_rate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, c.flag)
			healthy := wsFrom(t, d, "127.0.0.1", "h")
			var conns []*rawConn
			for range 9 {
				conns = append(conns, dialFrom(t, d, "127.0.0.2"))
			}
			for i, conn := range conns {
				if i%3 == 2 {
					conn.send(rawGet(fmt.Sprintf("/chsk?client-id=c%d&handshake%%3F", i)))
				} else {
					conn.send(rawUpgrade(fmt.Sprintf("/chsk?client-id=c%d", i)))
				}
			}
			healthy.alive()
			for i, conn := range conns {
				id := fmt.Sprintf("c%d", i)
				if i%3 == 2 {
					conn.want(200, helloEDN(`"`+id+`"`))
				} else {
					conn.upgraded(id).alive()
				}
			}
			if held := scrape(t, d)[`chskd_connections_held_total{reason="`+c.reason+`"}`]; held < 1 {
				t.Errorf("%v were held", held)
			}
			healthy.alive()
		})
	}
}

// TestHandshakeFlood: of a flood over the rate all are answered, in the end by a refusal
// that is one.
func TestHandshakeFlood(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-handshakes-per-second-per-address=1")
	healthy := wsFrom(t, d, "127.0.0.1", "h")
	var conns []*rawConn
	for i := range 40 {
		conn := dialFrom(t, d, "127.0.0.2")
		conn.send(rawUpgrade(fmt.Sprintf("/chsk?client-id=c%d", i)))
		conns = append(conns, conn)
	}
	status := map[int]int{}
	for _, conn := range conns {
		a := conn.answer("GET")
		status[a.status]++
		if a.status == 429 && (a.body != "Too many handshakes from your address" || a.header.Get("Retry-After") == "") {
			t.Errorf("%q %v", a.body, a.header)
		}
	}
	if status[101] == 0 || status[429] == 0 || status[101]+status[429] != 40 {
		t.Errorf("answers by status: %v", status)
	}
	healthy.alive()
}

func TestEventLimits(t *testing.T) {
	const flood = 200
	t.Run("drop", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, "--max-events-per-second=1")
		s := openStream(t, d, false)
		healthy := wsFrom(t, d, "127.0.0.1", "h")
		loud := wsFrom(t, d, "127.0.0.2", "loud")
		loud.say(`[[:a/first] nil]`)
		s.want("event loud loud ws [:a/first]")
		healthy.alive()
		wsSend(loud.tcp, strings.Repeat(wsText(`[[:a/b] "cb"]`), flood), nil)
		loud.say(`[[:chsk/ws-ping] "still"]`)
		refused := 0
		for got := ""; got != `text ["pong" "still"]`; refused++ {
			var err error
			if got, err = loud.read(got); err != nil {
				t.Fatal(err)
			}
		}
		if refused < flood/2 {
			t.Errorf("%d callbacks were told", refused)
		}
		healthy.say(`[[:a/healthy] nil]`)
		for l := s.next(); l.Client != "h"; l = s.next() {
			if l.EDN != "[:a/b]" {
				t.Fatal(l)
			}
		}
		waitFor(t, func() error {
			if n := counter(t, d, "events_limited"); n < flood/2 {
				return fmt.Errorf("%d events were over the limit", n)
			}
			return nil
		})
	})
	t.Run("close", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, "--max-events-per-second=2", "--on-event-limit=close")
		healthy := wsFrom(t, d, "127.0.0.1", "h")
		loud := wsFrom(t, d, "127.0.0.2", "loud")
		wsSend(loud.tcp, strings.Repeat(wsText(`[[:a/b] nil]`), flood), nil)
		loud.want("close 1008")
		healthy.alive()
		counterIs(t, d, "limit_closes", 1)
	})
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, "--max-event-bytes-per-second=1KiB", "--max-message-bytes=8KiB", "--on-event-limit=close")
		healthy := wsFrom(t, d, "127.0.0.1", "h")
		loud := wsFrom(t, d, "127.0.0.2", "loud")
		long := wsText(`[[:a/b "` + strings.Repeat("x", 7000) + `"] nil]`)
		wsSend(loud.tcp, long, nil) // one of any length
		loud.alive()
		wsSend(loud.tcp, strings.Repeat(long, 50), nil)
		loud.want("close 1008")
		healthy.alive()
	})
	t.Run("ajax", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, "--max-events-per-second=1", "--on-event-limit=close")
		s := openStream(t, d, false)
		healthy := wsFrom(t, d, "127.0.0.1", "h")
		loud := dialFrom(t, d, "127.0.0.2")
		soft := 0
		for i := range 30 {
			loud.send(ajaxSend("loud", fmt.Sprintf("[[:a/b %d] nil]", i)))
			switch a := loud.answer("POST"); {
			case a.status == 200 && a.body == "[:chsk/error nil]":
				soft++
			case a.status != 200 || a.body != ajaxDummy:
				t.Fatalf("%d %q", a.status, a.body)
			}
		}
		if soft == 0 {
			t.Error("nothing was over the limit")
		}
		s.want("event loud loud ajax [:a/b 0]")
		healthy.alive()
	})
}

// TestKeepAliveUnderLimits: at the least limit there is a client that pings as often as one
// may is not closed.
func TestKeepAliveUnderLimits(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-events-per-second=1", "--on-event-limit=close", "--ws-kalive-ms=400")
	c := wsFrom(t, d, "127.0.0.1", "h")
	for range 4 {
		c.alive() // and answers the server's pings
		time.Sleep(1100 * time.Millisecond)
	}
	c.alive()
}

func TestFragmentLimit(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-fragments=10")
	healthy := wsFrom(t, d, "127.0.0.1", "h")
	for name, more := range map[string]string{
		"fragments": wsFrame(0x00, ""), "pings": wsPing(""),
	} {
		c := wsFrom(t, d, "127.0.0.2", "x")
		wsSend(c.tcp, wsFrame(0x01, "")+strings.Repeat(more, 5000), nil)
		got := ""
		for !strings.HasPrefix(got, "close") {
			var err error
			if got, err = c.read(""); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got != "close 1008" {
			t.Errorf("%s: %q", name, got)
		}
	}
	ten := wsFrom(t, d, "127.0.0.2", "y")
	var pieces []string
	for _, r := range `[[:chsk/ws-ping] "a"]`[:9] {
		pieces = append(pieces, string(r))
	}
	wsSend(ten.tcp, wsPieces(1, append(pieces, `[[:chsk/ws-ping] "a"]`[9:])...), nil)
	ten.want(`text ["pong" "a"]`)
	healthy.alive()
}

// TestPingFlood: a peer that pings and does not read has bounded room, and the rest goes on.
func TestPingFlood(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-out-bytes=16KiB")
	healthy := wsFrom(t, d, "127.0.0.1", "h")
	c := wsFrom(t, d, "127.0.0.2", "x")
	flood := strings.Repeat(wsPing(strings.Repeat("x", 125)), 1000)
	_ = c.tcp.SetWriteDeadline(time.Now().Add(rawHangs)) // only fails on a closed conn
	for counter(t, d, "pongs_dropped") == 0 {
		wsSend(c.tcp, flood, nil)
	}
	healthy.alive()
	_ = c.tcp.Close()
	counterIs(t, d, "conns_now", 1)
	healthy.alive()
}

func TestTimesAndLengths(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--head-timeout=300ms", "--idle-timeout=400ms", "--max-head-bytes=2KiB",
		"--max-sessions-per-user=2", "--auth=dev")
	healthy := openChannel(t, d, "/chsk?client-id=h", `"h"`)
	late := dialRaw(t, d)
	late.send("GET /chsk?client-id=x HTTP/1.1\r\nHo")
	late.want(408, "The request did not arrive in time")
	idle := dialRaw(t, d)
	idle.send(rawGet("/chsk?client-id=x&handshake%3F"))
	idle.want(200, helloEDN(`"x"`))
	idle.wantEnd()
	if a := ask(t, d, rawGet("/chsk?client-id=x", "Cookie: "+strings.Repeat("x", 3000))); a.status != 431 {
		t.Errorf("a head of 3 KB: %d", a.status)
	}
	for i := range 2 {
		openChannel(t, d, fmt.Sprintf("/chsk?client-id=s%d&uid=u", i), `"u"`).alive()
	}
	openChannel(t, d, "/chsk?client-id=s3&uid=u", `"u"`)
	counterIs(t, d, "sessions_refused", 1)
	healthy.alive()
}
