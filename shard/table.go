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

// slab is values of T addressed by slot. T must hold no pointer: then the
// collector never looks into the chunks. Slot 0 is never used. Values do not
// move.
type slab[T any] struct {
	chunks []*[chunkLen]T
	used   uint32 // highest slot ever handed out
}

func (l *slab[T]) at(slot uint32) *T {
	return &l.chunks[slot/chunkLen][slot%chunkLen]
}

// extend hands out a slot that was never used.
func (l *slab[T]) extend() uint32 {
	l.used++
	if l.used/chunkLen >= uint32(len(l.chunks)) {
		l.chunks = append(l.chunks, new([chunkLen]T))
	}
	return l.used
}

// index is linear hashing over values that are chained by slot: it grows by one
// bucket per insertion, splitting one chain, so that a million values never pay
// for one large rehash. It costs 4 bytes a value beside the links: the buckets lie
// in chunks, so that growing copies nothing and leaves no room over.
type index struct {
	live    int
	buckets []*[chunkLen]uint32
	n       uint32 // buckets
	low     uint32 // power of two, low <= n < 2*low
}

func (x *index) head(bucket uint32) *uint32 {
	return &x.buckets[bucket/chunkLen][bucket%chunkLen]
}

// bucket is the address of hash by linear hashing: the buckets below
// n-low are split already and use one more bit.
func (x *index) bucket(hash uint32) uint32 {
	b := hash & (2*x.low - 1)
	if b >= x.n {
		b &= x.low - 1
	}
	return b
}

// first returns the first slot that may hold hash, 0 for none; the rest of the
// chain is reached by link. The caller compares.
func (x *index) first(hash uint32) uint32 {
	if x.n == 0 {
		return 0
	}
	return *x.head(x.bucket(hash))
}

// chained gives the hash of the value in slot, and where its link is.
type chained func(slot uint32) (hash uint32, link *uint32)

// enter puts the value in slot into the index.
func (x *index) enter(slot, hash uint32, link *uint32, at chained) {
	x.live++
	x.grow(at)
	head := x.head(x.bucket(hash))
	*link = *head
	*head = slot
}

// leave takes the value in slot out of the index.
func (x *index) leave(slot, hash uint32, link *uint32, at chained) {
	from := x.head(x.bucket(hash))
	for *from != slot {
		_, from = at(*from)
	}
	*from = *link
	x.live--
}

// grow splits one bucket when there are more values than buckets.
func (x *index) grow(at chained) {
	if x.n > 0 && x.live <= int(x.n) {
		return
	}
	if x.n/chunkLen == uint32(len(x.buckets)) {
		x.buckets = append(x.buckets, new([chunkLen]uint32))
	}
	to := x.n
	x.n++
	if to == 0 {
		x.low = 1
		return
	}
	from := to - x.low
	slot := *x.head(from)
	*x.head(from) = 0
	mask := 2*x.low - 1
	for slot != 0 {
		hash, link := at(slot)
		next := *link
		b := from
		if hash&mask == to {
			b = to
		}
		head := x.head(b)
		*link = *head
		*head = slot
		slot = next
	}
	if to == mask {
		x.low *= 2
	}
}

// table is a slab of values with an index over them and ids that outlive them.
type table[T any, P tabled[T]] struct {
	slab[T]
	index
	free uint32 // head of the free list
}

func (t *table[T, P]) at(slot uint32) P { return P(t.slab.at(slot)) }

func (t *table[T, P]) chained(slot uint32) (hash uint32, link *uint32) {
	n := t.at(slot).base()
	return n.hash, &n.link
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

// add takes a free slot, zeroes it and enters it under hash.
func (t *table[T, P]) add(hash uint32) (uint32, P) {
	slot := t.free
	if slot != 0 {
		t.free = t.at(slot).base().link
	} else {
		slot = t.extend()
	}
	v := t.at(slot)
	gen := v.base().gen + 1
	*v = *new(T)
	n := v.base()
	n.gen, n.hash = gen, hash
	t.enter(slot, hash, &n.link, t.chained)
	return slot, v
}

// remove takes slot out of the index and frees it. Its bytes stay as they are
// until the slot is used again, only its gen tells that it is free.
func (t *table[T, P]) remove(slot uint32) {
	n := t.at(slot).base()
	t.leave(slot, n.hash, &n.link, t.chained)
	n.gen++
	n.link = t.free
	t.free = slot
}
