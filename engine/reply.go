package engine

import (
	"errors"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// What backends ask beside pushes: answers to events, and the end of sessions.

// ErrUnknownReply says that nothing waits under a reply_to.
var ErrUnknownReply = errors.New("engine: nothing waits under this reply_to: it was answered already, " +
	"its time is over, or its client is gone")

// Reply is the answer to one event.
type Reply struct {
	Token  string // that the event came with
	Format packer.Format
	Value  []byte // one value, copied
	More   bool   // as of Push
}

// Reply answers an event. The error says that nothing waits under the token, or what is
// wrong with the value; sessions is 1 without one. done may be called at once. Any
// goroutine.
func (e *Engine) Reply(r *Reply, done Done) {
	loop, slot, secret, ok := parseToken(r.Token)
	if !ok || loop >= len(e.loops) {
		done(0, ErrUnknownReply)
		return
	}
	b := bufpool.Get(len(r.Value))
	b.B = append(b.B, r.Value...)
	e.post(loop, msg{kind: mReply, packer: uint8(r.Format), id: uint64(slot), a: secret,
		buf: b.Seal(), done: done}, r.More)
}

// onReply answers a callback.
func (l *loop) onReply(m *msg) {
	defer m.buf.Release()
	if err := l.reply(uint32(m.id), m.a, m.buf.B, packer.Format(m.packer)); err != nil {
		m.done(0, err)
		return
	}
	m.done(1, nil)
}

func (l *loop) reply(slot uint32, secret uint64, value []byte, from packer.Format) error {
	e := l.callbacks.find(slot, secret)
	if e == nil {
		l.m.RepliesLate.Add(1)
		return ErrUnknownReply
	}
	took := uint64(l.passed(e.opened))
	if e.ref == 0 {
		post := e.post
		if err := l.replyPost(post, value, from); err != nil {
			return err
		}
		l.m.ReplyTimes.Observe(took)
		l.callbacks.drop(&l.ids, nil, slot)
		return nil
	}
	c := l.conns.get(e.ref)
	if c == nil {
		panic("engine: a callback outlived its conn")
	}
	to := packer.Packer(c.packer).Format()
	v, err := packer.Append(l.value[:0], to, value, from, packer.Options{})
	if err != nil {
		return err
	}
	l.value = v
	l.m.ReplyTimes.Observe(took)
	l.busyRef = e.ref
	conn := e.ref.slot()
	if l.boundReplies(conn, c); c.state != sWS {
		l.m.RepliesLate.Add(1)
		return ErrUnknownReply // with its conn it has gone: it had not read the replies before
	}
	l.replyWS(c, slot, v)
	return nil
}

// End ends the sessions of a user, or of one client of it. Any goroutine; done is
// called on a loop and must not block.
func (e *Engine) End(tenant, uid string, nilUID bool, client string, code int, reason string,
	done func(sessions int)) {
	cmd := &command{tenant: tenant, uid: uid, nilUID: nilUID, client: client, code: code, reason: reason}
	id := identity{tenant: []byte(tenant), uid: []byte(uid), nilUID: nilUID, client: []byte(client)}
	if nilUID && client == "" {
		cmd.tally = mailbox.NewTally(len(e.loops), done)
		for _, q := range e.queues {
			q.Post(msg{kind: mEnd, cmd: cmd})
		}
		return
	}
	cmd.tally = mailbox.NewTally(1, done)
	e.queues[e.homeOf(&id)].Post(msg{kind: mEnd, cmd: cmd})
}

// Revoke makes void what the Verifier gave to a user until now, and ends its sessions; who
// shows the same again is refused. It reports false when there is no Verifier, and does
// nothing then. done is as End's. Any goroutine.
//
// What was admitted before, on whatever loop, is on its way to home in front of what the
// loops pass on here; what is judged later is refused. So no session slips through.
func (e *Engine) Revoke(tenant, uid string, code int, reason string, done func(sessions int)) bool {
	if e.opts.Verifier == nil {
		return false
	}
	_, wall := e.clock.Read()
	e.opts.Verifier.Revoke(tenant, uid, wall.UnixMilli())
	cmd := &command{tenant: tenant, uid: uid, code: code, reason: reason,
		tally: mailbox.NewTally(len(e.loops), done)}
	for _, q := range e.queues {
		q.Post(msg{kind: mRevoke, cmd: cmd})
	}
	return true
}

// onRevoke passes the end of sessions on to their home.
func (l *loop) onRevoke(m *msg) {
	who := identity{tenant: []byte(m.cmd.tenant), uid: []byte(m.cmd.uid)}
	l.post(l.eng.homeOf(&who), msg{kind: mEnd, cmd: m.cmd})
}

// onEnd closes the conns of sessions and forgets them. A hanging poll is answered
// properly, its client comes back to a handshake.
func (l *loop) onEnd(m *msg) {
	n := l.sh.CloseSessions(l.now, m.cmd.to(), func(id shard.SessionID, ref uint64, ajax bool) {
		r := connRef(ref)
		if ajax {
			if l.polls.Take(ref) {
				l.m.PollsNow.Sub(1)
			}
			l.answerTimeout(r, packer.Timeout)
			l.sh.PollAnswered(l.now, id, ref) // else the user stays present for ever
			return
		}
		reason := bufpool.Get(len(m.cmd.reason))
		reason.B = append(reason.B, m.cmd.reason...)
		l.post(r.loop(), msg{kind: mEndConn, ref: r, a: uint64(m.cmd.code), buf: reason.Seal()})
	})
	l.tellPresence()
	m.cmd.tally.Add(n)
}
