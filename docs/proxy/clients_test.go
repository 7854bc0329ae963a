package proxy_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/chskd/chskd/client"
	"github.com/chskd/chskd/internal/daemontest"
)

// Clients of a proxy that know what a browser knows: a public name and a certificate.

// patience bounds every wait. It is only reached when something is broken.
const patience = daemontest.Patience

// home is where most clients come from, away the one that some daemons here deny.
const (
	home = "127.0.0.1"
	away = "127.0.0.9"
)

// origin is that of the pages that the proxy serves.
func (f *front) origin() string {
	_, port, _ := net.SplitHostPort(f.Addr)
	return "https://" + net.JoinHostPort(host, port)
}

// dial connects to the proxy from an address.
func (f *front) dial(ctx context.Context, from string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return d.DialContext(ctx, "tcp", f.Addr)
}

// socket is a Sente client over WebSocket that has had its handshake.
type socket struct {
	io.Reader
	t    *testing.T
	conn net.Conn
	mute bool // answers nothing by itself, pings too
}

// upgrade asks for a WebSocket; target is path and query, fields are more of the request. It gives
// the status: 101, or that of the refusal, and no socket.
func (f *front) upgrade(t *testing.T, from, target string, fields ...string) (*socket, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	header := http.Header{"Origin": {f.origin()}}
	for i := 0; i < len(fields); i += 2 {
		header.Set(fields[i], fields[i+1])
	}
	d := ws.Dialer{
		TLSConfig: trusted(), Header: ws.HandshakeHeaderHTTP(header),
		NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) { return f.dial(ctx, from) },
	}
	conn, buffered, _, err := d.Dial(ctx, strings.Replace(f.origin(), "https:", "wss:", 1)+target)
	var refused ws.StatusError
	if errors.As(err, &refused) {
		return nil, int(refused)
	}
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	s := &socket{Reader: conn, t: t, conn: conn}
	if buffered != nil {
		s.Reader = buffered
	}
	return s, http.StatusSwitchingProtocols
}

// open opens a channel for uid, whose client-id is its name.
func (f *front) open(t *testing.T, from, target, uid string) *socket {
	t.Helper()
	s, status := f.upgrade(t, from, target+"?client-id="+uid)
	if s == nil {
		t.Fatalf("the upgrade of %s was answered %d", uid, status)
	}
	s.want(fmt.Sprintf("[[:chsk/handshake [%q nil nil]] nil]", uid))
	return s
}

// Write is for what package wsutil answers by itself.
func (s *socket) Write(b []byte) (int, error) {
	if s.mute {
		return len(b), nil
	}
	return s.conn.Write(b)
}

// next gives the next message that is no keep-alive, out of its wrapper if it has one.
func (s *socket) next() (string, error) {
	for {
		b, op, err := wsutil.ReadServerData(s)
		if err != nil {
			return "", err
		}
		text := string(b)
		if op == ws.OpBinary {
			text = unwrap(s.t, b)
		}
		if text != "[:chsk/ws-ping nil]" {
			return text, nil
		}
	}
}

// want reads the next message, which must have this in it.
func (s *socket) want(part string) {
	s.t.Helper()
	if got, err := s.next(); err != nil || !strings.Contains(got, part) {
		s.t.Fatalf("got %.200s, %v; want %.200s", got, err, part)
	}
}

// wantClosed reads until the close frame, which must have this code.
func (s *socket) wantClosed(code ws.StatusCode) {
	s.t.Helper()
	s.mute = true // the other end may not wait for an answer
	var closed wsutil.ClosedError
	if got, err := s.next(); !errors.As(err, &closed) || closed.Code != code {
		s.t.Fatalf("got %.200s, %v; want close %d", got, err, code)
	}
}

// say sends a message as it is, packed as op goes.
func (s *socket) say(op ws.OpCode, message []byte) {
	s.t.Helper()
	if err := wsutil.WriteClientMessage(s.conn, op, message); err != nil {
		s.t.Fatal(err)
	}
}

// ask sends an event in edn, whose reply must be this.
func (s *socket) ask(event, reply string) {
	s.t.Helper()
	s.say(ws.OpText, fmt.Appendf(nil, `[%s "cb"]`, event))
	s.want(fmt.Sprintf(`[%s "cb"]`, reply))
}

// cut ends the connection without a word, as a network does.
func (s *socket) cut() {
	s.t.Helper()
	if err := s.conn.(*tls.Conn).NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		s.t.Fatal(err)
	}
	s.conn.(*tls.Conn).NetConn().Close()
}

