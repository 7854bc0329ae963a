package client

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Kind says what an [Event] tells.
type Kind uint8

// The kinds. A backend that is not interested in one leaves it out of its switch.
const (
	// Message: a client sent an event. All of its fields are set.
	Message Kind = iota + 1
	// BadMessage: a client sent something that is no event. Raw, or EDN, Transit or Data, has it.
	BadMessage
	// Open and Close: a user came online, with its first session, or left with the last one. Between
	// Hello and Live they tell who is online; from then on who comes and goes.
	Open
	Close
	// Live: the snapshot of who is online is complete.
	Live
	// Resync: a new snapshot begins. Who is not in it is not online any more (or, with
	// [PresenceOwn], is told to another consumer from now on).
	Resync
	// Gap: Missed events were dropped here, because a bound was reached.
	Gap
	// Hello: the stream begins, or begins anew after the connection was lost. Restarted says that it
	// is another life of the daemon, which knows nothing of the last one's sessions and topics.
	Hello
)

var kindNames = [...]string{
	"none", "message", "bad message", "open", "close", "live", "resync", "gap", "hello",
}

// String names the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", k)
}

// Event is one item of a stream. It shares no memory with others.
type Event struct {
	Kind Kind
	Seq  uint64 // grows within the stream; 0 = none

	// Who: of a Message, BadMessage, Open and Close.
	Tenant string
	UID    string
	NilUID bool // a user without uid
	Client string
	Ajax   bool // not a WebSocket

	// What: one of Data, EDN and Transit, as the subscription's format is.
	ID      string          // the event's id without colon, as "chat/send"; "" in a BadMessage
	Data    json.RawMessage // what is behind the id; nil = nothing
	EDN     EDN             // the whole event
	Transit Transit         // the whole event

	// Raw is what a client sent that cannot be said in the stream's format, as it came, with the
	// name of its format and the reason. nil = there is no such.
	Raw       []byte
	RawFormat string
	Reason    string

	ReplyTo     string    // for [Client.Reply]; "" = the client waits for no reply
	Redelivered bool      // another consumer, or this one before, was given it, and did not ack it
	At          time.Time // when it came in

	Missed    uint64 // of a Gap
	Epoch     string // of a Hello: the daemon's life
	Consumer  string // of a Hello
	Restarted bool   // of a Hello: Epoch is another one than before
	Lost      error  // of a Hello: why the stream before was over; nil = this is the first

	stream *stream
}

// Who gives the user of the event, with its client when there is one: for [Client.Join] and others.
func (e Event) Who() Who {
	return Who{Tenant: e.Tenant, UID: e.UID, NilUID: e.NilUID, Client: e.Client}
}

// Decode reads Data into v, as encoding/json does. An event without data leaves v as it is.
func (e Event) Decode(v any) error {
	if e.Data == nil {
		if e.EDN != "" || e.Transit != nil || e.Raw != nil {
			return fmt.Errorf("%w: this event is not JSON", ErrInvalid)
		}
		return nil
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		return fmt.Errorf("client: data of %s: %w", e.ID, err)
	}
	return nil
}

// Ack says, with [AckByHand], that the work of this event and of all before it in its stream is
// done: they are not given again. Any goroutine, also after the loop has gone on. Error:
// [ErrStaleAck].
func (e Event) Ack() error {
	if e.stream == nil {
		return fmt.Errorf("%w: only events of a stream with AckByHand are acked", ErrInvalid)
	}
	return e.stream.ack(e.Seq)
}

// streamLine is one line of a stream.
type streamLine struct {
	Type        string
	Seq         uint64
	Tenant      string
	UID         *string
	Client      string
	Transport   string
	Event       json.RawMessage
	EDN         EDN
	Transit     json.RawMessage
	Raw         *string
	RawBase64   []byte `json:"raw_base64"`
	RawFormat   string `json:"raw_format"`
	Error       string
	ReplyTo     string `json:"reply_to"`
	Redelivered bool
	At          time.Time
	Missed      uint64
	Epoch       string
	Consumer    string

	Ref     json.RawMessage
	Code    string
	Message string
}

var kinds = map[string]Kind{
	"event": Message, "bad-event": BadMessage, "open": Open, "close": Close, "live": Live,
	"resync": Resync, "gap": Gap, "hello": Hello,
}

// event makes an item of a line; Kind 0 = it is none.
func (l *streamLine) event() Event {
	e := Event{
		Kind: kinds[l.Type], Seq: l.Seq, Tenant: l.Tenant, Client: l.Client,
		Ajax: l.Transport == "ajax", EDN: l.EDN, Transit: Transit(l.Transit), Raw: l.RawBase64,
		RawFormat: l.RawFormat, Reason: l.Error, ReplyTo: l.ReplyTo, Redelivered: l.Redelivered,
		At: l.At, Missed: l.Missed, Epoch: l.Epoch, Consumer: l.Consumer,
	}
	switch e.Kind {
	case Message, BadMessage, Open, Close:
		if e.NilUID = l.UID == nil; !e.NilUID {
			e.UID = *l.UID
		}
	}
	if l.Raw != nil {
		e.Raw = []byte(*l.Raw)
	}
	switch {
	case e.Kind == BadMessage:
		e.Data = l.Event
	case e.Kind != Message:
	case l.Event != nil:
		e.ID, e.Data = splitEvent(l.Event)
	case e.EDN != "":
		e.ID = idEDN(string(e.EDN))
	case e.Transit != nil:
		e.ID, _ = splitEvent(l.Transit)
		e.ID = strings.TrimPrefix(e.ID, "~:")
	}
	return e
}

// splitEvent takes `["id", data]` apart. What is not one gives nothing.
func splitEvent(event json.RawMessage) (id string, data json.RawMessage) {
	var pair []json.RawMessage
	if json.Unmarshal(event, &pair) != nil || len(pair) == 0 || json.Unmarshal(pair[0], &id) != nil {
		return "", event
	}
	if len(pair) > 1 {
		data = pair[1]
	}
	return id, data
}

// idEDN finds the id in `[:chat/send {...}]`.
func idEDN(event string) string {
	id, ok := strings.CutPrefix(event, "[:")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(id, " ,\t\r\n[](){}\"\\;^@"); i >= 0 {
		id = id[:i]
	}
	return id
}
