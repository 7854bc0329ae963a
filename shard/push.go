package shard

import "slices"

// PushOptions are what a push may ask for beside its target. The zero value asks
// for nothing.
//
// Key names what the event is the latest value of: it takes the place of an
// older entry with the same key in the same log, that of the same target. Who
// was handed the older one already has it; nobody else gets it, and nobody is
// told that it is missing. An event that is kept from some users takes it from
// them too. At most 4096 bytes; empty means none. Read only during the call.
//
// Owner: loop.
type PushOptions struct {
	Flush  bool     // ends the batch window now
	Key    []byte   // latest value wins
	TTL    uint32   // ms after which the event is sent to nobody any more; 0 = no end
	Except []string // uids that do not get it; for a topic or a tenant
}

// Push is PushTo with one option.
func (s *Shard) Push(now uint32, to To, p Payload, flush bool) (sessions int) {
	return s.PushTo(now, to, p, PushOptions{Flush: flush})
}

// PushTo appends an event to the log of a user, or of one session if to.Client
// is given. It takes over one reference of p, which is released at once if no
// session follows the log.
//
// sessions is the number of present sessions that will get it. It may be 0
// while sessions that are kept, or about to poll for the first time, still get
// it when they come.
func (s *Shard) PushTo(now uint32, to To, p Payload, o PushOptions) (sessions int) {
	s.now = now
	slot := s.findUser(to.Tenant, to.UID, to.NilUID)
	if slot == 0 {
		p.Release()
		return 0
	}
	if to.Client != nil {
		return s.pushSession(now, s.findSession(slot, to.Client), p, &o)
	}
	u := s.users.at(slot)
	n := s.tallyOf(u)
	if n.followers == 0 {
		p.Release()
		return 0
	}
	l := s.logAt(&u.log, userLog, slot, n.followers)
	s.enter(now, l, p, &o, nil)
	s.flush(now, l, o.Flush)
	return int(n.reach)
}

func (s *Shard) pushSession(now uint32, slot uint32, p Payload, o *PushOptions) int {
	if slot == 0 || s.sessions.at(slot).has(ended) {
		p.Release()
		return 0
	}
	se := s.sessions.at(slot)
	l := s.logAt(&se.log, sessionLog, slot, 1)
	s.enter(now, l, p, o, nil)
	s.flush(now, l, o.Flush)
	if !se.flags.reachable() {
		return 0
	}
	return 1
}

// slotsOf returns the sorted slots of the users of a tenant that have these
// uids. Slots are enough to keep an entry from them: the sessions of a later
// user in the slot begin after the entry.
func (s *Shard) slotsOf(tenant uint32, uids []string) (slots []uint32) {
	for _, uid := range uids {
		if slot := s.findIn(tenant, []byte(uid), false); slot != 0 {
			slots = append(slots, slot)
		}
	}
	slices.Sort(slots)
	return slices.Compact(slots)
}

// excepts tells whether the entry is not for the user.
func (e *Entry) excepts(user uint32) bool {
	if len(e.except) == 0 {
		return false
	}
	_, found := slices.BinarySearch(e.except, user)
	return found
}
