package packer

import (
	"bytes"
	"unicode/utf8"
)

// Names that come from transit and msgpack. There a keyword, symbol or tag may have any text; in edn
// it has one only where the text is a token that reads back as that name. Any other becomes, in edn,
// the string of its text (with the colon for a keyword), and a tagged value of any other tag the map
// {"#tag" value}. The hash of such a name is that of the string wherever it goes, so that no two keys
// that differ here become one in edn. text is UTF-8: names with lone surrogates are refused before.

// looseName writes a keyword or symbol of any text.
func (e *encoder) looseName(k kind, text []byte) {
	switch e.to {
	case nowhere:
	case EDN:
		e.ednLooseName(k, text)
	default:
		e.nameTo(k, nil, text)
	}
}

func (e *encoder) ednLooseName(k kind, text []byte) {
	slash, ok := ednToken(k, text)
	if ok {
		ns, name := splitName(text, slash)
		e.ednName(k, ns, name)
		return
	}
	e.strBegin()
	if k == kindKeyword {
		e.put(":")
	}
	e.strRun(text)
	e.strEnd()
}

// hashLooseName is the hash of what looseName writes in edn.
func (h *hasher) hashLooseName(k kind, text []byte) {
	if !h.hashing {
		return
	}
	if slash, ok := ednToken(k, text); ok {
		ns, name := splitName(text, slash)
		h.hashName(k, ns, name)
		return
	}
	if k == kindKeyword {
		h.hashPrefixed(':', text)
		return
	}
	h.hashText(text)
}

// hashPrefixed is the hash of the string that has c before text.
func (h *hasher) hashPrefixed(c byte, text []byte) {
	var buf [64]byte
	h.hash = hashBytes(h.seed, saltString, append(append(buf[:0], c), text...))
}

// looseTag opens a tagged value whose tag may have any text; asMap belongs to endLooseTag.
func (e *encoder) looseTag(name []byte) (asMap bool) {
	e.asKey()
	if e.to != EDN || ednTag(name) {
		e.tag(name)
		return false
	}
	e.put("{")
	e.strBegin()
	e.put("#")
	e.strRun(name)
	e.strEnd()
	e.put(" ")
	return true
}

// endLooseTag closes what looseTag opened.
func (e *encoder) endLooseTag(asMap bool) {
	if asMap {
		e.put("}")
		return
	}
	e.endTag()
}

// splitName splits at the slash that ednToken gave.
func splitName(text []byte, slash int) (ns, name []byte) {
	if slash > 0 {
		return text[:slash], text[slash+1:]
	}
	return nil, text
}

// ednToken tells whether text is that of a keyword (behind its colon) or symbol in edn: whether
// ednDecoder reads it back as the same name. slash is its first slash, or -1.
func ednToken(k kind, text []byte) (slash int, ok bool) {
	slash = -1
	met := classesOf(text)
	switch {
	case met == ednPlain && k == kindKeyword && len(text) > 0:
		return slash, true // nearly always
	case len(text) == 0 || met >= ednEnds || met&ednHigh != 0 && !inToken(text):
		return -1, false
	case met&ednSlash != 0:
		slash = indexSlash(text)
	}
	coloned := met&ednColon != 0
	switch {
	case k == kindKeyword:
		return slash, (slash < 0 || isName(text, slash)) && (!coloned || isColoned(text, slash))
	case slash < 0 && !coloned:
		return slash, isBareSymbol(text)
	}
	return slash, beginsSymbol(text) && isName(text, slash)
}

// inToken tells whether all characters of text are UTF-8 and no white space beyond ASCII.
func inToken(text []byte) bool {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 || r >= utf8.RuneSelf && isSpace(r) {
			return false
		}
		text = text[n:]
	}
	return true
}

// isBareSymbol tells whether a token without slash and colon is a symbol and no word.
func isBareSymbol(text []byte) bool {
	switch string(text) {
	case "nil", "true", "false":
		return false
	}
	return beginsSymbol(text)
}

// beginsSymbol tells whether a token begins as a symbol does: not as a number, keyword or dispatch.
func beginsSymbol(text []byte) bool {
	switch text[0] {
	case ':', '#':
		return false
	case '+', '-':
		text = text[1:]
	}
	r, _ := utf8.DecodeRune(text)
	return !isDigit(r)
}

// ednTag tells whether a tag of this text can stand in edn: it is a symbol, nothing else behind a #,
// and none of the two tags that mean something there.
func ednTag(name []byte) bool {
	if len(name) == 0 || bytes.IndexByte(notTag, name[0]) >= 0 {
		return false
	}
	switch string(name) {
	case "inst", "uuid":
		return false
	}
	_, ok := ednToken(kindSymbol, name)
	return ok
}

// notTag are the characters that make something else of a # before them, though a symbol may begin
// with them.
var notTag = []byte("_!<")
