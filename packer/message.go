package packer

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind tells what a client's message is.
type Kind uint8

// The kinds of client messages (Sente 1.22 server, on-msg).
const (
	Event    Kind = iota // a valid event: a vector [id] or [id data], id a keyword with namespace
	BadEvent             // readable, but slot 1 is not an event
	Ping                 // exactly the sequence [:chsk/ws-ping]
	Pong                 // exactly the event [:chsk/ws-pong]
)

// Message is a client's message split into its two slots. Every slice is a span of the parsed
// input, or of a constant, or of the Message's own scratch: valid until the input changes or the
// next ParseMessage into the same Message, and never to be written. Reuse one Message so that the
// scratch is reused. Owner: loop.
type Message struct {
	Kind     Kind
	Event    []byte // the event as it came; for BadEvent what slot 1 holds, nil if nothing
	ID       []byte // the event's id without colon; nil for BadEvent
	Callback []byte // slot 2 as it came; nil when it is missing, nil or false: no reply is wanted

	scratch []byte // holds what does not stand in the input as such
	plain   []byte // holds the whole message where the input has references
}

// Ids of the events that keep a connection alive.
const (
	pingID = "chsk/ws-ping"
	pongID = "chsk/ws-pong"
)

// ParseMessage splits the client's message b, which is [event callback], into m.
//
// Shape: Sente destructures the first value of the text like [event callback] of whatever sequence
// it is. So nil and an empty sequence are an event nil without callback, further elements are
// ignored, and a bare string is taken apart into its first two characters (UTF-16 units). Empty
// text reads as nil in edn and JSON; text without any value, like white space or a comment alone, does
// not. Everything behind the first value is ignored, whatever it is, except in JSON, which takes white
// space there only.
//
// Errors: ErrUndecodable when the first value is not readable, or not a sequence (map, set, number,
// keyword, symbol, tagged value). m is then unspecified.
func (f Format) ParseMessage(b []byte, m *Message) error {
	var outer, inner slots
	outer.inner = &inner
	m.ID, m.Callback = nil, nil
	if cap(m.plain) > plainKeep {
		m.plain = nil
	}
	if len(b) == 0 && f.emptyIsNil() {
		m.Kind, m.Event = BadEvent, f.nilValue()
		return nil
	}
	start, end, refs, k, err := f.first(b, &outer)
	switch {
	case err != nil:
		return err
	case refs:
		return m.withoutReferences(f, b[start:end])
	case k == kindNil:
		m.Kind, m.Event = BadEvent, f.nilValue()
	case k == kindString:
		m.fromString(f, b[start:end])
	case !k.sequential():
		return faultNotSequence.err(f, start)
	default:
		m.fill(f, b, &outer)
	}
	return nil
}

// plainKeep is how much of Message.plain is kept for the next message: one that was large holds no
// memory for ever.
const plainKeep = 64 << 10

// emptyIsNil tells what Sente's reader makes of an empty text: nil, or an error.
func (f Format) emptyIsNil() bool { return f.Plain() }

// withoutReferences parses a message anew that holds references: a callback that is one, or an event
// inside a tagged pair, would mean nothing as a span.
func (m *Message) withoutReferences(f Format, b []byte) error {
	plain, err := Append(m.plain[:0], f, b, f, Options{})
	if err != nil {
		return err
	}
	m.plain = plain
	return f.ParseMessage(plain, m)
}

// first reads the first value of b and gives its span, and whether references are in it.
func (f Format) first(b []byte, s *slots) (start, end int, refs bool, k kind, err error) {
	var x fault
	switch f {
	case EDN:
		d := ednDecoder{b: b, out: encoder{to: nowhere}}
		x = d.next()
		if start = d.i; x == fine {
			k, x = d.value(s)
		}
		return start, d.i, false, k, x.err(f, d.i)
	case Transit:
		d := transitDecoder{jsonScanner: jsonScanner{b: b}, out: encoder{to: nowhere}}
		x = d.next()
		if start = d.i; x == fine {
			k, x = d.value(s)
		}
		return start, d.i, d.refs, k, x.err(f, d.i)
	case Msgpack:
		d := msgpackDecoder{b: b, out: encoder{to: nowhere}}
		if x = d.next(); x == fine {
			k, x = d.value(s)
		}
		return 0, d.i, d.refs, k, x.err(f, d.i)
	}
	return f.only(b, s)
}

