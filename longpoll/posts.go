package longpoll

import "github.com/chskd/chskd/deadline"

// Payload is an answer, reference counted by its owner. Posts holds one
// reference and calls Release once, when it has forgotten the answer.
//
// Owner: loop.
type Payload interface {
	Release()
}

// PostVerdict says what to do with an Ajax send.
//
// Any goroutine.
type PostVerdict uint8

const (
	// Fresh: take its event. If it wants no reply, Answer it at once.
	Fresh PostVerdict = iota
	// Waiting: a replay of one that still waits; the answer goes to both refs.
	Waiting
	// Answered: a replay of an answered one; answer alike (Posts.Answered).
	Answered
)

// Posts holds the Ajax sends of one loop's sessions: those that wait for a
// reply, and for some seconds the answers of all, because a browser whose
// keep-alive conn is cut sends the identical request again.
//
// A slot names a send. It is valid until the send is forgotten: a waiting one
// never before its Answer, an answered one when its replay time is over, or
// when there are more than max sends and it is the oldest answered.
//
// Owner: loop.
type Posts struct {
	replayMs, replyMs uint32
	max               int

	posts    []post // slab, 0 unused
	free     uint32
	byKey    map[uint64]uint32
	replay   deadline.FIFO // slot | life<<32, replayMs after Open
	reply    deadline.FIFO // slot | life<<32, replyMs after Open
	held     int
	oldest   uint32 // list of answered sends in the order of their answers
	newest   uint32
	nextLife uint32
	took     []uint64
}

type post struct {
	key    uint64
	life   uint32 // tells a slot's uses apart; 0 = free
	until  uint32 // end of the replay time
	packer uint8
	wants  bool // a reply is waited for, for replyMs
	done   bool
	body   Payload
	refs   []uint64 // who waits

	before, after uint32 // among the answered; after is the free list's link
}

// NewPosts returns Posts that remember an answer until replayMs after Open, and
// wait replyMs for a reply. max bounds the sends held; what waits for a reply
// is never forgotten for it, so the caller bounds those.
func NewPosts(replayMs, replyMs uint32, max int) *Posts {
	return &Posts{
		replayMs: replayMs, replyMs: replyMs, max: max,
		posts: make([]post, 1), byKey: map[uint64]uint32{},
	}
}

// Open takes an Ajax send. key is the hash of what makes it the same (client-id,
// udt, body); 0 = never a replay. A replay joins the send that it repeats, if
// it came in the same packer, and the verdict says how that stands.
func (p *Posts) Open(now uint32, key uint64, ref uint64, packer uint8, wantsReply bool) (
	slot uint64, v PostVerdict,
) {
	p.expire(now)
	if at := p.byKey[key]; key != 0 && at != 0 && p.posts[at].packer == packer {
		q := &p.posts[at]
		if q.done {
			return p.id(at), Answered
		}
		q.refs = append(q.refs, ref)
		return p.id(at), Waiting
	}
	at := p.add()
	q := &p.posts[at]
	q.key, q.packer, q.wants, q.until = key, packer, wantsReply, now+p.replayMs
	q.refs = append(q.refs, ref)
	if key != 0 && p.byKey[key] == 0 {
		p.byKey[key] = at
	}
	if wantsReply {
		p.reply.Push(p.id(at), now+p.replyMs)
	}
	p.replay.Push(p.id(at), q.until)
	return p.id(at), Fresh
}

// Answer answers a send: the first answer wins, ok is false for any other.
// refs are the requests that wait for it, valid until the next call; none is
// left if all are gone. It takes over one reference of body, which replays get
// until the replay time is over; if there can be no replay, or if not ok, it is
// released at once, so a caller that still writes body holds a reference of its
// own.
func (p *Posts) Answer(now uint32, slot uint64, body Payload) (refs []uint64, ok bool) {
	at, q := p.get(slot)
	if q == nil || q.done {
		body.Release()
		return nil, false
	}
	q.done, q.body = true, body
	p.took = append(p.took[:0], q.refs...)
	q.refs = q.refs[:0]
	p.queue(at)
	p.expire(now)
	if _, q = p.get(slot); q != nil && (q.key == 0 || int32(now-q.until) >= 0) {
		p.forget(at) // there will be no replay
	}
	return p.took, true
}

// Answered is the answer of a send, nil if it has none or is forgotten. The
// caller retains it before it uses it beyond the next call.
func (p *Posts) Answered(slot uint64) Payload {
	_, q := p.get(slot)
	if q == nil {
		return nil
	}
	return q.body
}

// Gone tells that a request's conn is closed: it gets no answer. The send
// itself goes on, for its event was taken.
func (p *Posts) Gone(slot, ref uint64) {
	_, q := p.get(slot)
	if q == nil {
		return
	}
	for i, r := range q.refs {
		if r == ref {
			q.refs = append(q.refs[:i], q.refs[i+1:]...)
			return
		}
	}
}

// Timeout takes one send whose reply did not come in time; the caller answers
// it by Answer, and loops until ok is false.
func (p *Posts) Timeout(now uint32) (slot uint64, ok bool) {
	for {
		id, due := p.reply.Pop(now)
		if !due {
			p.expire(now)
			return 0, false
		}
		if _, q := p.get(id); q != nil && !q.done {
			return id, true
		}
	}
}

// Due is when Timeout should be asked next; ok is false if nothing is held.
func (p *Posts) Due() (due uint32, ok bool) {
	if p.held == 0 {
		return 0, false
	}
	a, hasA := p.reply.Due()
	b, hasB := p.replay.Due()
	if hasA && (!hasB || int32(a-b) < 0) {
		return a, true
	}
	return b, hasB
}

// Len is the number of sends held, waiting and answered.
func (p *Posts) Len() int { return p.held }
