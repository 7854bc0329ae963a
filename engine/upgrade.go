package engine

import (
	"bytes"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// Journey i. The conn's owner answers the upgrade and the chsk handshake in one write,
// so that the handshake is first on the wire whatever home does; then home is told.

// upgrade makes a conn a WebSocket of the channel socket.
func (l *loop) upgrade(slot uint32, c *conn, h *httpmin.Head, q *request) {
	p := l.readParams(h.RawQuery, nil)
	who, refusal := l.identify(slot, c, h, &p)
	if refusal == asked {
		return
	}
	if refusal != nil {
		l.m.UpgradesBad.Add(1)
		l.m.Handshakes[metrics.WS][metrics.HandshakeIdentity].Add(1)
		l.refuseAuth(slot, c, q, refusal)
		return
	}
	chosen, ok := l.packerOf(h.Path, &p)
	if !ok {
		l.m.UpgradesBad.Add(1)
		l.m.Handshakes[metrics.WS][metrics.HandshakePacker].Add(1)
		l.refusePacker(slot, c, q)
		return
	}
	if l.draining {
		// Answered by nobody: the client tries again when its conn ends with us, and
		// finds the next server. A refusal would send an `:auto` client to Ajax.
		c.state = sHeld
		l.held++
		return
	}
	if !l.sayable(chosen, &who) {
		l.m.UpgradesBad.Add(1)
		l.m.Handshakes[metrics.WS][metrics.HandshakePacker].Add(1)
		l.notSayable(slot, c, q, chosen)
		return
	}
	if !l.appendAccept(slot, c, h, chosen, &who) {
		return
	}
	l.hello = appendIdentity(l.hello[:0], &who) // not in l.form: who is made of it
	c.who = l.ids.Put(l.hello)
	c.packer, c.home = uint8(chosen), uint8(l.eng.homeOf(&who))
	l.becomeWS(slot, c, fGated)
	l.m.Handshakes[metrics.WS][metrics.HandshakeOK].Add(1)
	l.m.WSOf[chosen].Add(1)
	// Home is told before the client is: what is pushed to a client because it has seen its
	// handshake finds it there. A write that fails ends the conn, which home then hears.
	b := bufpool.Get(64)
	b.B = append(b.B, l.hello...)
	l.post(int(c.home), msg{kind: mAttach, ref: makeRef(l.id, slot, c.gen), packer: c.packer,
		a: uint64(who.came), buf: b.Seal(), cmd: grantCmd(who.grant)})
	l.flushTo(int(c.home))
	grant := who.grant
	if !l.write(slot, c, l.scratch) {
		return
	}
	l.conns.dropExtra(slot)
	l.timers.kalive.Push(l.conns.timer(slot), l.now+l.opts.WSKaliveMs/2)
	l.expireConn(slot, grant)
}

// appendAccept makes 101 and, for a channel socket, the handshake message in l.scratch, to
// be one write; or refuses.
func (l *loop) appendAccept(slot uint32, c *conn, h *httpmin.Head, p packer.Packer, who *identity) bool {
	if err := httpmin.CheckUpgrade(h); err != nil {
		l.m.UpgradesBad.Add(1)
		if who != nil {
			l.m.Handshakes[metrics.WS][metrics.HandshakeMalformed].Add(1)
		}
		l.refuse(slot, c, err.Status, err.Reason)
		return false
	}
	protocol, ok := subprotocol(h)
	if !ok {
		l.m.UpgradesBad.Add(1)
		if who != nil {
			l.m.Handshakes[metrics.WS][metrics.HandshakeMalformed].Add(1)
		}
		l.refuse(slot, c, 400, "A page must offer another subprotocol beside its token, as chsk: "+
			"the token is not sent back, and without an answer a browser fails the socket")
		return false
	}
	out := httpmin.AppendUpgrade(l.scratch[:0], h.WSKey, protocol)
	if who != nil {
		l.hello = p.Format().AppendHandshake(l.hello[:0], who.uid, who.nilUID, l.handshakeData(who))
		hello := l.wrap(p, l.hello)
		out = wsframe.AppendHeader(out, opcode(p), len(hello))
		out = append(out, hello...)
	}
	l.scratch = out
	return true
}

// becomeWS makes a conn a WebSocket.
func (l *loop) becomeWS(slot uint32, c *conn, flags uint16) {
	l.m.Upgrades.Add(1)
	l.m.WSNow.Add(1)
	c.state, c.since, c.lastIn = sWS, l.now, l.now
	c.session, c.sent = 0, 0
	c.flags |= flags
}

// tokenPrefix begins a subprotocol that is a token: the one field of an upgrade that a page
// can write (package auth).
const tokenPrefix = "token."

// subprotocol chooses the first that is offered and no token: a browser fails a socket
// whose offer gets no answer (WebSockets standard, "establish a WebSocket connection"). A
// token is never sent back, since answers are logged on the way more readily than secrets
// should be. ok is false for a page that offered nothing but a token: its socket would
// fail behind the handshake, and it would come again at once. Who is no browser gets on
// without an answer (RFC 6455 §4.1).
func subprotocol(h *httpmin.Head) (chosen []byte, ok bool) {
	if h.WSProtocol == nil {
		return nil, true
	}
	some := false
	for p, rest := httpmin.NextProtocol(h.WSProtocol); p != nil; p, rest = httpmin.NextProtocol(rest) {
		if !bytes.HasPrefix(p, []byte(tokenPrefix)) {
			return p, true
		}
		some = true
	}
	return nil, !some || h.Origin == nil
}

// upgradeEcho makes a conn an echo, for conformance suites.
func (l *loop) upgradeEcho(slot uint32, c *conn, h *httpmin.Head, q *request) {
	if !h.Upgrade {
		l.respond(slot, c, q, httpmin.Response{Status: 426, ContentType: httpmin.TypeText, WSVersion: true},
			[]byte("This path is a WebSocket that echoes"))
		return
	}
	if !l.appendAccept(slot, c, h, 0, nil) {
		return
	}
	l.becomeWS(slot, c, fEcho)
	if l.write(slot, c, l.scratch) {
		l.conns.dropExtra(slot)
	}
}
