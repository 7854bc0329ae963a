package engine

import (
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/shard"
)

// OnGap close: a session that missed something is ended, so that its client begins anew.
//
//	home: the shard delivers a gap ---mGap---> owner: whose conn is it?
//	home: the session's cursor ends <-mGapEnd- owner
//	home: --mEndConn, mAnswerGap--> owners: close 4410, answer 410
//
// The cursor ends before the client knows, so that it cannot be back before. Until then the
// conn takes no delivery, because it does not stand after the gap. When it closes by itself
// on the way, the gap is told to the next conn.

// endForGap asks the owner of the conn that the gap is for who it is.
func (l *loop) endForGap(d *shard.Delivery) {
	ref := connRef(d.Ref)
	if d.Ajax && l.polls.Take(d.Ref) {
		l.m.PollsNow.Sub(1)
	}
	l.post(ref.loop(), msg{kind: mGap, ref: ref, id: uint64(d.ID), a: d.From, b: uint64(l.id)})
}

// onGap tells home who a conn speaks for. One that is gone has told so, but for a poll that
// home had answered already.
func (l *loop) onGap(m *msg) {
	c := l.conns.get(m.ref)
	home := int(m.b)
	var who []byte
	out := msg{kind: mGapEnd}
	switch {
	case c == nil:
		l.post(home, msg{kind: mPollGone, ref: m.ref, id: m.id})
		return
	case c.state == sWS:
		if c.sent == 0 {
			c.sent = m.a // the next delivery must not pass for the first
		}
		if c.sent != m.a || c.flags&(fStalled|fCloseSent) != 0 {
			return // as onDeliver: home has been told why
		}
		l.who = l.ids.Append(l.who[:0], c.who)
		who = l.who
	case c.state == sWait:
		l.who = l.ids.Append(l.who[:0], l.conns.parked(c).who)
		who = l.who
		out.ref = m.ref
	default:
		return
	}
	b := bufpool.Get(len(who))
	b.B = append(b.B, who...)
	out.buf = b.Seal()
	l.post(home, out)
}

// onGapEnd ends the session: its cursor is forgotten, and all its conns are told.
func (l *loop) onGapEnd(m *msg) {
	defer m.buf.Release()
	who := l.parseIdentity(m.buf.B)
	l.m.GapCloses.Add(1)
	to := shard.To{Tenant: who.tenant, UID: who.uid, NilUID: who.nilUID, Client: who.client}
	l.sh.CloseSessions(l.now, to, func(id shard.SessionID, ref uint64, ajax bool) {
		r := connRef(ref)
		if !ajax {
			reason := bufpool.Get(len(reasonGap))
			reason.B = append(reason.B, reasonGap...)
			l.post(r.loop(), msg{kind: mEndConn, ref: r, a: codeGap, buf: reason.Seal()})
			return
		}
		if l.polls.Take(ref) {
			l.m.PollsNow.Sub(1)
		}
		l.post(r.loop(), msg{kind: mAnswerGap, ref: r})
		l.sh.PollAnswered(l.now, id, ref)
	})
	l.tellPresence()
	if m.ref != 0 {
		l.post(m.ref.loop(), msg{kind: mAnswerGap, ref: m.ref})
	}
}

// onAnswerGap answers a poll by an error, which a stock client takes for a close.
func (l *loop) onAnswerGap(m *msg) {
	c, q := l.awaited(m.ref)
	if c == nil {
		return
	}
	if l.respondText(m.ref.slot(), c, &q, codeGap-4000, reasonGap) {
		l.traffic(m.ref.slot())
	}
}
