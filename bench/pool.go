package bench

// pool is the connections that may be asked next, in the order in which they came to rest, so that
// all take part. Owner: loop.
type pool struct {
	ring        []int32 // of slots
	head, count int
}

func newPool(size int) pool { return pool{ring: make([]int32, max(size, 1))} }

// put adds the connection in slot, once.
func (p *pool) put(l *loop, slot int32) {
	c := &l.conns[slot]
	if c.queued {
		return
	}
	c.queued = true
	p.ring[(p.head+p.count)%len(p.ring)] = slot
	p.count++
}

// take gives the one that has rested longest; false = there is none.
func (p *pool) take(l *loop) (slot int32, ok bool) {
	for p.count > 0 {
		slot = p.ring[p.head]
		p.head = (p.head + 1) % len(p.ring)
		p.count--
		c := &l.conns[slot]
		c.queued = false
		if c.state == connOpen && c.cb == 0 {
			return slot, true
		}
	}
	return 0, false
}
