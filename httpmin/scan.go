package httpmin

import (
	"encoding/binary"
	"math/bits"
)

// Character classes, one bit each, looked up in classOf.
const (
	token    uint8 = 1 << iota // tchar, RFC 9110 §5.6.2
	target                     // may stand in a request target
	pathChar                   // pchar or "/", RFC 3986 §3.3
	hostChar                   // reg-name, RFC 3986 §3.2.2, without the comma
	hexDigit                   // HEXDIG, both cases
	digit                      // DIGIT
	base64Char
)

// classOf maps a byte to its classes.
var classOf = func() (t [256]uint8) {
	set := func(class uint8, chars string) {
		for i := 0; i < len(chars); i++ {
			t[chars[i]] |= class
		}
	}
	const digits = "0123456789"
	const alpha = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const unreserved = alpha + digits + "-._~"
	set(token, alpha+digits+"!#$%&'*+-.^_`|~")
	set(pathChar, unreserved+"!$&'()*+,;="+"%:@/")
	// The second part is not in RFC 3986, but the URL standard leaves it as it
	// is in a query, so browsers send it. It can be read in one way only. The
	// brackets are also those of an IPv6 address in the absolute form.
	set(target, unreserved+"!$&'()*+,;="+"%:@/?"+"[]{}|\\^`")
	// A comma in a Host is what joining two Host fields would leave.
	set(hostChar, unreserved+"!$&'()*+;="+"%")
	set(hexDigit, digits+"abcdefABCDEF")
	set(digit, digits)
	set(base64Char, alpha+digits+"+/")
	return t
}()

// skip gives the index of the first byte at or after i that is not in class.
func skip(b []byte, i int, class uint8) int {
	for i < len(b) && classOf[b[i]]&class != 0 {
		i++
	}
	return i
}

// every says whether all bytes of b are in class.
func every(b []byte, class uint8) bool { return skip(b, 0, class) == len(b) }

// The kernels below look at eight bytes at a time, as one word. A test sets
// the high bit of each byte for which it holds. The tests are made on words
// whose high bits are clear, so that no sum carries into the next byte.
const ones, highs, lows = 0x0101010101010101, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f

// atLeast tests each byte of w7 for >= c.
func atLeast(w7 uint64, c byte) uint64 { return w7 + ones*(0x80-uint64(c)) }

// equals tests each byte of w7 for == c.
func equals(w7 uint64, c byte) uint64 { return ^((w7 ^ ones*uint64(c)) + lows) }

// textHits tests for control characters, HTAB among them.
func textHits(w uint64) uint64 {
	w7 := w & lows
	return (^atLeast(w7, 0x20) | atLeast(w7, 0x7f)) &^ w & highs
}

// skipText gives the index of the first byte at or after i that may not stand
// in a field value: a control character other than HTAB (RFC 9110 §5.5). Bytes
// from 0x80 up are obs-text and may.
//
// Long values, such as User-Agent, go sixteen bytes at a time.
func skipText(b []byte, i int) int {
	for i+16 <= len(b) {
		s := b[i : i+16 : i+16]
		if textHits(binary.LittleEndian.Uint64(s))|textHits(binary.LittleEndian.Uint64(s[8:])) != 0 {
			break
		}
		i += 16
	}
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		hits := textHits(w)
		if hits == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hits) >> 3
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && (b[i] >= 0x20 && b[i] != 0x7f || b[i] == '\t') {
		i++
	}
	return i
}

// skipName is skip for the class token. Words of letters and hyphens, which
// almost all names are made of, go fast.
func skipName(b []byte, i int) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		folded := (w | ones*0x20) & lows
		letter := atLeast(folded, 'a') &^ atLeast(folded, 'z'+1)
		others := (^(letter | equals(w&lows, '-')) | w) & highs
		if others == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(others) >> 3
		if b[i] == ':' {
			return i
		}
		break
	}
	return skip(b, i, token)
}

// skipTarget is skip for the class target: all of ASCII that is visible except
// the four characters `"`, `#`, `<` and `>`, which come in pairs.
func skipTarget(b []byte, i int) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		w7 := w & lows
		pairs := equals(w7|ones, '#') | equals(w7|ones*2, '>')
		hits := (^atLeast(w7, '!') | atLeast(w7, 0x7f) | pairs | w) & highs
		if hits != 0 {
			return i + bits.TrailingZeros64(hits)>>3
		}
		i += 8
	}
	return skip(b, i, target)
}

// trim cuts optional white space (SP, HTAB) off both ends, RFC 9110 §5.6.3.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// fold says whether b is lower, whatever its case. lower is lower-case letters
// and hyphens, b is free of control characters; so one OR folds both.
func fold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		if b[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}
