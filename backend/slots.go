package backend

// slot is one part of the users of a group. One consumer, the owner, is given its events; it moves
// to the one who is to have it (want) when the owner has nothing of it outstanding any more, so
// that a uid's events stay in order.
//
//	owner == want  <=>  the slot is not moving
//	moving          =>  outstanding > 0
type slot struct {
	owner, want *consumer
	teller      *consumer // who tells the presence of its users; follows owner, see handOver
	outstanding int32     // events queued for the owner, being written, or given and not acked
}

// slots are all those of one group, with what waits for those that move. Owner: the hub's mutex.
type slots struct {
	all    []slot
	moving int   // slots on the move
	since  int64 // when the first of them began
	moves  uint64

	// fenced: the slots have been moving for so long that they would never come to rest by
	// themselves. What is new of them waits here for the next owner, with room in its queue, so that
	// the present one comes to an end.
	fenced bool
	fence  map[uint16][]entry
}

// deal gives all slots to the first consumer.
func (t *slots) deal(c *consumer) {
	for i := range t.all {
		t.all[i] = slot{owner: c, want: c, teller: c}
	}
	c.slots = len(t.all)
}

// give says who is to have slot i, and moves it if nothing of it is outstanding.
func (t *slots) give(i int, to *consumer, now int64) {
	s := &t.all[i]
	s.want.slots--
	to.slots++
	t.redirect(uint16(i), to)
	was := s.owner != s.want
	s.want = to
	switch is := s.owner != to; {
	case is && !was:
		if t.moving == 0 {
			t.since = now
		}
		t.moving++
		t.rest(uint16(i))
	case was && !is:
		t.stay(uint16(i))
	}
}

// rest moves a slot of which nothing is outstanding. It tells whether it moved.
func (t *slots) rest(i uint16) bool {
	s := &t.all[i]
	if s.owner == s.want || !mayMove(s) {
		return false
	}
	s.owner = s.want
	t.moves++
	t.stay(i)
	return true
}

// stay ends the move of a slot: what waited for its owner is queued.
func (t *slots) stay(i uint16) {
	t.settled()
	t.release(i)
}

// settled counts a slot that is no longer on the move.
func (t *slots) settled() {
	t.moving--
	if t.moving == 0 {
		t.fenced = false
	}
}

// release queues what waited at the fence for the owner.
func (t *slots) release(i uint16) {
	waits, any := t.fence[i]
	if !any {
		return
	}
	s := &t.all[i]
	for _, e := range waits {
		s.owner.queue.put(e)
	}
	s.outstanding += int32(len(waits))
	s.owner.wakeUp()
	delete(t.fence, i)
}

// redirect gives what waits at the fence to another next owner.
func (t *slots) redirect(i uint16, to *consumer) {
	waits, any := t.fence[i]
	if !any {
		return
	}
	from := t.all[i].want
	kept := waits[:0]
	for _, e := range waits {
		from.queue.free(e.size())
		if to.queue.reserve(&e, roomInherited) {
			kept = append(kept, e)
		} else {
			to.group.lose(e.item)
		}
	}
	clear(waits[len(kept):])
	if t.fence[i] = kept; len(kept) == 0 {
		delete(t.fence, i)
	}
}

// wait keeps a new event of a moving slot for its next owner.
func (t *slots) wait(e entry) bool {
	if !t.all[e.slot].want.queue.reserve(&e, roomNew) {
		return false
	}
	if t.fence == nil {
		t.fence = map[uint16][]entry{}
	}
	t.fence[e.slot] = append(t.fence[e.slot], e)
	return true
}

// join gives a new consumer its share, each slot from the one who has most: so few slots move as
// can be. Those on the move are taken first, then those that can move at once.
func (t *slots) join(c *consumer, others []*consumer, now int64) {
	spread(others, len(t.all)/(len(others)+1))
	for _, fits := range []func(s *slot) bool{
		func(s *slot) bool { return s.owner != s.want },
		func(s *slot) bool { return s.outstanding == 0 },
		func(*slot) bool { return true },
	} {
		for i := range t.all {
			s := &t.all[i]
			if s.want.spare > 0 && fits(s) {
				s.want.spare--
				t.give(i, c, now)
			}
		}
	}
}

// spread says how many slots each gives away so that a newcomer gets its share: one after the
// other from the one who has most.
func spread(from []*consumer, share int) {
	for range share {
		most := from[0]
		for _, c := range from[1:] {
			if c.slots-c.spare > most.slots-most.spare {
				most = c
			}
		}
		most.spare++
	}
}

// leave gives the slots that c had, or was to have, to the others, each to the one who has fewest.
// Those that were on their way to c go back where that is fair. It tells which slots lost their
// owner: what c had outstanding of them is for the new one, before the fence is opened.
func (t *slots) leave(c *consumer, others []*consumer, now int64) (orphans []uint16) {
	fair := len(t.all) / len(others)
	for i := range t.all {
		if s := &t.all[i]; s.want == c && s.owner != c && s.owner.slots < fair {
			t.give(i, s.owner, now)
		}
	}
	for i := range t.all {
		s := &t.all[i]
		if s.want == c {
			t.give(i, poorest(others), now)
		}
		if s.owner == c {
			orphans = append(orphans, uint16(i))
		}
	}
	return orphans
}

// adopt moves a slot whose owner is gone. What that one had of it is to be queued for the new one
// before release.
func (t *slots) adopt(orphan uint16) {
	s := &t.all[orphan]
	s.owner, s.outstanding = s.want, 0
	t.moves++
	t.settled()
}

// poorest is the consumer with the fewest slots.
func poorest(list []*consumer) *consumer {
	p := list[0]
	for _, c := range list[1:] {
		if c.slots < p.slots {
			p = c
		}
	}
	return p
}

// handOver lets the owners tell the presence of their users from now on, and starts the snapshots
// of those again whose share changed. It is done once for all slots that move together, when the
// last one came to rest: one by one, each would start a snapshot from nothing.
func (t *slots) handOver() {
	changed := map[*consumer]struct{}{}
	for i := range t.all {
		s := &t.all[i]
		if s.teller != s.owner {
			changed[s.teller], changed[s.owner] = struct{}{}, struct{}{}
			s.teller = s.owner
		}
	}
	for c := range changed {
		if c.presence == followSlots && !c.gone {
			c.rescan()
		}
	}
}
