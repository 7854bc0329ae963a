package packer

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Runs of plain text, eight bytes at a time: strings are most of what is read and written.

const (
	everyByte = 0x0101_0101_0101_0101
	highBits  = 0x80 * everyByte
)

// plainEnd is the index of the first byte from i on that is no plain ASCII text inside a string: a
// quote, a backslash, a control character, or a byte of a character beyond ASCII.
func plainEnd(b []byte, i int) int {
	rest := b[i:]
	for len(rest) >= 8 {
		x := binary.LittleEndian.Uint64(rest)
		if hit := (marks(x) | x) & highBits; hit != 0 {
			return len(b) - len(rest) + bits.TrailingZeros64(hit)>>3
		}
		rest = rest[8:]
	}
	for n, c := range rest {
		if stringClass[c] != strPlain {
			return len(b) - len(rest) + n
		}
	}
	return len(b)
}

// EscapeAt is the index of the first byte of text that is a quote, a backslash or a control
// character; len(text) when there is none.
func EscapeAt(text []byte) int {
	n := len(text)
	if n < 8 {
		return escapeAtShort(text)
	}
	rest := text
	for len(rest) >= 8 {
		x := binary.LittleEndian.Uint64(rest)
		if hit := marks(x) &^ x & highBits; hit != 0 {
			return n - len(rest) + bits.TrailingZeros64(hit)>>3
		}
		rest = rest[8:]
	}
	if len(rest) == 0 {
		return n
	}
	x := binary.LittleEndian.Uint64(text[n-8:]) // of which the first bytes were seen before
	return n - 8 + bits.TrailingZeros64(marks(x)&^x&highBits)>>3
}

// escapeAtShort is EscapeAt for less than eight bytes. Four and more are two words that overlap.
func escapeAtShort(text []byte) int {
	if n := len(text); n >= 4 {
		x := uint64(binary.LittleEndian.Uint32(text)) |
			uint64(binary.LittleEndian.Uint32(text[n-4:]))<<32
		if marks(x)&^x&highBits == 0 {
			return n
		}
	}
	for i, c := range text {
		if jsonEscapes[c] != 0 {
			return i
		}
	}
	return len(text)
}

// marks sets the high bit of the first byte in x that is a quote, a backslash or a control character,
// and of no other ASCII byte before it. (A subtraction borrows from the next byte only where it finds
// something.)
func marks(x uint64) uint64 {
	quote := x ^ '"'*everyByte
	slash := x ^ '\\'*everyByte
	return (quote - everyByte) | (slash - everyByte) | (x - ' '*everyByte)
}

// validHigh moves from i over characters beyond ASCII, which must be UTF-8.
func validHigh(b []byte, i int) (end int, f fault) {
	for i < len(b) && b[i] >= utf8.RuneSelf {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i, faultUTF8
		}
		i += n
	}
	return i, fine
}
