package shard

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

// memo remembers a run by what it was made of: per log, the seq of the first
// pending entry and of the newest. A seq is unique in the shard, so these name
// the logs too, and sessions with different cursors share what is the same for
// them. A log that has changed since has another last seq.
type memo struct {
	key  [2 * logKinds]uint64
	only uint32 // user that it is for, if something was left out; 0 = any
	some bool   // has entries that are not for every user
	run  Run
}

// sources are the logs of a session, each at its first entry after the cursor.
type sources struct {
	logs    [logKinds]*log
	at      [logKinds]int
	user    uint32
	skipped bool
}

func (s *Shard) sourcesOf(se *session) sources {
	src := sources{logs: s.logsOf(se), user: se.user}
	for k, l := range src.logs {
		if l != nil {
			src.at[k] = l.after(se.sent)
		}
	}
	return src
}

// peek returns the next entry for the user in seq order, nil at the end, and
// which log it is in.
func (src *sources) peek() (e *Entry, kind int) {
	for {
		e = nil
		for k, l := range src.logs {
			if l == nil || src.at[k] >= l.n {
				continue
			}
			if c := l.get(src.at[k]); e == nil || c.Seq < e.Seq {
				e, kind = c, k
			}
		}
		if e == nil || !e.excepts(src.user) {
			return e, kind
		}
		src.at[kind]++
		src.skipped = true
	}
}

func (src *sources) key() (key [2 * logKinds]uint64) {
	for k, l := range src.logs {
		if l != nil && src.at[k] < l.n {
			key[2*k], key[2*k+1] = l.get(src.at[k]).Seq, l.last()
		}
	}
	return key
}

// next is what a session gets next: a gap (missed > 0), or a run, and the
// cursor after it; to is 0 if there is nothing. A gap stands where the missing
// entries would have stood: a run ends before the first of them.
func (s *Shard) next(se *session) (run *Run, missed, to uint64) {
	src := s.sourcesOf(se)
	e, kind := src.peek()
	if e == nil {
		return nil, 0, 0
	}
	for e != nil && e.tomb() {
		missed, to = missed+uint64(e.missed), e.Seq
		src.at[kind]++
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
	for i := range s.runs {
		m := &s.runs[(s.nextRun-1-i)&(memoLen-1)]
		if m.key == key && (m.only == 0 || m.only == src.user) && m.serves(src.user) {
			return &m.run
		}
	}
	m := &s.runs[s.nextRun&(memoLen-1)]
	s.nextRun++
	s.forgetRun(m)
	m.key = key
	s.fill(m, src)
	return &m.run
}

// serves tells whether nothing in the run is kept from the user.
func (m *memo) serves(user uint32) bool {
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
		if bytes += e.size; bytes > s.cfg.BatchBytes && len(m.run.Entries) > 0 {
			break
		}
		e.holds++
		m.some = m.some || e.except != nil
		m.run.Entries = append(m.run.Entries, e)
		src.at[kind]++
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
	*m = memo{run: Run{Entries: m.run.Entries[:0]}}
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
