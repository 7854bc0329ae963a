package backend

import (
	"math"
	"slices"
	"strconv"

	"github.com/chskd/chskd/packer"
)

// The hub as a consumer's writer sees it: subscribe, then take and settle in turn, then leave; and
// ack, from anywhere.

// subscription is what a consumer asks for.
type subscription struct {
	group    string
	format   packer.Format
	ids      globs
	presence following
	ack      bool
}

// subscribe makes a consumer and gives it its share of the group's slots.
func (h *Hub) subscribe(s subscription) (*consumer, *Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, unavailable(ErrDraining)
	}
	if h.consumers == maxConsumers {
		return nil, fail(503, "busy", "there are %d consumers already", maxConsumers)
	}
	g, err := h.group(s.group)
	if err != nil {
		return nil, err
	}
	if err := g.agrees(s); err != nil {
		return nil, err
	}
	h.named++
	c := &consumer{
		id: "c" + strconv.FormatUint(h.named, 10), group: g, format: s.format, ack: s.ack,
		presence: s.presence, queue: h.newQueue(), wake: make(chan struct{}, 1),
	}
	if !c.ack {
		c.acked = math.MaxUint64
	}
	h.consumers++
	h.byID[c.id] = c
	g.filter, g.ack = s.ids, s.ack
	if s.ids != nil {
		h.filters.Store(true)
	}
	g.join(c)
	if c.presence != followNone {
		h.follow(c)
	}
	return c, nil
}

// agrees checks that a subscription fits to the consumers that are there.
func (g *group) agrees(s subscription) *Error {
	if len(g.consumers) == 0 {
		return nil
	}
	if !slices.Equal(g.filter, s.ids) {
		return bad("conflict", `the consumers of group %q must all ask for the same "ids": `+
			`each event goes to one of them`, g.name)
	}
	if g.ack != s.ack {
		return bad("conflict", `the consumers of group %q must all ask for "ack", or none: `+
			`what one does not ack goes to the others`, g.name)
	}
	return nil
}

// group finds a group, or starts it.
func (h *Hub) group(name string) (*group, *Error) {
	for _, g := range h.groups {
		if g.name == name {
			return g, nil
		}
	}
	if len(h.groups) == maxGroups && !h.makeRoom() {
		return nil, fail(503, "busy", "there are %d groups already", maxGroups)
	}
	g := h.newGroup(name)
	h.groups = append(h.groups, g)
	return g, nil
}

// leave ends a consumer. What it has outstanding goes to the others of its group, in order, or is
// held: what waits for it, what was taken and not written, and with acks what was not acked.
// cut says that it was too slow.
func (h *Hub) leave(c *consumer, unwritten []entry, cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.gone = true
	h.consumers--
	delete(h.byID, c.id)
	h.stats.Resyncs += c.resyncs
	if cut {
		h.stats.Cut++
	}
	c.group.leave(c, unwritten)
	if h.consumers == 0 {
		h.groups[0].asleep = false
	}
	if c.presence != followNone {
		h.unfollow(c)
	}
}

// take gives a consumer's writer what waits for it, and then the next part of its snapshot.
// more: there may be more at once. ended: the stream is to end, because the hub is closed and
// nothing is left, or because c.cut says why; c.cut does not change after it.
func (h *Hub) take(c *consumer, spare []entry) (batch []entry, more, ended bool) {
	clear(spare)
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.cut != nil {
		return nil, false, true
	}
	batch, more = c.queue.take(spare, takeChunk)
	if c.snap != nil && !more && !h.closed {
		// Here, behind all that was queued: a change that was queued before must not be
		// written after a snapshot that is newer.
		batch, more = h.tell(batch, c)
	}
	h.number(c, batch)
	return batch, more, h.closed && len(batch) == 0
}

// number gives each line its seq. Here, not when it is queued: a consumer that inherits events of
// another still sees seq grow.
func (h *Hub) number(c *consumer, batch []entry) {
	for i := range batch {
		e := &batch[i]
		if e.missed > 0 {
			h.stats.Gaps++
			h.stats.Missed += e.missed
		}
		if e.item == nil && e.key == "" {
			e.seq = c.taken
			continue
		}
		h.seq++
		e.seq, c.taken = h.seq, h.seq
		if e.again {
			h.stats.Redelivered++
		}
		if c.ack && e.item != nil {
			c.give(e)
		}
	}
}

// settle says that the entries are written.
func (h *Hub) settle(c *consumer, written []entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Delivered += uint64(len(written))
	for i := range written {
		e := &written[i]
		c.written = max(c.written, e.seq)
		switch {
		case !e.counts():
		case e.item == nil:
			c.queue.free(e.size())
		case !c.ack:
			c.finish(e.item, e.slot, e.size())
		}
	}
	c.unacked.wrote(c.written, h.now)
	c.done(math.MaxInt)
}

// ack says that a consumer is done with all events that it was given, up to a seq. It may come from
// any connection. Errors: stale_ack when epoch or consumer are gone, and what they had is given to
// others; bad_ack.
func (h *Hub) ack(epoch, consumerID string, seq uint64) *Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.byID[consumerID]
	switch {
	case epoch != h.epoch:
		return fail(409, "stale_ack", "epoch %q is over; this one is %q", epoch, h.epoch)
	case c == nil:
		return fail(409, "stale_ack", "there is no consumer %q any more: "+
			"what it did not ack is given to others", consumerID)
	case !c.ack:
		return bad("bad_ack", `consumer %q did not ask for acks`, consumerID)
	case seq > c.taken:
		return bad("bad_ack", "consumer %q was given nothing above %d", consumerID, c.taken)
	}
	c.acked = max(c.acked, seq)
	for c.done(takeChunk) {
		h.mu.Unlock() // loops wait for it
		h.mu.Lock()
	}
	return nil
}
