package bench

import "fmt"

// scanner reads one message: pos moves over b. What it meets is edn or JSON in any spacing; in both
// commas are space, and in JSON the colon of an object passes as part of the value behind it.
type scanner struct {
	p   *syntax
	b   []byte
	pos int

	ajax  bool   // the messages are answers to polls and POSTs: stays as it is set
	value []byte // of a reply or an answer, as it came
}

// depthMax is how deep a value from the server may nest.
const depthMax = 64

func (s *scanner) space() {
	for s.pos < len(s.b) {
		switch s.b[s.pos] {
		case ' ', ',', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) at(c byte) bool {
	s.space()
	return s.pos < len(s.b) && s.b[s.pos] == c
}

func (s *scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) literal(text string) bool {
	s.space()
	end := s.pos + len(text)
	if end > len(s.b) || string(s.b[s.pos:end]) != text || end < len(s.b) && !delimits(s.b[end]) {
		return false
	}
	s.pos = end
	return true
}

// id reads an event id without its colon or quotes.
func (s *scanner) id() ([]byte, bool) {
	if s.p.quote == '"' {
		return s.text()
	}
	if !s.take(':') {
		return nil, false
	}
	return s.token(), true
}

// token reads up to the next delimiter.
func (s *scanner) token() []byte {
	start := s.pos
	for s.pos < len(s.b) && !delimits(s.b[s.pos]) {
		s.pos++
	}
	return s.b[start:s.pos]
}

// text reads a string and returns it as it came, escapes unread.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	for start := s.pos; s.pos < len(s.b); s.pos++ {
		switch s.b[s.pos] {
		case '\\':
			s.pos++
		case '"':
			s.pos++
			return s.b[start : s.pos-1], true
		}
	}
	return nil, false
}

func (s *scanner) int() (int64, bool) {
	s.space()
	v, digits := int64(0), 0
	for s.pos < len(s.b) && s.b[s.pos] >= '0' && s.b[s.pos] <= '9' && digits < 19 {
		v = v*10 + int64(s.b[s.pos]-'0')
		s.pos++
		digits++
	}
	return v, digits > 0 && digits < 19 && (s.pos == len(s.b) || delimits(s.b[s.pos]))
}

// skip passes over one value of any kind.
func (s *scanner) skip() error {
	var open [depthMax]byte // the closing brackets that are owed
	depth := 0
	for {
		s.space()
		if s.pos == len(s.b) {
			return s.bad("the message ends inside a value")
		}
		tagged := false
		switch c := s.b[s.pos]; c {
		case '[', '(', '{':
			if depth == depthMax {
				return s.bad("a value is nested too deep")
			}
			open[depth] = closing(c)
			depth++
			s.pos++
			continue
		case ']', ')', '}':
			if depth == 0 || open[depth-1] != c {
				return s.bad("brackets do not match")
			}
			depth--
			s.pos++
		case '"':
			if _, ok := s.text(); !ok {
				return s.bad("a string does not end")
			}
		default:
			tagged = s.atom(c)
		}
		if depth == 0 && !tagged {
			return nil
		}
	}
}

// atom passes over a number, symbol, keyword, character, or a tag or set mark (true: what it
// belongs to follows).
func (s *scanner) atom(first byte) (tag bool) {
	s.pos++
	if first == '\\' && s.pos < len(s.b) {
		s.pos++ // a character may be a delimiter itself
	}
	second := byte(0)
	if s.pos < len(s.b) {
		second = s.b[s.pos]
	}
	s.token()
	return first == '#' && second != '#' // `##Inf` is a value
}

func closing(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	}
	return '}'
}

func delimits(c byte) bool {
	switch c {
	case ' ', ',', '\n', '\r', '\t', '[', ']', '(', ')', '{', '}', '"':
		return true
	}
	return false
}

func (s *scanner) bad(what string) error {
	return fmt.Errorf("malformed message: %s: %q", what, clip(s.b))
}
