package client

import "errors"

// Errors of the package. What the daemon refuses is an [*Error].
var (
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("client: closed")

	// ErrUnanswered comes with the reason why an answer was not waited for: the request had been
	// sent, so it may have been done, or may still be. Without it the request was not done.
	ErrUnanswered = errors.New("client: sent, but the answer was not waited for")

	// ErrStaleAck: the stream that gave the event is over. What it had not acked was given, or will
	// be given, to another consumer, or to this one anew.
	ErrStaleAck = errors.New("client: the stream of this event is over")

	// ErrUntrusted: who listens at the socket is neither root, nor the own user, nor in AllowUIDs.
	ErrUntrusted = errors.New("client: the server at the socket is not trusted")

	// ErrInvalid: a request makes no sense on this side already, as text that is no UTF-8.
	ErrInvalid = errors.New("client: invalid request")
)

// Error is a refusal in the daemon's words. The codes are those of docs/backend.md, as "bad_event",
// "unknown_reply", "too_large"; "timeout" means that the daemon's own answer came too late, and
// that the request may have been done.
type Error struct {
	Code    string // stable, for programs
	Message string // for people

	// Resent says that the request had been sent more than once, because a connection broke before
	// it was answered: the first one may have been done. So an answer to an event that is refused as
	// "unknown_reply" may be one that was given already.
	Resent bool
}

// Error gives the message and the code.
func (e *Error) Error() string { return "chskd: " + e.Message + " (" + e.Code + ")" }
