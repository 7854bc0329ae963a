package client

import (
	"context"
	"fmt"
	"strconv"
	"sync"
)

// request is one line for the daemon, from the call that makes it to its answer. Its memory is used
// again.
//
//	free -> taken (a call fills it) -> open, in the order of n: not sent, then sent -> free
type request struct {
	line     []byte // its members, as `"op":"push","uid":"alice"`
	numbered bool   // it goes with the producer's name and n, so that it is done once
	done     func(answer)

	ref        int    // its place in slots, constant
	n          uint64 // set when it is opened; 0 = it is not open
	tries      int    // connections that it was written to
	answered   bool
	prev, next *request // among the open ones; next also among the free ones
}

// answer is what became of a request.
type answer struct {
	rest []byte // `,"status":"ok"...}` of a result; valid only during the call
	err  error
}

// queue holds the open requests: those that the daemon has not answered. It is bounded by their
// number and bytes; who finds it full waits. Any goroutine.
//
//	invariant: open ones are linked from first to last, n grows; unsent is one of them or nil, and
//	all from it on are not written to this connection
type queue struct {
	producer string
	maxOpen  int
	maxBytes int

	wake chan struct{} // one token = the writer may have something to write
	room chan struct{} // one token = look again whether there is room

	mu          sync.Mutex
	slots       []*request // by ref
	free        *request
	first, last *request
	unsent      *request
	n           uint64 // of the newest request
	taken       int    // requests that are not free
	bytes       int    // of open ones
	waiting     int    // calls that wait for room
	closed      bool

	flushes []flush
	failure error // of the first push that failed and that nobody waited for, since the last flush
	failed  int
}

// flush is a call that waits until all requests up to n are answered.
type flush struct {
	n    uint64
	over chan struct{}
}

func newQueue(producer string, maxOpen, maxBytes int) *queue {
	return &queue{
		producer: producer, maxOpen: maxOpen, maxBytes: maxBytes,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// take gives a request to fill. It waits while the queue is full. Errors: [ErrClosed], ctx's.
func (q *queue) take(ctx context.Context) (*request, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	for !q.closed && (q.taken >= q.maxOpen || q.bytes >= q.maxBytes) {
		q.waiting++
		q.mu.Unlock()
		var err error
		select {
		case <-q.room:
		case <-ctx.Done():
			err = ctx.Err()
		}
		q.mu.Lock()
		q.waiting--
		if err != nil {
			q.letIn() // the token may have been for another
			q.mu.Unlock()
			return nil, fmt.Errorf("client: %d requests wait for the daemon: %w", q.maxOpen, err)
		}
	}
	defer q.mu.Unlock()
	q.letIn() // there may be room for the next one too
	if q.closed {
		return nil, ErrClosed
	}
	q.taken++
	r := q.free
	if r == nil {
		r = &request{ref: len(q.slots)}
		q.slots = append(q.slots, r)
	} else {
		q.free = r.next
	}
	r.line, r.numbered, r.done, r.next = r.line[:0], false, nil, nil
	return r, nil
}

// letIn wakes one of those that wait for room, if there is any. The mutex is held.
func (q *queue) letIn() {
	if q.waiting > 0 && (q.closed || q.taken < q.maxOpen && q.bytes < q.maxBytes) {
		signal(q.room)
	}
}

// open puts a filled request behind the others. It gives its number, for withdraw.
func (q *queue) open(r *request) (n uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		q.release(r)
		return 0, ErrClosed
	}
	q.n++
	r.n, r.tries, r.answered = q.n, 0, false
	q.bytes += len(r.line)
	r.prev = q.last
	if q.last != nil {
		q.last.next = r
	} else {
		q.first = r
	}
	q.last = r
	if q.unsent == nil {
		q.unsent = r
		signal(q.wake)
	}
	return r.n, nil
}

// drop gives a taken request back.
func (q *queue) drop(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(r)
	q.letIn()
}

// withdraw takes an open request out that no connection has seen; false = it was written, or is
// answered.
func (q *queue) withdraw(r *request, n uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.n != n || r.tries > 0 || r.answered {
		return false
	}
	q.remove(r)
	q.letIn()
	q.endFlushes()
	return true
}

// write appends lines that this connection has not had, up to about limit bytes.
func (q *queue) write(out []byte, limit int) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for ; q.unsent != nil && len(out) < limit; q.unsent = q.unsent.next {
		r := q.unsent
		r.tries++
		// ref first: the daemon finds it there also in a line that it cannot read as a whole.
		out = strconv.AppendInt(append(out, `{"ref":`...), int64(r.ref), 10)
		if r.numbered {
			out = append(append(append(out, `,"producer":"`...), q.producer...), `","n":`...)
			out = strconv.AppendUint(out, r.n, 10)
		}
		out = append(append(append(out, ','), r.line...), "}\n"...)
	}
	return out
}

