package shard

import "slices"

// TopicUsers visits the users that are present and in a topic, with all of their sessions or by a
// present session of their own; WS and Ajax count the sessions that are in it. They come as from
// [Shard.Users]: in slot order, those after slot after, at most limit, and next is where to go on,
// 0 at the end.
//
// A small topic's members are gathered, so that it costs the same among a million users; for a big
// one the users are looked through, at most scanMax in a call.
func (s *Shard) TopicUsers(
	tenant, topic []byte, after uint32, limit int, visit func(slot uint32, u UserInfo),
) (next uint32) {
	of := s.tenantOf[string(tenant)]
	if of == 0 {
		return 0
	}
	in := s.findTopic(of, topic)
	if in == 0 {
		return 0
	}
	if t := s.topics.at(in); t.members <= s.big {
		for _, slot := range s.usersIn(t, after) {
			if limit == 0 {
				return slot - 1
			}
			limit -= s.visitIn(in, slot, visit)
		}
		return 0
	}
	end := uint64(after) + scanMax
	for slot := after + 1; slot <= s.users.used; slot++ {
		if limit == 0 || uint64(slot) > end {
			return slot - 1
		}
		if u := s.users.at(slot); u.alive() && u.tenant == of {
			limit -= s.visitIn(in, slot, visit)
		}
	}
	return 0
}

// usersIn lists the users of a topic's members behind slot after, each once, in slot order.
func (s *Shard) usersIn(t *topic, after uint32) []uint32 {
	list := make([]uint32, 0, t.members)
	for at := t.first; at != 0; {
		m := s.members.at(at)
		user := m.holder.slot()
		if m.holder.has(ofSession) {
			user = s.sessions.at(user).user
		}
		if user > after {
			list = append(list, user)
		}
		at = m.after
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// visitIn visits a user that is present and in a topic, and returns how many it visited.
func (s *Shard) visitIn(topic, slot uint32, visit func(slot uint32, u UserInfo)) int {
	u := s.users.at(slot)
	if s.tallyOf(u).present == 0 {
		return 0
	}
	i := s.info(u)
	if s.members.find(topic, holder(slot)) == 0 {
		i.WS, i.Ajax = 0, 0
		for one := u.first; one != 0; {
			se := s.sessions.at(one)
			if se.topics != 0 && s.own(topic, one, se) != nil {
				i.WS += int(step(false, se.has(inWS)))
				i.Ajax += int(step(false, se.has(inAjax)))
			}
			one = se.after
		}
		if i.WS+i.Ajax == 0 {
			return 0
		}
	}
	visit(slot, i)
	return 1
}
