package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What tests of a running daemon say it with: HTTP as it is written, WebSockets line by line, and
// a backend on the API socket.

const (
	// rawHangs is how long a connection of a test may live; nothing depends on it otherwise.
	rawHangs = 2 * time.Minute

	// comesTrue is how long a condition is waited for.
	comesTrue = 30 * time.Second
)

// neverMs is longer than any test, for a wait that must not end.
const neverMs = "3600000"

// rawHost is the Host of the requests here.
const rawHost = "chskd.localhost"

// rawConn is a client that sends HTTP byte for byte as it is told.
type rawConn struct {
	t   *testing.T
	tcp net.Conn
	in  *bufio.Reader
}

// rawAnswer is one response, wholly read.
type rawAnswer struct {
	status int
	header http.Header
	body   string
	length int64 // Content-Length, -1 = none
}

func dialRaw(t *testing.T, d *daemon) *rawConn {
	t.Helper()
	tcp, err := net.Dial("tcp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })         // the test may have closed it
	_ = tcp.SetDeadline(time.Now().Add(rawHangs)) // only fails on a closed conn, which Write shows
	return &rawConn{t: t, tcp: tcp, in: bufio.NewReader(tcp)}
}

// send writes; a server that has ended the connection is seen by what is read.
func (c *rawConn) send(text string) { wsSend(c.tcp, text, nil) }

// read reads the response to a request with this method.
func (c *rawConn) read(method string) (*rawAnswer, error) {
	if _, err := c.in.Peek(1); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return nil, noEOF(err)
	}
	if resp.StatusCode < 200 {
		return &rawAnswer{status: resp.StatusCode, header: resp.Header, length: -1}, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, noEOF(err)
	}
	if resp.Close {
		resp.Header.Set("Connection", "close") // ReadResponse takes it away
	}
	return &rawAnswer{resp.StatusCode, resp.Header, string(body), resp.ContentLength}, nil
}

// answer reads the response to a request with this method, which must come.
func (c *rawConn) answer(method string) *rawAnswer {
	c.t.Helper()
	a, err := c.read(method)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return a
}

// want reads the response to a GET or POST, which must be this one.
func (c *rawConn) want(status int, body string) *rawAnswer {
	c.t.Helper()
	a := c.answer(http.MethodGet)
	if a.status != status || a.body != body {
		c.t.Fatalf("answered %d %q, want %d %q", a.status, a.body, status, body)
	}
	return a
}

// wantEnd: the server ends the connection, and says nothing more before.
func (c *rawConn) wantEnd() {
	c.t.Helper()
	if b, err := io.ReadAll(c.in); len(b) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("the connection should end; got %q, %v", b, err)
	}
}

// ask sends one request on a connection of its own.
func ask(t *testing.T, d *daemon, request string) *rawAnswer {
	t.Helper()
	c := dialRaw(t, d)
	defer c.tcp.Close()
	c.send(request)
	method, _, _ := strings.Cut(request, " ")
	return c.answer(method)
}

// rawRequest builds a request without body; fields are whole lines without their ends.
func rawRequest(method, target string, fields ...string) string {
	head := append([]string{method + " " + target + " HTTP/1.1", "Host: " + rawHost}, fields...)
	return strings.Join(head, "\r\n") + "\r\n\r\n"
}

func rawGet(target string, fields ...string) string { return rawRequest("GET", target, fields...) }

const formType = "Content-Type: application/x-www-form-urlencoded;charset=UTF-8"

// rawPost builds an Ajax send; form is the body as it is.
func rawPost(target, form string, fields ...string) string {
	fields = append(slices.Clone(fields), formType, fmt.Sprintf("Content-Length: %d", len(form)))
	return rawRequest("POST", target, fields...) + form
}

// rawUpgrade builds an opening handshake.
func rawUpgrade(target string, fields ...string) string {
	return rawGet(target, append(slices.Clone(fields), "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: "+wsKey, "Sec-WebSocket-Version: 13")...)
}

// ajaxForm is the form of an Ajax send.
func ajaxForm(client, ppstr string) string {
	return url.Values{"client-id": {client}, "ppstr": {ppstr}}.Encode()
}

// ajaxSend builds the send of a message.
func ajaxSend(client, ppstr string) string { return rawPost("/chsk", ajaxForm(client, ppstr)) }

// Answers of Sente that never vary.
const (
	ajaxDummy   = "[:chsk/dummy-cb-200 nil]"
	ajaxTimeout = "[:chsk/timeout nil]"
	serverPing  = "text [:chsk/ws-ping nil]"
)

// helloEDN is the handshake message for a uid, as edn.
func helloEDN(uid string) string { return "[[:chsk/handshake [" + uid + " nil nil]] nil]" }

// chskConn is a client of the channel socket over WebSocket.
type chskConn struct {
	t   *testing.T
	tcp net.Conn
	in  *bufio.Reader
}

// openChannel connects and reads the handshake, which must be for this uid (edn).
func openChannel(t *testing.T, d *daemon, target, uid string) *chskConn {
	t.Helper()
	tcp, in := wsDial(t, d, target)
	t.Cleanup(func() { _ = tcp.Close() }) // the test may have closed it
	c := &chskConn{t, tcp, in}
	c.want("text " + helloEDN(uid))
	return c
}

// say sends a message.
func (c *chskConn) say(message string) { wsSend(c.tcp, wsText(message), nil) }

