package engine

import (
	"github.com/cespare/xxhash/v2"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Journey iv. The conn's owner checks a poll and hands it to home; home answers at
// once (a handshake, or what is pending) or parks it until there is something, or
// its time is over.

// poll takes an Ajax GET.
func (l *loop) poll(slot uint32, c *conn, h *httpmin.Head, q *request) {
	p := l.readParams(h.RawQuery, nil)
	who, refusal := l.identify(h, &p)
	if refusal != nil {
		l.refuseAuth(slot, c, q, refusal)
		return
	}
	f, ok := l.formatOf(h.Path, &p)
	if !ok {
		l.respondText(slot, c, q, 400, "Unknown packer; this server speaks edn and json")
		return
	}
	l.m.Polls.Add(1)
	m := msg{kind: mPoll, packer: uint8(f)}
	if p.handshake {
		m.flags = flagHandshake
	}
	if len(p.udt) > 0 {
		m.a = xxhash.Sum64(p.udt) | 1
	}
	b := bufpool.Get(64)
	b.B = appendIdentity(b.B, &who)
	m.buf = b.Seal()
	c.packer, c.home = uint8(f), uint8(l.eng.homeOf(&who))
	m.ref = l.await(slot, c, q, waitPoll)
	l.post(int(c.home), m)
}

// await parks the request in flight: its answer comes by a ref of its own, so that
// one that comes late cannot answer the next request.
func (l *loop) await(slot uint32, c *conn, q *request, w waitKind) connRef {
	x := l.conns.extra(slot)
	origin := x.req.origin[:0]
	x.req = *q
	x.req.origin = nil
	if q.origin != nil {
		x.req.origin = append(origin, q.origin...)
	}
	x.wait = w
	c.gen = nextGen(c.gen)
	c.state, c.since = sWait, l.now
	return makeRef(l.id, slot, c.gen)
}

// onPoll is home's part: what a poll gets.
func (l *loop) onPoll(m *msg) {
	who := parseIdentity(m.buf.B)
	f := packer.Format(m.packer)
	defer m.buf.Release()
	if l.draining {
		l.answer(m.ref, literal(f, packer.Timeout), 0)
		return
	}
	id, verdict, err := l.sh.Poll(l.now, keyOf(&who), uint64(m.ref), m.packer,
		m.flags&flagHandshake != 0, m.a)
	l.tellPresence()
	l.tellOwners()
	switch {
	case err != nil:
		l.answer(m.ref, literal(f, packer.Timeout), 0)
	case verdict == shard.Handshake:
		b := bufpool.Get(128)
		b.B = f.AppendHandshake(b.B, who.uid, who.nilUID, l.opts.Handshake)
		l.answer(m.ref, b.Seal(), 0)
	default:
		l.m.PollsNow.Add(1)
		if old := l.polls.Park(l.now, uint64(m.ref), uint64(id)); old != 0 {
			l.m.PollsNow.Sub(1)
			l.answer(connRef(old), literal(f, packer.Timeout), 0)
		}
	}
}

// literal is a message that never varies as a buffer to post.
func literal(f packer.Format, lit packer.Literal) *bufpool.Buf {
	s := f.Literal(lit)
	b := bufpool.Get(len(s))
	b.B = append(b.B, s...)
	return b.Seal()
}

// answer posts the body of an answer to the request ref; seq is the position that a
// poll's batch brings its session to, 0 for no batch. It takes over b.
func (l *loop) answer(ref connRef, b *bufpool.Buf, seq uint64) {
	l.post(ref.loop(), msg{kind: mAnswer, ref: ref, buf: b, a: seq})
}

// onAnswer writes the answer to the request that ref names. A batch (b says where
// its payload starts) is remembered until the peer has acknowledged it.
func (l *loop) onAnswer(m *msg) {
	defer m.buf.Release()
	c := l.conns.get(m.ref)
	if c == nil || c.state != sWait {
		l.m.DeliveriesLate.Add(1)
		return
	}
	slot := m.ref.slot()
	x := l.conns.extra(slot)
	q := x.req
	x.wait = waitNothing
	status := 200
	if m.b != 0 {
		status = int(m.b)
	}
	q.close = q.close || l.draining
	body := m.buf.B
	if m.a != 0 {
		body = body[frameRoom:]
		c.session = uint64(m.ref)
	}
	if !l.respond(slot, c, &q, httpmin.Response{Status: status, ContentType: httpmin.TypeText}, body) {
		return
	}
	if m.a != 0 && l.opts.Redelivery != RedeliveryOff {
		l.acks.add(c, c.written, m.a)
	}
	l.traffic(slot)
}

// onPollGone hears that nobody waits for a poll any more, or that its answer did
// not arrive.
func (l *loop) onPollGone(m *msg) {
	ref := uint64(m.ref)
	session, current, ok := l.polls.Session(ref)
	if ok {
		l.polls.Take(ref)
		l.m.PollsNow.Sub(1)
	}
	if ok && !current {
		return
	}
	l.sh.PollGone(l.now, shard.SessionID(session), ref)
	l.tellPresence()
}

// pollsDue answers the polls whose time is over. One that a newer poll displaced is
// answered too, at its own time: at once would make two tabs with one client-id
// poll against each other for ever.
func (l *loop) pollsDue() {
	for {
		ref, session, current, ok := l.polls.Timeout(l.now)
		if !ok {
			return
		}
		l.m.PollsNow.Sub(1)
		l.answerTimeout(connRef(ref), packer.Timeout)
		if current {
			l.sh.PollAnswered(l.now, shard.SessionID(session), ref)
		}
	}
}

// answerTimeout posts a literal as the answer to a poll, in the poll's own packer,
// which only its owner knows.
func (l *loop) answerTimeout(ref connRef, lit packer.Literal) {
	l.post(ref.loop(), msg{kind: mAnswerLit, ref: ref, a: uint64(lit)})
}

// onAnswerLit writes a literal as the answer to a request.
func (l *loop) onAnswerLit(m *msg) {
	c := l.conns.get(m.ref)
	if c == nil || c.state != sWait {
		l.m.DeliveriesLate.Add(1)
		return
	}
	slot := m.ref.slot()
	x := l.conns.extra(slot)
	q := x.req
	x.wait = waitNothing
	q.close = q.close || l.draining
	body := packer.Format(c.packer).Literal(packer.Literal(m.a))
	if l.respond(slot, c, &q, httpmin.Response{Status: 200, ContentType: httpmin.TypeText}, body) {
		l.traffic(slot)
	}
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
	who := parseIdentity(m.buf.B)
	l.nudge(&who)
	m.buf.Release()
}
