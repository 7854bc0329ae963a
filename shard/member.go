package shard

// holder names who is in a topic: the slot of a user or session, and with a
// session's a bit. In a member it carries four facts more.
type holder uint32

const (
	ofSession holder = 1 << 31 // the slot is a session's
	shadowed  holder = 1 << 30 // member: this session's user is in the topic too
	active    holder = 1 << 29 // member: it is in its holder's list of active ones
	byJoin    holder = 1 << 28 // member: a backend let it join
	byGrant   holder = 1 << 27 // member: the session's identity grants it (grant.go)
	slotBits  holder = byGrant - 1
)

func (h holder) slot() uint32        { return uint32(h & slotBits) }
func (h holder) has(bit holder) bool { return h&bit != 0 }

// name is h without what a member knows more.
func (h holder) name() holder { return h &^ (shadowed | active | byJoin | byGrant) }

// member is the membership of one holder in one topic: 40 bytes, no pointers.
//
// A topic's log concerns its members as long as there is one, so what a session
// has to merge is found from its side: each holder has a list of its active
// memberships. It has all those whose topic has a log, and is swept when it is
// gone through: a membership whose topic has none any more drops out. When a
// topic gets a log, its members that dropped out are put back, at most
// bigTopic; the members of a bigger topic never drop out.
//
// Invariant: topic.active counts the active ones; it is topic.members while the
// topic has a log, or more than bigTopic members.
type member struct {
	join   uint64 // it gets what comes after this seq
	link   uint32 // in its bucket, or in the free list
	topic  uint32 // 0 = free
	holder holder

	before, after uint32 // in the list of the topic's members, the youngest first
	prior, next   uint32 // in the list of the holder's memberships
	nextActive    uint32 // in the list of the holder's active ones
}

// holding is what a holder that is in topics needs more: 12 bytes.
type holding struct {
	first  uint32 // head of its memberships
	active uint32 // head of the active ones
	count  uint32
}

// bigTopic is the number of members beyond which nobody drops out of the active
// ones: as many may have to be put back in one call.
const bigTopic = 4096

// members is all memberships of a shard, found by topic and holder.
type members struct {
	slab[member]
	index
	free uint32
}

func memberHash(topic uint32, h holder) uint32 {
	x := (uint64(topic)<<32 | uint64(h)) * 0x9e3779b97f4a7c15
	return uint32(x ^ x>>32)
}

func (ms *members) chained(slot uint32) (hash uint32, link *uint32) {
	m := ms.at(slot)
	return memberHash(m.topic, m.holder.name()), &m.link
}

// find returns the slot of the membership of h in a topic, 0 if there is none.
func (ms *members) find(topic uint32, h holder) uint32 {
	slot := ms.first(memberHash(topic, h))
	for slot != 0 {
		m := ms.at(slot)
		if m.topic == topic && m.holder.name() == h {
			return slot
		}
		slot = m.link
	}
	return 0
}

func (ms *members) add(topic uint32, h holder) (slot uint32, m *member) {
	slot = ms.free
	if slot != 0 {
		ms.free = ms.at(slot).link
	} else {
		slot = ms.extend()
	}
	m = ms.at(slot)
	*m = member{topic: topic, holder: h}
	ms.enter(slot, memberHash(topic, h), &m.link, ms.chained)
	return slot, m
}

func (ms *members) remove(slot uint32) {
	m := ms.at(slot)
	ms.leave(slot, memberHash(m.topic, m.holder.name()), &m.link, ms.chained)
	*m = member{link: ms.free}
	ms.free = slot
}

// holdings is what all holders of a shard need more.
type holdings struct {
	slab[holding]
	free uint32 // linked by first
}

// obtain returns the holding that *at names, a new one if it is 0.
func (hs *holdings) obtain(at *uint32) *holding {
	if *at == 0 {
		if *at = hs.free; *at != 0 {
			hs.free = hs.at(*at).first
		} else {
			*at = hs.extend()
		}
		*hs.at(*at) = holding{}
	}
	return hs.at(*at)
}

