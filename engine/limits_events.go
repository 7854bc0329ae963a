package engine

import (
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/rate"
	"github.com/chskd/chskd/shard"
	"github.com/chskd/chskd/wsframe"
)

// How much a client may say: events and their bytes a second, of each WebSocket in its
// owner, of each session over Ajax at its home. A second's worth may come at once, and one
// message of any length that is allowed. What is over is dropped and counted; its callback
// is told :chsk/error; by policy the WebSocket is closed with 1008, and an Ajax send told
// :chsk/error also if it has none. An HTTP error would silence a stock client (reject.go).
//
// What keeps a client alive is not counted: one :chsk/ws-ping and one protocol ping a
// second, which is ten times what a stock client sends, and every answer to a ping of ours.
// So no client can be closed, or lose an event, by its own keep-alive. Further ones count
// as events.
//
// A client that has both counts in both. Without limits none of this is there: no memory,
// and one look at a flag for each message.

// OnLimit says what becomes of an event over its client's limit.
type OnLimit uint8

const (
	// LimitDrop drops it.
	LimitDrop OnLimit = iota
	// LimitClose closes its WebSocket with 1008; an Ajax send is told :chsk/error.
	LimitClose
)

const reasonTooMuch = "too many events"

// freePingMs is how often a ping costs nothing.
const freePingMs = 1000

// spoken is what a client has used of its limits. 48 bytes without pointers.
type spoken struct {
	events, bytes rate.Bucket

	pinged, framed uint32 // when a :chsk/ws-ping, and a protocol ping, was free last
	gen            uint32 // of the session, at home
	began          uint8  // which of the two times are valid
}

const (
	beganPings uint8 = 1 << iota
	beganFrames
)

// limits are those of one client, made once.
type eventLimits struct {
	on            bool
	events, bytes rate.Limit
}

func eventLimitsOf(l *Limits) eventLimits {
	e := eventLimits{
		events: rate.PerSecond(l.EventsPerSecond, 1),
		bytes:  rate.PerSecond(l.EventBytesPerSecond, l.MessageBytes),
	}
	e.on = e.events.On() || e.bytes.On()
	return e
}

// take uses one event of n bytes, or nothing.
func (s *spoken) take(e *eventLimits, now uint32, n int) bool {
	if e.bytes.On() && !s.bytes.Fits(&e.bytes, now, uint64(n)) {
		return false
	}
	if e.events.On() && !s.events.Take(&e.events, now, 1) {
		return false
	}
	return !e.bytes.On() || s.bytes.Take(&e.bytes, now, uint64(n))
}

// free says whether a ping costs nothing now, and remembers that.
func (s *spoken) free(kind uint8, at *uint32, now uint32) bool {
	if s.began&kind != 0 && now-*at < freePingMs {
		return false
	}
	s.began |= kind
	*at = now
	return true
}

// mayTell says whether a message of a WebSocket may be handled, which has n bytes. m is nil
// for one that is not readable.
func (l *loop) mayTell(slot uint32, c *conn, m *packer.Message, n int) bool {
	e := &l.eng.events
	if !e.on {
		return true
	}
	s := l.spoken.at(slot)
	if m != nil {
		n = max(n, len(m.Event)) // it may have come deflated
		switch m.Kind {
		case packer.Ping:
			if s.free(beganPings, &s.pinged, l.now) {
				return true
			}
		case packer.Pong:
			return true
		}
	}
	if s.take(e, l.now, n) {
		return true
	}
	l.m.EventsLimited.Add(1)
	switch {
	case l.opts.Limits.OnEventLimit == LimitClose:
		l.m.LimitCloses.Add(1)
		l.dismiss(slot, c, codePolicy, reasonTooMuch)
	case m != nil && m.Callback != nil && m.Kind != packer.Ping:
		l.refuseReply(slot, c, m.Callback)
	}
	return false
}

// mayPing says whether a protocol ping may be answered.
func (l *loop) mayPing(slot uint32, c *conn, n int) bool {
	if l.clogged(slot, c) {
		l.m.PongsDropped.Add(1)
		return false
	}
	e := &l.eng.events
	if !e.on || c.flags&(fEcho|fCloseSent) != 0 {
		return true
	}
	s := l.spoken.at(slot)
	if s.free(beganFrames, &s.framed, l.now) || s.take(e, l.now, n) {
		return true
	}
	l.m.EventsLimited.Add(1)
	if l.opts.Limits.OnEventLimit == LimitClose {
		l.m.LimitCloses.Add(1)
		l.dismiss(slot, c, codePolicy, reasonTooMuch)
	}
	return false
}

// mayPost says at home whether a send over Ajax may be taken, of n bytes.
func (l *loop) mayPost(id shard.SessionID, n int) bool {
	e := &l.eng.events
	if !e.on {
		return true
	}
	s := l.posted.at(uint32(id))
	if gen := uint32(id >> 32); s.gen != gen {
		*s = spoken{gen: gen}
	}
	if s.take(e, l.now, n) {
		return true
	}
	l.m.EventsLimited.Add(1)
	return false
}

// limitedAnswer is what a send over the limit is told.
func limitedAnswer(policy OnLimit, wantsReply bool) packer.Literal {
	if policy == LimitClose || wantsReply {
		return packer.Error
	}
	return packer.Dummy
}

// Answers that a client brings about by itself pile up while it does not read them, and
// gnet buffers without bound. A pong may be left out while so much waits for the peer that
// it hears of us anyway (RFC 6455 §5.5.3 asks for one for the latest ping only). An error
// value may not, since a callback waits for it; so who asks for ever more of those without
// reading is closed.

// clogged says that so much waits for a peer that more needs not be sent to show that we
// are there.
func (l *loop) clogged(slot uint32, c *conn) bool {
	return c.flags&fBuffered != 0 && c.flags&fEcho == 0 &&
		l.conns.sock(slot).OutboundBuffered() > l.opts.Limits.OutBytes
}

// refuseReply tells a callback at once that nobody will answer it.
func (l *loop) refuseReply(slot uint32, c *conn, cb []byte) {
	l.sendReply(slot, c, packer.Packer(c.packer).Format().Literal(packer.ErrorValue), cb)
	l.boundReplies(slot, c)
}

// boundReplies ends a conn whose peer asks and does not read.
func (l *loop) boundReplies(slot uint32, c *conn) {
	if c.state == sWS && l.unread(slot, c) {
		l.m.StallCloses.Add(1)
		l.closeConn(slot)
	}
}

// boundAnswers does the same before a further request is answered; it reports whether that may
// go on. An answer of any length is no reason, requests that are sent behind an unread one are.
func (l *loop) boundAnswers(slot uint32, c *conn) bool {
	if !l.unread(slot, c) {
		return true
	}
	l.m.StallCloses.Add(1)
	l.closeConn(slot)
	return false
}

// unread says that more waits for a peer than one that reads can have brought about.
func (l *loop) unread(slot uint32, c *conn) bool {
	return c.flags&fBuffered != 0 && l.conns.sock(slot).OutboundBuffered() >
		2*l.opts.Limits.OutBytes+l.opts.Limits.MessageBytes
}

// errFrames is the mistake of a message in more frames than Limits.Frames.
var errFrames = &wsframe.Error{Code: codePolicy, Reason: "a message in too many frames"}