// rewind makes all open requests unsent, for a new connection.
func (q *queue) rewind() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.unsent = q.first; q.unsent != nil {
		signal(q.wake)
	}
}

// found is an answer and the request that it belongs to.
type found struct {
	*request
	answer
	ref int
}

// find gives each answer its request, or nil, and marks those as answered.
func (q *queue) find(list []found) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range list {
		f := &list[i]
		if f.ref < 0 || f.ref >= len(q.slots) {
			continue
		}
		r := q.slots[f.ref]
		if r.n == 0 || r.tries == 0 || r.answered {
			continue
		}
		r.answered = true
		f.request = r
		if e, ok := f.err.(*Error); ok {
			e.Resent = r.tries > 1
			if r.done == nil {
				q.fail(e)
			}
		}
	}
}

func (q *queue) fail(err error) {
	if q.failed++; q.failed == 1 {
		q.failure = err
	}
}

// finish frees requests whose answers were told.
func (q *queue) finish(list []found) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range list {
		if r := list[i].request; r != nil && r.n != 0 {
			q.remove(r)
		}
	}
	if q.taken <= q.maxOpen/4*3 && q.bytes <= q.maxBytes/4*3 {
		q.letIn() // not at each answer, so that whoever pushes makes many at a time
	}
	q.endFlushes()
}

// remove frees an open request.
func (q *queue) remove(r *request) {
	if q.unsent == r {
		q.unsent = r.next
	}
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		q.first = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		q.last = r.prev
	}
	q.bytes -= len(r.line)
	q.release(r)
}

// release makes a request free. A large line is not kept.
func (q *queue) release(r *request) {
	const keep = 4 << 10
	if cap(r.line) > keep {
		r.line = nil
	}
	r.n, r.done, r.prev = 0, nil, nil
	r.next, q.free = q.free, r
	q.taken--
}

// flushed gives a channel that closes when all requests that are open now are answered.
func (q *queue) flushed() (over chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := flush{q.n, make(chan struct{})}
	q.flushes = append(q.flushes, f)
	q.endFlushes()
	return f.over
}

// endFlushes tells those that wait for what is answered now. The mutex is held.
func (q *queue) endFlushes() {
	kept := q.flushes[:0]
	for _, f := range q.flushes {
		if !q.closed && q.first != nil && q.first.n <= f.n {
			kept = append(kept, f)
			continue
		}
		close(f.over)
	}
	q.flushes = kept
}

// failures gives what failed and was told to nobody, and forgets it.
func (q *queue) failures() (count int, first error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	count, first = q.failed, q.failure
	q.failure, q.failed = nil, 0
	return count, first
}

// pending counts the open requests.
func (q *queue) pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.taken
}

// close ends all: nothing is opened any more, and what is open is told so.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	var told []found
	for r := q.first; r != nil; r = r.next {
		err := ErrClosed
		if r.tries > 0 {
			err = fmt.Errorf("%w: %w", ErrUnanswered, ErrClosed)
		}
		r.answered = true
		told = append(told, found{request: r, answer: answer{err: err}})
		if r.done == nil {
			q.fail(err)
		}
	}
	q.unsent = nil
	q.letIn()
	q.mu.Unlock()
	for _, f := range told {
		if f.done != nil {
			f.done(f.answer)
		}
	}
	q.finish(told)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
