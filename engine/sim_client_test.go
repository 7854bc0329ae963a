package engine

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// simClient behaves as a stock Sente client does: WebSocket or polls with one
// client-id, a new handshake when a connection is lost, a poll after each answer.
type simClient struct {
	w       *simWorld
	user    *simUser
	id      string
	ajax    bool // uses polls now
	packer  packer.Packer
	deaf    bool // reads nothing for a while
	sock    *simSock
	loop    *loop
	is101   bool // the upgrade was answered
	open    bool // has had a handshake on this connection
	polling bool // a poll is out
	replay  bool // and is to be sent again as it was, on a new connection
	udt     int

	topics map[string]bool // that it is in by itself
	sent   []simItem       // what was pushed to it, in order
	expect int             // index into sent of what is to come
	told   int             // gaps since the last number
	anew   bool            // it may miss what comes: its session may have been ended

	began   uint32 // when this conn, or the last poll, was begun
	wasAjax bool
	got     []int // numbers received, doubles left out
	doubled int
	late    int // got from here on came after the server had closed, and may come again; -1 = none
	again   int // so many of the last numbers may come again: those of the last poll's answer
}

func (c *simClient) socks() []*simSock {
	if c.sock == nil {
		return nil
	}
	return []*simSock{c.sock}
}

// start connects anew: an upgrade, or a handshake poll.
func (c *simClient) start() {
	c.w.now++ // no client comes twice in a millisecond
	c.sock, c.loop = c.w.connect()
	c.is101, c.open, c.polling = false, false, false
	c.began, c.wasAjax = c.w.now, c.wasAjax || c.ajax
	replay := c.replay && c.ajax
	c.replay = false
	c.w.trace("client %s of %s connects, ajax %v, loop %d", c.id, c.user.uid, c.ajax, c.loop.id)
	switch {
	case replay:
		c.udt--
		c.open = true
		c.poll(false)
		return
	case c.ajax:
		c.poll(true)
		return
	}
	c.w.give(c.sock, c.loop, fmt.Sprintf("GET /chsk/%v?uid=%s&client-id=%s HTTP/1.1\r\nHost: x\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", c.packer, c.user.uid, c.id))
}

func (c *simClient) poll(handshake bool) {
	c.udt++
	c.began = c.w.now
	q := ""
	if handshake {
		q = "&handshake%3F=1"
	}
	c.polling = true
	c.w.give(c.sock, c.loop, fmt.Sprintf("GET /chsk/%v?udt=%d&uid=%s&client-id=%s%s HTTP/1.1\r\nHost: x\r\n\r\n",
		c.packer, c.udt, c.user.uid, c.id, q))
}

// say sends an event, over whatever transport there is.
func (c *simClient) say(callback bool) {
	if c.sock == nil || !c.open || c.sock.closed || c.sock.broken {
		return
	}
	switch {
	case c.ajax && callback:
		c.post(`[[:a/b] :ajax]`)
	case c.ajax:
		c.post(`[[:a/b] nil]`)
	case callback:
		c.send(`[[:a/b] "cb1234"]`)
	default:
		c.send(`[[:a/b] nil]`)
	}
}

// send sends a message, given as edn, over the WebSocket.
func (c *simClient) send(edn string) { c.frame(opcode(c.packer), simPack(c.w.t, c.packer, edn)) }

// post sends a message, given as edn, over a connection of its own.
func (c *simClient) post(edn string) {
	params := "client-id=" + c.id + "&uid=" + c.user.uid + "&udt=9" + strconv.Itoa(c.w.rng.Int())
	query, body, media := "", simPack(c.w.t, c.packer, edn), "application/x-www-form-urlencoded"
	if c.packer.Binary() {
		// A browser sends all of its packer's buffer.
		body += strings.Repeat("\x00", c.w.rng.Intn(3)*100)
		query, media = "?"+params+"&binary%3F=true", "application/octet-stream"
	} else {
		body = params + "&ppstr=" + url.QueryEscape(body)
	}
	s, l := c.w.connect()
	c.w.give(s, l, fmt.Sprintf("POST /chsk/%v%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s", c.packer, query, media, len(body), body))
	c.w.strays = append(c.w.strays, stray{s, l, false})
}

func (c *simClient) frame(op wsframe.Opcode, payload string) {
	key := [4]byte{1, 2, 3, 4}
	b := wsframe.AppendClientHeader(nil, true, op, key, len(payload))
	p := []byte(payload)
	wsframe.Mask(p, key, 0)
	c.w.give(c.sock, c.loop, string(append(b, p...)))
}

// leave breaks the connection: the server sees it at once, or, when the network only
// went silent, not before much later.
func (c *simClient) leave(silently bool) {
	if c.sock == nil {
		return
	}
	s, l := c.sock, c.loop
	c.w.trace("client %s leaves, silently %v, open %v", c.id, silently, c.open)
	if silently {
		c.w.strays = append(c.w.strays, stray{s, l, true})
	} else {
		c.w.cut(s, l, false)
		c.read()
	}
	// A browser sends a request that was cut without an answer once more.
	c.replay = c.ajax && c.open && c.polling && c.w.rng.Intn(2) == 0
	c.sock, c.open, c.polling = nil, false, false
}

