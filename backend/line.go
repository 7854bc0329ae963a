package backend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// The line dialect: one JSON object a line, both ways, on one long connection.
//
//	line.go         the connection, and its reader: lines -> requests
//	line_verbs.go   what each verb does
//	line_open.go    requests that the engine has not answered yet
//	line_writer.go  its writer: results, errors, and the stream of its consumer
//
// Two goroutines a connection. The reader never writes and the writer never reads, so a peer that
// sends without reading fills the results' queue, then stops its reader, then is cut. What the
// engine answers comes on any goroutine and is appended to the results.

// lineConn is one connection that speaks lines.
type lineConn struct {
	s   *Server
	c   *conn
	ctx context.Context // ends with the connection

	// The reader's.
	lines  *Lines
	parser parser
	done   func(sessions int, err error) // pushed, made once
	unsent int                           // pushes and replies that the engine was told not to wake for

	subscribed bool

	// Any goroutine's.
	open atomic.Int64  // requests that the engine has not answered
	size atomic.Int64  // bytes of out
	last atomic.Bool   // nothing more is read: whoever answers the last request wakes the writer
	room chan struct{} // one token = the reader may look again whether it may go on
	wake chan struct{} // one token = the writer may have something to do

	mu       sync.Mutex
	out      []byte    // lines that wait to be written
	waits    openList  // open requests that are to be answered, the oldest first
	free     *openReq  // for reuse
	consumer *consumer // that the peer subscribed to; the writer's from then on
	ended    bool      // nothing more is read
	why      *Error    // said to the peer at the end; nil = it knows
}

// serveLines serves a connection whose first byte is a brace, until its end.
func (s *Server) serveLines(c *conn) {
	if !s.enterLines(c) {
		c.refuse("draining", "the daemon is shutting down")
		return
	}
	defer s.streams.Done()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel.Store(&cancel)
	l := &lineConn{
		s: s, c: c, ctx: ctx, lines: NewLines(c, s.o.MaxLine),
		room: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
	l.done = l.pushed
	l.lines.idle = l.flush
	read := make(chan struct{})
	go func() {
		defer close(read)
		l.read()
	}()
	l.write()
	cancel()
	c.drop()
	<-read
	if l.consumer != nil { // the writer ended before it knew
		s.hub.leave(l.consumer, nil, false)
	}
}

// enterLines counts the connection among the streams that a shutdown waits for.
func (s *Server) enterLines(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	c.lines = true
	s.streams.Add(1)
	return true
}

// read takes requests until the peer ends its side, the connection breaks, or the server drains.
func (l *lineConn) read() {
	var why *Error
	for {
		line, number, err := l.lines.Next()
		if err != nil && err != ErrLineTooLong {
			why = l.whyEnded(err)
			break
		}
		if !l.mayGoOn() {
			break
		}
		if err != nil {
			l.fail(findRef(line), number, tooLarge(l.s.o.MaxLine))
			continue
		}
		l.request(line, number)
	}
	l.flush()
	l.mu.Lock()
	l.ended, l.why = true, why
	l.mu.Unlock()
	l.last.Store(true)
	l.wakeWriter()
}

// whyEnded tells the peer why nothing more is read, if that is news to it.
func (l *lineConn) whyEnded(err error) *Error {
	if l.s.draining.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return unavailable(ErrDraining)
	}
	if err != io.EOF {
		l.s.o.Log.Debug("api socket: reading lines", "error", err)
	}
	return nil
}

// mayGoOn waits until there is room for another request and its answer: a full chskd stops
// reading. false = the connection is over.
func (l *lineConn) mayGoOn() bool {
	for l.open.Load() >= lineWindow || l.size.Load() >= lineResults {
		l.flush()
		select {
		case <-l.room:
		case <-l.ctx.Done():
			return false
		}
	}
	return true
}

