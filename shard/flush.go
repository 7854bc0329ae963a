package shard

// When pending events leave.
//
// Every log has one flush window per transport. An event that finds it closed
// leaves at once and opens it; later ones make it dirty and leave together when
// it ends, which opens the next. A window that ends clean closes:
//
//	 e1        e2 e3           e4
//	 |------------|------------|------------|
//	 e1        e2,e3          e4        (closed)
//
// A session that is sent something gets everything after its cursor, from all
// its logs, in order: a window only says when to look.

// transports is a set: bit i is window i.
type transports uint8

const (
	onWS   transports = 1 << iota // window 0, Config.FlushWS
	onAjax                        // window 1, Config.FlushAjax
)

func (s *Shard) windowMs(i int) uint32 {
	if i == 0 {
		return s.cfg.FlushWS
	}
	return s.cfg.FlushAjax
}

// audience is the set of transports over which a log has followers now.
func (s *Shard) audience(l *log) (t transports) {
	var ws, ajax bool
	switch l.kind {
	case sessionLog:
		se := s.sessions.at(l.owner)
		ws, ajax = se.has(inWS), se.has(inAjax)
	case userLog:
		u := s.users.at(l.owner)
		n := s.tallyOf(u)
		ws, ajax = n.ws > 0, n.ajax > 0
	case tenantLog:
		ws, ajax = s.tenants[l.owner].ws > 0, s.tenants[l.owner].ajax > 0
	case topicLog:
		t := s.topics.at(l.owner)
		ws, ajax = t.ws > 0, t.ajax > 0
	}
	if ws {
		t |= onWS
	}
	if ajax {
		t |= onAjax
	}
	return t
}

// flush decides about an event that was just entered: now, or at the window's
// end.
func (s *Shard) flush(now uint32, l *log, force bool) {
	var fire transports
	audience := s.audience(l)
	for i := range s.window {
		t := transports(1) << i
		if audience&t == 0 {
			continue
		}
		ms := s.windowMs(i)
		if !force && l.open&t != 0 {
			l.dirty |= t
			continue
		}
		fire |= t
		l.dirty &^= t
		if ms > 0 && l.open&t == 0 {
			l.open |= t
			s.window[i].Push(l.id(), now+ms)
		}
	}
	if fire != 0 {
		s.fire(l, fire)
	}
}

// endWindows flushes the logs whose window ends.
func (s *Shard) endWindows(now uint32) {
	for i := range s.window {
		t := transports(1) << i
		for range advanceMax {
			id, ok := s.window[i].Pop(now)
			if !ok {
				break
			}
			l := s.logs[uint32(id)]
			if l.id() != id {
				continue
			}
			if l.dirty&t != 0 && s.fire(l, t) {
				l.dirty &^= t
				s.window[i].Push(id, now+s.windowMs(i))
				continue
			}
			l.dirty, l.open = l.dirty&^t, l.open&^t
			s.trim(l)
		}
	}
}

// fire makes the followers of a log ready whose carrier is in on, and says
// whether there may be one that has something to get.
func (s *Shard) fire(l *log, on transports) (any bool) {
	switch {
	case l.kind == sessionLog:
		return s.fireAt(l.owner, s.sessions.at(l.owner), on)
	case l.kind == topicLog:
		s.walkTopic(l.owner, on)
		return true
	case l.kind == tenantLog || s.users.at(l.owner).many():
		s.walk(on)
		return true
	}
	for slot := s.users.at(l.owner).first; slot != 0; {
		se := s.sessions.at(slot)
		any = s.fireAt(slot, se, on) || any
		slot = se.after
	}
	return any
}

func (s *Shard) fireAt(slot uint32, se *session, on transports) bool {
	if se.carrier()&on == 0 || !s.pending(se) {
		return false
	}
	s.makeReady(slot, se)
	return true
}

// makeReady queues a session for delivery, unless it is queued, or will be when
// its pace ends.
func (s *Shard) makeReady(slot uint32, se *session) {
	if se.has(queued|paced) || !se.deliverable() {
		return
	}
	se.flags |= queued
	s.ready.push(SessionID(s.sessions.id(slot)))
}

// wake makes a session ready whose carrier came, or came free. What still waits
// for a window's end is left to it.
func (s *Shard) wake(slot uint32, se *session) {
	if !se.deliverable() {
		return
	}
	u, on := s.users.at(se.user), se.carrier()
	if s.isPast(s.tenants[u.tenant].log, se.sent, on) ||
		s.isPast(u.log, se.sent, on) || s.isPast(se.log, se.sent, on) ||
		inTopics(se, u) && s.pendingInTopics(se, u, on) {
		s.makeReady(slot, se)
	}
}

// pending tells whether a session's logs have anything after its cursor, be it
// only tombs or what is not for its user.
func (s *Shard) pending(se *session) bool {
	u := s.users.at(se.user)
	return s.isPast(s.tenants[u.tenant].log, se.sent, 0) ||
		s.isPast(u.log, se.sent, 0) || s.isPast(se.log, se.sent, 0) ||
		inTopics(se, u) && s.pendingInTopics(se, u, 0)
}

// isPast tells whether the log in slot, if there is one, has anything after seq,
// and is not to be flushed at the end of a window in but.
func (s *Shard) isPast(slot uint32, seq uint64, but transports) bool {
	return slot != 0 && s.logs[slot].last > seq && s.logs[slot].dirty&but == 0
}

// overPace tells whether n more events would be more than BatchEvents in a
// Pace. Events count together until a whole Pace passes without one, so that no
// stretch of that length, wherever it begins, ever has more.
func (s *Shard) overPace(now uint32, se *session, n int) bool {
	if s.cfg.Pace == 0 || int32(now-se.lastSent) >= int32(s.cfg.Pace) {
		se.burst = 0
	}
	return se.burst > 0 && int(se.burst)+n > s.cfg.BatchEvents
}

// endPaces lets sessions go on that had their fill.
func (s *Shard) endPaces(now uint32) {
	for range advanceMax {
		id, ok := s.pace.Pop(now)
		if !ok {
			return
		}
		slot, se := s.sessions.get(id)
		if se == nil || !se.has(paced) {
			continue
		}
		se.flags &^= paced
		if s.pending(se) {
			s.makeReady(slot, se)
		}
	}
}
