package packer

import "unicode/utf8"

// str reads a string (RFC 8259 §7) and gives it to the sink out.
func (s *jsonScanner) str(out *encoder) fault {
	s.i++
	start := s.i
	escaped, f := s.run()
	if f != fine {
		return f
	}
	if !escaped {
		s.i++
		out.str(s.b[start : s.i-1])
		return fine
	}
	out.strBegin()
	for {
		out.strRun(s.b[start:s.i])
		if !escaped {
			break
		}
		r, f := s.escape()
		if f != fine {
			return f
		}
		out.strRune(r)
		start = s.i
		if escaped, f = s.run(); f != fine {
			return f
		}
	}
	s.i++
	out.strEnd()
	return fine
}

// text reads the string at i without a word to the sink. It gives a span of the input where there
// are no escapes, else the text in dst; lone surrogates as appendRune writes them.
func (s *jsonScanner) text(dst []byte) ([]byte, fault) {
	s.i++
	start := s.i
	escaped, f := s.run()
	if f != fine {
		return nil, f
	}
	if !escaped {
		s.i++
		return s.b[start : s.i-1], fine
	}
	for {
		dst = append(dst, s.b[start:s.i]...)
		if !escaped {
			s.i++
			return dst, fine
		}
		r, f := s.escape()
		if f != fine {
			return nil, f
		}
		dst = appendRune(dst, r)
		start = s.i
		if escaped, f = s.run(); f != fine {
			return nil, f
		}
	}
}

// run moves over plain text up to the closing quote or, escaped, to a backslash.
func (s *jsonScanner) run() (escaped bool, f fault) {
	b, i := s.b, s.i
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
		s.i = i
		return escaped, f
	}
	s.i = i
	return false, faultString
}

// escape reads one escape. A surrogate pair is one character, a lone surrogate is given as it is.
func (s *jsonScanner) escape() (rune, fault) {
	s.i++
	if s.i >= len(s.b) {
		return 0, faultString
	}
	c := s.b[s.i]
	s.i++
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
		r, ok := hex4(s.b, s.i)
		if !ok {
			return 0, faultEscape
		}
		s.i += 4
		if full, ok := pairAt(s.b, s.i, r); ok {
			s.i += 6
			return full, fine
		}
		return r, fine
	}
	return 0, faultEscape
}
