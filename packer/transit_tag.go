package packer

// Arrays and objects. What an array is its first element tells:
//
//	["^ ",k,v,...]     a map; strings at k are cached as map keys
//	["~#tag",v]        v, tagged
//	[v,...]            a vector
//
// and what an object is its first name: {"~#tag":v} is tagged, any other a map whose names are
// keys.

// array reads [...]; where s is given and it is a sequence, its first elements are noted in s.
func (d *transitDecoder) array(s *slots) (kind, fault) {
	d.i++
	if f := d.next(); f != fine {
		return 0, f
	}
	if d.b[d.i] == '"' && d.marked() {
		switch first, second := d.head(d.i); {
		case first == '^' && second == ' ':
			return d.arrayMap()
		case first == '~' && second == '#', first == '^' && d.codeOfTag():
			return d.tagged(',', ']', s)
		}
	}
	if f := d.enter(); f != fine {
		return 0, f
	}
	k, f := d.elements(kindVector, s)
	d.depth--
	return k, f
}

// codeOfTag tells whether the code at i stands for a tag.
func (d *transitDecoder) codeOfTag() bool {
	var buf [8]byte
	code := jsonScanner{d.b, d.i}
	text, f := code.text(buf[:0])
	if f != fine {
		return false
	}
	at, ok := d.cache.find(text)
	if !ok {
		return false
	}
	first, second := d.head(at)
	return first == '~' && second == '#'
}

// arrayMap reads ["^ ",k,v,...]; i is at the marker.
func (d *transitDecoder) arrayMap() (kind, fault) {
	var buf [8]byte
	marker, f := d.text(buf[:0])
	switch {
	case f != fine:
		return 0, f
	case string(marker) != mapMarker:
		return 0, faultReference
	}
	more, f := d.another(']')
	if f != fine {
		return 0, f
	}
	if f := d.enter(); f != fine {
		return 0, f
	}
	k, f := d.pairs(more, ',', ']', true)
	d.depth--
	return k, f
}

// object reads {...}, the verbose form.
func (d *transitDecoder) object(s *slots) (kind, fault) {
	d.i++
	if f := d.next(); f != fine {
		return 0, f
	}
	if d.b[d.i] == '"' && d.marked() {
		first, second := d.head(d.i)
		if first == '~' && second == '#' || first == '^' && d.codeOfTag() {
			return d.tagged(':', '}', s)
		}
	}
	if f := d.enter(); f != fine {
		return 0, f
	}
	k, f := d.pairs(d.b[d.i] != '}', ':', '}', true)
	d.depth--
	return k, f
}

// tagged reads a tag, what stands between it and its value, the value, and the closing delimiter.
func (d *transitDecoder) tagged(colon, end byte, s *slots) (k kind, f fault) {
	var buf [64]byte
	name, f := d.tag(buf[:0])
	if f != fine {
		return 0, f
	}
	if f = d.separator(colon, end); f == faultOdd {
		f = faultTag
	}
	if f != fine {
		return 0, f
	}
	if string(name) == "ratio" {
		k, f = d.ratio() // a number is on no level
	} else {
		if f = d.enter(); f == fine {
			k, f = d.content(name, s)
		}
		d.depth--
	}
	if f != fine {
		return 0, f
	}
	return k, d.last(end, faultTag)
}

// last moves over the closing delimiter; more is the fault of another element before it.
func (d *transitDecoder) last(end byte, more fault) fault {
	another, f := d.another(end)
	switch {
	case f != fine:
		return f
	case another:
		return more
	}
	d.i++
	return fine
}

// tag reads the tag at i, in full or by a code, and gives its name.
func (d *transitDecoder) tag(dst []byte) (name []byte, f fault) {
	start := d.i
	name, f = d.text(dst)
	switch {
	case f != fine:
		return nil, f
	case isCode(name):
		name, f = d.recall(name, dst)
	case cacheable(name, unitsOf(name), false):
		d.cache.add(start)
	}
	if f == fine && surrogate(name) >= 0 {
		f = faultUTF8
	}
	if f != fine {
		return nil, f
	}
	return name[len("~#"):], fine
}

// content reads what a tag tags.
func (d *transitDecoder) content(name []byte, s *slots) (kind, fault) {
	switch string(name) {
	case "'":
		return d.value(s)
	case "list":
		if f := d.bare(); f != fine {
			return 0, f
		}
		return d.elements(kindList, s)
	case "set":
		if f := d.bare(); f != fine {
			return 0, f
		}
		return d.members()
	case "cmap":
		if f := d.bare(); f != fine {
			return 0, f
		}
		return d.pairs(d.b[d.i] != ']', ',', ']', false)
	}
	if ownTag(name) {
		return 0, faultTag
	}
	asMap := d.out.looseTag(name)
	if _, f := d.value(nil); f != fine {
		return 0, f
	}
	d.out.endLooseTag(asMap)
	d.hashTagged(name)
	return kindTagged, fine
}

// bare enters an array that is neither map nor tagged.
func (d *transitDecoder) bare() fault {
	if d.b[d.i] != '[' {
		return faultTag
	}
	d.i++
	if f := d.next(); f != fine {
		return f
	}
	if d.b[d.i] == '"' {
		first, second := d.head(d.i)
		if first == '^' && second == ' ' {
			return faultTag
		}
	}
	return fine
}

// ownTag tells whether a tag means something in transit, so that no other value may have it.
func ownTag(name []byte) bool {
	switch string(name) {
	case "list", "set", "cmap", "ratio":
		return true
	}
	const scalars = "_?:$infdzcmtubr'"
	for i := range len(scalars) {
		if len(name) == 1 && name[0] == scalars[i] {
			return true
		}
	}
	return false
}

// ratio reads [numerator,denominator], two integers in any of their forms.
func (d *transitDecoder) ratio() (kind, fault) {
	if f := d.bare(); f != fine {
		return 0, f
	}
	var bufs [2][64]byte
	num, numNeg, f := d.ratioPart(bufs[0][:0])
	if f != fine {
		return 0, f
	}
	if f := d.separator(',', ']'); f != fine {
		return 0, faultNumber
	}
	den, denNeg, f := d.ratioPart(bufs[1][:0])
	if f != fine {
		return 0, f
	}
	if f := d.last(']', faultNumber); f != fine {
		return 0, f
	}
	switch {
	case len(trimZeros(den)) == 0:
		return 0, faultNumber
	case len(num)+len(den)+len("-/") > NumberMax:
		return 0, faultNumberLen
	}
	n := number{class: numRatio, neg: numNeg != denNeg, radix: 10, digits: num, den: den}
	d.giveNumber(&n)
	return kindNumber, fine
}

// ratioPart reads one integer: "~n22", "~i22" or 22.
func (d *transitDecoder) ratioPart(dst []byte) (digits []byte, neg bool, f fault) {
	var n number
	if d.b[d.i] == '-' || d.b[d.i]-'0' <= 9 {
		if f := d.numeral(&n); f != fine || n.class != numInteger {
			return nil, false, faultNumber
		}
		return n.digits, n.neg, fine
	}
	if d.b[d.i] != '"' {
		return nil, false, faultNumber
	}
	text, f := d.text(dst)
	if f != fine {
		return nil, false, f
	}
	if len(text) < 3 || text[0] != '~' || text[1] != 'n' && text[1] != 'i' {
		return nil, false, faultNumber
	}
	digits = n.signed(text[2:])
	if len(digits) == 0 || digitsEnd(digits, 0) != len(digits) {
		return nil, false, faultNumber
	}
	return digits, n.neg, fine
}
