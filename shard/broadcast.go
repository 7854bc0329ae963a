package shard

// PushTenant appends an event to the broadcast log of a tenant: one entry for
// all its sessions but those of o.Except, whatever their number. It takes over
// one reference of p, which is released at once if nobody follows. The count is
// as PushTo's.
func (s *Shard) PushTenant(now uint32, tenant []byte, p Payload, o PushOptions) (sessions int) {
	s.now = now
	t := s.tenantOf[string(tenant)]
	if t == 0 {
		p.Release()
		return 0
	}
	return s.pushTenant(now, t, p, &o, s.slotsOf(t, o.Except))
}

// PushAllExcept is PushTenant with two options.
func (s *Shard) PushAllExcept(
	now uint32, tenant []byte, p Payload, flush bool, uids []string,
) (sessions int) {
	return s.PushTenant(now, tenant, p, PushOptions{Flush: flush, Except: uids})
}

// PushAll is PushTenant where except, if not nil, says which users do not get
// the event. It is asked about every user of the tenant during the call.
func (s *Shard) PushAll(
	now uint32, tenant []byte, p Payload, flush bool, except func(tenant, uid []byte) bool,
) (sessions int) {
	s.now = now
	t := s.tenantOf[string(tenant)]
	if t == 0 {
		p.Release()
		return 0
	}
	var out []uint32
	for slot := uint32(1); except != nil && slot <= s.users.used; slot++ {
		u := s.users.at(slot)
		if u.alive() && u.tenant == t && !u.nilUID && except(tenant, s.uidOf(u)) {
			out = append(out, slot)
		}
	}
	return s.pushTenant(now, t, p, &PushOptions{Flush: flush}, out)
}

// pushTenant takes the sorted slots of the users that do not get it.
func (s *Shard) pushTenant(
	now uint32, slot uint32, p Payload, o *PushOptions, except []uint32,
) (sessions int) {
	t := s.tenants[slot]
	followers, reach := t.followers, t.reach
	for _, u := range except {
		n := s.tallyOf(s.users.at(u))
		followers -= n.followers
		reach -= n.reach
	}
	if followers == 0 {
		p.Release()
		return 0
	}
	l := s.logAt(&t.log, tenantLog, slot, t.followers)
	s.enter(now, l, p, o, except)
	s.flush(now, l, o.Flush)
	return int(reach)
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
	s.walked++
	return s.walkAt
}
