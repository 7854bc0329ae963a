package engine

import (
	"bytes"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/httpmin"
)

// This file turns the bytes of a conn into requests and takes each to its route.
//
//	traffic    goes on with a conn as far as its bytes allow
//	readHead   a request head: malformed ones are refused, a place is asked for
//	readBody   the rest of a body that did not come with its head
//	dispatch   route and method
//
// A request whose body is there when its head is read, which is nearly all of them,
// is handled without a copy; else head and body are kept in extra until it is whole.

var continue100 = []byte(httpmin.Continue)

// traffic goes on with a conn: gnet calls it when bytes came, and we ourselves when
// a wait is over, because gnet does not come again for bytes that it holds already.
func (l *loop) traffic(slot uint32) {
	c := l.conns.at(slot)
	s := l.conns.sock(slot)
	for more := true; more; {
		if c.state == sFree {
			return
		}
		n := s.InboundBuffered()
		if n == 0 {
			return
		}
		switch c.state {
		case sProxy:
			more = l.readProxy(slot, c)
		case sHead:
			more = l.readHead(slot, c)
		case sBody:
			more = l.readBody(slot, c)
		case sWS:
			if c.flags&fGated != 0 {
				// A client may send its longest message as soon as it has the handshake.
				l.boundParked(slot, n-l.opts.Limits.MessageBytes)
				return
			}
			more = l.readFrames(slot, c)
		case sWait, sHeld, sAsked:
			l.boundParked(slot, n)
			return
		default: // sClosing: nothing counts any more
			_, _ = s.Discard(n) // reports only how much there was
			return
		}
	}
}

// boundParked ends a conn that sends too much ahead while its request waits: gnet
// cannot stop reading.
func (l *loop) boundParked(slot uint32, n int) {
	if n > l.opts.Limits.ParkedBytes+l.opts.Limits.HeadBytes {
		l.m.BadRequests.Add(1)
		l.closeConn(slot)
	}
}

// readHead reads one request head, and its body if that is there too. It reports
// whether to go on with what is buffered.
func (l *loop) readHead(slot uint32, c *conn) bool {
	s := l.conns.sock(slot)
	b, _ := s.Peek(-1) // of all that is there: cannot be short
	h := &l.head
	n, err := httpmin.ParseHead(b, l.opts.Limits.HeadBytes, h)
	if err == httpmin.ErrShort {
		l.beginWait(slot, c)
		return false
	}
	if err != nil {
		status, reason := wireAnswer(err)
		l.refuse(slot, c, status, reason)
		return false
	}
	if (c.flags&fServed == 0 && !l.admit(slot, c)) || !l.boundAnswers(slot, c) {
		return false
	}
	c.flags &^= fBegun
	if x := l.conns.peekExtra(slot); x == nil || x.hold.passed&passedCount == 0 {
		l.m.Requests.Add(1)
	}
	l.acks.drop(c) // a further request: the answer before it has arrived
	if h.ContentLength <= 0 && !h.Chunked {
		return l.dispatchAnd(slot, c, h, b[:n], nil)
	}
	whole := !h.Chunked && int64(len(b)-n) >= h.ContentLength
	if whole && h.ContentLength <= int64(l.opts.Limits.MessageBytes) {
		return l.dispatchAnd(slot, c, h, b[:n], b[n:n+int(h.ContentLength)])
	}
	return l.beginBody(slot, c, h, b[:n], len(b) > n)
}

// beginWait starts the clock of a request whose head is not whole: HeadMs from its
// first byte, for the first request of a conn from the accept.
func (l *loop) beginWait(slot uint32, c *conn) {
	if c.flags&fBegun == 0 {
		c.flags |= fBegun
		if c.flags&fIdleArmed != 0 {
			c.since = l.now
		}
	}
	l.armHead(slot, c)
}

// armHead makes sure that a conn is looked at when its request may be late.
func (l *loop) armHead(slot uint32, c *conn) {
	if c.flags&fHeadArmed == 0 {
		c.flags |= fHeadArmed
		l.timers.heads.Push(l.conns.timer(slot), l.now+l.opts.Limits.HeadMs)
	}
}

// dispatchAnd handles a request and takes its bytes away, unless the conn is gone.
func (l *loop) dispatchAnd(slot uint32, c *conn, h *httpmin.Head, head, body []byte) bool {
	l.dispatch(slot, c, h, body)
	switch c.state {
	case sFree, sClosing:
		return false
	case sHeld:
		return true
	case sAsked:
		x := l.conns.extra(slot)
		x.head, x.asm = append(x.head[:0], head...), append(x.asm[:0], body...)
	}
	_, _ = l.conns.sock(slot).Discard(len(head) + len(body)) // they are there: Peek returned them
	return true
}

// beginBody keeps a head until its body has come.
func (l *loop) beginBody(slot uint32, c *conn, h *httpmin.Head, head []byte, begun bool) bool {
	x := l.conns.extra(slot)
	if err := x.body.Reset(h, int64(l.opts.Limits.MessageBytes)); err != nil {
		status, reason := wireAnswer(err)
		l.refuse(slot, c, status, reason)
		return false
	}
	if h.Expect100 && !begun {
		// RFC 9110 §10.1.1: a client that asked waits for this before it sends.
		if !l.write(slot, c, continue100) {
			return false
		}
	}
	x.head = append(x.head[:0], head...)
	x.asm, x.got = x.asm[:0], 0
	c.state, c.since = sBody, l.now
	l.armHead(slot, c)
	_, _ = l.conns.sock(slot).Discard(len(head)) // they are there: Peek returned them
	return true
}

