package shard

// Polls of a session. One poll at a time is the session's: the newest. An older
// one that is still open is the long-poll table's to time out; the shard has
// forgotten it and ignores whatever is told about it.
//
//	Poll -> open --NextDelivery--> answered, answerOut --next Poll--> confirmed
//	          |                         |
//	          +--PollAnswered           +--PollGone, same udt, handshake,
//	          +--PollGone                  AttachWS, expiry: sent again

// PollVerdict says how to answer a poll.
//
// Any goroutine.
type PollVerdict uint8

const (
	// Handshake: answer with the chsk handshake at once.
	Handshake PollVerdict = iota
	// Park: the poll is open; a delivery or a timeout answers it.
	Park
)

// Poll takes an Ajax GET of the session of k. handshake says that the request
// asks for a handshake, udt is its cache buster: the client's clock in
// milliseconds plus 1, in the upper half for what is no number, 0 = none.
//
// The verdict is Handshake if the request asks for it, or if no Ajax entry of
// the session is known (PROTOCOL 3.2): then nothing of the last answer is taken
// as received, the poll is not parked, and the user does not become present by
// it. Otherwise the poll is open: presence opens, and the last answer is
// confirmed, unless the udt is the same, which is a browser's replay of a
// request whose answer was lost: then it is sent again, and nothing that is newer.
// For the two may come in either order, and the next poll confirms the answer that
// its client saw, whichever that was.
//
// A poll after an Ajax handshake displaces a WebSocket that is bound: its client
// went over to Ajax, and may not have told, or the network swallowed it.
//
// The error is ErrUserSessions.
func (s *Shard) Poll(now uint32, k Key, ref uint64, packer uint8, handshake bool, udt uint64) (
	id SessionID, v PollVerdict, err error,
) {
	s.now = now
	slot, se, err := s.obtain(&k)
	if err != nil {
		return 0, Handshake, err
	}
	s.revive(se)
	se.ajaxPacker = packer
	at := stampOf(udt)
	id = SessionID(s.sessions.id(slot))
	handshake = handshake || !se.has(entry)
	if late(at, se.udt) {
		if handshake {
			return id, Handshake, nil
		}
		return id, Park, nil
	}
	confirms := pollConfirms(handshake, at, se.udt)
	delete(s.replays, id)
	if !handshake && !confirms && se.has(answerOut) {
		s.replays[id] = se.sent
	}
	s.closeAnswer(se, confirms)
	if handshake {
		s.cameBack(se)
		se.poll, se.udt, se.shook = 0, at, now
		s.change(se, entry, kept|pollOpen)
		s.leaveAjax(now, slot, se)
		return id, Handshake, nil
	}
	if old := se.ws; old != 0 {
		s.displace(id, se)
		s.asks.push(Ask{ID: id, Ref: old})
	}
	se.poll, se.udt = ref, at
	s.change(se, inAjax|pollOpen, kept)
	s.wake(slot, se)
	return id, Park, nil
}

// lateMs is how much older than the newest poll's udt that of a late one may be: what
// polls can overtake each other by. A client whose clock was set back by more is
// served as ever.
const lateMs = 10_000

// late tells whether a poll was sent before the one that came last: its client has
// given it up. It says nothing about any answer, and an event in its answer would be
// lost; so it only waits for its time.
func late(at, before stamp) bool {
	if at == 0 || before == 0 || (at|before)&notTime != 0 {
		return false
	}
	ago := before - at
	if at > before {
		ago = before + stampTurn - at
	}
	return ago > 0 && ago < lateMs
}

// stamp is a udt in 4 bytes: 0 for none, a time modulo stampTurn from 1 on, 25 days, or
// for what is no number its lower bits with notTime. It is compared with that of the poll
// before, and a stock client polls every 20 seconds.
type stamp uint32

const (
	notTime   stamp = 1 << 31
	stampTurn stamp = notTime - 1
)

// stampOf makes it of a udt as Poll takes it.
func stampOf(udt uint64) stamp {
	switch {
	case udt == 0:
		return 0
	case udt>>63 != 0:
		return notTime | stamp(udt)&(notTime-1)
	}
	return stamp((udt-1)%uint64(stampTurn)) + 1
}

// closeAnswer decides about the last answer when the poll after it comes.
func (s *Shard) closeAnswer(se *session, confirms bool) {
	if !confirms {
		s.takeBackAnswer(se)
		return
	}
	s.change(se, alive, 0)
	if se.has(answerOut) {
		s.confirm(se, se.sent)
		s.change(se, 0, answerOut)
	}
}

// takeBackAnswer makes the last answer, if it is unconfirmed, be sent again.
func (s *Shard) takeBackAnswer(se *session) {
	if se.has(answerOut) {
		s.change(se, 0, answerOut)
		se.goBack()
	}
}

// PollGone tells that the poll ref will not be answered because its conn is
// closed, or that its answer is known not to have reached the peer: then what
// was in it is sent again. A poll that is not the session's newest, or whose
// answer is confirmed, is ignored.
func (s *Shard) PollGone(now uint32, id SessionID, ref uint64) {
	s.now = now
	slot, se := s.sessions.get(uint64(id))
	if se == nil || !bound(ref, se.poll) {
		return
	}
	se.poll = 0
	if se.has(pollOpen) {
		s.change(se, 0, pollOpen)
		s.leaveAjax(now, slot, se)
	}
	s.takeBackAnswer(se)
}

// PollAnswered tells that the caller answered the open poll ref without events
// (timeout, nudge). Deliveries need no such call.
func (s *Shard) PollAnswered(now uint32, id SessionID, ref uint64) {
	s.now = now
	slot, se := s.sessions.get(uint64(id))
	if se == nil || !se.has(pollOpen) || !bound(ref, se.poll) {
		return
	}
	s.change(se, 0, pollOpen)
	s.leaveAjax(now, slot, se)
}

// Touch makes the user of k present for the Ajax grace if it is absent: an
// Ajax send is about to become an event, and an event never comes from an
// absent user. It returns the session of k, 0 if the user is present by other
// sessions and this one is not known.
//
// The error is ErrUserSessions.
func (s *Shard) Touch(now uint32, k Key) (id SessionID, err error) {
	s.now = now
	user := s.findUser(k.Tenant, k.UID, k.NilUID)
	if user != 0 && s.tallyOf(s.users.at(user)).present > 0 {
		slot := s.findSession(user, k.Client)
		if slot == 0 {
			return 0, nil
		}
		return SessionID(s.sessions.id(slot)), nil
	}
	slot, se, err := s.obtain(&k)
	if err != nil {
		return 0, err
	}
	s.change(se, inAjax, kept)
	s.leaveAjax(now, slot, se)
	return SessionID(s.sessions.id(slot)), nil
}

// AjaxSession returns the session of k and the ref of its open poll; 0 for what
// there is not.
func (s *Shard) AjaxSession(k Key) (id SessionID, poll uint64) {
	slot, se := s.find(&k)
	if se == nil {
		return 0, 0
	}
	if se.has(pollOpen) {
		poll = se.poll
	}
	return SessionID(s.sessions.id(slot)), poll
}
