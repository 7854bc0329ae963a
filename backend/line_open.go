package backend

import (
	"strconv"
	"time"
)

// openReq is a request that the engine has not answered. It is made once and used again, with the
// functions that it hands to the engine: a request costs no allocation. Owner: the reader until it
// is entered, then the connection's mutex, until it is answered or given up.
type openReq struct {
	l     *lineConn
	ref   []byte // as it came; empty = only a failure is told
	line  int
	size  int       // of the budget
	since time.Time // when it was entered

	count  bool // the sessions are to be told
	tenant string
	once   once

	pushed       func(int, error)
	closed       func(int, error)
	joined, left func(bool, error)
	replied      func(error)

	prev, next *openReq // in waits, or next in free
	listed     bool
	over       bool // given up: what the engine still answers has no meaning
}

// openList is a list of open requests, linked both ways.
type openList struct{ first, last *openReq }

func (w *openList) push(r *openReq) {
	r.prev, r.next, r.listed = w.last, nil, true
	if w.last != nil {
		w.last.next = r
	} else {
		w.first = r
	}
	w.last = r
}

func (w *openList) remove(r *openReq) {
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		w.first = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		w.last = r.prev
	}
	r.prev, r.next, r.listed = nil, nil, false
}

// begin enters a request whose answer is told, or is needed for more than the room that it makes.
func (l *lineConn) begin(number int) *openReq {
	l.open.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.free
	if r != nil {
		l.free = r.next
	} else {
		r = newOpenReq(l)
	}
	r.ref = append(r.ref[:0], l.parser.raw[fRef]...)
	r.line, r.size, r.count, r.tenant, r.once = number, 0, false, "", once{}
	r.since = time.Now()
	if l.waits.first == nil {
		l.wakeWriter() // it watches how long the first one takes
	}
	l.waits.push(r)
	return r
}

func newOpenReq(l *lineConn) *openReq {
	r := &openReq{l: l}
	r.pushed, r.closed, r.replied = r.onPushed, r.onClosed, r.onReplied
	r.joined, r.left = r.onJoined, r.onLeft
	return r
}

// answered ends a request: err, or a result with what tell appends.
func (r *openReq) answered(err error, tell func(out []byte) []byte) {
	l := r.l
	l.mu.Lock()
	if r.over {
		l.mu.Unlock()
		return
	}
	told := true
	switch {
	case err != nil:
		l.out = appendFailure(l.out, r.ref, r.line, engineError(err))
	case len(r.ref) > 0:
		l.out = append(appendResult(l.out, r.ref), `,"status":"ok"`...)
		if tell != nil {
			l.out = tell(l.out)
		}
		l.out = append(l.out, "}\n"...)
	default:
		told = false
	}
	l.size.Store(int64(len(l.out)))
	l.waits.remove(r)
	r.next, l.free = l.free, r
	l.mu.Unlock()
	if told {
		l.wakeWriter()
	}
	l.leaveOpen()
}

func (r *openReq) onPushed(sessions int, err error) {
	if err != nil && r.once.given() {
		r.l.s.dedupe.release(r.tenant, r.once)
	}
	r.l.s.budget.give(r.size)
	if !r.count {
		r.answered(err, nil)
		return
	}
	r.answered(err, func(out []byte) []byte { return appendSessions(out, sessions) })
}

func (r *openReq) onClosed(sessions int, err error) {
	r.answered(err, func(out []byte) []byte { return appendSessions(out, sessions) })
}

func (r *openReq) onReplied(err error) { r.answered(err, nil) }

func (r *openReq) onJoined(joined bool, err error) { r.answered(err, tellBool("joined", joined)) }

func (r *openReq) onLeft(left bool, err error) { r.answered(err, tellBool("left", left)) }

func tellBool(name string, v bool) func([]byte) []byte {
	return func(out []byte) []byte {
		out = append(append(append(out, `,"`...), name...), `":`...)
		return strconv.AppendBool(out, v)
	}
}

func appendSessions(out []byte, sessions int) []byte {
	return strconv.AppendInt(append(out, `,"sessions":`...), int64(sessions), 10)
}

// leaveOpen counts an answer, and lets the reader go on: not at each one, but when half of the
// window is free, so that it takes many lines at a time.
func (l *lineConn) leaveOpen() {
	switch l.open.Add(-1) {
	case 0:
		if l.last.Load() { // or read sets it after this, and wakes the writer then
			l.wakeWriter()
		}
		l.letRead()
	case lineWindow / 2:
		l.letRead()
	}
}

func (l *lineConn) letRead() {
	select {
	case l.room <- struct{}{}:
	default:
	}
}

func (l *lineConn) wakeWriter() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// giveUp answers the requests that have waited for longer than an answer may take, and says when
// the next one will have; 0 = none waits. The mutex is held.
func (l *lineConn) giveUp(now time.Time) (next time.Duration) {
	for r := l.waits.first; r != nil; r = l.waits.first {
		if left := l.s.engineWait - now.Sub(r.since); left > 0 {
			return left
		}
		l.waits.remove(r)
		r.over = true
		l.out = appendFailure(l.out, r.ref, r.line, l.s.lateAnswer())
		l.leaveOpen()
	}
	return 0
}

// waitBudget takes n bytes of what may be with the engine at once; false = the connection is over.
func (l *lineConn) waitBudget(n int) bool {
	if l.s.budget.try(int64(n)) {
		return true
	}
	l.flush()
	return l.s.budget.take(l.ctx, n)
}
