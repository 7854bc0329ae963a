package engine

import (
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Journey iii, first half: what backends push. The exported methods run on any
// goroutine and only post; the rest runs on the home loops.

// Push is one event for some users: those of UIDs, NilUID, All or Topic.
type Push struct {
	Tenant string
	UIDs   []string // to these users
	NilUID bool     // or to all users without uid
	Client string   // only to this client of the one uid
	All    bool     // or to everybody of the tenant
	Topic  string   // or to the members of this topic
	Except []string // with All or Topic: but not to these uids
	Flush  bool     // now, without waiting for the flush window

	Key string        // takes the place of what has the same key and receivers; "" = none
	TTL time.Duration // not sent after that; 0 = no end, at most 1 h

	Format packer.Format
	Event  []byte // checked by Format.CheckEvent; copied

	More bool // others follow at once: no loop is woken before Flush, or another call
}

// Done is told what became of something that a backend asked: on how many sessions it
// counts, or why it was not done. It is called on a loop and must not block.
type Done = func(sessions int, err error)

// Push appends the event to the logs of its users. done, if not nil, is told on how
// many sessions it counts, when all homes have taken it; nothing can fail. Any goroutine.
func (e *Engine) Push(p *Push, done Done) {
	if len(p.Tenant) > maxTenantLen { // no identity has such a one, nor could say it
		if done != nil {
			done(0, nil)
		}
		return
	}
	m := msg{kind: mPush, packer: uint8(p.Format)}
	if p.Flush {
		m.flags |= flagFlush
	}
	if p.All || p.Topic != "" || p.Key != "" || p.TTL > 0 {
		m.cmd = &command{all: p.All, topic: p.Topic, except: p.Except, key: p.Key, ttl: ttlMs(p.TTL)}
	}
	everywhere := p.All || p.Topic != "" || (p.NilUID && p.Client == "")
	switch {
	case everywhere:
		e.pushMany(p, m, len(e.loops), everywhere, done)
	case p.NilUID:
		m.done = done
		e.pushOne(p, m, "")
	case len(p.UIDs) == 1:
		m.done = done
		e.pushOne(p, m, p.UIDs[0])
	case len(p.UIDs) > 1:
		e.pushMany(p, m, len(p.UIDs), everywhere, done)
	case done != nil:
		done(0, nil)
	}
}

// pushOne posts a push to one user or session: the identity and behind it the event, in one
// buffer that the entry keeps. The most frequent push by far, so that it allocates nothing.
func (e *Engine) pushOne(p *Push, m msg, uid string) {
	b := bufpool.Get(identHeadLen + len(p.Tenant) + len(uid) + len(p.Client) + len(p.Event))
	var to identity
	b.B, to = appendNames(b.B, p.Tenant, uid, p.Client, p.NilUID)
	m.a = uint64(len(b.B))
	b.B = append(b.B, p.Event...)
	m.buf = b.Seal()
	e.post(e.homeOf(&to), m, p.More)
}

// post hands m to a loop, which is woken for it unless more follows.
func (e *Engine) post(loop int, m msg, more bool) {
	if more {
		e.queues[loop].PostQuietly(m)
		return
	}
	e.queues[loop].Post(m)
}

// Flush wakes the loops that have pushes and replies after which others were announced (More).
// Whoever announces them calls it before waiting for anything. Any goroutine.
func (e *Engine) Flush() {
	for _, q := range e.queues {
		q.Nudge()
	}
}

// pushMany posts a push to several users, or to every loop; they share the event.
func (e *Engine) pushMany(p *Push, m msg, parts int, everywhere bool, done Done) {
	event := bufpool.Get(len(p.Event))
	event.B = append(event.B, p.Event...)
	m.fan = event.Seal()
	if done != nil {
		if m.cmd == nil {
			m.cmd = new(command)
		}
		m.cmd.tally = mailbox.NewTally(parts, func(sessions int) { done(sessions, nil) })
	}
	for i := range parts {
		b, home := bufpool.Get(64), i
		if everywhere {
			b.B, _ = appendNames(b.B, p.Tenant, "", "", true)
		} else {
			var to identity
			b.B, to = appendNames(b.B, p.Tenant, p.UIDs[i], p.Client, false)
			home = e.homeOf(&to)
		}
		m.buf = b.Seal()
		event.Retain()
		e.post(home, m, p.More)
	}
	event.Release()
}

// ttlMs is a time to live in milliseconds, not 0 for a short one: that would be no end.
func ttlMs(d time.Duration) uint32 {
	return uint32((d + time.Millisecond - 1) / time.Millisecond)
}

// command is what a backend asked that does not fit a msg.
type command struct {
	tenant, uid, client string
	nilUID              bool

	all    bool     // push
	topic  string   // push, join, leave
	except []string // push
	key    string   // push
	ttl    uint32   // push, ms
	code   int      // end
	reason string   // end
	tally  *mailbox.Tally

	query  *query
	member func(bool, error) // join, leave
	grant  *auth.Grant       // verified, attach, poll
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
	case mJoin:
		l.onJoin(m)
	case mLeave:
		l.onLeave(m)
	case mEnd:
		l.onEnd(m)
	case mQuery:
		l.onQuery(m)
	}
}

