package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// trickle sends a text on all connections a byte at a time until the counter has grown by one for
// each connection.
func (m *mob) trickle(text, counter string) {
	m.s.t.Helper()
	for i := range len(text) {
		m.sayAll(text[i : i+1])
		if i%16 == 15 && m.s.grew(counter) >= len(m.conns) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	m.s.t.Fatalf("%s has grown by %d, want %d", counter, m.s.grew(counter), len(m.conns))
}

// want: each connection is answered so, and ended.
func (m *mob) want(status int) {
	m.s.t.Helper()
	if got := m.answered(); got[status] != len(m.conns) {
		m.s.t.Errorf("answers by status, 0 = none: %v, want %d of %d", got, len(m.conns), status)
	}
	m.ended()
}

// TestHostileSlowRequests: clients that send what they send a byte at a time, or begin something and say
// no more. When its time is over each is told 408, or sent away if it had not begun a request.
func TestHostileSlowRequests(t *testing.T) {
	t.Parallel()
	const n = 100
	s := besiege(t, plan{flags: []string{"--head-timeout", "1s"}})
	const late, head = "chskd_http_timeouts_total", "POST /chsk HTTP/1.1\r\nHost: x\r\n" + formType + "\r\n"

	t.Log("heads that never end")
	m := s.dial(n)
	m.sayAll("GET /chsk?client-id=slow HTTP/1.1\r\nHost: x\r\nX-A: ")
	m.trickle(strings.Repeat("a", 5000), late)
	m.want(408)
	s.goesOn()

	t.Log("bodies that come a byte at a time, by length and in chunks")
	s.counts = scrape(t, s.d)
	m = s.dial(n)
	m.say(func(i int) string {
		return head + []string{"Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5000\r\n"}[i%2]
	})
	m.trickle(strings.Repeat("a", 5000), late)
	m.want(408)
	s.goesOn()

	t.Log("what is begun and not gone on with, and connections on which nothing is said")
	s.counts = scrape(t, s.d)
	begun := s.dial(n)
	begun.say(func(i int) string {
		return []string{
			"G", "GET /chsk HTTP/1.1\r\nHost: x\r\n",
			head + "Content-Length: 100\r\n\r\nclient-id=", head + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
		}[i%4]
	})
	silent := s.dial(n)
	s.sees(n, late)
	s.sees(n, "chskd_http_idle_closes_total")
	begun.ended()
	silent.ended()
	s.bounded(32 << 20)
	s.over()
}

// TestHostileSlowProxyHeaders: where connections begin with a PROXY header, one that does not come in time
// ends its connection, whatever of it was there.
func TestHostileSlowProxyHeaders(t *testing.T) {
	t.Parallel()
	const n = 100
	s := besiege(t, plan{prelude: "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n", flags: []string{
		"--proxy-protocol", "--trusted-proxies", "127.0.0.1", "--head-timeout", "1s",
	}})
	m := s.dial(n)
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xFF\xFF"
	m.say(func(i int) string { return []string{"PROXY TCP4 ", v2, "", "P"}[i%4] })
	s.sees(n, "chskd_proxy_headers_bad_total")
	m.ended()
	m = s.dial(n)
	m.sayAll("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80")
	m.trickle("000000000000000000000000000000000000000000000000000", "chskd_connections_accepted_total")
	s.sees(2*n, "chskd_proxy_headers_bad_total")
	m.ended()
	s.goesOn()
	s.over()
}

// TestHostileSlowWebSockets: WebSockets that are opened and on which nothing is said, nothing but control
// frames, or a message that never ends, a byte or nearly all of it at a time. They do not answer
// when they are asked, and are closed; what they had sent of messages is forgotten.
func TestHostileSlowWebSockets(t *testing.T) {
	t.Parallel()
	const n, message = 90, 256 << 10
	s := besiege(t, plan{flags: []string{"--max-message-bytes", fmt.Sprint(message)}})
	m := s.dial(n)
	m.say(func(i int) string { return rawUpgrade(fmt.Sprintf("/chsk?client-id=slow%d", i)) })
	s.sees(n, `chskd_handshakes_total{result="ok",transport="ws"}`)
	m.say(func(i int) string {
		switch i % 3 {
		case 0:
			return ""
		case 1:
			return wsFrame(0x81, strings.Repeat("x", message))[:message]
		}
		return wsFrame(0x01, `[[:x/y "`) + wsPing("p") + wsFrame(0x00, "a")
	})
	for range 30 { // control frames are no sign of a client that is alive behind them
		m.say(func(i int) string {
			if i%3 == 2 {
				return wsPong("p") + wsFrame(0x00, "a")
			}
			return ""
		})
		time.Sleep(30 * time.Millisecond)
	}
	s.sees(n, "chskd_ping_timeouts_total")
	s.goesOn()
	m.ended()
	s.bounded(n/3*2*message + 32<<20) // a buffer that grows is copied
	s.over()
}
