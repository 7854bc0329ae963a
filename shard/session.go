package shard

import (
	"hash/maphash"

	"github.com/chskd/chskd/arena"
)

// flags are the facts about a session.
type flags uint16

const (
	inWS      flags = 1 << iota // in the user's ws set: a conn, or the grace after one
	inAjax                      // in the user's ajax set: an open poll, or the grace after one
	entry                       // an Ajax handshake was answered and has not expired
	kept                        // absent, and kept with its cursor
	alive                       // its peer acknowledged something once
	ended                       // closed by the server: follows nothing until it comes back
	stalled                     // its WebSocket takes nothing now
	awaiting                    // what a displaced conn confirmed is not known yet
	crowded                     // has displaced conns; they are in Shard.crowds
	pollOpen                    // session.poll waits for an answer
	answerOut                   // session.poll was answered with events, not confirmed yet
	queued                      // in Shard.ready
	paced                       // waits for the end of its Pace
	grantee                     // its identity granted it topics that it is in
)

// session is one client-id of one user over whatever transport it has now. 96
// bytes, no pointers; docs/budget.md counts them.
//
// Life:
//
//	          attach, poll, touch
//	(none) ------------------------> present or handshaken
//	  ^                                 |          ^
//	  |  not alive, ended, Keep = 0     | graces   | attach, poll
//	  +---------------------------------+ over     |
//	  |                                 v          |
//	  +------------------------------- kept -------+
//	       Keep over, or room needed
//
// Invariants: confirmed <= sent <= Shard.seq; sent == confirmed unless a bound
// or awaited WebSocket, or an answered poll (answerOut), may have the stretch
// between; a session that is not ended is counted at confirmed in each log
// that it follows, in a topic's not before where it joined.
type session struct {
	node
	user          uint32
	before, after uint32    // in the list of the user's sessions
	client        arena.Ref // equal to user.uid if the bytes are the same
	log           uint32    // own log, 0 = none
	topics        uint32    // in Shard.holdings, 0 = in none by itself
	udt           stamp     // of the latest poll

	ws   uint64 // ref of the bound WebSocket, 0 = none
	poll uint64 // ref of the open poll, or of the last answered one

	sent, confirmed uint64

	// wsTime is when the bound conn was upgraded, while one is bound; when the last
	// one ended, during the grace; when the session became kept, while it is.
	wsTime   uint32
	ajaxLeft uint32 // when the last poll or handshake was answered
	shook    uint32 // when the last Ajax handshake was answered
	lastSent uint32
	burst    uint16 // events sent since the last quiet Pace

	flags      flags
	wsPacker   uint8
	ajaxPacker uint8
	turn       uint8 // counts how often sent went back, for marks
}

func (se *session) has(f flags) bool { return se.flags&f != 0 }
func (se *session) present() bool    { return se.has(inWS | inAjax) }

// reachable sessions are what a push tells as reached.
func (f flags) reachable() bool { return f&(inWS|inAjax) != 0 && f&ended == 0 }

// carrier is the transport over which the session would be sent something. A
// WebSocket that is attached while a poll is open goes before it; polls that
// begin with a handshake displace the WebSocket.
func (se *session) carrier() transports {
	switch {
	case se.ws != 0:
		return onWS
	case se.has(pollOpen):
		return onAjax
	}
	return 0
}

// deliverable tells whether the session's carrier may be sent something.
func (se *session) deliverable() bool {
	return se.carrier() != 0 && !se.has(ended|awaiting|stalled)
}

func (s *Shard) sessionHash(user uint32, client []byte) uint32 {
	// maphash, for client-ids are chosen by clients.
	h := maphash.Bytes(s.seed, client) ^ uint64(user)*0x9e3779b97f4a7c15
	return uint32(h ^ h>>32)
}

// findSession returns the slot of a user's session, 0 if there is none.
func (s *Shard) findSession(user uint32, client []byte) uint32 {
	hash := s.sessionHash(user, client)
	slot := s.sessions.first(hash)
	for slot != 0 {
		se := s.sessions.at(slot)
		if se.hash == hash && se.user == user && s.ids.Equal(se.client, client) {
			return slot
		}
		slot = se.link
	}
	return 0
}

// find returns the session of k, a nil one if there is none.
func (s *Shard) find(k *Key) (uint32, *session) {
	u := s.findUser(k.Tenant, k.UID, k.NilUID)
	if u == 0 {
		return 0, nil
	}
	slot := s.findSession(u, k.Client)
	if slot == 0 {
		return 0, nil
	}
	return slot, s.sessions.at(slot)
}

