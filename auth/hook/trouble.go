package hook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/chskd/chskd/auth"
)

// notKnown is what a client is told when its identity could not be found out.
var notKnown = &auth.Refusal{Status: http.StatusServiceUnavailable,
	Body: "identity is not known now", RetryAfter: 1}

// What Ask returns when it knows nothing: by identity, so that its caller can tell them apart. To
// clients they are all the same.
var (
	// Unknown: the application answered, but with nothing that is understood.
	Unknown = &auth.Grant{Refusal: notKnown}
	// Unreachable: there is no connection, it ended early, or a gateway said 502, 503 or 504.
	Unreachable = &auth.Grant{Refusal: notKnown}
	// TimedOut: there was no whole answer in time.
	TimedOut = &auth.Grant{Refusal: notKnown}
)

// badFields refuses a request that could not be passed on.
var badFields = &auth.Grant{Refusal: &auth.Refusal{Status: http.StatusBadRequest,
	Body: "Cookie, Authorization or Origin has control characters"}}

// reason is why an answer is none. Its text goes to the log, so it has no values of an answer.
type reason string

// Error gives the reason.
func (r reason) Error() string { return string(r) }

func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

func tooLong(limit int64) error { return reasonf("the answer is longer than %d bytes", limit) }

// statusError is a status that says nothing about the client.
type statusError int

// Error tells the status, and what is likely meant by it.
func (e statusError) Error() string {
	switch {
	case e >= 300 && e < 400:
		return fmt.Sprintf("status %d: redirects are not followed", int(e))
	case e > 200 && e < 300:
		return fmt.Sprintf("status %d: an identity has status 200", int(e))
	}
	return fmt.Sprintf("status %d", int(e))
}

// trouble logs why nothing is known, and says which kind of not knowing it is.
func (c *Client) trouble(ctx context.Context, err error) *auth.Grant {
	kind, why := c.classify(ctx, err)
	if !errors.Is(ctx.Err(), context.Canceled) { // the daemon goes down
		c.log.say("the hook gave no identity", why)
	}
	return kind
}

// classify gives the kind, and a text that is fit for a log: errors of net/http may quote what
// the application wrote, so only those of known kinds are told in their own words.
func (c *Client) classify(ctx context.Context, err error) (*auth.Grant, string) {
	var why reason
	var status statusError
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &why):
		return Unknown, string(why)
	case errors.As(err, &status):
		switch int(status) {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return Unreachable, status.Error()
		}
		return Unknown, status.Error()
	case errors.Is(ctx.Err(), context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return TimedOut, fmt.Sprintf("no whole answer within %v", c.config.Timeout)
	case errors.As(err, &op):
		return Unreachable, op.Error()
	case isTLS(err):
		return Unreachable, err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Unreachable, "the connection ended before the answer was whole"
	}
	return Unknown, "the answer is not readable as HTTP"
}

func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var host x509.HostnameError
	var alert tls.AlertError
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &host) ||
		errors.As(err, &alert)
}

// logEvery is how often trouble is logged at most.
const logEvery = time.Second

// limited is a log of at most one line in logEvery.
type limited struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	last   time.Time
	silent uint64 // lines not logged since
}

// say logs what happened and why, or counts it.
func (l *limited) say(what, why string) {
	l.mu.Lock()
	now, silent := l.now(), l.silent
	due := l.last.IsZero() || now.Sub(l.last) >= logEvery || now.Before(l.last)
	if due {
		l.last, l.silent = now, 0
	} else {
		l.silent++
	}
	l.mu.Unlock()
	if due {
		l.log.Warn(what, "reason", why, "not_logged", silent)
	}
}
