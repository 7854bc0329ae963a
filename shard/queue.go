package shard

// queue is a ring that grows: first in, first out, nothing allocated in steady
// state. The zero queue is empty.
type queue[T any] struct {
	ring []T // its length is a power of two
	at   int
	n    int
}

func (q *queue[T]) len() int { return q.n }

func (q *queue[T]) push(v T) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.at+q.n)&(len(q.ring)-1)] = v
	q.n++
}

func (q *queue[T]) grow() {
	ring := make([]T, max(8, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = q.ring[(q.at+i)&(len(q.ring)-1)]
	}
	q.ring, q.at = ring, 0
}

// head is the oldest value; the queue must not be empty.
func (q *queue[T]) head() *T { return &q.ring[q.at] }

func (q *queue[T]) pop() T {
	v := q.ring[q.at]
	q.at = (q.at + 1) & (len(q.ring) - 1)
	q.n--
	return v
}