// release frees the holding that *at names, which must be empty.
func (hs *holdings) release(at *uint32) {
	*hs.at(*at) = holding{first: hs.free}
	hs.free, *at = *at, 0
}

// holdingOf is where a holder keeps the slot of its holding.
func (s *Shard) holdingOf(h holder) *uint32 {
	if h.has(ofSession) {
		return &s.sessions.at(h.slot()).topics
	}
	return &s.users.at(h.slot()).topics
}

// enlist puts a new membership at the head of its two lists.
func (s *Shard) enlist(slot uint32, m *member, t *topic) {
	m.after = t.first
	if t.first != 0 {
		s.members.at(t.first).before = slot
	}
	t.first = slot
	t.members++
	g := s.holdings.obtain(s.holdingOf(m.holder))
	m.next = g.first
	if g.first != 0 {
		s.members.at(g.first).prior = slot
	}
	g.first = slot
	g.count++
	s.counts.Members++
}

// delist takes a membership out of its lists, and out of the slab.
func (s *Shard) delist(slot uint32, m *member, t *topic) {
	if m.before != 0 {
		s.members.at(m.before).after = m.after
	} else {
		t.first = m.after
	}
	if m.after != 0 {
		s.members.at(m.after).before = m.before
	}
	t.members--
	at := s.holdingOf(m.holder)
	g := s.holdings.at(*at)
	if m.prior != 0 {
		s.members.at(m.prior).next = m.next
	} else {
		g.first = m.next
	}
	if m.next != 0 {
		s.members.at(m.next).prior = m.prior
	}
	if m.holder.has(active) {
		from := &g.active
		for *from != slot {
			from = &s.members.at(*from).nextActive
		}
		*from = m.nextActive
		t.active--
	}
	g.count--
	if g.count == 0 {
		s.holdings.release(at)
	}
	s.members.remove(slot)
	s.counts.Members--
}

// activate puts a membership into its holder's active ones.
func (s *Shard) activate(slot uint32, m *member, t *topic) {
	g := s.holdings.at(*s.holdingOf(m.holder))
	m.nextActive, g.active = g.active, slot
	m.holder |= active
	t.active++
}

// activateAll does so with all of a topic's that dropped out.
func (s *Shard) activateAll(t *topic) {
	for slot := t.first; t.active < t.members; {
		m := s.members.at(slot)
		if !m.holder.has(active) {
			s.activate(slot, m, t)
		}
		slot = m.after
	}
}

// deactivateAll empties a holder's list of active ones, for all its memberships
// end now.
func (s *Shard) deactivateAll(g *holding) {
	for g.active != 0 {
		m := s.members.at(g.active)
		g.active, m.nextActive = m.nextActive, 0
		m.holder &^= active
		s.topics.at(m.topic).active--
	}
}

// sweep goes through the active memberships of a holder and drops those whose
// topic has no log any more.
type sweep struct {
	s  *Shard
	at *uint32 // the link that leads to the next
}

// sweepOf begins with the holding in slot, which may be 0.
func (s *Shard) sweepOf(slot uint32) sweep {
	if slot == 0 {
		return sweep{}
	}
	return sweep{s, &s.holdings.at(slot).active}
}

// next returns the next membership and its topic's log, nil at the end.
func (w *sweep) next() (m *member, l *log) {
	for w.at != nil && *w.at != 0 {
		m = w.s.members.at(*w.at)
		t := w.s.topics.at(m.topic)
		switch {
		case t.log != 0:
			w.at = &m.nextActive
			return m, w.s.logs[t.log]
		case t.members > w.s.big:
			w.at = &m.nextActive
		default:
			*w.at, m.nextActive = m.nextActive, 0
			m.holder &^= active
			t.active--
		}
	}
	return nil, nil
}
