package shard

// Delivery says that a session is to be sent something: a run, or the notice of
// a gap. From and To are its cursor before and after, never 0. An owner writes
// it only if what its conn was given ends at From, so that a late or doubled
// one falls away, and its conn has been given To after it. A new conn stands at
// the From of the first delivery that it is shown, whether it takes that one or
// is stalled. A gap is no exception: it is confirmed, lost and told again like
// an event.
//
// Owner: loop.
type Delivery struct {
	ID       SessionID
	Ref      uint64 // the bound WebSocket, or the open poll, which this answers
	Ajax     bool
	Packer   uint8
	From, To uint64
	Run      *Run   // valid until the next call of NextDelivery; nil for a gap
	Missed   uint64 // gap: this many events were given up before they could be sent
}

// mark is a delivery that counts as confirmed when due, if the session's sent
// has not gone back since (Config.ConfirmOnSend).
type mark struct {
	id   SessionID
	seq  uint64
	due  uint32
	turn uint8
}

// NextDelivery returns the next session that has something to be sent now, and
// whether there was one. The session counts as sent: the caller must hand the
// delivery over, or say what became of it (Stalled, DetachWS, PollGone). A
// delivery to a poll answers it.
//
// Sessions that became ready come first, then the walks: that of broadcasts in
// slot order, and those of topics over their members, which take turns. The cost
// is O(1) amortised; a caller stops when its turn has had enough, and comes
// back. During a walk, false may mean only that many sessions in a row had
// nothing to get: Due tells.
func (s *Shard) NextDelivery(now uint32, d *Delivery) bool {
	s.now = now
	if s.nextReady(now, d) {
		return true
	}
	for visits := 0; visits < walkVisits; visits++ {
		if s.walks.len() > 0 && (s.walkLeft == 0 || s.walked >= s.stretch) {
			s.walked = 0
			visits += s.strideTopic()
			if s.nextReady(now, d) {
				return true
			}
			continue
		}
		if s.walkLeft == 0 {
			break
		}
		slot := s.stride()
		se := s.sessions.at(slot)
		if !se.node.alive() || se.has(queued|paced) || se.carrier()&s.walkOn == 0 {
			continue
		}
		if s.pending(se) && s.deliver(now, slot, se, d) {
			return true
		}
	}
	if s.walkLeft == 0 {
		s.walkOn = 0
		if s.walks.len() == 0 {
			s.forgetRuns()
		}
	}
	return false
}

// nextReady does so for the sessions that are ready.
func (s *Shard) nextReady(now uint32, d *Delivery) bool {
	for s.ready.len() > 0 {
		slot, se := s.sessions.get(uint64(s.ready.pop()))
		if se == nil {
			continue
		}
		se.flags &^= queued
		if s.deliver(now, slot, se, d) {
			return true
		}
	}
	return false
}

// deliver sends a session what is next for it, if its carrier may be sent
// something and its pace allows.
func (s *Shard) deliver(now uint32, slot uint32, se *session, d *Delivery) bool {
	if !se.deliverable() {
		return false
	}
	run, missed, to := s.next(slot, se)
	if to == 0 {
		return false
	}
	n := 1
	if run != nil {
		n = len(run.Entries)
	}
	id := SessionID(s.sessions.id(slot))
	if s.overPace(now, se, n) {
		se.flags |= paced
		s.pace.Push(uint64(id), now+s.cfg.Pace)
		return false
	}
	*d = Delivery{ID: id, From: se.sent, To: to, Run: run, Missed: missed}
	se.sent = to
	se.lastSent = now
	se.burst += uint16(n)
	if missed > 0 {
		s.counts.Gaps++
		s.counts.GapEvents += missed
	}
	if se.carrier() == onAjax {
		s.answer(now, slot, se, d)
	} else {
		s.send(now, slot, se, d)
	}
	return true
}

// send hands d to the bound WebSocket.
func (s *Shard) send(now uint32, slot uint32, se *session, d *Delivery) {
	d.Ref, d.Packer = se.ws, se.wsPacker
	if s.cfg.ConfirmOnSend {
		s.marks.push(mark{id: d.ID, seq: d.To, due: now + settleMs, turn: se.turn})
	}
	if s.pending(se) {
		s.makeReady(slot, se)
	}
}

// answer hands d to the open poll, which is answered by it.
func (s *Shard) answer(now uint32, slot uint32, se *session, d *Delivery) {
	d.Ref, d.Packer, d.Ajax = se.poll, se.ajaxPacker, true
	s.change(se, answerOut, pollOpen)
	s.leaveAjax(now, slot, se)
}

// settle confirms what was sent long enough ago to be handed over.
func (s *Shard) settle(now uint32) {
	for range advanceMax {
		if s.marks.len() == 0 || !reached(now, s.marks.head().due) {
			return
		}
		m := s.marks.pop()
		_, se := s.sessions.get(uint64(m.id))
		if se != nil && se.turn == m.turn {
			s.confirm(se, acked(se.sent, m.seq))
		}
	}
}
