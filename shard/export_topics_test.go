package shard

import "fmt"

// Shrink makes topics big with more than big members, and gives each turn of a
// walk stretch members.
func (s *Shard) Shrink(big uint32, stretch int) { s.big, s.stretch = big, stretch }

// checkTopics tests the invariants of topics and memberships, and adds to
// cursors what topics' logs should count.
func (s *Shard) checkTopics(cursors map[*log]uint32) error {
	type tally struct{ members, active, followers, reach, ws, ajax uint32 }
	tallies := map[uint32]*tally{}
	once := map[[2]uint32]bool{} // topic and session
	tally1 := func(topic, slot uint32) {
		t, se := tallies[topic], s.sessions.at(slot)
		t.followers += step(false, !se.has(ended))
		t.ws += step(false, se.has(inWS))
		t.ajax += step(false, se.has(inAjax))
		if at := [2]uint32{topic, slot}; !once[at] {
			once[at] = true
			t.reach += step(false, se.flags.reachable())
		}
		if l := s.logs[s.topics.at(topic).log]; l != nil && !se.has(ended) {
			cursors[l]++
		}
	}
	held := map[holder]uint32{}
	n := 0
	for slot := uint32(1); slot <= s.members.used; slot++ {
		m := s.members.at(slot)
		if m.topic == 0 {
			continue
		}
		n++
		if err := s.checkMember(slot, m); err != nil {
			return err
		}
		held[m.holder.name()]++
		if tallies[m.topic] == nil {
			tallies[m.topic] = &tally{}
		}
		t := tallies[m.topic]
		t.members++
		t.active += step(false, m.holder.has(active))
		if m.holder.has(ofSession) {
			tally1(m.topic, m.holder.slot())
			continue
		}
		for se := s.users.at(m.holder.slot()).first; se != 0; se = s.sessions.at(se).after {
			tally1(m.topic, se)
		}
	}
	if n != s.members.live || n != s.counts.Members ||
		len(tallies) != s.topics.live || len(tallies) != s.counts.Topics {
		return fmt.Errorf("%d memberships in %d topics, counted %+v", n, len(tallies), s.counts)
	}
	for slot, want := range tallies {
		t := s.topics.at(slot)
		got := tally{t.members, t.active, t.followers, t.reach, t.ws, t.ajax}
		if got != *want || !t.alive() {
			return fmt.Errorf("topic %d counts %+v, has %+v", slot, got, *want)
		}
		if (t.log != 0 || t.members > s.big) && t.active != t.members {
			return fmt.Errorf("topic %d: %d of %d are active", slot, t.active, t.members)
		}
		if t.walkOn == 0 && (t.walkAt != 0 || t.again != 0) {
			return fmt.Errorf("topic %d: no walk at %d", slot, t.walkAt)
		}
		if t.walkAt != 0 && s.members.at(t.walkAt).topic != slot {
			return fmt.Errorf("topic %d: the walk is elsewhere", slot)
		}
	}
	return s.checkHoldings(held)
}

func (s *Shard) checkMember(slot uint32, m *member) error {
	h := m.holder.name()
	if s.members.find(m.topic, h) != slot {
		return fmt.Errorf("member %d is not found", slot)
	}
	switch {
	case !m.holder.has(byJoin | byGrant):
		return fmt.Errorf("member %d: nobody wants it", slot)
	case m.holder.has(byGrant) && !h.has(ofSession):
		return fmt.Errorf("member %d: a grant to a user", slot)
	case m.holder.has(byGrant) && !s.sessions.at(h.slot()).has(grantee):
		return fmt.Errorf("member %d: a grant that its session does not know of", slot)
	}
	user := h.slot()
	if h.has(ofSession) {
		se := s.sessions.at(h.slot())
		if !se.node.alive() {
			return fmt.Errorf("member %d: its session is gone", slot)
		}
		user = se.user
		if m.holder.has(shadowed) != (s.members.find(m.topic, holder(user)) != 0) {
			return fmt.Errorf("member %d: shadowed %v", slot, m.holder.has(shadowed))
		}
	}
	u := s.users.at(user)
	if !u.alive() || u.first == 0 || s.topics.at(m.topic).tenant != u.tenant {
		return fmt.Errorf("member %d: its user is not here", slot)
	}
	if m.join > s.seq {
		return fmt.Errorf("member %d: joined at %d", slot, m.join)
	}
	return nil
}

