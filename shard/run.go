package shard

import "slices"

// Run is a stretch of entries in seq order: at most Config.BatchEvents of them
// and Config.BatchBytes, or a single larger one. Sessions that are to get the
// same stretch get the same *Run.
//
// Sealed is the caller's: the encoded batch per packer, made when it is first
// needed. The shard releases what is not nil when it forgets the run.
//
// A Run and its Entries are valid until the next call of NextDelivery.
//
// Owner: loop.
type Run struct {
	Entries []*Entry
	Sealed  [8]Payload
}

// memoLen is the number of runs that are remembered at once. Sessions of one
// user and of one broadcast come one after the other, so a handful is enough.
const memoLen = 8

// memoTopics is the number of topics that a remembered run may be made of.
// Sessions that merge more at once are given runs of their own.
const memoTopics = 8

// memo remembers a run by what it was made of: per log, the seq of the first
// pending entry and of the newest. A seq is unique in the shard, so these name
// the logs too, and sessions with different cursors share what is the same for
// them. A log that has changed since has another last seq.
type memo struct {
	key    [2 * baseLogs]uint64
	topics int
	of     [2 * memoTopics]uint64 // as key, of the topics' logs, by the first seq
	only   uint32                 // user that it is for, if something was left out; 0 = any
	until  uint32                 // when the first time to live in it is over, or unlimited
	some   bool                   // has entries that are not for every user
	run    Run
}

// sources are the logs of a session, each at its first entry after the cursor.
type sources struct {
	s       *Shard
	logs    [baseLogs]*log
	at      [baseLogs]int
	topics  []source // a heap by seq
	user    uint32
	upTo    uint64 // no entry after it is given, 0 = any is
	skipped bool
}

// source is the log of a topic at an entry.
type source struct {
	log *log
	at  int
	seq uint64 // of the entry
}

func (s *Shard) sourcesOf(slot uint32, se *session) sources {
	src := sources{s: s, user: se.user}
	if len(s.replays) > 0 && se.carrier() == onAjax {
		src.upTo = s.replays[SessionID(s.sessions.id(slot))]
	}
	var u *user
	src.logs, u = s.logsOf(se)
	for k, l := range src.logs {
		if l != nil {
			src.at[k] = l.after(se.sent)
		}
	}
	if inTopics(se, u) {
		s.topicSources(&src, slot, se, u)
	}
	return src
}

// peek returns the next entry for the user in seq order, nil at the end, and
// which log it is in.
func (src *sources) peek() (e *Entry, kind logKind) {
	for {
		e = nil
		for k, l := range src.logs {
			if l == nil || src.at[k] >= l.n {
				continue
			}
			if c := l.get(src.at[k]); e == nil || c.Seq < e.Seq {
				e, kind = c, logKind(k)
			}
		}
		if len(src.topics) > 0 {
			if c := &src.topics[0]; e == nil || c.seq < e.Seq {
				e, kind = c.log.get(c.at), topicLog
			}
		}
		switch {
		case e == nil || src.upTo != 0 && e.Seq > src.upTo:
			return nil, kind
		case e.excepts(src.user):
			src.skipped = true
		case e.until == unlimited || !passedOver(src.s.over(e), e.tomb()):
			return e, kind
		}
		src.advance(kind)
	}
}

func (src *sources) key() (key [2 * baseLogs]uint64) {
	for k, l := range src.logs {
		if l != nil && src.at[k] < l.n {
			key[2*k], key[2*k+1] = l.get(src.at[k]).Seq, l.last
		}
	}
	return key
}

// topicsKey appends the same of the logs of topics, at most memoTopics.
func (src *sources) topicsKey(key []uint64) []uint64 {
	src.order()
	for _, t := range src.topics {
		key = append(key, t.seq, t.log.last)
	}
	return key
}

// next is what a session gets next: a gap (missed > 0), or a run, and the
// cursor after it; to is 0 if there is nothing. A gap stands where the missing
// entries would have stood: a run ends before the first of them.
func (s *Shard) next(slot uint32, se *session) (run *Run, missed, to uint64) {
	src := s.sourcesOf(slot, se)
	e, kind := src.peek()
	if e == nil {
		return nil, 0, 0
	}
	for e != nil && e.tomb() {
		missed, to = missed+uint64(e.missed), e.Seq
		src.advance(kind)
		e, kind = src.peek()
	}
	if missed > 0 {
		return nil, missed, to
	}
	run = s.runOf(&src)
	return run, 0, run.Entries[len(run.Entries)-1].Seq
}

// runOf returns the run at src, a remembered one if it serves.
func (s *Shard) runOf(src *sources) *Run {
	key := src.key()
	of, topics := s.topicsKey[:0], len(src.topics)
	if topics > memoTopics || src.upTo != 0 {
		return s.runAt(src, [2 * baseLogs]uint64{}, nil)
	}
	if topics > 0 {
		of = src.topicsKey(of)
	}
	for i := range s.runs {
		m := &s.runs[(s.nextRun-1-i)&(memoLen-1)]
		if m.key == key && m.topics == topics && (topics == 0 || slices.Equal(m.of[:len(of)], of)) &&
			(m.only == 0 || m.only == src.user) && m.serves(s.now, src.user) {
			return &m.run
		}
	}
	return s.runAt(src, key, of)
}

// runAt makes the run at src and remembers it.
func (s *Shard) runAt(src *sources, key [2 * baseLogs]uint64, of []uint64) *Run {
	m := &s.runs[s.nextRun&(memoLen-1)]
	s.nextRun++
	s.forgetRun(m)
	m.key, m.topics = key, copy(m.of[:], of)/2
	s.fill(m, src)
	return &m.run
}

// serves tells whether nothing in the run is kept from the user, and no time to
// live in it is over.
func (m *memo) serves(now, user uint32) bool {
	if m.until != unlimited && !serves(now, m.until) {
		return false
	}
	if !m.some {
		return true
	}
	for _, e := range m.run.Entries {
		if e.excepts(user) {
			return false
		}
	}
	return true
}

func (s *Shard) fill(m *memo, src *sources) {
	bytes := 0
	src.skipped = false
	for len(m.run.Entries) < s.cfg.BatchEvents {
		e, kind := src.peek()
		if e == nil || e.tomb() {
			break
		}
		if bytes += int(e.size); bytes > s.cfg.BatchBytes && len(m.run.Entries) > 0 {
			break
		}
		e.holds++
		m.some = m.some || e.except != nil
		if e.until != unlimited && (m.until == unlimited || int32(e.until-m.until) < 0) {
			m.until = e.until
		}
		m.run.Entries = append(m.run.Entries, e)
		src.advance(kind)
	}
	if src.skipped {
		m.only = src.user
	}
}

// forgetRun gives back what a remembered run holds.
func (s *Shard) forgetRun(m *memo) {
	for i, e := range m.run.Entries {
		m.run.Entries[i] = nil
		s.unhold(e)
	}
	for i, p := range m.run.Sealed {
		if p != nil {
			p.Release()
			m.run.Sealed[i] = nil
		}
	}
	m.key, m.topics = [2 * baseLogs]uint64{}, 0
	m.only, m.until, m.some = 0, unlimited, false
	m.run.Entries = m.run.Entries[:0]
}

// forgetRuns forgets all runs; when there is nothing to deliver, none is worth
// keeping payloads for.
func (s *Shard) forgetRuns() {
	for i := range s.runs {
		if len(s.runs[i].run.Entries) > 0 {
			s.forgetRun(&s.runs[i])
		}
	}
}
