package bench

import (
	"errors"
	"strconv"
	"strings"
)

// Sente's messages, as far as a load tool needs them: `[value callback]` in edn, or the same in
// JSON, where an id is a string. The scanner takes what either format may print (any spacing,
// commas, extra elements after the pair) and refuses everything else.

// syntax is how a run's values are written as text. What the other packers say is read as JSON and
// written as edn, with package packer between that and the wire (codec.go).
type syntax struct {
	name  string
	quote byte   // what an id starts with: ':' or '"'
	null  string // nil or null

	pong        string // answer to the server's ping
	ping        string // prefix of a client ping; the callback and `"]` follow
	echo        string // prefix of a client's event that asks for an echo; text, callback follow
	echoAjax    string // end of such an event over Ajax
	eventPrefix string // an event's beginning, up to its data
	pairEnd     string // the second slot of a message without callback, and its end
}

var syntaxes = map[string]*syntax{
	"edn": {
		name: "edn", quote: ':', null: "nil",
		pong: `[[:chsk/ws-pong] nil]`, ping: `[[:chsk/ws-ping] "`,
		echo: `[[:bench/echo "`, echoAjax: `"] :ajax]`,
		eventPrefix: `[:`, pairEnd: ` nil]`,
	},
	"json": {
		name: "json", quote: '"', null: "null",
		pong: `[["chsk/ws-pong"],null]`, ping: `[["chsk/ws-ping"],"`,
		echo: `[["bench/echo","`, echoAjax: `"],"ajax"]`,
		eventPrefix: `["`, pairEnd: `,null]`,
	},
}

const (
	eventID  = "bench/n"    // a numbered event from the server
	pushID   = "bench/push" // a client's wish that the server broadcasts a numbered event
	gapID    = "chskd/gap"  // chskd says that events are missing
	echoID   = "bench/echo" // a client's event that wants its data back
	callback = 6            // letters of a callback id, as stock clients make them
)

type messageKind uint8

const (
	messageHandshake messageKind = iota + 1
	messagePing                  // the server asks whether we live
	messagePong                  // the answer to our ping
	messageReply                 // the answer to our event, in scanner.value
	messageBatch                 // pushed events: read them with nextEvent
	messageAnswer                // over Ajax: of a poll without events or of a POST, in scanner.value
)

// event is one pushed event: a numbered one of some run, a told gap, or another (all zero).
type event struct {
	numbered bool
	gap      bool
	run      uint32
	number   uint32
	at       int64  // intended send time, ns of CLOCK_MONOTONIC
	stream   uint32 // which numbers it belongs to: streamUser, streamAll, streamTopic and above
}

// Each event is numbered within a stream: all that one user gets by itself, all broadcasts, or all
// that goes to one topic.
const (
	streamUser  = 0
	streamAll   = 1
	streamTopic = 2 // and the topic's number
)

// start reads a message up to where its kind is known. cb is the callback of a pong or a reply. For
// messageBatch the caller goes on with nextEvent until it says false.
func (s *scanner) start(p *syntax, b []byte) (kind messageKind, cb []byte, err error) {
	*s = scanner{p: p, b: b, ajax: s.ajax}
	if !s.take('[') {
		return 0, nil, s.bad("a message is not a vector")
	}
	if s.take('[') {
		if s.at(']') || s.at('[') {
			return messageBatch, nil, nil
		}
		return messageHandshake, nil, s.handshake()
	}
	if s.literal(`"pong"`) {
		return s.pong()
	}
	from := s.pos
	if id, ok := s.id(); ok && string(id) == "chsk/ws-ping" {
		return messagePing, nil, s.end()
	}
	s.pos = from
	return s.reply()
}

// reply reads `[value "callback"]` from its value on, which is no vector: an echo is a string, and
// what nobody answered is :chsk/error.
func (s *scanner) reply() (messageKind, []byte, error) {
	s.space()
	from := s.pos
	if err := s.skip(); err != nil {
		return 0, nil, err
	}
	s.value = s.b[from:s.pos]
	if s.ajax {
		return messageAnswer, nil, s.end()
	}
	cb, ok := s.text()
	if !ok {
		return 0, nil, s.bad("neither handshake, batch, ping, pong nor reply")
	}
	if err := s.rest(); err != nil {
		return 0, nil, err
	}
	if s.space(); s.pos != len(s.b) {
		return 0, nil, s.bad("bytes after the message")
	}
	return messageReply, cb, nil
}

// handshake reads `[:chsk/handshake [uid nil data]] nil]` from behind its second bracket.
func (s *scanner) handshake() error {
	if id, ok := s.id(); !ok || string(id) != "chsk/handshake" {
		return s.bad("neither a handshake nor a vector of events")
	}
	if !s.take('[') {
		return s.bad("handshake without its vector")
	}
	count := 0
	for !s.take(']') {
		if err := s.skip(); err != nil {
			return err
		}
		count++
	}
	if count < 3 {
		return s.bad("handshake with fewer than three elements")
	}
	if err := s.rest(); err != nil {
		return err
	}
	return s.end()
}

func (s *scanner) pong() (messageKind, []byte, error) {
	cb, ok := s.text()
	if !ok {
		return 0, nil, s.bad("pong without callback")
	}
	return messagePong, cb, s.rest()
}

