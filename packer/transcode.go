package packer

import "bytes"

// Options steer Append where the two formats leave a choice. The zero value is right for data.
type Options struct {
	// Event: the value is an event. JSON has no keywords, so the first string of the
	// top-level array is taken for the id and becomes one, if it is legal as a keyword. (Every
	// other format has its id as a keyword already.)
	Event bool
	// StringKeys: names of JSON objects become strings, never keywords.
	StringKeys bool
}

// Append appends the one value that src holds in format from to dst in format to. What gets lost
// between formats is in the package documentation. from == to copies the value's span byte for
// byte, unknown tags, comments inside and all.
//
// The result can be read again: CheckValue(result) is nil. Limits: DepthMax, NumberMax. Errors:
// ErrUndecodable when CheckValue(src) is not nil; dst is then returned as it was. Neither dst nor
// src is kept.
func Append(dst []byte, to Format, src []byte, from Format, o Options) ([]byte, error) {
	if from == to {
		v, err := from.Value(src)
		return append(dst, v...), err
	}
	switch from {
	case EDN:
		d := ednDecoder{b: src}
		d.out.dst, d.out.to = dst, to
		if _, _, _, x := d.only(nil); x != fine {
			return dst, x.err(from, d.i)
		}
		return d.out.dst, nil
	case JSON:
		d := jsonDecoder{b: src, event: o.Event, stringKeys: o.StringKeys}
		d.out.dst, d.out.to = dst, to
		if _, _, _, x := d.only(nil); x != fine {
			return dst, x.err(from, d.i)
		}
		return d.out.dst, nil
	}
	panic("packer: no such format")
}

// Value returns the span of the one value in b: without white space, comments and discarded forms
// around it, so that it can be pasted into a message. Errors: as CheckValue.
func (f Format) Value(b []byte) ([]byte, error) {
	start, end, _, err := f.only(b, nil)
	if err != nil {
		return nil, err
	}
	return b[start:end:end], nil
}

// CheckValue tells whether value is exactly one readable value; white space, and in edn comments
// and discarded forms, may stand around it. Every clause of the format's grammar is checked,
// duplicate keys and the content of #inst and #uuid included. Errors: ErrUndecodable with reason
// and place.
func (f Format) CheckValue(value []byte) error {
	_, _, _, err := f.only(value, nil)
	return err
}

// CheckEvent tells whether value may be pushed to clients: one readable value that is a vector [id]
// or [id data], whose id is a keyword with a namespace other than chsk (in JSON a string like
// "chat/message"). A stock client drops the rest of a batch, or its connection, for any other. id
// is the text without colon, a span of value, except for a JSON id with escapes, which is copied.
//
// Errors: ErrUndecodable, ErrEventShape, ErrEventID, ErrEventReserved.
func (f Format) CheckEvent(value []byte) (id []byte, err error) {
	var s slots
	_, _, k, err := f.only(value, &s)
	switch {
	case err != nil:
		return nil, err
	case k != kindVector || s.count < 1 || s.count > 2:
		return nil, ErrEventShape
	}
	var scratch []byte
	id, ok := f.eventID(value, &s, &scratch)
	switch {
	case !ok:
		return nil, ErrEventID
	case bytes.HasPrefix(id, reservedPrefix):
		return nil, ErrEventReserved
	}
	return id, nil
}

var reservedPrefix = []byte("chsk/")

// only reads the one value of b and gives its span.
func (f Format) only(b []byte, s *slots) (start, end int, k kind, err error) {
	switch f {
	case EDN:
		d := ednDecoder{b: b}
		d.out.to = nowhere
		start, end, k, x := d.only(s)
		return start, end, k, x.err(f, d.i)
	case JSON:
		d := jsonDecoder{b: b}
		d.out.to = nowhere
		start, end, k, x := d.only(s)
		return start, end, k, x.err(f, d.i)
	}
	panic("packer: no such format")
}

// only reads one value and what may stand around it.
func (d *ednDecoder) only(s *slots) (start, end int, k kind, f fault) {
	if f = d.next(); f != fine {
		return 0, 0, 0, f
	}
	start = d.i
	if k, f = d.value(s); f != fine {
		return 0, 0, 0, f
	}
	end = d.i
	switch f = d.next(); f {
	case faultEnd:
		return start, end, k, fine
	case fine:
		f = faultMore
	}
	return 0, 0, 0, f
}

// only reads one value and the white space around it.
func (d *jsonDecoder) only(s *slots) (start, end int, k kind, f fault) {
	if f = d.next(); f != fine {
		return 0, 0, 0, f
	}
	start = d.i
	if k, f = d.value(s); f != fine {
		return 0, 0, 0, f
	}
	end = d.i
	if d.next() == fine {
		return 0, 0, 0, faultMore
	}
	return start, end, k, fine
}
