package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"sync"
	"time"
)

// Format is how the events of a stream are written.
type Format string

// The formats. JSON is the convenient one and loses what it has no words for (docs/values.md); the
// other two carry every value that a Sente client can.
const (
	FormatJSON    Format = "json" // the default
	FormatEDN     Format = "edn"
	FormatTransit Format = "transit"
)

// Presence says of whom a stream tells that they come and go.
type Presence uint8

// The choices. With PresenceOwn the consumers of a group share the users, each hears of those whose
// events it gets; with PresenceAll each hears of all.
const (
	PresenceNone Presence = iota
	PresenceOwn
	PresenceAll
)

// AckMode says when an event is done, so that it is not given again.
type AckMode uint8

// The choices.
const (
	// AckNone: when it is written to the socket. At most once: a backend that dies loses what it
	// has not done.
	AckNone AckMode = iota
	// AckAuto: when the loop goes on behind it. At least once: what a backend that died, or left its
	// loop, was at is given again, to it or to another of the group, with Redelivered. Leaving the
	// loop by break, return or panic does not ack the event at which that was done.
	AckAuto
	// AckByHand: when [Event.Ack] says so.
	AckByHand
)

// Subscription says what a stream is to give. The zero value is all events of clients, as JSON, at
// most once.
type Subscription struct {
	// Group: each event goes to one consumer of each group, all events of a user to the same one. ""
	// = "default". Consumers of one group must have the same IDs, and all or none acks.
	Group    string
	Format   Format
	IDs      []string // only events with these ids, as "chat/*"; nil = all
	Presence Presence
	Ack      AckMode
}

// Events gives what clients send, and, if asked for, who comes and goes. The loop body is the
// backend: while it works nothing more is taken, chskd keeps what comes meanwhile, up to its bounds
// (then it is dropped and told as a [Gap], or the stream is cut and begins anew).
//
// It has a connection of its own, which lasts as long as the loop, and is made again when it is
// lost: the stream goes on with a [Hello]. The loop ends by itself only with an error, its last item:
// ctx's, [ErrClosed], or an [*Error] of the daemon that says what is wrong with the subscription.
//
// With acks a body should need less than the daemon's ack timeout (60 s) for an event.
func (c *Client) Events(ctx context.Context, s Subscription) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		l := listener{c: c, sub: s, yield: yield}
		var end context.CancelCauseFunc
		l.ctx, end = context.WithCancelCause(ctx)
		defer end(nil)
		defer context.AfterFunc(c.ctx, func() { end(ErrClosed) })()
		if err := l.run(); err != nil {
			yield(Event{}, err)
		}
	}
}

// listener is one loop over events. Owner: the loop's goroutine.
type listener struct {
	c     *Client
	ctx   context.Context
	sub   Subscription
	yield func(Event, error) bool

	epoch string
	lost  error // why the last stream was over
	left  bool  // the loop was left
}

// stream is one connection with a consumer.
type stream struct {
	l               *listener
	conn            net.Conn
	lines           *lineReader
	epoch, consumer string
	heard           int         // lines
	release         func() bool // lets go of the listener's ctx

	// With AckAuto, the loop's.
	done, acked uint64 // seq of the last event that was done, and that the daemon was told
	ackedAt     time.Time

	mu    sync.Mutex // of writing
	stale bool       // nothing is written any more
}

const (
	ackEvery = 100 * time.Millisecond // AckAuto tells at least so often, if the body lets it
	ackWait  = 5 * time.Second        // for room to write an ack
	byeWait  = time.Second            // for the daemon to have read the last acks
)

// run gives events until the loop is left (nil) or nothing can come any more.
func (l *listener) run() error {
	pause := backoff{least: l.c.o.RetryMin, most: l.c.o.RetryMax}
	for {
		s, err := l.subscribe()
		if err == nil {
			err = s.serve()
			if s.heard > 1 {
				pause.reset()
			}
		}
		if l.left {
			return nil
		}
		if l.ctx.Err() != nil {
			return context.Cause(l.ctx)
		}
		var refused *Error
		if errors.As(err, &refused) && s == nil && !passing[refused.Code] {
			return err
		}
		l.lost = err
		l.c.o.Log.Info("chskd: the stream of events is over", "why", err)
		if !pause.wait(l.ctx) {
			return context.Cause(l.ctx)
		}
	}
}

// passing are refusals of a subscription that may pass by waiting.
var passing = map[string]bool{"busy": true, "draining": true, "timeout": true}

