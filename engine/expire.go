package engine

import (
	"strconv"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Identities that expire. A WebSocket is told ExpiryNoticeMs before, by an event of its
// own that is in no log, so that its page can come back with a newer identity, and closed
// when the time is over. Of Ajax clients each request is judged anew; a poll that waits is
// answered when its identity expires, and what its client asks next is refused.
//
// The times are those of the day, which may be years away and may be set; a loop's ticks
// wrap after 49 days. So a loop looks at its clock again every expiryLookMs.

// expiryLookMs is how late a step of the clock may be noticed.
const expiryLookMs = 60_000

// expiry is one of a WebSocket, named by its timer, or of a poll that waits at its home.
type expiry struct {
	at    int64 // ms since 1970: when to look at it; before until it is time for the notice
	until int64 // when the identity expires
	id    uint64
	poll  bool // id is the ref of a poll
}

// expiries are those of a loop, the nearest first: a binary heap by at. Only conns whose
// identity expires take room in it. Those that have closed are found when they are due, or
// when there is no room.
//
// Owner: loop.
type expiries struct {
	heap []expiry
	room int // when there are so many, those that are over are looked for
}

// minExpiries is how many are not worth a search.
const minExpiries = 1024

// due is the tick at which the first has to be looked at.
func (x *expiries) due(now uint32, wall time.Time) (tick uint32, ok bool) {
	if len(x.heap) == 0 {
		return 0, false
	}
	left := x.heap[0].at - wall.UnixMilli()
	return now + uint32(max(0, min(left, expiryLookMs))), true
}

func (x *expiries) push(e expiry) {
	x.heap = append(x.heap, e)
	i := len(x.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if x.heap[up].at <= e.at {
			break
		}
		x.heap[i] = x.heap[up]
		i = up
	}
	x.heap[i] = e
}

// pop takes the first away.
func (x *expiries) pop() expiry {
	first := x.heap[0]
	n := len(x.heap) - 1
	last := x.heap[n]
	x.heap = x.heap[:n]
	if n > 0 {
		x.sink(0, last)
	}
	return first
}

// sink puts e at i or below.
func (x *expiries) sink(i int, e expiry) {
	for {
		down := 2*i + 1
		if down >= len(x.heap) {
			break
		}
		if down+1 < len(x.heap) && x.heap[down+1].at < x.heap[down].at {
			down++
		}
		if e.at <= x.heap[down].at {
			break
		}
		x.heap[i] = x.heap[down]
		i = down
	}
	x.heap[i] = e
}

// keep drops all that live is false for.
func (x *expiries) keep(live func(*expiry) bool) {
	kept := x.heap[:0]
	for i := range x.heap {
		if live(&x.heap[i]) {
			kept = append(kept, x.heap[i])
		}
	}
	x.heap = kept
	for i := len(kept)/2 - 1; i >= 0; i-- {
		x.sink(i, kept[i])
	}
}

// addExpiry remembers an expiry. Each search for those that are over pays for as many
// more as it leaves.
func (l *loop) addExpiry(e expiry) {
	if len(l.expiries.heap) >= max(l.expiries.room, minExpiries) {
		l.expiries.keep(l.expires)
		l.expiries.room = 2 * len(l.expiries.heap)
	}
	l.expiries.push(e)
}

// expires tells whether an expiry is still of something.
func (l *loop) expires(e *expiry) bool {
	if e.poll {
		_, _, ok := l.polls.Session(e.id)
		return ok
	}
	_, c := l.conns.timed(e.id)
	return c != nil
}

// expireConn has a WebSocket end with its identity.
func (l *loop) expireConn(slot uint32, g *auth.Grant) {
	if g == nil || g.Expires == 0 {
		return
	}
	l.addExpiry(expiry{at: g.Expires - int64(l.opts.ExpiryNoticeMs), until: g.Expires,
		id: l.conns.timer(slot)})
}

// expirePoll has a poll that is parked here end with its identity. One that ends in time
// anyway needs nothing.
func (l *loop) expirePoll(ref connRef, g *auth.Grant) {
	if g == nil || g.Expires == 0 || g.Expires-l.wall.UnixMilli() > int64(l.opts.LPTimeoutMs) {
		return
	}
	l.addExpiry(expiry{at: g.Expires, until: g.Expires, id: uint64(ref), poll: true})
}

// expiriesDue tells and ends what is due.
func (l *loop) expiriesDue() {
	now := l.wall.UnixMilli()
	for len(l.expiries.heap) > 0 && l.expiries.heap[0].at <= now {
		e := l.expiries.pop()
		if e.poll {
			l.pollExpired(connRef(e.id))
			continue
		}
		slot, c := l.conns.timed(e.id)
		if c == nil || c.state != sWS || c.flags&fCloseSent != 0 {
			continue
		}
		l.busyRef = makeRef(l.id, slot, c.gen)
		if now >= e.until {
			l.m.ExpiryCloses.Add(1)
			l.dismiss(slot, c, codeExpired, reasonExpired)
			continue
		}
		e.at = e.until
		l.addExpiry(e)
		l.tellExpiry(slot, c, e.until-now)
	}
	l.busyRef = 0
}

// tellExpiry sends [:chskd/expiring {:ms left}]. A conn that takes nothing now is not told.
func (l *loop) tellExpiry(slot uint32, c *conn, left int64) {
	if c.flags&fStalled != 0 {
		return
	}
	l.value = append(l.value[:0], "[:chskd/expiring {:ms "...)
	l.value = append(strconv.AppendInt(l.value, left, 10), "}]"...)
	f := packer.Packer(c.packer).Format()
	event, err := packer.Append(l.plain[:0], f, l.value, packer.EDN, packer.Options{Event: true})
	if err != nil {
		panic("engine: a notice that " + f.String() + " cannot express: " + err.Error())
	}
	l.plain = event
	l.hello = f.AppendBatchEnd(append(f.AppendBatchStart(l.hello[:0], 1), event...))
	l.m.ExpiryNotices.Add(1)
	l.sendMessage(slot, c, l.hello)
}

// pollExpired answers a parked poll whose identity has expired.
func (l *loop) pollExpired(ref connRef) {
	session, _, ok := l.polls.Session(uint64(ref))
	if !ok || !l.polls.Take(uint64(ref)) {
		return
	}
	l.m.ExpiryCloses.Add(1)
	l.m.PollsNow.Sub(1)
	l.answerTimeout(ref, packer.Timeout)
	l.sh.PollAnswered(l.now, shard.SessionID(session), uint64(ref))
}
