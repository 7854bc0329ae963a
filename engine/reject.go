package engine

import "github.com/chskd/chskd/packer"

// What clients are told when the server lets them down: no backend takes their events
// (Verdict Reject), or their log has lost what they still needed (Options.OnGap).
//
//	               WebSocket               Ajax
//	event rejected close 1013, at once     200 [:chsk/error nil], also where no reply is wanted
//	gap, notice    [:chskd/gap {..}]       the same, as the answer of the poll
//	gap, close     close 4410, at once     the poll is answered 410
//
// A rejected send is told softly: after an HTTP error a stock client sends nothing more
// until its hanging poll returns, and nudging that is limited to once a second, so that
// one rejected event would silence it for longer than a close does. The error value
// reaches the callback, or, where there is none, a warning in the client's log.
//
// The poll of a gap is not: any body with 200 would be taken for events or a handshake.
// A stock client answers the error by a handshake at once, as after a close.

// Close codes and what goes with them (RFC 6455 §7.4).
const (
	codeTryLater = 1013 // IANA registry
	codeGap      = 4410 // this application's own; the status of a poll is 410
	codeExpired  = 4401 // the same with 401: come back with a newer identity

	reasonTryLater = "no backend takes events now, try again later"
	reasonGap      = "events were missed, begin anew"
	reasonExpired  = "identity expired"
)

// reject closes a WebSocket whose event no backend takes.
func (l *loop) reject(slot uint32, c *conn) {
	l.m.Rejections.Add(1)
	l.dismiss(slot, c, codeTryLater, reasonTryLater)
}

// dismiss closes a WebSocket whose client may still wait for replies, which cannot come
// any more: without a word it would wait for its own timeouts.
func (l *loop) dismiss(slot uint32, c *conn, code uint16, reason string) {
	value := packer.Packer(c.packer).Format().Literal(packer.ErrorValue)
	for c.state == sWS && c.flags&fCloseSent == 0 && c.callbacks != 0 {
		l.replyWS(c, c.callbacks, value)
	}
	if c.state == sWS {
		l.sendClose(slot, c, code, reason)
	}
}
