package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// HTTP through the daemon (RFC 9112, RFC 9110), as it is on the wire.
//
//	http_requests_test.go  persistence, pipelining, methods, parameters, limits
//	http_bodies_test.go    request bodies, Expect
//	http_smuggling_test.go what can be read in two ways
//	http_cors_test.go      other origins
//	http_auth_test.go      who may ask, and who it is
//	http_cap_test.go       more connections than there may be

// requestCase is one connection: what is sent, and the answers that come back, a line each.
type requestCase struct {
	name string
	send string
	want []string // "200 body"; the last may be "end": the server ends the connection
}

// playRequests plays a case whole, byte by byte, and in random pieces.
func playRequests(t *testing.T, d *daemon, c requestCase) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(9112, uint64(len(c.send))))
	ways := [][]int{nil, wsCuts(rnd, len(c.send)), wsCuts(rnd, len(c.send))}
	if len(c.send) <= 4096 {
		ways = append(ways, wsEveryByte(len(c.send)))
	}
	for _, cuts := range ways {
		conn := dialRaw(t, d)
		sent := make(chan struct{})
		go func() { defer close(sent); wsSend(conn.tcp, c.send, cuts) }()
		var got []string
		for range c.want {
			a, err := conn.read(http.MethodGet)
			if err != nil {
				got = append(got, "end")
				break
			}
			got = append(got, fmt.Sprintf("%d %s", a.status, a.body))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d cuts: got %q\nwant %q", len(cuts), got, c.want)
		}
		_ = conn.tcp.Close() // wsSend returns
		<-sent
	}
}

// TestRequestsOnOneConnection: requests of all kinds one behind the other, sent at once and in
// pieces, are answered in their order (RFC 9112 §9.3.2), whatever each has to wait for.
func TestRequestsOnOneConnection(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	startRig(t, d.API, "edn", answer{"edn", "nil"})
	hello := rawGet("/chsk?client-id=p&handshake%3F=1")
	helloAnswer := "200 " + helloEDN(`"p"`)
	const nothing = "404 Nothing here; the channel socket is at /chsk"
	for _, c := range []requestCase{
		{
			"RFC 9112 9.3.1 two handshakes", hello + hello, []string{helloAnswer, helloAnswer},
		},
		{
			"RFC 9112 9.3.2 polls and sends",
			hello + ajaxSend("p", `[[:test/x 1] nil]`) + hello + ajaxSend("p", `[[:test/x 2] nil]`),
			[]string{helloAnswer, "200 " + ajaxDummy, helloAnswer, "200 " + ajaxDummy},
		},
		{
			"RFC 9112 9.3.2 a slow answer before quick ones",
			ajaxSend("p", `[[:test/slow 150] :ajax]`) + ajaxSend("p", `[[:test/echo 7] :ajax]`) + hello,
			[]string{"200 [[:slow 150] nil]", "200 [7 nil]", helloAnswer},
		},
		{
			"RFC 9112 9.3 refusals that are understood keep the connection",
			rawGet("/nothing") + rawGet("/chsk") + ajaxSend("p", "(") + hello,
			[]string{
				nothing, "400 missing client-id", "400 The message is not readable as edn", helloAnswer,
			},
		},
		{
			"RFC 9112 2.2 empty line before a request", "\r\n" + hello + "\r\n" + hello,
			[]string{helloAnswer, helloAnswer},
		},
		{
			"RFC 9112 9.6 nothing behind Connection: close",
			rawGet("/chsk?client-id=p&handshake%3F=1", "Connection: close") + hello,
			[]string{helloAnswer, "end"},
		},
		{
			"RFC 9112 9.3 nothing behind HTTP/1.0",
			"GET /chsk?client-id=p&handshake%3F HTTP/1.0\r\n\r\n" + hello, []string{helloAnswer, "end"},
		},
		{
			"RFC 9112 9.3 HTTP/1.0 that keeps the connection",
			"GET /chsk?client-id=p&handshake%3F HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + hello,
			[]string{helloAnswer, helloAnswer},
		},
		{
			"RFC 9112 3.2.2 absolute form",
			rawGet("http://" + rawHost + "/chsk?client-id=p&handshake%3F"), []string{helloAnswer},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			playRequests(t, d, c)
		})
	}
}

// TestPipelinedBehindPoll: what comes behind a hanging poll waits for the poll's answer.
func TestPipelinedBehindPoll(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := dialRaw(t, d)
	c.send(rawGet("/chsk?client-id=c&handshake%3F=1"))
	c.want(200, helloEDN(`"c"`))
	c.send(rawGet("/chsk?client-id=c&udt=1") + ajaxSend("c", `[[:test/behind] nil]`))
	presentIs(t, d, 1, 0, 1) // the poll is parked

	first := dialRaw(t, d)
	first.send(ajaxSend("c", `[[:test/before] nil]`))
	first.want(200, ajaxDummy)
	s.want("event c c ajax [:test/before]")
	pushEDN(t, d, `"uid":"c"`, "[:a/b 1]")
	c.want(200, "[[[:a/b 1]] nil]")
	c.want(200, ajaxDummy)
	s.want("event c c ajax [:test/behind]")
}

