package backend

import (
	"context"
	"sync/atomic"
)

// budget bounds the bytes of all pushes that were handed to the engine and not answered yet, over
// all connections: what a slow loop has in its queue is bounded by it. Whoever finds it used up
// waits, and so stops reading its connection. Any goroutine.
type budget struct {
	max     int64
	used    atomic.Int64
	waiting atomic.Int32
	room    chan struct{} // one token = look again
}

func newBudget(max int64) *budget { return &budget{max: max, room: make(chan struct{}, 1)} }

// take waits for room for n bytes; false = ctx ended before. One push always fits, however large.
func (b *budget) take(ctx context.Context, n int) bool {
	if b.try(int64(n)) {
		return true
	}
	// Before the next try: a give that comes after it sees that somebody waits.
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	for !b.try(int64(n)) {
		select {
		case <-b.room:
		case <-ctx.Done():
			b.signal() // the token may have been for another
			return false
		}
	}
	b.signal() // there may be room for the next one too
	return true
}

func (b *budget) try(n int64) bool {
	for {
		used := b.used.Load()
		if used != 0 && used+n > b.max {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// give gives n bytes back.
func (b *budget) give(n int) {
	b.used.Add(-int64(n))
	if b.waiting.Load() > 0 {
		b.signal()
	}
}

func (b *budget) signal() {
	select {
	case b.room <- struct{}{}:
	default:
	}
}
