package backend

import (
	"slices"
	"strconv"

	"github.com/chskd/chskd/packer"
)

// The hub as a consumer's writer sees it: subscribe, then take and settle in turn, then leave.

// subscription is what a consumer asks for.
type subscription struct {
	group    string
	format   packer.Format
	ids      globs
	presence following
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
	if len(g.consumers) > 0 && !slices.Equal(g.filter, s.ids) {
		return nil, bad("conflict", `the consumers of group %q must all ask for the same "ids": `+
			`each event goes to one of them`, g.name)
	}
	h.named++
	c := &consumer{
		id: "c" + strconv.FormatUint(h.named, 10), group: g, format: s.format,
		presence: s.presence, queue: h.newQueue(), wake: make(chan struct{}, 1),
		scanning: s.presence != followNone,
	}
	h.consumers++
	g.filter = s.ids
	g.join(c)
	if c.presence != followNone {
		h.watchers = append(h.watchers, c)
		h.track()
	}
	return c, nil
}

// group finds a group, or starts it.
func (h *Hub) group(name string) (*group, *Error) {
	for _, g := range h.groups {
		if g.name == name {
			return g, nil
		}
	}
	if len(h.groups) == maxGroups {
		return nil, fail(503, "busy", "there are %d groups already", maxGroups)
	}
	g := &group{name: name}
	h.groups = append(h.groups, g)
	return g, nil
}

// leave ends a consumer. What it has taken and not written, and what waits for it, goes to the
// others of its group, in order, or is held. cut says that it was too slow.
func (h *Hub) leave(c *consumer, unwritten []entry, cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.consumers--
	h.stats.Resyncs += c.resyncs
	if cut {
		h.stats.Cut++
	}
	g := c.group
	h.stats.Dropped += g.leave(c, unwritten)
	if len(g.consumers) == 0 && g.held == nil {
		h.groups = slices.DeleteFunc(h.groups, func(o *group) bool { return o == g })
	}
	if c.presence == followNone {
		return
	}
	h.watchers = slices.DeleteFunc(h.watchers, func(o *consumer) bool { return o == c })
	if len(h.watchers) == 0 {
		h.present = nil
		h.tracking.Store(false)
	}
}

// take gives a consumer's writer everything that waits for it, and the next part of its snapshot.
// more: there may be more at once. ended: the hub is closed and nothing is left.
func (h *Hub) take(c *consumer, spare []entry) (batch []entry, more, ended bool) {
	clear(spare)
	h.mu.Lock()
	defer h.mu.Unlock()
	batch = c.queue.take(spare)
	if c.scanning && !h.closed {
		// Here, behind all that was queued: a change that was queued before must not be
		// written after a snapshot that is newer.
		batch, more = h.scan(batch, c)
	}
	// Numbered here: a consumer that inherits events of another still sees seq grow.
	for i := range batch {
		if batch[i].item != nil {
			h.seq++
			batch[i].seq = h.seq
		}
	}
	return batch, more, h.closed && len(batch) == 0
}

// settle says that the entries are written.
func (h *Hub) settle(c *consumer, written []entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Delivered += uint64(len(written))
	for _, e := range written {
		if e.item != nil {
			c.settle(e.item)
		}
	}
}
