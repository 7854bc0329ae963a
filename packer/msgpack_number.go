package packer

import (
	"math"
	"strconv"
)

// number reads a number of first byte c; i is behind it.
func (d *msgpackDecoder) number(start int, c byte) fault {
	v, f := d.uint(int(numberWidth[c-mpFloat32]))
	if f != fine {
		return f
	}
	switch c {
	case mpFloat32:
		return d.float(start, float64(math.Float32frombits(uint32(v))))
	case mpFloat64:
		return d.float(start, math.Float64frombits(v))
	case mpInt8:
		return d.signed(start, int64(int8(v)))
	case mpInt16:
		return d.signed(start, int64(int16(v)))
	case mpInt32:
		return d.signed(start, int64(int32(v)))
	case mpInt64:
		return d.signed(start, int64(v))
	}
	return d.unsigned(start, v)
}

// numberWidth is how many bytes the number has whose first byte is mpFloat32 and on.
var numberWidth = [...]uint8{
	0: 4, mpFloat64 - mpFloat32: 8,
	mpUint8 - mpFloat32: 1, mpUint16 - mpFloat32: 2, mpUint32 - mpFloat32: 4, mpUint64 - mpFloat32: 8,
	mpInt8 - mpFloat32: 1, mpInt16 - mpFloat32: 2, mpInt32 - mpFloat32: 4, mpInt64 - mpFloat32: 8,
}

func (d *msgpackDecoder) signed(start int, v int64) fault {
	if v < 0 {
		return d.integer(start, -uint64(v), true)
	}
	return d.integer(start, uint64(v), false)
}

func (d *msgpackDecoder) unsigned(start int, v uint64) fault {
	return d.integer(start, v, false)
}

// integer gives an integer to the sink; v is its absolute value.
func (d *msgpackDecoder) integer(start int, v uint64, neg bool) fault {
	if !d.hashing && (d.out.to == nowhere || d.copied(start)) {
		return fine
	}
	var buf [20]byte
	n := number{
		radix: 10, neg: neg, big: !neg && v > math.MaxInt64,
		digits: strconv.AppendUint(buf[:0], v, 10),
	}
	d.hashNumber(&n)
	if !d.copied(start) {
		d.out.number(&n)
	}
	return fine
}

// float gives a float to the sink.
func (d *msgpackDecoder) float(start int, v float64) fault {
	if !d.hashing && (d.out.to == nowhere || d.copied(start)) {
		return fine
	}
	switch {
	case math.IsNaN(v):
		d.symbolic(start, notANumber)
	case math.IsInf(v, 1):
		d.symbolic(start, plusInf)
	case math.IsInf(v, -1):
		d.symbolic(start, minusInf)
	default:
		var buf [32]byte
		n := doubleNumber(buf[:0], v)
		d.hashNumber(&n)
		if !d.copied(start) {
			d.out.number(&n)
		}
	}
	return fine
}

func (d *msgpackDecoder) symbolic(start int, s symbolicValue) {
	d.hashSymbolic(s, d.i)
	if !d.copied(start) {
		d.out.symbolic(s)
	}
}

// doubleNumber is the numeral of a finite double: the fewest digits that read back as the same,
// with a point, and with an exponent only where ClojureScript prints one. It holds slices of buf,
// which stays off the heap because the number is a result.
func doubleNumber(buf []byte, v float64) number {
	const plainMin, plainMax = 1e-7, 1e21
	n := number{class: numFloat, radix: 10, neg: math.Signbit(v), point: true, frac: zeroDigit}
	v = math.Abs(v)
	format := byte('f')
	if v != 0 && (v < plainMin || v >= plainMax) {
		format = 'e'
	}
	text := strconv.AppendFloat(buf, v, format, -1, 64)
	i := digitsEnd(text, 0)
	n.digits = text[:i]
	if i < len(text) && text[i] == '.' {
		j := digitsEnd(text, i+1)
		n.frac = text[i+1 : j]
		i = j
	}
	if i < len(text) {
		n.exp = text[i+1:]
		switch {
		case n.exp[0] == '+':
			n.exp = n.exp[1:]
		case n.exp[1] == '0': // -08
			n.exp = n.exp[1:]
			n.exp[0] = '-'
		}
	}
	return n
}

var zeroDigit = []byte("0")
