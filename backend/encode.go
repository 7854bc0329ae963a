package backend

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/chskd/chskd/packer"
)

// encoder builds the lines of one stream. Owner: the stream's writer.
type encoder struct {
	format  packer.Format
	scratch []byte

	second int64  // that text is, if there is any
	text   []byte // of a time, up to its milliseconds
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
	switch en.tells() {
	case kindGap:
		return dst
	case kindLive:
		return append(dst, `{"type":"live"}`+"\n"...)
	case kindResync:
		return append(dst, `{"type":"resync"}`+"\n"...)
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
	if en.item == nil {
		tenant, uid, nilUID := splitKey(en.key)
		return appendUser(dst, tenant, uid, nilUID)
	}
	return appendUser(dst, en.tenantID(), en.userID(), en.nilUID)
}

func appendUser[T string | []byte](dst []byte, tenant, uid T, nilUID bool) []byte {
	if len(tenant) > 0 {
		dst = appendText(append(dst, `,"tenant":`...), tenant)
	}
	if nilUID {
		return append(dst, `,"uid":null`...)
	}
	return appendText(append(dst, `,"uid":`...), uid)
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
	if en.again {
		dst = append(dst, `,"redelivered":true`...)
	}
	dst = append(dst, `,"at":"`...)
	return append(e.time(dst, en.at), '"')
}

// time appends a time in ms as RFC 3339 has it. The events of one second come together, so that
// its text is kept: making it costs as much as the rest of a short line.
func (e *encoder) time(dst []byte, ms int64) []byte {
	if second := ms / 1000; second != e.second || len(e.text) == 0 {
		e.second = second
		e.text = time.Unix(second, 0).UTC().AppendFormat(e.text[:0], "2006-01-02T15:04:05.")
	}
	ms %= 1000
	return append(append(dst, e.text...), byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// valueFields are the names under which a value stands in each format that is JSON itself.
var valueFields = map[packer.Format]string{packer.JSON: `,"event":`, packer.Transit: `,"transit":`}

// value appends the event in the stream's format. One that cannot be said in it goes as the bytes
// that the client sent, with the reason: it is the consumer's to judge.
func (e *encoder) value(dst []byte, en *entry) []byte {
	o := packer.Options{Event: en.kind == kindEvent}
	if field, pasted := valueFields[e.format]; pasted {
		start := len(dst)
		dst = append(dst, field...)
		value := len(dst)
		out, err := packer.Append(dst, e.format, en.value(), en.format, o)
		if err != nil {
			return raw(dst[:start], en, err)
		}
		oneLine(out[value:])
		return out
	}
	var err error
	e.scratch, err = packer.Append(e.scratch[:0], e.format, en.value(), en.format, o)
	if err != nil {
		return raw(dst, en, err)
	}
	return appendText(append(dst, `,"edn":`...), e.scratch)
}

// raw appends what the client sent: text as it is, msgpack in base64 (RFC 4648 §4).
func raw(dst []byte, en *entry, err error) []byte {
	if en.format == packer.Msgpack {
		dst = append(dst, `,"raw_base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, en.value())
		dst = append(dst, '"')
	} else {
		dst = appendText(append(dst, `,"raw":`...), en.value())
	}
	dst = appendText(append(dst, `,"raw_format":`...), en.format.String())
	return appendText(append(dst, `,"error":`...), peopleText(err))
}

// oneLine makes a JSON value fit into a line: a line end in it can only be white space.
func oneLine(b []byte) {
	for i, c := range b {
		if c == '\n' || c == '\r' {
			b[i] = ' '
		}
	}
}
