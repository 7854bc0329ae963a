package longpoll

import "github.com/chskd/chskd/deadline"

// Table holds the open polls of one loop's sessions.
//
// Owner: loop.
type Table struct {
	timeout    uint32
	perSession int

	polls    []poll // slab, 0 unused
	free     uint32
	byRef    map[uint64]uint32
	bySess   map[uint64]uint32 // newest poll of a session
	due      deadline.FIFO     // slot | serial<<32
	waiting  int
	nextLife uint32
}

// poll is one waiting request; the polls of a session are a list, newest first.
type poll struct {
	ref, session uint64
	life         uint32 // tells a slot's uses apart; 0 = free
	older, newer uint32 // older is the free list's link while free
}

// New returns a Table whose polls wait for timeout ms, at most perSession of
// one session, the current one included (at least 1).
func New(timeout uint32, perSession int) *Table {
	return &Table{
		timeout: timeout, perSession: max(perSession, 1),
		polls: make([]poll, 1),
		byRef: map[uint64]uint32{}, bySess: map[uint64]uint32{},
	}
}

// Park lets the poll ref wait for session, as its current one. The poll that
// was current waits on as an orphan, for its own deadline. evicted is the
// oldest orphan, if there are too many: it is forgotten and to be answered
// :chsk/timeout now; 0 = none. A ref that waits already is parked anew.
func (t *Table) Park(now uint32, ref, session uint64) (evicted uint64) {
	t.Take(ref)
	slot := t.free
	if slot != 0 {
		t.free = t.polls[slot].older
	} else {
		slot = uint32(len(t.polls))
		t.polls = append(t.polls, poll{})
	}
	t.nextLife++
	if t.nextLife == 0 {
		t.nextLife = 1
	}
	before := t.bySess[session]
	t.polls[slot] = poll{ref: ref, session: session, life: t.nextLife, older: before}
	if before != 0 {
		t.polls[before].newer = slot
	}
	t.byRef[ref], t.bySess[session] = slot, slot
	t.due.Push(uint64(slot)|uint64(t.nextLife)<<32, now+t.timeout)
	t.waiting++
	return t.evict(slot)
}

// evict forgets the oldest poll of the list that begins at slot if the list is
// too long.
func (t *Table) evict(slot uint32) uint64 {
	n, last := 1, slot
	for t.polls[last].older != 0 {
		last = t.polls[last].older
		n++
	}
	if n <= t.perSession {
		return 0
	}
	ref := t.polls[last].ref
	t.forget(last)
	return ref
}

// Take forgets the poll ref, which is answered or gone; false if it does not
// wait.
func (t *Table) Take(ref uint64) bool {
	slot, ok := t.byRef[ref]
	if ok {
		t.forget(slot)
	}
	return ok
}

// Session tells which session a waiting poll belongs to, and whether it is that
// session's current one.
func (t *Table) Session(ref uint64) (session uint64, current, ok bool) {
	slot, ok := t.byRef[ref]
	if !ok {
		return 0, false, false
	}
	return t.polls[slot].session, t.polls[slot].newer == 0, true
}

// Timeout takes one poll that is due, and forgets it; the caller loops until ok
// is false. current tells whether it was its session's current poll.
func (t *Table) Timeout(now uint32) (ref, session uint64, current, ok bool) {
	for {
		id, due := t.due.Pop(now)
		if !due {
			return 0, 0, false, false
		}
		slot := uint32(id)
		if t.polls[slot].life != uint32(id>>32) {
			continue
		}
		p := t.polls[slot]
		t.forget(slot)
		return p.ref, p.session, p.newer == 0, true
	}
}

// Due is when Timeout should be asked next; ok is false if nothing waits.
func (t *Table) Due() (due uint32, ok bool) {
	if t.waiting == 0 {
		return 0, false
	}
	return t.due.Due()
}

// Len is the number of waiting polls.
func (t *Table) Len() int { return t.waiting }

// Each visits all waiting polls, in no particular order. The visitor may Take.
func (t *Table) Each(visit func(ref, session uint64, current bool)) {
	for slot := 1; slot < len(t.polls); slot++ {
		if p := t.polls[slot]; p.life != 0 {
			visit(p.ref, p.session, p.newer == 0)
		}
	}
}

func (t *Table) forget(slot uint32) {
	p := t.polls[slot]
	delete(t.byRef, p.ref)
	switch {
	case p.newer != 0:
		t.polls[p.newer].older = p.older
	case p.older != 0:
		t.bySess[p.session] = p.older
	default:
		delete(t.bySess, p.session)
	}
	if p.older != 0 {
		t.polls[p.older].newer = p.newer
	}
	t.polls[slot] = poll{older: t.free}
	t.free = slot
	t.waiting--
}
