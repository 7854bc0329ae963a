package packer

import "unicode/utf8"

// str reads a string (RFC 8259 §7) and gives it to the sink.
func (d *jsonDecoder) str() fault {
	d.i++
	start := d.i
	escaped, f := d.run()
	if f != fine {
		return f
	}
	if !escaped {
		d.i++
		d.out.str(d.b[start : d.i-1])
		return fine
	}
	d.out.strBegin()
	for {
		d.out.strRun(d.b[start:d.i])
		if !escaped {
			break
		}
		r, f := d.escape()
		if f != fine {
			return f
		}
		d.out.strRune(r)
		start = d.i
		if escaped, f = d.run(); f != fine {
			return f
		}
	}
	d.i++
	d.out.strEnd()
	return fine
}

// text reads the string at i without a word to the sink. It gives a span of the input where there
// are no escapes, else the text in dst; lone surrogates as appendRune writes them.
func (d *jsonDecoder) text(dst []byte) ([]byte, fault) {
	d.i++
	start := d.i
	escaped, f := d.run()
	if f != fine {
		return nil, f
	}
	if !escaped {
		d.i++
		return d.b[start : d.i-1], fine
	}
	for {
		dst = append(dst, d.b[start:d.i]...)
		if !escaped {
			d.i++
			return dst, fine
		}
		r, f := d.escape()
		if f != fine {
			return nil, f
		}
		dst = appendRune(dst, r)
		start = d.i
		if escaped, f = d.run(); f != fine {
			return nil, f
		}
	}
}

// run moves over plain text up to the closing quote or, escaped, to a backslash.
func (d *jsonDecoder) run() (escaped bool, f fault) {
	b, i := d.b, d.i
	for i < len(b) {
		switch stringClass[b[i]] {
		case strPlain:
			i++
			continue
		case strHigh:
			r, n := utf8.DecodeRune(b[i:])
			if r != utf8.RuneError || n != 1 {
				i += n
				continue
			}
			f = faultUTF8
		case strControl:
			f = faultControl
		case strBackslash:
			escaped = true
		}
		d.i = i
		return escaped, f
	}
	d.i = i
	return false, faultString
}

// escape reads one escape. A surrogate pair is one character, a lone surrogate is given as it is.
func (d *jsonDecoder) escape() (rune, fault) {
	d.i++
	if d.i >= len(d.b) {
		return 0, faultString
	}
	c := d.b[d.i]
	d.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), fine
	case 'n':
		return '\n', fine
	case 't':
		return '\t', fine
	case 'r':
		return '\r', fine
	case 'b':
		return '\b', fine
	case 'f':
		return '\f', fine
	case 'u':
		r, ok := hex4(d.b, d.i)
		if !ok {
			return 0, faultEscape
		}
		d.i += 4
		if full, ok := pairAt(d.b, d.i, r); ok {
			d.i += 6
			return full, fine
		}
		return r, fine
	}
	return 0, faultEscape
}
