package backend

import (
	"errors"
	"time"
)

// lineWriter is the writer of a line connection. One buffered write takes all results that are
// there, and what the hub has for the consumer.
type lineWriter struct {
	*lineConn
	stream  stream // its consumer is nil until the peer subscribes
	reading bool   // the consumer still gets events
	batch   []entry
	timer   *time.Timer

	endedAt time.Time // when the peer was seen to send nothing more
	closed  bool      // it closed its side, so that nobody is there for the stream
}

// write serves until the connection is over: broken, cut, or ended with all answers written.
func (l *lineConn) write() {
	w := lineWriter{
		lineConn: l,
		stream:   stream{hub: l.s.hub, conn: l.c, stall: l.s.o.Stall},
		timer:    time.NewTimer(time.Hour),
	}
	defer w.timer.Stop()
	for over := false; !over; {
		over = w.turn()
	}
	if w.reading {
		w.stream.hub.leave(w.stream.c, nil, false)
	}
}

// turn writes all there is, and then waits for more; true = the connection is over.
func (w *lineWriter) turn() (over bool) {
	wait, ended, why := w.collect()
	more, cut, err := w.send()
	switch {
	case errors.Is(err, errStalled):
		w.cut(cutFor("slow_consumer", "nothing was read for %s; the connection is cut",
			w.stream.stall))
		return true
	case err != nil:
		return true
	case cut != nil:
		w.cut(cut)
		return true
	case more:
		return false
	case ended && (w.open.Load() == 0 || wait == 0) && w.size.Load() == 0:
		if why != nil {
			w.cut(why)
		}
		return true
	}
	return w.sleep(wait)
}

// collect takes the results, and a new consumer. wait is until the oldest open request is given up,
// or the end no longer waits for answers; 0 = there is nothing to wait for.
func (w *lineWriter) collect() (wait time.Duration, ended bool, why *Error) {
	l := w.lineConn
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waits.first != nil {
		wait = l.giveUp(time.Now())
	}
	full := len(l.out) >= lineResults
	w.stream.out, l.out = l.out, w.stream.out[:0]
	l.size.Store(0)
	if full {
		l.letRead()
	}
	if c := l.consumer; c != nil {
		w.stream.c, w.stream.enc.format, w.reading = c, c.format, true
		w.stream.out = w.stream.enc.hello(w.stream.out, l.s.hub.epoch, c.id)
		l.consumer = nil
	}
	if l.ended {
		wait = w.untilEnd()
		w.closed = l.why == nil
	}
	return wait, l.ended, l.why
}

// untilEnd is how long the peer's answers are still waited for, once it sends nothing more.
func (w *lineWriter) untilEnd() time.Duration {
	if w.endedAt.IsZero() {
		w.endedAt = time.Now()
	}
	return max(0, w.s.engineWait-time.Since(w.endedAt))
}

// send writes the results, and a batch of the consumer's. more: there may be more at once; cut: why
// the hub ends the consumer.
func (w *lineWriter) send() (more bool, cut *Error, err error) {
	s := &w.stream
	if !w.reading {
		return false, nil, w.flush()
	}
	if w.closed { // it leaves, as over HTTP; if we go down it still gets what is queued for it
		w.reading = false
		s.hub.leave(s.c, nil, false)
		return false, nil, w.flush()
	}
	batch, more, over := s.hub.take(s.c, w.batch)
	w.batch = batch
	unwritten, err := s.write(batch)
	if err == nil {
		err = w.flush()
	}
	if over || err != nil {
		w.reading = false
		s.hub.leave(s.c, unwritten, errors.Is(err, errStalled))
		return false, s.c.cut, err
	}
	return more || len(batch) > 0, nil, nil
}

func (w *lineWriter) flush() error {
	if len(w.stream.out) == 0 {
		return nil
	}
	return w.stream.flush()
}

// sleep waits for something to do; true = the connection is over.
func (w *lineWriter) sleep(wait time.Duration) (over bool) {
	var events chan struct{}
	if w.reading {
		events = w.stream.c.wake
	}
	var late <-chan time.Time
	if wait > 0 {
		w.timer.Reset(wait)
		late = w.timer.C
	}
	select {
	case <-w.wake:
	case <-events:
	case <-late:
	case <-w.ctx.Done():
		return true
	}
	return false
}

// cut tells the peer why the connection ends.
func (w *lineWriter) cut(why *Error) {
	told := lastWords(w.c, w.stream.out, why)
	w.s.o.Log.Info("a line connection was ended", "why", why.Code, "told", told)
}
