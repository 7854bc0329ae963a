package shard

// Members of topics. A member is a user, with all its sessions now and later,
// or one session. It gets what is pushed to the topic from its joining on, in
// one order with everything else; a session that is in a topic by itself and by
// its user gets each entry once.
//
// A membership lasts until it is left, or until its session, or its user's last
// one, is forgotten: after the grace, and after Keep if it is kept. A session
// that is ended by the server keeps it as long. What an identity grants ends with
// that too (grant.go).

// Join puts a user, or with k.Client non-nil that session alone, into a topic,
// which is at most 4096 bytes long. joined tells whether it is in now, be it
// since before. It is false without an error if there is nobody: no session of
// it is known here, be it present, handshaken or kept; and for a user without
// uid, who can join by its sessions only.
//
// The error is ErrTopics.
func (s *Shard) Join(now uint32, k To, topic []byte) (joined bool, err error) {
	s.now = now
	h, user := s.holderOf(&k)
	if user == 0 {
		return false, nil
	}
	tenant := s.users.at(user).tenant
	slot := s.findTopic(tenant, topic)
	if slot != 0 {
		if m := s.members.find(slot, h); m != 0 {
			s.members.at(m).holder |= byJoin
			return true, nil
		}
	}
	if s.full(h) {
		return false, ErrTopics
	}
	if slot == 0 {
		slot = s.addTopic(tenant, topic)
	}
	s.enroll(slot, h, user, byJoin)
	return true, nil
}

// full tells whether a holder is in as many topics as it may be.
func (s *Shard) full(h holder) bool {
	g := *s.holdingOf(h)
	return g != 0 && int(s.holdings.at(g).count) >= s.cfg.Topics
}

// Leave takes a user or a session out of a topic, and tells whether it was in.
// It counts at once: what was pushed to the topic before and is not sent yet, or
// would have to be sent again, is not sent. A session that is in the topic in
// the other way too stays in it.
func (s *Shard) Leave(now uint32, k To, topic []byte) (left bool) {
	s.now = now
	h, user := s.holderOf(&k)
	if user == 0 {
		return false
	}
	slot := s.findTopic(s.users.at(user).tenant, topic)
	if slot == 0 {
		return false
	}
	m := s.members.find(slot, h)
	if m == 0 {
		return false
	}
	s.drop(m)
	return true
}

// Topics visits the topics that a user, or with to.Client non-nil that session
// by itself, is in, the latest first, until yield returns false. topic is valid
// during the visit.
func (s *Shard) Topics(to To, yield func(topic []byte) bool) {
	h, user := s.holderOf(&to)
	if user == 0 {
		return
	}
	g := *s.holdingOf(h)
	if g == 0 {
		return
	}
	for slot := s.holdings.at(g).first; slot != 0; {
		m := s.members.at(slot)
		s.name = s.ids.Append(s.name[:0], s.topics.at(m.topic).name)
		if !yield(s.name) {
			return
		}
		slot = m.next
	}
}

// holderOf returns who is meant and its user, 0 if there is nobody.
func (s *Shard) holderOf(k *To) (h holder, user uint32) {
	user = s.findUser(k.Tenant, k.UID, k.NilUID)
	if user == 0 || s.users.at(user).first == 0 {
		return 0, 0
	}
	if k.Client == nil {
		if k.NilUID {
			return 0, 0
		}
		return holder(user), user
	}
	slot := s.findSession(user, k.Client)
	if slot == 0 {
		return 0, 0
	}
	return holder(slot) | ofSession, user
}

// enroll makes h a member from here on; by says who wants it.
func (s *Shard) enroll(topic uint32, h holder, user uint32, by holder) {
	t := s.topics.at(topic)
	slot, m := s.members.add(topic, h)
	m.join = s.seq
	m.holder |= by
	s.enlist(slot, m, t)
	if h.has(ofSession) {
		if s.members.find(topic, holder(user)) != 0 {
			m.holder |= shadowed
		}
	} else {
		s.shadow(topic, t, h.slot(), true)
	}
	followers, reach, ws, ajax := s.sharesOf(m)
	t.followers, t.reach = t.followers+followers, t.reach+reach
	t.ws, t.ajax = t.ws+ws, t.ajax+ajax
	if t.log != 0 {
		s.logs[t.log].placeLast(followers)
	}
	if t.log != 0 || t.members > s.big {
		s.activateAll(t)
	}
}

// drop ends a membership.
func (s *Shard) drop(slot uint32) {
	m := s.members.at(slot)
	topic, t := m.topic, s.topics.at(m.topic)
	s.touched++
	if t.log != 0 {
		s.vacate(m, s.logs[t.log])
	}
	followers, reach, ws, ajax := s.sharesOf(m)
	t.followers, t.reach = t.followers-followers, t.reach-reach
	t.ws, t.ajax = t.ws-ws, t.ajax-ajax
	if !m.holder.has(ofSession) {
		s.shadow(topic, t, m.holder.slot(), false)
	}
	if t.walkAt == slot {
		t.walkAt = m.after
	}
	s.delist(slot, m, t)
	if t.members == 0 {
		s.forgetTopic(topic, t)
	} else if t.log != 0 {
		s.trim(s.logs[t.log])
	}
}

// dropAll ends all memberships of a holder, which is being forgotten.
func (s *Shard) dropAll(at *uint32) {
	s.deactivateAll(s.holdings.at(*at))
	for *at != 0 {
		s.drop(s.holdings.at(*at).first)
	}
}

// sharesOf is what a member adds to its topic's counts.
func (s *Shard) sharesOf(m *member) (followers, reach, ws, ajax uint32) {
	if !m.holder.has(ofSession) {
		u := s.users.at(m.holder.slot())
		n := s.tallyOf(u)
		return n.followers, n.reach, n.ws, n.ajax
	}
	se := s.sessions.at(m.holder.slot())
	return step(false, !se.has(ended)),
		step(false, se.flags.reachable() && !m.holder.has(shadowed)),
		step(false, se.has(inWS)), step(false, se.has(inAjax))
}

// shadow tells the sessions of a user that are in a topic by themselves that
// their user is in it too, or no longer. Reach counts them once.
func (s *Shard) shadow(topic uint32, t *topic, user uint32, on bool) {
	for slot := s.users.at(user).first; slot != 0; {
		se := s.sessions.at(slot)
		if m := s.own(topic, slot, se); m != nil {
			reach := step(false, se.flags.reachable())
			if on {
				m.holder |= shadowed
				t.reach -= reach
			} else {
				m.holder &^= shadowed
				t.reach += reach
			}
		}
		slot = se.after
	}
}

// vacate takes the sessions of a member out of the count of its topic's log.
func (s *Shard) vacate(m *member, l *log) {
	if m.holder.has(ofSession) {
		se := s.sessions.at(m.holder.slot())
		if left(step(false, !se.has(ended))) > 0 {
			l.unplace(placed(se.confirmed, m.join))
		}
		return
	}
	for slot := s.users.at(m.holder.slot()).first; slot != 0; {
		se := s.sessions.at(slot)
		if left(step(false, !se.has(ended))) > 0 {
			l.unplace(placed(se.confirmed, m.join))
		}
		slot = se.after
	}
}