// TestConnectionField: the answer says what becomes of the connection (RFC 9112 §9.3, §9.6).
func TestConnectionField(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	const target = "/chsk?client-id=c&handshake%3F"
	for _, c := range []struct{ name, request, want string }{
		{"9.3 persistent by default", rawGet(target), ""},
		{"9.6 close", rawGet(target, "Connection: close"), "close"},
		{"9.3 HTTP/1.0", "GET " + target + " HTTP/1.0\r\n\r\n", "close"},
		{
			"9.3 HTTP/1.0 keep-alive",
			"GET " + target + " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive",
		},
		{"9.6 malformed", "GET " + target + " HTTP/1.1\r\n\r\n", "close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dialRaw(t, d)
			conn.send(c.request)
			a := conn.answer("GET")
			if got := a.header.Get("Connection"); got != c.want {
				t.Errorf("Connection: %q, want %q", got, c.want)
			}
			if a.header.Get("Date") == "" || a.header.Get("Cache-Control") != "no-store" ||
				a.header.Get("X-Content-Type-Options") != "nosniff" || a.length != int64(len(a.body)) {
				t.Errorf("head %v, length %d", a.header, a.length)
			}
			if c.want == "close" {
				conn.wantEnd()
			}
		})
	}
}

// TestHead: an answer to HEAD has no body (RFC 9110 §9.3.2), so that the next answer is found.
func TestHead(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--demo")
	page := ask(t, d, rawGet("/"))
	if page.status != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("the page: %d %v", page.status, page.header)
	}
	c := dialRaw(t, d)
	c.send(rawRequest("HEAD", "/") + rawRequest("HEAD", "/nothing") +
		rawRequest("HEAD", "/chsk?client-id=c") + rawGet("/chsk?client-id=c&handshake%3F"))
	for _, want := range []struct {
		status int
		length int64
	}{{200, int64(len(page.body))}, {404, -2}, {405, -2}} {
		a := c.answer("HEAD")
		if a.status != want.status || a.body != "" || want.length >= 0 && a.length != want.length {
			t.Errorf("HEAD: %d, length %d, %q; want %v", a.status, a.length, a.body, want)
		}
		if a.status == 405 && a.header.Get("Allow") == "" {
			t.Error("RFC 9110 15.5.6: 405 without Allow")
		}
	}
	c.want(200, helloEDN(`"c"`))
}

// TestMethods: the path takes GET, POST and OPTIONS (RFC 9110 §15.5.6); a method that is none of
// the standard's, where case counts (§9.1), ends the connection.
func TestMethods(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"} {
		c := dialRaw(t, d)
		c.send(rawRequest(method, "/chsk?client-id=c") + rawGet("/chsk?client-id=c&handshake%3F"))
		if a := c.answer(method); a.status != 405 || a.header.Get("Allow") != "GET, POST, OPTIONS" {
			t.Errorf("%s: %d %v", method, a.status, a.header)
		}
		c.want(200, helloEDN(`"c"`))
	}
	for _, request := range []string{
		"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", rawRequest("get", "/chsk?client-id=c"),
		rawRequest("PROPFIND", "/chsk"), rawRequest("GPOST", "/chsk?client-id=c"),
	} {
		c := dialRaw(t, d)
		c.send(request + rawGet("/chsk?client-id=c&handshake%3F"))
		if a := c.answer("GET"); a.status != 501 || a.header.Get("Connection") != "close" {
			t.Errorf("%.20q: %d %v", request, a.status, a.header)
		}
		c.wantEnd()
	}
}

// TestUpgradeRefused: an upgrade by another version is told which one to use (RFC 6455 §4.4), but
// only to those who may connect.
func TestUpgradeRefused(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--csrf-token", "secret")
	good := rawUpgrade("/chsk?client-id=c&csrf-token=secret")
	for _, c := range []struct {
		name, old, new string
		status         int
	}{
		{"as it should be", "", "", 101},
		{"4.4 version 8", "Version: 13", "Version: 8", 426},
		{"4.2.1 no version", "Sec-WebSocket-Version: 13\r\n", "", 426},
		{"4.2.1 no key", "Sec-WebSocket-Key", "X-Key", 400},
		{"4.2.1 bad key", wsKey, "x", 400},
		{"4.2.1 body", "Upgrade: websocket", "Upgrade: websocket\r\nContent-Length: 0", 101},
		{"4.2.1 HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400},
		{"4.2.1 POST", "GET", "POST", 400},
		{"token first", "=secret", "=x", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := ask(t, d, strings.Replace(good, c.old, c.new, 1))
			if a.status != c.status {
				t.Fatalf("answered %d %q, want %d", a.status, a.body, c.status)
			}
			if v := a.header.Get("Sec-WebSocket-Version"); (a.status == 426) != (v == "13") {
				t.Errorf("Sec-WebSocket-Version: %q with %d", v, a.status)
			}
		})
	}
}

