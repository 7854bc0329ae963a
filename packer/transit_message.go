package packer

// What a message needs to know of a transit value that was read before.

// transitEventID is the text of the keyword in value, if k says that it is one and it has a
// namespace. A name that edn cannot have is none: such an event could not reach anybody who speaks
// edn.
func transitEventID(value []byte, k kind, scratch *[]byte) (id []byte, ok bool) {
	if k != kindKeyword {
		return nil, false
	}
	id, escaped, f := transitString(value, (*scratch)[:0])
	if f != fine {
		return nil, false
	}
	if escaped {
		*scratch = id
	}
	id = id[len("~:"):]
	slash, ok := ednToken(kindKeyword, id)
	return id, ok && slash > 0
}

// transitText is the text of the string in value, lone surrogates as appendRune writes them.
func transitText(dst, value []byte) ([]byte, fault) {
	text, _, f := transitString(value, dst)
	if f == fine && len(text) > 1 && text[0] == '~' {
		if text = text[1:]; text[0] == '\'' {
			text = text[1:]
		}
	}
	return text, f
}

// transitString is the string in value, which may stand in quotes: ["~#'","text"]. It is a span of
// value unless it is escaped.
func transitString(value, dst []byte) (text []byte, escaped bool, f fault) {
	s := jsonScanner{b: value}
	for value[s.i] != '"' {
		if f = s.quote(dst); f != fine {
			return nil, false, f
		}
	}
	start := s.i
	text, f = s.text(dst)
	return text, len(text)+len(`""`) < s.i-start, f
}

// quote moves to what is in a quote.
func (s *jsonScanner) quote(dst []byte) fault {
	s.i++ // [ or {
	if f := s.next(); f != fine {
		return f
	}
	if _, f := s.text(dst); f != fine {
		return f
	}
	if f := s.next(); f != fine {
		return f
	}
	s.i++ // , or :
	return s.next()
}
