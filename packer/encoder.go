package packer

import (
	"encoding/base64"
	"unicode/utf8"
)

// The sink: what a decoder says while it reads one value, and what an encoder writes of it at once.
// n decoders and n encoders meet here, so that a new format is one decoder and one encoder, never a
// pair per other format. The calls for a value are
//
//	value = word | number | symbolic | string | name | char | uuid | inst | uri | bytes
//	      | sequence | map | tagged
//	string = str(text) | strBegin { strRun(text) | strRune(r) } strEnd
//	sequence = begin(kind, frame) { elem(n, frame) value } end(kind, frame)
//	map = beginMap(frame) { key(n, frame) value keyed(frame) value } endMap(frame)
//	tagged = tag(name) value endTag
//
// elem and key come before element and key n, counted from 0. What an encoder must remember of an
// open collection lives in a frame on the decoder's own stack, so it keeps no stack itself.
//
// It is one struct with a switch per call, not an interface: calls through an interface would move
// the encoder, and with it every call of Append, to the heap. The frequent calls are pairs, call
// and callTo: the first is inlined into the decoder, so that a decoder that only checks pays a
// comparison.

// nowhere is the format of an encoder that writes nothing: the decoder only checks.
const nowhere Format = 255

// encoder appends to dst in format to. It lives inside its decoder.
type encoder struct {
	dst []byte
	to  Format

	// inKey is set between key and keyed until the key's first call: what comes next is a map key.
	inKey bool
	// names are the names used in the open objects of a JSON result.
	names keyStack

	// strAt is where the string begins that is being written in pieces. Strings do not nest.
	strAt int
	// wide and moved are about headers that grow after what follows them is written: shift.go.
	wide  bool
	moved int
	// ext is the tag written last to msgpack: msgpack_tagged.go. lossy is set when two values that
	// differ may have become the same there: a decimal, a lone surrogate.
	ext   extension
	lossy bool
	// bad is why the value cannot be written in this format; the result is then worth nothing.
	bad fault
}

// frame is what the encoder keeps about one open collection.
type frame struct {
	names keySet
	at    int    // where the collection begins in dst
	n     int    // elements or keys so far, the current one included
	keyAt int    // where the current key begins in dst
	to    Format // the encoder's format around that key
	cmap  bool   // a transit map that has a composite key
}

// symbolicValue is a float that has no numeral.
type symbolicValue uint8

const (
	plusInf symbolicValue = iota
	minusInf
	notANumber
)

var symbolicText = [...]string{plusInf: "##Inf", minusInf: "##-Inf", notANumber: "##NaN"}

// word writes nil, false or true.
func (e *encoder) word(k kind) {
	if e.to != nowhere {
		e.wordTo(k)
	}
}

func (e *encoder) wordTo(k kind) {
	switch e.to {
	case EDN:
		e.put([...]string{kindNil: "nil", kindFalse: "false", kindTrue: "true"}[k])
	case JSON:
		e.put([...]string{kindNil: "null", kindFalse: "false", kindTrue: "true"}[k])
	case Transit:
		e.transitWord(k)
	case Msgpack:
		e.msgpackWord(k)
	}
}

// number writes a numeral; n is valid during the call.
func (e *encoder) number(n *number) {
	if e.to != nowhere {
		e.numberTo(n)
	}
}

func (e *encoder) numberTo(n *number) {
	switch e.to {
	case EDN:
		e.ednNumber(n)
	case JSON:
		e.jsonNumber(n)
	case Transit:
		e.transitNumber(n)
	case Msgpack:
		e.msgpackNumber(n)
	}
}

func (e *encoder) symbolic(s symbolicValue) {
	switch e.to {
	case EDN:
		e.put(symbolicText[s])
	case JSON:
		e.quoted(symbolicText[s])
	case Transit:
		e.transitSymbolic(s)
	case Msgpack:
		e.msgpackSymbolic(s)
	}
}

// str writes a whole string of plain text: UTF-8, and no escapes in it.
func (e *encoder) str(text []byte) {
	if e.to != nowhere {
		e.strTo(text)
	}
}

func (e *encoder) strTo(text []byte) {
	if e.to == Msgpack {
		e.msgpackStr(text)
		return
	}
	e.strBegin()
	e.strRun(text)
	e.strEnd()
}

