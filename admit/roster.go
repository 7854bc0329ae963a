package admit

import "sync"

// Roster numbers things in the order in which they are first seen: the event
// loops, which tell nobody their number themselves.
//
// Any goroutine.
type Roster[K comparable] struct {
	mu   sync.Mutex
	seen []K
}

// Number returns the number of k, counted from 0, and whether this was the first
// time that it was seen.
func (r *Roster[K]) Number(k K) (n int, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range r.seen {
		if s == k {
			return i, false
		}
	}
	r.seen = append(r.seen, k)
	return len(r.seen) - 1, true
}

// Len is the number of things seen.
func (r *Roster[K]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}
