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
// ErrUndecodable when CheckValue(src) is not nil, ErrUntranslatable when the value has no form in
// to; dst is then returned as it was. Neither dst nor src is kept.
//
// The result holds no references (transit cache codes, msgpack cached keys), so that it may stand
// anywhere in a message. So a value in one of these formats that holds some is written anew, also
// when from == to.
func Append(dst []byte, to Format, src []byte, from Format, o Options) ([]byte, error) {
	if from == to {
		start, end, refs, _, err := from.only(src, nil)
		if err != nil {
			return dst, err
		}
		if !refs {
			return append(dst, src[start:end]...), nil
		}
	}
	out, at, x := transcode(dst, to, src, from, o, false)
	if x == faultMoved {
		out, at, x = transcode(dst, to, src, from, o, true)
	}
	switch x {
	case fine:
		return out, nil
	case faultBigInteger, faultMerged:
		return dst, ErrUntranslatable
	}
	return dst, x.err(from, at)
}

// transcode reads src once and writes it in to; at is where reading stopped. wide chooses headers
// that never move.
func transcode(
	dst []byte, to Format, src []byte, from Format, o Options, wide bool,
) (out []byte, at int, x fault) {
	switch from {
	case EDN:
		var d ednDecoder
		d.b = src
		d.out.into(dst, to, wide)
		_, _, _, x = d.only(nil)
		out, at, x = d.out.dst, d.i, d.out.verdict(x, len(dst))
	case JSON:
		var d jsonDecoder
		d.b, d.event, d.stringKeys = src, o.Event, o.StringKeys
		d.out.into(dst, to, wide)
		_, _, _, x = d.only(nil)
		out, at, x = d.out.dst, d.i, d.out.verdict(x, len(dst))
	case Transit:
		var d transitDecoder
		d.b = src
		d.out.into(dst, to, wide)
		_, _, _, x = d.only(nil)
		out, at, x = d.out.dst, d.i, d.out.verdict(x, len(dst))
	case Msgpack:
		var d msgpackDecoder
		d.b = src
		d.out.into(dst, to, wide)
		_, _, _, x = d.only(nil)
		out, at, x = d.out.dst, d.i, d.out.verdict(x, len(dst))
	default:
		panic("packer: no such format")
	}
	return out, at, x
}

// into makes e write to dst. Decoders are a kilobyte and made in place: as composite literals they
// would be copied.
func (e *encoder) into(dst []byte, to Format, wide bool) { e.dst, e.to, e.wide = dst, to, wide }

// verdict is what went wrong: with reading first, then with writing, then with the result, which
// begins at start. Keys that differ in one format may be the same in another.
func (e *encoder) verdict(read fault, start int) fault {
	switch {
	case read != fine:
		return read
	case e.bad != fine:
		return e.bad
	case e.lossy && e.to.CheckValue(e.dst[start:]) != nil:
		return faultMerged
	}
	return fine
}

// Value returns the span of the one value in b: without white space, comments and discarded forms
// around it, so that it can be pasted into a message. In transit and msgpack it may hold
// references, which mean something else there: then Append is the way. Errors: as CheckValue.
func (f Format) Value(b []byte) ([]byte, error) {
	start, end, _, _, err := f.only(b, nil)
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
	_, _, _, _, err := f.only(value, nil)
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
	_, _, _, k, err := f.only(value, &s)
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

// only reads the one value of b and gives its span, and whether references are in it.
func (f Format) only(b []byte, s *slots) (start, end int, refs bool, k kind, err error) {
	var x fault
	switch f {
	case EDN:
		d := ednDecoder{b: b, out: encoder{to: nowhere}}
		start, end, k, x = d.only(s)
		return start, end, false, k, x.err(f, d.i)
	case JSON:
		d := jsonDecoder{jsonScanner: jsonScanner{b: b}, out: encoder{to: nowhere}}
		start, end, k, x = d.only(s)
		return start, end, false, k, x.err(f, d.i)
	case Transit:
		d := transitDecoder{jsonScanner: jsonScanner{b: b}, out: encoder{to: nowhere}}
		start, end, k, x = d.only(s)
		return start, end, d.refs, k, x.err(f, d.i)
	case Msgpack:
		d := msgpackDecoder{b: b, out: encoder{to: nowhere}}
		start, end, k, x = d.only(s)
		return start, end, d.refs, k, x.err(f, d.i)
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
