package backend

import "time"

// What time ends: events held for too long, consumers that do not ack, slots that do not come to
// rest, groups to which nobody comes back. The hub has no clock of its own: it knows what tick
// says.

// run ticks until stop is closed.
func (h *Hub) run(stop <-chan struct{}) {
	start := time.Now()
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			h.tick(now.Sub(start).Milliseconds())
		case <-stop:
			return
		}
	}
}

// tick says what time it is, in ms since any start.
func (h *Hub) tick(now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = max(h.now, now)
	for i := 0; i < len(h.groups); i++ {
		g := h.groups[i]
		g.tick()
		if g.idle() && !h.end(g) {
			i--
		}
	}
}

func (g *group) tick() {
	h := g.h
	h.stats.Expired += uint64(g.held.expire(heldSince(h.now, h.o.HoldMax), h.drop))
	if t := &g.slots; t.moving > 0 && h.now-t.since >= fenceAfter.Milliseconds() {
		t.fenced = true
	}
	for _, c := range g.consumers {
		if c.queue.missed > 0 {
			c.wakeUp() // a gap is told soon, also by one whose room is all taken by what it has not acked
		}
		since, any := c.unacked.oldest()
		if any && c.cut == nil && late(h.now-since, h.o.AckTimeout) {
			c.cut = cutFor("ack_timeout", "event %d was not acked for %s; the stream is cut",
				c.unacked.first().seq, h.o.AckTimeout)
			h.stats.AckTimeouts++
			c.wakeUp()
		}
	}
}

// idle tells whether nobody came to the group for so long, while there were consumers elsewhere,
// that it is not held for any more.
func (g *group) idle() bool {
	return len(g.consumers) == 0 && !g.asleep && g.h.consumers > 0 &&
		g.h.now-g.empty >= groupKeep.Milliseconds()
}

// end ends a group without consumers. The default one is there always, and only sleeps.
func (h *Hub) end(g *group) (stays bool) {
	g.forget()
	if g == h.groups[0] {
		g.asleep = true
		return true
	}
	h.stats.Moved += g.slots.moves
	for i, o := range h.groups {
		if o == g {
			h.groups = append(h.groups[:i], h.groups[i+1:]...)
			break
		}
	}
	return false
}

// makeRoom ends the group that has been without consumers for longest.
func (h *Hub) makeRoom() bool {
	var longest *group
	for _, g := range h.groups[1:] {
		if len(g.consumers) == 0 && (longest == nil || g.empty < longest.empty) {
			longest = g
		}
	}
	return longest != nil && !h.end(longest)
}
