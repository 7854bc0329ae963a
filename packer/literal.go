package packer

// Literal names a message, event or value that never varies, so that its bytes exist once.
type Literal uint8

// The literals, written as edn.
const (
	ServerPing   Literal = iota // [:chsk/ws-ping nil], the server's keep-alive
	Timeout                     // [:chsk/timeout nil], a poll or an Ajax reply that waited in vain
	Dummy                       // [:chsk/dummy-cb-200 nil], answers an Ajax send without callback
	Error                       // [:chsk/error nil], answers an Ajax send that nobody will answer
	Nudge                       // [[] nil], an empty batch: makes a client poll again
	ErrorValue                  // :chsk/error, as the value of a reply
	TimeoutValue                // :chsk/timeout, as the value of a reply
	literalCount
)

var literals = [Count][literalCount][]byte{
	EDN: {
		ServerPing:   []byte(`[:chsk/ws-ping nil]`),
		Timeout:      []byte(`[:chsk/timeout nil]`),
		Dummy:        []byte(`[:chsk/dummy-cb-200 nil]`),
		Error:        []byte(`[:chsk/error nil]`),
		Nudge:        []byte(`[[] nil]`),
		ErrorValue:   []byte(`:chsk/error`),
		TimeoutValue: []byte(`:chsk/timeout`),
	},
	JSON: {
		ServerPing:   []byte(`["chsk/ws-ping",null]`),
		Timeout:      []byte(`["chsk/timeout",null]`),
		Dummy:        []byte(`["chsk/dummy-cb-200",null]`),
		Error:        []byte(`["chsk/error",null]`),
		Nudge:        []byte(`[[],null]`),
		ErrorValue:   []byte(`"chsk/error"`),
		TimeoutValue: []byte(`"chsk/timeout"`),
	},
	Transit: {
		ServerPing:   []byte(`["~:chsk/ws-ping",null]`),
		Timeout:      []byte(`["~:chsk/timeout",null]`),
		Dummy:        []byte(`["~:chsk/dummy-cb-200",null]`),
		Error:        []byte(`["~:chsk/error",null]`),
		Nudge:        []byte(`[[],null]`),
		ErrorValue:   []byte(`"~:chsk/error"`),
		TimeoutValue: []byte(`"~:chsk/timeout"`),
	},
	Msgpack: {
		ServerPing:   []byte("\x92\xc7\x0c\x00chsk/ws-ping\xc0"),
		Timeout:      []byte("\x92\xc7\x0c\x00chsk/timeout\xc0"),
		Dummy:        []byte("\x92\xc7\x11\x00chsk/dummy-cb-200\xc0"),
		Error:        []byte("\x92\xc7\x0a\x00chsk/error\xc0"),
		Nudge:        []byte("\x92\x90\xc0"),
		ErrorValue:   []byte("\xc7\x0a\x00chsk/error"),
		TimeoutValue: []byte("\xc7\x0c\x00chsk/timeout"),
	},
}

// Literal returns the bytes of l in format f. They are shared: never write to them.
func (f Format) Literal(l Literal) []byte { return literals[f][l] }
