package backend

// snapshot tells a consumer who is online, at the pace at which it reads, while users come and go.
//
//	scan    positions below it are told; what changes there is listed and told, what changes above
//	        is left to the scan
//	chase   the scan is at its end, the list is not empty yet
//	freeze  a reader that is slower than the changes never gets to the end of the list: the list is
//	        closed, and told as things stand now. What changes from here on is listed for later.
//	live    the list is empty: the consumer knows the truth of this moment, or of the freeze's
//	tail    after a freeze: the later list is told, as changes
//
// A user is listed once, however often it comes and goes: three bits and at most 8 bytes for each
// user bound what a slow reader costs. Owner: the hub's mutex.
//
//	invariant: told and listed are false at and above scan
type snapshot struct {
	chunk int    // constant
	begun bool   // something was looked at
	live  bool   // said
	scan  uint32 // the next position to look at

	told   bits     // what the consumer believes, by position
	listed bits     // the positions in list that are still to be told
	list   []uint32 // oldest first

	chase  int  // how much of the list may be told before the freeze
	frozen bool // set by the freeze, until live
	later  bits // with frozen: the positions in next
	next   []uint32
}

// newSnapshot tells of at most chunk users under the hub's mutex at once, twice: for the scan, and
// for the list.
func newSnapshot(chunk int) *snapshot { return &snapshot{chunk: chunk, chase: -1} }

// change notes that a user came or went.
func (s *snapshot) change(pos uint32, open bool) {
	switch {
	case ahead(pos, s.scan):
	case !s.frozen:
		if !s.listed.get(pos) {
			s.listed.set(pos, true)
			s.list = append(s.list, pos)
		}
	case !s.later.get(pos):
		// At the freeze it was the other way round: if that is told, nothing of it is to tell now.
		if s.told.get(pos) != open {
			s.listed.set(pos, false)
		}
		s.later.set(pos, true)
		s.next = append(s.next, pos)
	}
}

// pins tells whether the consumer still has to be told of the user at a position.
func (s *snapshot) pins(pos uint32) bool {
	return s.told.get(pos) || s.listed.get(pos) || s.later.get(pos)
}

// tell appends the next part to a batch. more: it can go on at once. over: the consumer knows it
// all, the snapshot has done its work.
func (s *snapshot) tell(batch []entry, p *present, c *consumer) (_ []entry, more, over bool) {
	s.begun = true
	batch = s.tellListed(batch, p)
	batch, scanned := s.tellScan(batch, p, c)
	if !scanned {
		return batch, true, false
	}
	if !p.filled {
		return batch, len(s.list) > 0, false
	}
	if len(s.list) > 0 {
		if s.chase < 0 {
			s.chase = len(s.list) + s.chunk
		}
		if !s.live && s.chase == 0 && !s.frozen {
			s.frozen = true
		}
		return batch, true, false
	}
	if !s.live {
		s.live = true
		batch = append(batch, entry{only: kindLive})
	}
	if s.frozen {
		// Those that came since the freeze are above the scan, and are told by it.
		s.frozen = false
		s.list, s.next = s.next, nil
		s.listed, s.later = s.later, nil
		return batch, true, false
	}
	return batch, false, true
}

// tellListed tells what changed below the scan.
func (s *snapshot) tellListed(batch []entry, p *present) []entry {
	n := 0
	for told := 0; n < len(s.list) && told < s.chunk; n++ {
		pos := s.list[n]
		if !s.listed.get(pos) {
			continue
		}
		s.listed.set(pos, false)
		// What changed since the freeze and is listed still was the other way round then.
		is := atFreeze(s.told.get(pos), p.online.get(pos), s.later.get(pos))
		if is != s.told.get(pos) {
			s.told.set(pos, is)
			batch = append(batch, p.entry(is, pos))
			told++
		}
	}
	if s.chase > 0 {
		s.chase -= min(n, s.chase)
	}
	s.list = s.list[n:]
	return batch
}

// tellScan goes on with the scan, unless the list is closed. done: it is at its end.
func (s *snapshot) tellScan(batch []entry, p *present, c *consumer) (_ []entry, done bool) {
	if s.frozen {
		return batch, true
	}
	for told, looked := 0, 0; s.scan < p.used; s.scan++ {
		if told == s.chunk || looked == 16*s.chunk {
			return batch, false
		}
		looked++
		if p.online.get(s.scan) && c.follows(p.at(s.scan).slot) {
			s.told.set(s.scan, true)
			batch = append(batch, p.entry(true, s.scan))
			told++
		}
	}
	return batch, true
}

// bits is a set of positions. It grows as it is needed.
type bits []uint64

func (b bits) get(i uint32) bool {
	w := int(i >> 6)
	return w < len(b) && b[w]>>(i&63)&1 != 0
}

func (b *bits) set(i uint32, on bool) {
	w := int(i >> 6)
	for w >= len(*b) {
		if !on {
			return
		}
		*b = append(*b, 0)
	}
	if on {
		(*b)[w] |= 1 << (i & 63)
	} else {
		(*b)[w] &^= 1 << (i & 63)
	}
}
