package main_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// dialFrom connects from an address of this machine; all of 127.0.0.0/8 is.
func dialFrom(t *testing.T, d *daemon, from string) *rawConn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	tcp, err := dialer.Dial("tcp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })         // the test may have closed it
	_ = tcp.SetDeadline(time.Now().Add(rawHangs)) // only fails on a closed conn, which Write shows
	return &rawConn{t: t, tcp: tcp, in: bufio.NewReader(tcp)}
}

// upgraded reads the answer to an upgrade of a client-id, which must be taken.
func (c *rawConn) upgraded(id string) *chskConn {
	c.t.Helper()
	if a := c.answer("GET"); a.status != 101 {
		c.t.Fatalf("the upgrade of %s is answered %d %q", id, a.status, a.body)
	}
	w := &chskConn{c.t, c.tcp, c.in}
	w.want("text " + helloEDN(`"`+id+`"`))
	return w
}

// wsFrom opens a WebSocket from an address.
func wsFrom(t *testing.T, d *daemon, from, id string, fields ...string) *chskConn {
	t.Helper()
	c := dialFrom(t, d, from)
	c.send(rawUpgrade("/chsk?client-id="+id, fields...))
	return c.upgraded(id)
}

// cutOff: the server ends the connection without a word.
func (c *rawConn) cutOff() {
	c.t.Helper()
	if b, err := c.in.Peek(1); err == nil {
		c.t.Fatalf("the connection should end; got %q", b)
	}
}

// heldIs waits until so many requests were held for a reason.
func heldIs(t *testing.T, d *daemon, reason string, n float64) {
	t.Helper()
	waitFor(t, func() error {
		if got := scrape(t, d)[`chskd_connections_held_total{reason="`+reason+`"}`]; got != n {
			return fmt.Errorf("%v were held for %s, want %v", got, reason, n)
		}
		return nil
	})
}