// checkHoldings tests the lists on both sides against the number of
// memberships of each holder, and the slab against the holders.
func (s *Shard) checkHoldings(held map[holder]uint32) error {
	used := uint32(0)
	for at := s.holdings.free; at != 0; at = s.holdings.at(at).first {
		used++
	}
	if int(s.holdings.used-used) != len(held) {
		return fmt.Errorf("%d holdings for %d holders", s.holdings.used-used, len(held))
	}
	for h, want := range held {
		g := s.holdings.at(*s.holdingOf(h))
		n, prior := uint32(0), uint32(0)
		live := map[uint32]bool{}
		for at := g.first; at != 0; at = s.members.at(at).next {
			m := s.members.at(at)
			if m.holder.name() != h || m.prior != prior {
				return fmt.Errorf("holder %x: its list is broken at %d", h, at)
			}
			if m.holder.has(active) {
				live[at] = true
			}
			n, prior = n+1, at
		}
		for at := g.active; at != 0; at = s.members.at(at).nextActive {
			if !live[at] {
				return fmt.Errorf("holder %x: %d is active twice, or not", h, at)
			}
			delete(live, at)
		}
		if n != want || g.count != want || len(live) != 0 || int(n) > s.cfg.Topics {
			return fmt.Errorf("holder %x: %d, counts %d, has %d", h, n, g.count, want)
		}
	}
	for slot := uint32(1); slot <= s.topics.used; slot++ {
		t := s.topics.at(slot)
		if !t.alive() {
			continue
		}
		n, before := uint32(0), uint32(0)
		for at := t.first; at != 0; at = s.members.at(at).after {
			if m := s.members.at(at); m.topic != slot || m.before != before {
				return fmt.Errorf("topic %d: its list is broken at %d", slot, at)
			}
			n, before = n+1, at
		}
		if n != t.members {
			return fmt.Errorf("topic %d: %d members, counts %d", slot, n, t.members)
		}
	}
	return s.checkKeys()
}

// checkKeys tests that each key names its entry, and none is left over.
func (s *Shard) checkKeys() error {
	n := 0
	for _, l := range s.logs {
		for i := 0; l != nil && i < l.n; i++ {
			e := l.get(i)
			if e.key == 0 {
				continue
			}
			n++
			if k := s.keys.at(e.key); !k.alive() || k.log != l.slot || k.seq != e.Seq {
				return fmt.Errorf("entry %d: its key is %+v", e.Seq, *k)
			}
		}
	}
	if n != s.keys.live {
		return fmt.Errorf("%d keys for %d entries", s.keys.live, n)
	}
	return nil
}

// Left is what an empty shard must not have, in words; "" if it has none of it.
func (s *Shard) Left() string {
	switch {
	case s.ids.Bytes() != 0:
		return fmt.Sprintf("%d bytes of ids", s.ids.Bytes())
	case s.members.live+s.topics.live+s.keys.live+s.users.live+s.sessions.live != 0:
		return fmt.Sprintf("%d members, %d topics, %d keys, %d users, %d sessions",
			s.members.live, s.topics.live, s.keys.live, s.users.live, s.sessions.live)
	case len(s.logs)-1 != len(s.freeLogs):
		return fmt.Sprintf("%d logs", len(s.logs)-1-len(s.freeLogs))
	case len(s.tenantOf)+len(s.crowds) != 0:
		return fmt.Sprintf("%d tenants, %d crowds", len(s.tenantOf), len(s.crowds))
	}
	return ""
}
