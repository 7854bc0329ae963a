package packer

import (
	"bytes"
	"unicode/utf8"
)

// The edn decoder: tools.reader.edn on bytes. One value is read per call of value, which
// drives the sink as it goes; nothing is built. The files:
//
//	edn_class.go    which byte is what
//	edn_decode.go   white space, comments, discards; which value begins here
//	edn_token.go    keywords, symbols, numbers
//	edn_string.go   strings and characters
//	edn_collect.go  sequences, sets, maps
//	edn_dispatch.go what begins with # or ^: tags, metadata, symbolic values, namespaced maps
//
// Differences to the reader, all deliberate: unknown tags are kept whole instead of refused; depth
// and the length of numbers are limited; digits beyond ASCII are refused in \uXXXX; a namespaced
// map whose namespace is itself namespaced (#:a/b{}) is refused by all but one version of the
// reader, and here.

// ednDecoder reads b from i on. It lives on the stack of one call.
type ednDecoder struct {
	b     []byte
	i     int
	depth int

	// ns is the namespace that a keyword or symbol without one takes: set for just the keys of
	// #:ns{}.
	ns span
	// nameAt is where the symbol read last begins. It ends at i.
	nameAt int

	hasher
	keys keyStack

	out encoder
}

// span is a part of the text. None ends at 0.
type span struct{ start, end int }

// form reads the next value wherever it begins.
func (d *ednDecoder) form() (kind, fault) {
	if f := d.next(); f != fine {
		return 0, f
	}
	return d.value(nil)
}

// next moves to the first byte of the next value or to a closing delimiter, over white space,
// comments and discarded forms. faultEnd when there is none.
//
// next is inlined and sees what needs no move, skip sees all the rest.
func (d *ednDecoder) next() fault {
	if d.i < len(d.b) && ednBegins[d.b[d.i]] {
		return fine
	}
	return d.skip()
}

func (d *ednDecoder) skip() fault {
	b, i := d.b, uint(d.i)
	for i < uint(len(b)) && ednClass[b[i]] == ednSpace {
		i++
	}
	d.i = int(i)
	if i < uint(len(b)) && ednBegins[b[i]] {
		return fine
	}
	return d.skipMore()
}

// skipMore skips what may stand between values besides white space.
func (d *ednDecoder) skipMore() fault {
	for d.i < len(d.b) {
		switch c := d.b[d.i]; {
		case ednClass[c] == ednSpace:
			d.i++
		case c == ';':
			if f := d.comment(); f != fine {
				return f
			}
		case c == '#':
			if skipped, f := d.skipDispatch(); f != fine || !skipped {
				return f
			}
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(d.b[d.i:])
			if r == utf8.RuneError && n == 1 {
				return faultUTF8
			}
			if !isSpace(r) {
				return fine
			}
			d.i += n
		default:
			return fine
		}
	}
	return faultEnd
}

// comment skips to the end of the line. Its text must be UTF-8: it is passed on with the value
// when it stands inside one.
func (d *ednDecoder) comment() fault {
	n := bytes.IndexByte(d.b[d.i:], '\n')
	if n < 0 {
		n = len(d.b) - d.i
	}
	if !utf8.Valid(d.b[d.i : d.i+n]) {
		return faultUTF8
	}
	d.i += n
	return fine
}

// skipDispatch skips #_ form and #! comment; skipped is false at any other #.
func (d *ednDecoder) skipDispatch() (skipped bool, f fault) {
	if d.i+1 >= len(d.b) {
		return false, fine
	}
	switch d.b[d.i+1] {
	case '!':
		return true, d.comment()
	case '_':
		d.i += 2
		if _, f = d.quiet(); f == faultEnd {
			f = faultDiscard // not the end that may stand behind a value
		}
		return true, f
	}
	return false, fine
}

// quiet reads one value that is not part of the result: discarded, metadata, or a tag's name.
func (d *ednDecoder) quiet() (kind, fault) {
	to, hashing, ns := d.out.to, d.hashing, d.ns
	if f := d.enter(); f != fine {
		return 0, f
	}
	d.out.to, d.hashing = nowhere, false
	k, f := d.form()
	d.out.to, d.hashing, d.ns = to, hashing, ns
	d.depth--
	return k, f
}

// enter goes one level deeper. What is inside takes no namespace from a map around.
func (d *ednDecoder) enter() fault {
	d.ns = span{}
	if d.depth++; d.depth > DepthMax {
		return faultDepth
	}
	return fine
}

// value reads the value that begins at i, where next has stopped. Where s is given and the value is
// a sequence, its first elements are noted in s.
func (d *ednDecoder) value(s *slots) (kind, fault) {
	switch c := d.b[d.i]; c {
	case ':':
		return kindKeyword, d.keyword()
	case '"':
		return kindString, d.str()
	case '[':
		return kindVector, d.sequence(kindVector, ']', s)
	case '(':
		return kindList, d.sequence(kindList, ')', s)
	case '{':
		return kindMap, d.mapping(span{})
	case '#':
		return d.dispatch(s)
	case '\\':
		return kindChar, d.char()
	case '^':
		return d.withMeta(s)
	case ')', ']', '}':
		return 0, faultDelimiter
	case '@', '`', '~':
		return 0, faultChar
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return kindNumber, d.number()
	case '+', '-':
		if d.digitAt(d.i + 1) {
			return kindNumber, d.number()
		}
	default:
		if c >= utf8.RuneSelf && d.digitAt(d.i) {
			return 0, faultNumber
		}
	}
	return d.symbol()
}
