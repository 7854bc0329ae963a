package longpoll

// chain is a hash index over polls that are linked by slot. It doubles when it has as many
// polls as heads, so that it takes 4 to 8 bytes a poll; a map takes 20 to 39. Its keys are
// ids of our own making, so that nobody can choose them to meet in one chain.
type chain struct {
	heads []uint32 // as many as a power of two, or none
	live  int
	key   func(*poll) uint64
	link  func(*poll) *uint32
}

// head is where the chain of key begins; there must be heads.
func (c *chain) head(key uint64) *uint32 {
	h := key * 0x9e3779b97f4a7c15
	return &c.heads[h>>32&uint64(len(c.heads)-1)]
}

// find returns the slot of the poll of key, 0 if there is none.
func (c *chain) find(t *Table, key uint64) uint32 {
	if c.live == 0 {
		return 0
	}
	slot := *c.head(key)
	for slot != 0 && c.key(t.at(slot)) != key {
		slot = *c.link(t.at(slot))
	}
	return slot
}

// enter puts the poll in slot into the index, which must have none of its key.
func (c *chain) enter(t *Table, slot uint32) {
	if c.live == len(c.heads) {
		c.grow(t)
	}
	c.live++
	c.push(t, slot)
}

func (c *chain) push(t *Table, slot uint32) {
	p := t.at(slot)
	head := c.head(c.key(p))
	*c.link(p), *head = *head, slot
}

// leave takes the poll in slot, which is in the index, out of it.
func (c *chain) leave(t *Table, slot uint32) {
	p := t.at(slot)
	at := c.head(c.key(p))
	for *at != slot {
		at = c.link(t.at(*at))
	}
	*at = *c.link(p)
	c.live--
}

func (c *chain) grow(t *Table) {
	old := c.heads
	c.heads = make([]uint32, max(2*len(old), 64))
	for _, slot := range old {
		for slot != 0 {
			next := *c.link(t.at(slot))
			c.push(t, slot)
			slot = next
		}
	}
}
