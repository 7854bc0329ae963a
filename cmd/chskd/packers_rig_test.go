package main_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// These tests speak every packer with a running daemon. A test says and hears edn or JSON; between
// that and the wire stand package packer and, for gzip, the standard library.
//
//	packers_rig_test.go     clients of any packer
//	packers_push_test.go    all packers at once: pushes, events, replies, pings
//	packers_choice_test.go  how a client chooses its packer, and which ones it may
//	packers_bodies_test.go  what a message travels in: frames, bodies, gzip or not
//	packers_bomb_test.go    messages that inflate to what nobody can hold

// allPackers are the packers in the order of their numbers.
var allPackers = func() (list []packer.Packer) {
	for p := range packer.Packer(packer.Packers) {
		list = append(list, p)
	}
	return list
}()

// gzipFrom is how long a message is that Sente compresses.
const gzipFrom = 1024

// pack is a message, given as edn, as a client with packer p sends it.
func pack(t *testing.T, p packer.Packer, edn string) string {
	t.Helper()
	b, err := packer.Append(nil, p.Format(), []byte(edn), packer.EDN, packer.Options{})
	if err != nil {
		t.Fatalf("%.100s as %v: %v", edn, p, err)
	}
	return wrapGzip(t, p, string(b), len(b) >= gzipFrom)
}

// wrapGzip puts a message into the wrapper, if p has one, compressed or as it is.
func wrapGzip(t *testing.T, p packer.Packer, message string, compress bool) string {
	t.Helper()
	switch {
	case !p.Gzip():
		return message
	case !compress:
		return "\x00" + message
	}
	var out bytes.Buffer
	out.WriteByte(1)
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, message); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// unpack is a message of the server as JSON. It checks that the right messages are compressed.
func unpack(t *testing.T, p packer.Packer, packed string) string {
	t.Helper()
	if p.Gzip() {
		packed = unwrapSent(t, packed)
	}
	out, err := packer.Append(nil, packer.JSON, []byte(packed), p.Format(), packer.Options{})
	if err != nil {
		t.Fatalf("%v: %.100q: %v", p, packed, err)
	}
	return string(out)
}

// unwrapSent takes a message of the server out of the wrapper.
func unwrapSent(t *testing.T, packed string) string {
	t.Helper()
	inner := ""
	switch {
	case strings.HasPrefix(packed, "\x00"):
		inner = packed[1:]
	case strings.HasPrefix(packed, "\x01"):
		r, err := gzip.NewReader(strings.NewReader(packed[1:]))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r) // to the end: nothing else may be behind it
		if err != nil {
			t.Fatal(err)
		}
		inner = string(b)
	default:
		t.Fatalf("a flag byte of no kind: %.60q", packed)
	}
	if compressed := packed[0] == 1; compressed != (len(inner) >= gzipFrom) {
		t.Fatalf("a message of %d bytes: compressed %v", len(inner), compressed)
	}
	return inner
}

// kindOf is the word for a packer's frames, as wsRead names them.
func kindOf(p packer.Packer) string {
	if p.Binary() {
		return "binary"
	}
	return "text"
}

// packedWS is a Sente client over WebSocket with packer p.
type packedWS struct {
	t   *testing.T
	p   packer.Packer
	tcp net.Conn
	in  *bufio.Reader
}

// openPacked connects and reads the handshake for uid.
func openPacked(t *testing.T, d *daemon, p packer.Packer, target, uid string) *packedWS {
	t.Helper()
	tcp, in := wsDial(t, d, target)
	t.Cleanup(func() { _ = tcp.Close() }) // the test may have closed it
	c := &packedWS{t, p, tcp, in}
	c.want(fmt.Sprintf(`[["chsk/handshake",[%q,null,null]],null]`, uid))
	return c
}

// say sends a message, given as edn.
func (c *packedWS) say(edn string) {
	c.t.Helper()
	c.sayPacked(pack(c.t, c.p, edn))
}

// sayPacked sends a packed message.
func (c *packedWS) sayPacked(packed string) {
	if c.p.Binary() {
		wsSend(c.tcp, wsBinary(packed), nil)
		return
	}
	wsSend(c.tcp, wsText(packed), nil)
}

// hear reads the next message as it was packed. Keep-alive pings are answered and left out.
func (c *packedWS) hear() (packed string, err error) {
	c.t.Helper()
	for {
		line, err := wsRead(c.in)
		if err != nil {
			return "", err
		}
		kind, packed, _ := strings.Cut(line, " ")
		if kind != kindOf(c.p) {
			return "", fmt.Errorf("%v: a frame %.100q", c.p, line)
		}
		if unpack(c.t, c.p, packed) != `["chsk/ws-ping",null]` {
			return packed, nil
		}
		c.say("[[:chsk/ws-pong] nil]")
	}
}

// want reads messages, which must be these as JSON.
func (c *packedWS) want(messages ...string) {
	c.t.Helper()
	for _, want := range messages {
		packed, err := c.hear()
		if err != nil {
			c.t.Fatalf("%v: %v; want %s", c.p, err, want)
		}
		if got := unpack(c.t, c.p, packed); got != want {
			c.t.Fatalf("%v: got %.300s, want %.300s", c.p, got, want)
		}
	}
}

// alive asks for an answer.
func (c *packedWS) alive() {
	c.t.Helper()
	c.say(`[[:chsk/ws-ping] "alive"]`)
	c.want(`["pong","alive"]`)
}

// packedSend is an Ajax send of a packed message. target has a query at least with the client-id.
func packedSend(p packer.Packer, target, packed string) string {
	udt := fmt.Sprintf("udt=%d", udtClock.Add(1))
	if !p.Binary() {
		return rawPost(target, udt+"&ppstr="+url.QueryEscape(packed))
	}
	return octetPost(target+"&"+udt+"&binary%3F=true", packed)
}

// octetPost is a POST of bytes.
func octetPost(target, body string) string {
	return rawRequest("POST", target, "Content-Type: application/octet-stream",
		fmt.Sprintf("Content-Length: %d", len(body))) + body
}

// wantPacked reads the answer to a poll or send, which must be this as JSON.
func wantPacked(t *testing.T, c *rawConn, p packer.Packer, want string) {
	t.Helper()
	a := c.answer(http.MethodGet)
	media := "text/plain; charset=utf-8"
	if p.Binary() {
		media = "application/octet-stream"
	}
	if a.status != 200 || a.header.Get("Content-Type") != media ||
		a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%v: %d %v %.100q", p, a.status, a.header, a.body)
	}
	if got := unpack(t, p, a.body); got != want {
		t.Fatalf("%v: got %.300s, want %.300s", p, got, want)
	}
}

// wantClosed reads frames until the connection ends, the last of which must be a close frame with
// this code.
func (c *packedWS) wantClosed(code int) {
	c.t.Helper()
	last := "nothing"
	for {
		line, err := wsRead(c.in)
		if err != nil {
			if last != fmt.Sprintf("close %d", code) || errors.Is(err, io.ErrUnexpectedEOF) {
				c.t.Fatalf("%v: %.100q, then %v; want close %d", c.p, last, err, code)
			}
			return
		}
		last = line
	}
}