// handed counts a push or reply for which the engine was told not to wake a loop, as others may
// follow in what was read at once. A loop that is woken for the first of a hundred lines takes
// that one alone: on one core its reader comes to the second only afterwards.
func (l *lineConn) handed() {
	if l.unsent++; l.unsent >= lineFlush {
		l.flush()
	}
}

// flush has the engine take up what it was not woken for: before anything that may wait.
func (l *lineConn) flush() {
	if l.unsent > 0 {
		l.unsent = 0
		l.s.engine.Flush()
	}
}

// request does what a line asks for, or says why not.
func (l *lineConn) request(line []byte, number int) {
	p := &l.parser
	if err := p.read(line); err != nil {
		l.fail(findRef(line), number, err)
		return
	}
	ref := p.raw[fRef]
	if ref != nil {
		if err := checkRef(ref); err != nil {
			l.fail(nil, number, err)
			return
		}
	}
	if err := l.do(number); err != nil {
		l.fail(ref, number, err)
	}
}

// do finds the verb and does it.
func (l *lineConn) do(number int) *Error {
	p := &l.parser
	raw := p.raw[fOp]
	if string(raw) == `"push"` { // before all others, and without a look at them
		return l.push(number)
	}
	if string(raw) != `"reply"` { // it may wait
		l.flush()
	}
	if raw == nil {
		return bad("missing_field", `what to do? "op" must be given, one of: %s`, lineOps)
	}
	op, err := p.str(fOp, maxOnceName)
	if err != nil {
		return err
	}
	v, known := lineVerbs[op]
	if !known {
		return bad("unknown_op", `there is no op %q; there are: %s`, clip(op), lineOps)
	}
	if err := p.only(op, v.takes|1<<fOp|1<<fRef); err != nil {
		return err
	}
	if v.asks && p.raw[fRef] == nil {
		return bad("missing_field", `"ref" must be given: the answer to %q carries it`, op)
	}
	return v.do(l, number)
}

// lineVerb is one op: the fields that it takes besides op and ref, and whether it asks, so that
// without ref nobody would hear the answer.
type lineVerb struct {
	takes fieldSet
	asks  bool
	do    func(l *lineConn, number int) *Error
}

var lineVerbs map[string]lineVerb

// lineOps lists the ops, for messages.
const lineOps = "push reply close join leave connected subscribe ack stats ping"

func init() { // here, as the verbs' functions lead back to the table
	lineVerbs = map[string]lineVerb{
		"push":      {pushFields | 1<<fCount, false, (*lineConn).push},
		"reply":     {replyFields, false, (*lineConn).reply},
		"close":     {closeFields, false, (*lineConn).close},
		"join":      {memberFields, false, (*lineConn).join},
		"leave":     {memberFields, false, (*lineConn).leave},
		"connected": {connectedFields, true, (*lineConn).connected},
		"subscribe": {subscribeFields, false, (*lineConn).subscribe},
		"ack":       {ackFields, false, (*lineConn).ack},
		"stats":     {0, true, (*lineConn).stats},
		"ping":      {0, false, (*lineConn).ping},
	}
	if n := len(strings.Fields(lineOps)); n != len(lineVerbs) {
		panic("backend: lineOps does not list all ops")
	}
}

// checkRef tells what is wrong with a `ref`. A good one is told back byte for byte.
func checkRef(raw []byte) *Error {
	switch {
	case !utf8.Valid(raw):
		return bad("bad_json", `"ref" is not valid UTF-8`)
	case raw[0] == '"':
		s, err := text(raw)
		if err != nil {
			return err
		}
		return checkLen("ref", s, maxRef)
	case raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		return wrongKind(fRef, "a string or a whole number", raw)
	case len(raw) > maxRef:
		return bad("bad_field", `"ref" is longer than %d bytes`, maxRef)
	case bytes.ContainsAny(raw, ".eE"):
		return bad("bad_field", `"ref" must be a string or a whole number, not %s`, raw)
	}
	return nil
}
