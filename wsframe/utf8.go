package wsframe

import (
	"encoding/binary"
	"unicode/utf8"
)

// UTF8 checks text that arrives in pieces (RFC 6455 §8.1, RFC 3629 §4). The zero value is ready.
// It is three bytes without pointers. Owner: loop.
//
//	            lead byte of a 2-4 byte sequence
//	boundary ------------------------------------> inside (need > 0)
//	    ^                                           |  next byte in [lo, hi]: need--
//	    +------------------ need == 0 --------------+  any other byte: refused
type UTF8 struct {
	need   uint8 // bytes that the current sequence still needs; 0 = at a boundary
	lo, hi uint8 // what the next of them may be, if need > 0
}

// Feed takes the next piece and reports whether the text can still be valid. It fails at the first
// byte that no valid text can have there: overlong forms, surrogates and values above U+10FFFF are
// refused at their second byte, before the sequence is complete. Once it has returned false the
// text is lost and the value is of no more use (until set to UTF8{}).
func (u *UTF8) Feed(b []byte) bool {
	for u.need > 0 {
		if len(b) == 0 {
			return true
		}
		if !u.step(b[0]) {
			return false
		}
		b = b[1:]
	}
	if len(b) <= asciiLenMax {
		b = b[asciiLen(b):]
	}
	// The standard library is fast on whole sequences; only one cut off at the end is stepped.
	whole := wholeLen(b)
	if !utf8.Valid(b[:whole]) {
		return false
	}
	for _, c := range b[whole:] {
		if !u.step(c) {
			return false
		}
	}
	return true
}

// Done reports whether the text may end here, that is not inside a sequence.
func (u *UTF8) Done() bool { return u.need == 0 }

// step takes one byte and reports whether it may stand here.
func (u *UTF8) step(c byte) bool {
	if u.need == 0 {
		return u.start(c)
	}
	if c < u.lo || c > u.hi {
		return false
	}
	u.need--
	u.lo, u.hi = 0x80, 0xBF
	return true
}

// start takes the first byte of a sequence. The ranges are the table of RFC 3629 §4: the second
// byte is where overlong forms, surrogates and values above U+10FFFF show.
func (u *UTF8) start(c byte) bool {
	u.lo, u.hi = 0x80, 0xBF
	switch {
	case c < 0x80:
		return true
	case c < 0xC2: // continuation bytes; C0 and C1 would be overlong
		return false
	case c < 0xE0:
		u.need = 1
	case c < 0xF0:
		u.need = 2
		switch c {
		case 0xE0:
			u.lo = 0xA0
		case 0xED:
			u.hi = 0x9F
		}
	case c < 0xF5:
		u.need = 3
		switch c {
		case 0xF0:
			u.lo = 0x90
		case 0xF4:
			u.hi = 0x8F
		}
	default:
		return false
	}
	return true
}

// asciiLenMax is where the standard library's wider steps over ASCII begin to win (BenchmarkUTF8).
const asciiLenMax = 128

// asciiLen returns the length of a beginning of b that is ASCII, found eight bytes at a time: all
// of b, for most of what is sent. The last word overlaps the one before it.
func asciiLen(b []byte) int {
	const high = 0x8080808080808080
	if len(b) < 8 {
		return 0
	}
	n := 0
	for ; n+8 < len(b); n += 8 {
		if binary.LittleEndian.Uint64(b[n:])&high != 0 {
			return n
		}
	}
	if binary.LittleEndian.Uint64(b[len(b)-8:])&high != 0 {
		return n
	}
	return len(b)
}

// wholeLen returns the length of b without the sequence that is cut off at its end, if there is
// one. It looks at no more than the last three bytes; invalid bytes may be on either side of it.
func wholeLen(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-3; i-- {
		c := b[i]
		if c < 0x80 {
			break
		}
		if c >= 0xC0 {
			if i+seqLen(c) > len(b) {
				return i
			}
			break
		}
	}
	return len(b)
}

// seqLen returns how many bytes a sequence has that begins with c >= 0xC0.
func seqLen(c byte) int {
	switch {
	case c < 0xE0:
		return 2
	case c < 0xF0:
		return 3
	default:
		return 4
	}
}
