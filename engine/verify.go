package engine

import (
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Requests whose identity cannot be found out on a loop: a signature is to be checked,
// or the application is to be asked.
//
//	owner: Check says what is needed; Verify knows it -------------> Admit, and on
//	                                  does not: sAsked, the request waits in extra
//	anybody: Verified ---mVerified---> owner: the request is handled once more, from its
//	                                          head, with the answer in extra.grant
//
// A conn has one such request at a time: what it sends behind it waits in its buffer,
// bounded by boundParked, so that requests keep their order. The ticket is a ref of its
// own, so that an answer that comes twice, or for a conn that is gone, finds nothing.
// What is not answered in Limits.VerifyMs is refused.

// Verifier finds out what may not be found out on a loop. Any goroutine.
type Verifier interface {
	// Verify returns the grant behind r if it is known, or can be told at once, as that
	// too much waits. Else nil, and the grant is told to Engine.Verified with the ticket,
	// once, later. r and need are read during the call only. nowMs is ms since 1970.
	Verify(r *auth.Request, need auth.Need, ticket uint64, nowMs int64) *auth.Grant

	// Revoke makes void what was given to a user until now: from its return on Verify
	// does not grant it.
	Revoke(tenant, uid string, nowMs int64)
}

// asked is the refusal of a request that is not refused, but waits to be verified.
var asked = &auth.Refusal{}

// grantUnknown stands for a grant that did not come.
var grantUnknown = &auth.Grant{Refusal: &auth.Refusal{Status: 503, Body: "identity is not known now",
	RetryAfter: 1}}

// Verified tells what was found out under a ticket of Verify. g is shared, and not
// written from here on. Any goroutine.
func (e *Engine) Verified(ticket uint64, g *auth.Grant) {
	ref := connRef(ticket)
	if ref.loop() < len(e.queues) {
		e.queues[ref.loop()].Post(msg{kind: mVerified, ref: ref, cmd: &command{grant: g}})
	}
}

// onVerified goes on with the request that waited.
func (l *loop) onVerified(m *msg) {
	c := l.conns.get(m.ref)
	if c == nil || c.state != sAsked {
		l.m.VerifiedLate.Add(1)
		return
	}
	l.m.VerifyTimes.Observe(uint64(l.passed(c.since)))
	l.resume(m.ref.slot(), c, m.cmd.grant)
}

// verifyDue refuses a request whose identity was not found out in time.
func (l *loop) verifyDue(slot uint32, c *conn) {
	if c.state == sAsked && l.passed(c.since) >= l.opts.Limits.VerifyMs {
		l.m.VerifyTimeouts.Add(1)
		l.resume(slot, c, grantUnknown)
	}
}

// resume handles the request that waited, now that g is known, and what its conn has
// sent behind it.
func (l *loop) resume(slot uint32, c *conn, g *auth.Grant) {
	x := l.conns.extra(slot)
	x.grant, x.came = g, c.since
	c.state, c.since = sHead, l.now
	if l.dispatchKept(slot, c) {
		l.traffic(slot)
	}
}

// grantOf is the grant behind a request, nil when it is asked for: then the conn is in
// sAsked, and whoever read the request puts it into extra. came is when it was read: of
// two upgrades of a client the later one counts, whichever was found out first.
func (l *loop) grantOf(slot uint32, c *conn, r *auth.Request, need auth.Need) (g *auth.Grant, came uint32) {
	if x := l.conns.peekExtra(slot); x != nil && x.grant != nil {
		g, x.grant = x.grant, nil
		return g, x.came
	}
	if l.opts.Verifier == nil {
		return grantUnknown, l.now
	}
	ticket := makeRef(l.id, slot, l.conns.newGen())
	l.verifying = *r
	g = l.opts.Verifier.Verify(&l.verifying, need, uint64(ticket), l.wall.UnixMilli())
	l.verifying = auth.Request{}
	if g == nil {
		l.m.Verifies.Add(1)
		l.conns.extra(slot).gen = ticket.gen()
		c.state, c.since = sAsked, l.now
		l.timers.asked.Push(l.conns.timer(slot), l.now+l.opts.Limits.VerifyMs)
	}
	return g, l.now
}

// handshakeData is what goes with the handshake of who, an edn value or nil.
func (l *loop) handshakeData(who *identity) []byte {
	if who.grant != nil && who.grant.Handshake != nil {
		return who.grant.Handshake
	}
	return l.opts.Handshake
}

// sayable tells whether the handshake of who can be written in p. What the server itself
// says was checked in the beginning.
func (l *loop) sayable(p packer.Packer, who *identity) bool {
	if who.grant == nil || who.grant.Handshake == nil {
		return true
	}
	out, err := packer.Append(l.value[:0], p.Format(), who.grant.Handshake, packer.EDN, packer.Options{})
	l.value = out
	if err != nil {
		l.m.Untranslatable.Add(1)
	}
	return err == nil
}

// notSayable answers a request whose handshake its packer cannot express.
func (l *loop) notSayable(slot uint32, c *conn, q *request, p packer.Packer) {
	l.respondText(slot, c, q, 500, "The handshake data of this identity cannot be written as "+p.String())
}

// grantCmd takes a grant to home, nil when it has nothing to say there.
func grantCmd(g *auth.Grant) *command {
	if g == nil || len(g.Topics) == 0 && g.Handshake == nil && g.Expires == 0 {
		return nil
	}
	return &command{grant: g}
}

// grantAt is the grant that came to home with a message, nil for none.
func (m *msg) grantAt() *auth.Grant {
	if m.cmd == nil {
		return nil
	}
	return m.cmd.grant
}

// joinGranted lets a session into the topics that its identity grants, and out of those
// that an earlier one did. ref and enter are as in shard.Grant.
func (l *loop) joinGranted(id shard.SessionID, ref connRef, g *auth.Grant, enter bool) {
	if l.opts.Verifier == nil {
		return
	}
	var topics []string
	if g != nil {
		topics = g.Topics
	}
	if n := l.sh.Grant(l.now, id, uint64(ref), topics, enter); n > 0 {
		l.m.JoinsRefused.Add(uint64(n))
	}
}
