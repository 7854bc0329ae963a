package engine

import (
	"errors"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Journey iii, first half: what backends ask. The exported methods run on any
// goroutine and only post; the rest runs on the home loops.

// ErrUnknownReply says that nothing waits under a reply_to.
var ErrUnknownReply = errors.New("engine: nothing waits under this reply_to: it was answered already, " +
	"its time is over, or its client is gone")

// Push is one event for some users.
type Push struct {
	Tenant string
	UIDs   []string // to these users
	NilUID bool     // or to all users without uid
	Client string   // only to this client of the one uid
	All    bool     // or to everybody of the tenant
	Except []string // but not to these uids
	Flush  bool     // now, without waiting for the flush window

	Format packer.Format
	Event  []byte // checked by Format.CheckEvent; copied
}

// Push appends the event to the logs of its users. done, if not nil, is told on how
// many sessions it counts, when all homes have taken it; it is called on a loop and
// must not block. Any goroutine.
func (e *Engine) Push(p *Push, done func(sessions int)) {
	event := bufpool.Get(len(p.Event))
	event.B = append(event.B, p.Event...)
	event.Seal()
	defer event.Release()

	m := msg{kind: mPush, packer: uint8(p.Format)}
	if p.Flush {
		m.flags |= flagFlush
	}
	everywhere := p.All || (p.NilUID && p.Client == "")
	parts := len(p.UIDs)
	switch {
	case everywhere:
		parts = len(e.loops)
	case p.NilUID:
		parts = 1
	}
	if parts == 0 {
		if done != nil {
			done(0)
		}
		return
	}
	if done != nil || len(p.Except) > 0 || p.All {
		m.cmd = &command{all: p.All, except: p.Except, tenant: p.Tenant}
		if done != nil {
			m.cmd.tally = mailbox.NewTally(parts, done)
		}
	}
	if everywhere || p.NilUID {
		to := identity{tenant: []byte(p.Tenant), nilUID: true, client: []byte(p.Client)}
		for i := range e.loops {
			if everywhere || i == e.homeOf(&to) {
				e.postPush(i, m, &to, event)
			}
		}
		return
	}
	for _, uid := range p.UIDs {
		to := identity{tenant: []byte(p.Tenant), uid: []byte(uid), client: []byte(p.Client)}
		e.postPush(e.homeOf(&to), m, &to, event)
	}
}

func (e *Engine) postPush(loop int, m msg, to *identity, event *bufpool.Buf) {
	b := bufpool.Get(64)
	b.B = appendIdentity(b.B, to)
	m.buf, m.fan = b.Seal(), event.Retain()
	e.queues[loop].Post(m)
}

// command is what a backend asked that does not fit a msg.
type command struct {
	tenant, uid, client string
	nilUID              bool

	all    bool     // push
	except []string // push
	code   int      // end
	reason string   // end
	tally  *mailbox.Tally

	query *query
}

// to is whom a command is about.
func (c *command) to() shard.To {
	t := shard.To{Tenant: []byte(c.tenant), UID: []byte(c.uid), NilUID: c.nilUID}
	if c.client != "" {
		t.Client = []byte(c.client)
	}
	return t
}

// onCommand does what a backend asked of this home.
func (l *loop) onCommand(m *msg) {
	switch m.kind {
	case mPush:
		l.onPush(m)
	case mEnd:
		l.onEnd(m)
	case mQuery:
		l.onQuery(m)
	}
}

// onPush appends an entry.
func (l *loop) onPush(m *msg) {
	l.m.Pushes.Add(1)
	who := parseIdentity(m.buf.B)
	p := l.newPayload(m.fan, packer.Format(m.packer))
	flush := m.flags&flagFlush != 0
	sessions := 0
	if m.cmd != nil && m.cmd.all {
		sessions = l.sh.PushAllExcept(l.now, who.tenant, p, flush, m.cmd.except)
	} else {
		to := shard.To{Tenant: who.tenant, UID: who.uid, NilUID: who.nilUID}
		if len(who.client) > 0 {
			to.Client = who.client
		}
		sessions = l.sh.Push(l.now, to, p, flush)
	}
	m.buf.Release()
	if m.cmd != nil && m.cmd.tally != nil {
		m.cmd.tally.Add(sessions)
	}
}

// payload is what an entry carries: the event as it was pushed, and its fragment for
// each format that a session asked for.
//
// Owner: loop.
type payload struct {
	l      *loop
	src    *bufpool.Buf
	format packer.Format
	frags  [packer.Count]*bufpool.Buf
	bad    [packer.Count]bool
	next   *payload // in the loop's free list
}

// newPayload takes over one reference of src.
func (l *loop) newPayload(src *bufpool.Buf, f packer.Format) *payload {
	p := l.payloads
	if p == nil {
		p = new(payload)
	} else {
		l.payloads = p.next
	}
	*p = payload{l: l, src: src, format: f}
	return p
}

// Len is the length of the event as it was pushed, in bytes.
func (p *payload) Len() int { return len(p.src.B) }

// Release is the end of the entry.
func (p *payload) Release() {
	p.src.Release()
	for _, b := range p.frags {
		release(b)
	}
	l := p.l
	*p = payload{next: l.payloads}
	l.payloads = p
}

// fragment is the event in f, made when it is asked for first. It holds no references to
// what stands elsewhere, so that it may stand anywhere. ok is false when the event cannot
// be written in f.
func (p *payload) fragment(f packer.Format) (b []byte, ok bool) {
	if f == p.format && f.Plain() {
		return p.src.B, true
	}
	if p.frags[f] != nil {
		return p.frags[f].B, true
	}
	if p.bad[f] {
		return nil, false
	}
	buf := bufpool.Get(len(p.src.B) + 32)
	out, err := packer.Append(buf.B, f, p.src.B, p.format, packer.Options{Event: true})
	buf.B = out
	if err != nil {
		p.bad[f] = true
		p.l.m.Untranslatable.Add(1)
		buf.Release()
		return nil, false
	}
	p.frags[f] = buf.Seal()
	return buf.B, true
}

// Reply answers an event that waits under token with a value in format f. The error
// says that nothing waits there, or what is wrong with the value. done may be called
// on a loop and must not block. Any goroutine.
func (e *Engine) Reply(token string, value []byte, f packer.Format, done func(error)) {
	loop, slot, secret, ok := parseToken(token)
	if !ok || loop >= len(e.loops) {
		done(ErrUnknownReply)
		return
	}
	b := bufpool.Get(len(value))
	b.B = append(b.B, value...)
	e.queues[loop].Post(msg{kind: mReply, packer: uint8(f), id: uint64(slot), a: secret,
		buf: b.Seal(), cmd: &command{query: &query{replied: done}}})
}

// onReply answers a callback.
func (l *loop) onReply(m *msg) {
	defer m.buf.Release()
	m.cmd.query.replied(l.reply(uint32(m.id), m.a, m.buf.B, packer.Format(m.packer)))
}

func (l *loop) reply(slot uint32, secret uint64, value []byte, from packer.Format) error {
	e := l.callbacks.find(slot, secret)
	if e == nil {
		l.m.RepliesLate.Add(1)
		return ErrUnknownReply
	}
	if e.ref == 0 {
		post := e.post
		if err := l.replyPost(post, value, from); err != nil {
			return err
		}
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
	l.busyRef = e.ref
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