func TestDeniedAddresses(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--deny-addresses=127.0.0.66,127.1.0.0/16,192.0.2.0/24", "--trusted-proxies=127.0.0.9")
	healthy := wsFrom(t, d, "127.0.0.1", "h")
	for _, from := range []string{"127.0.0.66", "127.1.2.3"} {
		c := dialFrom(t, d, from)
		c.send(rawUpgrade("/chsk?client-id=x"))
		c.cutOff()
	}
	counterIs(t, d, "conns_denied", 2)
	proxy := dialFrom(t, d, "127.0.0.9")
	for _, request := range []string{
		rawUpgrade("/chsk?client-id=x", "X-Forwarded-For: 192.0.2.7"),
		rawGet("/chsk?client-id=x&handshake%3F", "X-Forwarded-For: 192.0.2.7:4711"),
		rawGet("/", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 192.0.2.7, 127.0.0.9"),
		rawPost("/chsk", ajaxForm("x", "[[:x/y] nil]"), "X-Forwarded-For: 192.0.2.7"),
	} {
		proxy.send(request)
		proxy.want(403, "Your address may not use this server")
	}
	// The same conn is others', too; and what a client writes itself does not count.
	proxy.send(rawGet("/chsk?client-id=p&handshake%3F", "X-Forwarded-For: 192.0.2.7, 198.51.100.1"))
	proxy.want(200, helloEDN(`"p"`))
	wsFrom(t, d, "127.0.0.2", "q", "X-Forwarded-For: 192.0.2.7")
	counterIs(t, d, "requests_denied", 4)
	healthy.alive()
	if s := scrape(t, d); s["chskd_connections_denied_total"] != 2 || s["chskd_requests_denied_total"] != 4 {
		t.Errorf("metrics: %v and %v", s["chskd_connections_denied_total"], s["chskd_requests_denied_total"])
	}
}

func TestAllowedAddresses(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--allow-addresses=127.0.0.1,198.51.100.0/24", "--trusted-proxies=127.0.0.9")
	healthy := wsFrom(t, d, "127.0.0.1", "h")
	stranger := dialFrom(t, d, "127.0.0.2")
	stranger.send(rawUpgrade("/chsk?client-id=x"))
	if a := stranger.want(403, "Your address may not use this server"); a.header.Get("Connection") != "close" {
		t.Errorf("%v", a.header)
	}
	stranger.wantEnd()
	wsFrom(t, d, "127.0.0.9", "y", "X-Forwarded-For: 198.51.100.7").alive()
	healthy.alive()
}

// TestProxyHeader: with proxy_protocol every connection must begin with a header, of a
// trusted proxy, and its address is what limits see.
func TestProxyHeader(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--proxy-protocol", "--trusted-proxies=127.0.0.1", "--deny-addresses=192.0.2.0/24",
		"--head-timeout=1s")
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c%s\x7f\x00\x00\x01\x12\x34\x00\x50"
	good := dialRaw(t, d)
	good.send("PROXY TCP4 198.51.100.1 127.0.0.1 4711 80\r\n" + rawUpgrade("/chsk?client-id=v1"))
	healthy := good.upgraded("v1")
	for name, c := range map[string]struct {
		from, send string
		status     int // 0: cut off
	}{
		"no proxy":               {"127.0.0.2", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n", 0},
		"no header":              {"127.0.0.1", "", 0},
		"a wrong one":            {"127.0.0.1", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2 3\r\n", 0},
		"version 2":              {"127.0.0.1", fmt.Sprintf(v2, "\xc6\x33\x64\x01"), 101},
		"version 2, denied":      {"127.0.0.1", fmt.Sprintf(v2, "\xc0\x00\x02\x01"), 403},
		"version 1, denied":      {"127.0.0.1", "PROXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n", 403},
		"mapped, denied":         {"127.0.0.1", "PROXY TCP6 ::ffff:192.0.2.9 ::1 1 2\r\n", 403},
		"a health check":         {"127.0.0.1", "PROXY UNKNOWN\r\n", 101},
		"two of them":            {"127.0.0.1", "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n", 400},
		"with what comes at its": {"127.0.0.1", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n\r\n", 101},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialFrom(t, d, c.from)
			conn.send(c.send + rawUpgrade("/chsk?client-id=x"))
			if c.status == 0 {
				conn.cutOff()
				return
			}
			if a := conn.answer("GET"); a.status != c.status {
				t.Errorf("%d %q, want %d", a.status, a.body, c.status)
			}
		})
	}
	slow := dialRaw(t, d)
	slow.send("PROXY TCP4 198.51.")
	slow.cutOff()
	healthy.alive()
	counterIs(t, d, "proxy_headers_bad", 3)
}

// TestConnectionsPerAddress: an address with as many connections as it may waits, and is
// then refused; others do not notice.
func TestConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-conns-per-address=2", "--trusted-proxies=127.0.0.9")
	healthy := wsFrom(t, d, "127.0.0.1", "h")
	first, second := wsFrom(t, d, "127.0.0.2", "a"), wsFrom(t, d, "127.0.0.2", "b")
	waits, refused := dialFrom(t, d, "127.0.0.2"), dialFrom(t, d, "127.0.0.2")
	waits.send(rawUpgrade("/chsk?client-id=c"))
	heldIs(t, d, "address", 1)
	_ = first.tcp.Close()
	third := waits.upgraded("c")
	refused.send(rawGet("/chsk?client-id=d&handshake%3F"))
	if a := refused.want(429, "Your address has as many connections as it may"); a.header.Get("Retry-After") == "" {
		t.Errorf("429 with %v", a.header)
	}
	refused.wantEnd()
	second.alive()
	third.alive()
	healthy.alive()
	// A flood of one address leaves nothing behind.
	_ = third.tcp.Close()
	for i := range 50 {
		c := dialFrom(t, d, "127.0.0.2")
		c.send(rawUpgrade(fmt.Sprintf("/chsk?client-id=f%d", i)))
		_ = c.tcp.Close()
	}
	counterIs(t, d, "conns_now", 2)
	wsFrom(t, d, "127.0.0.2", "again").alive()
	// Behind a proxy a WebSocket is counted under its client.
	for range 4 {
		c := dialFrom(t, d, "127.0.0.9")
		c.send(rawGet("/chsk?client-id=p&handshake%3F", "X-Forwarded-For: 198.51.100.1"))
		c.want(200, helloEDN(`"p"`))
	}
	for _, id := range []string{"x", "y"} {
		wsFrom(t, d, "127.0.0.9", id, "X-Forwarded-For: 198.51.100.1").alive()
	}
	over := dialFrom(t, d, "127.0.0.9")
	over.send(rawUpgrade("/chsk?client-id=z", "X-Forwarded-For: 198.51.100.1"))
	over.want(429, "Your address has as many connections as it may")
	healthy.alive()
	m := scrape(t, d)
	if m[`chskd_connections_shed_total{reason="address"}`] != 2 {
		var of []string
		for name := range m {
			if strings.Contains(name, "shed") {
				of = append(of, name)
			}
		}
		t.Errorf("metrics: %v of %v", m[`chskd_connections_shed_total{reason="address"}`], of)
	}
}
