package packer

// elements reads the elements of a vector, list or set up to the closing bracket, the first of
// which, or the bracket, is at i. Where s is given, the first elements are noted in it.
func (d *transitDecoder) elements(k kind, s *slots) (kind, fault) {
	var inner *slots
	if s != nil {
		s.kind, s.count, inner = k, 0, s.inner
	}
	var open frame
	d.out.begin(k, &open)
	sum := saltSequence
	more, f := d.b[d.i] != ']', fine
	for n := 0; more; n++ {
		d.out.elem(n, &open)
		start := d.i
		elem, f := d.value(inner)
		if f != fine {
			return 0, f
		}
		inner = nil
		if s != nil {
			s.note(elem, start, d.i)
		}
		if d.hashing {
			sum = mix(sum, d.hash)
		}
		if more, f = d.another(']'); f != fine {
			return 0, f
		}
	}
	d.i++
	d.out.end(k, &open)
	d.hash = sum
	return k, f
}

// members reads the elements of a set, which must differ, as elements does.
func (d *transitDecoder) members() (kind, fault) {
	hashing := d.hashing
	var keys keySet
	d.keys.open(&keys)
	var open frame
	d.out.begin(kindSet, &open)
	sum := saltSet
	d.hashing = true
	more, f := d.b[d.i] != ']', fine
	for n := 0; more; n++ {
		d.out.elem(n, &open)
		if f := d.member(&keys, false); f != fine {
			return 0, f
		}
		sum += mix(d.hash, saltSet)
		if more, f = d.another(']'); f != fine {
			return 0, f
		}
	}
	d.i++
	d.keys.close(&keys)
	d.out.end(kindSet, &open)
	d.hash, d.hashing = sum, hashing
	return kindSet, f
}

// member reads a map key or set element, which must differ from those in the set already. key tells
// whether a string here is cached as map keys are: not so in a cmap or set.
func (d *transitDecoder) member(keys *keySet, key bool) (f fault) {
	start := d.i
	if key && d.b[d.i] == '"' {
		_, f = d.str(true)
	} else {
		_, f = d.value(nil)
	}
	if f != fine {
		return f
	}
	if _, dup := d.keys.add(keys, d.hash, start); dup && d.confirmed() {
		d.i = start
		return faultDuplicate
	}
	return fine
}

// confirmed tells whether two equal hashes are two equal keys. What a key means hangs on the cache
// as it was then, so the whole text is read again, with the second seed: it ends where two keys are
// equal once more.
func (d *transitDecoder) confirmed() bool {
	if d.second {
		return true
	}
	again := transitDecoder{
		jsonScanner: jsonScanner{b: d.b}, hasher: hasher{seed: 1}, second: true,
		out: encoder{to: nowhere},
	}
	f := again.next()
	if f == fine {
		_, f = again.value(nil)
	}
	return f == faultDuplicate
}

// pairs reads the keys and values of a map. The first key is at i where more is set; colon stands
// between key and value, end behind the last. A colon that is one makes a JSON object, whose keys
// are strings.
func (d *transitDecoder) pairs(more bool, colon, end byte, key bool) (kind, fault) {
	hashing := d.hashing
	var keys keySet
	var object frame
	d.keys.open(&keys)
	d.out.beginMap(&object)
	sum := saltMap
	f := fine
	for n := 0; more; n++ {
		if colon == ':' && d.b[d.i] != '"' {
			return 0, faultSyntax
		}
		d.hashing = true
		d.out.key(n, &object)
		if f := d.member(&keys, key); f != fine {
			return 0, f
		}
		d.out.keyed(&object)
		h := d.hash
		d.hashing = hashing
		if f := d.separator(colon, end); f != fine {
			return 0, f
		}
		if _, f := d.value(nil); f != fine {
			return 0, f
		}
		if hashing {
			sum += mix(h, d.hash)
		}
		if more, f = d.another(end); f != fine {
			return 0, f
		}
	}
	d.i++
	d.keys.close(&keys)
	d.out.endMap(&object)
	d.hash = sum
	return kindMap, f
}

// separator moves from a key to its value.
func (d *transitDecoder) separator(colon, end byte) fault {
	if f := d.next(); f != fine {
		return f
	}
	switch d.b[d.i] {
	case colon:
		d.i++
		return d.next()
	case end:
		if colon == ',' {
			return faultOdd
		}
	}
	return faultSyntax
}
