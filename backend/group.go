package backend

import "slices"

// defaultGroup is the group of a consumer that names none. It is there from the start: what comes
// before its first consumer is held for it.
const defaultGroup = "default"

// group is a set of consumers that share the events among them. Owner: the hub's mutex.
type group struct {
	h         *Hub
	name      string
	ack       bool  // its consumers ack; the same for all of them
	filter    globs // the same for all of its consumers
	consumers []*consumer
	slots     slots

	// While there is no consumer:
	held   *queue
	known  bool  // it has had a consumer
	empty  int64 // since when there is none
	asleep bool  // nobody came for so long that nothing is held any more
}

type offerResult uint8

const (
	offerUnwanted offerResult = iota
	offerTook
	offerFull   // a gap
	offerNobody // nobody is there, and nothing is held that waits for a reply
)

// offer queues an event for the owner of its slot, or holds it.
func (g *group) offer(it *item) offerResult {
	if len(g.consumers) == 0 {
		return g.hold(it)
	}
	if !g.wants(it) {
		return offerUnwanted
	}
	s := &g.slots.all[it.slot]
	e := eventEntry(it)
	if g.slots.fenced && s.owner != s.want {
		if !g.slots.wait(e) {
			return offerFull
		}
		it.refs++
		return offerTook
	}
	if !s.owner.queue.push(e, roomNew) {
		return offerFull
	}
	it.refs++
	s.outstanding++
	s.owner.wakeUp()
	return offerTook
}

// hold keeps an event for the first consumer that comes. One that waits for a reply is not for
// later: its client is told now.
func (g *group) hold(it *item) offerResult {
	if g.asleep || !g.wants(it) {
		return offerUnwanted
	}
	full, nobody := offerFull, offerNobody
	if !g.known && g.h.consumers > 0 {
		// An application without a default group: that nobody is here is no news.
		full, nobody = offerUnwanted, offerUnwanted
	}
	if len(it.replyTo()) > 0 {
		return nobody
	}
	if g.h.o.OnFull != OnFullHold {
		g.held.missed++
		return full
	}
	e := eventEntry(it)
	e.since = g.h.now
	if !g.held.push(e, roomNew) {
		return full
	}
	it.refs++
	return offerTook
}

// wants tells whether the group's filter lets an event through.
func (g *group) wants(it *item) bool {
	if g.filter == nil {
		return true
	}
	id := it.eventID()
	return id == nil || g.filter.match(id)
}

// join gives a new consumer its share of the slots; the first one gets all of them, and what was
// held.
func (g *group) join(c *consumer) {
	others := g.consumers
	g.consumers = append(g.consumers, c)
	g.known, g.asleep = true, false
	if len(others) == 0 {
		g.slots.deal(c)
		g.unhold(c)
		return
	}
	g.slots.join(c, others, g.h.now)
	if g.slots.moving == 0 {
		g.slots.handOver()
	}
}

// unhold moves what was held to the first consumer, as far as it wants it.
func (g *group) unhold(c *consumer) {
	var skipped uint64
	for _, e := range g.held.entries {
		g.held.free(e.size())
		e.missed += skipped
		if skipped = e.missed; !g.wants(e.item) {
			g.h.drop(e.item)
			continue
		}
		skipped = 0
		g.inherit(c, e)
	}
	c.queue.missed += skipped + g.held.missed
	g.held.entries, g.held.missed = nil, 0
	c.wakeUp()
}

// rested says that a slot came to rest. The presence of its users follows with the last one.
func (g *group) rested() {
	if g.slots.moving == 0 {
		g.slots.handOver()
	}
}

// leave takes a consumer out and gives its slots to the others, with what it had outstanding: in
// order, and before anything newer of the same slots.
func (g *group) leave(c *consumer, unwritten []entry) {
	g.consumers = slices.DeleteFunc(g.consumers, func(o *consumer) bool { return o == c })
	if len(g.consumers) == 0 {
		g.empty = g.h.now
		g.slots.moving, g.slots.fenced = 0, false
		g.held.entries = slices.Grow(g.held.entries, c.queue.count)
		g.bequeath(c, unwritten)
		return
	}
	orphans := g.slots.leave(c, g.consumers, g.h.now)
	for _, i := range orphans {
		g.slots.adopt(i)
	}
	for _, heir := range g.consumers { // at once, not by doubling: loops wait for the mutex
		heir.queue.entries = slices.Grow(heir.queue.entries, c.queue.count/len(g.consumers))
	}
	g.bequeath(c, unwritten)
	for _, i := range orphans {
		g.slots.release(i)
	}
	// At once, though others may still be moving: nobody tells the presence of c's users.
	g.slots.handOver()
}

// bequeath gives what c had outstanding to its heirs, or holds it. A gap that c was not told goes
// with what comes after it.
func (g *group) bequeath(c *consumer, unwritten []entry) {
	var missed uint64
	c.outstanding(unwritten, func(e entry) {
		missed += inherited(e.missed)
		if e.item == nil {
			return
		}
		var heir *consumer
		if len(g.consumers) > 0 {
			heir = g.slots.all[e.slot].owner
		}
		e.missed, missed = missed, 0
		g.inherit(heir, e)
	})
	missed += c.queue.missed
	switch {
	case missed == 0:
	case len(g.consumers) == 0:
		g.held.missed += missed
	default:
		g.consumers[0].queue.missed += missed
		g.consumers[0].wakeUp()
	}
}

// inherit queues an event of a consumer that left for another one, or holds it.
func (g *group) inherit(to *consumer, e entry) {
	e.since = g.h.now
	if to == nil {
		if !g.held.push(e, roomInherited) {
			g.lose(e.item)
		}
		return
	}
	if !to.queue.push(e, roomInherited) {
		g.lose(e.item)
		return
	}
	g.slots.all[e.slot].outstanding++
	to.wakeUp()
}

// lose drops an event that was taken, because nobody has room for it. Its gap is counted already.
func (g *group) lose(it *item) {
	g.h.stats.Dropped++
	g.h.drop(it)
}

// forget drops all that is held, and that something was missed: nobody is meant to hear of it.
func (g *group) forget() {
	for _, e := range g.held.entries {
		g.held.free(e.size())
		g.h.stats.Expired++
		g.h.drop(e.item)
	}
	g.held.entries, g.held.missed = nil, 0
}