func (e *encoder) strBegin() {
	switch e.to {
	case nowhere:
	case Msgpack:
		e.strAt = e.msgpackStrBegin()
	default:
		e.strAt = len(e.dst)
		e.dst = append(e.dst, '"')
	}
}

func (e *encoder) strEnd() {
	switch e.to {
	case nowhere:
		return
	case Msgpack:
		e.msgpackStrEnd()
		return
	case Transit:
		e.transitStrEscape()
	}
	e.dst = append(e.dst, '"')
}

// strRun writes plain text inside a string.
func (e *encoder) strRun(text []byte) {
	switch e.to {
	case EDN:
		e.dst = appendEDNText(e.dst, text)
	case JSON, Transit:
		e.dst = appendJSONText(e.dst, text)
	case Msgpack:
		e.dst = append(e.dst, text...)
	}
}

// strRune writes one character inside a string, or one lone surrogate.
func (e *encoder) strRune(r rune) {
	if e.to != nowhere {
		e.strRuneTo(r)
	}
}

func (e *encoder) strRuneTo(r rune) {
	if r >= surrogateMin && r <= surrogateMax {
		if e.to == Msgpack {
			// As a browser's TextEncoder does. (A JVM writes a question mark.)
			e.dst = utf8.AppendRune(e.dst, utf8.RuneError)
			e.lossy = true
			return
		}
		e.dst = appendUnit(e.dst, r)
		return
	}
	var buf [4]byte
	e.strRun(appendRune(buf[:0], r))
}

// Surrogates: UTF-16 units that are no characters (Unicode §3.8).
const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)

// name writes a keyword or symbol; ns is nil when it has none.
func (e *encoder) name(k kind, ns, name []byte) {
	if e.to != nowhere {
		e.nameTo(k, ns, name)
	}
}

func (e *encoder) nameTo(k kind, ns, name []byte) {
	switch e.to {
	case EDN:
		e.ednName(k, ns, name)
	case JSON:
		e.jsonName(ns, name)
	case Transit:
		e.transitName(k, ns, name)
	case Msgpack:
		e.msgpackName(k, ns, name)
	}
}

// char writes a character, which is one UTF-16 unit and no surrogate.
func (e *encoder) char(r rune) {
	switch e.to {
	case EDN:
		e.ednChar(r)
	case JSON:
		e.strBegin()
		e.strRuneTo(r)
		e.strEnd()
	case Transit:
		e.transitChar(r)
	case Msgpack:
		e.msgpackChar(r)
	}
}

// inst writes an instant, in milliseconds since 1970.
func (e *encoder) inst(ms int64) {
	switch e.to {
	case EDN:
		e.put("#inst ")
	case Transit:
		e.transitInst(ms)
		return
	case Msgpack:
		e.msgpackInst(ms)
		return
	case nowhere:
		return
	}
	e.dst = append(appendInst(append(e.dst, '"'), ms), '"')
}

func (e *encoder) uuid(id *[16]byte) {
	switch e.to {
	case EDN:
		e.put("#uuid ")
	case Transit:
		e.put(`"~u`)
		e.dst = append(appendUUID(e.dst, id), '"')
		return
	case Msgpack:
		e.msgpackUUID(id)
		return
	case nowhere:
		return
	}
	e.dst = append(appendUUID(append(e.dst, '"'), id), '"')
}

// uri writes a URI, whose text is plain as str's is. Only transit has them; elsewhere they are
// strings.
func (e *encoder) uri(text []byte) {
	if e.to == Transit {
		e.put(`"~r`)
		e.dst = append(appendJSONText(e.dst, text), '"')
		return
	}
	e.str(text)
}

// bytes writes a byte string. edn and JSON have none; there it is a string in base64 (RFC 4648 §4).
func (e *encoder) bytes(b []byte) {
	switch e.to {
	case nowhere:
		return
	case Msgpack:
		e.msgpackBytes(b)
		return
	case Transit:
		e.put(`"~b`)
	default:
		e.put(`"`)
	}
	e.dst = append(base64.StdEncoding.AppendEncode(e.dst, b), '"')
}

func (e *encoder) put(s string) { e.dst = append(e.dst, s...) }

func (e *encoder) quoted(s string) {
	e.put(`"`)
	e.put(s)
	e.put(`"`)
}
