package shard

// tally counts the sessions of a user: 24 bytes.
//
// Invariants: ws, ajax and present count its sessions with inWS, inAjax, or
// either; followers those that are not ended, reach those of them that are
// present.
//
// Nearly every user has one session, whose flags say all this. So a tally is
// kept only while a user has more: 20 bytes less for every other user.
type tally struct {
	sessions  uint32
	followers uint32
	reach     uint32
	ws, ajax  uint32
	present   uint32
}

// tallies are those of the users that have one. Entry 0 is not used.
type tallies struct {
	list []tally
	free []uint32
}

func (t *tallies) add(n tally) uint32 {
	if k := len(t.free); k > 0 {
		slot := t.free[k-1]
		t.free = t.free[:k-1]
		t.list[slot] = n
		return slot
	}
	if len(t.list) == 0 {
		t.list = append(t.list, tally{})
	}
	t.list = append(t.list, n)
	return uint32(len(t.list) - 1)
}

func (t *tallies) remove(slot uint32) {
	t.list[slot] = tally{}
	t.free = append(t.free, slot)
}

// tallyOf counts the sessions of a user.
func (s *Shard) tallyOf(u *user) tally {
	if u.tally != 0 {
		return s.tallies.list[u.tally]
	}
	if u.first == 0 {
		return tally{}
	}
	f := s.sessions.at(u.first).flags
	return tally{
		sessions:  1,
		followers: step(false, f&ended == 0),
		reach:     step(false, f.reachable()),
		ws:        step(false, f&inWS != 0),
		ajax:      step(false, f&inAjax != 0),
		present:   step(false, f&(inWS|inAjax) != 0),
	}
}

// tallied is what is to be kept up to date of a user's tally, nil if it has none.
// It is valid until another user gets one.
func (s *Shard) tallied(u *user) *tally {
	if u.tally == 0 {
		return nil
	}
	return &s.tallies.list[u.tally]
}

// anotherSession counts a session that is about to enter the user's list.
func (s *Shard) anotherSession(u *user) {
	if u.tally == 0 && u.first != 0 {
		u.tally = s.tallies.add(s.tallyOf(u))
	}
	if n := s.tallied(u); n != nil {
		n.sessions++
	}
}

// oneSessionLess counts a session that has left the user's list and all else that
// is counted.
func (s *Shard) oneSessionLess(u *user) {
	n := s.tallied(u)
	if n == nil {
		return
	}
	if n.sessions--; n.sessions <= 1 {
		s.tallies.remove(u.tally)
		u.tally = 0
	}
}
