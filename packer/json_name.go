package packer

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// key reads a name and the colon behind it, up to the value.
func (d *jsonDecoder) key(keys *keySet) fault {
	if d.b[d.i] != '"' {
		return faultSyntax
	}
	start := d.i
	hash, f := d.keyName(start)
	if f != fine {
		return f
	}
	if earlier, dup := d.keys.add(keys, hash, start); dup && d.same(earlier, start) {
		d.i = start
		return faultDuplicate
	}
	if f := d.next(); f != fine {
		return f
	}
	if d.b[d.i] != ':' {
		return faultSyntax
	}
	d.i++
	return d.next()
}

// keyName reads the name at i and gives it to the sink, as a keyword where it may be one.
func (d *jsonDecoder) keyName(start int) (hash uint64, f fault) {
	if text, ok := d.plain(); ok {
		d.giveName(text, start, !d.stringKeys)
		return hashBytes(0, saltString, text), fine
	}
	var buf [128]byte
	text, f := d.text(buf[:0])
	if f != fine {
		return 0, f
	}
	d.giveName(text, start, !d.stringKeys)
	return hashBytes(0, saltString, text), fine
}

// name reads the string at i, which is an event's id, and gives it to the sink as a keyword where
// it may be one.
func (d *jsonDecoder) name() fault {
	var buf [128]byte
	start := d.i
	text, f := d.text(buf[:0])
	if f != fine {
		return f
	}
	d.giveName(text, start, true)
	return fine
}

// giveName gives the string at start, whose text is known, to the sink.
func (d *jsonDecoder) giveName(text []byte, start int, keyword bool) {
	if d.out.to == nowhere {
		return
	}
	if slash, ok := keywordText(text); ok && keyword {
		var ns []byte
		if slash > 0 {
			ns, text = text[:slash], text[slash+1:]
		}
		d.out.name(kindKeyword, ns, text)
		return
	}
	end := d.i
	d.i = start
	if f := d.str(&d.out); f != fine || d.i != end {
		panic("packer: a string is not readable a second time")
	}
}

// same tells whether the names at i and j are equal, once their hashes are.
func (d *jsonDecoder) same(i, j int) bool {
	a, b := jsonScanner{d.b, i}, jsonScanner{d.b, j}
	ta, fa := a.text(nil)
	tb, fb := b.text(nil)
	return fa == fine && fb == fine && string(ta) == string(tb)
}

// keywordText tells whether text, behind a colon, is a keyword to every reader in use and reads
// back as the same text. It is narrower than what the readers take: no digit begins a name behind a
// namespace, no # or ' begins a keyword, no character that does not print is in it.
func keywordText(text []byte) (slash int, ok bool) {
	if len(text) == 0 || text[0] == '#' || text[0] == '\'' || text[0] == ':' {
		return -1, false
	}
	met := classesOf(text)
	slash = -1
	switch {
	case met == ednPlain:
		return slash, true
	case met >= ednEnds || met&ednControl != 0 || met&ednHigh != 0 && !prints(text):
		return slash, false
	case met&ednColon != 0 && bytes.Contains(text, doubleColon):
		return slash, false
	case met&ednSlash != 0:
		slash = indexSlash(text)
	}
	if slash > 0 && slash+1 < len(text) && text[slash+1]-'0' <= 9 {
		return -1, false
	}
	return slash, isName(text, slash)
}

// prints tells whether text is UTF-8 and has in it only what prints.
func prints(text []byte) bool {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 || !isPrint(r) {
			return false
		}
		text = text[n:]
	}
	return true
}

// isPrint tells whether r is a letter, mark, digit, sign or symbol: never white space or a control.
func isPrint(r rune) bool { return unicode.IsPrint(r) }
