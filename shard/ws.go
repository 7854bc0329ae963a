package shard

// A WebSocket conn and its session, as the home of the session sees them.
// Messages of one conn arrive in order; those of two conns in any order.
//
//	AttachWS(A) -> bound A --DetachWS(A)--> grace
//	                 |  ^
//	                 |  +-- DetachWS(B) or the end of the polls, A still open: rebound
//	                 v
//	              AttachWS(B), or polls: A is displaced, stays open, still counts
//	                 v
//	   bound B, awaiting A --Displaced(A) or DetachWS(A)--> bound B
//
// While a session awaits, sent is still what A was given, and nothing is
// delivered to anybody: first A's owner says what its peer has acknowledged.
//
// AttachWS binds the conn ref to the session of k, which is made if there is
// none: then it starts at the current seq, else where it had come to. The
// first session of a user opens its presence.
//
// displaced is the ref that the session was bound to before, 0 if none. That
// conn gets nothing more, but counts for presence until its DetachWS, so that
// its events never come from an absent user. Its owner must be asked what its
// peer confirmed; Displaced or DetachWS tells, and until then nothing is
// delivered to ref if anything is unconfirmed.
//
// The error is ErrUserSessions.
func (s *Shard) AttachWS(now uint32, k Key, ref uint64, packer uint8) (
	id SessionID, displaced uint64, err error,
) {
	return s.AttachWSSince(now, now, k, ref, packer)
}

// AttachWSSince is AttachWS for a conn that was upgraded at since. Messages of
// two conns may overtake each other: one that is older than the carrier of now
// does not displace it, but stands among the displaced from the beginning.
func (s *Shard) AttachWSSince(now, since uint32, k Key, ref uint64, packer uint8) (
	id SessionID, displaced uint64, err error,
) {
	s.now = now
	slot, se, err := s.obtain(&k)
	if err != nil {
		return 0, 0, err
	}
	id = SessionID(s.sessions.id(slot))
	s.revive(se)
	if se.ws == ref {
		return id, 0, nil
	}
	s.cameBack(se)
	if se.isAfter(since) {
		s.crowd(id).add(crowdConn{ref: ref, since: since, packer: packer})
		s.change(se, inWS|crowded, kept)
		return id, 0, nil
	}
	if se.ws != 0 {
		displaced = se.ws
		s.displace(id, se)
	}
	s.takeBackAnswer(se)
	se.ws, se.wsPacker, se.wsTime = ref, packer, since
	// The Ajax entry is over: a poll that comes late must not take the session back.
	s.change(se, inWS, kept|stalled|entry)
	s.wake(slot, se)
	return id, displaced, nil
}

// isAfter tells whether the session has a carrier that its client chose after
// since: a younger WebSocket, or polls that shook hands later.
func (se *session) isAfter(since uint32) bool {
	if se.ws != 0 {
		return int32(since-se.wsTime) < 0
	}
	return se.has(entry) && int32(since-se.shook) < 0
}

// DetachWS tells that the conn ref is closed, and up to where its peer
// confirmed. If the session was bound to it, sent goes back to confirmed and
// the grace starts, unless a displaced conn is still open, which is bound again;
// if it was displaced, it leaves the count, and what it confirmed is taken as
// Displaced takes it. Any other ref is ignored.
//
// alive says that the peer acknowledged something during the conn's life: only
// a session that was alive once is kept beyond the grace.
func (s *Shard) DetachWS(now uint32, id SessionID, ref uint64, confirmed uint64, live bool) {
	s.now = now
	slot, se := s.sessions.get(uint64(id))
	if se == nil {
		return
	}
	switch {
	case bound(ref, se.ws):
		se.ws = 0
		s.change(se, 0, stalled)
		switch {
		case !se.has(awaiting):
			s.confirm(se, acked(se.sent, confirmed))
			se.goBack()
		case s.crowds[id].await == ref: // rebound before its report came
			s.known(slot, se, s.crowds[id], confirmed)
		default: // while it awaits another, this conn was sent nothing
		}
	case !se.has(crowded) || !s.leaveCrowd(slot, se, id, ref, confirmed):
		return
	}
	if live {
		s.change(se, alive, 0)
	}
	s.rebind(slot, se)
	if se.ws == 0 && !se.hasConns(s.crowds[id]) {
		s.leaveWS(now, slot, se)
	}
	s.wake(slot, se)
}

// Confirm tells that ref's peer acknowledged everything up to seq. It counts
// from the bound conn, and from a displaced one while it is awaited.
func (s *Shard) Confirm(id SessionID, ref uint64, seq uint64) {
	_, se := s.sessions.get(uint64(id))
	if se == nil {
		return
	}
	from := se.ws
	if se.has(awaiting) {
		from = s.crowds[id].await
	}
	if !bound(ref, from) {
		return
	}
	s.change(se, alive, 0)
	s.confirm(se, acked(se.sent, seq))
}

// Stalled tells that ref takes nothing more for now, and that it took what it
// was given up to sent: what was delivered after it fell away. Nothing is
// delivered until Drained, or until the session is bound to another conn.
func (s *Shard) Stalled(id SessionID, ref uint64, sent uint64) {
	_, se := s.sessions.get(uint64(id))
	if se == nil || !bound(ref, se.ws) {
		return
	}
	s.change(se, stalled, 0)
	if se.has(awaiting) || se.has(ended) {
		return // this conn was sent nothing
	}
	if to := accepted(se.sent, se.confirmed, sent); to != se.sent {
		se.sent = to
		se.turn++
	}
}

// Drained tells that a stalled conn takes deliveries again.
func (s *Shard) Drained(now uint32, id SessionID, ref uint64) {
	s.now = now
	slot, se := s.sessions.get(uint64(id))
	if se == nil || !bound(ref, se.ws) || !se.has(stalled) {
		return
	}
	s.change(se, 0, stalled)
	s.wake(slot, se)
}
