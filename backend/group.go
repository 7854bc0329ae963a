package backend

import "slices"

// defaultGroup is the group of a consumer that names none, and the only one that holds events
// while it has no consumer.
const defaultGroup = "default"

// group is a set of consumers that share the events among them. Owner: the hub's mutex.
type group struct {
	name      string
	filter    globs // the same for all of its consumers
	consumers []*consumer
	slots     [slotCount]slot
	held      *queue // the default group's, for its first consumer; nil = nothing is held
}

// slot is one part of the users. A slot that is to go to another consumer stays with its owner
// until the owner has written what it has of it, so that a uid's events stay in order.
//
//	invariant: owner == want, or queued > 0
type slot struct {
	owner, want *consumer
	queued      int32 // events of the slot that wait in owner's queue or are being written
}

type offerResult uint8

const (
	offerUnwanted offerResult = iota
	offerTook
	offerFull
)

// offer queues an event for the owner of its slot, or holds it.
func (g *group) offer(it *item) offerResult {
	if len(g.consumers) == 0 {
		// Held events are for later; a client that waits for a reply is told now.
		if g.held == nil || len(it.replyTo()) > 0 {
			return offerUnwanted
		}
		if !g.held.push(it) {
			return offerFull
		}
		return offerTook
	}
	if !g.wants(it) {
		return offerUnwanted
	}
	s := &g.slots[it.slot]
	if !s.owner.queue.push(it) {
		return offerFull
	}
	s.queued++
	s.owner.wakeUp()
	return offerTook
}

// badEventID is the id under which a filter knows what is not an event (Sente's own name).
var badEventID = []byte("chsk/bad-event")

func (g *group) wants(it *item) bool {
	if g.filter == nil {
		return true
	}
	id := badEventID
	if it.kind == kindEvent {
		if id = eventID(it.format, it.value()); id == nil {
			return true
		}
	}
	return g.filter.match(id)
}

// join gives a new consumer its share of the slots, taken from those who have more; the first
// one gets all of them, and what was held.
func (g *group) join(c *consumer) {
	g.consumers = append(g.consumers, c)
	if len(g.consumers) == 1 {
		for i := range g.slots {
			g.slots[i] = slot{owner: c, want: c}
		}
		c.slots = slotCount
		g.unhold(c)
		return
	}
	share := slotCount / len(g.consumers)
	for i := range g.slots {
		s := &g.slots[i]
		if c.slots == share {
			break
		}
		if s.want.slots > share {
			s.give(c)
		}
	}
}

// give says who is to have the slot, and moves it if nothing of it waits.
func (s *slot) give(c *consumer) {
	s.want.slots--
	c.slots++
	s.want = c
	s.settle()
}

// settle moves a slot that waits to be moved, when nothing of it is outstanding any more. The
// presence of its users moves along: both sides get a fresh snapshot.
func (s *slot) settle() {
	if s.queued == 0 && s.owner != s.want {
		s.owner.moved()
		s.want.moved()
		s.owner = s.want
	}
}

// unhold moves what was held to the first consumer, as far as it wants it.
func (g *group) unhold(c *consumer) {
	if g.held == nil {
		return
	}
	held := g.held.take(nil)
	for _, e := range held {
		c.queue.missed += e.missed
		if e.item == nil {
			continue
		}
		g.held.settle(e.item)
		if g.wants(e.item) && c.queue.push(e.item) {
			g.slots[e.slot].queued++
		}
		if e.refs == 0 {
			e.recycle()
		}
	}
	c.wakeUp()
}

// leave takes a consumer out and gives its slots and what it did not write to the others.
// dropped counts the events that found no place.
func (g *group) leave(c *consumer, unwritten []entry) (dropped uint64) {
	g.consumers = slices.DeleteFunc(g.consumers, func(o *consumer) bool { return o == c })
	for i := range g.slots {
		s := &g.slots[i]
		if s.want == c {
			s.want = g.poorest()
			if s.want != nil {
				s.want.slots++
			}
		}
		if s.owner == c {
			s.owner, s.queued = s.want, 0
			if s.owner != nil {
				s.owner.moved()
			}
		} else {
			s.settle()
		}
	}
	missed := c.queue.missed
	for _, e := range slices.Concat(unwritten, c.queue.entries) {
		missed += e.missed
		if e.item == nil {
			continue
		}
		c.queue.settle(e.item)
		if e.kind <= kindBadEvent && !g.inherit(e.item) {
			dropped++
		}
		if e.refs == 0 {
			e.recycle()
		}
	}
	g.inheritMissed(missed)
	return dropped
}

// inherit queues an event of a consumer that left.
func (g *group) inherit(it *item) bool {
	if len(g.consumers) == 0 {
		return g.held != nil && g.held.push(it)
	}
	s := &g.slots[it.slot]
	if !s.owner.queue.push(it) {
		return false
	}
	s.queued++
	s.owner.wakeUp()
	return true
}

// inheritMissed lets somebody tell the gap that was not told yet.
func (g *group) inheritMissed(missed uint64) {
	switch {
	case missed == 0:
	case len(g.consumers) > 0:
		g.consumers[0].queue.missed += missed
		g.consumers[0].wakeUp()
	case g.held != nil:
		g.held.missed += missed
	}
}

// poorest is the consumer with the fewest slots; nil when there is none.
func (g *group) poorest() *consumer {
	var p *consumer
	for _, c := range g.consumers {
		if p == nil || c.slots < p.slots {
			p = c
		}
	}
	return p
}
