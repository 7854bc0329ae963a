package shard

// Push appends an event to the log of a user, or of one session if to.Client is
// given. It takes over one reference of p, which is released at once if no
// session follows the log. flush ends the batch window now.
//
// sessions is the number of present sessions that will get it. It may be 0
// while sessions that are kept, or about to poll for the first time, still get
// it when they come.
func (s *Shard) Push(now uint32, to To, p Payload, flush bool) (sessions int) {
	s.now = now
	slot := s.findUser(to.Tenant, to.UID, to.NilUID)
	if slot == 0 {
		p.Release()
		return 0
	}
	if to.Client != nil {
		return s.pushSession(now, s.findSession(slot, to.Client), p, flush)
	}
	u := s.users.at(slot)
	if u.followers == 0 {
		p.Release()
		return 0
	}
	l := s.logAt(&u.log, userLog, slot, u.followers)
	s.enter(now, l, p, nil)
	s.flush(now, l, flush)
	return int(u.reach)
}

func (s *Shard) pushSession(now uint32, slot uint32, p Payload, flush bool) int {
	if slot == 0 || s.sessions.at(slot).has(ended) {
		p.Release()
		return 0
	}
	se := s.sessions.at(slot)
	l := s.logAt(&se.log, sessionLog, slot, 1)
	s.enter(now, l, p, nil)
	s.flush(now, l, flush)
	if !se.flags.reachable() {
		return 0
	}
	return 1
}