// fill takes the slots of a message that is a sequence.
func (m *Message) fill(f Format, b []byte, outer *slots) {
	m.Kind, m.Event = BadEvent, f.nilValue()
	if outer.count == 0 {
		return
	}
	m.Event = outer.span(b, 0)
	if outer.count > 1 && outer.kinds[1] != kindNil && outer.kinds[1] != kindFalse {
		m.Callback = outer.span(b, 1)
	}
	if !outer.kinds[0].sequential() {
		return
	}
	inner := outer.inner
	id, ok := f.eventID(b, inner, &m.scratch)
	switch {
	case !ok:
		return
	case inner.count == 1 && string(id) == pingID:
		m.Kind, m.ID = Ping, id // a list too: it equals the vector
	case inner.kind != kindVector || inner.count > 2:
		return
	case inner.count == 1 && string(id) == pongID:
		m.Kind, m.ID = Pong, id
	default:
		m.Kind, m.ID = Event, id
	}
}

// eventID is the first element of a sequence, if it is a keyword with a namespace. Scratch is
// overwritten where the id does not stand in b as such.
func (f Format) eventID(b []byte, s *slots, scratch *[]byte) (id []byte, ok bool) {
	if s.count == 0 {
		return nil, false
	}
	id = s.span(b, 0)
	switch f {
	case EDN:
		if s.kinds[0] != kindKeyword {
			return nil, false
		}
		id = id[1:]
		return id, bytes.IndexByte(id, '/') > 0
	case JSON:
		if s.kinds[0] != kindString {
			return nil, false
		}
		if bytes.IndexByte(id, '\\') < 0 {
			id = id[1 : len(id)-1]
		} else {
			d := jsonScanner{b: id}
			id, _ = d.text((*scratch)[:0]) // readable: it was read before
			*scratch = id
		}
		slash, legal := keywordText(id)
		return id, legal && slash > 0
	case Transit:
		return transitEventID(id, s.kinds[0], scratch)
	case Msgpack:
		return msgpackEventID(id, s.kinds[0])
	}
	return nil, false
}

// nilValue is nil in format f. Shared bytes.
func (f Format) nilValue() []byte { return nilValues[f] }

var nilValues = [Count][]byte{
	EDN: []byte("nil"), JSON: []byte("null"), Transit: []byte("null"), Msgpack: {0xc0},
}

// fromString takes a message that is a string: its first character is the event, the second the
// callback. A half of a surrogate pair, which no character literal can write, becomes a string.
func (m *Message) fromString(f Format, quoted []byte) {
	var buf [64]byte
	units := firstUnits(f.text(buf[:0], quoted))
	m.Kind, m.Event = BadEvent, f.nilValue()
	m.scratch = m.scratch[:0]
	if units[0] >= 0 {
		m.scratch = f.appendChar(m.scratch, units[0])
		m.Event = m.scratch
	}
	if units[1] >= 0 {
		n := len(m.scratch)
		m.scratch = f.appendChar(m.scratch, units[1])
		m.Event, m.Callback = m.scratch[:n:n], m.scratch[n:]
	}
}

// text is the text of a string that was read before, escapes resolved.
func (f Format) text(dst, quoted []byte) []byte {
	var x fault
	switch f {
	case EDN:
		d := ednDecoder{b: quoted}
		dst, x = d.tagText(dst)
	case JSON:
		d := jsonScanner{b: quoted}
		dst, x = d.text(dst)
	case Transit:
		dst, x = transitText(dst, quoted)
	case Msgpack:
		dst, x = msgpackText(dst, quoted)
	}
	if x != fine {
		panic("packer: a string is not readable a second time")
	}
	return dst
}

// firstUnits are the first two UTF-16 units of a text as appendRune writes it, -1 where it is
// shorter.
func firstUnits(text []byte) [2]rune {
	units := [2]rune{-1, -1}
	for n := 0; n < 2 && len(text) > 0; n++ {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			r, size = rune(text[0]&0xF)<<12|rune(text[1]&0x3F)<<6|rune(text[2]&0x3F), 3
		}
		text = text[size:]
		if r <= 0xFFFF {
			units[n] = r
			continue
		}
		high, low := utf16.EncodeRune(r)
		units[n] = high
		if n == 0 {
			units[1] = low
		}
		break
	}
	return units
}

// appendChar appends one UTF-16 unit as a value of format f.
func (f Format) appendChar(dst []byte, unit rune) []byte {
	e := encoder{dst: dst, to: f}
	if !utf16.IsSurrogate(unit) {
		e.char(unit)
		return e.dst
	}
	e.strBegin()
	e.strRune(unit)
	e.strEnd()
	return e.dst
}