// obtain returns the session of k, a new one at the current seq if there is
// none.
func (s *Shard) obtain(k *Key) (slot uint32, se *session, err error) {
	if slot, se = s.find(k); se != nil {
		return slot, se, nil
	}
	user := s.obtainUser(k)
	u := s.users.at(user)
	var room uint32
	if !u.nilUID && int(s.tallyOf(u).sessions) >= s.cfg.UserSessions {
		if room = s.oldestKept(u); room == 0 {
			return 0, nil, ErrUserSessions
		}
	}
	used := s.sessions.used
	slot, se = s.sessions.add(s.sessionHash(user, k.Client))
	if s.walkLeft > 0 {
		s.walkLeft += s.sessions.used - used // the walk's round got longer
	}
	se.user = user
	se.client = u.uid
	if !s.ids.Equal(u.uid, k.Client) {
		se.client = s.ids.Put(k.Client)
	}
	s.anotherSession(u)
	se.after = u.first
	if u.first != 0 {
		s.sessions.at(u.first).before = slot
	}
	u.first = slot
	s.counts.Sessions++
	s.returns.New++
	s.follow(se)
	if room != 0 { // not before: its user's topics would go with the last session
		s.counts.Evicted++
		s.forget(room)
	}
	return slot, se, nil
}

// oldestKept is the session of u that has been kept longest, 0 if none is kept.
func (s *Shard) oldestKept(u *user) (oldest uint32) {
	for slot := u.first; slot != 0; slot = s.sessions.at(slot).after {
		if !s.sessions.at(slot).has(kept) {
			continue
		}
		if oldest == 0 || int32(s.sessions.at(slot).wsTime-s.sessions.at(oldest).wsTime) < 0 {
			oldest = slot
		}
	}
	return oldest
}

// follow puts the session's cursor at the end of its logs: it gets what is
// pushed from now on.
func (s *Shard) follow(se *session) {
	u := s.users.at(se.user)
	t := s.tenants[u.tenant]
	se.sent, se.confirmed = s.seq, s.seq
	if n := s.tallied(u); n != nil {
		n.followers++
	}
	t.followers++
	if se.log|u.log|t.log != 0 {
		logs, _ := s.logsOf(se)
		for _, l := range logs {
			if l != nil {
				l.place(se.confirmed)
			}
		}
	}
	if inTopics(se, u) {
		s.followTopics(se, u)
	}
}

// unfollow takes the session's cursor out of its logs, which may let entries go
// that only it needed.
func (s *Shard) unfollow(se *session) {
	u := s.users.at(se.user)
	t := s.tenants[u.tenant]
	if n := s.tallied(u); n != nil {
		n.followers--
	}
	t.followers--
	if se.log|u.log|t.log != 0 {
		logs, _ := s.logsOf(se)
		for _, l := range logs {
			if l != nil {
				l.unplace(se.confirmed)
				s.trim(l)
			}
		}
	}
	if inTopics(se, u) {
		s.unfollowTopics(se, u)
	}
}

// forget frees a session that has no conn and no open poll.
func (s *Shard) forget(slot uint32) {
	se := s.sessions.at(slot)
	if se.has(crowded) {
		panic("shard: a session is forgotten that has conns")
	}
	if se.topics != 0 {
		s.dropAll(&se.topics)
	}
	s.change(se, 0, se.flags&^ended)
	delete(s.replays, SessionID(s.sessions.id(slot)))
	if !se.has(ended) {
		s.unfollow(se)
	}
	if se.log != 0 {
		s.freeLog(s.logs[se.log])
	}
	u := s.users.at(se.user)
	if se.before != 0 {
		s.sessions.at(se.before).after = se.after
	} else {
		u.first = se.after
	}
	if se.after != 0 {
		s.sessions.at(se.after).before = se.before
	}
	if se.client != u.uid {
		s.ids.Free(se.client)
	}
	s.sessions.remove(slot)
	s.counts.Sessions--
	s.oneSessionLess(u)
	if u.first == 0 && u.topics != 0 {
		s.dropAll(&u.topics)
	}
	s.forgetUser(se.user)
}

// revive lets an ended session follow again, from now on.
func (s *Shard) revive(se *session) {
	if se.has(ended) {
		s.change(se, 0, ended)
		s.follow(se)
	}
}

// confirm moves confirmed up to seq; seq must be <= sent.
func (s *Shard) confirm(se *session, seq uint64) {
	if seq <= se.confirmed || se.has(ended) {
		return
	}
	from := se.confirmed
	se.confirmed = seq
	logs, u := s.logsOf(se)
	for _, l := range logs {
		if l != nil {
			l.unplace(from)
			l.place(seq)
			s.trim(l)
		}
	}
	if inTopics(se, u) {
		s.confirmTopics(se, u, from, seq)
	}
}

// goBack returns sent to what is confirmed: the carrier of the rest is gone.
func (se *session) goBack() {
	sent := rewound(se.sent, se.confirmed)
	if sent != se.sent {
		se.sent = sent
		se.turn++
	}
}
