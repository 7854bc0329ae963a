package packer

import (
	"math/big"
	"strconv"
)

// appendDecimal appends the float or decimal numeral as edn and JSON both read it: no plus, no
// leading zeros, digits on both sides of a point, the same digits otherwise. (1.M has the scale of
// 1M.)
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

func (n *number) isZero() bool {
	return len(trimZeros(n.digits)) == 0 && len(trimZeros(n.frac)) == 0
}

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

// appendRatio appends the reduced ratio 22/7; integer is true, and no slash is written, when it is
// one.
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

// hash is equal for numerals that Clojure's = holds equal: 16 and 0x10 and 16N, 1.0 and 1e0, 1.0M
// and 1.00M, 2/4 and 1/2, 4/2 and 2; never across integer, float and decimal.
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
