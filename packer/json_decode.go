package packer

// The JSON decoder: RFC 8259 and nothing beside it. No byte order mark, comments, trailing commas,
// raw control characters or other literals; the text must be UTF-8 (§8.1). Names in one object must
// differ (RFC 7493 §2.3), because the edn of a doubled one would be unreadable. An escaped
// surrogate without its other half is kept as it is (§8.2 leaves it open): edn strings can hold one
// too.

// jsonDecoder reads one JSON value. It lives on the stack of one call.
type jsonDecoder struct {
	jsonScanner
	depth int
	keys  keyStack

	stringKeys bool // names become strings even where they could be keywords
	event      bool // the value is an event: its first element is a name

	out encoder
}

// value reads the value that begins at i (RFC 8259 §3). Where s is given and the value is an array,
// its first elements are noted in s.
func (d *jsonDecoder) value(s *slots) (kind, fault) {
	switch c := d.b[d.i]; c {
	case '"':
		return kindString, d.str(&d.out)
	case '{':
		return kindMap, d.object()
	case '[':
		return kindVector, d.array(s)
	case 't':
		return d.word("true", kindTrue)
	case 'f':
		return d.word("false", kindFalse)
	case 'n':
		return d.word("null", kindNil)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return kindNumber, d.number()
	}
	return 0, faultSyntax
}

func (d *jsonDecoder) word(text string, k kind) (kind, fault) {
	if !d.literal(text) {
		return 0, faultSyntax
	}
	d.out.word(k)
	return k, fine
}

func (d *jsonDecoder) number() fault {
	var n number
	if f := d.numeral(&n); f != fine {
		return f
	}
	d.out.number(&n)
	return fine
}

func (d *jsonDecoder) enter() fault {
	d.i++
	if d.depth++; d.depth > DepthMax {
		return faultDepth
	}
	return d.next()
}

// array reads [...] (§5). Where s is given it notes the first elements in it.
func (d *jsonDecoder) array(s *slots) fault {
	event := d.event
	d.event = false
	if f := d.enter(); f != fine {
		return f
	}
	var inner *slots
	if s != nil {
		s.kind, s.count, inner = kindVector, 0, s.inner
	}
	var open frame
	d.out.begin(kindVector, &open)
	for n := 0; n > 0 || d.b[d.i] != ']'; n++ {
		d.out.elem(n, &open)
		start := d.i
		k, f := kindString, fine
		if event && n == 0 && d.b[d.i] == '"' {
			f = d.name()
		} else {
			k, f = d.value(inner)
		}
		if f != fine {
			return f
		}
		inner = nil
		if s != nil {
			s.note(k, start, d.i)
		}
		if more, f := d.another(']'); f != fine {
			return f
		} else if !more {
			break
		}
	}
	d.i++
	d.depth--
	d.out.end(kindVector, &open)
	return fine
}

// object reads {...} (§4).
func (d *jsonDecoder) object() fault {
	d.event = false
	if f := d.enter(); f != fine {
		return f
	}
	var keys keySet
	var object frame
	d.keys.open(&keys)
	d.out.beginMap(&object)
	for n := 0; n > 0 || d.b[d.i] != '}'; n++ {
		d.out.key(n, &object)
		if f := d.key(&keys); f != fine {
			return f
		}
		d.out.keyed(&object)
		if _, f := d.value(nil); f != fine {
			return f
		}
		if more, f := d.another('}'); f != fine {
			return f
		} else if !more {
			break
		}
	}
	d.i++
	d.depth--
	d.keys.close(&keys)
	d.out.endMap(&object)
	return fine
}
