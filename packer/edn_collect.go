package packer

// sequence reads a list or vector up to its closing delimiter. Where s is given, the first elements
// are noted in it.
func (d *ednDecoder) sequence(k kind, end byte, s *slots) fault {
	d.i++
	if f := d.enter(); f != fine {
		return f
	}
	var inner *slots
	if s != nil {
		s.kind, s.count, inner = k, 0, s.inner
	}
	var open frame
	d.out.begin(k, &open)
	sum := saltSequence
	for n := 0; ; n++ {
		if f := d.next(); f != fine {
			return f
		}
		if d.b[d.i] == end {
			break
		}
		d.out.elem(n, &open)
		start := d.i
		elem, f := d.value(inner)
		if f != fine {
			return f
		}
		inner = nil
		if s != nil {
			s.note(elem, start, d.i)
		}
		if d.hashing {
			sum = mix(sum, d.hash)
		}
	}
	d.i++
	d.depth--
	d.out.end(k, &open)
	d.hash = sum
	return fine
}

// set reads #{...}; i is at the brace.
func (d *ednDecoder) set() fault {
	d.i++
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
	for n := 0; ; n++ {
		if f := d.next(); f != fine {
			return f
		}
		if d.b[d.i] == '}' {
			break
		}
		d.out.elem(n, &open)
		if f := d.key(&keys, span{}); f != fine {
			return f
		}
		sum += mix(d.hash, saltSet)
	}
	d.i++
	d.depth--
	d.keys.close(&keys)
	d.out.end(kindSet, &open)
	d.hash, d.hashing = sum, hashing
	return fine
}

// key reads a map key or set element, which must differ from those in the set already. ns is the
// namespace for it.
func (d *ednDecoder) key(keys *keySet, ns span) fault {
	start := d.i
	var f fault
	d.ns = ns
	if d.b[start] == ':' {
		f = d.keyword() // nearly always
	} else {
		_, f = d.value(nil)
	}
	d.ns = span{}
	if f != fine {
		return f
	}
	if earlier, dup := d.keys.add(keys, d.hash, start); dup && d.same(earlier, start, ns) {
		d.i = start
		return faultDuplicate
	}
	return fine
}

// same tells whether the values at i and j are equal, once their hashes are.
func (d *ednDecoder) same(i, j int, ns span) bool {
	return d.rehash(i, ns) == d.rehash(j, ns)
}

// rehash reads the value at i again, with the second seed. Symbolic NaN has no equal, itself
// included.
func (d *ednDecoder) rehash(i int, ns span) uint64 {
	again := ednDecoder{b: d.b, i: i, ns: ns, hasher: hasher{hashing: true, seed: 1 - d.seed}}
	again.out.to = nowhere
	if _, f := again.value(nil); f != fine {
		panic("packer: a key is not readable a second time")
	}
	return again.hash
}

// mapping reads {...}; i is at the brace. ns is the namespace of a namespaced map.
func (d *ednDecoder) mapping(ns span) fault {
	d.i++
	if f := d.enter(); f != fine {
		return f
	}
	hashing := d.hashing
	var keys keySet
	var object frame
	d.keys.open(&keys)
	d.out.beginMap(&object)
	sum := saltMap
	for n := 0; ; n++ {
		if f := d.next(); f != fine {
			return f
		}
		if d.b[d.i] == '}' {
			break
		}
		d.hashing = true
		d.out.key(n, &object)
		if f := d.key(&keys, ns); f != fine {
			return f
		}
		d.out.keyed(&object)
		h := d.hash
		d.hashing = hashing
		if f := d.mapped(); f != fine {
			return f
		}
		if hashing {
			sum += mix(h, d.hash)
		}
	}
	d.i++
	d.depth--
	d.keys.close(&keys)
	d.out.endMap(&object)
	d.hash = sum
	return fine
}

// mapped reads the value that belongs to a key.
func (d *ednDecoder) mapped() fault {
	if f := d.next(); f != fine {
		return f
	}
	if d.b[d.i] == '}' {
		return faultOdd
	}
	_, f := d.value(nil)
	return f
}
