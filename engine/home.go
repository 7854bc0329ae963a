package engine

import (
	"github.com/chskd/chskd/shard"
)

// What a home does for WebSocket sessions, and what their owners do when it answers.

// keyOf is the shard's key of an identity.
func keyOf(id *identity) shard.Key {
	return shard.Key{Tenant: id.tenant, UID: id.uid, Client: id.client, NilUID: id.nilUID}
}

// tellPresence tells the backend who came and who is gone. It runs before anything
// that could let the backend see an event of a user, and before `attached` is posted.
func (l *loop) tellPresence() {
	var p shard.Presence
	for l.sh.NextPresence(&p) {
		l.eng.backend.Presence(p.Open, p.Tenant, p.UID, p.NilUID)
	}
}

// tellOwners passes on what the shard has to say to the owners of conns: one was
// displaced by polls, or took the place of one that ended.
func (l *loop) tellOwners() {
	var a shard.Ask
	for l.sh.NextAsk(&a) {
		ref := connRef(a.Ref)
		kind := mRelease
		if a.Rebound {
			kind = mRebound
		}
		l.post(ref.loop(), msg{kind: kind, ref: ref, id: uint64(a.ID)})
	}
}

// onRebound begins anew with a conn that home had displaced: whatever it was given
// before, the next delivery says where it stands.
func (l *loop) onRebound(m *msg) {
	c := l.conns.get(m.ref)
	if c == nil {
		return // its detach is on the way
	}
	c.sent = 0
	l.acks.drop(c)
	if c.flags&fStalled != 0 {
		l.post(int(c.home), msg{kind: mStalled, ref: m.ref, id: m.id})
	}
}

// onAttach binds a WebSocket to its session.
func (l *loop) onAttach(m *msg) {
	who := l.parseIdentity(m.buf.B)
	id, displaced, err := l.sh.AttachWSSince(l.now, uint32(m.a), keyOf(&who), uint64(m.ref), m.packer)
	m.buf.Release()
	if err == nil {
		l.joinGranted(id, m.ref, m.grantAt(), true)
	}
	l.tellPresence()
	if err != nil {
		// Its user has as many sessions as one may have. The handshake is out: a close now
		// would bring a stock client back at once, dozens of times a second. It is left
		// unattached instead, nothing that it sends is read, and keep-alive ends it.
		l.m.SessionsRefused.Add(1)
		return
	}
	l.post(m.ref.loop(), msg{kind: mAttached, ref: m.ref, id: uint64(id), a: uint64(l.id)})
	if displaced != 0 {
		old := connRef(displaced)
		l.post(old.loop(), msg{kind: mRelease, ref: old, id: uint64(id)})
	}
}

// onAttached opens the gate of a WebSocket: home knows it, so that its user is
// present for the backend, and its events may pass.
func (l *loop) onAttached(m *msg) {
	c := l.conns.get(m.ref)
	if c == nil {
		// It closed before it knew its session; home must still hear of it.
		l.post(int(m.a), msg{kind: mDetach, ref: m.ref, id: m.id})
		return
	}
	c.session = m.id
	c.flags &^= fGated
	if c.state == sWS {
		l.traffic(m.ref.slot())
	}
}

// onDetach takes a closed WebSocket off its session.
func (l *loop) onDetach(m *msg) {
	l.sh.DetachWS(l.now, m.session(), uint64(m.ref), m.a, m.flags&flagAlive != 0)
	l.tellPresence()
	l.tellOwners()
}

// onRelease tells home what the peer of a displaced conn has acknowledged. The conn
// stays open: a stock client that was displaced by another tab with its client-id
// would reconnect, displace that one, and so on for ever.
func (l *loop) onRelease(m *msg) {
	c := l.conns.get(m.ref)
	if c == nil {
		return // its detach is on the way and says the same
	}
	var seq uint64
	switch {
	case l.opts.Redelivery == RedeliveryOff:
		seq = c.sent
	case l.opts.Redelivery == RedeliveryTCP && c.lastAck == 0:
		seq = c.sent
	case l.opts.Redelivery == RedeliveryTCP:
		seq = l.acks.advance(c, l.ackedNow(m.ref.slot(), c))
	}
	l.post(int(c.home), msg{kind: mDisplaced, ref: m.ref, id: m.id, a: seq})
}

// onEndConn closes a WebSocket on behalf of home or a backend, or answers its poll.
func (l *loop) onEndConn(m *msg) {
	defer release(m.buf)
	c := l.conns.get(m.ref)
	if c == nil || c.state != sWS {
		return
	}
	reason := ""
	if m.buf != nil {
		reason = string(m.buf.B)
	}
	l.dismiss(m.ref.slot(), c, uint16(m.a), reason)
}
