package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	writeBytes = 64 << 10        // of requests, written at once
	helloWait  = 5 * time.Second // for a daemon's first answer
	lastWait   = 5 * time.Second // for what is still to be read when nothing can be written
)

// link is one connection for requests.
type link struct {
	c     *Client
	conn  net.Conn
	lines *lineReader
	list  []found // the answers of one read
	said  error   // why the daemon ends the connection
}

// connect dials, and makes sure that it is chskd that answers, and that it lets us in.
func (c *Client) connect(ctx context.Context) (*link, error) {
	conn, err := c.dialSocket(ctx)
	if err != nil {
		return nil, err
	}
	l := &link{c: c, conn: conn, lines: newLineReader(conn)}
	if err := l.greet(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return l, nil
}

func (l *link) greet(ctx context.Context) error {
	if err := l.conn.SetDeadline(time.Now().Add(helloWait)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() {
		_ = l.conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed conn
	})()
	line, err := []byte(nil), error(nil)
	// A daemon that lets nobody in writes why and closes, perhaps before this is written.
	_, sent := io.WriteString(l.conn, `{"ref":"hello","op":"ping"}`+"\n")
	if line, err = l.lines.next(); err != nil {
		return fmt.Errorf("client: %s: no answer of a daemon: %w", l.c.path,
			errors.Join(err, sent, ctx.Err()))
	}
	if bytes.HasPrefix(line, []byte(`{"type":"result","ref":"hello"`)) {
		return l.conn.SetDeadline(time.Time{})
	}
	var failure failureLine
	if err := json.Unmarshal(line, &failure); err != nil || failure.Type != "error" {
		return fmt.Errorf("client: %s: not a daemon's answer: %.80q", l.c.path, line)
	}
	return failure.error()
}

// failureLine is a line that says what is wrong.
type failureLine struct {
	Type    string          `json:"type"`
	Ref     json.RawMessage `json:"ref"`
	Code    string          `json:"code"`
	Message string          `json:"message"`
}

func (f *failureLine) error() *Error { return &Error{Code: f.Code, Message: f.Message} }

// serve writes requests and reads answers until the connection is over. It says how many answers
// came, and why it is over.
func (l *link) serve() (answers int, why error) {
	defer context.AfterFunc(l.c.ctx, func() {
		_ = l.conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed conn
	})()
	stop, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		l.write(stop)
	}()
	answers, err := l.read()
	close(stop)
	// Here, after the last answer was read. Its error would say nothing new.
	_ = l.conn.Close()
	<-written
	if l.said != nil {
		return answers, l.said
	}
	return answers, err
}

// write writes requests as they are made.
func (l *link) write(stop <-chan struct{}) {
	var out []byte
	for {
		out = l.c.q.write(out[:0], writeBytes)
		if len(out) == 0 {
			select {
			case <-l.c.q.wake:
				continue
			case <-stop:
				return
			}
		}
		if _, err := l.conn.Write(out); err != nil {
			// The daemon is gone, or goes: what it has answered is still there to be read.
			_ = l.conn.SetReadDeadline(time.Now().Add(lastWait)) // fails only on a closed conn
			return
		}
		if cap(out) > 4*writeBytes {
			out = nil // one large event
		}
	}
}

// read reads answers, and tells them, all those of one read together.
func (l *link) read() (answers int, err error) {
	for {
		l.list = l.list[:0]
		for line := l.lines.ready(); line != nil; line = l.lines.ready() {
			l.line(line)
		}
		if len(l.list) > 0 {
			answers += len(l.list)
			l.tell()
		}
		if err := l.lines.fill(); err != nil {
			return answers, err
		}
	}
}

// tell hands the answers to those that wait for them.
func (l *link) tell() {
	l.c.q.find(l.list)
	for i := range l.list {
		f := &l.list[i]
		switch {
		case f.request == nil:
			l.c.o.Log.Warn("chskd: an answer to nothing", "ref", f.ref)
		case f.done != nil:
			f.done(f.answer)
		}
	}
	l.c.q.finish(l.list)
	clear(l.list)
}

var resultHead = []byte(`{"type":"result","ref":`)

// line reads one line of the daemon.
func (l *link) line(line []byte) {
	if rest, ok := bytes.CutPrefix(line, resultHead); ok {
		if ref, rest, ok := leadingInt(rest); ok {
			l.list = append(l.list, found{ref: ref, answer: answer{rest: rest}})
			return
		}
	}
	var f failureLine
	if err := json.Unmarshal(line, &f); err != nil || f.Type != "error" {
		l.c.o.Log.Warn("chskd: a line that is not known", "line", string(line[:min(len(line), 200)]))
		return
	}
	ref, rest, ok := leadingInt(f.Ref)
	switch {
	case !ok || len(rest) > 0:
		l.said = f.error() // about the connection, whose end follows
	case f.Code == "draining":
		// Not done, and its daemon goes: the request stays open, for the next one.
	default:
		l.list = append(l.list, found{ref: ref, answer: answer{err: f.error()}})
	}
}

// leadingInt reads the digits that b begins with; ok is false when there are none.
func leadingInt(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < 10 && b[i] >= '0' && b[i] <= '9'; i++ {
		n = 10*n + int(b[i]-'0')
	}
	return n, b[i:], i > 0
}
