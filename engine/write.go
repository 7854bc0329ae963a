package engine

import (
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/wsframe"
)

// This file is the one way out: every byte that a client gets passes write.
//
//	write       bytes to a conn
//	sendFrame   one WebSocket frame
//	sendClose   a close frame, after which nothing follows
//	fail        the same because the peer broke the protocol (RFC 6455 §7.1.7)
//	finish      our side is done: FIN, then wait for the peer's
//	closeConn   at once
//	onClose     what gnet says when a conn is gone

// keepScratch is how large the loop's scratch may stay after one large message.
const keepScratch = 1 << 20

// write sends b, in order after all that was written before. It reports false when
// the conn is gone, which a failing write brings about before it returns.
//
// Straight to the kernel when nothing is buffered (one syscall, no copy); what the
// kernel does not take goes through gnet's buffer, which the poller empties.
func (l *loop) write(slot uint32, c *conn, b []byte) bool {
	if c.state == sFree {
		return false // its descriptor may be somebody else's by now (hazard 2)
	}
	s := l.conns.sock(slot)
	c.written += uint32(len(b))
	l.m.BytesOut.Add(uint64(len(b)))
	if c.flags&fBuffered != 0 && s.OutboundBuffered() == 0 {
		c.flags &^= fBuffered
	}
	if c.flags&fBuffered == 0 {
		n, err := l.net.send(s, c.fd, b)
		if err != nil {
			l.net.close(s)
			return false
		}
		if n == len(b) {
			return true
		}
		b = b[n:]
		c.flags |= fBuffered
	}
	// An error here has closed the conn already (hazard 4); the state tells.
	if _, err := s.Write(b); err != nil && c.state != sFree {
		l.net.close(s)
	}
	return c.state != sFree
}

// sendFrame writes one unfragmented, unmasked frame (RFC 6455 §5.1).
func (l *loop) sendFrame(slot uint32, c *conn, op wsframe.Opcode, payload []byte) bool {
	if c.flags&fCloseSent != 0 {
		return true
	}
	l.scratch = wsframe.AppendHeader(l.scratch[:0], op, len(payload))
	l.scratch = append(l.scratch, payload...)
	ok := l.write(slot, c, l.scratch)
	if cap(l.scratch) > keepScratch {
		l.scratch = nil
	}
	return ok
}

// sendClose begins the close handshake from our side. The peer's close frame ends
// the conn, or CloseMs does.
func (l *loop) sendClose(slot uint32, c *conn, code uint16, reason string) {
	if c.flags&fCloseSent != 0 {
		return
	}
	if c.flags&fEcho == 0 {
		l.m.ClosesServer[metrics.CloseOf(code)].Add(1)
	}
	l.scratch = wsframe.AppendClose(l.scratch[:0], code, reason)
	ok := l.write(slot, c, l.scratch)
	c.flags |= fCloseSent
	if ok {
		c.since = l.now
		l.timers.closing.Push(l.conns.timer(slot), l.now+l.opts.Limits.CloseMs)
	}
}

// fail ends a WebSocket whose peer broke the protocol: a close frame with the
// reason, our FIN, and nothing that it still sends is looked at.
func (l *loop) fail(slot uint32, c *conn, code uint16, reason string) {
	l.m.FrameErrors.Add(1)
	l.sendClose(slot, c, code, reason)
	if c.state != sFree {
		l.finish(slot, c)
	}
}

// finish sends our FIN when all is out, and waits for the peer's, throwing away what
// comes until then: closing at once with unread input would make the kernel send a
// reset that can overtake our last answer (RFC 9112 §9.6).
func (l *loop) finish(slot uint32, c *conn) {
	s := l.conns.sock(slot)
	c.state, c.since = sClosing, l.now
	l.conns.dropExtra(slot)
	if n := s.InboundBuffered(); n > 0 {
		_, _ = s.Discard(n) // reports only how much there was
	}
	if s.OutboundBuffered() == 0 {
		l.sendFin(slot, c)
		return
	}
	l.timers.closing.Push(l.conns.timer(slot), l.now+l.opts.Limits.CloseMs)
	l.timers.finish.Push(l.conns.timer(slot), l.now+finishCheckMs)
}

// sendFin ends our side; from here on the peer has CloseMs to end its own.
func (l *loop) sendFin(slot uint32, c *conn) {
	c.flags |= fFin
	c.since = l.now
	l.net.finish(l.conns.sock(slot))
	l.timers.closing.Push(l.conns.timer(slot), l.now+l.opts.Limits.CloseMs)
}

// closeConn ends a conn at once.
func (l *loop) closeConn(slot uint32) { l.net.close(l.conns.sock(slot)) }

// onClose is told that a conn is gone; the fd still lives, so that the kernel can
// still be asked what the peer has acknowledged. It may be called in the middle of
// a write: state is marked, the slot is given back at the end of the turn.
func (l *loop) onClose(slot uint32) {
	c := l.conns.at(slot)
	if c.state == sFree {
		return
	}
	switch {
	case c.flags&fEcho != 0:
		l.m.WSNow.Sub(1)
	case c.who != 0:
		l.wsOver(c)
		l.detach(slot, c)
	default:
		l.leaveHTTP(slot, c)
	}
	if c.state == sHeld {
		l.unhold(slot)
	}
	l.uncount(slot)
	l.acks.drop(c)
	l.callbacks.dropAll(&l.ids, c)
	l.ids.Free(c.who)
	l.eng.gate.Close(c.flags&fServed != 0)
	l.m.ConnsNow.Sub(1)
	c.state, c.who, c.fd = sFree, 0, -1
	l.dead = append(l.dead, slot)
}

// detach tells home that the WebSocket ref is gone, and what it had confirmed. A
// conn that closes before home has answered `attached` is detached when that
// answer comes (onAttached).
func (l *loop) detach(slot uint32, c *conn) {
	if c.session == 0 {
		return
	}
	confirmed, alive := l.confirmedAtClose(slot, c)
	m := msg{kind: mDetach, ref: makeRef(l.id, slot, c.gen), id: c.session, a: confirmed}
	if alive {
		m.flags = flagAlive
	}
	l.post(int(c.home), m)
}

// leaveHTTP tells home of a poll that nobody can answer any more, and of a poll's
// answer that the peer never acknowledged.
func (l *loop) leaveHTTP(slot uint32, c *conn) {
	if p := l.conns.parked(c); c.state == sWait && p != nil && p.wait == waitPoll {
		// A send needs no word: its answer finds no conn and falls away.
		l.post(int(c.home), msg{kind: mPollGone, ref: makeRef(l.id, slot, p.gen)})
		l.pollOver(c, p)
	}
	if c.lastAck == 0 {
		return
	}
	if n, ok := l.net.acked(l.conns.sock(slot)); ok && !l.acks.oldest(c).over(uint32(n)) {
		l.post(int(c.home), msg{kind: mPollGone, ref: connRef(c.sent), id: c.session})
	}
}
