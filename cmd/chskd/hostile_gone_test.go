package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestHostileGone: clients that vanish without a word, for their network is gone: WebSockets, polls,
// sends and heads that wait. Each is found to be gone by what it does not answer or take. Those
// beside them come another way.
func TestHostileGone(t *testing.T) {
	t.Parallel()
	const n = 40
	w := newNetwork(t)
	daemonProgram(t) // is built where there is a network
	s := &siege{t: t}
	w.in(w.server, func() {
		w.ip("-n", w.server, "link", "set", "lo", "up")
		flags := append([]string{"--listen", "0.0.0.0:0", "--insecure"}, hostileFlags...)
		s.d = startDaemonUnder(t, []string{"env", hostileGC, hostileMem}, flags...)
		near := *s.d
		near.Addr = strings.Replace(s.d.at(w, "wifi").Addr, "10.77.1.1", "127.0.0.1", 1)
		s.d = &near
		s.settle(plan{})
	})
	there := &siege{t: t, d: s.d.at(w, "wifi")}
	var m *mob
	w.in(w.client, func() { m = there.dial(4 * n) })
	m.say(func(i int) string {
		target := fmt.Sprintf("/chsk?client-id=evil%d", i)
		return []string{
			rawUpgrade(target), rawGet(target+"&handshake%3F") + rawGet(target+"&udt=1"),
			rawPost("/chsk", ajaxForm(fmt.Sprint("evil", i), "[[:x/y] :ajax-cb]")), "GET /chsk HTTP/1.1\r\nHo",
		}[i%4]
	})
	s.sees(n, `chskd_handshakes_total{result="ok",transport="ws"}`)
	s.sees(n, `chskd_handshakes_total{result="ok",transport="ajax"}`)
	s.sees(n, "chskd_posts_total")
	w.ip("-n", w.client, "link", "set", "wifi", "down")
	m.close() // the daemon does not hear of it
	s.goesOn()
	s.sees(n, "chskd_ping_timeouts_total")
	s.sees(n, "chskd_http_timeouts_total")
	s.over()
}
