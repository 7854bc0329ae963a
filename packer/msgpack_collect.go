package packer

// sequence reads an array of count elements. Where s is given, the first of them are noted in it.
func (d *msgpackDecoder) sequence(count int, s *slots) fault {
	if count > len(d.b)-d.i {
		return faultEnd
	}
	if f := d.enter(); f != fine {
		return f
	}
	var inner *slots
	if s != nil {
		s.kind, s.count, inner = kindVector, 0, s.inner
	}
	var open frame
	d.out.begin(kindVector, &open)
	sum := saltSequence
	for n := range count {
		d.out.elem(n, &open)
		start := d.i
		k, f := d.value(inner)
		if f != fine {
			return f
		}
		inner = nil
		if s != nil {
			s.note(k, start, d.i)
		}
		if d.hashing {
			sum = mix(sum, d.hash)
		}
	}
	d.depth--
	d.out.end(kindVector, &open)
	d.hash = sum
	return fine
}

// set reads the array that the content of a set is; its size bytes end at i.
func (d *msgpackDecoder) set(size int) fault {
	b := d.b
	d.b, d.i = b[:d.i], d.i-size
	count, f := d.setLen()
	if f != fine {
		return f
	}
	if f := d.enter(); f != fine {
		return f
	}
	hashing := d.hashing
	var keys keySet
	d.keys.open(&keys)
	var open frame
	d.out.begin(kindSet, &open)
	sum := saltSet
	d.hashing = true
	for n := range count {
		d.out.elem(n, &open)
		start := d.i
		if _, f := d.value(nil); f != fine {
			return f
		}
		if f := d.addKey(&keys, start); f != fine {
			return f
		}
		sum += mix(d.hash, saltSet)
	}
	if d.i != len(d.b) {
		return faultSyntax
	}
	d.b = b
	d.depth--
	d.keys.close(&keys)
	d.out.end(kindSet, &open)
	d.hash, d.hashing = sum, hashing
	return fine
}

// setLen reads the header of the array in a set.
func (d *msgpackDecoder) setLen() (count int, f fault) {
	c, f := d.take(1)
	if f != fine {
		return 0, f
	}
	switch {
	case c[0] >= mpFixArray && c[0] < mpFixStr:
		count = int(c[0] & 0xf)
	case c[0] == mpArray16 || c[0] == mpArray32:
		return d.length(int(lengthWidth[c[0]-mpNil]))
	default:
		return 0, faultSyntax
	}
	if count > len(d.b)-d.i {
		return 0, faultEnd
	}
	return count, fine
}

// mapping reads a map of count keys.
func (d *msgpackDecoder) mapping(count int) fault {
	if count > (len(d.b)-d.i)/2 {
		return faultEnd
	}
	if f := d.enter(); f != fine {
		return f
	}
	hashing := d.hashing
	var keys keySet
	var open frame
	d.keys.open(&keys)
	d.out.beginMap(&open)
	sum := saltMap
	for n := range count {
		d.hashing = true
		d.out.key(n, &open)
		if f := d.key(&keys); f != fine {
			return f
		}
		d.out.keyed(&open)
		h := d.hash
		d.hashing = hashing
		if _, f := d.value(nil); f != fine {
			return f
		}
		if hashing {
			sum += mix(h, d.hash)
		}
	}
	d.depth--
	d.keys.close(&keys)
	d.out.endMap(&open)
	d.hash = sum
	return fine
}

// key reads a map key, itself or by reference. A keyword or string that stands here takes the next
// index, whoever wrote it and whether or not it is referred to; what stands in a composite key took
// its own before.
func (d *msgpackDecoder) key(keys *keySet) fault {
	start := d.i
	d.keyStart, d.byRef = start, false
	k, f := d.value(nil)
	if f != fine {
		return f
	}
	if (k == kindKeyword || k == kindString) && !d.byRef {
		d.cached.add(start)
	}
	return d.addKey(keys, start)
}

// addKey wants the key just read, which began at start, to differ from those in the set.
func (d *msgpackDecoder) addKey(keys *keySet, start int) fault {
	if earlier, dup := d.keys.add(keys, d.hash, start); dup && d.rehash(earlier) == d.rehash(start) {
		d.i = start
		return faultDuplicate
	}
	return fine
}

// rehash reads the key at i again, with the second seed. References in it find what they found.
func (d *msgpackDecoder) rehash(i int) uint64 {
	again := msgpackDecoder{
		b: d.b, i: i, keyStart: i, cached: d.cached,
		hasher: hasher{hashing: true, seed: 1 - d.seed},
	}
	again.cached.frozen = true
	again.out.to = nowhere
	if _, f := again.value(nil); f != fine {
		panic("packer: a key is not readable a second time")
	}
	return again.hash
}

// How much longer a value may become when the keys that references stand for are written out: a
// megabyte of references to one long key would be gigabytes.
const (
	expandedFree   = 256 << 10 // bytes of keys in any case
	expandedFactor = 16        // and how many times the length of what was read
)

// reference reads the key that an index stands for; content is the index.
func (d *msgpackDecoder) reference(start int, content []byte) (kind, fault) {
	if start != d.keyStart || len(content) != 1 {
		return 0, faultReference
	}
	at, ok := d.cached.at(int(content[0]))
	if !ok {
		return 0, faultReference
	}
	i := d.i
	d.i = at
	k, f := d.value(nil)
	d.expanded += d.i - at
	d.i = i
	if d.expanded > expandedFree+expandedFactor*i {
		f = faultExpanded
	}
	d.refs, d.byRef = true, true
	return k, f
}

// Sizes of a keyTable.
const (
	cachedMax    = 256 // keys that an index can name; later ones are never referred to
	cachedInline = 48  // keys that need no allocation
)

// keyTable holds where the map keys stand that have an index.
type keyTable struct {
	n      int
	frozen bool // nothing is added: the keys are being read again
	inline [cachedInline]int32
	more   []int32
}

func (t *keyTable) add(at int) {
	switch {
	case t.frozen || t.n == cachedMax:
		return
	case t.n < cachedInline:
		t.inline[t.n] = int32(at)
	case t.more == nil:
		t.more = make([]int32, 0, cachedMax-cachedInline)
		fallthrough
	default:
		t.more = append(t.more, int32(at))
	}
	t.n++
}

func (t *keyTable) at(index int) (at int, ok bool) {
	switch {
	case index >= t.n:
		return 0, false
	case index < cachedInline:
		return int(t.inline[index]), true
	}
	return int(t.more[index-cachedInline]), true
}
