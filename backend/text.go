package backend

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text gives the string whose JSON form, checked, is raw. Half of a surrogate pair is refused:
// what it would become (U+FFFD) is another user's name.
func text(raw []byte) (string, *Error) {
	b, err := appendUnquoted(make([]byte, 0, len(raw)), raw)
	return string(b), err
}

// appendUnquoted appends what text gives.
func appendUnquoted(dst, raw []byte) ([]byte, *Error) {
	raw = raw[1 : len(raw)-1]
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(dst, raw...), nil
		}
		dst = append(dst, raw[:i]...)
		r, n := unescape(raw[i:])
		if n == 0 {
			return dst, bad("bad_json", "half of a surrogate pair, %q, is no character", raw[i:i+6])
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[i+n:]
	}
}

// unescape reads one checked escape sequence; n is its length, 0 for half a surrogate pair.
func unescape(b []byte) (r rune, n int) {
	switch b[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r = hex4(b[2:])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
			return 0, 0
		}
		if r = utf16.DecodeRune(r, hex4(b[8:])); r == utf8.RuneError {
			return 0, 0
		}
		return r, 12
	}
	return rune(b[1]), 2
}

func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	if err != nil {
		panic("backend: an unchecked escape sequence reached hex4")
	}
	return rune(n)
}

// appendText appends s as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD:
// a stream is valid JSON whatever a client sent.
func appendText[T string | []byte](dst []byte, s T) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := decodeRune(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// decodeRune is utf8.DecodeRune for either kind of text, at most four bytes of it looked at.
func decodeRune[T string | []byte](s T) (rune, int) {
	var b [utf8.UTFMax]byte
	return utf8.DecodeRune(b[:copy(b[:], s)])
}
