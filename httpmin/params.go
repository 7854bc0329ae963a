package httpmin

import (
	"bytes"
	"slices"
)

// NextParam cuts the first "name=value" off a query or form, for callers that
// want several parameters in one pass; the list is at its end when rest is
// empty. Name and value are encoded, as they came; value is nil where there is
// no "=". All are slices of list.
func NextParam(list []byte) (name, value, rest []byte) {
	name = list
	if amp := bytes.IndexByte(list, '&'); amp >= 0 {
		name, rest = list[:amp], list[amp+1:]
	}
	if eq := bytes.IndexByte(name, '='); eq >= 0 {
		name, value = name[:eq], name[eq+1:]
	}
	return name, value, rest
}

// NameIs says whether name, encoded as NextParam gives it, is want.
func NameIs(name []byte, want string) bool {
	for i := 0; i < len(want); i++ {
		if len(name) == 0 {
			return false
		}
		c, n := decodeByte(name)
		if c != want[i] {
			return false
		}
		name = name[n:]
	}
	return len(name) == 0
}

// AppendUnescaped appends an encoded value, decoded as Param does it: it grows
// by len(encoded) bytes at most.
func AppendUnescaped(dst, encoded []byte) []byte {
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