// subscribe makes a connection a consumer's. s is nil with an error.
func (l *listener) subscribe() (s *stream, err error) {
	request, err := l.request()
	if err != nil {
		return nil, &Error{Code: "bad_field", Message: err.Error()}
	}
	conn, err := l.c.dialSocket(l.ctx)
	if err != nil {
		return nil, err
	}
	s = &stream{l: l, conn: conn, lines: newLineReader(conn), ackedAt: time.Now()}
	s.release = context.AfterFunc(l.ctx, s.interrupt)
	if err := s.greet(request); err != nil {
		s.release()
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

func (l *listener) request() ([]byte, error) {
	e := encoder{b: []byte(`{"ref":"sub",`)}
	e.op("subscribe")
	e.text("group", l.sub.Group)
	e.text("format", string(l.sub.Format))
	e.texts("ids", l.sub.IDs)
	switch l.sub.Presence {
	case PresenceOwn:
		e.flag("presence", true)
	case PresenceAll:
		e.text("presence", "all")
	}
	e.flag("ack", l.sub.Ack != AckNone)
	return append(e.b, "}\n"...), e.err
}

// greet asks for the stream, and waits for the answer, which comes before all else.
func (s *stream) greet(request []byte) error {
	timer := time.AfterFunc(helloWait, func() {
		_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed conn
	})
	defer timer.Stop()
	// A daemon that lets nobody in writes why and closes, perhaps before this is written.
	_, sent := s.conn.Write(request)
	line, err := s.lines.next()
	if err != nil {
		return errors.Join(err, sent)
	}
	var a streamLine
	switch err := json.Unmarshal(line, &a); {
	case err != nil:
		return fmt.Errorf("client: not a daemon's answer: %.80q", line)
	case a.Type == "error":
		return &Error{Code: a.Code, Message: a.Message}
	case a.Type != "result":
		return fmt.Errorf("client: not an answer to subscribe: %.80q", line)
	}
	if !timer.Stop() {
		return fmt.Errorf("client: the daemon took longer than %s", helloWait)
	}
	return nil
}

// interrupt ends reading, as the ctx is over.
func (s *stream) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stale { // else what is read is the daemon's last word
		_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed conn
	}
}

// serve gives events to the loop, and ends the stream, also when the loop's body panics.
func (s *stream) serve() error {
	defer s.end()
	return s.run()
}

// run gives the stream's events to the loop until one of the two is over.
func (s *stream) run() error {
	for {
		line := s.lines.ready()
		if err := s.ackDone(line == nil); err != nil {
			return s.lastWords(err)
		}
		if line == nil {
			if err := s.lines.fill(); err != nil {
				return err
			}
			continue
		}
		if over, err := s.give(line); over || err != nil {
			return err
		}
	}
}

// give gives one line to the loop.
func (s *stream) give(line []byte) (over bool, err error) {
	var a streamLine
	if err := json.Unmarshal(line, &a); err != nil {
		return false, fmt.Errorf("client: not a line of a stream: %.80q: %w", line, err)
	}
	e := a.event()
	switch {
	case a.Type == "error":
		return false, &Error{Code: a.Code, Message: a.Message} // the connection's end follows
	case e.Kind == 0:
		return false, nil // of a newer daemon, or an answer
	case e.Kind == Hello:
		e.Lost, e.Restarted = s.l.lost, s.l.epoch != "" && s.l.epoch != e.Epoch
		s.epoch, s.consumer, s.l.epoch = e.Epoch, e.Consumer, e.Epoch
	case s.l.sub.Ack == AckByHand && (e.Kind == Message || e.Kind == BadMessage):
		e.stream = s
	}
	s.heard++
	if !s.l.yield(e, nil) {
		s.l.left = true
		return true, nil
	}
	s.done = max(s.done, e.Seq)
	return s.l.ctx.Err() != nil, nil
}

// ackDone tells the daemon what is done: when nothing more is there to be done, and else from time
// to time.
func (s *stream) ackDone(idle bool) error {
	if s.l.sub.Ack != AckAuto || s.done == s.acked || s.consumer == "" {
		return nil
	}
	if now := time.Now(); idle || now.Sub(s.ackedAt) > ackEvery {
		s.ackedAt, s.acked = now, s.done
		return s.ack(s.done)
	}
	return nil
}

// ack says that all up to seq is done. Any goroutine.
func (s *stream) ack(seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale {
		return ErrStaleAck
	}
	e := encoder{b: []byte{'{'}}
	e.op("ack")
	e.text("epoch", s.epoch)
	e.text("consumer", s.consumer)
	e.number("seq", int64(seq))
	return s.write(append(e.b, "}\n"...))
}

// write writes a line. The mutex is held.
func (s *stream) write(line []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(ackWait)); err != nil {
		return errors.Join(ErrStaleAck, err)
	}
	if _, err := s.conn.Write(line); err != nil {
		s.stale = true // perhaps in the middle of a line
		return errors.Join(ErrStaleAck, err)
	}
	return nil
}

// lastWords reads why the daemon ended the connection, which was seen in writing. Events before it
// are not given to the loop: nobody could ack them any more, so they come again.
func (s *stream) lastWords(err error) error {
	if s.conn.SetReadDeadline(time.Now().Add(byeWait)) != nil {
		return err
	}
	for {
		line, e := s.lines.next()
		if e != nil {
			return err
		}
		var f failureLine
		if json.Unmarshal(line, &f) == nil && f.Type == "error" {
			return f.error()
		}
	}
}

// end closes the connection, after the daemon has read all acks: those that it finds no time to
// read before it sees the end would be of no use.
func (s *stream) end() {
	// Errors mean that the connection is over already.
	_ = s.ackDone(true)
	s.mu.Lock()
	bye := s.l.sub.Ack != AckNone && !s.stale &&
		s.write([]byte(`{"op":"ping","ref":"bye"}`+"\n")) == nil
	s.stale = true
	s.mu.Unlock()
	s.release()
	if bye {
		s.awaitBye()
	}
	_ = s.conn.Close()
}

// awaitBye reads until the daemon has read everything. Events that still come are not acked, and so
// not lost.
func (s *stream) awaitBye() {
	if s.conn.SetReadDeadline(time.Now().Add(byeWait)) != nil {
		return
	}
	for {
		line, err := s.lines.next()
		if err != nil {
			return
		}
		var a streamLine
		if json.Unmarshal(line, &a) == nil && string(a.Ref) == `"bye"` {
			return
		}
	}
}
