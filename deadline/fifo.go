package deadline

// chunkLen is the number of entries in one chunk of a FIFO, so that a queue of a
// million entries has about a thousand chunks to free. A chunk with the allocator's
// header fills 12 KiB, which is one of its sizes; one of 1024 would take 13.25 KiB.
const chunkLen = 1022

// FIFO is a queue of (id, due) in the order in which they fall due. The zero
// value is ready for use.
//
// Invariant: head < chunkLen while first != nil, and due times never decrease
// from head to tail.
//
// Owner: loop.
type FIFO struct {
	first, last *chunk
	head, tail  int // index of the first entry in first, and past the last in last
	len         int
	spare       *chunk // one empty chunk kept, so that a steady queue allocates nothing
}

// chunk has the ids and dues apart: 12 bytes an entry instead of 16.
type chunk struct {
	next *chunk
	ids  [chunkLen]uint64
	dues [chunkLen]uint32
}

// Push arms a deadline: id falls due at due. Dues must not decrease from one
// Push to the next; a due that lies before the last one comes out late, behind
// it.
func (f *FIFO) Push(id uint64, due uint32) {
	if f.last == nil || f.tail == chunkLen {
		f.grow()
	}
	f.last.ids[f.tail] = id
	f.last.dues[f.tail] = due
	f.tail++
	f.len++
}

func (f *FIFO) grow() {
	c := f.spare
	f.spare = nil
	if c == nil {
		c = new(chunk)
	}
	if f.last == nil {
		f.first, f.head = c, 0
	} else {
		f.last.next = c
	}
	f.last, f.tail = c, 0
}

// Pop takes the head out if it is due at now, and says whether it was.
func (f *FIFO) Pop(now uint32) (id uint64, ok bool) {
	if f.len == 0 || int32(now-f.first.dues[f.head]) < 0 {
		return 0, false
	}
	id = f.first.ids[f.head]
	f.head++
	f.len--
	switch {
	case f.len == 0:
		// Start again at the front of the chunk that is there.
		f.head, f.tail = 0, 0
	case f.head == chunkLen:
		c := f.first
		f.first, f.head = c.next, 0
		c.next = nil
		f.spare = c
	}
	return id, true
}

// Due tells when the head falls due; ok is false for an empty queue.
func (f *FIFO) Due() (due uint32, ok bool) {
	if f.len == 0 {
		return 0, false
	}
	return f.first.dues[f.head], true
}

// Len is the number of entries, those included that nobody waits for any more.
func (f *FIFO) Len() int { return f.len }