// read reads a frame; unless it is wanted, a ping of the server is answered and left out.
func (c *chskConn) read(want string) (string, error) {
	for {
		got, err := wsRead(c.in)
		if err != nil || got == want || got != serverPing {
			return got, err
		}
		c.say("[[:chsk/ws-pong] nil]")
	}
}

// want reads frames, which must be these (wsLine).
func (c *chskConn) want(lines ...string) {
	c.t.Helper()
	for _, want := range lines {
		if got, err := c.read(want); got != want || err != nil {
			c.t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
}

// wantEnd: the server ends the TCP connection, without another frame.
func (c *chskConn) wantEnd() {
	c.t.Helper()
	if got, err := c.read(""); err == nil || !errors.Is(err, io.EOF) {
		c.t.Fatalf("got %q, %v; want the end of the connection", got, err)
	}
}

// apiClient makes requests to the daemon's API socket.
func apiClient(d *daemon) *http.Client {
	return &http.Client{Timeout: comesTrue, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.API)
		},
	}}
}

// apiStatus posts body, or gets when there is none.
func apiStatus(t *testing.T, d *daemon, path, body string) (status int, answer string) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, "http://chskd"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := apiClient(d).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// apiCall is apiStatus for what must be a 200.
func apiCall(t *testing.T, d *daemon, path, body string) string {
	t.Helper()
	status, answer := apiStatus(t, d, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", path, body, status, answer)
	}
	return answer
}

// pushEDN pushes an event; to is the receiver as fields of the request.
func pushEDN(t *testing.T, d *daemon, to, event string) string {
	t.Helper()
	return apiCall(t, d, "/v1/push", fmt.Sprintf(`{%s,"edn":%q}`, to, event))
}

// forSessions is the answer to a push or close that was for n sessions.
func forSessions(n int) string { return fmt.Sprintf(`{"status":"ok","sessions":%d}`, n) }

// rawStream is a backend that reads what clients say.
type rawStream struct {
	t     *testing.T
	lines *json.Decoder
}

// streamLine is one line of a stream.
type streamLine struct {
	Type      string  `json:"type"`
	UID       *string `json:"uid"`
	Client    string  `json:"client"`
	Transport string  `json:"transport"`
	EDN       string  `json:"edn"`
	ReplyTo   string  `json:"reply_to"`
}

// openStream subscribes, to events as edn; presence with it if wanted, from its snapshot on.
func openStream(t *testing.T, d *daemon, presence bool) *rawStream {
	t.Helper()
	path := "http://chskd/v1/events?format=edn"
	if presence {
		path += "&presence=all"
	}
	client := apiClient(d)
	client.Timeout = 5 * rawHangs // of all that is read, not of one line
	resp, err := client.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() }) // ends the stream
	s := &rawStream{t, json.NewDecoder(resp.Body)}
	if l := s.next(); l.Type != "hello" {
		t.Fatalf("a stream begins with %+v", l)
	}
	if presence {
		s.want("live")
	}
	return s
}

func (s *rawStream) next() *streamLine {
	s.t.Helper()
	l := new(streamLine)
	if err := s.lines.Decode(l); err != nil {
		s.t.Fatalf("the stream ended: %v", err)
	}
	return l
}

// String gives type, uid, client, transport and event, as far as the line has them.
func (l *streamLine) String() string {
	words := []string{l.Type}
	switch {
	case l.UID != nil:
		words = append(words, *l.UID)
	case l.Type != "live":
		words = append(words, "null")
	}
	if l.Client != "" {
		words = append(words, l.Client, l.Transport, l.EDN)
	}
	return strings.Join(words, " ")
}

// want reads lines, which must be these.
func (s *rawStream) want(lines ...string) (last *streamLine) {
	s.t.Helper()
	for _, want := range lines {
		if last = s.next(); last.String() != want {
			s.t.Fatalf("the backend was told %q, want %q", last, want)
		}
	}
	return last
}

// waitFor waits until check finds nothing to complain about.
func waitFor(t *testing.T, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(comesTrue); ; time.Sleep(10 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// presentIs waits until so many users are present, in all and by transport.
func presentIs(t *testing.T, d *daemon, anyway, ws, ajax int) {
	t.Helper()
	want := fmt.Sprintf(`"count":{"any":%d,"ws":%d,"ajax":%d}`, anyway, ws, ajax)
	waitFor(t, func() error {
		if got := apiCall(t, d, "/v1/connected", ""); !strings.Contains(got, want) {
			return fmt.Errorf("present: %s, want %s", got, want)
		}
		return nil
	})
}

// userIs waits until a user, named as in a query, has so many sessions by transport.
func userIs(t *testing.T, d *daemon, user string, ws, ajax int) {
	t.Helper()
	want := fmt.Sprintf(`"ws":%d,"ajax":%d,`, ws, ajax)
	waitFor(t, func() error {
		if got := apiCall(t, d, "/v1/connected?"+user, ""); !strings.Contains(got, want) {
			return fmt.Errorf("%s, want %s", got, want)
		}
		return nil
	})
}

// counter reads one of the engine's counters.
func counter(t *testing.T, d *daemon, name string) uint64 {
	t.Helper()
	var a struct {
		Engine struct {
			Counters map[string]uint64 `json:"counters"`
		} `json:"engine"`
	}
	if err := json.Unmarshal([]byte(apiCall(t, d, "/v1/stats", "")), &a); err != nil {
		t.Fatal(err)
	}
	n, ok := a.Engine.Counters[name]
	if !ok {
		t.Fatalf("there is no counter %q", name)
	}
	return n
}
