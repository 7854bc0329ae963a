package packer

import (
	"bytes"
	"strconv"
)

// The transit+json encoder writes the JSON form, without cache codes. What a stock writer would
// write differs in nothing else: the keys of a map are strings, and a map with a key that no string
// can be becomes a cmap, an array of keys and values. That is known only when such a key is met, so
// the header of the map is then changed (shift.go); in wide mode every map is a cmap.

const (
	transitMap  = `["^ ",`      // what a map begins with, if it has a key
	transitCmap = `["~#cmap",[` // and a map with composite keys
)

// transitIntMax is the greatest integer that is written as a JSON number: JavaScript's.
const transitIntMax = 1<<53 - 1

func (e *encoder) transitWord(k kind) {
	if e.inKey {
		e.put([...]string{kindNil: `"~_"`, kindFalse: `"~?f"`, kindTrue: `"~?t"`}[k])
		return
	}
	e.put([...]string{kindNil: "null", kindFalse: "false", kindTrue: "true"}[k])
}

func (e *encoder) transitNumber(n *number) {
	switch n.class {
	case numInteger:
		at := len(e.dst)
		e.put(`"~n`)
		e.dst = n.appendInteger(e.dst)
		e.transitInteger(at, at+len(`"~n`), n.big)
	case numRatio:
		e.transitRatio(n)
	case numDecimal:
		e.put(`"~f`)
		e.dst = append(n.appendDecimal(e.dst, true), '"')
	case numFloat:
		e.transitFloat(n)
	}
}

// transitInteger makes an integer at dst[at:] of the decimal digits at dst[textAt:], 3 bytes or
// more behind: a JSON number, which no key is, or ~i up to 64 bits, or ~n.
func (e *encoder) transitInteger(at, textAt int, big bool) {
	text := e.dst[textAt:]
	digits := text
	neg := digits[0] == '-'
	if neg {
		digits = digits[1:]
	}
	v, ok := int64Value(neg, digits)
	prefix := `"~i`
	switch {
	case big || !ok:
		prefix = `"~n`
	case !e.inKey && v >= -transitIntMax && v <= transitIntMax:
		e.dst = append(e.dst[:at], text...)
		return
	}
	end := at + len(prefix) + copy(e.dst[at+len(prefix):], text)
	copy(e.dst[at:], prefix)
	e.dst = append(e.dst[:end], '"')
}

// transitRatio writes ["~#ratio",["~n22","~n7"]], or the integer that the ratio is.
func (e *encoder) transitRatio(n *number) {
	const head, gap = `["~#ratio",["~n`, `","~n`
	at := len(e.dst)
	e.put(head)
	textAt := len(e.dst)
	out, integer := n.appendRatio(e.dst)
	e.dst = out
	if integer {
		e.transitInteger(at, textAt, false)
		return
	}
	slash := textAt + bytes.IndexByte(out[textAt:], '/')
	e.dst = append(e.dst, gap[1:]...) // room for all but the slash's own byte
	copy(e.dst[slash+len(gap):], e.dst[slash+1:len(out)])
	copy(e.dst[slash:], gap)
	e.put(`"]]`)
}

func (e *encoder) transitFloat(n *number) {
	switch {
	case n.outOfDouble:
		e.transitSymbolic(n.infinity())
	case e.inKey:
		e.put(`"~d`)
		e.dst = append(n.appendDecimal(e.dst, true), '"')
	default:
		e.dst = n.appendDecimal(e.dst, true)
	}
}

func (e *encoder) transitSymbolic(s symbolicValue) {
	e.put(`"~z`)
	e.put(transitSymbols[s])
	e.put(`"`)
}

// transitStrEscape escapes the first character of a string that means something there.
func (e *encoder) transitStrEscape() {
	at := e.strAt + 1
	if at == len(e.dst) {
		return
	}
	switch e.dst[at] {
	case '~', '^', '`':
		e.put(" ")
		copy(e.dst[at+1:], e.dst[at:])
		e.dst[at] = '~'
	}
}

func (e *encoder) transitName(k kind, ns, name []byte) {
	if k == kindKeyword {
		e.put(`"~:`)
	} else {
		e.put(`"~$`)
	}
	if ns != nil {
		e.dst = appendJSONText(e.dst, ns)
		e.put("/")
	}
	e.dst = append(appendJSONText(e.dst, name), '"')
}

func (e *encoder) transitChar(r rune) {
	e.put(`"~c`)
	e.strRuneTo(r)
	e.put(`"`)
}

func (e *encoder) transitInst(ms int64) {
	e.put(`"~m`)
	e.dst = append(strconv.AppendInt(e.dst, ms, 10), '"')
}

func (e *encoder) transitBegin(k kind) {
	switch k {
	case kindVector:
		e.put("[")
	case kindSet:
		e.put(`["~#set",[`)
	default:
		e.put(`["~#list",[`)
	}
}

func (e *encoder) transitEnd(k kind) {
	if k == kindVector {
		e.put("]")
		return
	}
	e.put("]]")
}

func (e *encoder) transitBeginMap(fr *frame) {
	if fr.cmap = e.wide; e.wide {
		e.put(transitCmap)
		return
	}
	e.put(transitMap[:len(transitMap)-1])
}

func (e *encoder) transitKey(n int, fr *frame) {
	if n > 0 || !fr.cmap {
		e.put(",")
	}
	fr.keyAt, fr.to = len(e.dst), Transit
	e.inKey = !fr.cmap
}

// transitKeyed ends a key. One that is no string makes a cmap of the map around it; the keys before
// may stay the strings that they are, which mean the same there.
func (e *encoder) transitKeyed(fr *frame) {
	if !fr.cmap && e.dst[fr.keyAt] == '[' {
		fr.cmap = true
		e.shift(fr.at, len(transitCmap)-len(transitMap))
		copy(e.dst[fr.at:], transitCmap)
	}
	e.put(",")
}

func (e *encoder) transitEndMap(fr *frame) {
	if fr.cmap {
		e.put("]]")
		return
	}
	e.put("]")
}

// transitTag opens a tagged value. A tag that means something else in transit becomes a map, as
// JSON has them.
func (e *encoder) transitTag(name []byte) {
	if ownTag(name) {
		e.put(`["^ ","#`)
	} else {
		e.put(`["~#`)
	}
	e.dst = append(appendJSONText(e.dst, name), '"', ',')
}