// readBody takes what came of a body, and handles the request when it is whole.
func (l *loop) readBody(slot uint32, c *conn) bool {
	s := l.conns.sock(slot)
	x := l.conns.extra(slot)
	b, _ := s.Peek(-1) // of all that is there: cannot be short
	out, n, done, err := x.body.Feed(x.asm, b)
	x.asm = out
	if err != nil {
		status, reason := wireAnswer(err)
		l.refuse(slot, c, status, reason)
		return false
	}
	_, _ = s.Discard(n) // they are there: Peek returned them
	if x.got += n; x.got >= bodyStepBytes {
		c.since, x.got = l.now, 0 // it goes on; a body that trickles or stops is late
	}
	if !done {
		return n > 0
	}
	return l.dispatchKept(slot, c)
}

// dispatchKept handles the request that extra holds. It reports whether to go on with
// what is buffered.
func (l *loop) dispatchKept(slot uint32, c *conn) bool {
	x := l.conns.extra(slot)
	if _, err := httpmin.ParseHead(x.head, l.opts.Limits.HeadBytes, &l.head); err != nil {
		panic("engine: a head that was read once cannot be read again: " + err.Error())
	}
	// The request leaves extra before it is handled: its answer may need a new one.
	head, body := x.head, x.asm
	x.head, x.asm = nil, nil
	l.dispatch(slot, c, &l.head, body)
	if x := l.conns.peekExtra(slot); c.state != sFree && x != nil && x.head == nil {
		x.head, x.asm = head, body
		if c.state != sAsked {
			x.head, x.asm = head[:0], body[:0]
		}
	}
	return c.state != sFree && c.state != sClosing
}

// wireAnswer is the status and reason of a parse error.
func wireAnswer(err error) (status int, reason string) {
	if e, ok := err.(*httpmin.Error); ok {
		return e.Status, e.Reason
	}
	return 400, err.Error()
}

// dispatch takes a whole request to its route. body is nil when there is none.
func (l *loop) dispatch(slot uint32, c *conn, h *httpmin.Head, body []byte) {
	q := l.requestOf(h)
	switch {
	case !l.allowed(slot, h):
		l.denied(slot, c, &q)
	case string(h.Path) == l.opts.Path || bytes.HasPrefix(h.Path, l.eng.pages):
		l.channel(slot, c, h, &q, body)
	case l.opts.DebugEcho != "" && string(h.Path) == l.opts.DebugEcho:
		l.upgradeEcho(slot, c, h, &q)
	case string(h.Path) == "*":
		// OPTIONS of the server as such (RFC 9110 §9.3.7); of others ParseHead takes no "*".
		l.respond(slot, c, &q, httpmin.Response{Status: 204, Allow: "GET, HEAD, POST, OPTIONS"}, nil)
	default:
		l.page(slot, c, h, &q)
	}
}

// channel is the channel socket's path: one for WebSocket, polls and sends.
func (l *loop) channel(slot uint32, c *conn, h *httpmin.Head, q *request, body []byte) {
	if h.Upgrade {
		// By whatever method: CheckUpgrade refuses all but GET. Taken for a send, a proxy
		// in front could think the conn upgraded where we do not. One that is refused ends
		// its conn for the same reason: what came behind it is no request of ours.
		q.close = true
		if l.mayShake(slot, c, h) {
			l.upgrade(slot, c, h, q)
		}
		return
	}
	switch string(h.Method) {
	case "GET":
		l.poll(slot, c, h, q)
	case "POST":
		l.send(slot, c, h, q, body)
	case "OPTIONS":
		l.preflight(slot, c, h, q)
	default:
		l.notAllowed(slot, c, q)
	}
}

// notAllowed answers another method than the channel socket's.
func (l *loop) notAllowed(slot uint32, c *conn, q *request) {
	r := httpmin.Response{Status: 405, ContentType: httpmin.TypeText, Allow: "GET, POST, OPTIONS"}
	l.respond(slot, c, q, r, []byte("This path takes GET and POST"))
}

// preflight answers a browser that asks before a cross-origin request (Fetch §4.8).
func (l *loop) preflight(slot uint32, c *conn, h *httpmin.Head, q *request) {
	if h.ACRequestMethod == nil {
		l.notAllowed(slot, c, q)
		return
	}
	if q.origin == nil {
		l.respondText(slot, c, q, 403, "Unauthorized origin")
		return
	}
	l.respond(slot, c, q, httpmin.Response{Status: 204, Preflight: true, PreflightHeaders: h.ACRequestHeaders}, nil)
}

// page serves what else there is, the demo, or 404.
func (l *loop) page(slot uint32, c *conn, h *httpmin.Head, q *request) {
	if l.opts.Page == nil || (string(h.Method) != "GET" && !q.head) {
		l.respondText(slot, c, q, 404, "Nothing here; the channel socket is at "+l.opts.Path)
		return
	}
	ctype, content, ok := l.opts.Page(string(h.Path))
	if !ok {
		l.respondText(slot, c, q, 404, "Nothing here; the channel socket is at "+l.opts.Path)
		return
	}
	l.respond(slot, c, q, httpmin.Response{Status: 200, ContentType: ctype}, content)
}

// refuseAuth answers a request that was refused before anything was done.
func (l *loop) refuseAuth(slot uint32, c *conn, q *request, r *auth.Refusal) {
	status := r.Status
	if status < 400 || status > 599 {
		status = 403 // no refusal may pass for an answer, whoever made it
	}
	l.respond(slot, c, q, httpmin.Response{Status: status, ContentType: httpmin.TypeText,
		RetryAfter: r.RetryAfter}, []byte(r.Body))
}
