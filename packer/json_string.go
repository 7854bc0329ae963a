package packer

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
	for {
		i := plainEnd(s.b, s.i)
		s.i = i
		if i >= len(s.b) {
			return false, faultString
		}
		switch c := s.b[i]; {
		case c == '"':
			return false, fine
		case c == '\\':
			return true, fine
		case c < ' ':
			return false, faultControl
		}
		if s.i, f = validHigh(s.b, i); f != fine {
			return false, f
		}
	}
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
