package engine

import (
	"encoding/binary"

	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// Journey ii over WebSocket: frame, unmask in place, split event and callback; a
// ping is answered here, everything else goes to the backend without a hop.

func putSeq(b *[8]byte, seq uint64) { binary.BigEndian.PutUint64(b[:], seq) }

// readFrames reads what is there of a WebSocket and reports whether to go on with
// what came behind it.
func (l *loop) readFrames(slot uint32, c *conn) bool {
	s := l.conns.sock(slot)
	b, _ := s.Peek(-1) // of all that is there: cannot be short
	maxLen := l.opts.Limits.MessageBytes
	if c.flags&fEcho != 0 {
		maxLen = l.opts.Limits.EchoBytes
	}
	at := 0
	for at < len(b) {
		n, err := l.readFrame(slot, c, b[at:], maxLen)
		if c.state != sWS {
			return c.state == sClosing
		}
		if err != nil {
			code, reason := closeAnswer(err)
			l.fail(slot, c, code, reason)
			return false
		}
		if n == 0 {
			break
		}
		at += n
	}
	if at > 0 {
		_, _ = s.Discard(at) // they are there: Peek returned them
	}
	return at == len(b)
}

// readFrame reads one frame, or a part of one, and does what it asks.
func (l *loop) readFrame(slot uint32, c *conn, b []byte, maxLen int) (n int, err error) {
	// Between two messages all readers are alike, so that a conn has one of its own only
	// in the middle of a message.
	reader, asm := &l.reader, &l.asm
	x := l.conns.peekExtra(slot)
	if x != nil {
		reader, asm = &x.reader, &x.asm
	} else {
		l.reader = wsframe.Reader{}
	}
	var res wsframe.Result
	n, err = reader.Next(b, asm, maxLen, &res)
	// Conformance suites send the echo 65,536 frames in a message.
	if err == nil && reader.Frames() > l.opts.Limits.Frames && c.flags&fEcho == 0 {
		err = errFrames
	}
	if x == nil && reader.Started() {
		// The message goes on in another read: from here on the conn has a buffer.
		x = l.conns.extra(slot)
		x.reader = l.reader
		x.asm, l.asm = l.asm, x.asm[:0]
	}
	whole := x != nil && !x.reader.Started()
	if err != nil || res.Kind == wsframe.None {
		return n, err
	}
	l.m.BytesIn.Add(uint64(len(res.Payload)))
	l.onFrame(slot, c, &res)
	if res.Assembled {
		l.asm = l.asm[:0]
	}
	if whole && c.state == sWS {
		l.conns.dropExtra(slot)
	}
	return n, nil
}

// onFrame does what one complete frame or message asks.
func (l *loop) onFrame(slot uint32, c *conn, res *wsframe.Result) {
	switch res.Kind {
	case wsframe.Message:
		if c.flags&fCloseSent != 0 {
			return // the peer had sent it before it saw our close frame; Sente ignores it too
		}
		if c.flags&fEcho != 0 {
			l.sendFrame(slot, c, res.Opcode, res.Payload)
			l.boundEcho(slot, c)
			return
		}
		c.lastIn = l.now
		c.flags &^= fPinged
		l.message(slot, c, res)
	case wsframe.PingFrame:
		if l.mayPing(slot, c, len(res.Payload)) {
			l.sendFrame(slot, c, wsframe.Pong, res.Payload)
		}
	case wsframe.PongFrame:
		l.onPong(slot, c, res.Payload)
	case wsframe.CloseFrame:
		l.onCloseFrame(slot, c, res.Payload)
	}
}

// boundEcho ends an echo whose peer does not read what it is sent.
func (l *loop) boundEcho(slot uint32, c *conn) {
	if c.state == sWS && l.conns.sock(slot).OutboundBuffered() > 2*l.opts.Limits.EchoBytes {
		l.closeConn(slot)
	}
}

// onCloseFrame ends the conn: the peer's close frame is echoed unless it answers
// ours, and the server ends the TCP connection first (RFC 6455 §7.1.1), at once, so
// that a browser that reconnects does not wait.
func (l *loop) onCloseFrame(slot uint32, c *conn, payload []byte) {
	if c.flags&fCloseSent == 0 {
		l.countClose(c, payload)
		ok := l.sendFrame(slot, c, wsframe.Close, payload)
		if !ok {
			return
		}
		c.flags |= fCloseSent
	}
	if l.conns.sock(slot).OutboundBuffered() > 0 {
		l.finish(slot, c)
		return
	}
	l.closeConn(slot)
}

// onPong takes the answer to a position ping; others are unsolicited and mean
// nothing (RFC 6455 §5.5.3).
func (l *loop) onPong(slot uint32, c *conn, payload []byte) {
	if l.opts.Redelivery != RedeliveryPong || len(payload) != 8 || c.session == 0 {
		return
	}
	seq := binary.BigEndian.Uint64(payload)
	if seq > c.sent {
		return
	}
	l.post(int(c.home), msg{kind: mConfirm, ref: makeRef(l.id, slot, c.gen), id: c.session, a: seq})
}

// message handles one chsk message.
func (l *loop) message(slot uint32, c *conn, res *wsframe.Result) {
	p := packer.Packer(c.packer)
	if res.Opcode != opcode(p) {
		l.m.Undecodable.Add(1) // as below
		l.mayTell(slot, c, nil, len(res.Payload))
		return
	}
	switch err := l.parse(p, res.Payload); {
	case err == packer.ErrTooLarge:
		l.fail(slot, c, 1009, "the message is too long when inflated")
		return
	case err != nil:
		l.m.Undecodable.Add(1) // the conn stays open and nothing is answered, as in Sente
		l.mayTell(slot, c, nil, len(res.Payload))
	case l.mayTell(slot, c, &l.split, len(res.Payload)):
		l.messageOf(slot, c, &l.split)
	}
	l.parsed(len(res.Payload))
}

// messageOf handles a message that was read.
func (l *loop) messageOf(slot uint32, c *conn, m *packer.Message) {
	switch m.Kind {
	case packer.Ping:
		l.m.PingsIn.Add(1)
		if m.Callback != nil && !l.clogged(slot, c) {
			l.hello = packer.Packer(c.packer).Format().AppendPong(l.hello[:0], m.Callback)
			l.sendMessage(slot, c, l.hello)
		}
	case packer.Pong:
	default:
		l.event(slot, c, m)
	}
}

// event takes one client event to the backend.
func (l *loop) event(slot uint32, c *conn, m *packer.Message) {
	l.m.EventsIn.Add(1)
	f := packer.Packer(c.packer).Format()
	bad := m.Kind == packer.BadEvent
	if bad {
		l.m.BadEvents.Add(1)
	}
	var token []byte
	var cb uint32
	if m.Callback != nil {
		if cb = l.openCallback(slot, c, m.Callback); cb == 0 {
			l.m.EventsLimited.Add(1)
			l.refuseReply(slot, c, m.Callback)
			return
		}
		l.token = appendToken(l.token[:0], l.id, cb, l.callbacks.entries[cb].secret)
		token = l.token
	}
	who := l.identityOf(c)
	v := l.eng.backend.Event(who.tenant, who.uid, who.nilUID, who.client, false, f, m.Event, bad, token, l.wall)
	if v == Taken {
		return
	}
	l.m.EventsDropped.Add(1)
	if cb != 0 {
		l.replyWS(c, cb, f.Literal(packer.ErrorValue))
		l.boundReplies(slot, c)
	}
	if v == Reject {
		l.reject(slot, c)
	}
}

// openCallback remembers a callback until it is answered; 0 when the conn has too
// many open, or one too long to remember.
func (l *loop) openCallback(slot uint32, c *conn, cb []byte) uint32 {
	const longest = 1024 // a stock client's has 8 bytes
	if int(c.nCallbacks) >= l.opts.Limits.Callbacks || len(cb) > longest {
		return 0
	}
	secret := l.secret()
	n := l.callbacks.open(c, makeRef(l.id, slot, c.gen), secret, l.ids.Put(cb), l.now)
	l.timers.callback.Push(uint64(n)<<32|uint64(uint32(secret)), l.now+l.opts.Limits.CallbackMs)
	return n
}

// replyWS answers callback n of c with a value in c's format, and forgets it.
func (l *loop) replyWS(c *conn, n uint32, value []byte) {
	e := l.callbacks.entries[n]
	slot := e.ref.slot()
	l.m.Replies.Add(1)
	l.key = l.ids.Append(l.key[:0], e.cb)
	l.sendReply(slot, c, value, l.key)
	// The write may have ended the conn and with it all its callbacks.
	if l.callbacks.entries[n].secret == e.secret {
		l.callbacks.drop(&l.ids, c, n)
	}
}

// sendReply writes [value cb].
func (l *loop) sendReply(slot uint32, c *conn, value, cb []byte) {
	l.hello = packer.Packer(c.packer).Format().AppendReply(l.hello[:0], value, cb)
	l.sendMessage(slot, c, l.hello)
}

// closeAnswer is the close code and reason of a frame error.
func closeAnswer(err error) (code uint16, reason string) {
	if e, ok := err.(*wsframe.Error); ok {
		return e.Code, e.Reason
	}
	return 1002, err.Error()
}
