package packer

import (
	"encoding/base64"
	"strconv"
)

// extension is the tagged value written last, where it may yet become an extension. A tag directly
// around it stays a map: what it tags is no string.
type extension struct {
	is   bool
	typ  int8
	from int // where the map begins
	at   int // where its value begins
}

// msgpackTag opens {"#tag" value}: msgpack has no tags. (hashTagged holds the two equal, so no keys
// become equal by that.)
func (e *encoder) msgpackTag(name []byte) {
	e.ext.typ, e.ext.is = extensionOf(name)
	e.ext.from = len(e.dst)
	e.dst = appendMsgpackStr(append(e.dst, mpFixMap|1), len(name)+1)
	e.dst = append(append(e.dst, '#'), name...)
	e.ext.at = len(e.dst)
}

// msgpackEndTag closes what msgpackTag opened: an extension that was a tag in another format
// becomes one again. Its bytes are a byte string there, or the base64 of them.
func (e *encoder) msgpackEndTag() {
	x, end := e.ext, len(e.dst)
	e.ext.is = false
	if !x.is || end == x.at {
		return
	}
	head, text, ok := stringHead(e.dst[x.at])
	if !ok {
		return
	}
	content := e.dst[x.at+head:]
	if text {
		out, err := strictBase64.AppendDecode(e.dst, content)
		decoded := out[end:]
		e.dst = out[:end]
		if err != nil || strictBase64.EncodedLen(len(decoded)) != len(content) {
			return
		}
		content = decoded
	}
	// The extension is shorter than the map was, so it never overtakes the bytes it is made of.
	e.dst = append(appendMsgpackExt(e.dst[:x.from], x.typ, len(content)), content...)
}

var strictBase64 = base64.StdEncoding.Strict()

// stringHead is the length of a header that begins with c, if it is that of a string, or of a byte
// string when text is false.
func stringHead(c byte) (n int, text, ok bool) {
	switch {
	case c >= mpFixStr && c < mpNil:
		return 1, true, true
	case c >= mpStr8 && c <= mpStr32:
		return 1 + int(lengthWidth[c-mpNil]), true, true
	case c >= mpBin8 && c <= mpBin32:
		return 1 + int(lengthWidth[c-mpNil]), false, true
	}
	return 0, false, false
}

// extensionOf is the type that a tag like msgpack/ext20 stands for. A type with a meaning here
// has no such tag.
func extensionOf(name []byte) (typ int8, ok bool) {
	const digitsMax = 4
	if len(name) <= len(extTag) || len(name) > len(extTag)+digitsMax ||
		string(name[:len(extTag)]) != extTag {
		return 0, false
	}
	digits := name[len(extTag):]
	if digits[0] == '-' {
		digits = digits[1:]
	}
	v := 0
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	var buf [digitsMax]byte
	if digits = name[len(extTag):]; digits[0] == '-' {
		v = -v
	}
	typ = int8(v)
	canonical := string(strconv.AppendInt(buf[:0], int64(typ), 10)) == string(digits)
	array := typ >= extInt32s && typ <= extFloat64s
	return typ, canonical && (typ < extInst || typ > extUUID || array)
}