// read takes what arrived.
func (c *simClient) read() {
	for c.sock != nil && len(c.sock.got) > 0 {
		var ok bool
		if c.ajax || !c.is101 {
			ok = c.readResponse()
		} else {
			ok = c.readFrame()
		}
		if !ok {
			break
		}
	}
	if c.sock != nil && c.sock.closed {
		c.sock, c.open = nil, false
	}
}

func (c *simClient) readResponse() bool {
	head, rest, ok := bytes.Cut(c.sock.got, []byte("\r\n\r\n"))
	if !ok {
		return false
	}
	if bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
		c.sock.got, c.is101 = rest, true
		return true
	}
	m := simLength.FindSubmatch(head)
	if m == nil {
		c.w.fatalf("an answer without a length: %q", head)
	}
	n, _ := strconv.Atoi(string(m[1]))
	if len(rest) < n {
		return false
	}
	body := string(rest[:n])
	c.sock.got = rest[n:]
	if bytes.HasPrefix(head, []byte("HTTP/1.1 410 ")) && body == reasonGap && c.w.e.opts.OnGap == GapClose {
		simSeen.polls410++
		c.open = false
		c.poll(true)
		return true
	}
	if status, _ := strconv.Atoi(string(head[9:12])); status == 401 || status == 403 || status == 429 || status == 503 {
		c.refused(status)
		return false
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) || !c.ajax {
		c.w.fatalf("a request was answered %q %q", head, body)
	}
	if !bytes.Contains(head, []byte("\r\nContent-Type: "+mediaType(c.packer)+"\r\n")) {
		c.w.fatalf("client %s, packer %v: %q", c.id, c.packer, head)
	}
	c.polling = false
	c.message(body)
	if c.open && c.sock != nil && !c.sock.closed && !c.sock.fin {
		c.poll(false)
	}
	return true
}

func (c *simClient) readFrame() bool {
	b := c.sock.got
	h, n, err := wsframe.ParseHeader(b)
	if err != nil || len(b) < n+int(h.Len) {
		return false
	}
	payload := string(b[n : n+int(h.Len)])
	c.sock.got = b[n+int(h.Len):]
	switch h.Opcode {
	case opcode(c.packer):
		first := len(c.got)
		c.message(payload)
		if len(c.sock.got) < c.sock.late && c.late < 0 {
			c.late = first
		}
	case wsframe.Text, wsframe.Binary:
		c.w.fatalf("client %s, packer %v, got a frame with opcode %d", c.id, c.packer, h.Opcode)
	case wsframe.Close:
		c.closed(payload)
		c.frame(wsframe.Close, payload)
	}
	return true
}

// closed checks why the server closes.
func (c *simClient) closed(payload string) {
	switch code := int(payload[0])<<8 | int(payload[1]); {
	case code == codeTryLater && c.w.backend.picky:
		simSeen.rejects++
	case code == codeExpired && c.w.verifier != nil:
	case code == codeGap && c.w.e.opts.OnGap == GapClose:
		simSeen.closes++
	default:
		if code != 1001 {
			c.w.fatalf("client %s was closed with %d %s", c.id, code, payload[2:])
		}
	}
}

var simLength = regexp.MustCompile(`(?i)content-length: (\d+)`)

var simNumber = regexp.MustCompile(`\["(t/n|chskd/gap)",\{"(?:n|missed)":(\d+)`)

// since is how many of the numbers that the client has got are at or after the first of an
// answer: some of those between may have run out before the answer came once more.
func (c *simClient) since(answer [][]string) (n int) {
	for _, f := range answer {
		m, _ := strconv.Atoi(f[2])
		if i := slices.Index(c.got, m); i >= 0 && f[1] == "t/n" {
			n = max(n, len(c.got)-i)
		}
	}
	return n
}

// message takes one chsk message.
func (c *simClient) message(packed string) {
	m := simUnpack(c.w.t, c.packer, packed)
	c.w.trace("client %s gets %.60s", c.id, m)
	switch {
	case strings.Contains(m, "chsk/handshake"):
		c.open = true
		return
	case strings.Contains(m, "chsk/ws-ping"):
		c.send(`[[:chsk/ws-pong] nil]`)
		return
	case m == "[[],null]":
		return // a nudge tells nothing of the answer before
	case c.w.verifier != nil && m == `["chsk/timeout",null]`:
		return // nor does it when its identity expired, maybe before it could be sent what it is due
	case strings.Contains(m, "chsk/error"):
		simSeen.errors++
	}
	if !c.open && !c.ajax {
		c.w.fatalf("client %s got %q before its handshake", c.id, m)
	}
	numbers := simNumber.FindAllStringSubmatch(m, -1)
	told, before := 0, len(c.got)
	for _, f := range numbers {
		n, _ := strconv.Atoi(f[2])
		if f[1] == "t/n" {
			c.number(n)
		} else {
			c.gap(n)
			told++
		}
	}
	switch n := len(numbers) - told; {
	case told > 0, n > 0 && len(c.got) == before:
		// What comes again may come in parts, with gaps where some of it stood.
	case c.ajax:
		c.again = c.since(numbers)
	case n > 0:
		c.again = 0
	}
}
