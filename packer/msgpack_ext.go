package packer

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Extension types of taoensso.msgpack.
const (
	extKeyword  = 0 // UTF-8, without colon
	extSymbol   = 1 // UTF-8
	extChar     = 2 // UTF-8
	extRatio    = 3 // two packed integers
	extSet      = 4 // one packed array
	extInt32s   = 5 // raw elements, in the byte order of the sender's machine
	extFloat32s = 6
	extFloat64s = 7
	extCached   = 8 // one byte: which of the map keys before
	extUUID     = 9 // UTF-8, 36 characters
	extInst     = -1
)

// extTag begins the tag that an extension type without meaning here is in other formats; the
// type's number follows.
const extTag = "msgpack/ext"

// ext reads an extension of n bytes of content; i is at its type.
func (d *msgpackDecoder) ext(start, n int) (kind, fault) {
	content, f := d.take(1 + n)
	if f != fine {
		return 0, f
	}
	typ, content := int8(content[0]), content[1:]
	switch typ {
	case extKeyword:
		return kindKeyword, d.name(kindKeyword, start, content)
	case extSymbol:
		return kindSymbol, d.name(kindSymbol, start, content)
	case extChar:
		return kindChar, d.char(start, content)
	case extRatio:
		return kindNumber, d.ratio(start, content)
	case extSet:
		return kindSet, d.set(n)
	case extCached:
		return d.reference(start, content)
	case extUUID:
		return kindInstant, d.uuid(start, content)
	case extInst:
		return kindInstant, d.inst(start, content)
	default:
		return kindTagged, d.unknown(start, typ, content)
	}
}

// name reads a keyword or symbol, which may have any text.
func (d *msgpackDecoder) name(k kind, start int, text []byte) fault {
	if !isUTF8(text) {
		return faultUTF8
	}
	d.hashLooseName(k, text)
	if !d.copied(start) {
		d.out.looseName(k, text)
	}
	return fine
}

// char reads a character: one UTF-16 unit, so never one beyond U+FFFF.
func (d *msgpackDecoder) char(start int, text []byte) fault {
	r, n := utf8.DecodeRune(text)
	if r == utf8.RuneError && n <= 1 || n != len(text) || r > 0xFFFF || utf16.IsSurrogate(r) {
		return faultCharacter
	}
	d.hashChar(r)
	if !d.copied(start) {
		d.out.char(r)
	}
	return fine
}

// ratio reads numerator and denominator. The result is reduced by whoever writes or hashes it.
func (d *msgpackDecoder) ratio(start int, content []byte) fault {
	part := msgpackDecoder{b: content}
	a, f := part.plainInteger()
	if f != fine {
		return f
	}
	b, f := part.plainInteger()
	switch {
	case f != fine:
		return f
	case part.i != len(content):
		return faultSyntax
	case b.abs == 0:
		return faultNumber
	}
	var bufA, bufB [20]byte
	n := number{
		class: numRatio, radix: 10, neg: a.neg != b.neg,
		digits: strconv.AppendUint(bufA[:0], a.abs, 10),
		den:    strconv.AppendUint(bufB[:0], b.abs, 10),
	}
	d.hashNumber(&n)
	if !d.copied(start) {
		d.out.number(&n)
	}
	return fine
}

// signedWord is an integer of 64 bits and a sign.
type signedWord struct {
	abs uint64
	neg bool
}

// plainInteger reads an integer without a word to the sink.
func (d *msgpackDecoder) plainInteger() (w signedWord, f fault) {
	c, f := d.take(1)
	if f != fine {
		return w, f
	}
	var v int64
	switch {
	case c[0] < mpFixMap || c[0] >= mpNegative:
		v = int64(int8(c[0]))
	case c[0] < mpUint8 || c[0] > mpInt64:
		return w, faultNumber
	default:
		width := uint(numberWidth[c[0]-mpFloat32])
		u, f := d.uint(int(width))
		if f != fine || c[0] <= mpUint64 {
			return signedWord{abs: u}, f
		}
		shift := 64 - 8*width
		v = int64(u<<shift) >> shift
	}
	if v < 0 {
		return signedWord{abs: -uint64(v), neg: true}, fine
	}
	return signedWord{abs: uint64(v)}, fine
}

func (d *msgpackDecoder) uuid(start int, text []byte) fault {
	var id [16]byte
	if f := parseUUID(text, &id); f != fine {
		return f
	}
	d.hashUUID(&id)
	if !d.copied(start) {
		d.out.uuid(&id)
	}
	return fine
}

// inst reads an instant. 12 bytes are Sente's form and the specification's timestamp 96 alike:
// nanoseconds, then seconds; 4 and 8 bytes are timestamp 32 and 64. What is finer than a
// millisecond goes.
func (d *msgpackDecoder) inst(start int, b []byte) fault {
	const (
		nanosMax   = 999_999_999
		secondsMax = math.MaxInt64/1000 - 1
	)
	var nanos, seconds int64
	switch len(b) {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(b))
	case 8:
		v := binary.BigEndian.Uint64(b)
		nanos, seconds = int64(v>>34), int64(v&(1<<34-1))
	case 12:
		nanos = int64(binary.BigEndian.Uint32(b))
		seconds = int64(binary.BigEndian.Uint64(b[4:]))
	default:
		return faultInst
	}
	if nanos > nanosMax || seconds > secondsMax || seconds < -secondsMax {
		return faultInst
	}
	ms := seconds*1000 + nanos/1_000_000
	// Two that are cut to the same year elsewhere are one key here already.
	d.hashInst(min(max(ms, instMin), instMax))
	if !d.copied(start) {
		d.out.inst(ms)
	}
	return fine
}

// unknown reads an extension that means nothing here: a tag around its bytes. Arrays of numbers are
// among them: a browser writes them little-endian, a JVM big-endian, and nothing tells which.
func (d *msgpackDecoder) unknown(start int, typ int8, content []byte) fault {
	if f := d.enter(); f != fine {
		return f
	}
	d.depth--
	if !d.hashing && (d.out.to == nowhere || d.copied(start)) {
		return fine
	}
	var buf [len(extTag) + 4]byte
	tag := strconv.AppendInt(append(buf[:0], extTag...), int64(typ), 10)
	d.hashBinary(content)
	d.hashTagged(tag)
	if !d.copied(start) {
		d.out.tag(tag)
		d.out.bytes(content)
		d.out.endTag()
	}
	return fine
}
