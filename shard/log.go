package shard

// logKind says whose log it is.
type logKind uint8

const (
	sessionLog logKind = iota // one session: pushes to a client
	userLog                   // all sessions of a user
	tenantLog                 // all sessions of a tenant: broadcasts
	topicLog                  // the members of a topic
)

// baseLogs is the number of logs that every session follows.
const baseLogs = 3

// log is a list of entries in seq order, tombs first, that some sessions, its
// followers, read each at its own pace. It exists only while it has entries or
// an open flush window.
//
//	  t1   t2   e3   e4   e5        ring: tombs, then live entries
//	^    ^    ^    ^    ^    ^
//	|    |    |    |    |    +-- e5.here   followers that have confirmed all
//	|    |   t2.here ...
//	|    +-- t1.here
//	+------- behind                        followers that have confirmed none
//
// Each follower is counted in exactly one of these places, by its confirmed.
// So an entry is needed by nobody when behind is 0, and moving a cursor costs
// two searches, however many sessions or entries there are.
//
// A member of a topic is counted at its confirmed or at where it joined, the
// later of the two; one that is in it by itself and by its user, twice.
//
// Invariants: behind + the sum of here == number of followers; behind > 0 while
// the log is not empty.
type log struct {
	gen   uint32
	slot  uint32
	kind  logKind
	owner uint32 // slot of the session, user, tenant or topic

	open  transports // whose flush window is open
	dirty transports // whose window has something to flush when it ends

	ring   []*Entry // its length is a power of two
	at     int
	n      int
	tombs  int
	behind uint32
	bytes  int    // of live entries
	last   uint64 // seq of the newest entry, 0 if there is none
}

// ringKept is the longest ring that a freed log keeps for its next owner.
const ringKept = 16

func (l *log) id() uint64 { return uint64(l.slot) | uint64(l.gen)<<32 }

func (l *log) get(i int) *Entry { return l.ring[(l.at+i)&(len(l.ring)-1)] }

func (l *log) set(i int, e *Entry) { l.ring[(l.at+i)&(len(l.ring)-1)] = e }

// settleLast keeps last when the ring has lost an entry.
func (l *log) settleLast() {
	l.last = 0
	if l.n > 0 {
		l.last = l.get(l.n - 1).Seq
	}
}

