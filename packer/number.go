package packer

import (
	"math"
	"strconv"
)

// numClass is which of Clojure's number types a numeral denotes.
type numClass uint8

const (
	numInteger numClass = iota
	numFloat
	numDecimal
	numRatio
)

// number is a numeral taken apart: digits as they stand in the text, nothing converted. It holds
// slices of the token that it was parsed from.
//
//	integer: digits in radix, big = an N behind it
//	float, decimal: digits [. frac] [e exp], exp with its sign; point = there was a point
//	ratio: digits / den, both decimal
type number struct {
	class       numClass
	neg         bool
	big         bool
	point       bool
	radix       int
	digits      []byte
	frac        []byte
	exp         []byte
	den         []byte
	outOfDouble bool // a float whose value is infinite in double precision
}

// parseNumber reads a whole token by the three patterns of tools.reader (impl/commons.clj):
// integer, then float or decimal, then ratio. A JSON number is a numeral of the same meaning in
// them.
func parseNumber(tok []byte, n *number) fault {
	*n = number{radix: 10}
	if len(tok) > NumberMax {
		return faultNumberLen
	}
	if tok[0] == '+' || tok[0] == '-' {
		n.neg = tok[0] == '-'
		tok = tok[1:]
	}
	i := digitsEnd(tok, 0)
	if i == len(tok) && (i == 1 || tok[0] != '0') {
		n.digits = tok
		return fine
	}
	if i == 0 {
		return faultNumber
	}
	if i == len(tok) {
		return n.octal(tok)
	}
	return n.rest(tok, i)
}

// rest reads a numeral that is more than decimal digits: tok[i] is the first other byte.
func (n *number) rest(tok []byte, i int) fault {
	switch c := tok[i]; {
	case c == 'N' && i == len(tok)-1:
		n.big = true
		if tok[0] == '0' && i > 1 {
			return n.octal(tok[:i])
		}
		n.digits = tok[:i]
		return fine
	case (c == 'x' || c == 'X') && i == 1 && tok[0] == '0':
		return n.hex(tok[2:])
	case (c == 'r' || c == 'R') && i <= 2 && tok[0] != '0':
		return n.inRadix(tok[:i], tok[i+1:])
	case c == '/':
		return n.ratio(tok[:i], tok[i+1:])
	}
	return n.float(tok, i)
}

// octal reads digits that start with a zero: 010 is eight, 08 is nothing.
func (n *number) octal(digits []byte) fault {
	n.radix, n.digits = 8, digits[1:]
	return checkDigits(n.digits, 8)
}

func (n *number) hex(digits []byte) fault {
	if l := len(digits); l > 0 && digits[l-1] == 'N' {
		n.big = true
		digits = digits[:l-1]
	}
	n.radix, n.digits = 16, digits
	return n.checkRadix()
}

// inRadix reads 36rZZ. An N at the end is a digit here.
func (n *number) inRadix(radix, digits []byte) fault {
	r := 0
	for _, c := range radix {
		r = r*10 + int(c-'0')
	}
	if r < 2 || r > 36 {
		return faultNumber
	}
	n.radix, n.digits = r, digits
	return n.checkRadix()
}

// checkRadix wants digits of the radix, no more of them than can be written in decimal: other
// formats have nothing else.
func (n *number) checkRadix() fault {
	const sign = 1
	decimals := float64(len(trimZeros(n.digits))) * math.Log10(float64(n.radix))
	if int(decimals)+1+sign > NumberMax {
		return faultNumberLen
	}
	return checkDigits(n.digits, n.radix)
}

func (n *number) ratio(num, den []byte) fault {
	n.class, n.digits, n.den = numRatio, num, den
	if f := checkDigits(den, 10); f != fine {
		return f
	}
	if len(trimZeros(den)) == 0 {
		return faultNumber
	}
	return fine
}

// float reads 1.5, 1., 1e5, 1.5M: digits up to i are read.
func (n *number) float(tok []byte, i int) fault {
	n.class, n.digits = numFloat, tok[:i]
	if tok[i] == '.' {
		j := digitsEnd(tok, i+1)
		n.point, n.frac = true, tok[i+1:j]
		i = j
		if len(n.frac) == 0 && len("-0")+len(tok) > NumberMax {
			return faultNumberLen // 1. becomes 1.0
		}
	}
	if i < len(tok) && (tok[i] == 'e' || tok[i] == 'E') {
		j := i + 1
		if j < len(tok) && (tok[j] == '+' || tok[j] == '-') {
			j++
		}
		end := digitsEnd(tok, j)
		if end == j {
			return faultNumber
		}
		n.exp = tok[i+1 : end]
		i = end
	}
	if i == len(tok)-1 && tok[i] == 'M' {
		n.class = numDecimal
		return n.checkScale()
	}
	if i != len(tok) {
		return faultNumber
	}
	n.checkDouble()
	return fine
}

// checkScale refuses what java.math.BigDecimal cannot hold: exponent and scale are 32-bit.
func (n *number) checkScale() fault {
	const scaleMax = 1<<31 - 1
	e, ok := n.exponent()
	if !ok || e > scaleMax || e < -scaleMax {
		return faultNumber
	}
	if scale := int64(len(n.frac)) - e; scale > scaleMax || scale < -scaleMax-1 {
		return faultNumber
	}
	return fine
}

// exponent is the value of exp; ok is false beyond ten digits.
func (n *number) exponent() (e int64, ok bool) {
	digits, neg := n.exp, false
	if len(digits) > 0 && (digits[0] == '+' || digits[0] == '-') {
		neg = digits[0] == '-'
		digits = digits[1:]
	}
	digits = trimZeros(digits)
	for _, c := range digits {
		e = e*10 + int64(c-'0')
		if e >= 1e10 {
			return 0, false
		}
	}
	if neg {
		e = -e
	}
	return e, true
}

// checkDouble sets outOfDouble. Only a numeral with an exponent or with very many digits can be out
// of range, so the common one costs a comparison.
func (n *number) checkDouble() {
	const digitsSafe = 308
	if n.exp == nil && len(n.digits) <= digitsSafe {
		return
	}
	n.outOfDouble = n.double() > maxFinite
}

const maxFinite = 0x1p1023 * (1 + (1 - 0x1p-52))

// double is the absolute value of a float numeral, infinite when out of range.
func (n *number) double() float64 {
	var buf [64]byte
	text := n.appendDecimal(buf[:0], false)
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil && v == 0 {
		panic("packer: a numeral that is none: " + string(text))
	}
	return v
}

func trimZeros(digits []byte) []byte {
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

// digitsEnd is the index of the first byte from i on that is not a decimal digit.
func digitsEnd(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// checkDigits wants at least one digit, all of the radix.
func checkDigits(digits []byte, radix int) fault {
	if len(digits) == 0 {
		return faultNumber
	}
	for _, c := range digits {
		if digitValue(c) >= radix {
			return faultNumber
		}
	}
	return fine
}

// digitValue is the value of a digit of radix up to 36; 255 for any other byte.
func digitValue(c byte) int {
	switch {
	case c-'0' <= 9:
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 255
}
