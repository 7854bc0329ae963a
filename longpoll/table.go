package longpoll

import "github.com/chskd/chskd/deadline"

// Table holds the open polls of one loop's sessions.
//
// Owner: loop.
type Table struct {
	timeout    uint32
	perSession int

	polls    []*[chunkLen]poll // slab by slot, 0 unused
	used     uint32            // highest slot ever used
	free     uint32
	byRef    chain
	bySess   chain         // newest poll of a session
	due      deadline.FIFO // slot | life<<32
	waiting  int
	nextLife uint32
}

// chunkLen is the number of polls in a chunk of the slab.
const chunkLen = 1024

// poll is one waiting request, 40 bytes without pointers; the polls of a session are a
// list, newest first.
type poll struct {
	ref, session uint64
	life         uint32 // tells a slot's uses apart; 0 = free
	older, newer uint32 // older is the free list's link while free
	refLink      uint32 // in byRef, and
	sessLink     uint32 // in bySess, if it is its session's newest
}

// New returns a Table whose polls wait for timeout ms, at most perSession of
// one session, the current one included (at least 1).
func New(timeout uint32, perSession int) *Table {
	return &Table{
		timeout: timeout, perSession: max(perSession, 1),
		byRef: chain{
			key:  func(p *poll) uint64 { return p.ref },
			link: func(p *poll) *uint32 { return &p.refLink },
		},
		bySess: chain{
			key:  func(p *poll) uint64 { return p.session },
			link: func(p *poll) *uint32 { return &p.sessLink },
		},
	}
}

func (t *Table) at(slot uint32) *poll { return &t.polls[slot/chunkLen][slot%chunkLen] }

// newSlot finds a free slot.
func (t *Table) newSlot() uint32 {
	if slot := t.free; slot != 0 {
		t.free = t.at(slot).older
		return slot
	}
	t.used++
	if t.used/chunkLen >= uint32(len(t.polls)) {
		t.polls = append(t.polls, new([chunkLen]poll))
	}
	return t.used
}

// Park lets the poll ref wait for session, as its current one. The poll that
// was current waits on as an orphan, for its own deadline. evicted is the
// oldest orphan, if there are too many: it is forgotten and to be answered
// :chsk/timeout now; 0 = none. A ref that waits already is parked anew.
func (t *Table) Park(now uint32, ref, session uint64) (evicted uint64) {
	t.Take(ref)
	slot := t.newSlot()
	t.nextLife++
	if t.nextLife == 0 {
		t.nextLife = 1
	}
	before := t.bySess.find(t, session)
	*t.at(slot) = poll{ref: ref, session: session, life: t.nextLife, older: before}
	if before != 0 {
		t.at(before).newer = slot
		t.bySess.leave(t, before)
	}
	t.byRef.enter(t, slot)
	t.bySess.enter(t, slot)
	t.due.Push(uint64(slot)|uint64(t.nextLife)<<32, now+t.timeout)
	t.waiting++
	return t.evict(slot)
}

// evict forgets the oldest poll of the list that begins at slot if the list is
// too long.
func (t *Table) evict(slot uint32) uint64 {
	n, last := 1, slot
	for t.at(last).older != 0 {
		last = t.at(last).older
		n++
	}
	if n <= t.perSession {
		return 0
	}
	ref := t.at(last).ref
	t.forget(last)
	return ref
}

// Take forgets the poll ref, which is answered or gone; false if it does not
// wait.
func (t *Table) Take(ref uint64) bool {
	slot := t.byRef.find(t, ref)
	if slot != 0 {
		t.forget(slot)
	}
	return slot != 0
}

// Session tells which session a waiting poll belongs to, and whether it is that
// session's current one.
func (t *Table) Session(ref uint64) (session uint64, current, ok bool) {
	slot := t.byRef.find(t, ref)
	if slot == 0 {
		return 0, false, false
	}
	p := t.at(slot)
	return p.session, p.newer == 0, true
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
		if t.at(slot).life != uint32(id>>32) {
			continue
		}
		p := *t.at(slot)
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
	for slot := uint32(1); slot <= t.used; slot++ {
		if p := *t.at(slot); p.life != 0 {
			visit(p.ref, p.session, p.newer == 0)
		}
	}
}

func (t *Table) forget(slot uint32) {
	p := t.at(slot)
	t.byRef.leave(t, slot)
	if p.newer != 0 {
		t.at(p.newer).older = p.older
	} else {
		t.bySess.leave(t, slot)
		if p.older != 0 {
			t.bySess.enter(t, p.older)
		}
	}
	if p.older != 0 {
		t.at(p.older).newer = p.newer
	}
	*p = poll{older: t.free}
	t.free = slot
	t.waiting--
}
