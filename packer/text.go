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
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		if hit := escaped(x) | x&highBits; hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
	}
	for i < len(b) && stringClass[b[i]] == strPlain {
		i++
	}
	return i
}

// escapeAt is the index of the first byte of text that is a quote, a backslash or a control
// character; len(text) when there is none.
func escapeAt(text []byte) int {
	n := len(text)
	i := 0
	for ; i+8 <= n; i += 8 {
		if hit := escaped(binary.LittleEndian.Uint64(text[i:])); hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
	}
	if n >= 8 && i < n {
		i = n - 8 // bytes that were seen already are plain
		return i + min(bits.TrailingZeros64(escaped(binary.LittleEndian.Uint64(text[i:])))>>3, 8)
	}
	for i < n && jsonEscapes[text[i]] == 0 {
		i++
	}
	return i
}

// escaped marks, by its high bit, the first byte of x that is a quote, a backslash or a control
// character. What it says of the bytes behind that one may be wrong.
func escaped(x uint64) uint64 {
	quote := x ^ '"'*everyByte
	slash := x ^ '\\'*everyByte
	return ((quote-everyByte)&^quote | (slash-everyByte)&^slash | (x-' '*everyByte)&^x) & highBits
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
