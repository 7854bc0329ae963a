package packer

// The transit+json decoder: transit-format 0.8 in its JSON and JSON-verbose forms, as transit-java
// reads them. The grammar below is JSON's, as strict as in json_decode.go; the meaning is in the
// strings. The files:
//
//	transit_decode.go   which value begins here; what a string is
//	transit_cache.go    cache codes
//	transit_scalar.go   ~X strings
//	transit_tag.go      arrays and objects that are tagged: sets, lists, quotes, ...
//	transit_collect.go  vectors, sets, maps
//
// Differences to transit-java, all deliberate: duplicate keys, tags with more or less than one
// value, codes that nothing was cached for and scalars with junk behind them are refused instead of
// guessed at; what references stand for is limited, and so are depth and the length of numbers.

// transitDecoder reads one transit value. It lives on the stack of one call.
type transitDecoder struct {
	jsonScanner
	depth int

	cache    transitCache
	refs     bool // a cache code was met
	expanded int  // bytes of the strings that codes stood for

	hasher
	keys   keyStack
	second bool // this decoder reads again to confirm a duplicate key

	out encoder
}

// only reads one value and the white space around it.
func (d *transitDecoder) only(s *slots) (start, end int, k kind, f fault) {
	if f = d.next(); f != fine {
		return 0, 0, 0, f
	}
	start = d.i
	if k, f = d.value(s); f != fine {
		return 0, 0, 0, f
	}
	end = d.i
	if d.next() == fine {
		return 0, 0, 0, faultMore
	}
	return start, end, k, fine
}

// value reads the value that begins at i, which is no map key. Where s is given and the value is a
// sequence, its first elements are noted in s.
func (d *transitDecoder) value(s *slots) (kind, fault) {
	switch c := d.b[d.i]; c {
	case '"':
		return d.str(false)
	case '[':
		return d.array(s)
	case '{':
		return d.object(s)
	case 't':
		return d.word("true", kindTrue)
	case 'f':
		return d.word("false", kindFalse)
	case 'n':
		return d.word("null", kindNil)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return d.number()
	}
	return 0, faultSyntax
}

func (d *transitDecoder) word(text string, k kind) (kind, fault) {
	if !d.literal(text) {
		return 0, faultSyntax
	}
	d.giveWord(k)
	return k, fine
}

func (d *transitDecoder) giveWord(k kind) {
	d.hashWord(k)
	d.out.word(k)
}

func (d *transitDecoder) number() (kind, fault) {
	var n number
	if f := d.numeral(&n); f != fine {
		return 0, f
	}
	d.giveNumber(&n)
	return kindNumber, fine
}

func (d *transitDecoder) giveNumber(n *number) {
	d.hashNumber(n)
	d.out.number(n)
}

// enter goes one level deeper. Levels are those of the value, not of the brackets: a set is two
// arrays and one level, as in every other format.
func (d *transitDecoder) enter() fault {
	if d.depth++; d.depth > DepthMax {
		return faultDepth
	}
	return fine
}

// str reads the string at i: text, a scalar or a cache code. Long texts with escapes are the one
// thing that is not looked at as a whole: the sink gets them in pieces.
func (d *transitDecoder) str(key bool) (kind, fault) {
	start := d.i
	if !key && !d.hashing && !d.marked() {
		return kindString, d.jsonScanner.str(&d.out)
	}
	if text, ok := d.plain(); ok {
		return d.meaning(text, start, len(text), key)
	}
	var buf [128]byte
	text, f := d.text(buf[:0])
	if f != fine {
		return 0, f
	}
	return d.meaning(text, start, unitsOf(text), key)
}

// meaning gives what the text of a string, of so many UTF-16 units, stands for.
func (d *transitDecoder) meaning(text []byte, start, units int, key bool) (kind, fault) {
	if isCode(text) {
		return d.reference(text, start)
	}
	if cacheable(text, units, key) {
		d.cache.add(start)
	}
	return d.scalar(text, start)
}

// marked tells whether the string at i begins with a character that gives it a meaning: ~ or ^.
func (d *transitDecoder) marked() bool {
	i := d.i + 1
	if i >= len(d.b) {
		return false
	}
	c := d.b[i]
	if c == '\\' {
		c, _ = charAt(d.b, i)
	}
	return c == '~' || c == '^'
}

// head gives the first two characters of the string at i; 0 for one that is not ASCII, or not
// there.
func (d *transitDecoder) head(i int) (first, second byte) {
	first, i = charAt(d.b, i+1)
	second, _ = charAt(d.b, i)
	return first, second
}

// charAt gives the character at i inside a string and where the next one begins. It is 0 for one
// that is not ASCII, for an escape other than \u, and at the end. The string may turn out to be
// none.
func charAt(b []byte, i int) (c byte, next int) {
	switch {
	case i >= len(b) || b[i] == '"' || b[i] >= 0x80:
		return 0, len(b)
	case b[i] != '\\':
		return b[i], i + 1
	case i+1 < len(b) && b[i+1] == 'u':
		if r, ok := hex4(b, i+2); ok && r < 0x80 {
			return byte(r), i + 6
		}
	}
	return 0, len(b)
}
