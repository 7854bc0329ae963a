package backend

import "slices"

// entry is one place in a queue: an event (item), or what is told without one: a change of
// presence (key), or a line of the stream itself (gap, live, resync).
type entry struct {
	*item
	key    string // of the user whose presence it is, as in [present]
	bytes  int32  // what it counts, and the item's slot: here, so that a queue that moves as a
	slot   uint16 // whole does not touch its items
	only   kind   // when there is no item
	again  bool   // a consumer was given it before, and died without an ack
	loose  bool   // takes no room in the queue, as a part of a snapshot
	since  int64  // when it was held, by the hub's clock
	missed uint64 // events dropped before this entry; told as a gap before it
	seq    uint64 // given when it is taken
}

// entryOverhead is about what an entry costs in a queue besides the bytes of its item or key.
const entryOverhead = 80

func (e *entry) size() int { return int(e.bytes) }

func eventEntry(it *item) entry { return entry{item: it, bytes: int32(it.size()), slot: it.slot} }

// tells is what the entry's line tells.
func (e *entry) tells() kind {
	if e.item != nil {
		return e.item.kind
	}
	return e.only
}

// counts tells whether the entry has room in its queue: the stream's own lines take none.
func (e *entry) counts() bool { return !e.loose && (e.item != nil || e.key != "") }

// after tells whether the entry comes after the event with a seq. A line that has no seq of its own
// has that of the one before it.
func (e *entry) after(seq uint64) bool {
	return e.seq > seq || e.seq == seq && e.item == nil
}

// presenceEntry tells that the user of a key came or went.
func presenceEntry(open bool, key string) entry {
	k := kindClose
	if open {
		k = kindOpen
	}
	return entry{only: k, key: key, bytes: int32(len(key) + entryOverhead)}
}

// queue is what waits for one consumer, or is held while a group has none. It is bounded by
// count and bytes, both of which include what its reader has and is not done with: what is being
// written, and with acks what is not acked. Owner: the hub's mutex.
//
//	invariant: count == entries that count + those that the reader has + those reserved
type queue struct {
	entries []entry
	head    int // entries before it are taken
	count   int
	bytes   int
	missed  uint64 // events dropped since the last entry

	maxCount, maxBytes int
}

// What is taken over from a consumer that left was inside its bounds; its heir may go over its
// own for it, so that a death among busy consumers loses nothing.
const (
	roomNew       = 1
	roomInherited = 2
)

// push appends an entry, or refuses it when full: the newest is dropped, and counted with the gap
// before it.
func (q *queue) push(e entry, room int) bool {
	if !q.reserve(&e, room) {
		return false
	}
	q.put(e)
	return true
}

// reserve makes room for an entry that put appends now or later.
func (q *queue) reserve(e *entry, room int) bool {
	if !q.fits(e.size(), room) {
		q.missed += e.missed
		if e.item != nil {
			q.missed++
		}
		return false
	}
	q.count++
	q.bytes += e.size()
	return true
}

// put appends what has its room already.
func (q *queue) put(e entry) {
	e.missed += q.missed
	q.missed = untold(q.missed)
	if len(q.entries) == cap(q.entries) && q.head > len(q.entries)/2 {
		n := copy(q.entries, q.waiting())
		clear(q.entries[n:])
		q.entries, q.head = q.entries[:n], 0
	}
	q.entries = append(q.entries, e)
}

// fits: one entry always does, however large it is.
func (q *queue) fits(size, room int) bool {
	return q.count < room*q.maxCount && (q.count == 0 || q.bytes+size <= room*q.maxBytes)
}

// free gives an entry's room back.
func (q *queue) free(size int) {
	q.count--
	q.bytes -= size
}

// waiting are the entries that are not taken.
func (q *queue) waiting() []entry { return q.entries[q.head:] }

// take gives at most so many entries, in spare's array or in the queue's own: one of them is
// for what comes next. A gap that no later entry told stands at the end. What is taken keeps its
// room until free. left: there are more.
func (q *queue) take(spare []entry, most int) (batch []entry, left bool) {
	roomy := cap(q.entries) > 4*most // after a backlog; not kept for ever
	if q.head == 0 && len(q.entries) <= most && !roomy {
		batch, q.entries = q.entries, spare[:0]
	} else {
		part := q.waiting()
		part = part[:min(most, len(part))]
		batch = append(spare[:0], part...)
		clear(part)
		if q.head += len(part); q.head < len(q.entries) {
			return batch, true
		}
		if q.entries, q.head = q.entries[:0], 0; roomy {
			q.entries = nil
		}
	}
	if q.missed > 0 {
		batch = append(batch, entry{only: kindGap, missed: q.missed})
		q.missed = 0
	}
	return batch, false
}

// expire drops the entries at the front that are held since before a time, and counts them as a
// gap in their place.
func (q *queue) expire(before int64, drop func(*item)) (events int) {
	var missed uint64
	n := 0
	for ; n < len(q.entries) && q.entries[n].since < before; n++ {
		e := &q.entries[n]
		missed += 1 + e.missed
		q.free(e.size())
		drop(e.item)
	}
	if n == 0 {
		return 0
	}
	q.entries = slices.Delete(q.entries, 0, n)
	if len(q.entries) > 0 {
		q.entries[0].missed += missed
	} else {
		q.missed += missed
	}
	return n
}

// given is an event that a consumer was given and has not acked.
type given struct {
	*item
	seq   uint64
	since int64 // when it was written, by the hub's clock
	bytes int32
	slot  uint16
	again bool
}

// unacked are the events that a consumer was given and has not acked, oldest first. Its array is
// used over and over: it grows to the most that was ever outstanding. Owner: the hub's mutex.
type unacked struct {
	list    []given
	head    int // of those that are not done
	written int // those before it are written
}

func (u *unacked) len() int { return len(u.list) - u.head }

func (u *unacked) first() *given { return &u.list[u.head] }

func (u *unacked) push(g given) {
	if len(u.list) == cap(u.list) && u.head >= len(u.list)/2 {
		n := copy(u.list, u.list[u.head:])
		clear(u.list[n:])
		u.list, u.head, u.written = u.list[:n], 0, u.written-u.head
	}
	u.list = append(u.list, g)
}

// wrote says that what was given up to a seq is written.
func (u *unacked) wrote(upTo uint64, now int64) {
	for ; u.written < len(u.list) && u.list[u.written].seq <= upTo; u.written++ {
		u.list[u.written].since = now
	}
}

// oldest is since when the oldest one waits for its ack.
func (u *unacked) oldest() (since int64, any bool) {
	if u.head == u.written {
		return 0, false
	}
	return u.list[u.head].since, true
}

func (u *unacked) pop() {
	u.list[u.head] = given{}
	u.head++
	u.written = max(u.written, u.head)
	if u.head == len(u.list) {
		u.list, u.head, u.written = u.list[:0], 0, 0
	}
}
