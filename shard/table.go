package shard

// chunkLen is the number of slots in a chunk of a table.
const chunkLen = 1024

// node is what a table keeps in each of its values: 12 bytes.
//
// gen counts the lives of a slot: odd while it is live, even while it is free,
// so that an id made of slot and gen never names a later value.
type node struct {
	hash uint32
	link uint32 // next slot in the bucket, or in the free list
	gen  uint32
}

func (n *node) base() *node { return n }

type tabled[T any] interface {
	*T
	base() *node
}

// table is a slab of values addressed by slot, with a hash index over them. T
// must hold no pointer: then the collector never looks into the chunks. Slot 0
// is never used. Values do not move.
//
// The index is linear hashing: it grows by one bucket per insertion, splitting
// one chain, so that a million sessions never pay for one large rehash. It
// costs 4 bytes a value beside its node.
type table[T any, P tabled[T]] struct {
	chunks  []*[chunkLen]T
	used    uint32 // highest slot ever handed out
	free    uint32 // head of the free list
	live    int
	buckets []uint32
	low     uint32 // power of two, low <= len(buckets) < 2*low
}

func (t *table[T, P]) at(slot uint32) P {
	return P(&t.chunks[slot/chunkLen][slot%chunkLen])
}

// id names the value in slot now and never again.
func (t *table[T, P]) id(slot uint32) uint64 {
	return uint64(slot) | uint64(t.at(slot).base().gen)<<32
}

// get returns the slot and value of id, or a nil value if it is gone.
func (t *table[T, P]) get(id uint64) (uint32, P) {
	slot := uint32(id)
	if slot == 0 || slot > t.used {
		return 0, nil
	}
	v := t.at(slot)
	if v.base().gen != uint32(id>>32) || !v.base().alive() {
		return 0, nil
	}
	return slot, v
}

func (n *node) alive() bool { return n.gen&1 == 1 }

// bucket is the address of hash by linear hashing: the buckets below
// len-low are split already and use one more bit.
func (t *table[T, P]) bucket(hash uint32) uint32 {
	b := hash & (2*t.low - 1)
	if b >= uint32(len(t.buckets)) {
		b &= t.low - 1
	}
	return b
}

// first returns the first slot that may hold hash, 0 for none; the rest of the
// chain is reached by link. The caller compares.
func (t *table[T, P]) first(hash uint32) uint32 {
	if len(t.buckets) == 0 {
		return 0
	}
	return t.buckets[t.bucket(hash)]
}

// add takes a free slot, zeroes it and enters it under hash.
func (t *table[T, P]) add(hash uint32) (uint32, P) {
	slot := t.free
	if slot != 0 {
		t.free = t.at(slot).base().link
	} else {
		t.used++
		slot = t.used
		if slot/chunkLen >= uint32(len(t.chunks)) {
			t.chunks = append(t.chunks, new([chunkLen]T))
		}
	}
	v := t.at(slot)
	gen := v.base().gen + 1
	*v = *new(T)
	n := v.base()
	n.gen, n.hash = gen, hash
	t.live++
	t.grow()
	b := t.bucket(hash)
	n.link = t.buckets[b]
	t.buckets[b] = slot
	return slot, v
}

// grow splits one bucket when there are more values than buckets.
func (t *table[T, P]) grow() {
	if len(t.buckets) == 0 {
		t.buckets, t.low = make([]uint32, 1, 64), 1
		return
	}
	if t.live <= len(t.buckets) {
		return
	}
	from := uint32(len(t.buckets)) - t.low
	t.buckets = append(t.buckets, 0)
	to := uint32(len(t.buckets)) - 1
	slot := t.buckets[from]
	t.buckets[from] = 0
	mask := 2*t.low - 1
	for slot != 0 {
		n := t.at(slot).base()
		next := n.link
		b := from
		if n.hash&mask == to {
			b = to
		}
		n.link = t.buckets[b]
		t.buckets[b] = slot
		slot = next
	}
	if to == mask {
		t.low *= 2
	}
}

// remove takes slot out of the index and frees it. Its bytes stay as they are
// until the slot is used again, only its gen tells that it is free.
func (t *table[T, P]) remove(slot uint32) {
	n := t.at(slot).base()
	at := &t.buckets[t.bucket(n.hash)]
	for *at != slot {
		at = &t.at(*at).base().link
	}
	*at = n.link
	n.gen++
	n.link = t.free
	t.free = slot
	t.live--
}
