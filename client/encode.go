package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// encoder appends the members of a request object, each with a comma before it but the first. The
// first error stays; what was appended has no meaning then.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) op(name string) {
	e.b = append(append(append(e.b, `"op":"`...), name...), '"')
}

// name begins a member.
func (e *encoder) name(name string) {
	e.b = append(append(append(e.b, ',', '"'), name...), '"', ':')
}

// text appends a string, unless it is "".
func (e *encoder) text(name, s string) {
	if s != "" {
		e.name(name)
		e.quote(name, s)
	}
}

func (e *encoder) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	e.name(name)
	e.b = append(e.b, '[')
	for i, s := range list {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.quote(name, s)
	}
	e.b = append(e.b, ']')
}

// flag appends true, unless it is false.
func (e *encoder) flag(name string, on bool) {
	if on {
		e.name(name)
		e.b = append(e.b, "true"...)
	}
}

// number appends a number, unless it is 0.
func (e *encoder) number(name string, n int64) {
	if n != 0 {
		e.name(name)
		e.b = strconv.AppendInt(e.b, n, 10)
	}
}

// user appends who is meant.
func (e *encoder) user(tenant, uid string, nilUID bool, client string) {
	e.text("tenant", tenant)
	switch {
	case nilUID && uid != "":
		e.fail("NilUID and UID %q exclude each other", uid)
	case nilUID:
		e.name("uid")
		e.b = append(e.b, "null"...)
	default:
		e.text("uid", uid)
	}
	e.text("client", client)
}

// value appends any value: an [EDN] or [Transit] one under its own name, others as JSON.
func (e *encoder) value(name string, v any) {
	switch v := v.(type) {
	case EDN:
		e.name("edn")
		e.quote("edn", string(v))
	case Transit:
		e.name("transit")
		e.raw("transit", v)
	default:
		e.name(name)
		e.json(v)
	}
}

// json appends a Go value as encoding/json has it.
func (e *encoder) json(v any) {
	switch v := v.(type) {
	case json.RawMessage:
		e.raw("value", v)
	case string:
		if utf8.ValidString(v) {
			e.quote("value", v)
			return
		}
		e.marshal(v)
	default:
		e.marshal(v)
	}
}

func (e *encoder) marshal(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		e.fail("%w", err)
		return
	}
	e.b = append(e.b, b...)
}

// raw appends JSON as it is, in one line.
func (e *encoder) raw(name string, v []byte) {
	if !json.Valid(v) {
		e.fail("%s is not JSON: %.40q", name, v)
		return
	}
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		e.b = append(e.b, v...)
		return
	}
	out := bytes.NewBuffer(e.b)
	if err := json.Compact(out, v); err != nil {
		e.fail("%w", err)
		return
	}
	e.b = out.Bytes()
}

// quote appends a JSON string (RFC 8259 §7).
func (e *encoder) quote(name, s string) {
	if !utf8.ValidString(s) {
		e.fail("%s is no UTF-8: %.40q", name, s)
		return
	}
	const hex = "0123456789abcdef"
	e.b = append(e.b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		e.b = append(e.b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			e.b = append(e.b, '\\', c)
		case '\n':
			e.b = append(e.b, '\\', 'n')
		default:
			e.b = append(e.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	e.b = append(append(e.b, s[from:]...), '"')
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
}
