package backend

import (
	"strconv"
	"time"

	"github.com/chskd/chskd/packer"
)

// encoder builds the lines of one stream. Owner: the stream's writer.
type encoder struct {
	format  packer.Format
	scratch []byte
}

// hello is a stream's first line.
func (e *encoder) hello(dst []byte, epoch, consumer string) []byte {
	dst = append(dst, `{"type":"hello","api":1,"epoch":`...)
	dst = appendText(dst, epoch)
	dst = append(dst, `,"consumer":`...)
	dst = appendText(dst, consumer)
	return append(dst, "}\n"...)
}

// entry appends what a queue's entry tells: one line, or two when a gap is before it.
func (e *encoder) entry(dst []byte, en *entry) []byte {
	if en.missed > 0 {
		dst = append(dst, `{"type":"gap","missed":`...)
		dst = strconv.AppendUint(dst, en.missed, 10)
		dst = append(dst, "}\n"...)
	}
	if en.item == nil {
		switch en.only {
		case kindLive:
			dst = append(dst, `{"type":"live"}`+"\n"...)
		case kindResync:
			dst = append(dst, `{"type":"resync"}`+"\n"...)
		}
		return dst
	}
	switch en.kind {
	case kindOpen:
		dst = e.who(append(dst, `{"type":"open"`...), en)
	case kindClose:
		dst = e.who(append(dst, `{"type":"close"`...), en)
	case kindBadEvent:
		dst = e.event(append(dst, `{"type":"bad-event"`...), en)
	default:
		dst = e.event(append(dst, `{"type":"event"`...), en)
	}
	return append(dst, "}\n"...)
}

// who appends seq, tenant and uid.
func (e *encoder) who(dst []byte, en *entry) []byte {
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, en.seq, 10)
	if tenant := en.tenantID(); len(tenant) > 0 {
		dst = appendText(append(dst, `,"tenant":`...), tenant)
	}
	if en.nilUID {
		return append(dst, `,"uid":null`...)
	}
	return appendText(append(dst, `,"uid":`...), en.userID())
}

// event appends all that an event's line has.
func (e *encoder) event(dst []byte, en *entry) []byte {
	dst = e.who(dst, en)
	dst = appendText(append(dst, `,"client":`...), en.clientID())
	if en.ajax {
		dst = append(dst, `,"transport":"ajax"`...)
	} else {
		dst = append(dst, `,"transport":"ws"`...)
	}
	dst = e.value(dst, en)
	if answer := en.replyTo(); len(answer) > 0 {
		dst = appendText(append(dst, `,"reply_to":`...), answer)
	}
	dst = append(dst, `,"at":"`...)
	dst = time.UnixMilli(en.at).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	return append(dst, '"')
}

// value appends the event in the stream's format. One that cannot be said in it goes as the text
// that the client sent, with the reason: it is the consumer's to judge.
func (e *encoder) value(dst []byte, en *entry) []byte {
	o := packer.Options{Event: en.kind == kindEvent}
	var err error
	if e.format == packer.JSON {
		start := len(dst)
		dst = append(dst, `,"event":`...)
		value := len(dst)
		dst, err = packer.Append(dst, packer.JSON, en.value(), en.format, o)
		if err == nil {
			oneLine(dst[value:])
			return dst
		}
		dst = dst[:start]
	} else {
		e.scratch, err = packer.Append(e.scratch[:0], e.format, en.value(), en.format, o)
		if err == nil {
			dst = append(dst, `,"edn":`...)
			return appendText(dst, e.scratch)
		}
	}
	dst = append(dst, `,"raw":`...)
	dst = appendText(dst, en.value())
	dst = append(dst, `,"raw_format":`...)
	dst = appendText(dst, en.format.String())
	dst = append(dst, `,"error":`...)
	return appendText(dst, peopleText(err))
}

// oneLine makes a JSON value fit into a line: a line end in it can only be white space.
func oneLine(b []byte) {
	for i, c := range b {
		if c == '\n' || c == '\r' {
			b[i] = ' '
		}
	}
}