// onPush appends an entry.
func (l *loop) onPush(m *msg) {
	l.m.Pushes.Add(1)
	sessions := l.enter(m)
	switch {
	case m.done != nil:
		m.done(sessions, nil)
	case m.cmd != nil && m.cmd.tally != nil:
		m.cmd.tally.Add(sessions)
	}
}

// enter hands a push to the shard and returns how many sessions it counts for.
func (l *loop) enter(m *msg) (sessions int) {
	names, src, at := m.buf.B, m.fan, 0
	if src == nil { // one receiver: the event is behind its name
		src, at = m.buf, int(m.a)
		names = names[:at]
	} else {
		defer m.buf.Release()
	}
	who := l.parseIdentity(names)
	p := l.newPayload(src, at, packer.Format(m.packer))
	o := shard.PushOptions{Flush: m.flags&flagFlush != 0}
	if cmd := m.cmd; cmd != nil {
		l.key = append(l.key[:0], cmd.key...)
		o.Key, o.TTL, o.Except = l.key, cmd.ttl, cmd.except
		switch {
		case cmd.topic != "":
			l.topic = append(l.topic[:0], cmd.topic...)
			return l.sh.PushTopic(l.now, who.tenant, l.topic, p, o)
		case cmd.all:
			return l.sh.PushTenant(l.now, who.tenant, p, o)
		}
	}
	to := shard.To{Tenant: who.tenant, UID: who.uid, NilUID: who.nilUID}
	if len(who.client) > 0 {
		to.Client = who.client
	}
	return l.sh.PushTo(l.now, to, p, o)
}

// payload is what an entry carries: the event as it was pushed, and its fragment for
// each format that a session asked for.
//
// Owner: loop.
type payload struct {
	l      *loop
	src    *bufpool.Buf
	at     uint32 // where in src the event begins
	format packer.Format
	bad    [packer.Count]bool
	frags  [packer.Count]*bufpool.Buf
	next   *payload // in the loop's free list
}

// newPayload takes over one reference of src, in which the event begins at at.
func (l *loop) newPayload(src *bufpool.Buf, at int, f packer.Format) *payload {
	p := l.payloads
	if p == nil {
		p = new(payload)
	} else {
		l.payloads = p.next
	}
	*p = payload{l: l, src: src, at: uint32(at), format: f}
	return p
}

// Len is the length of the event as it was pushed, in bytes.
func (p *payload) Len() int { return len(p.src.B) - int(p.at) }

// event is the event as it was pushed.
func (p *payload) event() []byte { return p.src.B[p.at:] }

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
		return p.event(), true
	}
	if p.frags[f] != nil {
		return p.frags[f].B, true
	}
	if p.bad[f] {
		return nil, false
	}
	buf := bufpool.Get(p.Len() + 32)
	out, err := packer.Append(buf.B, f, p.event(), p.format, packer.Options{Event: true})
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
