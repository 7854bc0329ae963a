package packer

import (
	"math/big"
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

// number is a numeral taken apart: digits as they stand in the text, nothing converted. It holds slices
// of the token that it was parsed from.
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

// parseNumber reads a whole token by the three patterns of tools.reader (impl/commons.clj): integer,
// then float or decimal, then ratio. A JSON number is a numeral of the same meaning in them.
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
	return checkDigits(digits, 16)
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
	return checkDigits(digits, r)
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

// checkDouble sets outOfDouble. Only a numeral with an exponent or with very many digits can be out of
// range, so the common one costs a comparison.
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

// appendDecimal appends the float or decimal numeral as edn and JSON both read it: no plus, no leading
// zeros, digits on both sides of a point, the same digits otherwise. (1.M has the scale of 1M.)
func (n *number) appendDecimal(dst []byte, sign bool) []byte {
	if sign && n.neg && (n.class == numFloat || !n.isZero()) {
		dst = append(dst, '-') // decimals have no negative zero
	}
	dst = appendInt(dst, n.digits)
	if n.point && (n.class == numFloat || len(n.frac) > 0) {
		dst = append(dst, '.')
		dst = append(dst, n.frac...)
		if len(n.frac) == 0 {
			dst = append(dst, '0')
		}
	}
	if n.exp != nil {
		dst = append(dst, 'E')
		dst = append(dst, n.exp...)
	}
	return dst
}

func (n *number) isZero() bool { return len(trimZeros(n.digits)) == 0 && len(trimZeros(n.frac)) == 0 }

// appendInteger appends the decimal digits of an integer numeral.
func (n *number) appendInteger(dst []byte) []byte {
	if n.radix == 10 {
		if len(trimZeros(n.digits)) == 0 {
			return append(dst, '0')
		}
		if n.neg {
			dst = append(dst, '-')
		}
		return appendInt(dst, n.digits)
	}
	const bitsSafe = 12 // digits of radix 36 that fit 63 bits
	if digits := trimZeros(n.digits); len(digits) <= bitsSafe {
		v := int64(0)
		for _, c := range digits {
			v = v*int64(n.radix) + int64(digitValue(c))
		}
		if n.neg {
			v = -v
		}
		return strconv.AppendInt(dst, v, 10)
	}
	v, _ := new(big.Int).SetString(string(n.digits), n.radix)
	if n.neg {
		v.Neg(v)
	}
	return v.Append(dst, 10)
}

// appendRatio appends the reduced ratio 22/7; integer is true, and no slash is written, when it is one.
func (n *number) appendRatio(dst []byte) (out []byte, integer bool) {
	num, den := trimZeros(n.digits), trimZeros(n.den)
	if len(num) == 0 {
		return append(dst, '0'), true
	}
	if n.neg {
		dst = append(dst, '-')
	}
	const wordSafe = 19 // decimal digits that fit 64 bits
	if len(num) <= wordSafe && len(den) <= wordSafe {
		a, b := wordValue(num), wordValue(den)
		g := gcd(a, b)
		dst = strconv.AppendUint(dst, a/g, 10)
		if b == g {
			return dst, true
		}
		return strconv.AppendUint(append(dst, '/'), b/g, 10), false
	}
	a, _ := new(big.Int).SetString(string(num), 10)
	b, _ := new(big.Int).SetString(string(den), 10)
	g := new(big.Int).GCD(nil, nil, a, b)
	dst = a.Quo(a, g).Append(dst, 10)
	if b.Quo(b, g); b.IsInt64() && b.Int64() == 1 {
		return dst, true
	}
	return b.Append(append(dst, '/'), 10), false
}

// hash is equal for numerals that Clojure's = holds equal: 16 and 0x10 and 16N, 1.0 and 1e0, 1.0M and
// 1.00M, 2/4 and 1/2, 4/2 and 2; never across integer, float and decimal.
func (n *number) hash(seed int) uint64 {
	var buf [64]byte
	switch n.class {
	case numInteger:
		return hashBytes(seed, saltInteger, n.appendInteger(buf[:0]))
	case numRatio:
		text, integer := n.appendRatio(buf[:0])
		if integer {
			return hashBytes(seed, saltInteger, text)
		}
		return hashBytes(seed, saltRatio, text)
	case numFloat:
		v := n.double()
		if v > maxFinite {
			return hashInfinity(seed, n.neg)
		}
		text := strconv.AppendFloat(buf[:0], v, 'g', -1, 64)
		return hashBytes(seed, saltFloat, appendSign(text, n.neg && v != 0))
	}
	return n.hashDecimal(seed)
}

// hashDecimal leaves out what equality leaves out: zeros at both ends, moved into the exponent.
func (n *number) hashDecimal(seed int) uint64 {
	var buf [64]byte
	text := append(append(buf[:0], n.digits...), n.frac...)
	text = trimZeros(text)
	e, _ := n.exponent()
	e -= int64(len(n.frac))
	for len(text) > 0 && text[len(text)-1] == '0' {
		text = text[:len(text)-1]
		e++
	}
	if len(text) == 0 {
		return hashBytes(seed, saltDecimal, nil)
	}
	text = strconv.AppendInt(append(text, 'e'), e, 10)
	return hashBytes(seed, saltDecimal, appendSign(text, n.neg))
}

func hashInfinity(seed int, neg bool) uint64 {
	var buf [4]byte
	return hashBytes(seed, saltFloat, appendSign(append(buf[:0], "Inf"...), neg))
}

func appendSign(text []byte, neg bool) []byte {
	if neg {
		return append(text, '-')
	}
	return text
}

// appendInt appends decimal digits without leading zeros, at least one digit.
func appendInt(dst, digits []byte) []byte {
	if digits = trimZeros(digits); len(digits) == 0 {
		return append(dst, '0')
	}
	return append(dst, digits...)
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

// wordValue is the value of at most 19 decimal digits.
func wordValue(digits []byte) (v uint64) {
	for _, c := range digits {
		v = v*10 + uint64(c-'0')
	}
	return v
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
