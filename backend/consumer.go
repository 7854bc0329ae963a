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
	c.unacked.push(given{item: e.item, seq: e.seq, again: e.again})
}

// done frees what is both written and acked.
func (c *consumer) done() {
	for upTo := doneUpTo(c.written, c.acked); c.unacked.len() > 0; {
		g := c.unacked.first()
		if g.seq > upTo {
			return
		}
		it := g.item
		c.unacked.pop()
		c.finish(it)
		c.group.h.stats.Acked++
	}
}

// finish says that nothing is to be done for an event any more.
func (c *consumer) finish(it *item) {
	slot := it.slot
	c.queue.free(it.size())
	c.group.h.drop(it)
	t := &c.group.slots
	t.all[slot].outstanding--
	if t.all[slot].owner != t.all[slot].want && t.rest(slot) {
		c.group.rested()
	}
}

// outstanding are the events that c leaves undone, in order, with the gaps that it was not told.
// unwritten is what its writer had taken and not written.
func (c *consumer) outstanding(unwritten []entry) []entry {
	if !c.ack {
		return append(unwritten[:len(unwritten):len(unwritten)], c.queue.entries...)
	}
	// The events come from the list of those that are not acked, the gaps from the writer.
	var out []entry
	for ; c.unacked.len() > 0; c.unacked.pop() {
		g := c.unacked.first()
		e := entry{item: g.item, again: marked(g.again, g.seq <= c.written)}
		for ; len(unwritten) > 0 && !unwritten[0].after(g.seq); unwritten = unwritten[1:] {
			e.missed += unwritten[0].missed
		}
		if g.seq <= c.acked {
			c.group.h.drop(e.item)
			e.item = nil
		}
		out = append(out, e)
	}
	for _, e := range unwritten {
		out = append(out, entry{missed: e.missed})
	}
	return append(out, c.queue.entries...)
}
