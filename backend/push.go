package backend

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
)

// One object or many? A body of type application/x-ndjson has many, one a line. Any other body is
// looked at: one object, on one line or several, is answered as one; when a second line follows a
// whole first one, there are many. Each line is pushed as soon as it is there.

// manyAnswer answers an NDJSON request. More counts errors that are not listed.
type manyAnswer struct {
	Accepted   int      `json:"accepted"`
	Rejected   int      `json:"rejected"`
	Duplicates int      `json:"duplicates,omitempty"` // of the accepted: done before, not again
	Errors     []*Error `json:"errors"`
	More       int      `json:"more_errors,omitempty"`
}

func (s *Server) push(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	many := isNDJSON(r.Header.Get("Content-Type"))
	lines := NewLines(r.Body, s.o.MaxLine)
	b := &pushes{s: s, window: make(chan struct{}, pushWindow)}
	if !many {
		if err := s.bodyDeadline(w, bodyWait); err != nil {
			return err
		}
	}
	seen := 0
	for ; ; seen++ {
		line, number, e := lines.Next()
		if e == io.EOF {
			break
		}
		if seen == 0 && !many {
			if e == nil && isBegun(line) {
				return s.pushOne(w, r, lines, line, b)
			}
			// No bound from here on: a producer may pause as long as it likes, and the
			// kernel tells when it is gone.
			if err := s.bodyDeadline(w, 0); err != nil {
				return err
			}
		}
		if !s.pushLine(r.Context(), b, line, number, e) {
			seen++
			break
		}
	}
	if seen == 0 && !many {
		return bad("bad_json", "the body is empty; it must be a JSON object")
	}
	b.wait(r.Context())
	if seen == 1 && !many {
		return b.answerOne(w)
	}
	b.answerMany(w)
	return nil
}

// isNDJSON tells whether a content type means one object a line.
func isNDJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch t {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl":
		return true
	}
	return false
}

// isBegun tells whether a line is the beginning of an object that goes on in the next.
func isBegun(line []byte) bool {
	o := object{b: line}
	if o.space(); o.peek() != '{' {
		return false
	}
	return o.value(0) != nil && o.i >= len(line)
}

// pushOne reads the rest of an object that has several lines.
func (s *Server) pushOne(w http.ResponseWriter, r *http.Request, lines *Lines, line []byte,
	b *pushes,
) *Error {
	whole := bytes.Clone(line)
	for {
		line, _, e := lines.Next()
		if e == io.EOF {
			break
		}
		if e != nil {
			return s.bodyError(e)
		}
		whole = append(append(whole, '\n'), line...)
		if len(whole) > s.o.MaxLine {
			return tooLarge(s.o.MaxLine)
		}
	}
	s.pushLine(r.Context(), b, whole, 1, nil)
	b.wait(r.Context())
	return b.answerOne(w)
}

// pushLine does one line of the body, or notes why there is none. false: no further line can be.
func (s *Server) pushLine(ctx context.Context, b *pushes, line []byte, number int, e error) bool {
	if e == ErrLineTooLong {
		b.reject(tooLarge(s.o.MaxLine).at(number))
		return true
	}
	if e != nil {
		b.reject(s.bodyError(e).at(number + 1))
		return false
	}
	p, err := b.parse(line)
	if err != nil {
		b.reject(err.at(number))
		return true
	}
	size := max(len(p.Event), pushSize)
	if !b.enter(ctx, size) {
		b.reject(fail(http.StatusGatewayTimeout, "timeout",
			"the pushes before this one were not answered within %s", s.engineWait).at(number))
		return false
	}
	b.push(p, size, number)
	return true
}

// pushes are the pushes of one request: how many went well, and what went wrong.
type pushes struct {
	s      *Server
	parser parser
	window chan struct{} // a token for each push that the engine has not answered

	mu       sync.Mutex
	answer   manyAnswer
	sessions int
}

func (b *pushes) parse(line []byte) (*Push, *Error) {
	if err := b.parser.readHTTP(line, "push", pushFields); err != nil {
		return nil, err
	}
	return b.parser.asPush()
}

// enter waits for room among the unanswered pushes.
func (b *pushes) enter(ctx context.Context, size int) bool {
	select {
	case b.window <- struct{}{}:
		if b.s.budget.try(int64(size)) {
			return true
		}
	default:
		ctx, cancel := context.WithTimeout(ctx, b.s.engineWait)
		defer cancel()
		select {
		case b.window <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	ctx, cancel := context.WithTimeout(ctx, b.s.engineWait)
	defer cancel()
	if b.s.budget.take(ctx, size) {
		return true
	}
	<-b.window
	return false
}

// push hands a push to the engine, unless it was done before. The window's token and the budget's
// bytes are held.
func (b *pushes) push(p *Push, size, line int) {
	once, tenant := b.parser.once, p.Tenant
	if once.given() {
		b.s.naming.Lock()
		defer b.s.naming.Unlock()
		if !b.s.claim(tenant, once) {
			b.leave(size, func() {
				b.answer.Accepted++
				b.answer.Duplicates++
			})
			return
		}
	}
	b.s.engine.Push(p, func(sessions int, err error) {
		if err != nil {
			if once.given() {
				b.s.dedupe.release(tenant, once)
			}
			b.reject(engineError(err).at(line))
		}
		b.leave(size, func() {
			if err == nil {
				b.answer.Accepted++
				b.sessions += sessions
			}
		})
	})
}

// leave notes what became of a push, and makes room for another.
func (b *pushes) leave(size int, note func()) {
	b.mu.Lock()
	note()
	b.mu.Unlock()
	b.s.budget.give(size)
	<-b.window
}

func (b *pushes) reject(e *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer.Rejected++
	if len(b.answer.Errors) == maxLineErrors {
		b.answer.More++
		return
	}
	b.answer.Errors = append(b.answer.Errors, e)
}

// wait lets the engine answer all that it was given. What it does not answer in time is told.
func (b *pushes) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, b.s.engineWait)
	defer cancel()
	for free := range pushWindow {
		select {
		case b.window <- struct{}{}:
		case <-ctx.Done():
			b.reject(fail(http.StatusGatewayTimeout, "timeout", "%d lines were not answered "+
				"within %s; they may still be done", pushWindow-free, b.s.engineWait))
			return
		}
	}
}

// answerOne answers a request that was one object.
func (b *pushes) answerOne(w http.ResponseWriter) *Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.answer.Errors) > 0 {
		return b.answer.Errors[0]
	}
	if b.answer.Duplicates > 0 {
		answer(w, http.StatusOK, statusAnswer{Status: "ok", Duplicate: true})
		return nil
	}
	answer(w, http.StatusOK, statusAnswer{Status: "ok", Sessions: &b.sessions})
	return nil
}

// answerMany answers a request of many lines: 200, whatever became of each.
func (b *pushes) answerMany(w http.ResponseWriter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answer.Errors == nil {
		b.answer.Errors = []*Error{}
	}
	answer(w, http.StatusOK, &b.answer)
}
