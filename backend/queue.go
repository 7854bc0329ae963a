package backend

// entry is one place in a queue: an item, or (item nil) something that only this queue tells.
type entry struct {
	*item
	only   kind   // kindGap, kindLive or kindResync when there is no item
	missed uint64 // events dropped before this entry; told as a gap before it
	seq    uint64 // given when it is taken
}

// queue is what waits for one consumer, or is held for the first one of a group. It is bounded by
// count and bytes, both of which include what a writer has taken and not written yet, so that a
// writer cannot hide an unbounded amount. Owner: the hub's mutex.
//
//	invariant: count == len(entries that hold an item) + taken
type queue struct {
	entries []entry
	count   int // items here and taken
	bytes   int // their sizes
	missed  uint64

	maxCount, maxBytes int
}

// push appends an item, or refuses it when full: the newest is dropped and counted. The first
// item always fits, however large it is.
func (q *queue) push(it *item) bool {
	if !q.fits(it) {
		q.missed++
		return false
	}
	e := q.hand(it)
	e.missed, q.missed = q.missed, 0
	q.entries = append(q.entries, e)
	return true
}

func (q *queue) fits(it *item) bool {
	return q.count < q.maxCount && (q.count == 0 || q.bytes+it.size() <= q.maxBytes)
}

// hand counts an item as given to the queue's reader, past the queue.
func (q *queue) hand(it *item) entry {
	q.count++
	q.bytes += it.size()
	it.refs++
	return entry{item: it}
}

// take gives everything queued, and keeps spare's array for what comes next. A gap that no later
// entry told stands at the end. The taken items still count, until settle.
func (q *queue) take(spare []entry) []entry {
	batch := q.entries
	q.entries = spare[:0]
	if q.missed > 0 {
		batch = append(batch, entry{only: kindGap, missed: q.missed})
		q.missed = 0
	}
	return batch
}

// settle says that a taken item is written or given up.
func (q *queue) settle(it *item) {
	q.count--
	q.bytes -= it.size()
	it.refs--
}
