package shard

// What a session does in the logs of its topics, its own and its user's, beside
// what session.go and flush.go have it do in the logs that every session has.
// The loops over all memberships are for when a session comes and goes; what
// happens while it is here goes over the active ones.

// inTopics tells whether a session is in any topic.
func inTopics(se *session, u *user) bool { return se.topics|u.topics != 0 }

// followTopics counts a session, whose cursor is at the newest entry, in its
// topics and their logs.
func (s *Shard) followTopics(se *session, u *user) {
	for _, at := range [2]uint32{u.topics, se.topics} {
		for slot := s.firstOf(at); slot != 0; {
			m := s.members.at(slot)
			t := s.topics.at(m.topic)
			t.followers++
			if t.log != 0 {
				s.logs[t.log].place(placed(se.confirmed, m.join))
			}
			slot = m.next
		}
	}
}

// unfollowTopics takes a session out of these counts.
func (s *Shard) unfollowTopics(se *session, u *user) {
	for _, at := range [2]uint32{u.topics, se.topics} {
		for slot := s.firstOf(at); slot != 0; {
			m := s.members.at(slot)
			t := s.topics.at(m.topic)
			s.touched++
			t.followers--
			if t.log != 0 {
				l := s.logs[t.log]
				l.unplace(placed(se.confirmed, m.join))
				s.trim(l)
			}
			slot = m.next
		}
	}
}

// firstOf is the head of the memberships of the holding in slot at, which may
// be 0.
func (s *Shard) firstOf(at uint32) uint32 {
	if at == 0 {
		return 0
	}
	return s.holdings.at(at).first
}

// changeTopics adds a change of a session's flags to the counts of its topics.
func (s *Shard) changeTopics(se *session, u *user, ws, ajax, reach uint32) {
	if ws|ajax|reach == 0 {
		return
	}
	for _, at := range [2]uint32{u.topics, se.topics} {
		for slot := s.firstOf(at); slot != 0; {
			m := s.members.at(slot)
			t := s.topics.at(m.topic)
			s.touched++
			t.ws, t.ajax = t.ws+ws, t.ajax+ajax
			if !m.holder.has(shadowed) {
				t.reach += reach
			}
			slot = m.next
		}
	}
}

// confirmTopics moves a session's cursor in the logs of its topics.
func (s *Shard) confirmTopics(se *session, u *user, from, to uint64) {
	for _, at := range [2]uint32{u.topics, se.topics} {
		w := s.sweepOf(at)
		for m, l := w.next(); m != nil; m, l = w.next() {
			was, is := placed(from, m.join), placed(to, m.join)
			if was != is {
				l.unplace(was)
				l.place(is)
				s.trim(l)
			}
		}
	}
}

// pendingInTopics tells whether the log of a topic of the session has anything
// after its place, and is not to be flushed at the end of a window in but.
func (s *Shard) pendingInTopics(se *session, u *user, but transports) bool {
	for _, at := range [2]uint32{u.topics, se.topics} {
		w := s.sweepOf(at)
		for m, l := w.next(); m != nil; m, l = w.next() {
			if l.last > placed(se.sent, m.join) && l.dirty&but == 0 {
				return true
			}
		}
	}
	return false
}

// topicSources adds to src the logs of a session's topics that have something
// after its place. One that is the session's in both ways comes once.
func (s *Shard) topicSources(src *sources, slot uint32, se *session, u *user) {
	src.topics = s.merging[:0]
	w := s.sweepOf(u.topics)
	for m, l := w.next(); m != nil; m, l = w.next() {
		join := m.join
		if own := s.own(m.topic, slot, se); own != nil {
			join = earliest(join, own.join)
		}
		src.add(l, placed(se.sent, join))
	}
	w = s.sweepOf(se.topics)
	for m, l := w.next(); m != nil; m, l = w.next() {
		if !repeated(m.holder.has(shadowed)) {
			src.add(l, placed(se.sent, m.join))
		}
	}
	s.merging = src.topics[:0]
	src.order()
}

// add makes a log a source if it has something after a place.
func (src *sources) add(l *log, place uint64) {
	if l.last > place {
		at := l.after(place)
		src.topics = append(src.topics, source{log: l, at: at, seq: l.get(at).Seq})
	}
}

// order makes a heap of the topics' sources. Few are sorted, which is a heap
// too, and the same for all sessions that have the same.
func (src *sources) order() {
	list := src.topics
	if len(list) > memoTopics {
		for i := len(list)/2 - 1; i >= 0; i-- {
			sink(list, i)
		}
		return
	}
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && list[j].seq < list[j-1].seq; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// sink lets the source at i go down to its place in the heap.
func sink(list []source, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(list); child++ {
			if list[child].seq < list[least].seq {
				least = child
			}
		}
		if least == i {
			return
		}
		list[i], list[least] = list[least], list[i]
		i = least
	}
}

// advance goes over the entry that peek returned.
func (src *sources) advance(kind logKind) {
	if kind == topicLog {
		src.advanceTopic()
	} else {
		src.at[kind]++
	}
}

func (src *sources) advanceTopic() {
	top := &src.topics[0]
	top.at++
	if top.at < top.log.n {
		top.seq = top.log.get(top.at).Seq
	} else {
		end := len(src.topics) - 1
		src.topics[0] = src.topics[end]
		src.topics = src.topics[:end]
	}
	sink(src.topics, 0)
}
