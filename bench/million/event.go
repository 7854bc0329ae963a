package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// Sente's messages in edn, as far as the load side meets them: the handshake, the server's ping,
// and batches of numbered events. chskd hands a pushed event on as it was written, so that the events
// are compared byte by byte; whatever else comes is a fault.
const (
	handshakePrefix = `[[:chsk/handshake [`
	serverPrefix    = `{:server `
	serverPing      = `[:chsk/ws-ping nil]`
	clientPong      = `[[:chsk/ws-pong] nil]`
	batchEnd        = `] nil]`
	eventPrefix     = `[:million/n "`
	eventEnd        = `"]`
)

// stream is which numbers an event belongs to: those of its user, or those of all.
type stream uint8

const (
	toUser stream = iota
	toAll
	streams
)

// event is one numbered event; at is when it was due (ns, CLOCK_MONOTONIC).
type event struct {
	stream stream
	number uint32
	at     int64
}

// appendEvent appends an event as it travels.
func appendEvent(dst []byte, e event) []byte {
	dst = append(append(dst, eventPrefix...), '0'+byte(e.stream), ' ')
	dst = append(strconv.AppendUint(dst, uint64(e.number), 10), ' ')
	return append(strconv.AppendInt(dst, e.at, 10), eventEnd...)
}

// appendPush appends a line of the backend API that pushes an event, to one user or (uid nil) to
// all; count says to how many sessions it went.
func appendPush(dst []byte, uid []byte, e event) []byte {
	dst = append(dst, `{"op":"push",`...)
	if uid == nil {
		dst = append(dst, `"all":true`...)
	} else {
		dst = append(append(append(dst, `"uid":"`...), uid...), '"')
	}
	dst = append(dst, `,"ref":1,"count":true,"edn":"`...)
	from := len(dst)
	dst = appendEvent(dst, e)
	// The two quotes of an event are the only letters of it that JSON escapes.
	text := bytes.ReplaceAll(dst[from:], []byte(`"`), []byte(`\"`))
	return append(append(dst[:from], text...), "\"}\n"...)
}

// appendUID appends the client-id of a connection, which is its user as well (--auth client): 36
// letters, as the UUID of a stock client.
func appendUID(dst []byte, run uint32, number int) []byte {
	return fmt.Appendf(dst, "%08x-0000-4000-8000-%012x", run, number)
}

// serverOf reads the number of the chskd out of a handshake.
func serverOf(message []byte) (uint16, error) {
	if !bytes.HasPrefix(message, []byte(handshakePrefix)) {
		return 0, fmt.Errorf("no handshake but %q", clip(message))
	}
	_, text, _ := bytes.Cut(message, []byte(serverPrefix))
	text, _, _ = bytes.Cut(text, []byte("}"))
	n, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil {
		return 0, fmt.Errorf("handshake without the number of a chskd: %q", clip(message))
	}
	return uint16(n), nil
}

// eachEvent gives the events of a batch on: `[[event event ...] nil]`.
func eachEvent(message []byte, see func(event)) error {
	rest, ok := bytes.CutPrefix(message, []byte("[["))
	for ok {
		var e event
		if rest, ok = bytes.CutPrefix(rest, []byte(eventPrefix)); !ok {
			break
		}
		if e, rest, ok = cutEvent(rest); !ok {
			break
		}
		see(e)
		if string(rest) == batchEnd {
			return nil
		}
		rest, ok = bytes.CutPrefix(rest, []byte(" "))
	}
	return fmt.Errorf("not a batch of numbered events: %q", clip(message))
}

// cutEvent reads an event from behind its prefix.
func cutEvent(b []byte) (e event, rest []byte, ok bool) {
	text, rest, ok := bytes.Cut(b, []byte(eventEnd))
	var number [3]int64
	for i := range number {
		if i > 0 {
			if !ok || len(text) == 0 || text[0] != ' ' {
				return e, rest, false
			}
			text = text[1:]
		}
		n := 0
		for ; n < len(text) && text[n] >= '0' && text[n] <= '9' && n < 19; n++ {
			number[i] = number[i]*10 + int64(text[n]-'0')
		}
		ok = ok && n > 0
		text = text[n:]
	}
	ok = ok && len(text) == 0 && number[0] < int64(streams) && number[1] > 0 && number[1] < 1<<32
	return event{stream(number[0]), uint32(number[1]), number[2]}, rest, ok
}

// tally is what the connections of a load process have seen.
type tally struct {
	Events    [streams]int64 `json:"events"` // doubled ones included
	Doubled   int64          `json:"doubled"`
	Reordered int64          `json:"reordered"`
	Lost      int64          `json:"lost"` // known at the end
}

func (t *tally) add(o *tally) {
	for s := range t.Events {
		t.Events[s] += o.Events[s]
	}
	t.Doubled += o.Doubled
	t.Reordered += o.Reordered
	t.Lost += o.Lost
}

// counter is how far the numbers of one stream have come on one connection.
type counter struct {
	slot   int32
	stream stream
}

// watch checks the numbers that come. Only a connection that has missed one has an entry in the
// map. Owner: the load process's loop.
type watch struct {
	tally
	missing map[counter]map[uint32]struct{}
}

// see checks one event against the highest number so far.
func (w *watch) see(slot int32, upTo *uint32, e event) {
	w.Events[e.stream]++
	c := counter{slot, e.stream}
	switch missing := w.missing[c]; {
	case e.number == *upTo+1:
		*upTo++
	case e.number <= *upTo:
		if _, late := missing[e.number]; late {
			delete(missing, e.number)
			w.Reordered++
		} else {
			w.Doubled++
		}
	default:
		if missing == nil {
			missing = make(map[uint32]struct{})
			if w.missing == nil {
				w.missing = make(map[counter]map[uint32]struct{})
			}
			w.missing[c] = missing
		}
		// A push that a broken server made up could ask for any number of these.
		for n := *upTo + 1; n < e.number && len(missing) < missingMax; n++ {
			missing[n] = struct{}{}
		}
		*upTo = e.number
	}
}

// missingMax bounds what is remembered for one stream of one connection.
const missingMax = 1 << 16

// lost is how many of the numbers up to want have not come.
func (w *watch) lost(slot int32, s stream, upTo, want uint32) int64 {
	n := int64(len(w.missing[counter{slot, s}]))
	if upTo < want {
		n += int64(want - upTo)
	}
	return n
}

// clip shortens what is shown of a peer's bytes.
func clip(b []byte) []byte { return b[:min(len(b), 120)] }
