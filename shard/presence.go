package shard

// Presence of a user, derived from its sessions' flags in one place (change):
//
//	sessions with inWS or inAjax:   0 -> 1  open    1 -> 0  close
//
// so that open and close alternate by construction. A set is left only by its
// grace: endGraces. What remains of the session then is kept, or forgotten.

// Presence is a change of one user's presence, or the fact that Open tells.
//
// Owner: loop.
type Presence struct {
	Open        bool
	NilUID      bool
	Tenant, UID []byte // valid until the next call of NextPresence; UID nil if NilUID
}

type presenceEvent struct {
	user uint32
	open bool
}

// NextPresence takes the next change of presence, oldest first, and says
// whether there was one. Changes are never joined: open and close of a user
// strictly alternate.
func (s *Shard) NextPresence(p *Presence) bool {
	if s.events.len() == 0 {
		return false
	}
	e := s.events.pop()
	u := s.users.at(e.user)
	tenant, uid := s.keyOf(u)
	// The user may go with its last event, so the bytes are copied.
	s.scratch = append(append(s.scratch[:0], tenant...), uid...)
	p.Open, p.NilUID = e.open, u.nilUID
	p.Tenant, p.UID = s.scratch[:len(tenant):len(tenant)], s.scratch[len(tenant):]
	if u.nilUID {
		p.UID = nil
	}
	u.untold--
	s.forgetUser(e.user)
	return true
}

func step(was, is bool) uint32 {
	switch {
	case is && !was:
		return 1
	case was && !is:
		return ^uint32(0)
	}
	return 0
}

// change sets and clears flags of a session and keeps every count that depends
// on them.
func (s *Shard) change(se *session, on, off flags) {
	was := se.flags
	is := was&^off | on
	se.flags = is
	diff := was ^ is
	if diff&(inWS|inAjax|ended|kept) == 0 {
		return
	}
	u := s.users.at(se.user)
	t := s.tenants[u.tenant]
	ws := step(was&inWS != 0, is&inWS != 0)
	ajax := step(was&inAjax != 0, is&inAjax != 0)
	reach := step(was.reachable(), is.reachable())
	present := step(was&(inWS|inAjax) != 0, is&(inWS|inAjax) != 0)
	if n := s.tallied(u); n != nil {
		n.ws, n.ajax, n.reach, n.present = n.ws+ws, n.ajax+ajax, n.reach+reach, n.present+present
	}
	t.ws, t.ajax, t.reach = t.ws+ws, t.ajax+ajax, t.reach+reach
	if inTopics(se, u) {
		s.changeTopics(se, u, ws, ajax, reach)
	}
	s.counts.WS += int(int32(ws))
	s.counts.Ajax += int(int32(ajax))
	now := s.tallyOf(u)
	s.counts.WSUsers += crossed(now.ws, ws)
	s.counts.AjaxUsers += crossed(now.ajax, ajax)
	s.counts.Kept += int(int32(step(was&kept != 0, is&kept != 0)))
	s.changePresent(se.user, u, now.present, present)
}

// crossed is the change of "more than none" when a count became n by a step.
func crossed(n, by uint32) int {
	switch {
	case by == 1 && n == 1:
		return 1
	case by == ^uint32(0) && n == 0:
		return -1
	}
	return 0
}

// changePresent tells that a user has n present sessions after a step, if it came
// or went by it.
func (s *Shard) changePresent(slot uint32, u *user, n, by uint32) {
	if by == 0 {
		return
	}
	open := by == 1
	if open && n != 1 || !open && n != 0 {
		return
	}
	u.untold++
	s.events.push(presenceEvent{user: slot, open: open})
	s.counts.Users += int(int32(by))
}

// leaveWS starts the grace of a session that has no conn any more.
func (s *Shard) leaveWS(now uint32, slot uint32, se *session) {
	se.wsTime = now
	s.wsGrace.Push(s.sessions.id(slot), now+s.cfg.WSGrace)
}

// leaveAjax starts the grace, or the expiry of a handshake, of a session whose
// poll was answered or is gone.
func (s *Shard) leaveAjax(now uint32, slot uint32, se *session) {
	se.ajaxLeft = now
	s.ajaxGrace.Push(s.sessions.id(slot), now+s.cfg.AjaxGrace)
}

// endGraces takes sessions out of the sets whose grace is over and that did not
// come back meanwhile.
func (s *Shard) endGraces(now uint32) {
	for n := 0; n < advanceMax && s.touched < advanceMembers; n++ {
		id, ok := s.wsGrace.Pop(now)
		if !ok {
			break
		}
		slot, se := s.sessions.get(id)
		if se == nil || !se.has(inWS) || se.ws != 0 || se.hasConns(s.crowds[SessionID(id)]) ||
			!reached(now, se.wsTime+s.cfg.WSGrace) {
			continue
		}
		s.change(se, 0, inWS)
		s.leave(now, slot, se)
	}
	for n := 0; n < advanceMax && s.touched < advanceMembers; n++ {
		id, ok := s.ajaxGrace.Pop(now)
		if !ok {
			break
		}
		slot, se := s.sessions.get(id)
		if se == nil || !se.has(inAjax|entry) || se.has(pollOpen) ||
			!reached(now, se.ajaxLeft+s.cfg.AjaxGrace) {
			continue
		}
		s.takeBackAnswer(se)
		s.change(se, 0, inAjax|entry)
		s.rebind(slot, se)
		s.leave(now, slot, se)
	}
}

// leave keeps a session that is in no set any more, or forgets it.
func (s *Shard) leave(now uint32, slot uint32, se *session) {
	if se.has(inWS | inAjax | entry) {
		return
	}
	if !se.has(alive) || se.has(ended) || s.cfg.Keep == 0 {
		s.forget(slot)
		return
	}
	s.change(se, kept, 0)
	se.wsTime = now
	s.keep.Push(s.sessions.id(slot), now+s.cfg.Keep)
	for s.counts.Kept > s.cfg.KeptSessions {
		s.evictKept()
	}
}

// evictKept forgets the session that has been kept longest.
func (s *Shard) evictKept() {
	for {
		due, ok := s.keep.Due()
		if !ok {
			panic("shard: a kept session has no deadline")
		}
		id, _ := s.keep.Pop(due)
		slot, se := s.sessions.get(id)
		// One that came back and left again has a later entry of its own.
		if se != nil && se.has(kept) && se.wsTime+s.cfg.Keep == due {
			s.counts.Evicted++
			s.forget(slot)
			return
		}
	}
}

// endKeeps forgets sessions that did not come back in time.
func (s *Shard) endKeeps(now uint32) {
	for n := 0; n < advanceMax && s.touched < advanceMembers; n++ {
		id, ok := s.keep.Pop(now)
		if !ok {
			return
		}
		slot, se := s.sessions.get(id)
		if se != nil && se.has(kept) && reached(now, se.wsTime+s.cfg.Keep) {
			s.forget(slot)
		}
	}
}
