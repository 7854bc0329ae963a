package backend

import "github.com/chskd/chskd/packer"

// following says whose presence a consumer hears.
type following uint8

const (
	followNone  following = iota
	followSlots           // of the users whose events it gets
	followAll
)

// consumer is one stream of events. Owner: the hub's mutex, except what is said to be constant.
//
//	event: queue -> taken (being written) -> done
//	with acks: queue -> taken -> written -> acked, in either order -> done
type consumer struct {
	id       string        // constant
	group    *group        // constant
	format   packer.Format // constant
	presence following     // constant
	ack      bool          // constant
	wake     chan struct{} // constant; one token = there may be something to take

	queue *queue
	slots int    // how many it is to have
	spare int    // of them, what it gives away now; see slots.join
	gone  bool   // it has left
	cut   *Error // why its stream is to end, when it is not the hub that ends

	taken uint64 // the last seq it was given

	// With acks. written and acked are seqs: an event is done when both have come to it. (A wicked
	// consumer may ack what is not written yet, while its writer still reads it.)
	unacked        unacked
	written, acked uint64

	snap    *snapshot // of who is online, while it is being told
	resync  bool      // the snapshot starts again, and the consumer must be told so
	resyncs uint64
}

// wakeUp never blocks.
func (c *consumer) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// follows tells whether presence of the users of a slot is for this consumer.
func (c *consumer) follows(slot uint16) bool {
	return c.presence == followAll || c.group.slots.all[slot].teller == c
}

// rescan starts the snapshot again. One that has told nothing yet just goes on.
func (c *consumer) rescan() {
	if c.snap != nil && !c.snap.begun {
		c.wakeUp()
		return
	}
	c.snap = newSnapshot(c.group.h.chunk)
	c.resync = true
	c.resyncs++
	c.wakeUp()
}

// give notes that an event is on its way to a consumer that acks.
func (c *consumer) give(e *entry) {
	c.unacked.push(given{item: e.item, seq: e.seq, bytes: e.bytes, slot: e.slot, again: e.again})
}

// done frees what is both written and acked, at most so many. more: there are others.
func (c *consumer) done(most int) (more bool) {
	upTo := doneUpTo(c.written, c.acked)
	for n := 0; c.unacked.len() > 0 && c.unacked.first().seq <= upTo; n++ {
		if n == most {
			return true
		}
		g := *c.unacked.first()
		c.unacked.pop()
		c.finish(g.item, g.slot, int(g.bytes))
		c.group.h.stats.Acked++
	}
	return false
}

// finish says that nothing is to be done for an event any more.
func (c *consumer) finish(it *item, slot uint16, size int) {
	c.queue.free(size)
	c.group.h.drop(it)
	t := &c.group.slots
	t.all[slot].outstanding--
	if t.all[slot].owner != t.all[slot].want && t.rest(slot) {
		c.group.rested()
	}
}

// outstanding yields the events that c leaves undone, in order, with the gaps that it was not told.
// unwritten is what its writer had taken and not written.
func (c *consumer) outstanding(unwritten []entry, yield func(entry)) {
	if c.ack {
		// The events come from the list of those that are not acked, the gaps from the writer.
		unwritten = c.bringBack(unwritten, yield)
	}
	for _, e := range unwritten {
		if c.ack {
			e.item = nil
		}
		yield(e)
	}
	for _, e := range c.queue.waiting() {
		yield(e)
	}
}

// bringBack yields what was given and not acked, and returns what is left of unwritten after it.
func (c *consumer) bringBack(unwritten []entry, yield func(entry)) (rest []entry) {
	for ; c.unacked.len() > 0; c.unacked.pop() {
		g := c.unacked.first()
		e := entry{
			item: g.item, bytes: g.bytes, slot: g.slot, again: marked(g.again, g.seq <= c.written),
		}
		for ; len(unwritten) > 0 && !unwritten[0].after(g.seq); unwritten = unwritten[1:] {
			e.missed += unwritten[0].missed
		}
		if g.seq <= c.acked {
			c.group.h.drop(e.item)
			e.item = nil
		}
		yield(e)
	}
	return unwritten
}
