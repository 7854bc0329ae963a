package shard

// UserInfo is a present user: WS and Ajax are the numbers of its sessions in
// each set, those in their grace included. UID is nil if NilUID.
//
// Owner: loop.
type UserInfo struct {
	Tenant, UID []byte // valid until the visit or call that gave them is over
	NilUID      bool
	WS, Ajax    int
}

// SessionInfo is a present session. Client is valid during the visit. Lag is
// the number of events that it has still to be sent.
//
// Owner: loop.
type SessionInfo struct {
	Client   []byte
	WS, Ajax bool
	Packer   uint8
	Lag      uint64
}

// Counts are numbers of a shard as they are now, and, from Gaps on, totals.
//
// Any goroutine.
type Counts struct {
	Users     int // present
	Sessions  int // present, handshaken and kept
	Kept      int
	WS, Ajax  int // sessions in each set
	WSUsers   int // users with a session in the set
	AjaxUsers int
	Entries   int // in all logs
	LogBytes  int
	Topics    int // with members
	Members   int // memberships, of users and of sessions

	Gaps       uint64 // notices given
	GapEvents  uint64 // events that they told as missed
	Superseded uint64 // entries replaced by a newer one of the same key
	Expired    uint64 // entries whose time to live was over before all had been sent them
	Evicted    uint64 // kept sessions forgotten to make room
}

// Counts returns the shard's numbers.
func (s *Shard) Counts() Counts { return s.counts }

// NilPresent visits the tenants whose users without uid are present here. They count
// as one user of the tenant, who is in as many shards as have such sessions.
func (s *Shard) NilPresent(visit func(tenant string, ws, ajax bool)) {
	for name, t := range s.tenantOf {
		slot := s.findIn(t, nil, true)
		if slot == 0 {
			continue
		}
		if n := s.tallyOf(s.users.at(slot)); n.present > 0 {
			visit(name, n.ws > 0, n.ajax > 0)
		}
	}
}

// scanMax is the number of slots that one call of Users looks at.
const scanMax = 1 << 16

// Users visits present users in slot order, those after slot after, at most
// limit. next is where to go on, 0 at the end; it may come before limit is
// reached, when many slots in a row had no present user.
func (s *Shard) Users(after uint32, limit int, visit func(slot uint32, u UserInfo)) (next uint32) {
	end := uint64(after) + scanMax
	for slot := after + 1; slot <= s.users.used; slot++ {
		if limit == 0 || uint64(slot) > end {
			return slot - 1
		}
		u := s.users.at(slot)
		if u.alive() && s.tallyOf(u).present > 0 {
			visit(slot, s.info(u))
			limit--
		}
	}
	return 0
}

func (s *Shard) info(u *user) UserInfo {
	tenant, uid := s.keyOf(u)
	n := s.tallyOf(u)
	return UserInfo{
		Tenant: []byte(tenant), UID: uid, NilUID: u.nilUID,
		WS: int(n.ws), Ajax: int(n.ajax),
	}
}

// User tells about one present user and visits its present sessions, only that
// of to.Client if it is given, at most Config.UserSessions. ok is false if the
// user is not present.
func (s *Shard) User(to To, visit func(SessionInfo)) (info UserInfo, ok bool) {
	slot := s.findUser(to.Tenant, to.UID, to.NilUID)
	if slot == 0 || s.tallyOf(s.users.at(slot)).present == 0 {
		return UserInfo{}, false
	}
	u := s.users.at(slot)
	if to.Client != nil {
		if one := s.findSession(slot, to.Client); one != 0 {
			s.visit(one, s.sessions.at(one), visit)
		}
		return s.info(u), true
	}
	left := s.cfg.UserSessions
	for one := u.first; one != 0 && left > 0; one = s.sessions.at(one).after {
		s.visit(one, s.sessions.at(one), visit)
		left--
	}
	return s.info(u), true
}

func (s *Shard) visit(slot uint32, se *session, visit func(SessionInfo)) {
	if !se.present() {
		return
	}
	s.client = s.ids.Append(s.client[:0], se.client)
	i := SessionInfo{
		Client: s.client,
		WS:     se.has(inWS), Ajax: se.has(inAjax),
		Packer: se.ajaxPacker, Lag: s.lag(slot, se),
	}
	if se.has(inWS) {
		i.Packer = se.wsPacker
	}
	visit(i)
}

// lag counts the live entries after a session's cursor.
func (s *Shard) lag(slot uint32, se *session) (n uint64) {
	if se.has(ended) {
		return 0
	}
	src := s.sourcesOf(slot, se)
	for k, l := range src.logs {
		if l != nil {
			n += l.lag(src.at[k], se.user, s.now)
		}
	}
	for _, t := range src.topics {
		n += t.log.lag(t.at, se.user, s.now)
	}
	return n
}

// lag counts the live entries from index at on that are for the user.
func (l *log) lag(at int, user, now uint32) (n uint64) {
	for i := max(at, l.tombs); i < l.n; i++ {
		e := l.get(i)
		over := e.until == isOver || e.until > isOver && expired(now, e.until)
		if !over && !e.excepts(user) {
			n++
		}
	}
	return n
}

// CloseSessions ends the sessions of to: visit is given every conn of theirs
// that the shard knows, bound, displaced or polling, and must see to it that it
// is closed or answered. The cursors are forgotten: such a session gets nothing
// until it comes back, and then begins at the then current seq. It leaves the
// sets as any other, when its conns are gone and its grace is over. The count
// is of the sessions that were present.
//
// The cost is the number of sessions that to names: all of a shard's for the
// user without uid.
func (s *Shard) CloseSessions(
	now uint32, to To, visit func(id SessionID, ref uint64, ajax bool),
) (sessions int) {
	s.now = now
	user := s.findUser(to.Tenant, to.UID, to.NilUID)
	if user == 0 {
		return 0
	}
	if to.Client != nil {
		if slot := s.findSession(user, to.Client); slot != 0 {
			sessions = s.end(slot, visit)
		}
		return sessions
	}
	for slot := s.users.at(user).first; slot != 0; {
		next := s.sessions.at(slot).after
		sessions += s.end(slot, visit)
		slot = next
	}
	return sessions
}

// end ends one session; it returns 1 if it was present, else 0.
func (s *Shard) end(slot uint32, visit func(id SessionID, ref uint64, ajax bool)) int {
	se := s.sessions.at(slot)
	if se.has(kept) {
		s.forget(slot)
		return 0
	}
	id := SessionID(s.sessions.id(slot))
	if se.ws != 0 {
		visit(id, se.ws, false)
	}
	if c := s.crowds[id]; c != nil {
		c.await = 0
		for _, x := range c.conns {
			visit(id, x.ref, false)
		}
		s.emptied(id, se, c)
	}
	if se.has(pollOpen) {
		visit(id, se.poll, true)
	}
	present := 0
	if se.flags.reachable() {
		present = 1
	}
	if !se.has(ended) {
		s.unfollow(se)
		se.confirmed = se.sent
	}
	s.change(se, ended, alive|answerOut|awaiting)
	return present
}
