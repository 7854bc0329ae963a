package packer

import (
	"bytes"
	"encoding/base64"
	"math"
	"unicode/utf8"
)

// scalar gives the sink what a string without JSON's escapes is. It began at byte start, or its
// code did.
func (d *transitDecoder) scalar(text []byte, start int) (kind, fault) {
	if len(text) < 2 || text[0] != '~' {
		return d.giveText(text), fine
	}
	rest := text[2:]
	switch text[1] {
	case '~', '^', '`':
		return d.giveText(text[1:]), fine
	case '\'':
		return d.giveText(rest), fine // a quote like any other
	case '#':
		return 0, faultTag // tags tag: alone they are nothing
	case ':':
		return d.name(kindKeyword, rest)
	case '$':
		return d.name(kindSymbol, rest)
	case 'i', 'n':
		return d.integer(rest, text[1] == 'n')
	case 'f':
		return d.float(rest, numDecimal)
	case 'd':
		return d.float(rest, numFloat)
	case 'z':
		return d.symbolic(rest, start)
	case '_', '?':
		return d.wordScalar(text[1:])
	case 'c':
		return d.char(rest)
	case 'm', 't':
		return d.inst(rest, text[1] == 't')
	case 'u':
		return d.uuid(rest)
	case 'b':
		return d.binary(rest)
	case 'r':
		return d.uri(rest)
	}
	return d.otherScalar(text[1:])
}

// giveText gives a string to the sink, lone surrogates as appendRune writes them.
func (d *transitDecoder) giveText(text []byte) kind {
	d.hashText(text)
	if d.out.to == nowhere {
		return kindString
	}
	next := surrogate(text)
	if next < 0 {
		d.out.str(text)
		return kindString
	}
	d.out.strBegin()
	for ; next >= 0; next = surrogate(text) {
		d.out.strRun(text[:next])
		d.out.strRune(0xD000 | rune(text[next+1]&0x3F)<<6 | rune(text[next+2]&0x3F))
		text = text[next+3:]
	}
	d.out.strRun(text)
	d.out.strEnd()
	return kindString
}

// surrogate is where the first lone surrogate stands in a text, or -1.
func surrogate(text []byte) int {
	const lead = 0xED // and a second byte from 0xA0 on
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], lead)
		if n < 0 {
			return -1
		}
		if i += n; text[i+1] >= 0xA0 {
			return i
		}
	}
}

// name gives a keyword or symbol. No name has half a character: no other format could write it.
func (d *transitDecoder) name(k kind, text []byte) (kind, fault) {
	if surrogate(text) >= 0 {
		return 0, faultUTF8
	}
	d.hashLooseName(k, text)
	d.out.looseName(k, text)
	return k, fine
}

// integer reads what java.math.BigInteger does: a sign and digits. In edn big becomes an N, if
// there is room for it: a number of that length is big without.
func (d *transitDecoder) integer(text []byte, big bool) (kind, fault) {
	if len(text) > NumberMax {
		return 0, faultNumberLen
	}
	n := number{radix: 10, big: big && len(text) < NumberMax}
	n.digits = n.signed(text)
	if digitsEnd(n.digits, 0) != len(n.digits) || len(n.digits) == 0 {
		return 0, faultNumber
	}
	d.giveNumber(&n)
	return kindNumber, fine
}

// signed takes the sign off text.
func (n *number) signed(text []byte) (digits []byte) {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		n.neg = text[0] == '-'
		return text[1:]
	}
	return text
}

// float reads the numeral of a float or a decimal. A float always has a point, so that it stays
// one; for that, or the M of a decimal, there must be room.
func (d *transitDecoder) float(text []byte, class numClass) (kind, fault) {
	var n number
	n.radix = 10
	tok := n.signed(d.lasting(text))
	i := digitsEnd(tok, 0)
	switch {
	case len(text)+2 > NumberMax:
		return 0, faultNumberLen
	case i == 0 || tok[len(tok)-1] == 'M':
		return 0, faultNumber
	case i == len(tok):
		n.class, n.digits = numFloat, tok
		n.checkDouble()
	default:
		if f := n.float(tok, i); f != fine {
			return 0, f
		}
	}
	if n.class = class; class == numDecimal {
		if f := n.checkScale(); f != fine {
			return 0, f
		}
	} else if n.exp == nil {
		n.point = true
	}
	d.giveNumber(&n)
	return kindNumber, fine
}

