package backend

import (
	"errors"
	"fmt"
)

// The hub's inside, as its simulation and its unit tests use it.

type (
	Consumer = consumer
	Entry    = entry
)

// NewSmallHub makes a hub with fewer slots, and snapshots in smaller pieces.
func NewSmallHub(o HubOptions, slots, chunk int) *Hub {
	h := NewHub(o)
	h.slots, h.chunk = slots, chunk
	h.groups[0] = h.newGroup(defaultGroup)
	return h
}

// Subscribe's presence is 0, 1 (that of the consumer's slots) or 2 (all).
func (h *Hub) Subscribe(group string, ack bool, presence int) (*Consumer, error) {
	c, err := h.subscribe(subscription{group: group, ack: ack, presence: following(presence)})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (h *Hub) Take(c *Consumer, spare []Entry) ([]Entry, bool, bool) { return h.take(c, spare) }

func (h *Hub) Settle(c *Consumer, written []Entry) { h.settle(c, written) }

func (h *Hub) Leave(c *Consumer, unwritten []Entry, cut bool) { h.leave(c, unwritten, cut) }

func (h *Hub) Ack(epoch, id string, seq uint64) *Error { return h.ack(epoch, id, seq) }

func (h *Hub) Tick(ms int64) { h.tick(ms) }

// LoadPage fills the set of who is online; started tells which set it was asked for.
func (h *Hub) LoadPage(set any, page *Connected, last bool) { h.load(set.(*present), page, last) }

// PresentSet is the set that waits to be filled, nil = none.
func (h *Hub) PresentSet() any {
	if h.present == nil || h.present.filled {
		return nil
	}
	return h.present
}

// PresentSize is how many positions the set has, and how many of them are of users that left.
func (h *Hub) PresentSize() (positions, dead int) {
	return int(h.present.used), len(h.present.dead)
}

func (h *Hub) Slot(tenant, uid string, nilUID bool, client string) int {
	return int(slotOf(h.slots, []byte(tenant), []byte(uid), nilUID, []byte(client)))
}

// GroupEmpty tells whether a group is there and has no consumer; asleep, that it is not held for.
func (h *Hub) GroupEmpty(name string) (there, empty, asleep bool) {
	for _, g := range h.groups {
		if g.name == name {
			return true, len(g.consumers) == 0, g.asleep
		}
	}
	return false, true, false
}

func (c *Consumer) ID() string { return c.id }

func (c *Consumer) Slots() int { return c.slots }

func (c *Consumer) Cut() *Error { return c.cut }

func (c *Consumer) Follows(slot int) bool { return c.follows(uint16(slot)) }

func (c *Consumer) Frozen() bool { return c.snap != nil && c.snap.frozen }

// UnackedCap is how much memory the list of what is not acked has, in entries.
func (c *Consumer) UnackedCap() int { return cap(c.unacked.list) }

func (c *Consumer) Outstanding() (count, bytes int) { return c.queue.count, c.queue.bytes }

func (e *Entry) Tells() string {
	return [...]string{"event", "bad-event", "open", "close", "gap", "live", "resync"}[e.tells()]
}

func (e *Entry) Seq() uint64 { return e.seq }

func (e *Entry) Missed() uint64 { return e.missed }

func (e *Entry) Again() bool { return e.again }

func (e *Entry) Value() string { return string(e.value()) }

// Key is the user's key of a line of presence.
func (e *Entry) Key() string { return e.key }

// KeyOf is how Key names a user.
func KeyOf(tenant, uid string, nilUID bool) string {
	return string(appendKey(nil, []byte(tenant), []byte(uid), nilUID))
}

// Check compares what the hub counts with what is there.
func (h *Hub) Check() error {
	for _, g := range h.groups {
		if err := g.check(); err != nil {
			return fmt.Errorf("group %s: %w", g.name, err)
		}
	}
	return nil
}

func (g *group) check() error {
	if n := len(g.held.entries); n != g.held.count || len(g.consumers) > 0 && n > 0 {
		return fmt.Errorf("%d held, counted %d, %d consumers", n, g.held.count, len(g.consumers))
	}
	if len(g.consumers) == 0 {
		return nil
	}
	moving := 0
	queued := make([]int32, len(g.slots.all)) // at least so many are outstanding
	for _, c := range g.consumers {
		count := 0
		for _, e := range c.queue.waiting() {
			if e.item != nil {
				queued[e.slot]++
			}
			count++
		}
		for i := c.unacked.head; i < len(c.unacked.list); i++ {
			queued[c.unacked.list[i].slot]++
			count++
		}
		if most := roomInherited * c.queue.maxCount; c.queue.count < count || c.queue.count > most {
			return fmt.Errorf("%s counts %d, has %d, may have %d", c.id, c.queue.count, count, most)
		}
	}
	for i := range g.slots.all {
		s := &g.slots.all[i]
		if s.owner.gone || s.want.gone || s.teller.gone {
			return fmt.Errorf("slot %d is with a consumer that left", i)
		}
		if s.owner != s.want {
			moving++
			if s.outstanding == 0 {
				return fmt.Errorf("slot %d should have moved", i)
			}
		} else if len(g.slots.fence[uint16(i)]) > 0 {
			return fmt.Errorf("slot %d is fenced and does not move", i)
		}
		if q := queued[i]; s.outstanding < q || g.ack && s.outstanding != q {
			return fmt.Errorf("slot %d counts %d outstanding, there are %d", i, s.outstanding, q)
		}
	}
	if moving != g.slots.moving {
		return fmt.Errorf("%d slots move, counted %d", moving, g.slots.moving)
	}
	return g.checkShares()
}

func (g *group) checkShares() error {
	low := len(g.slots.all) / len(g.consumers)
	for _, c := range g.consumers {
		n := 0
		for i := range g.slots.all {
			if g.slots.all[i].want == c {
				n++
			}
		}
		if n != c.slots || n < low || n > low+1 {
			return fmt.Errorf("%s is to have %d slots, counted %d, a fair share is %d", c.id, n,
				c.slots, low)
		}
	}
	return nil
}

// CheckEmpty tells whether anything is left when nobody is there any more.
func (h *Hub) CheckEmpty() error {
	if h.stats.Items != 0 {
		return fmt.Errorf("%d events are still in memory", h.stats.Items)
	}
	if len(h.watchers) != 0 || h.present != nil || len(h.byID) != 0 || h.consumers != 0 {
		return errors.New("a consumer is still known")
	}
	for _, g := range h.groups {
		if g.held.bytes != 0 || g.held.count != 0 || len(g.slots.fence) != 0 {
			return fmt.Errorf("group %s still counts %d bytes", g.name, g.held.bytes)
		}
	}
	return nil
}

// Fenced is how many events of a slot wait for its next owner, in all groups.
func (h *Hub) Fenced(slot int) (n int) {
	for _, g := range h.groups {
		n += len(g.slots.fence[uint16(slot)])
	}
	return n
}

// Taken is the last seq that a consumer was given.
func (c *Consumer) Taken() uint64 { return c.taken }
