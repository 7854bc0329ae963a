package engine

import (
	"github.com/cespare/xxhash/v2"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/longpoll"
	"github.com/chskd/chskd/packer"
)

// Journey ii over Ajax. A send goes by its user's home, unlike an event over
// WebSocket: home knows whether a browser sent it twice, and whether the user is
// present, so that a backend never hears from an absent one.

// send takes an Ajax POST.
func (l *loop) send(slot uint32, c *conn, h *httpmin.Head, q *request, body []byte) {
	var form []byte
	if h.Form() {
		form = body
	}
	p := l.readParams(h.RawQuery, form)
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
	l.m.Posts.Add(1)
	l.m.BytesIn.Add(uint64(len(p.ppstr)))
	home := l.eng.homeOf(&who)
	var m packer.Message
	if err := f.ParseMessage(p.ppstr, &m); err != nil {
		l.m.Undecodable.Add(1)
		b := bufpool.Get(64)
		b.B = appendIdentity(b.B, &who)
		l.post(home, msg{kind: mNudge, buf: b.Seal()})
		l.respondText(slot, c, q, 400, "The message is not readable as "+f.String())
		return
	}
	c.packer, c.home = uint8(f), uint8(home)
	l.post(home, l.postMsg(l.await(slot, c, q, waitPost), f, &who, &p, &m))
}

// postMsg packs a send for home: identity and event in one buffer.
func (l *loop) postMsg(ref connRef, f packer.Format, who *identity, p *params, m *packer.Message) msg {
	out := msg{kind: mPost, ref: ref, packer: uint8(f)}
	b := bufpool.Get(64 + len(m.Event))
	b.B = appendIdentity(b.B, who)
	out.b = uint64(len(b.B))
	b.B = append(b.B, m.Event...)
	out.buf = b.Seal()
	if m.Callback != nil {
		out.flags |= flagCallback
	}
	if m.Kind == packer.BadEvent {
		out.flags |= flagBad
	}
	if len(p.udt) > 0 {
		// The replay of a browser is the same to the byte; udt is its clock.
		l.hash.Reset()
		_, _ = l.hash.Write(p.client) // a hash takes everything
		_, _ = l.hash.Write(p.udt)
		_, _ = l.hash.Write(p.ppstr)
		out.a = l.hash.Sum64() | 1
	}
	return out
}

// onPost is home's part: once, in order, from a present user.
func (l *loop) onPost(m *msg) {
	defer m.buf.Release()
	who := parseIdentity(m.buf.B[:m.b])
	f := packer.Format(m.packer)
	wantsReply := m.flags&flagCallback != 0
	slot, verdict := l.posts.Open(l.now, m.a, uint64(m.ref), m.packer, wantsReply)
	switch verdict {
	case longpoll.Waiting:
		l.m.PostsReplayed.Add(1)
		return
	case longpoll.Answered:
		l.m.PostsReplayed.Add(1)
		if b, ok := l.posts.Answered(slot).(*bufpool.Buf); ok {
			l.answer(m.ref, b.Retain(), 0)
		}
		return
	}
	_, err := l.sh.Touch(l.now, keyOf(&who))
	l.tellPresence()
	if err != nil || (wantsReply && l.posts.Len() > l.opts.Limits.ReplayedPosts) {
		// Its user has as many sessions as one may have, or too many sends wait for a
		// reply: it cannot be taken now, which a stock client is told softly.
		l.m.PostsRefused.Add(1)
		l.answerPost(slot, literal(f, packer.Error))
		return
	}
	l.m.EventsIn.Add(1)
	bad := m.flags&flagBad != 0
	if bad {
		l.m.BadEvents.Add(1)
	}
	var token []byte
	var cb uint32
	if wantsReply {
		secret := l.secret()
		cb = l.callbacks.openPost(slot, secret, l.now)
		l.timers.callback.Push(uint64(cb)<<32|uint64(uint32(secret)), l.now+l.opts.Limits.CallbackMs)
		l.token = appendToken(l.token[:0], l.id, cb, secret)
		token = l.token
	}
	taken := l.eng.backend.Event(who.tenant, who.uid, who.nilUID, who.client, true, f,
		m.buf.B[m.b:], bad, token, l.wall)
	switch {
	case wantsReply && taken:
		return
	case wantsReply:
		l.m.EventsDropped.Add(1)
		l.callbacks.drop(&l.ids, nil, cb)
		l.answerPost(slot, literal(f, packer.Error))
	default:
		if !taken {
			l.m.EventsDropped.Add(1)
		}
		l.answerPost(slot, literal(f, packer.Dummy))
	}
}

// answerPost answers all that wait for post slot; it takes over b.
func (l *loop) answerPost(slot uint64, b *bufpool.Buf) {
	b.Retain() // Answer may forget the send, and its reference, at once
	refs, _ := l.posts.Answer(l.now, slot, b)
	for _, ref := range refs {
		l.answer(connRef(ref), b.Retain(), 0)
	}
	b.Release()
}

// postsDue answers the sends whose callback nobody answered in time.
func (l *loop) postsDue() {
	for {
		slot, ok := l.posts.Timeout(l.now)
		if !ok {
			return
		}
		l.timeoutPost(slot)
	}
}

// timeoutPost answers a send that nobody answered.
func (l *loop) timeoutPost(slot uint64) {
	if f, ok := l.posts.Packer(slot); ok {
		l.answerPost(slot, literal(packer.Format(f), packer.Timeout))
	}
}

// replyPost answers a send with a backend's value, which is in format from.
func (l *loop) replyPost(slot uint64, value []byte, from packer.Format) error {
	f, ok := l.posts.Packer(slot)
	if !ok {
		l.m.RepliesLate.Add(1)
		return ErrUnknownReply
	}
	to := packer.Format(f)
	v, err := packer.Append(l.hello[:0], to, value, from, packer.Options{})
	if err != nil {
		return err
	}
	l.hello = v
	b := bufpool.Get(len(v) + 16)
	b.B = to.AppendReply(b.B, v, nil)
	l.m.Replies.Add(1)
	l.answerPost(slot, b.Seal())
	return nil
}

// digest is the hash that names a send; a field of the loop, so that it allocates
// nothing.
type digest = xxhash.Digest