// wrap puts a message into the wrapper of the gzip packers.
func wrap(t *testing.T, message string) []byte {
	t.Helper()
	b := bytes.NewBuffer([]byte{1})
	w := gzip.NewWriter(b)
	_, err := io.WriteString(w, message)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unwrap takes a message out of it.
func unwrap(t *testing.T, b []byte) string {
	t.Helper()
	if len(b) > 0 && b[0] == 0 {
		return string(b[1:])
	}
	if len(b) == 0 || b[0] != 1 {
		t.Fatalf("not in the gzip wrapper: %.60q", b)
	}
	r, err := gzip.NewReader(bytes.NewReader(b[1:]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ajax is a Sente client over Ajax, as a page of the proxy's own has it.
type ajax struct {
	t    *testing.T
	f    *front
	http *http.Client
	id   string // client-id
	path string
}

// protocols are the versions of HTTP that browsers speak with a proxy.
var protocols = []string{"HTTP/1.1", "HTTP/2.0"}

// newAjax makes a client that has not said anything yet. Its HTTP is one of protocols.
func (f *front) newAjax(t *testing.T, from, protocol, id string) *ajax {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   trusted(),
		ForceAttemptHTTP2: protocol == "HTTP/2.0",
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return f.dial(ctx, from)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &ajax{t, f, &http.Client{Transport: transport, CheckRedirect: refuse}, id, "/chsk"}
}

// clock is that of all clients: no two requests have the same time.
var clock atomic.Int64

// do sends a request, with the fields that a page's request has.
func (a *ajax) do(ctx context.Context, method, query, contentType string, body []byte,
	fields ...string) (status int, answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	target := fmt.Sprintf("%s%s?udt=%d&%s", a.f.origin(), a.path, clock.Add(1), query)
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Referer", a.f.origin()+"/page")
	if method == http.MethodPost {
		req.Header.Set("Origin", a.f.origin())
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// poll sends a poll and waits for its answer. Like a stock client it polls again after a handshake,
// which it gets when it was late.
func (a *ajax) poll(ctx context.Context, fields ...string) (status int, answer string, err error) {
	for {
		status, answer, err = a.do(ctx, http.MethodGet, "client-id="+a.id, "", nil, fields...)
		if err != nil || !strings.HasPrefix(answer, "[[:chsk/handshake ") {
			return status, answer, err
		}
	}
}

// wantPoll is poll, whose answer must have this in it.
func (a *ajax) wantPoll(part string) {
	a.t.Helper()
	status, answer, err := a.poll(a.t.Context())
	if err != nil || status != http.StatusOK || !strings.Contains(answer, part) {
		a.t.Fatalf("a poll of %s: %d %.200s, %v; want %s", a.id, status, answer, err, part)
	}
}

// hello polls for the handshake, which must be for this uid.
func (a *ajax) hello(uid string) {
	a.t.Helper()
	status, answer, err := a.shake(a.t.Context())
	if want := fmt.Sprintf("[[:chsk/handshake [%q nil nil]] nil]", uid); err != nil || answer != want {
		a.t.Fatalf("the handshake of %s: %d %.200s, %v; want %s", a.id, status, answer, err, want)
	}
}

// shake polls with the parameter that asks for a handshake.
func (a *ajax) shake(ctx context.Context, fields ...string) (status int, answer string, err error) {
	return a.do(ctx, http.MethodGet, "client-id="+a.id+"&handshake%3F=true", "", nil, fields...)
}

// polling sends a poll, and gives its answer later; ctx ends it.
func (a *ajax) polling(ctx context.Context) <-chan string {
	answered := make(chan string, 1)
	go func() {
		status, answer, err := a.poll(ctx)
		if err != nil {
			answer = err.Error()
		}
		answered <- fmt.Sprintf("%d %s", status, answer)
	}()
	return answered
}

// send posts a message in edn as a form.
func (a *ajax) send(message string) (status int, answer string, err error) {
	form := url.Values{"client-id": {a.id}, "ppstr": {message}}.Encode()
	return a.do(a.t.Context(), http.MethodPost, "", "application/x-www-form-urlencoded;charset=UTF-8",
		[]byte(form))
}

// wantSend sends a message, whose answer must be this.
func (a *ajax) wantSend(message, want string) {
	a.t.Helper()
	status, answer, err := a.send(message)
	if err != nil || status != http.StatusOK || answer != want {
		a.t.Fatalf("%.100s was answered %d %.200s, %v; want %s", message, status, answer, err, want)
	}
}

// backend answers `app/echo` with what came with it and `app/len` with its length.
type backend struct {
	*client.Client
	t *testing.T
}

// newBackend makes the backend of a daemon, which answers from now on until the test ends.
func newBackend(t *testing.T, d *daemontest.Daemon) *backend {
	t.Helper()
	c, err := client.Dial(t.Context(), d.API, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, ready := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for e, err := range c.Events(ctx, client.Subscription{}) {
			switch {
			case err != nil:
			case e.Kind == client.Hello && !e.Restarted:
				close(ready)
			case e.ReplyTo != "":
				_ = c.Reply(ctx, e.ReplyTo, replyTo(e)) // the client notices what is missing
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		c.Close()
	})
	<-ready
	return &backend{c, t}
}

func replyTo(e client.Event) any {
	if e.ID == "app/len" {
		return len(e.Data)
	}
	return e.Data
}

// with is the same backend in a part of its test.
func (b *backend) with(t *testing.T) *backend { return &backend{b.Client, t} }

// push pushes an event in edn to a user, whose session must be there.
func (b *backend) push(uid, event string) {
	b.t.Helper()
	sent, err := b.Push(b.t.Context(), client.Push{UID: uid, EDN: client.EDN(event)})
	if err != nil || sent.Sessions != 1 {
		b.t.Fatalf("the push of %.60s to %s: %+v, %v", event, uid, sent, err)
	}
}

// user is what the daemon knows of a user.
func (b *backend) user(uid string) client.User {
	b.t.Helper()
	u, err := b.User(b.t.Context(), client.Who{UID: uid})
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// await waits until what the daemon knows of a user is as it should be.
func (b *backend) await(uid, what string, ok func(client.User) bool) {
	b.t.Helper()
	daemontest.Eventually(b.t, uid+" "+what, func() bool { return ok(b.user(uid)) })
}

// Of users: one that has a WebSocket, one that has begun to poll, one that has neither.
func connected(u client.User) bool { return u.WS == 1 }
func polls(u client.User) bool     { return u.Ajax == 1 }
func gone(u client.User) bool      { return !u.Online }

// confirmed: nothing is on its way to the user.
func confirmed(u client.User) bool { return len(u.Clients) == 1 && u.Clients[0].Lag == 0 }
