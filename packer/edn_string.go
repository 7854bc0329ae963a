package packer

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string. The sink gets it in pieces: runs of plain text, and the characters that
// escapes stand for.
func (d *ednDecoder) str() fault {
	d.i++
	start := d.i
	end, escaped, f := plainString(d.b, d.i)
	d.i = end
	if f != fine {
		return f
	}
	if d.b[end] == '"' && !escaped {
		d.i++
		d.hashText(d.b[start:end])
		d.out.str(d.b[start:end])
		return fine
	}
	return d.escaped(start)
}

// plainString moves from i to the quote or backslash that ends the run of unescaped text, control
// characters included. escaped is true at a backslash.
func plainString(b []byte, i int) (end int, escaped bool, f fault) {
	for {
		i = plainEnd(b, i)
		if i >= len(b) {
			return i, false, faultString
		}
		switch c := b[i]; {
		case c == '"':
			return i, false, fine
		case c == '\\':
			return i, true, fine
		case c < ' ':
			i++
		default:
			if i, f = validHigh(b, i); f != fine {
				return i, false, f
			}
		}
	}
}

// escaped reads a string with escapes; its text begins at start, and i is at the first backslash.
func (d *ednDecoder) escaped(start int) fault {
	var buf [128]byte
	text := buf[:0]
	d.out.strBegin()
	for {
		d.out.strRun(d.b[start:d.i])
		if d.hashing {
			text = append(text, d.b[start:d.i]...)
		}
		if d.b[d.i] == '"' {
			break
		}
		r, f := d.escape()
		if f != fine {
			return f
		}
		d.out.strRune(r)
		if d.hashing {
			text = appendRune(text, r)
		}
		start = d.i
		if d.i, _, f = plainString(d.b, d.i); f != fine {
			return f
		}
	}
	d.i++
	d.out.strEnd()
	d.hashText(text)
	return fine
}

// escape reads one escape. Two \u escapes that form a surrogate pair are one character; a surrogate
// without its half is given as it is.
func (d *ednDecoder) escape() (rune, fault) {
	d.i++
	if d.i >= len(d.b) {
		return 0, faultString
	}
	c := d.b[d.i]
	d.i++
	switch c {
	case '"', '\\':
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
		return d.unicodeEscape()
	}
	if c-'0' > 7 {
		return 0, faultEscape
	}
	return d.octalEscape(rune(c - '0'))
}

func (d *ednDecoder) unicodeEscape() (rune, fault) {
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

// pairAt tells whether the high surrogate r is followed at i by the \u escape of a low one.
func pairAt(b []byte, i int, r rune) (full rune, ok bool) {
	if !utf16.IsSurrogate(r) || i+1 >= len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	low, ok := hex4(b, i+2)
	if !ok {
		return 0, false
	}
	full = utf16.DecodeRune(r, low)
	return full, full != utf8.RuneError
}

// hex4 reads four hex digits.
func hex4(b []byte, i int) (r rune, ok bool) {
	if i+4 > len(b) {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		v := digitValue(c)
		if v > 15 {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}

// octalEscape reads up to three octal digits, the first of which is r. The reader wants the
// digits to be ended by white space or a macro character when there are fewer than three.
func (d *ednDecoder) octalEscape(r rune) (rune, fault) {
	for range 2 {
		if d.i >= len(d.b) {
			return 0, faultString
		}
		c := d.b[d.i]
		if c-'0' > 7 {
			if d.endsOctal(c) {
				break
			}
			return 0, faultEscape
		}
		r = r<<3 | rune(c-'0')
		d.i++
	}
	if r > 0o377 {
		return 0, faultEscape
	}
	return r, fine
}

func (d *ednDecoder) endsOctal(c byte) bool {
	switch ednClass[c] {
	case ednSpace, ednMacro:
		return true
	case ednHigh:
		r, _ := utf8.DecodeRune(d.b[d.i:])
		return isSpace(r)
	}
	return c == ':' || c == '#'
}

// appendRune appends r in UTF-8; a lone surrogate in the three bytes that UTF-8 would give it, so
// that different strings never become the same bytes. Only hashes see those bytes.
func appendRune(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(dst, r)
}

// char reads a character literal: \a, \newline, \u00e9, \o101. It is one UTF-16 unit, never a
// surrogate.
func (d *ednDecoder) char() fault {
	d.i++
	start := d.i
	if start >= len(d.b) {
		return faultCharacter
	}
	r, n := utf8.DecodeRune(d.b[start:])
	if r == utf8.RuneError && n == 1 {
		return faultUTF8
	}
	if class := ednClass[d.b[start]]; class >= ednEnds || class == ednHigh && isSpace(r) {
		d.i += n
	} else {
		if _, f := d.token(); f != fine {
			return f
		}
		if r, n = charNamed(d.b[start:d.i], r, n); n == 0 {
			return faultCharacter
		}
	}
	if r > 0xFFFF {
		return faultCharacter
	}
	d.hashChar(r)
	d.out.char(r)
	return fine
}

// charNamed gives the character that a token names; its first character is r of n bytes. n is 0
// when it names none.
func charNamed(tok []byte, r rune, n int) (rune, int) {
	if len(tok) == n {
		return r, n
	}
	switch string(tok) {
	case "newline":
		return '\n', n
	case "space":
		return ' ', n
	case "tab":
		return '\t', n
	case "backspace":
		return '\b', n
	case "formfeed":
		return '\f', n
	case "return":
		return '\r', n
	}
	switch r {
	case 'u':
		if u, ok := hex4(tok, 1); ok && len(tok) == 5 && !utf16.IsSurrogate(u) {
			return u, n
		}
	case 'o':
		if len(tok) <= 4 && checkDigits(tok[1:], 8) == fine {
			if v := wordOctal(tok[1:]); v <= 0o377 {
				return v, n
			}
		}
	}
	return 0, 0
}

func wordOctal(digits []byte) (v rune) {
	for _, c := range digits {
		v = v<<3 | rune(c-'0')
	}
	return v
}
