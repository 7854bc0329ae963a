package engine

import (
	"github.com/cespare/xxhash/v2"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Journey iv. The conn's owner checks a poll and hands it to home; home answers at
// once (a handshake, or what is pending) or parks it until there is something, or
// its time is over.

// poll takes an Ajax GET.
func (l *loop) poll(slot uint32, c *conn, h *httpmin.Head, q *request) {
	p := l.readParams(h.RawQuery, nil)
	if p.handshake && !l.mayShake(slot, c, h) {
		return
	}
	who, refusal := l.identify(slot, c, h, &p)
	if refusal == asked {
		return
	}
	if refusal != nil {
		l.m.Handshakes[metrics.Ajax][metrics.HandshakeIdentity].Add(1)
		l.refuseAuth(slot, c, q, refusal)
		return
	}
	chosen, ok := l.packerOf(h.Path, &p)
	if !ok {
		l.m.Handshakes[metrics.Ajax][metrics.HandshakePacker].Add(1)
		l.refusePacker(slot, c, q)
		return
	}
	if !l.sayable(chosen, &who) {
		l.m.Handshakes[metrics.Ajax][metrics.HandshakePacker].Add(1)
		l.notSayable(slot, c, q, chosen)
		return
	}
	l.m.Polls.Add(1)
	m := msg{kind: mPoll, packer: uint8(chosen), cmd: grantCmd(who.grant)}
	if p.handshake {
		m.flags = flagHandshake
	}
	m.a = udtOf(p.udt)
	b := bufpool.Get(64)
	b.B = appendIdentity(b.B, &who)
	m.buf = b.Seal()
	c.packer, c.home = uint8(chosen), uint8(l.eng.homeOf(&who))
	m.ref = l.await(slot, c, q, waitPoll)
	l.m.PollsOf[chosen].Add(1)
	if l.opts.OnGap == GapClose {
		l.conns.parked(c).who = l.ids.Put(m.buf.B)
	}
	l.post(int(c.home), m)
}

// udtOf is a poll's udt for the shard: the client's clock, a number that grows; for
// what is no number a hash in the upper half, which tells only whether two are the
// same; 0 for none.
func udtOf(text []byte) uint64 {
	if len(text) == 0 {
		return 0
	}
	const longest = 18 // digits that fit
	n := uint64(0)
	for _, d := range text {
		if d < '0' || d > '9' || len(text) > longest {
			return xxhash.Sum64(text) | 1<<63
		}
		n = n*10 + uint64(d-'0')
	}
	return n + 1
}

// onPoll is home's part: what a poll gets.
func (l *loop) onPoll(m *msg) {
	who := l.parseIdentity(m.buf.B)
	p := packer.Packer(m.packer)
	defer m.buf.Release()
	if l.draining {
		l.answer(m.ref, l.literal(p, packer.Timeout), 0)
		return
	}
	id, verdict, err := l.sh.Poll(l.now, keyOf(&who), uint64(m.ref), m.packer,
		m.flags&flagHandshake != 0, m.a)
	who.grant = m.grantAt()
	switch {
	case err != nil:
	case verdict == shard.Handshake:
		l.joinGranted(id, 0, who.grant, true)
	default:
		l.joinGranted(id, m.ref, who.grant, false)
	}
	l.tellPresence()
	l.tellOwners()
	switch {
	case err != nil:
		// Nothing will come for it, but it is held for its time: answered at once it would
		// come again at once. No session has such an id.
		l.m.SessionsRefused.Add(1)
		l.m.PollsNow.Add(1)
		l.polls.Park(l.now, uint64(m.ref), ^uint64(m.ref))
	case verdict == shard.Handshake:
		l.m.Handshakes[metrics.Ajax][metrics.HandshakeOK].Add(1)
		l.hello = p.Format().AppendHandshake(l.hello[:0], who.uid, who.nilUID, l.handshakeData(&who))
		l.answer(m.ref, l.packed(p, l.hello), 0)
	default:
		// One that is late (shard.Late) waits like any other, and gets nothing.
		l.m.PollsNow.Add(1)
		if old := l.polls.Park(l.now, uint64(m.ref), uint64(id)); old != 0 {
			// Mostly the session has a newer one. But if those that came after it are late, it is
			// the session's own; untold, home would take it to be open for ever.
			l.m.PollsNow.Sub(1)
			l.answerTimeout(connRef(old), packer.Timeout)
			l.sh.PollAnswered(l.now, id, old)
			l.tellPresence()
		}
		l.expirePoll(m.ref, who.grant)
	}
}

// answer posts the body of an answer to the request ref; seq is the position that a
// poll's batch brings its session to, 0 for no batch. It takes over b.
func (l *loop) answer(ref connRef, b *bufpool.Buf, seq uint64) {
	l.post(ref.loop(), msg{kind: mAnswer, ref: ref, buf: b, a: seq})
}

// onAnswer writes the answer to the request that ref names. A batch (its payload begins
// at frameRoom) is remembered until the peer has acknowledged it.
func (l *loop) onAnswer(m *msg) {
	defer m.buf.Release()
	body := m.buf.B
	if m.a != 0 {
		body = body[frameRoom:]
	}
	c, ok := l.complete(m.ref, body)
	switch {
	case c == nil && m.a != 0:
		l.post(int(m.b), msg{kind: mPollGone, ref: m.ref, id: m.id})
	case ok:
		if m.a != 0 && l.opts.Redelivery != RedeliveryOff {
			c.session, c.sent = m.id, uint64(m.ref)
			l.acks.add(c, c.written, m.a)
		}
		l.traffic(m.ref.slot())
	}
}

// onAnswerLit writes a literal as the answer to a request.
func (l *loop) onAnswerLit(m *msg) {
	c := l.conns.get(m.ref)
	if c == nil {
		l.m.DeliveriesLate.Add(1)
		return
	}
	p := packer.Packer(c.packer)
	if _, ok := l.complete(m.ref, l.wrap(p, p.Format().Literal(packer.Literal(m.a)))); ok {
		l.traffic(m.ref.slot())
	}
}

// complete writes the answer to the request in flight that ref names. c is nil when
// that is gone; ok is false when the conn ended with the answer.
func (l *loop) complete(ref connRef, body []byte) (c *conn, ok bool) {
	c, q := l.awaited(ref)
	if c == nil {
		return nil, false
	}
	r := httpmin.Response{Status: 200, ContentType: mediaType(packer.Packer(c.packer))}
	return c, l.respond(ref.slot(), c, &q, r, body)
}

// onPollGone hears that nobody waits for a poll any more, or that its answer did
// not arrive; only for the latter the message names the session.
func (l *loop) onPollGone(m *msg) {
	id := m.id
	if session, _, ok := l.polls.Session(uint64(m.ref)); ok {
		id = session
		l.polls.Take(uint64(m.ref))
		l.m.PollsNow.Sub(1)
	}
	l.sh.PollGone(l.now, shard.SessionID(id), uint64(m.ref))
	l.tellPresence()
}

// pollsDue answers the polls whose time is over. One that a newer poll displaced is
// answered too, at its own time: at once would make two tabs with one client-id
// poll against each other for ever.
func (l *loop) pollsDue() {
	for {
		ref, session, _, ok := l.polls.Timeout(l.now)
		if !ok {
			return
		}
		l.m.PollsNow.Sub(1)
		l.answerTimeout(connRef(ref), packer.Timeout)
		l.sh.PollAnswered(l.now, shard.SessionID(session), ref)
	}
}

// answerTimeout posts a literal as the answer to a poll, in the poll's own packer,
// which only its owner knows.
func (l *loop) answerTimeout(ref connRef, lit packer.Literal) {
	l.post(ref.loop(), msg{kind: mAnswerLit, ref: ref, a: uint64(lit)})
}

// nudge answers the hanging poll of a session with an empty batch: after a POST that
// got an HTTP error a stock client sends nothing until its poll returns.
func (l *loop) nudge(who *identity) {
	id, ref := l.sh.AjaxSession(keyOf(who))
	if ref == 0 {
		return
	}
	if at, ok := l.nudged[uint64(id)]; ok && l.passed(at) < l.opts.Limits.NudgeMs {
		return
	}
	if len(l.nudged) >= 1024 {
		clear(l.nudged)
	}
	l.nudged[uint64(id)] = l.now
	if !l.polls.Take(ref) {
		return
	}
	l.m.PollsNow.Sub(1)
	l.answerTimeout(connRef(ref), packer.Nudge)
	l.sh.PollAnswered(l.now, id, ref)
}

// onNudge is nudge for the identity in buf.
func (l *loop) onNudge(m *msg) {
	who := l.parseIdentity(m.buf.B)
	l.nudge(&who)
	m.buf.Release()
}
