package shard

import "slices"

// PushAll appends an event to the broadcast log of a tenant: one entry for all
// its sessions, whatever their number. It takes over one reference of p, which
// is released at once if nobody follows. flush ends the batch window now. The
// count is as Push's.
//
// except, if not nil, says which users do not get it. It is asked about every
// user of the tenant during the call; when the exceptions are a short list,
// PushAllExcept costs only its length.
func (s *Shard) PushAll(
	now uint32, tenant []byte, p Payload, flush bool, except func(tenant, uid []byte) bool,
) (sessions int) {
	t := s.tenantOf[string(tenant)]
	var out []uint32
	if t != 0 && except != nil {
		for slot := uint32(1); slot <= s.users.used; slot++ {
			u := s.users.at(slot)
			if u.alive() && u.tenant == t && !u.nilUID && except(tenant, s.ids.Get(u.uid)) {
				out = append(out, slot)
			}
		}
	}
	return s.pushAll(now, t, p, flush, out)
}

// PushAllExcept is PushAll without the users whose uid is in uids.
func (s *Shard) PushAllExcept(
	now uint32, tenant []byte, p Payload, flush bool, uids []string,
) (sessions int) {
	t := s.tenantOf[string(tenant)]
	var out []uint32
	if t != 0 {
		for _, uid := range uids {
			if slot := s.findIn(t, []byte(uid), false); slot != 0 {
				out = append(out, slot)
			}
		}
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return s.pushAll(now, t, p, flush, out)
}

// pushAll takes the sorted slots of the users that do not get it. Slots are
// enough: the sessions of a later user in the slot begin after this entry.
func (s *Shard) pushAll(
	now uint32, slot uint32, p Payload, flush bool, except []uint32,
) (sessions int) {
	s.now = now
	t := s.tenants[slot]
	if t == nil {
		p.Release()
		return 0
	}
	followers, reach := t.followers, t.reach
	for _, u := range except {
		followers -= s.users.at(u).followers
		reach -= s.users.at(u).reach
	}
	if followers == 0 {
		p.Release()
		return 0
	}
	l := s.logAt(&t.log, tenantLog, slot, t.followers)
	s.enter(now, l, p, except)
	s.flush(now, l, flush)
	return int(reach)
}

// excepts tells whether the entry is not for the user.
func (e *Entry) excepts(user uint32) bool {
	if len(e.except) == 0 {
		return false
	}
	_, found := slices.BinarySearch(e.except, user)
	return found
}

// walk lets every session be visited once from here on, in slot order, round
// the end to where it began. A walk that is under way is made longer: its
// remaining visits serve both.
func (s *Shard) walk(on transports) {
	s.walkOn |= on
	s.walkLeft = s.sessions.used
}

// stride returns the next slot of the walk; there must be one.
func (s *Shard) stride() uint32 {
	s.walkAt++
	if s.walkAt > s.sessions.used {
		s.walkAt = 1
	}
	s.walkLeft--
	return s.walkAt
}
