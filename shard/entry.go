package shard

// Entry is one pushed event in one log. The shard owns it and its Payload; the
// caller reads both through a Run, and only as long as that is valid.
//
// An entry that a log had to give up leaves a tomb in its place: an Entry
// without Payload, which tells the sessions that still needed it how much they
// missed, and where.
//
// An entry whose time to live is over is passed over like a blank; where a log
// would have to give it up, it goes without a tomb.
//
// Owner: loop.
type Entry struct {
	Seq     uint64 // unique in the shard, increasing
	Payload Payload

	except []uint32 // sorted slots of users that do not get it
	key    uint32   // in Shard.keys, 0 = none
	until  uint32   // when its time to live is over; or unlimited, or isOver

	older, newer *Entry // all live entries of the shard, in seq order
	log          uint32
	at           uint32 // when it was pushed
	size         int32
	holds        int32  // by its log, and by each memoized run
	missed       uint32 // tomb: number of entries that it stands for, else 0
	here         uint32 // cursors whose confirmed is at or after Seq, before the next entry
}

// spareMax is the number of recycled entries kept: 16384 of 96 bytes, 1.5 MiB.
const spareMax = 16384

// Two values of until that are no time: no time to live was given, and it was
// seen to be over, which no turn of the clock takes back.
const (
	unlimited = 0
	isOver    = 1
)

// untilOf is when a time to live of ttl ms is over, unlimited for 0.
func untilOf(now, ttl uint32) uint32 {
	if ttl == 0 {
		return unlimited
	}
	return max(now+ttl, isOver+1)
}

// over tells whether the time to live of e is over, and counts it once.
func (s *Shard) over(e *Entry) bool {
	if e.until <= isOver {
		return e.until == isOver
	}
	if !expired(s.now, e.until) {
		return false
	}
	e.until = isOver
	s.counts.Expired++
	return true
}

func (e *Entry) tomb() bool { return e.missed > 0 }

func (s *Shard) newEntry() *Entry {
	e := s.spare
	if e == nil {
		return &Entry{holds: 1}
	}
	s.spare, s.spares = e.newer, s.spares-1
	*e = Entry{holds: 1}
	return e
}

// unhold gives one hold of e back. The last one releases the payload.
func (s *Shard) unhold(e *Entry) {
	e.holds--
	if e.holds > 0 {
		return
	}
	if e.Payload != nil {
		e.Payload.Release()
	}
	*e = Entry{}
	if s.spares < spareMax {
		e.newer = s.spare
		s.spare, s.spares = e, s.spares+1
	}
}

// link enters a new live entry, which is the newest of all logs.
func (s *Shard) link(e *Entry) {
	e.older = s.newest
	if s.newest != nil {
		s.newest.newer = e
	} else {
		s.oldest = e
	}
	s.newest = e
	s.counts.Entries++
	s.counts.LogBytes += int(e.size)
}

// unlink takes a live entry out of the shard's order.
func (s *Shard) unlink(e *Entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
	e.older, e.newer = nil, nil
	s.counts.Entries--
	s.counts.LogBytes -= int(e.size)
}

// dropAged lets entries go that are older than LogAge. The shard's order is the
// order of age, and the oldest entry of all is the oldest of its own log.
func (s *Shard) dropAged(now uint32) {
	for range advanceMax {
		if s.oldest == nil || !reached(now, s.oldest.at+s.cfg.LogAge) {
			return
		}
		s.giveUp(s.logs[s.oldest.log])
	}
}