// nextEvent reads the next event of a batch; more is false at the batch's end, which it checks.
func (s *scanner) nextEvent(e *event) (more bool, err error) {
	if s.take(']') {
		return false, s.end()
	}
	if !s.take('[') {
		return false, s.bad("an event is not a vector")
	}
	id, ok := s.id()
	if !ok {
		return false, s.bad("an event has no id")
	}
	*e = event{gap: string(id) == gapID}
	if string(id) == eventID {
		if err := s.numbers(e); err != nil {
			return false, err
		}
	}
	return true, s.rest()
}

// numbers reads the data of a numbered event: `[run number time "padding"]`, and before the padding
// the number of its stream, if that is not 0.
func (s *scanner) numbers(e *event) error {
	if !s.take('[') {
		return s.bad("a numbered event has no vector")
	}
	run, ok1 := s.int()
	number, ok2 := s.int()
	at, ok3 := s.int()
	if !ok1 || !ok2 || !ok3 || run > 1<<32-1 || number == 0 || number > 1<<32-1 {
		return s.bad("a numbered event has wrong numbers")
	}
	e.numbered, e.run, e.number, e.at = true, uint32(run), uint32(number), at
	if s.space(); s.pos < len(s.b) && s.b[s.pos] >= '0' && s.b[s.pos] <= '9' {
		stream, ok := s.int()
		if !ok || stream > 1<<32-1 {
			return s.bad("a numbered event has wrong numbers")
		}
		e.stream = uint32(stream)
	}
	return s.rest()
}

// rest skips what is left of the innermost vector, its bracket included.
func (s *scanner) rest() error {
	for !s.take(']') {
		if err := s.skip(); err != nil {
			return err
		}
	}
	return nil
}

// end reads a message's second slot, which must be nil, and nothing after the pair. Further
// elements of the pair are ignored, as stock clients do.
func (s *scanner) end() error {
	if s.at(']') || !s.literal(s.p.null) {
		return s.bad("a message that is no reply has a callback")
	}
	if err := s.rest(); err != nil {
		return err
	}
	if s.space(); s.pos != len(s.b) {
		return s.bad("bytes after the message")
	}
	return nil
}

var errSize = errors.New("bench: event size is below what its numbers need")

// appendEvent appends the numbered event of the given id with padding so that it has exactly size
// bytes of text in p; errSize if its numbers alone need more.
func (p *syntax) appendEvent(dst []byte, id string, e event, size int) ([]byte, error) {
	start := len(dst)
	dst = append(dst, p.eventPrefix...)
	dst = append(dst, id...)
	separator := byte(' ')
	if p.quote == '"' {
		dst = append(dst, '"')
		separator = ','
	}
	dst = append(dst, separator, '[')
	dst = strconv.AppendUint(dst, uint64(e.run), 10)
	dst = strconv.AppendUint(append(dst, separator), uint64(e.number), 10)
	dst = strconv.AppendInt(append(dst, separator), e.at, 10)
	if e.stream != 0 {
		dst = strconv.AppendUint(append(dst, separator), uint64(e.stream), 10)
	}
	dst = append(dst, separator, '"')
	padding := size - (len(dst) - start) - len(`"]]`)
	if padding < 0 {
		return dst[:start], errSize
	}
	dst = appendPadding(dst, padding)
	return append(dst, `"]]`...), nil
}

// appendPing appends the client ping whose callback is the number cb in six hex letters.
func (p *syntax) appendPing(dst []byte, cb uint32) []byte {
	dst = append(dst, p.ping...)
	dst = appendCallback(dst, cb)
	return append(dst, `"]`...)
}

func appendCallback(dst []byte, cb uint32) []byte { return appendHex(dst, uint64(cb), callback) }

// appendHex appends the low digits of v.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&0xf])
	}
	return dst
}

// appendEcho appends the event that asks for an echo of size letters, with its callback; over Ajax
// the callback only says that there is one.
func (p *syntax) appendEcho(
	dst []byte, run uint32, conn int, cb uint32, size int, ajax bool,
) []byte {
	dst = append(dst, p.echo...)
	dst = appendEchoText(dst, run, conn, cb, size)
	if ajax {
		return append(dst, p.echoAjax...)
	}
	dst = append(dst, `"] "`...)
	if p.quote == '"' {
		dst[len(dst)-2] = ','
	}
	dst = appendCallback(dst, cb)
	return append(dst, `"]`...)
}

// appendEchoText appends the size letters that the connection with a number sends and wants back:
// no two events of a run have the same.
func appendEchoText(dst []byte, run uint32, conn int, cb uint32, size int) []byte {
	dst = appendHex(dst, uint64(run), 8)
	dst = appendHex(dst, uint64(conn), 8)
	dst = appendCallback(dst, cb)
	return appendPadding(dst, size-echoMin)
}

// echoMin is how many letters tell an echo from all others.
const echoMin = 8 + 8 + callback

// filler is what events are made longer by.
var filler = strings.Repeat("x", 1<<10)

func appendPadding(dst []byte, n int) []byte {
	for ; n > len(filler); n -= len(filler) {
		dst = append(dst, filler...)
	}
	return append(dst, filler[:n]...)
}
