package packer

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The msgpack encoder writes what Sente's JVM packer writes: the smallest form of every integer and
// length, doubles in 64 bits, and nothing by reference. The files:
//
//	msgpack_encode.go  scalars
//	msgpack_headers.go what stands before a value, and headers that grow
//	msgpack_tagged.go  tagged values, which become maps or extensions

func (e *encoder) msgpackWord(k kind) {
	e.dst = append(e.dst, [...]byte{kindNil: mpNil, kindFalse: mpFalse, kindTrue: mpTrue}[k])
}

// msgpackNumber writes an integer of 63 bits and a sign, a ratio of two such, or a double, which is
// also what a decimal becomes.
func (e *encoder) msgpackNumber(n *number) {
	switch n.class {
	case numInteger:
		v, ok := n.int64()
		if !ok {
			e.bad = faultBigInteger
		}
		e.dst = appendMsgpackInt(e.dst, v)
	case numRatio:
		e.msgpackRatio(n)
	default:
		v := n.double()
		if n.neg && (n.class == numFloat || !n.isZero()) {
			v = -v // a decimal has no negative zero, but may become one
		}
		e.lossy = e.lossy || n.class == numDecimal
		e.dst = appendMsgpackDouble(e.dst, v)
	}
}

// msgpackRatio writes a ratio, or the integer that it is.
func (e *encoder) msgpackRatio(n *number) {
	var buf [64]byte
	text, integer := n.appendRatio(buf[:0])
	slash := len(text)
	if !integer {
		slash = indexSlash(text)
	}
	num, ok := parseInt64(text[:slash])
	if integer {
		e.dst = appendMsgpackInt(e.dst, num)
	} else {
		den, okDen := parseInt64(text[slash+1:])
		var parts [18]byte
		content := appendMsgpackInt(appendMsgpackInt(parts[:0], num), den)
		e.dst = append(appendMsgpackExt(e.dst, extRatio, len(content)), content...)
		ok = ok && okDen
	}
	if !ok {
		e.bad = faultBigInteger
	}
}

// int64 is the value of an integer numeral, if it is one of 63 bits and a sign.
func (n *number) int64() (v int64, ok bool) {
	digits := trimZeros(n.digits)
	if n.radix == 10 && len(digits) <= 19 {
		return withSign(wordValue(digits), n.neg)
	}
	abs := uint64(0)
	for _, c := range digits {
		over, product := bits.Mul64(abs, uint64(n.radix))
		sum, carry := bits.Add64(product, uint64(digitValue(c)), 0)
		if over+carry != 0 {
			return 0, false
		}
		abs = sum
	}
	return withSign(abs, n.neg)
}

// parseInt64 reads decimal digits that may have a minus before them.
func parseInt64(text []byte) (v int64, ok bool) {
	neg := text[0] == '-'
	if neg {
		text = text[1:]
	}
	if len(text) > 19 {
		return 0, false
	}
	return withSign(wordValue(text), neg)
}

func withSign(abs uint64, neg bool) (v int64, ok bool) {
	if neg {
		return -int64(abs), abs <= 1<<63
	}
	return int64(abs), abs <= math.MaxInt64
}

func (e *encoder) msgpackSymbolic(s symbolicValue) {
	v := [...]float64{plusInf: math.Inf(1), minusInf: math.Inf(-1), notANumber: 0}[s]
	if s == notANumber {
		e.dst = binary.BigEndian.AppendUint64(append(e.dst, mpFloat64), 0x7ff8_0000_0000_0000)
		return
	}
	e.dst = appendMsgpackDouble(e.dst, v)
}

func (e *encoder) msgpackStr(text []byte) {
	e.dst = append(appendMsgpackStr(e.dst, len(text)), text...)
}

func (e *encoder) msgpackName(k kind, ns, name []byte) {
	typ, n := int8(extKeyword), len(name)
	if k == kindSymbol {
		typ = extSymbol
	}
	if ns != nil {
		n += len(ns) + 1
	}
	e.dst = appendMsgpackExt(e.dst, typ, n)
	if ns != nil {
		e.dst = append(append(e.dst, ns...), '/')
	}
	e.dst = append(e.dst, name...)
}

func (e *encoder) msgpackChar(r rune) {
	var buf [4]byte
	text := appendRune(buf[:0], r)
	e.dst = append(appendMsgpackExt(e.dst, extChar, len(text)), text...)
}

// msgpackInst writes nanoseconds, then seconds, both from the second at or before the instant.
func (e *encoder) msgpackInst(ms int64) {
	seconds, rest := ms/1000, ms%1000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1000
	}
	e.dst = appendMsgpackExt(e.dst, extInst, 12)
	e.dst = binary.BigEndian.AppendUint32(e.dst, uint32(rest*1_000_000))
	e.dst = binary.BigEndian.AppendUint64(e.dst, uint64(seconds))
}

func (e *encoder) msgpackUUID(id *[16]byte) {
	e.dst = appendUUID(appendMsgpackExt(e.dst, extUUID, 36), id)
}

func (e *encoder) msgpackBytes(b []byte) {
	e.dst = append(appendMsgpackBin(e.dst, len(b)), b...)
}
