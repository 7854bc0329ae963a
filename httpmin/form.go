package httpmin

import (
	"bytes"
	"slices"
)

// Param finds the first parameter with this name (not encoded) in a query or
// an application/x-www-form-urlencoded body, and appends its value, decoded, to
// scratch. "+" is a space; an invalid "%" escape stays as it is, as the URL
// standard §5.1 says. A parameter without "=" is present and empty.
//
// value is the appended part, never nil when ok; rest is the grown scratch, to
// be given to the next call so that it does not overwrite this value. Nothing
// is allocated while scratch has room for the encoded value.
func Param(query []byte, name string, scratch []byte) (value, rest []byte, ok bool) {
	for len(query) > 0 {
		var key, encoded []byte
		key, encoded, query = nextPair(query)
		if !sameKey(key, name) {
			continue
		}
		n := len(scratch)
		rest = appendDecoded(scratch, encoded)
		if value = rest[n:len(rest):len(rest)]; value == nil {
			value = []byte{}
		}
		return value, rest, true
	}
	return nil, scratch, false
}

// HasParam says whether a parameter with this name is present, whatever its
// value.
func HasParam(query []byte, name string) bool {
	for len(query) > 0 {
		var key []byte
		if key, _, query = nextPair(query); sameKey(key, name) {
			return true
		}
	}
	return false
}

// Form says whether the body is a form: whether the media type of Content-Type
// is application/x-www-form-urlencoded, whatever its parameters.
func (h *Head) Form() bool {
	t := h.ContentType
	if semi := bytes.IndexByte(t, ';'); semi >= 0 {
		t = t[:semi]
	}
	return sameName(trim(t), "application/x-www-form-urlencoded")
}

// nextPair cuts the first "key=value" off the list.
func nextPair(list []byte) (key, value, rest []byte) {
	key = list
	if amp := bytes.IndexByte(list, '&'); amp >= 0 {
		key, rest = list[:amp], list[amp+1:]
	}
	if eq := bytes.IndexByte(key, '='); eq >= 0 {
		key, value = key[:eq], key[eq+1:]
	}
	return key, value, rest
}

// sameKey says whether key, decoded, is name.
func sameKey(key []byte, name string) bool {
	for i := 0; i < len(name); i++ {
		if len(key) == 0 {
			return false
		}
		c, n := decodeByte(key)
		if c != name[i] {
			return false
		}
		key = key[n:]
	}
	return len(key) == 0
}

// appendDecoded appends encoded, decoded, which is never longer.
func appendDecoded(dst, encoded []byte) []byte {
	dst = slices.Grow(dst, len(encoded))
	for len(encoded) > 0 {
		c, n := decodeByte(encoded)
		dst = append(dst, c)
		encoded = encoded[n:]
	}
	return dst
}

// decodeByte decodes the byte at the start of b, which has n encoded bytes.
func decodeByte(b []byte) (c byte, n int) {
	switch c = b[0]; {
	case c == '+':
		return ' ', 1
	case c == '%' && len(b) > 2 && classOf[b[1]]&classOf[b[2]]&hexDigit != 0:
		return hexValue(b[1])<<4 | hexValue(b[2]), 3
	}
	return c, 1
}
