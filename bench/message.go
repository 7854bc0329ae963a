package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Sente's messages, as far as a load tool needs them: `[value callback]` in edn, or the same in
// JSON, where an id is a string. The scanner takes what either format may print (any spacing,
// commas, extra elements after the pair) and refuses everything else.

// packer is the value format of a run.
type packer struct {
	name  string
	quote byte   // what an id starts with: ':' or '"'
	null  string // nil or null

	pong        string // answer to the server's ping
	ping        string // prefix of a client ping; the callback and `"]` follow
	eventPrefix string // an event's beginning, up to its data
	pairEnd     string // the second slot of a message without callback, and its end
}

var packers = map[string]*packer{
	"edn": {
		name: "edn", quote: ':', null: "nil",
		pong: `[[:chsk/ws-pong] nil]`, ping: `[[:chsk/ws-ping] "`,
		eventPrefix: `[:`, pairEnd: ` nil]`,
	},
	"json": {
		name: "json", quote: '"', null: "null",
		pong: `[["chsk/ws-pong"],null]`, ping: `[["chsk/ws-ping"],"`,
		eventPrefix: `["`, pairEnd: `,null]`,
	},
}

const (
	eventID  = "bench/n"    // a numbered event from the server
	pushID   = "bench/push" // a client's wish that the server broadcasts a numbered event
	gapID    = "chskd/gap"  // chskd says that events are missing
	depthMax = 64           // nesting of a value from the server
	callback = 6            // letters of a callback id, as stock clients make them
)

type messageKind uint8

const (
	messageHandshake messageKind = iota + 1
	messagePing                  // the server asks whether we live
	messagePong                  // the answer to our ping
	messageBatch                 // pushed events: read them with nextEvent
)

// event is one pushed event: a numbered one of some run, a told gap, or another (all zero).
type event struct {
	numbered bool
	gap      bool
	run      uint32
	number   uint32
	at       int64 // intended send time, ns of CLOCK_MONOTONIC
}

// scanner reads one message. pos moves over b; errors name the offset by what they say.
type scanner struct {
	p   *packer
	b   []byte
	pos int
}

// start reads a message up to where its kind is known. cb is the callback of a pong. For
// messageBatch the caller goes on with nextEvent until it says false.
func (s *scanner) start(p *packer, b []byte) (kind messageKind, cb []byte, err error) {
	*s = scanner{p: p, b: b}
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
	id, ok := s.id()
	if !ok || string(id) != "chsk/ws-ping" {
		return 0, nil, s.bad("neither handshake, batch, ping nor pong")
	}
	return messagePing, nil, s.end()
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

// numbers reads the data of a numbered event: `[run number time "padding"]`.
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

func (s *scanner) space() {
	for s.pos < len(s.b) {
		switch s.b[s.pos] {
		case ' ', ',', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) at(c byte) bool {
	s.space()
	return s.pos < len(s.b) && s.b[s.pos] == c
}

func (s *scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) literal(text string) bool {
	s.space()
	end := s.pos + len(text)
	if end > len(s.b) || string(s.b[s.pos:end]) != text || end < len(s.b) && !delimits(s.b[end]) {
		return false
	}
	s.pos = end
	return true
}

// id reads an event id without its colon or quotes.
func (s *scanner) id() ([]byte, bool) {
	if s.p.quote == '"' {
		return s.text()
	}
	if !s.take(':') {
		return nil, false
	}
	return s.token(), true
}

// token reads up to the next delimiter.
func (s *scanner) token() []byte {
	start := s.pos
	for s.pos < len(s.b) && !delimits(s.b[s.pos]) {
		s.pos++
	}
	return s.b[start:s.pos]
}

// text reads a string and returns it as it came, escapes unread.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	for start := s.pos; s.pos < len(s.b); s.pos++ {
		switch s.b[s.pos] {
		case '\\':
			s.pos++
		case '"':
			s.pos++
			return s.b[start : s.pos-1], true
		}
	}
	return nil, false
}

func (s *scanner) int() (int64, bool) {
	s.space()
	v, digits := int64(0), 0
	for s.pos < len(s.b) && s.b[s.pos] >= '0' && s.b[s.pos] <= '9' && digits < 19 {
		v = v*10 + int64(s.b[s.pos]-'0')
		s.pos++
		digits++
	}
	return v, digits > 0 && digits < 19 && (s.pos == len(s.b) || delimits(s.b[s.pos]))
}

// skip passes over one value of any kind.
func (s *scanner) skip() error {
	var open [depthMax]byte // the closing brackets that are owed
	depth := 0
	for {
		s.space()
		if s.pos == len(s.b) {
			return s.bad("the message ends inside a value")
		}
		tagged := false
		switch c := s.b[s.pos]; c {
		case '[', '(', '{':
			if depth == depthMax {
				return s.bad("a value is nested too deep")
			}
			open[depth] = closing(c)
			depth++
			s.pos++
			continue
		case ']', ')', '}':
			if depth == 0 || open[depth-1] != c {
				return s.bad("brackets do not match")
			}
			depth--
			s.pos++
		case '"':
			if _, ok := s.text(); !ok {
				return s.bad("a string does not end")
			}
		default:
			tagged = s.atom(c)
		}
		if depth == 0 && !tagged {
			return nil
		}
	}
}

// atom passes over a number, symbol, keyword, character, or a tag or set mark (true: what it
// belongs to follows).
func (s *scanner) atom(first byte) (tag bool) {
	s.pos++
	if first == '\\' && s.pos < len(s.b) {
		s.pos++ // a character may be a delimiter itself
	}
	second := byte(0)
	if s.pos < len(s.b) {
		second = s.b[s.pos]
	}
	s.token()
	return first == '#' && second != '#' // `##Inf` is a value
}

func closing(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	}
	return '}'
}

func delimits(c byte) bool {
	switch c {
	case ' ', ',', '\n', '\r', '\t', '[', ']', '(', ')', '{', '}', '"':
		return true
	}
	return false
}

func (s *scanner) bad(what string) error {
	return fmt.Errorf("malformed message: %s: %q", what, clip(s.b))
}

var errSize = errors.New("bench: event size is below what its numbers need")

// appendEvent appends the numbered event of the given id with padding so that it has exactly size
// bytes of text in p; errSize if its numbers alone need more.
func (p *packer) appendEvent(dst []byte, id string, e event, size int) ([]byte, error) {
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
	dst = append(dst, separator, '"')
	padding := size - (len(dst) - start) - len(`"]]`)
	if padding < 0 {
		return dst[:start], errSize
	}
	dst = append(dst, bytes.Repeat([]byte{'x'}, padding)...)
	return append(dst, `"]]`...), nil
}

// appendPing appends the client ping whose callback is the number cb in six hex letters.
func (p *packer) appendPing(dst []byte, cb uint32) []byte {
	dst = append(dst, p.ping...)
	dst = appendCallback(dst, cb)
	return append(dst, `"]`...)
}

func appendCallback(dst []byte, cb uint32) []byte {
	for shift := 4 * (callback - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[cb>>shift&0xf])
	}
	return dst
}
