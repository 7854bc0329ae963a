package backend

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/chskd/chskd/packer"
)

// A strict reader of one JSON object's members (RFC 8259): encoding/json and its kin accept
// doubled names and cannot say where a value of the wrong kind stood; this one gives each member's
// bytes as they are, so that an event goes on without having been rebuilt.
//
//	object.next    the next member's name and value, as spans of the input
//	object.value   checks one value and moves behind it
//	text           a string value without its quotes and escapes

// object reads the members of the object in b. The zero position is before the brace.
type object struct {
	b []byte
	i int
}

// open steps into the object.
func (o *object) open() *Error {
	if !utf8.Valid(o.b) {
		return bad("bad_json", "the request is not valid UTF-8")
	}
	o.space()
	if o.i == len(o.b) {
		return bad("bad_json", "the request is empty; it must be a JSON object")
	}
	if o.b[o.i] != '{' {
		return bad("bad_json", "the request must be a JSON object, not %s", kindOf(o.b[o.i:]))
	}
	o.i++
	return nil
}

// next gives the next member: its name without quotes and escapes, and its value's bytes. ok is
// false at the end of the object, and then nothing but white space followed it. first says that
// none came yet.
func (o *object) next(first bool) (name, value []byte, ok bool, err *Error) {
	o.space()
	if o.peek() == '}' {
		o.i++
		if o.space(); o.i < len(o.b) {
			return nil, nil, false, o.unexpected("the end of the line")
		}
		return nil, nil, false, nil
	}
	if !first {
		if o.peek() != ',' {
			return nil, nil, false, o.unexpected(`"," or "}"`)
		}
		o.i++
		o.space()
	}
	if o.peek() != '"' {
		return nil, nil, false, o.unexpected("a field name in quotes")
	}
	start := o.i
	if err = o.str(); err != nil {
		return nil, nil, false, err
	}
	name = o.b[start+1 : o.i-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		if name, err = appendUnquoted(nil, o.b[start:o.i]); err != nil {
			return nil, nil, false, err
		}
	}
	if o.space(); o.peek() != ':' {
		return nil, nil, false, o.unexpected(`":"`)
	}
	o.i++
	o.space()
	start = o.i
	if err = o.value(0); err != nil {
		return nil, nil, false, err
	}
	return name, o.b[start:o.i], true, nil
}

// value moves behind one value of any kind.
func (o *object) value(depth int) *Error {
	switch c := o.peek(); {
	case c == '"':
		return o.str()
	case c == '{' || c == '[':
		if depth == maxDepth {
			return bad("bad_json", "%s: nested deeper than %d", o.where(), maxDepth)
		}
		return o.container(c, depth+1)
	case c == '-' || c >= '0' && c <= '9':
		return o.number()
	case c == 't':
		return o.literal("true")
	case c == 'f':
		return o.literal("false")
	case c == 'n':
		return o.literal("null")
	}
	return o.unexpected("a value")
}

// container moves behind an array or object.
func (o *object) container(open byte, depth int) *Error {
	end := open + 2 // ASCII: '[' and ']', '{' and '}' are two apart
	o.i++
	if o.space(); o.peek() == end {
		o.i++
		return nil
	}
	for {
		if open == '{' {
			if o.peek() != '"' {
				return o.unexpected("a name in quotes")
			}
			if err := o.str(); err != nil {
				return err
			}
			if o.space(); o.peek() != ':' {
				return o.unexpected(`":"`)
			}
			o.i++
			o.space()
		}
		if err := o.value(depth); err != nil {
			return err
		}
		o.space()
		switch o.peek() {
		case end:
			o.i++
			return nil
		case ',':
			o.i++
			o.space()
		default:
			return o.unexpected(`"," or "` + string(end) + `"`)
		}
	}
}

// str moves behind a string, whose opening quote is here.
func (o *object) str() *Error {
	for o.i++; ; o.i++ {
		o.i += packer.EscapeAt(o.b[min(o.i, len(o.b)):])
		switch c := o.peek(); {
		case o.i >= len(o.b):
			return o.unexpected("the end of the string")
		case c == '"':
			o.i++
			return nil
		case c == '\\':
			if err := o.escape(); err != nil {
				return err
			}
		default:
			return bad("bad_json", "%s: a control character inside a string", o.where())
		}
	}
}

// escape moves onto the last byte of an escape sequence.
func (o *object) escape() *Error {
	o.i++
	switch o.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for k := 1; k <= 4; k++ {
			if o.i+k >= len(o.b) || !isHex(o.b[o.i+k]) {
				return bad("bad_json", `%s: \u needs four hex digits`, o.where())
			}
		}
		o.i += 4
		return nil
	}
	return o.unexpected("an escape sequence of JSON")
}

// number moves behind a number (RFC 8259 §6).
func (o *object) number() *Error {
	if o.peek() == '-' {
		o.i++
	}
	if o.peek() == '0' {
		o.i++
	} else if !o.digits() {
		return o.unexpected("a digit")
	}
	if o.peek() == '.' {
		o.i++
		if !o.digits() {
			return o.unexpected("a digit")
		}
	}
	if c := o.peek(); c == 'e' || c == 'E' {
		o.i++
		if c := o.peek(); c == '+' || c == '-' {
			o.i++
		}
		if !o.digits() {
			return o.unexpected("a digit")
		}
	}
	return nil
}

// digits moves behind at least one digit.
func (o *object) digits() bool {
	start := o.i
	for o.i < len(o.b) && o.b[o.i] >= '0' && o.b[o.i] <= '9' {
		o.i++
	}
	return o.i > start
}

func (o *object) literal(word string) *Error {
	if len(o.b)-o.i < len(word) || string(o.b[o.i:o.i+len(word)]) != word {
		return o.unexpected(word)
	}
	o.i += len(word)
	return nil
}

func (o *object) space() {
	for o.i < len(o.b) {
		switch o.b[o.i] {
		case ' ', '\t', '\n', '\r':
			o.i++
		default:
			return
		}
	}
}

// peek gives the byte here, 0 at the end (no valid JSON has a NUL outside of an escape).
func (o *object) peek() byte {
	if o.i < len(o.b) {
		return o.b[o.i]
	}
	return 0
}

// unexpected names what is here and what should have been.
func (o *object) unexpected(want string) *Error {
	if o.i >= len(o.b) {
		return bad("bad_json", "the JSON ends too early, at %s: %s is missing", o.where(), want)
	}
	r, _ := utf8.DecodeRune(o.b[o.i:])
	return bad("bad_json", "%s: found %q where %s should be", o.where(), r, want)
}

// where is the place of the byte here, for people: columns count bytes from 1.
func (o *object) where() string {
	before := o.b[:min(o.i, len(o.b))]
	column := "column " + strconv.Itoa(len(before)-bytes.LastIndexByte(before, '\n'))
	if n := bytes.Count(before, []byte{'\n'}); n > 0 {
		return "line " + strconv.Itoa(n+1) + ", " + column
	}
	return column
}

// kindOf names the JSON kind that starts with b, for messages.
func kindOf(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	switch c := b[0]; {
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	}
	return "text that is not JSON"
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
