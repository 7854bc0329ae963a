package packer

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Sizes of headers. A collection begins with the shortest, whose place the longer one takes when
// the collection ends; a set has one around the array in it. Wide ones never grow.
const (
	mpArrayWide = 1 + 4
	mpSetHead   = 1 + 1 + 1 // ext 8, length, type
	mpSetWide   = 1 + 4 + 1
)

// msgpackBegin opens an array, or a set around one.
func (e *encoder) msgpackBegin(k kind) {
	var room [mpSetWide + mpArrayWide]byte
	n := 1
	switch {
	case e.wide && k == kindSet:
		n = mpSetWide + mpArrayWide
	case e.wide:
		n = mpArrayWide
	case k == kindSet:
		n = mpSetHead + 1
	}
	e.dst = append(e.dst, room[:n]...)
}

func (e *encoder) msgpackBeginMap() { e.msgpackBegin(kindMap) }

// msgpackEnd closes an array or set.
func (e *encoder) msgpackEnd(k kind, fr *frame) {
	switch {
	case k == kindSet:
		e.msgpackEndSet(fr)
	case e.wide:
		putWide(e.dst[fr.at:], mpArray32, fr.n)
	default:
		e.msgpackGrow(fr, fr.at, mpFixArray, mpArray16)
	}
}

func (e *encoder) msgpackEndMap(fr *frame) {
	if e.wide {
		putWide(e.dst[fr.at:], mpMap32, fr.n)
		return
	}
	e.msgpackGrow(fr, fr.at, mpFixMap, mpMap16)
}

// putWide writes a header of 32 bits length.
func putWide(b []byte, first byte, n int) {
	b[0] = first
	binary.BigEndian.PutUint32(b[1:], uint32(n))
}

// msgpackGrow writes the header of fr.n elements where one byte is kept for it at byte at. fix is
// the first byte of the short form, first of the one with 16 bits, before that with 32.
func (e *encoder) msgpackGrow(fr *frame, at int, fix, first byte) {
	switch n := fr.n; {
	case n <= 0xf:
		e.dst[at] = fix | byte(n)
	case n <= math.MaxUint16:
		e.shift(at, 2)
		e.dst[at] = first
		binary.BigEndian.PutUint16(e.dst[at+1:], uint16(n))
	default:
		e.shift(at, 4)
		putWide(e.dst[at:], first+1, n)
	}
}

// msgpackEndSet closes the array in a set, then the set: its header says how many bytes that takes,
// and is shorter by one byte for some lengths, none above 16.
func (e *encoder) msgpackEndSet(fr *frame) {
	if e.wide {
		content := len(e.dst) - fr.at - mpSetWide
		putWide(e.dst[fr.at:], mpExt32, content)
		e.dst[fr.at+mpSetWide-1] = extSet
		putWide(e.dst[fr.at+mpSetWide:], mpArray32, fr.n)
		return
	}
	at := fr.at + mpSetHead
	e.msgpackGrow(fr, at, mpFixArray, mpArray16)
	content := len(e.dst) - at
	var head [mpSetWide]byte
	header := appendMsgpackExt(head[:0], extSet, content)
	if more := len(header) - mpSetHead; more > 0 {
		e.shift(fr.at, more)
	} else if more < 0 {
		e.dst = append(e.dst[:at-1], e.dst[at:]...)
	}
	copy(e.dst[fr.at:], header)
}

// msgpackStrBegin keeps one byte for the header of a string that comes in pieces.
func (e *encoder) msgpackStrBegin() (at int) {
	e.dst = append(e.dst, 0)
	return len(e.dst) - 1
}

// msgpackStrEnd writes that header.
func (e *encoder) msgpackStrEnd() {
	at := e.strAt
	n := len(e.dst) - at - 1
	var head [5]byte
	header := appendMsgpackStr(head[:0], n)
	if more := len(header) - 1; more > 0 {
		e.shift(at, more)
	}
	copy(e.dst[at:], header)
}

func appendMsgpackArray(dst []byte, n int) []byte {
	switch {
	case n <= 0xf:
		return append(dst, mpFixArray|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, mpArray16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, mpArray32), uint32(n))
}

// appendMsgpackInt appends an integer in its smallest form; of those without sign the one of 64
// bits is never used, because ClojureScript cannot read it.
func appendMsgpackInt(dst []byte, v int64) []byte {
	switch {
	case v >= -32 && v <= math.MaxInt8:
		return append(dst, byte(v))
	case v < math.MinInt32 || v > math.MaxUint32:
		return binary.BigEndian.AppendUint64(append(dst, mpInt64), uint64(v))
	case v > math.MaxUint16:
		return binary.BigEndian.AppendUint32(append(dst, mpUint32), uint32(v))
	case v > math.MaxUint8:
		return append(dst, mpUint16, byte(v>>8), byte(v))
	case v >= 0:
		return append(dst, mpUint8, byte(v))
	case v >= math.MinInt8:
		return append(dst, mpInt8, byte(v))
	case v >= math.MinInt16:
		return append(dst, mpInt16, byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint32(append(dst, mpInt32), uint32(v))
}

func appendMsgpackDouble(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, mpFloat64), math.Float64bits(v))
}

// appendMsgpackStr appends the header of a string of n bytes.
func appendMsgpackStr(dst []byte, n int) []byte {
	if n <= 0x1f {
		return append(dst, mpFixStr|byte(n))
	}
	return appendMsgpackLen(dst, mpStr8, n)
}

// appendMsgpackLen appends a length behind the first byte for it: first for one of 8 bits, the next
// two for 16 and 32.
func appendMsgpackLen(dst []byte, first byte, n int) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(dst, first, byte(n))
	case n <= math.MaxUint16:
		return append(dst, first+1, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, first+2), uint32(n))
}

// appendMsgpackBin appends the header of a byte string of n bytes.
func appendMsgpackBin(dst []byte, n int) []byte { return appendMsgpackLen(dst, mpBin8, n) }

// appendMsgpackExt appends the header of an extension with n bytes of content.
func appendMsgpackExt(dst []byte, typ int8, n int) []byte {
	switch n {
	case 1, 2, 4, 8, 16:
		return append(dst, mpFixExt1+byte(bits.TrailingZeros8(uint8(n))), byte(typ))
	}
	return append(appendMsgpackLen(dst, mpExt8, n), byte(typ))
}
