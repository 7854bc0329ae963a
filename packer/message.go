package packer

// Kind tells what a client's message is.
type Kind uint8

// The kinds of client messages (Sente 1.22 server, on-msg).
const (
	Event    Kind = iota // a valid event: a vector [id] or [id data], id a keyword with namespace
	BadEvent             // readable, but slot 1 is not an event
	Ping                 // exactly the sequence [:chsk/ws-ping]
	Pong                 // exactly the event [:chsk/ws-pong]
)

// Message is a client's message split into its two slots. Every slice is a span of the parsed input,
// or of a constant, or of the Message's own scratch: valid until the input changes or the next ParseMessage
// into the same Message, and never to be written. Reuse one Message so that the scratch is reused.
type Message struct {
	Kind     Kind
	Event    []byte // the event as it came; for BadEvent whatever slot 1 holds, "nil" if nothing
	ID       []byte // the event's id without colon; nil for BadEvent
	Callback []byte // slot 2 as it came; nil when it is missing, nil or false: no reply is wanted

	scratch []byte // holds what is not in the input as such: an unescaped JSON id
}

// ParseMessage splits the client's message b.
func (f Format) ParseMessage(b []byte, m *Message) error { return ErrUndecodable }

// CheckEvent checks the push boundary.
func (f Format) CheckEvent(value []byte) (id []byte, err error) { return nil, ErrUndecodable }

// CheckValue tells whether value is exactly one readable value.
func (f Format) CheckValue(value []byte) error { return ErrUndecodable }

// Value returns the span of the one readable value in b: without white space, comments
// and discarded forms around it, so that it can be pasted into a message.
func (f Format) Value(b []byte) ([]byte, error) { return nil, ErrUndecodable }

// Options steer Append.
type Options struct {
	Event      bool // the value is an event: JSON's first string becomes the id keyword
	StringKeys bool // JSON object keys become strings, never keywords
}

// Append transcodes one value.
func Append(dst []byte, to Format, src []byte, from Format, o Options) ([]byte, error) {
	return dst, ErrUndecodable
}
