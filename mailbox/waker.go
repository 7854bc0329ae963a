package mailbox

import "sync"

// Waker stands in for a loop's wake function until the loop is there: a wake that
// comes before Set is made up for by Set.
//
// Any goroutine.
type Waker struct {
	mu     sync.Mutex
	fn     func()
	missed bool
}

// Set gives the function to call from now on, and calls it if a wake was missed.
func (w *Waker) Set(fn func()) {
	w.mu.Lock()
	missed := w.missed
	w.fn, w.missed = fn, false
	w.mu.Unlock()
	if missed {
		fn()
	}
}

// Wake calls the function, or remembers that somebody wanted to.
func (w *Waker) Wake() {
	w.mu.Lock()
	fn := w.fn
	w.missed = fn == nil
	w.mu.Unlock()
	if fn != nil {
		fn()
	}
}

// Tally adds up the answers of several loops and reports their sum once.
//
// Any goroutine.
type Tally struct {
	mu   sync.Mutex
	left int
	sum  int
	done func(sum int)
}

// NewTally waits for parts answers and then calls done, on the goroutine of the
// last one.
func NewTally(parts int, done func(sum int)) *Tally {
	return &Tally{left: parts, done: done}
}

// Add gives one answer.
func (t *Tally) Add(n int) {
	t.mu.Lock()
	t.sum += n
	t.left--
	last := t.left == 0
	sum := t.sum
	t.mu.Unlock()
	if last {
		t.done(sum)
	}
}
