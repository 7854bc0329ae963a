package shard

// Topics that come with an identity. A session's membership knows who wanted it:
// a backend, by Join, or the identity that the session's client came with, or
// both; it lasts as long as one of them does. Leave ends it whoever wanted it.
//
//	            Join                    Grant without it
//	granted ------------> both ------------------------------> joined
//	   |  Grant without it  | Leave                              | Leave
//	   +------------------> out <--------------------------------+

// Grant tells which topics are granted to session id by the identity that came
// with ref, its WebSocket or poll. Those that were granted before, and are not
// any more, end, but for what a backend has let the session join. With enter,
// which is for the beginning of a conn and for a handshake, the session joins the
// others, as by Join; without it does not, so that a topic that a backend took it
// out of does not come back by the next poll.
//
// A ref that the session is not bound to is ignored, since a newer conn has said
// what counts now; 0 always counts. refused is how many topics it did not join:
// it is in as many as it may be, or the name is longer than 4096 bytes.
func (s *Shard) Grant(
	now uint32, id SessionID, ref uint64, topics []string, enter bool,
) (refused int) {
	s.now = now
	slot, se := s.sessions.get(uint64(id))
	switch {
	case se == nil, ref != 0 && !bound(ref, se.ws) && !bound(ref, se.poll),
		len(topics) == 0 && !se.has(grantee):
		return 0
	}
	s.change(se, 0, grantee)
	s.regrant(slot, se, topics)
	if enter {
		refused = s.enterAll(slot, se, topics)
	}
	return refused
}

// regrant takes the mark of a grant from all memberships but those in topics, and
// ends what then nobody wants.
func (s *Shard) regrant(slot uint32, se *session, topics []string) {
	if se.topics == 0 {
		return
	}
	for at := s.firstOf(se.topics); at != 0; {
		m := s.members.at(at)
		m.holder &^= byGrant
		at = m.next
	}
	for _, name := range topics {
		topic := s.findTopic(s.users.at(se.user).tenant, []byte(name))
		if topic == 0 {
			continue
		}
		if m := s.members.find(topic, holder(slot)|ofSession); m != 0 {
			s.members.at(m).holder |= byGrant
			s.change(se, grantee, 0)
		}
	}
	for at := s.firstOf(se.topics); at != 0; {
		m := s.members.at(at)
		next := m.next
		if !m.holder.has(byGrant) && !outlasts(m.holder.has(byJoin)) {
			s.drop(at)
		}
		at = next
	}
}

// maxTopicLen is the longest name of a topic, in bytes.
const maxTopicLen = 4096

// enterAll lets a session join those of topics that it is not in.
func (s *Shard) enterAll(slot uint32, se *session, topics []string) (refused int) {
	h, tenant := holder(slot)|ofSession, s.users.at(se.user).tenant
	for _, name := range topics {
		at := s.findTopic(tenant, []byte(name))
		if at != 0 && s.members.find(at, h) != 0 {
			continue
		}
		if len(name) > maxTopicLen || s.full(h) {
			refused++
			continue
		}
		if at == 0 {
			at = s.addTopic(tenant, []byte(name))
		}
		s.enroll(at, h, se.user, byGrant)
		s.change(se, grantee, 0)
	}
	return refused
}
