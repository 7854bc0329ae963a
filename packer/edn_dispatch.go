package packer

import "unicode/utf8"

// dispatch reads what begins with #, except discards and comments, which next skips.
func (d *ednDecoder) dispatch(s *slots) (kind, fault) {
	if d.i+1 >= len(d.b) {
		return 0, faultEnd
	}
	d.i++
	switch d.b[d.i] {
	case '{':
		return kindSet, d.set()
	case '^':
		return d.withMeta(s)
	case ':':
		return kindMap, d.namespacedMap()
	case '#':
		return kindNumber, d.symbolic()
	case '<':
		return 0, faultSyntax
	}
	return d.tagged()
}

// namespacedMap reads #:ns{...}; i is at the colon. The namespace is a symbol without namespace.
func (d *ednDecoder) namespacedMap() fault {
	d.i++
	start := d.i
	met, f := d.token()
	if f != fine {
		return f
	}
	ns := d.b[start:d.i]
	if met&ednSlash != 0 && len(ns) > 1 || !isName(ns, -1) {
		return faultNamespace
	}
	for d.i < len(d.b) && ednClass[d.b[d.i]] != ednMacro {
		r, n := utf8.DecodeRune(d.b[d.i:])
		if ednClass[d.b[d.i]] != ednSpace && !isSpace(r) {
			break
		}
		d.i += n
	}
	if d.i >= len(d.b) || d.b[d.i] != '{' {
		return faultNamespace
	}
	return d.mapping(span{start, start + len(ns)})
}

// symbolic reads ##Inf, ##-Inf or ##NaN; i is at the second #.
func (d *ednDecoder) symbolic() fault {
	d.i++
	k, f := d.quiet()
	if f != fine {
		return f
	}
	if k != kindSymbol {
		return faultSymbolic
	}
	var s symbolicValue
	switch string(d.b[d.nameAt:d.i]) {
	case "Inf":
		s = plusInf
	case "-Inf":
		s = minusInf
	case "NaN":
		s = notANumber
	default:
		return faultSymbolic
	}
	d.hashSymbolic(s, d.i)
	d.out.symbolic(s)
	return fine
}

// withMeta reads metadata and the value that carries it; i is at ^. The reader wants a map,
// keyword, symbol or string, then a value that can carry metadata. Printers do not write metadata,
// so the sink gets none.
func (d *ednDecoder) withMeta(s *slots) (kind, fault) {
	ns := d.ns
	d.i++
	switch k, f := d.quiet(); {
	case f != fine:
		return 0, f
	case k != kindMap && k != kindKeyword && k != kindSymbol && k != kindString:
		return 0, faultMeta
	}
	if f := d.enter(); f != fine {
		return 0, f
	}
	f := d.next()
	if f != fine {
		return 0, f
	}
	d.ns = ns
	k, f := d.value(s)
	d.depth--
	if f == fine && k != kindSymbol && k < kindTagged {
		f = faultMeta
	}
	return k, f
}

// tagged reads a tagged literal; i is behind the #. The two known tags become values, others stay
// what they are around whatever value is there.
func (d *ednDecoder) tagged() (kind, fault) {
	switch k, f := d.quiet(); {
	case f != fine:
		return 0, f
	case k != kindSymbol:
		return 0, faultTag
	}
	tag := d.b[d.nameAt:d.i]
	if f := d.enter(); f != fine {
		return 0, f
	}
	f := d.next()
	if f != fine {
		return 0, f
	}
	k := kindInstant
	switch string(tag) {
	case "inst":
		f = d.inst()
	case "uuid":
		f = d.uuid()
	default:
		k = kindTagged
		d.out.tag(tag)
		_, f = d.value(nil)
		d.out.endTag()
		d.hashTagged(tag)
	}
	d.depth--
	return k, f
}

func (d *ednDecoder) inst() fault {
	var buf [64]byte
	text, f := d.tagText(buf[:0])
	if f != fine {
		return f
	}
	ms, f := parseInst(text)
	if f != fine {
		return f
	}
	d.hashInst(ms)
	d.out.inst(ms)
	return fine
}

func (d *ednDecoder) uuid() fault {
	var buf [64]byte
	var id [16]byte
	text, f := d.tagText(buf[:0])
	if f != fine {
		return f
	}
	if f := parseUUID(text, &id); f != fine {
		return f
	}
	d.hashUUID(&id)
	d.out.uuid(&id)
	return fine
}

// tagText reads the string behind a known tag into dst, escapes resolved.
func (d *ednDecoder) tagText(dst []byte) ([]byte, fault) {
	if d.b[d.i] != '"' {
		return nil, faultTag
	}
	d.i++
	for {
		start := d.i
		end, escaped, f := plainString(d.b, d.i)
		d.i = end
		if f != fine {
			return nil, f
		}
		dst = append(dst, d.b[start:end]...)
		if !escaped {
			d.i++
			return dst, fine
		}
		r, f := d.escape()
		if f != fine {
			return nil, f
		}
		dst = appendRune(dst, r)
	}
}
