package shard

import (
	"hash/maphash"

	"github.com/chskd/chskd/arena"
)

// topic is the topic slab's value: 60 bytes, no pointers. It exists as long as
// it has members.
//
// Invariants: followers, ws and ajax count the sessions of its members (not
// ended; in the ws, in the ajax set), one that is in it by itself and by its
// user twice; reach counts those that are present and not ended, each once.
type topic struct {
	node
	tenant    uint32
	name      arena.Ref
	log       uint32 // 0 = none
	first     uint32 // head of the list of its members
	members   uint32
	active    uint32 // members that are in their holder's list of active ones
	followers uint32
	reach     uint32
	ws, ajax  uint32

	walkAt uint32     // walk: the member that is visited next, 0 = it is at the end
	walkOn transports // 0 = no walk
	again  transports // flushed since the walk began
}

func (s *Shard) topicHash(tenant uint32, name []byte) uint32 {
	h := maphash.Bytes(s.seed, name) ^ uint64(tenant)*0x9e3779b97f4a7c15
	return uint32(h ^ h>>32)
}

// findTopic returns the slot of a topic, 0 if it has no members here.
func (s *Shard) findTopic(tenant uint32, name []byte) uint32 {
	hash := s.topicHash(tenant, name)
	slot := s.topics.first(hash)
	for slot != 0 {
		t := s.topics.at(slot)
		if t.hash == hash && t.tenant == tenant && s.ids.Equal(t.name, name) {
			return slot
		}
		slot = t.link
	}
	return 0
}

func (s *Shard) addTopic(tenant uint32, name []byte) uint32 {
	slot, t := s.topics.add(s.topicHash(tenant, name))
	t.tenant, t.name = tenant, s.ids.Put(name)
	s.counts.Topics++
	return slot
}

// forgetTopic frees a topic without members. A walk over it finds it gone.
func (s *Shard) forgetTopic(slot uint32, t *topic) {
	if t.log != 0 {
		s.freeLog(s.logs[t.log])
	}
	s.ids.Free(t.name)
	s.topics.remove(slot)
	s.counts.Topics--
}

// PushTopic appends an event to the log of a topic: one entry for all sessions
// of its members but those of o.Except, whatever their number. It takes over one
// reference of p, which is released at once if nobody follows. The count is as
// PushTo's.
func (s *Shard) PushTopic(
	now uint32, tenant, topic []byte, p Payload, o PushOptions,
) (sessions int) {
	s.now = now
	of := s.tenantOf[string(tenant)]
	var slot uint32
	if of != 0 {
		slot = s.findTopic(of, topic)
	}
	if slot == 0 {
		p.Release()
		return 0
	}
	t := s.topics.at(slot)
	except := s.slotsOf(of, o.Except)
	followers, reach := t.followers, t.reach
	for _, user := range except {
		f, r := s.partOf(slot, user)
		followers -= f
		reach -= r
	}
	if followers == 0 {
		p.Release()
		return 0
	}
	l := s.logAt(&t.log, topicLog, slot, t.followers)
	s.activateAll(t)
	s.enter(now, l, p, &o, except)
	s.flush(now, l, o.Flush)
	return int(reach)
}

// partOf is how much of a topic's followers and reach a user's sessions are.
func (s *Shard) partOf(topic, user uint32) (followers, reach uint32) {
	u := s.users.at(user)
	if s.members.find(topic, holder(user)) != 0 {
		n := s.tallyOf(u)
		followers, reach = n.followers, n.reach
	}
	for slot := u.first; slot != 0; {
		se := s.sessions.at(slot)
		if m := s.own(topic, slot, se); m != nil {
			followers += step(false, !se.has(ended))
			reach += step(false, se.flags.reachable() && !m.holder.has(shadowed))
		}
		slot = se.after
	}
	return followers, reach
}

// own returns a session's own membership in a topic, nil if it has none.
func (s *Shard) own(topic, slot uint32, se *session) *member {
	if se.topics == 0 {
		return nil
	}
	m := s.members.find(topic, holder(slot)|ofSession)
	if m == 0 {
		return nil
	}
	return s.members.at(m)
}

// walkTopic lets every member of a topic be visited once from here on. What
// comes to a topic whose walk is under way is left to one more round: who joins
// meanwhile has nothing to get, and who leaves is not missed.
func (s *Shard) walkTopic(slot uint32, on transports) {
	t := s.topics.at(slot)
	switch {
	case t.walkOn == 0:
		t.walkAt, t.walkOn = t.first, on
		s.walks.push(s.topics.id(slot))
	case t.walkAt == t.first:
		t.walkOn |= on
	default:
		t.again |= on
	}
}

// walkStretch is the number of members that one topic gets visited before it is
// the next one's turn, or that of the walk of broadcasts.
const walkStretch = 64

// strideTopic goes on with the walk of the topic whose turn it is, and makes
// those ready that have something to get. It returns how many sessions it
// looked at, at least 1.
func (s *Shard) strideTopic() (visits int) {
	id := s.walks.pop()
	_, t := s.topics.get(id)
	if t == nil {
		return 1
	}
	if t.log == 0 { // all is confirmed meanwhile
		t.walkAt, t.walkOn, t.again = 0, 0, 0
		return 1
	}
	last := s.logs[t.log].last
	for n := 0; n < s.stretch && visits < walkVisits && t.walkAt != 0; n++ {
		m := s.members.at(t.walkAt)
		t.walkAt = m.after
		visits += s.visitMember(m.holder, last, t.walkOn)
	}
	if t.walkAt == 0 {
		t.walkOn, t.again = walksAgain(t.again), 0
		if t.walkOn == 0 {
			return visits + 1
		}
		t.walkAt = t.first
	}
	s.walks.push(id)
	return visits + 1
}

// visitMember makes the sessions of a member ready that are to be sent
// something over on, and were not sent the entry last yet.
func (s *Shard) visitMember(h holder, last uint64, on transports) (visits int) {
	if h.has(ofSession) {
		s.visitSession(h.slot(), s.sessions.at(h.slot()), last, on)
		return 1
	}
	for slot := s.users.at(h.slot()).first; slot != 0; visits++ {
		se := s.sessions.at(slot)
		s.visitSession(slot, se, last, on)
		slot = se.after
	}
	return visits
}

func (s *Shard) visitSession(slot uint32, se *session, last uint64, on transports) {
	if se.carrier()&on != 0 && last > se.sent {
		s.makeReady(slot, se)
	}
}
