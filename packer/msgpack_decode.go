package packer

import (
	"encoding/binary"
	"unicode/utf8"
)

// The msgpack decoder: the MessagePack specification with the extension types of
// taoensso.msgpack, Sente's own library. The files:
//
//	msgpack_decode.go  which value begins here; strings and byte strings
//	msgpack_number.go  integers and floats
//	msgpack_ext.go     extension types: names, characters, ratios, instants, arrays, unknown ones
//	msgpack_collect.go arrays, sets, maps; cached keys
//
// Stricter than Sente's reader, which no writer in use notices: strings are UTF-8, the content of
// an extension is exactly what its type says, keys differ, depth is limited, and a cached key
// stands only where a map key does. Every length is compared with what is left of the input before
// anything is done with it.

// msgpackDecoder reads b from i on. It lives on the stack of one call.
type msgpackDecoder struct {
	b     []byte
	i     int
	depth int

	refs     bool // a cached key was met
	cached   keyTable
	keyStart int  // where the map key begins that is being read
	byRef    bool // the map key read last is a cached one
	expanded int  // bytes of keys that references stood for

	hasher
	keys keyStack

	out encoder
}

// only reads one value and wants nothing behind it.
func (d *msgpackDecoder) only(s *slots) (start, end int, k kind, f fault) {
	if k, f = d.value(s); f != fine {
		return 0, 0, 0, f
	}
	if d.i != len(d.b) {
		return 0, 0, 0, faultMore
	}
	return 0, d.i, k, fine
}

// next wants at least one more byte.
func (d *msgpackDecoder) next() fault {
	if d.i >= len(d.b) {
		return faultEnd
	}
	return fine
}

// enter goes one level deeper.
func (d *msgpackDecoder) enter() fault {
	if d.depth++; d.depth > DepthMax {
		return faultDepth
	}
	return fine
}

// First bytes of values, which are their type and often their length too.
const (
	mpFixMap   = 0x80
	mpFixArray = 0x90
	mpFixStr   = 0xa0
	mpNil      = 0xc0
	mpFalse    = 0xc2
	mpTrue     = 0xc3
	mpBin8     = 0xc4
	mpBin16    = 0xc5
	mpBin32    = 0xc6
	mpExt8     = 0xc7
	mpExt16    = 0xc8
	mpExt32    = 0xc9
	mpFloat32  = 0xca
	mpFloat64  = 0xcb
	mpUint8    = 0xcc
	mpUint16   = 0xcd
	mpUint32   = 0xce
	mpUint64   = 0xcf
	mpInt8     = 0xd0
	mpInt16    = 0xd1
	mpInt32    = 0xd2
	mpInt64    = 0xd3
	mpFixExt1  = 0xd4
	mpFixExt2  = 0xd5
	mpFixExt4  = 0xd6
	mpFixExt8  = 0xd7
	mpFixExt16 = 0xd8
	mpStr8     = 0xd9
	mpStr16    = 0xda
	mpStr32    = 0xdb
	mpArray16  = 0xdc
	mpArray32  = 0xdd
	mpMap16    = 0xde
	mpMap32    = 0xdf
	mpNegative = 0xe0
)

// value reads the value at i. Where s is given and the value is an array, its first elements are
// noted in s.
func (d *msgpackDecoder) value(s *slots) (kind, fault) {
	start := d.i
	if start >= len(d.b) {
		return 0, faultEnd
	}
	c := d.b[start]
	d.i++
	switch {
	case c < mpFixMap:
		return kindNumber, d.unsigned(start, uint64(c))
	case c < mpFixArray:
		return kindMap, d.mapping(int(c & 0xf))
	case c < mpFixStr:
		return kindVector, d.sequence(int(c&0xf), s)
	case c < mpNil:
		return kindString, d.str(start, int(c&0x1f))
	case c >= mpNegative:
		return kindNumber, d.signed(start, int64(int8(c)))
	}
	return d.headed(start, c, s)
}