// after is the index of the first entry after seq, n if there is none.
func (l *log) after(seq uint64) int {
	if l.last <= seq {
		return l.n
	}
	lo, hi := 0, l.n-1
	for lo < hi {
		mid := (lo + hi) / 2
		if l.get(mid).Seq > seq {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// place counts a follower at seq.
func (l *log) place(seq uint64) {
	if i := l.after(seq); i > 0 {
		l.get(i-1).here++
	} else {
		l.behind++
	}
}

// unplace takes a follower at seq out of the count. The caller trims.
func (l *log) unplace(seq uint64) {
	if i := l.after(seq); i > 0 {
		l.get(i-1).here--
	} else {
		l.behind--
	}
}

// placeLast counts n followers that need nothing of what there is.
func (l *log) placeLast(n uint32) {
	if l.n > 0 {
		l.get(l.n - 1).here += n
	} else {
		l.behind += n
	}
}

func (l *log) push(e *Entry) {
	if l.n == len(l.ring) {
		ring := make([]*Entry, max(4, 2*len(l.ring)))
		for i := range l.n {
			ring[i] = l.get(i)
		}
		l.ring, l.at = ring, 0
	}
	l.n++
	l.set(l.n-1, e)
	l.last = e.Seq
}

// shift takes the first entry out; the cursors at it are behind the next.
func (l *log) shift() *Entry {
	e := l.get(0)
	l.set(0, nil)
	l.at = (l.at + 1) & (len(l.ring) - 1)
	l.n--
	l.settleLast()
	l.behind += e.here
	if e.tomb() {
		l.tombs--
	} else {
		l.bytes -= int(e.size)
	}
	return e
}

// remove takes the entry or tomb at i out, from the nearer end of the ring; the
// cursors at it go to the one before.
func (l *log) remove(i int) *Entry {
	e := l.get(i)
	if i > 0 {
		l.get(i - 1).here += inherited(e.here)
	} else {
		l.behind += inherited(e.here)
	}
	if e.tomb() {
		l.tombs--
	} else {
		l.bytes -= int(e.size)
	}
	if i < l.n-1-i {
		for ; i > 0; i-- {
			l.set(i, l.get(i-1))
		}
		l.set(0, nil)
		l.at = (l.at + 1) & (len(l.ring) - 1)
	} else {
		for ; i < l.n-1; i++ {
			l.set(i, l.get(i+1))
		}
		l.set(l.n-1, nil)
	}
	l.n--
	l.settleLast()
	return e
}

// logsOf returns the logs that a session follows beside those of topics, nil
// where there is none, and its user.
func (s *Shard) logsOf(se *session) (logs [baseLogs]*log, u *user) {
	u = s.users.at(se.user)
	return [baseLogs]*log{
		s.logs[se.log], s.logs[u.log], s.logs[s.tenants[u.tenant].log],
	}, u
}

// logAt returns the log that *at names, a new one if it is 0. followers is the
// number of its readers, all of which have confirmed all that there is.
func (s *Shard) logAt(at *uint32, kind logKind, owner, followers uint32) *log {
	if *at != 0 {
		return s.logs[*at]
	}
	var l *log
	if n := len(s.freeLogs); n > 0 {
		l = s.logs[s.freeLogs[n-1]]
		s.freeLogs = s.freeLogs[:n-1]
	} else {
		l = &log{slot: uint32(len(s.logs))}
		s.logs = append(s.logs, l)
	}
	l.kind, l.owner, l.behind = kind, owner, followers
	*at = l.slot
	return l
}

// freeLog forgets a log and what is in it.
func (s *Shard) freeLog(l *log) {
	for l.n > 0 {
		s.discard(l.shift())
	}
	switch l.kind {
	case sessionLog:
		s.sessions.at(l.owner).log = 0
	case userLog:
		s.users.at(l.owner).log = 0
	case tenantLog:
		s.tenants[l.owner].log = 0
	case topicLog:
		s.topics.at(l.owner).log = 0
	}
	l.gen++
	l.open, l.dirty, l.at, l.behind = 0, 0, 0, 0
	if len(l.ring) > ringKept {
		l.ring = nil
	}
	s.freeLogs = append(s.freeLogs, l.slot)
}

// discard forgets an entry or tomb that is out of its log's ring.
func (s *Shard) discard(e *Entry) {
	if e.key != 0 {
		s.forgetKey(e)
	}
	if !e.tomb() {
		s.unlink(e)
	}
	s.unhold(e)
}

// trim lets go what every follower has confirmed, and the log itself if it has
// nothing left.
func (s *Shard) trim(l *log) {
	for l.n > 0 && l.behind == 0 {
		s.discard(l.shift())
	}
	if l.n == 0 && l.open == 0 {
		s.freeLog(l)
	}
}

// enter appends an event to a log and gives up what is over the bounds.
func (s *Shard) enter(now uint32, l *log, p Payload, o *PushOptions, except []uint32) {
	var key uint32
	if supersedes(o.Key) {
		key = s.supersede(l, o.Key)
	}
	s.seq++
	e := s.newEntry()
	e.Seq, e.Payload, e.except = s.seq, p, except
	e.log, e.at, e.size, e.until = l.slot, now, int32(p.Len()), untilOf(now, o.TTL)
	if key != 0 {
		e.key = key
		s.keys.at(key).seq = e.Seq
	}
	l.push(e)
	l.bytes += int(e.size)
	s.link(e)
	for l.n-l.tombs > s.cfg.LogEntries || l.bytes > s.cfg.LogBytes && l.n-l.tombs > 1 {
		s.giveUp(l)
	}
	for s.counts.LogBytes > s.cfg.ShardBytes && s.oldest != s.newest {
		s.giveUp(s.logs[s.oldest.log])
	}
}

// giveUp drops the oldest live entry of a log and leaves a tomb in its place,
// unless its time to live is over. The log may go with it.
func (s *Shard) giveUp(l *log) {
	e := l.get(l.tombs)
	if passedOver(s.over(e), true) {
		s.discard(l.remove(l.tombs))
		s.trim(l)
		return
	}
	tomb := s.newEntry()
	tomb.Seq, tomb.except, tomb.here, tomb.missed = e.Seq, e.except, e.here, 1
	tomb.key, tomb.until = e.key, e.until
	e.key = 0
	l.set(l.tombs, tomb)
	l.tombs++
	l.bytes -= int(e.size)
	s.discard(e)
	if l.tombs > tombsMax {
		s.joinTombs(l)
	}
}

// joinTombs makes one of the two oldest. What was missed in either is missed in
// it, unless its time to live is over, and no key names it any more.
func (s *Shard) joinTombs(l *log) {
	first := l.shift()
	next := l.get(0)
	switch {
	case passedOver(s.over(first), true):
	case passedOver(s.over(next), true):
		next.missed, next.until = first.missed, first.until
	default:
		next.missed += first.missed
		if next.until != first.until {
			next.until = unlimited
		}
	}
	if next.key != 0 {
		s.forgetKey(next)
	}
	s.discard(first)
}
