package main_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestHostileConnections: connections that are opened and reset, or ended, as fast as they go, with
// a request and without.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	const rounds, n = 30, 100
	s := besiege(t, plan{})
	for i := range rounds {
		m := s.dial(n)
		if i%3 == 0 {
			m.say(func(j int) string { return rawUpgrade(fmt.Sprintf("/chsk?client-id=evil%d.%d", i, j)) })
		}
		if i%2 == 0 {
			m.reset()
		} else {
			m.close()
		}
	}
	s.sees(rounds*n*9/10, "chskd_connections_accepted_total") // some are reset before
	s.goesOn()
	s.bounded(48 << 20)
	s.over()
}

// from dials n connections from an address of the loopback network.
func (s *siege) from(addr string, n int) *mob {
	s.t.Helper()
	m := &mob{s: s}
	s.t.Cleanup(m.close)
	there := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	for range n {
		conn, err := there.Dial("tcp", s.d.Addr)
		if err != nil {
			s.t.Fatal(err)
		}
		m.conns = append(m.conns, conn)
	}
	return m
}

// TestHostileUpgrades: upgrades by the hundred, from one address and from many. What is over the
// limits waits, and is then refused; each gets an answer, and those that are there do not notice.
func TestHostileUpgrades(t *testing.T) {
	t.Parallel()
	const n, perAddress, perSecond, addresses = 200, 20, 10, 10
	s := besiege(t, plan{flags: []string{
		"--max-conns-per-address", fmt.Sprint(perAddress), "--max-handshakes-per-second", fmt.Sprint(perSecond),
		"--ws-kalive-ms", "60000", // who was let in stays
	}})
	ask := func(who string) func(int) string {
		return func(i int) string { return rawUpgrade(fmt.Sprintf("/chsk?client-id=%s.%d", who, i)) }
	}
	one := s.from("127.0.0.66", n)
	one.say(ask("one"))
	var many []*mob
	for i := range addresses {
		m := s.from(fmt.Sprintf("127.0.1.%d", i+1), n/addresses)
		m.say(ask(fmt.Sprint("many", i)))
		many = append(many, m)
	}
	// As many again and some more may wait; those beyond are closed when they come.
	const waits = perAddress + 16
	s.sees(waits, `chskd_connections_held_total{reason="address"}`)
	s.sees(1, `chskd_connections_held_total{reason="rate"}`)
	s.goesOn()
	got := one.answered()
	if got[429] != waits || got[101]+got[503] != perAddress || got[0] != n-waits-perAddress {
		t.Errorf("answers to one address: %v", got)
	}
	s.sees(waits, `chskd_connections_shed_total{reason="address"}`)
	s.sees(n-waits-perAddress, "chskd_connections_refused_total", "chskd_connections_denied_total",
		`chskd_connections_shed_total{reason="address"}`)
	shed := got[503]
	for _, m := range many {
		got := m.answered()
		if shed += got[503]; got[101]+got[503] != len(m.conns) {
			t.Errorf("answers to an address: %v", got)
		}
		m.close()
	}
	if shed == 0 {
		t.Error("nobody was refused")
	}
	s.sees(shed, `chskd_connections_shed_total{reason="rate"}`)
	one.close()
	s.over()
}

// TestHostileLengths: heads, targets, cookies, fields, bodies, frames that are too long or too many.
// Each is refused before it is there.
func TestHostileLengths(t *testing.T) {
	t.Parallel()
	const n, huge = 10, 8 << 20
	s := besiege(t, plan{flags: []string{"--max-message-bytes", "65536"}})
	post := "POST /chsk HTTP/1.1\r\nHost: x\r\n" + formType + "\r\n"
	const get = "GET /chsk?client-id=a HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		name, first, more string
		status            int
	}{
		{"a target without end", "GET /chsk?client-id=", "aaaaaaaaaaaaaaaa", 414},
		{"a method without end", "", "GGGGGGGGGGGGGGGG", 0},
		{"a cookie without end", get + "Cookie: a=", "aaaaaaaaaaaaaaaa", 431},
		{"fields without end", get, "A: b\r\n", 431},
		{"a body by its length", post + "Content-Length: 99999999999\r\n\r\n", "aaaaaaaaaaaaaaaa", 413},
		{"a body in chunks", post + "Transfer-Encoding: chunked\r\n\r\n", "1000\r\n" + strings.Repeat("a", 0x1000) + "\r\n", 413},
		{"a chunk", post + "Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", "aaaaaaaaaaaaaaaa", 413},
		{"trailers", post + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 0},
		{"chunk extensions", post + "Transfer-Encoding: chunked\r\n\r\n1;", "aaaaaaaaaaaaaaaa", 0},
	} {
		t.Log(c.name)
		s.counts = scrape(t, s.d)
		m := s.dial(n)
		m.sayAll(c.first)
		m.pour(c.more, huge)
		s.sees(n, "chskd_http_malformed_total")
		if got := m.answered(); c.status != 0 && got[c.status]+got[0] != n { // a reset may be faster
			t.Errorf("%s: answers by status: %v", c.name, got)
		}
		m.ended()
	}
	s.goesOn()

	t.Log("a frame")
	s.counts = scrape(t, s.d)
	m := s.upgraded(n, "")
	m.sayAll("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00")
	m.pour("aaaaaaaaaaaaaaaa", huge)
	s.sees(n, fmt.Sprintf(closesByUs, 1009))
	m.ended()
	s.bounded(40 << 20)
	s.over()
}
