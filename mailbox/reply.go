package mailbox

import (
	"errors"
	"time"
)

// ErrNoReply says that a loop did not answer in time: it is overloaded or the
// daemon is going down.
var ErrNoReply = errors.New("mailbox: no answer from the event loop in time")

// Reply is a one-shot answer from a loop to a goroutine that waits for it.
type Reply[T any] struct {
	ch chan T
}

// NewReply makes a Reply that waits for one value.
func NewReply[T any]() Reply[T] { return Reply[T]{ch: make(chan T, 1)} }

// Put gives the answer; only the first one counts. It never blocks. Any
// goroutine.
func (r Reply[T]) Put(v T) {
	select {
	case r.ch <- v:
	default:
	}
}

// Wait returns the answer, or ErrNoReply after timeout. Never on a loop.
func (r Reply[T]) Wait(timeout time.Duration) (T, error) {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case v := <-r.ch:
		return v, nil
	case <-t.C:
		var zero T
		return zero, ErrNoReply
	}
}
