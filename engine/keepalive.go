package engine

import (
	"github.com/chskd/chskd/deadline"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// timers are the deadlines of a loop's conns, one queue for each fixed delay. Their
// entries name conns by connTable.timer and are looked at again when due: most waits
// have ended by then.
//
// Owner: loop.
type timers struct {
	heads    deadline.FIFO // HeadMs: a request must be whole
	idle     deadline.FIFO // IdleMs: a kept-alive HTTP conn without a request
	kalive   deadline.FIFO // WSKaliveMs/2: was there activity?
	pinged   deadline.FIFO // WSPingTimeoutMs: was our ping answered?
	acks     deadline.FIFO // ackCheckMs
	acksSoon deadline.FIFO // ackSoonMs
	stalls   deadline.FIFO // stallCheckMs
	closing  deadline.FIFO // CloseMs
	finish   deadline.FIFO // finishCheckMs
	held     deadline.FIFO // HeldMs
	heldTry  deadline.FIFO // heldCheckMs
	drain    deadline.FIFO // drainStepMs
	asked    deadline.FIFO // VerifyMs
	callback deadline.FIFO // CallbackMs; ids are (slot, low half of the secret)
}

// due is the earliest time at which this loop has something to do.
func (l *loop) due() (due uint32, ok bool) {
	t := &l.timers
	for _, f := range [...]*deadline.FIFO{&t.heads, &t.idle, &t.kalive, &t.pinged, &t.acks,
		&t.acksSoon, &t.stalls, &t.closing, &t.finish, &t.held, &t.heldTry, &t.drain, &t.callback, &t.asked} {
		d, has := f.Due()
		due, ok = earlier(due, ok, d, has)
	}
	d, has := l.expiries.due(l.now, l.wall)
	due, ok = earlier(due, ok, d, has)
	d, has = l.sh.Due()
	due, ok = earlier(due, ok, d, has)
	d, has = l.polls.Due()
	due, ok = earlier(due, ok, d, has)
	d, has = l.posts.Due()
	return earlier(due, ok, d, has)
}

func earlier(a uint32, aOK bool, b uint32, bOK bool) (uint32, bool) {
	if !aOK || (bOK && int32(b-a) < 0) {
		return b, bOK
	}
	return a, aOK
}

// deadlines does what is due now, for conns and for the users homed here.
func (l *loop) deadlines() {
	l.each(&l.timers.heads, (*loop).headDue)
	l.each(&l.timers.idle, (*loop).idleDue)
	l.each(&l.timers.kalive, (*loop).kaliveDue)
	l.each(&l.timers.pinged, (*loop).pingedDue)
	l.each(&l.timers.acks, (*loop).checkAcks)
	l.each(&l.timers.acksSoon, (*loop).checkAcksSoon)
	l.each(&l.timers.stalls, (*loop).stallDue)
	l.each(&l.timers.closing, (*loop).closingDue)
	l.each(&l.timers.finish, (*loop).finishDue)
	l.each(&l.timers.held, (*loop).heldDue)
	l.each(&l.timers.heldTry, (*loop).heldTryDue)
	l.each(&l.timers.asked, (*loop).verifyDue)
	l.expiriesDue()
	l.callbacksDue()
	l.drainDue()
	l.sh.Advance(l.now)
	l.tellPresence()
	l.tellOwners()
	l.pollsDue()
	l.postsDue()
}

// each calls fn for every conn whose entry in f is due and that is still there.
func (l *loop) each(f *deadline.FIFO, fn func(*loop, uint32, *conn)) {
	for {
		id, ok := f.Pop(l.now)
		if !ok {
			return
		}
		if slot, c := l.conns.timed(id); c != nil {
			l.busyRef = makeRef(l.id, slot, c.gen)
			fn(l, slot, c)
		}
	}
}

// passed says how long ago t was, in milliseconds.
func (l *loop) passed(t uint32) uint32 { return l.now - t }

// headDue ends a conn that is slow to send its request: 408 when it has begun one.
func (l *loop) headDue(slot uint32, c *conn) {
	c.flags &^= fHeadArmed
	if c.state != sHead && c.state != sBody && c.state != sProxy {
		return
	}
	begun := c.state == sBody || c.flags&fBegun != 0
	switch {
	case !begun && c.flags&fIdleArmed != 0: // between two requests; idleDue minds it
	case int32(c.since+l.opts.Limits.HeadMs-l.now) > 0:
		l.armHead(slot, c)
	case !begun:
		if c.state == sProxy {
			l.m.ProxyHeadersBad.Add(1)
		} else {
			l.m.IdleCloses.Add(1)
		}
		l.closeConn(slot)
	default:
		l.m.HeadTimeouts.Add(1)
		l.refuse(slot, c, 408, "The request did not arrive in time")
	}
}

// idleDue closes a kept-alive conn that has had no request for long.
func (l *loop) idleDue(slot uint32, c *conn) {
	c.flags &^= fIdleArmed
	if c.state == sHead && l.passed(c.since) >= l.opts.Limits.IdleMs &&
		l.conns.sock(slot).InboundBuffered() == 0 {
		l.m.IdleCloses.Add(1)
		l.closeConn(slot)
		return
	}
	if c.state < sWS {
		c.flags |= fIdleArmed
		l.timers.idle.Push(l.conns.timer(slot), l.now+l.opts.Limits.IdleMs)
	}
}

// kaliveDue is Sente's check at half of ws-kalive-ms: without activity since the
// last one (an inbound message or a push) the client is asked for a sign of life.
func (l *loop) kaliveDue(slot uint32, c *conn) {
	if c.state != sWS || c.flags&(fEcho|fCloseSent) != 0 {
		return
	}
	half := l.opts.WSKaliveMs / 2
	if l.passed(c.lastIn) < half {
		l.timers.kalive.Push(l.conns.timer(slot), l.now+half)
		return
	}
	ping := packer.Packer(c.packer).Format().Literal(packer.ServerPing)
	c.flags |= fPinged
	l.m.PingsOut.Add(1)
	if l.sendMessage(slot, c, ping) {
		l.timers.pinged.Push(l.conns.timer(slot), l.now+l.opts.WSPingTimeoutMs)
	}
}

// pingedDue closes a conn whose client gave no sign of life after a ping.
func (l *loop) pingedDue(slot uint32, c *conn) {
	if c.state != sWS || c.flags&fCloseSent != 0 {
		return
	}
	if c.flags&fPinged == 0 || l.passed(c.lastIn) < l.opts.WSPingTimeoutMs {
		c.flags &^= fPinged
		half := l.opts.WSKaliveMs / 2
		l.timers.kalive.Push(l.conns.timer(slot), l.now+half)
		return
	}
	// The peer is most likely gone, so that no close handshake would end; the
	// frame is for the case that only the client's event loop hangs.
	l.m.PingTimeouts.Add(1)
	l.sendClose(slot, c, 1001, "no answer to a ping")
	if c.state != sFree {
		l.closeConn(slot)
	}
}

// stallDue looks whether a stalled conn takes data again, and ends it when it has
// not for StallMs.
func (l *loop) stallDue(slot uint32, c *conn) {
	if c.flags&fStalled == 0 || c.state != sWS {
		return
	}
	switch {
	case l.conns.sock(slot).OutboundBuffered() <= l.opts.Limits.OutBytes/2:
		c.flags &^= fStalled
		l.post(int(c.home), msg{kind: mDrained, ref: makeRef(l.id, slot, c.gen), id: c.session})
	case l.passed(c.since) >= l.opts.Limits.StallMs:
		l.m.StallCloses.Add(1)
		l.closeConn(slot)
	default:
		l.timers.stalls.Push(l.conns.timer(slot), l.now+stallCheckMs)
	}
}

// closingDue ends a conn whose peer does not finish closing. A WebSocket that waits for
// the peer's close frame only (RFC 6455 §7.1.1) is ended the same way. What is not sent
// yet, as a long answer to a slow reader, gets more time.
func (l *loop) closingDue(slot uint32, c *conn) {
	if c.state != sClosing && (c.state != sWS || c.flags&fCloseSent == 0) {
		return
	}
	limit := l.opts.Limits.CloseMs
	if l.conns.sock(slot).OutboundBuffered() > 0 {
		limit = l.opts.Limits.StallMs
	}
	left := int32(c.since + limit - l.now)
	switch {
	case left <= 0:
		if limit == l.opts.Limits.StallMs {
			l.m.StallCloses.Add(1)
		}
		l.closeConn(slot)
	case limit == l.opts.Limits.StallMs:
		l.timers.closing.Push(l.conns.timer(slot), l.now+l.opts.Limits.CloseMs)
	default:
		// An older entry; the one of `since` comes after it.
	}
}

// finishDue sends our FIN once all is out.
func (l *loop) finishDue(slot uint32, c *conn) {
	if c.state != sClosing || c.flags&fFin != 0 {
		return
	}
	if s := l.conns.sock(slot); s.OutboundBuffered() > 0 {
		l.timers.finish.Push(l.conns.timer(slot), l.now+finishCheckMs)
		return
	}
	l.sendFin(slot, c)
}

// callbacksDue tells clients whose callback no backend has answered in CallbackMs.
func (l *loop) callbacksDue() {
	for {
		id, ok := l.timers.callback.Pop(l.now)
		if !ok {
			return
		}
		slot := uint32(id >> 32)
		if int(slot) >= len(l.callbacks.entries) {
			continue
		}
		e := &l.callbacks.entries[slot]
		if e.secret == 0 || uint32(e.secret) != uint32(id) {
			continue
		}
		if e.ref == 0 {
			l.callbacks.drop(&l.ids, nil, slot)
			continue
		}
		if c := l.conns.get(e.ref); c != nil {
			l.m.CallbackTimeouts.Add(1)
			l.replyWS(c, slot, packer.Packer(c.packer).Format().Literal(packer.ErrorValue))
		}
	}
}

// askPosition sends a protocol ping that carries the position of a batch; its pong
// confirms (RFC 6455 §5.5.3). At most one a second: what was sent meanwhile is asked
// for by positionDue.
func (l *loop) askPosition(slot uint32, c *conn) {
	if c.flags&(fAsked|fCloseSent) != 0 {
		c.flags |= fAskAgain
		return
	}
	c.flags = c.flags&^fAskAgain | fAsked
	var b [8]byte
	putSeq(&b, c.sent)
	if l.sendFrame(slot, c, wsframe.Ping, b[:]) {
		l.timers.acks.Push(l.conns.timer(slot), l.now+pongEveryMs)
	}
}

// positionDue asks again when more was sent since the last time.
func (l *loop) positionDue(slot uint32, c *conn) {
	c.flags &^= fAsked
	if c.flags&fAskAgain != 0 && c.state == sWS {
		l.askPosition(slot, c)
	}
}
