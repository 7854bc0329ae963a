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
	who, refusal := l.identify(slot, c, h, &p)
	if refusal == asked {
		return
	}
	if refusal != nil {
		l.refuseAuth(slot, c, q, refusal)
		return
	}
	chosen, ok := l.packerOf(h.Path, &p)
	if !ok {
		l.refusePacker(slot, c, q)
		return
	}
	packed, reason := posted(chosen, h, p.ppstr, body)
	if reason != "" {
		l.refuseSend(slot, c, q, &who, 400, reason)
		return
	}
	l.m.Posts.Add(1)
	l.m.BytesIn.Add(uint64(len(packed)))
	switch err := l.parse(chosen, packed); {
	case err == packer.ErrTooLarge:
		l.refuseSend(slot, c, q, &who, 413, "The message is too long when inflated")
	case err != nil:
		l.m.Undecodable.Add(1)
		l.refuseSend(slot, c, q, &who, 400, "The message is not readable as "+chosen.String())
	default:
		home := l.eng.homeOf(&who)
		c.packer, c.home = uint8(chosen), uint8(home)
		m := l.postMsg(&who, &l.split)
		m.ref, m.packer = l.await(slot, c, q, waitPost), c.packer
		m.a = l.replayKey(&who, p.udt, packed)
		l.post(home, m)
	}
	l.parsed(len(packed))
}

// refuseSend answers a send that cannot be taken, and has home nudge its client's poll. One that is
// too long ends its conn, as it does when its body shows it: whoever inflates us pays for it.
func (l *loop) refuseSend(
	slot uint32, c *conn, q *request, who *identity, status int, reason string,
) {
	b := bufpool.Get(64)
	b.B = appendIdentity(b.B, who)
	l.post(l.eng.homeOf(who), msg{kind: mNudge, buf: b.Seal()})
	q.close = q.close || status == 413
	l.respondText(slot, c, q, status, reason)
}

// postMsg is a send for home: identity and event in one buffer.
func (l *loop) postMsg(who *identity, m *packer.Message) msg {
	out := msg{kind: mPost}
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
	return out
}

// replayKey names a send: the replay of a browser is the same to the byte, and udt is its clock.
// 0 is a send without, which is never a replay. It is of a user: whoever said the same with the
// same client-id at the same time would get the answer to another's. The seed is a secret, so that
// nobody can make a send that has the key of somebody else's.
func (l *loop) replayKey(who *identity, udt, packed []byte) uint64 {
	if len(udt) == 0 {
		return 0
	}
	l.hello = append(appendIdentity(l.hello[:0], who), 0)
	l.hash.ResetWithSeed(l.eng.replays)
	_, _ = l.hash.Write(l.hello) // a hash takes everything
	_, _ = l.hash.Write(udt)
	_, _ = l.hash.Write(packed)
	return l.hash.Sum64() | 1
}

// onPost is home's part: once, in order, from a present user.
func (l *loop) onPost(m *msg) {
	defer m.buf.Release()
	who := l.parseIdentity(m.buf.B[:m.b])
	p := packer.Packer(m.packer)
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
	id, err := l.sh.Touch(l.now, keyOf(&who))
	l.tellPresence()
	if err != nil || (wantsReply && l.posts.Len() > l.opts.Limits.ReplayedPosts) {
		// Its user has as many sessions as one may have, or too many sends wait for a
		// reply: it cannot be taken now, which a stock client is told softly.
		l.m.PostsRefused.Add(1)
		l.answerPost(slot, l.literal(p, packer.Error))
		return
	}
	if !l.mayPost(id, len(m.buf.B)-int(m.b)) {
		l.answerPost(slot, l.literal(p, limitedAnswer(l.opts.Limits.OnEventLimit, wantsReply)))
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
	v := l.eng.backend.Event(who.tenant, who.uid, who.nilUID, who.client, true, p.Format(),
		m.buf.B[m.b:], bad, token, l.wall)
	if v != Taken {
		l.m.EventsDropped.Add(1)
	}
	l.postTold(slot, p, cb, v)
}

// postTold answers a send as far as the backend's verdict says how; cb is its callback, 0
// for none.
func (l *loop) postTold(slot uint64, p packer.Packer, cb uint32, v Verdict) {
	answer := packer.Dummy
	switch {
	case v == Reject:
		l.m.Rejections.Add(1)
		answer = packer.Error // also where no reply is wanted, see reject.go
	case v == Dropped && cb != 0:
		answer = packer.Error
	case cb != 0:
		return
	}
	if cb != 0 {
		l.callbacks.drop(&l.ids, nil, cb)
	}
	l.answerPost(slot, l.literal(p, answer))
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
	if p, ok := l.posts.Packer(slot); ok {
		l.m.CallbackTimeouts.Add(1)
		l.answerPost(slot, l.literal(packer.Packer(p), packer.Timeout))
	}
}

// replyPost answers a send with a backend's value, which is in format from.
func (l *loop) replyPost(slot uint64, value []byte, from packer.Format) error {
	n, ok := l.posts.Packer(slot)
	if !ok {
		l.m.RepliesLate.Add(1)
		return ErrUnknownReply
	}
	p := packer.Packer(n)
	v, err := packer.Append(l.value[:0], p.Format(), value, from, packer.Options{})
	if err != nil {
		return err
	}
	l.value = v
	l.hello = p.Format().AppendReply(l.hello[:0], v, nil)
	l.m.Replies.Add(1)
	l.answerPost(slot, l.packed(p, l.hello))
	return nil
}

// digest is the hash that names a send; a field of the loop, so that it allocates
// nothing.
type digest = xxhash.Digest
