package packer

import (
	"math"
	"strconv"
)

// The envelope: every payload in both directions is the pair [value callback], and a push is a
// vector of events in slot 1. A format differs only in the words below; the order of the words is
// the protocol's, so it is written once.

// words are the constant parts of the envelope in one format.
type words struct {
	pair         string // opens a pair
	sep          string // between two elements of a sequence
	end          string // closes a sequence
	nilWord      string // the empty second slot
	nilUID       string // what stands for "no uid"
	pong         string // the word that answers a ping
	handshake    string // up to the uid
	gap, gapTail string // around the count
}

var wordsOf = [Count]words{
	EDN: {
		pair: "[", sep: " ", end: "]", nilWord: "nil", nilUID: ":sente/nil-uid", pong: `"pong"`,
		handshake: "[[:chsk/handshake [",
		gap:       "[:chskd/gap {:missed ", gapTail: "}]",
	},
	JSON: {
		pair: "[", sep: ",", end: "]", nilWord: "null", nilUID: `"sente/nil-uid"`, pong: `"pong"`,
		handshake: `[["chsk/handshake",[`,
		gap:       `["chskd/gap",{"missed":`, gapTail: "}]",
	},
	Transit: {
		pair: "[", sep: ",", end: "]", nilWord: "null", nilUID: `"~:sente/nil-uid"`, pong: `"pong"`,
		handshake: `[["~:chsk/handshake",[`,
		gap:       `["~:chskd/gap",["^ ","~:missed",`, gapTail: "]]",
	},
	Msgpack: {
		pair: "\x92", nilWord: "\xc0", nilUID: "\xc7\x0d\x00sente/nil-uid", pong: "\xa4pong",
		handshake: "\x92\x92\xc7\x0e\x00chsk/handshake\x93",
		gap:       "\x92\xc7\x09\x00chskd/gap\x81\xc7\x06\x00missed",
	},
}

// AppendHandshake appends [[:chsk/handshake [uid nil data]] nil], the first message on every
// connection. uid is the user's id as UTF-8 bytes, ignored when nilUID says that the user has none
// (then :sente/nil-uid stands there). data is an edn value or nil, as configured, and must have
// passed CheckValue; where it has not, nil is written in its place.
func (f Format) AppendHandshake(dst, uid []byte, nilUID bool, data []byte) []byte {
	w := &wordsOf[f]
	dst = append(dst, w.handshake...)
	if nilUID {
		dst = append(dst, w.nilUID...)
	} else {
		dst = f.appendString(dst, uid)
	}
	dst = append(dst, w.sep...)
	dst = append(dst, w.nilWord...)
	dst = append(dst, w.sep...)
	dst = f.appendData(dst, data)
	dst = append(dst, w.end...)
	dst = append(dst, w.end...)
	return w.appendNoCallback(dst)
}

// appendData appends the handshake data, which is kept as edn.
func (f Format) appendData(dst, data []byte) []byte {
	mark := len(dst)
	if data != nil {
		out, err := Append(dst, f, data, EDN, Options{})
		if err == nil {
			return out
		}
		dst = out[:mark]
	}
	return append(dst, wordsOf[f].nilWord...)
}

// AppendReply appends [value cb]: the reply to a client's event over a WebSocket (cb = the
// callback that came with it, echoed as it was) or as the body of an Ajax answer (cb nil -> nil).
// Both are spans in format f, as ParseMessage, Value and Append give them: nothing around them.
func (f Format) AppendReply(dst, value, cb []byte) []byte {
	w := &wordsOf[f]
	dst = append(dst, w.pair...)
	dst = append(dst, value...)
	if cb == nil {
		return w.appendNoCallback(dst)
	}
	dst = append(dst, w.sep...)
	dst = append(dst, cb...)
	return append(dst, w.end...)
}

// AppendPong appends ["pong" cb], the answer to a client's ping with callback cb.
func (f Format) AppendPong(dst, cb []byte) []byte {
	w := &wordsOf[f]
	dst = append(dst, w.pair...)
	dst = append(dst, w.pong...)
	dst = append(dst, w.sep...)
	dst = append(dst, cb...)
	return append(dst, w.end...)
}

// AppendBatchStart opens a push of exactly n events, [[e1 e2 ...] nil]. The events follow,
// AppendBatchNext between two.
func (f Format) AppendBatchStart(dst []byte, n int) []byte {
	dst = append(dst, wordsOf[f].pair...)
	if f == Msgpack {
		return appendMsgpackArray(dst, n)
	}
	return append(dst, '[')
}

// AppendBatchNext separates two events of a push.
func (f Format) AppendBatchNext(dst []byte) []byte { return append(dst, wordsOf[f].sep...) }

// AppendBatchEnd closes a push.
func (f Format) AppendBatchEnd(dst []byte) []byte {
	w := &wordsOf[f]
	return w.appendNoCallback(append(dst, w.end...))
}

// AppendGap appends the event [:chskd/gap {:missed n}], which tells a client that n events
// pushed to it are gone. It stands in a push like any other event.
func (f Format) AppendGap(dst []byte, missed uint64) []byte {
	dst = append(dst, wordsOf[f].gap...)
	if f == Msgpack {
		return appendMsgpackInt(dst, int64(min(missed, math.MaxInt64)))
	}
	dst = strconv.AppendUint(dst, missed, 10)
	return append(dst, wordsOf[f].gapTail...)
}

// appendNoCallback ends a pair whose second slot is empty: always written, never left out.
func (w *words) appendNoCallback(dst []byte) []byte {
	dst = append(dst, w.sep...)
	dst = append(dst, w.nilWord...)
	return append(dst, w.end...)
}

// appendString appends the text b, which is UTF-8, as a string of format f.
func (f Format) appendString(dst, b []byte) []byte {
	e := encoder{dst: dst, to: f}
	e.str(b)
	return e.dst
}
