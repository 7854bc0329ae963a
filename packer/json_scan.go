package packer

// The words of JSON (RFC 8259), for the decoders of the two formats that are written in it. Strings
// are in json_string.go.

// jsonScanner reads b from i on.
type jsonScanner struct {
	b []byte
	i int
}

// next moves over white space; faultEnd when nothing is left. It is inlined for where there is none.
func (s *jsonScanner) next() fault {
	if s.i < len(s.b) && s.b[s.i] > ' ' {
		return fine
	}
	return s.space()
}

func (s *jsonScanner) space() fault {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\r', '\t':
			s.i++
		default:
			return fine
		}
	}
	return faultEnd
}

// plain reads the string at i if there is no escape in it and no character beyond ASCII; ok is false
// for any other, and nothing is read then.
func (s *jsonScanner) plain() (text []byte, ok bool) {
	start := s.i + 1
	end := plainEnd(s.b, start)
	if end >= len(s.b) || s.b[end] != '"' {
		return nil, false
	}
	s.i = end + 1
	return s.b[start:end], true
}

// another moves over the comma to the next element; more is false at the closing delimiter.
func (s *jsonScanner) another(end byte) (more bool, f fault) {
	if f := s.next(); f != fine {
		return false, f
	}
	switch s.b[s.i] {
	case end:
		return false, fine
	case ',':
		s.i++
		return true, s.next()
	}
	return false, faultSyntax
}

// literal moves over text, if that stands at i.
func (s *jsonScanner) literal(text string) bool {
	if len(s.b)-s.i < len(text) || string(s.b[s.i:s.i+len(text)]) != text {
		return false
	}
	s.i += len(text)
	return true
}

// numeral reads a number (§6) into n. Where it ends is left to what comes next: 01 is a zero and a
// syntax error.
func (s *jsonScanner) numeral(n *number) fault {
	b, i := s.b, s.i
	if b[i] == '-' {
		i++
	}
	end := digitsEnd(b, i)
	if end == i || b[i] == '0' && end > i+1 {
		return faultNumber
	}
	if end < len(b) && b[end] == '.' {
		i = end + 1
		if end = digitsEnd(b, i); end == i {
			return faultNumber
		}
	}
	if end < len(b) && b[end]|0x20 == 'e' {
		i = end + 1
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if end = digitsEnd(b, i); end == i {
			return faultNumber
		}
	}
	if f := parseNumber(b[s.i:end], n); f != fine {
		return f
	}
	s.i = end
	return fine
}