// headed reads a value whose first byte is only its type; i is behind it.
func (d *msgpackDecoder) headed(start int, c byte, s *slots) (kind, fault) {
	switch c {
	case mpNil:
		return d.word(start, kindNil), fine
	case mpFalse:
		return d.word(start, kindFalse), fine
	case mpTrue:
		return d.word(start, kindTrue), fine
	case mpFixExt1, mpFixExt2, mpFixExt4, mpFixExt8, mpFixExt16:
		return d.ext(start, 1<<(c-mpFixExt1))
	case mpFloat32, mpFloat64, mpUint8, mpUint16, mpUint32, mpUint64,
		mpInt8, mpInt16, mpInt32, mpInt64:
		return kindNumber, d.number(start, c)
	}
	width := int(lengthWidth[c-mpNil])
	if width == 0 {
		return 0, faultKind
	}
	n, f := d.length(width)
	if f != fine {
		return 0, f
	}
	switch c {
	case mpStr8, mpStr16, mpStr32:
		return kindString, d.str(start, n)
	case mpArray16, mpArray32:
		return kindVector, d.sequence(n, s)
	case mpMap16, mpMap32:
		return kindMap, d.mapping(n)
	case mpBin8, mpBin16, mpBin32:
		return kindTagged, d.bin(start, n)
	}
	return d.ext(start, n)
}

// length reads a length of width bytes, of whatever takes at least a byte each.
func (d *msgpackDecoder) length(width int) (int, fault) {
	n, f := d.uint(width)
	if f == fine && n > uint64(len(d.b)-d.i) {
		f = faultEnd
	}
	return int(n), f
}

// lengthWidth is how many bytes of length follow a first byte, from mpNil on.
var lengthWidth = [mpNegative - mpNil]uint8{
	mpBin8 - mpNil: 1, mpBin16 - mpNil: 2, mpBin32 - mpNil: 4,
	mpExt8 - mpNil: 1, mpExt16 - mpNil: 2, mpExt32 - mpNil: 4,
	mpStr8 - mpNil: 1, mpStr16 - mpNil: 2, mpStr32 - mpNil: 4,
	mpArray16 - mpNil: 2, mpArray32 - mpNil: 4, mpMap16 - mpNil: 2, mpMap32 - mpNil: 4,
}

// uint reads a big-endian number of width bytes.
func (d *msgpackDecoder) uint(width int) (uint64, fault) {
	b, f := d.take(width)
	if f != fine {
		return 0, f
	}
	switch width {
	case 1:
		return uint64(b[0]), fine
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), fine
	case 4:
		return uint64(binary.BigEndian.Uint32(b)), fine
	}
	return binary.BigEndian.Uint64(b), fine
}

// take moves over n bytes.
func (d *msgpackDecoder) take(n int) ([]byte, fault) {
	if n > len(d.b)-d.i {
		return nil, faultEnd
	}
	b := d.b[d.i : d.i+n]
	d.i += n
	return b, fine
}

// copied writes a scalar that begins at start as it stands, where the result is msgpack too, so
// that nothing is lost on the way: neither bytes of a NaN nor integers beyond 63 bits.
func (d *msgpackDecoder) copied(start int) bool {
	if d.out.to != Msgpack {
		return false
	}
	d.out.dst = append(d.out.dst, d.b[start:d.i]...)
	return true
}

func (d *msgpackDecoder) word(start int, k kind) kind {
	d.hashWord(k)
	if !d.copied(start) {
		d.out.word(k)
	}
	return k
}

func (d *msgpackDecoder) str(start, n int) fault {
	text, f := d.take(n)
	if f != fine {
		return f
	}
	if !isUTF8(text) {
		return faultUTF8
	}
	d.hashText(text)
	if !d.copied(start) {
		d.out.str(text)
	}
	return fine
}

// isUTF8 is utf8.Valid, with a shorter way for short ASCII texts: most names and values are such.
func isUTF8(text []byte) bool {
	const short = 64
	if len(text) > short {
		return utf8.Valid(text)
	}
	var all uint64
	b := text
	for ; len(b) >= 8; b = b[8:] {
		all |= binary.LittleEndian.Uint64(b)
	}
	for _, c := range b {
		all |= uint64(c)
	}
	return all&highBits == 0 || utf8.Valid(text)
}

func (d *msgpackDecoder) bin(start, n int) fault {
	b, f := d.take(n)
	if f != fine {
		return f
	}
	d.hashBinary(b)
	if !d.copied(start) {
		d.out.bytes(b)
	}
	return fine
}

// msgpackText is the text of a string that was read before.
func msgpackText(dst, value []byte) ([]byte, fault) {
	head := 1
	if c := value[0]; c >= mpNil {
		head += int(lengthWidth[c-mpNil])
	}
	return append(dst, value[head:]...), fine
}

// msgpackEventID is the text of a keyword that was read before, if it has a namespace and is a
// keyword in every format.
func msgpackEventID(value []byte, k kind) (id []byte, ok bool) {
	if k != kindKeyword {
		return nil, false
	}
	id = value[2+int(lengthWidth[value[0]-mpNil]):]
	slash, legal := ednToken(kindKeyword, id)
	return id, legal && slash > 0
}
