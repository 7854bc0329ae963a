package packer

import "strconv"

// The JSON encoder: RFC 8259 texts without insignificant white space, in UTF-8. The mapping is in
// the package documentation.

func (e *encoder) jsonNumber(n *number) {
	switch n.class {
	case numInteger:
		e.dst = n.appendInteger(e.dst)
	case numRatio:
		e.jsonRatio(n)
	case numDecimal:
		e.dst = n.appendDecimal(e.dst, true)
	case numFloat:
		if n.outOfDouble {
			e.quoted(symbolicText[n.infinity()])
			return
		}
		e.dst = n.appendDecimal(e.dst, true)
	}
}

// jsonRatio writes "22/7", or the integer that the ratio is.
func (e *encoder) jsonRatio(n *number) {
	at := len(e.dst)
	out, integer := n.appendRatio(append(e.dst, '"'))
	if integer {
		e.dst = append(out[:at], out[at+1:]...)
		return
	}
	e.dst = append(out, '"')
}

// jsonName writes a keyword or symbol as a string.
func (e *encoder) jsonName(ns, name []byte) {
	e.put(`"`)
	if ns != nil {
		e.dst = appendJSONText(e.dst, ns)
		e.put("/")
	}
	e.dst = appendJSONText(e.dst, name)
	e.put(`"`)
}

// jsonKey ends the key of a JSON object: it makes a string of what is none, and a name of its own
// of one that the object has already, by writing the key's place in the map behind it. A name may
// be taken again after that, but only by as many bytes of input: whatever a peer sends, the work is
// linear.
func (e *encoder) jsonKey(fr *frame) {
	e.to = JSON
	if e.dst[fr.keyAt] != '"' {
		e.requote(fr.keyAt)
	}
	for {
		h := hashBytes(0, saltString, e.dst[fr.keyAt:])
		if _, dup := e.names.add(&fr.names, h, 0); !dup {
			break
		}
		e.dst = append(e.dst[:len(e.dst)-1], '#')
		e.dst = append(strconv.AppendInt(e.dst, int64(fr.n), 10), '"')
	}
	e.put(":")
}

// requote makes the tail of dst from at on the content of a JSON string.
func (e *encoder) requote(at int) {
	end := len(e.dst)
	e.put(`"`)
	e.dst = appendJSONText(e.dst, e.dst[at:end])
	e.put(`"`)
	e.dst = append(e.dst[:at], e.dst[end:]...)
}

// jsonEscapes holds, for each byte that may not stand raw in a string, the letter of its escape.
var jsonEscapes = [256]byte{
	'"': '"', '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't', '\f': 'f', '\b': 'b',
}

func init() {
	for c := range ' ' {
		if jsonEscapes[c] == 0 {
			jsonEscapes[c] = 'u'
		}
	}
}

// appendJSONText appends text for the inside of a JSON string (RFC 8259 §7): what must be escaped
// is, nothing else.
func appendJSONText(dst, text []byte) []byte {
	n := EscapeAt(text)
	if n == len(text) {
		return append(dst, text...)
	}
	return appendJSONEscaped(dst, text, n)
}

// appendJSONEscaped is appendJSONText for a text whose byte n is the first to be escaped.
func appendJSONEscaped(dst, text []byte, n int) []byte {
	for ; n < len(text); n = EscapeAt(text) {
		dst = append(dst, text[:n]...)
		c := text[n]
		if x := jsonEscapes[c]; x != 'u' {
			dst = append(dst, '\\', x)
		} else {
			dst = appendUnit(dst, rune(c))
		}
		text = text[n+1:]
	}
	return append(dst, text...)
}
