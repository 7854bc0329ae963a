package shard

// How far clients are behind, for whoever watches, at a cost that does not grow with their
// number.

// Returns counts, since the start, the sessions that were made and those that came back:
// to a WebSocket, or by the handshake of a poll.
//
// Any goroutine.
type Returns struct {
	New     uint64 // sessions made: of clients that were never here, or too long ago
	InGrace uint64 // without a conn for less than its grace: nobody noticed
	Kept    uint64 // after it, while the cursor was kept: the user was gone for backends
	Early   uint64 // while a conn of theirs was open, maybe a dead one: another tab does so too
}

// Returns returns the shard's numbers.
func (s *Shard) Returns() Returns { return s.returns }

// cameBack counts the return of a session, if it is one: one that was only made, or has only
// shaken hands, was never there.
func (s *Shard) cameBack(se *session) {
	switch {
	case se.carrier() != 0:
		s.returns.Early++
	case se.has(kept):
		s.returns.Kept++
	case se.present():
		s.returns.InGrace++
	}
}

// OldestMs is how long ago the oldest event was pushed that some session has not
// confirmed, be it away; 0 if there is none.
func (s *Shard) OldestMs(now uint32) uint32 {
	if s.oldest == nil {
		return 0
	}
	return now - s.oldest.at
}

// PushedAt is when the entry was pushed.
func (e *Entry) PushedAt() uint32 { return e.at }

// sampleScan bounds how many slots SampleLag looks at for each session that it wants.
const sampleScan = 8

// SampleLag visits at most limit sessions that have a conn or a poll that waits, in slot order after
// slot after, with the number of entries that each has not been sent yet. What will be passed over,
// for its time to live or its user, counts. next is where to go on, 0 at the end.
//
// The cost of each is that of finding its place in its logs, not of what waits there.
func (s *Shard) SampleLag(after uint32, limit int, visit func(entries uint64)) (next uint32) {
	scan := limit * sampleScan
	for slot := after + 1; slot <= s.sessions.used; slot++ {
		if limit == 0 || scan == 0 {
			return slot - 1
		}
		scan--
		se := s.sessions.at(slot)
		if !se.node.alive() || se.carrier() == 0 {
			continue
		}
		visit(s.waiting(slot, se))
		limit--
	}
	return 0
}

// waiting counts the entries after a session's cursor.
func (s *Shard) waiting(slot uint32, se *session) (n uint64) {
	if se.has(ended) || !s.pending(se) {
		return 0
	}
	src := s.sourcesOf(slot, se)
	for k, l := range src.logs {
		if l != nil {
			n += uint64(l.n - src.at[k])
		}
	}
	for _, t := range src.topics {
		n += uint64(t.log.n - t.at)
	}
	return n
}
