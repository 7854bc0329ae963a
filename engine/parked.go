package engine

import "github.com/chskd/chskd/arena"

// Requests that wait for their answer: polls, sends whose client wants a reply. A parked
// poll is as idle as a WebSocket, so that it has no extra, but these 16 bytes.

// parked is what is kept of a request that waits.
type parked struct {
	gen    uint32    // of the request, see connRef; while it is free, the next free one
	origin arena.Ref // to allow by CORS, 0 = none
	who    arena.Ref // GapClose: identity of a poll
	close  bool      // as of a request
	head   bool
	minor  uint8
	wait   waitKind
}

// waitKind is what a request in sWait waits for, and so who must know when its conn
// closes.
type waitKind uint8

const (
	waitNothing waitKind = iota
	waitPoll
	waitPost
)

// isParked in conn.extra: the rest names a parked.
const isParked = 1 << 31

// parks are the waiting requests of a loop's conns. Number 0 is not used.
//
// Owner: loop.
type parks struct {
	column[parked]
	n    uint32
	free uint32
}

func (p *parks) at(n uint32) *parked { return p.column.at(n &^ isParked) }

// park puts a request in the place of the busy state of a conn.
func (t *connTable) park(slot uint32, q *request, w waitKind) *parked {
	t.dropExtra(slot)
	n := t.parks.free
	if n != 0 {
		t.parks.free = t.parks.at(n).gen
	} else {
		t.parks.n++
		n = t.parks.n
	}
	t.at(slot).extra = n | isParked
	p := t.parks.at(n)
	*p = parked{gen: t.newGen(), origin: t.ids.Put(q.origin), close: q.close, head: q.head,
		minor: uint8(q.minor), wait: w}
	return p
}

// parked returns the request of c that waits, nil if none does.
func (t *connTable) parked(c *conn) *parked {
	if c.extra&isParked == 0 {
		return nil
	}
	return t.parks.at(c.extra)
}

// unpark forgets the request of c that waits; there must be one.
func (t *connTable) unpark(c *conn) {
	n := c.extra &^ isParked
	p := t.parks.at(n)
	t.ids.Free(p.origin)
	t.ids.Free(p.who)
	*p = parked{gen: t.parks.free}
	t.parks.free = n
	c.extra = 0
}

// await parks the request in flight: its answer comes by a ref of its own, so that
// one that comes late cannot answer the next request.
func (l *loop) await(slot uint32, c *conn, q *request, w waitKind) connRef {
	p := l.conns.park(slot, q, w)
	c.state, c.since = sWait, l.now
	return makeRef(l.id, slot, p.gen)
}

// awaited takes the request in flight that ref names, to be answered now. c is nil when
// that is gone. q is valid until the next call.
func (l *loop) awaited(ref connRef) (c *conn, q request) {
	c = l.conns.get(ref)
	if c == nil || c.state != sWait {
		l.m.DeliveriesLate.Add(1)
		return nil, q
	}
	p := l.conns.parked(c)
	l.pollOver(c, p)
	p.wait = waitNothing
	q = request{close: p.close || l.draining, head: p.head, minor: int(p.minor)}
	if p.origin != 0 {
		l.origin = l.ids.Append(l.origin[:0], p.origin)
		q.origin = l.origin
	}
	return c, q
}