// lasting gives text, the end of the string before i, as a slice that a number may keep: the
// input's own, if it stands there as such. Kept by a number, the buffers that hold the others would
// all have to be on the heap, also for texts that are none.
func (d *transitDecoder) lasting(text []byte) []byte {
	if end := d.i - len(`"`); end >= len(text) && bytes.Equal(d.b[end-len(text):end], text) {
		return d.b[end-len(text) : end]
	}
	return bytes.Clone(text)
}

func (d *transitDecoder) symbolic(text []byte, start int) (kind, fault) {
	for s, name := range transitSymbols {
		if string(text) == name {
			d.hashSymbolic(symbolicValue(s), start)
			d.out.symbolic(symbolicValue(s))
			return kindNumber, fine
		}
	}
	return 0, faultSymbolic
}

var transitSymbols = [...]string{plusInf: "INF", minusInf: "-INF", notANumber: "NaN"}

// wordScalar reads nil, true or false as a map key: _ ?t ?f.
func (d *transitDecoder) wordScalar(text []byte) (k kind, f fault) {
	switch string(text) {
	case "_":
		k = kindNil
	case "?t":
		k = kindTrue
	case "?f":
		k = kindFalse
	default:
		return 0, faultSyntax
	}
	d.giveWord(k)
	return k, fine
}

// char reads one UTF-16 unit that is no surrogate.
func (d *transitDecoder) char(text []byte) (kind, fault) {
	r, n := utf8.DecodeRune(text)
	if n != len(text) || n == 0 || r == utf8.RuneError && n == 1 || r > 0xFFFF {
		return 0, faultCharacter
	}
	d.hashChar(r)
	d.out.char(r)
	return kindChar, fine
}

// inst reads milliseconds, or the text of the verbose form. Years beyond those of RFC 3339 are
// equal to the last ones that edn can write.
func (d *transitDecoder) inst(text []byte, verbose bool) (kind, fault) {
	var ms int64
	f := fine
	if verbose {
		ms, f = parseInst(text)
	} else {
		ms, f = parseMillis(text)
	}
	if f != fine {
		return 0, f
	}
	d.hashInst(min(max(ms, instMin), instMax))
	d.out.inst(ms)
	return kindInstant, fine
}

// parseMillis reads a 64-bit integer.
func parseMillis(text []byte) (int64, fault) {
	var n number
	digits := n.signed(text)
	if digitsEnd(digits, 0) != len(digits) || len(digits) == 0 {
		return 0, faultInst
	}
	ms, ok := int64Value(n.neg, digits)
	if !ok {
		return 0, faultInst
	}
	return ms, fine
}

// int64Value is the value of decimal digits, if 64 bits can hold it.
func int64Value(neg bool, digits []byte) (v int64, ok bool) {
	const wordSafe = 19 // decimal digits that fit 64 bits without sign
	if digits = trimZeros(digits); len(digits) > wordSafe {
		return 0, false
	}
	u := wordValue(digits)
	if neg {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}

func (d *transitDecoder) uuid(text []byte) (kind, fault) {
	var id [16]byte
	if f := parseUUID(text, &id); f != fine {
		return 0, f
	}
	d.hashUUID(&id)
	d.out.uuid(&id)
	return kindInstant, fine
}

// binary reads base64 (RFC 4648 §4, padded). Its hash is that of the string that it is in edn.
func (d *transitDecoder) binary(text []byte) (kind, fault) {
	var buf [192]byte
	b, err := base64.StdEncoding.AppendDecode(buf[:0], text)
	if err != nil {
		return 0, faultBase64
	}
	if d.hashing {
		var again [256]byte
		d.hashText(base64.StdEncoding.AppendEncode(again[:0], b))
	}
	d.out.bytes(b)
	return kindTagged, fine
}

// uri gives a URI. Its hash is that of the string that it is in edn.
func (d *transitDecoder) uri(text []byte) (kind, fault) {
	if surrogate(text) >= 0 {
		return 0, faultUTF8
	}
	d.hashText(text)
	d.out.uri(text)
	return kindTagged, fine
}

// otherScalar reads a scalar that transit does not know: its first character tags the string behind
// it.
func (d *transitDecoder) otherScalar(text []byte) (kind, fault) {
	r, n := utf8.DecodeRune(text)
	if r == utf8.RuneError && n == 1 {
		return 0, faultUTF8
	}
	if f := d.enter(); f != fine {
		return 0, f
	}
	asMap := d.out.looseTag(text[:n])
	d.giveText(text[n:])
	d.out.endLooseTag(asMap)
	d.hashTagged(text[:n])
	d.depth--
	return kindTagged, fine
}
