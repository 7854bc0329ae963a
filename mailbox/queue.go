package mailbox

import "sync"

// Queue is a queue with many writers and one reader. It has no bound of its own:
// messages between loops are never dropped and never block; bounds apply where
// work comes in, at backends and at what is read from clients.
type Queue[T any] struct {
	wake func()

	mu    sync.Mutex
	items []T
	awake bool // a wake is outstanding, or the reader has not taken yet
}

// NewQueue makes a queue that calls wake when it needs its reader. wake is called
// outside the lock, by the poster, and must not block.
func NewQueue[T any](wake func()) *Queue[T] {
	return &Queue[T]{wake: wake}
}

// Post appends v and wakes the reader unless it is being woken already. Any
// goroutine.
func (q *Queue[T]) Post(v T) {
	q.mu.Lock()
	q.items = append(q.items, v)
	first := !q.awake
	q.awake = true
	q.mu.Unlock()
	if first {
		q.wake()
	}
}

// PostQuietly appends v and wakes nobody: Nudge does that for all that were posted so, and any
// other post for what was posted before it. A reader that is woken for the first of many takes
// that one, and is woken again for the next. Any goroutine.
func (q *Queue[T]) PostQuietly(v T) {
	q.mu.Lock()
	q.items = append(q.items, v)
	q.mu.Unlock()
}

// Nudge wakes the reader if something waits that nobody wakes it for. Any goroutine.
func (q *Queue[T]) Nudge() {
	q.mu.Lock()
	first := !q.awake && len(q.items) > 0
	if first {
		q.awake = true
	}
	q.mu.Unlock()
	if first {
		q.wake()
	}
}

// PostAll appends all of vs, in order and together. Any goroutine. vs is copied.
func (q *Queue[T]) PostAll(vs []T) {
	if len(vs) == 0 {
		return
	}
	q.mu.Lock()
	q.items = append(q.items, vs...)
	first := !q.awake
	q.awake = true
	q.mu.Unlock()
	if first {
		q.wake()
	}
}

// Wake asks for a turn of the reader without a message. Any goroutine.
func (q *Queue[T]) Wake() {
	q.mu.Lock()
	first := !q.awake
	q.awake = true
	q.mu.Unlock()
	if first {
		q.wake()
	}
}

// Len is how many messages wait to be taken. Any goroutine.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Take returns all that was posted, in order, and leaves spare (emptied) behind
// for the next posts. From here on a post asks for a wake again. Reader only; the
// result belongs to the caller, who hands it back as spare the next time. A
// spare that one burst made very large is not kept.
func (q *Queue[T]) Take(spare []T) []T {
	const keepCap = 1 << 16
	if cap(spare) > keepCap {
		spare = nil
	}
	clear(spare)
	q.mu.Lock()
	items := q.items
	q.items = spare[:0]
	q.awake = false
	q.mu.Unlock()
	return items
}
