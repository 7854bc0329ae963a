package shard

import "slices"

// Conns that were displaced and are still open. They get nothing, but their
// clients may speak, so they count for presence.
//
// The newest carrier is not always the one that lives: a message that was slow
// on its way can bind a conn that its client has left already. So when the
// bound one ends, the youngest displaced one takes its place.

// crowd is what a session with displaced conns needs more.
type crowd struct {
	conns []crowdConn // displaced conns that are still open, oldest first
	await uint64      // whose confirmed is waited for, 0 = none; it may be bound again
}

type crowdConn struct {
	ref    uint64
	since  uint32 // when it was upgraded
	packer uint8
}

// add enters a conn by its age; of one age, the later comer is the younger.
func (c *crowd) add(x crowdConn) {
	at := len(c.conns)
	for at > 0 && int32(x.since-c.conns[at-1].since) < 0 {
		at--
	}
	c.conns = slices.Insert(c.conns, at, x)
}

// hasConns tells whether a displaced conn is still open; c may be nil.
func (se *session) hasConns(c *crowd) bool { return c != nil && len(c.conns) > 0 }

// Ask is a word to the owner of a conn: home displaced it, and wants to hear
// what its peer confirmed (Displaced), or bound it again, so that whatever it
// was given before no longer counts and the next delivery tells where it stands.
//
// Owner: loop.
type Ask struct {
	ID      SessionID
	Ref     uint64
	Rebound bool
}

// NextAsk takes the next word to an owner, and says whether there was one.
// AttachWS returns its own instead.
func (s *Shard) NextAsk(a *Ask) bool {
	if s.asks.len() == 0 {
		return false
	}
	*a = s.asks.pop()
	return true
}

// displace moves the bound conn to the session's crowd. Only one conn can have
// been sent something that is not confirmed: while one is awaited, its
// successors are sent nothing.
func (s *Shard) displace(id SessionID, se *session) {
	c := s.crowd(id)
	c.add(crowdConn{ref: se.ws, since: se.wsTime, packer: se.wsPacker})
	on := crowded
	if !se.has(awaiting) && mustAwait(se.sent, se.confirmed) {
		c.await = se.ws
		on |= awaiting
	}
	s.change(se, on, stalled)
	se.ws = 0
}

// crowd returns the displaced conns of a session, a new crowd if there are none.
func (s *Shard) crowd(id SessionID) *crowd {
	c := s.crowds[id]
	if c == nil {
		c = new(crowd)
		s.crowds[id] = c
	}
	return c
}

// rebind binds the youngest displaced conn that is still open, if the session has
// no carrier and is not between two polls.
func (s *Shard) rebind(slot uint32, se *session) {
	id := SessionID(s.sessions.id(slot))
	c := s.crowds[id]
	if se.carrier() != 0 || se.has(entry|inAjax) || !se.hasConns(c) {
		return
	}
	last := c.conns[len(c.conns)-1]
	c.conns = c.conns[:len(c.conns)-1]
	se.ws, se.wsPacker, se.wsTime = last.ref, last.packer, last.since
	s.emptied(id, se, c)
	s.asks.push(Ask{ID: id, Ref: last.ref, Rebound: true})
	s.wake(slot, se)
}

// emptied forgets a crowd that nothing is known or awaited of any more.
func (s *Shard) emptied(id SessionID, se *session, c *crowd) {
	if len(c.conns) == 0 && c.await == 0 {
		delete(s.crowds, id)
		s.change(se, 0, crowded)
	}
}

// Displaced tells what the peer of a displaced conn confirmed. The rest is sent
// again, to the session's carrier of now. A report about any conn but the
// awaited one tells nothing new and is ignored.
func (s *Shard) Displaced(now uint32, id SessionID, old uint64, confirmed uint64) {
	s.now = now
	slot, se := s.sessions.get(uint64(id))
	if se == nil || !se.has(awaiting) || s.crowds[id].await != old {
		return
	}
	s.known(slot, se, s.crowds[id], confirmed)
}

// known ends the wait for a displaced conn's report.
func (s *Shard) known(slot uint32, se *session, c *crowd, confirmed uint64) {
	c.await = 0
	s.change(se, 0, awaiting)
	s.emptied(SessionID(s.sessions.id(slot)), se, c)
	s.confirm(se, acked(se.sent, confirmed))
	se.goBack()
	s.wake(slot, se)
}

// leaveCrowd takes a displaced conn out; false if ref is not one.
func (s *Shard) leaveCrowd(
	slot uint32, se *session, id SessionID, ref uint64, confirmed uint64,
) bool {
	c := s.crowds[id]
	at := slices.IndexFunc(c.conns, func(x crowdConn) bool { return x.ref == ref })
	if at < 0 {
		return false
	}
	c.conns = slices.Delete(c.conns, at, at+1)
	if c.await == ref {
		s.known(slot, se, c, confirmed)
		return true
	}
	s.emptied(id, se, c)
	return true
}
