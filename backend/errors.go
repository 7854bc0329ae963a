package backend

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a request that cannot be done, in the API's words.
type Error struct {
	Status  int    `json:"-"` // of an HTTP answer
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line,omitempty"` // of the request's body, from 1; 0 = none
}

// Error gives the message with the package's prefix.
func (e *Error) Error() string { return "backend: " + e.Message }

// bad is the usual error: the request's own fault.
func bad(code, format string, args ...any) *Error {
	return fail(http.StatusBadRequest, code, format, args...)
}

func fail(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// cutFor is why a stream or a line connection is cut: its last line says so, and there is no answer
// that could have a status.
func cutFor(code, format string, args ...any) *Error { return fail(0, code, format, args...) }

// at says on which line of the body the error is. e may be shared: the copy carries the line.
func (e *Error) at(line int) *Error {
	c := *e
	c.Line = line
	return &c
}

// tooLarge answers a request object over the limit.
func tooLarge(max int) *Error {
	return fail(http.StatusRequestEntityTooLarge, "too_large",
		"the request object is longer than %d bytes (--api-max-line)", max)
}

// unavailable answers what cannot be done now.
func unavailable(err error) *Error {
	code := "busy"
	if errors.Is(err, ErrDraining) {
		code = "draining"
	}
	return fail(http.StatusServiceUnavailable, code, "%s", peopleText(err))
}

// engineError puts an engine's refusal into the API's words; nil stays nil.
func engineError(err error) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnknownReply):
		return bad("unknown_reply", "%s", peopleText(err))
	case errors.Is(err, ErrTooManyTopics):
		return bad("too_many_topics", "%s", peopleText(err))
	case errors.Is(err, ErrBusy), errors.Is(err, ErrDraining):
		return unavailable(err)
	}
	return bad("refused", "%s", peopleText(err))
}
