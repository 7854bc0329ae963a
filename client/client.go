package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// What [Options] are when nothing is said.
const (
	// PendingDefault is how many requests may be unanswered: some 30 ms of a busy daemon.
	PendingDefault = 8192
	// PendingBytesDefault is how many bytes these may have: what is kept while the daemon restarts.
	PendingBytesDefault = 16 << 20
	// RetryMinDefault and RetryMaxDefault bound the pause before the next attempt to connect.
	RetryMinDefault = 20 * time.Millisecond
	RetryMaxDefault = 2 * time.Second
)

// Options are how a client behaves. The zero value is good.
type Options struct {
	// Pending and PendingBytes bound the requests that are not answered yet, which are kept in
	// memory while there is no daemon; over it calls wait. 0 = [PendingDefault] and
	// [PendingBytesDefault].
	Pending      int
	PendingBytes int

	// RetryMin and RetryMax bound the pause before a connection is tried again, which doubles from
	// the one to the other, and varies at random. 0 = [RetryMinDefault] and [RetryMaxDefault].
	RetryMin, RetryMax time.Duration

	// Wait lets [Dial] wait for a daemon that is not there yet, until its ctx ends.
	Wait bool

	// AllowUIDs are users, besides root and the own one, whose daemon is trusted.
	AllowUIDs []uint32

	// Notify is told when the connection for requests is there, and when it is lost and why. It is
	// called from the client's goroutine, and must not wait for the client.
	Notify func(connected bool, why error)

	// Log gets what a person who looks for a fault wants to know. nil = nothing is logged.
	Log *slog.Logger
}

// Client is a connection to chskd that is made again whenever it is lost. Any goroutine.
type Client struct {
	path string
	o    Options
	q    *queue

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	over   chan struct{} // closed when the client's goroutine has ended
}

// Dial connects to the daemon's socket; "" is [DefaultPath]. ctx bounds only the dialing. When no
// daemon is there it fails at once, unless Options.Wait. The client must be closed.
//
// Errors: [ErrUntrusted]; an [*Error] of a daemon that lets this user not in, or has too many
// connections; ctx's; else what the system says.
func Dial(ctx context.Context, path string, o Options) (*Client, error) {
	o.Pending = cmp.Or(o.Pending, PendingDefault)
	o.PendingBytes = cmp.Or(o.PendingBytes, PendingBytesDefault)
	o.RetryMin = cmp.Or(o.RetryMin, RetryMinDefault)
	o.RetryMax = max(cmp.Or(o.RetryMax, RetryMaxDefault), o.RetryMin)
	if o.Pending < 0 || o.PendingBytes < 0 || o.RetryMin < 0 {
		return nil, fmt.Errorf("%w: a negative option", ErrInvalid)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		path: cmp.Or(path, DefaultPath()), o: o, q: newQueue(rand.Text(), o.Pending, o.PendingBytes),
		over: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	l, err := c.dialFirst(ctx)
	if err != nil {
		c.cancel()
		return nil, err
	}
	go c.run(l)
	return c, nil
}

// dialFirst makes the first connection.
func (c *Client) dialFirst(ctx context.Context) (*link, error) {
	pause := backoff{least: c.o.RetryMin, most: c.o.RetryMax}
	var why error
	for {
		l, err := c.connect(ctx)
		if err == nil || !c.o.Wait || errors.Is(err, ErrUntrusted) {
			return l, err
		}
		if why == nil || ctx.Err() == nil { // else it may say no more than that ctx ended
			why = err
		}
		c.o.Log.Debug("chskd: not there yet", "why", err)
		if !pause.wait(ctx) {
			return nil, fmt.Errorf("%w, and then: %w", why, ctx.Err())
		}
	}
}

// run keeps a connection for requests until the client is closed.
func (c *Client) run(l *link) {
	defer close(c.over)
	defer c.q.close()
	pause := backoff{least: c.o.RetryMin, most: c.o.RetryMax}
	for l != nil {
		c.notify(true, nil)
		since := time.Now()
		answers, err := l.serve()
		if c.ctx.Err() != nil {
			return
		}
		c.notify(false, err)
		c.o.Log.Info("chskd: the connection is lost", "why", err, "unanswered", c.q.pending())
		if answers > 0 || time.Since(since) > c.o.RetryMax {
			pause.reset()
		}
		c.q.rewind()
		l = c.redial(&pause)
	}
}

// redial tries until there is a connection; nil = the client is closed.
func (c *Client) redial(pause *backoff) *link {
	for pause.wait(c.ctx) {
		l, err := c.connect(c.ctx)
		if err == nil {
			return l
		}
		c.o.Log.Debug("chskd: connecting", "why", err)
	}
	return nil
}

func (c *Client) notify(connected bool, why error) {
	if c.o.Notify != nil {
		c.o.Notify(connected, why)
	}
}

// Flush waits until all requests that were made before it are answered, and gives the first failure
// of those that nobody waited for (an [Client.PushAsync] without done), since the last Flush. When
// ctx ends before, the requests stay.
func (c *Client) Flush(ctx context.Context) error {
	select {
	case <-c.q.flushed():
	case <-ctx.Done():
		return fmt.Errorf("client: %d requests are not answered: %w", c.q.pending(), ctx.Err())
	}
	count, first := c.q.failures()
	if count > 1 {
		return fmt.Errorf("%w (and %d more failed)", first, count-1)
	}
	return first
}

// Pending is how many requests are not answered yet.
func (c *Client) Pending() int { return c.q.pending() }

// Close ends the client. What is not answered fails with [ErrClosed], and with [ErrUnanswered] as
// well when it had been sent: call [Client.Flush] before. Loops over [Client.Events] end. It must
// not be called from a done or Notify.
func (c *Client) Close() error {
	c.cancel()
	<-c.over
	return nil
}