// TestParameters: spaces and escapes in query and form (URL standard §5.1), and parameters of a
// send wherever they stand.
func TestParameters(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--csrf-token", "t&+ ?")
	s := openStream(t, d, false)
	for _, c := range []struct{ query, uid string }{
		{"client-id=c&uid=a+b", "a b"},
		{"client-id=c&uid=a%20b", "a b"},
		{"client-id=c&uid=a%2Bb", "a+b"},
		{"client-id=c&uid=%26%3D%3f%23", "&=?#"},
		{"client-id=c&uid=%C3%A9%E2%82%AC", "é€"},
		{"%63lient%2Did=c&%75id=x", "x"},
		{"uid=first&uid=second&client-id=c", "first"},
		{"&&client-id=c&=&x&uid=y", "y"},
	} {
		a := ask(t, d, rawGet("/chsk?"+c.query+"&csrf-token=t%26%2B+?&handshake%3F=0"))
		if want := helloEDN(`"` + c.uid + `"`); a.status != 200 || a.body != want {
			t.Errorf("%s: %d %s, want %s", c.query, a.status, a.body, want)
		}
	}
	const id, token = "client-id=d+e", "csrf-token=t%26%2B%20%3F"
	const event = "ppstr=%5B%5B:x/y+%22a+b%2Bc%22%5D+nil%5D"
	for _, c := range []struct{ name, query, form string }{
		{"all in the form", "", id + "&" + token + "&" + event},
		{"all in the query", id + "&" + token + "&" + event, ""},
		{"token in the query", token, id + "&" + event},
		{"event in the query", event, token + "&" + id},
		{"the query wins", id + "&" + event, token + "&client-id=z&ppstr=z"},
	} {
		if a := ask(t, d, rawPost("/chsk?"+c.query, c.form)); a.status != 200 || a.body != ajaxDummy {
			t.Fatalf("%s: %d %s", c.name, a.status, a.body)
		}
		s.want(`event d e d e ajax [:x/y "a b+c"]`)
	}
}

// TestHeadLimits: a head has 16 KiB and 100 fields (RFC 6585 §5), one line or many, ended or not.
func TestHeadLimits(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	const target = "/chsk?client-id=c&handshake%3F"
	long := strings.Repeat("x", 16<<10)
	room := 16<<10 - len(rawGet(target, "A: "))
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"just 16 KiB", rawGet(target, "A: "+long[:room]), 200},
		{"a byte more", rawGet(target, "A: "+long[:room+1]), 431},
		{"a field without end", "GET " + target + " HTTP/1.1\r\nHost: x\r\nA: " + long, 431},
		{"a target without end", "GET /" + long, 414},
		{"100 fields", rawGet(target, slices.Repeat([]string{"A: b"}, 99)...), 200},
		{"101 fields", rawGet(target, slices.Repeat([]string{"A: b"}, 100)...), 431},
		{"a method without end", long, 501},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dialRaw(t, d)
			conn.send(c.request)
			if a := conn.answer("GET"); a.status != c.status {
				t.Fatalf("answered %d %q, want %d", a.status, a.body, c.status)
			}
			if c.status != 200 {
				conn.wantEnd()
			}
		})
	}
}

// TestSlowRequests: a request must be whole within 10 s (RFC 9110 §15.5.9), the first of a
// connection or a later one, in its head or in its body. Who says nothing gets no answer.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	whole := rawGet("/chsk?client-id=c&handshake%3F")
	send := ajaxSend("c", "[[:x/y] nil]")
	cases := []struct {
		name, before, begun string
		status              int // 0 = none
	}{
		{"nothing", "", "", 0},
		{"head", "", whole[:len(whole)-2], 408},
		{"one byte", "", "G", 408},
		{"body", "", send[:len(send)-1], 408},
		{"chunked body", "", chunkedPost("/chsk", "1\r\na\r\n"), 408},
		{"second head", whole, whole[:20], 408},
		{"second body", whole, send[:len(send)-1], 408},
	}
	conns := make([]*rawConn, len(cases))
	for i, c := range cases { // all of them wait at the same time
		conns[i] = dialRaw(t, d)
		if c.before != "" {
			conns[i].send(c.before)
			conns[i].want(200, helloEDN(`"c"`))
		}
		conns[i].send(c.begun)
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conns[i].t = t
			if c.status != 0 {
				a := conns[i].answer("GET")
				if a.status != c.status || a.header.Get("Connection") != "close" {
					t.Fatalf("answered %d %q, want %d", a.status, a.body, c.status)
				}
			}
			conns[i].wantEnd()
		})
	}
}
