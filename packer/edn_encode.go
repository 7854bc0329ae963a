package packer

// The edn encoder writes what both readers on the other side read, the JVM's and ClojureScript's:
// integers as digits, floats with the digits they came with, characters beyond ASCII raw, and in
// strings only the seven escapes that the JVM's printer writes.

func (e *encoder) ednNumber(n *number) {
	switch n.class {
	case numInteger:
		e.dst = n.appendInteger(e.dst)
		if n.big {
			e.put("N")
		}
	case numRatio:
		e.dst, _ = n.appendRatio(e.dst)
	case numDecimal:
		e.dst = append(n.appendDecimal(e.dst, true), 'M')
	case numFloat:
		if n.outOfDouble {
			e.put(symbolicText[n.infinity()])
			return
		}
		e.dst = n.appendDecimal(e.dst, true)
	}
}

// infinity is what a float out of range is read as.
func (n *number) infinity() symbolicValue {
	if n.neg {
		return minusInf
	}
	return plusInf
}

func (e *encoder) ednName(k kind, ns, name []byte) {
	if k == kindKeyword {
		e.put(":")
	}
	if ns != nil {
		e.dst = append(e.dst, ns...)
		e.put("/")
	}
	e.dst = append(e.dst, name...)
}

// ednChar writes letters, digits and signs as themselves, anything that may be taken for white
// space by its code.
func (e *encoder) ednChar(r rune) {
	e.put(`\`)
	if r <= ' ' || r == 0x7F || r >= 0x80 && !isPrint(r) {
		e.dst = appendHex4(append(e.dst, 'u'), r)
		return
	}
	e.dst = appendRune(e.dst, r)
}

var ednEscapes = [256]byte{
	'"': '"', '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't', '\f': 'f', '\b': 'b',
}

// appendEDNText appends text for the inside of an edn string. Everything but seven characters is
// raw, NUL and U+2028 too, as the JVM's printer does.
func appendEDNText(dst, text []byte) []byte {
	n := EscapeAt(text)
	if n == len(text) {
		return append(dst, text...)
	}
	return appendEDNEscaped(dst, text, n)
}

// appendEDNEscaped is appendEDNText for a text whose byte n is the first that may be escaped.
func appendEDNEscaped(dst, text []byte, n int) []byte {
	for ; n < len(text); n = EscapeAt(text) {
		dst = append(dst, text[:n]...)
		c := text[n]
		if x := ednEscapes[c]; x != 0 {
			dst = append(dst, '\\')
			c = x
		}
		dst = append(dst, c)
		text = text[n+1:]
	}
	return append(dst, text...)
}

// appendUnit appends the escape of one UTF-16 unit, the same in edn and JSON.
func appendUnit(dst []byte, r rune) []byte {
	return appendHex4(append(dst, '\\', 'u'), r)
}

func appendHex4(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
