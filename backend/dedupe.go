package backend

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

// dedupe remembers which pushes were done, so that one that is sent again, because its answer was
// lost, is not done again. Everything is bounded, and forgotten oldest first: what is forgotten
// would be done again. Any goroutine.
//
//	claim    before a push is handed to the engine: is it new?
//	release  the engine refused it: it may come again
type dedupe struct {
	mu        sync.Mutex
	producers map[string]*list.Element // of *producer
	used      list.List                // the same, the least recently used last
	ids       map[string]uint64        // the number of the claim that holds an id
	claims    []idClaim                // in their order; those before head are gone
	head      int
	number    uint64
	key       []byte // scratch
}

// producer is how far the counter of one producer has come.
//
//	invariant: holes are below or at last, at most maxHoles of them
type producer struct {
	key   string
	last  uint64
	holes []uint64 // numbers that were refused: the only ones that may come late
}

type idClaim struct {
	key    string
	number uint64
	until  time.Duration
}

func newDedupe() *dedupe {
	return &dedupe{producers: map[string]*list.Element{}, ids: map[string]uint64{}}
}

// claim takes a push that names itself; false = it was taken before. now is the time since the
// start, and never goes back.
func (d *dedupe) claim(now time.Duration, tenant string, o once) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.n != 0 {
		return d.count(tenant, o)
	}
	d.setKey(tenant, o.id)
	for d.head < len(d.claims) && d.claims[d.head].until <= now {
		d.forgetOldest()
	}
	if _, known := d.ids[string(d.key)]; known {
		return false
	}
	if len(d.claims)-d.head == maxIDs {
		d.forgetOldest()
	}
	d.number++
	key := string(d.key)
	d.ids[key] = d.number
	d.claims = append(d.claims, idClaim{key, d.number, now + idKeep})
	return true
}

// count is claim for a producer.
func (d *dedupe) count(tenant string, o once) bool {
	d.setKey(tenant, o.producer)
	e := d.producers[string(d.key)]
	if e == nil {
		if d.used.Len() == maxProducers {
			oldest := d.used.Remove(d.used.Back()).(*producer)
			delete(d.producers, oldest.key)
		}
		p := &producer{key: string(d.key), last: o.n}
		d.producers[p.key] = d.used.PushFront(p)
		return true
	}
	d.used.MoveToFront(e)
	p := e.Value.(*producer)
	if o.n > p.last {
		p.last = o.n
		return true
	}
	if i := slices.Index(p.holes, o.n); i >= 0 {
		p.holes = slices.Delete(p.holes, i, i+1)
		return true
	}
	return false
}

// release lets a claimed push come again, as it was not done.
func (d *dedupe) release(tenant string, o once) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.n == 0 {
		d.setKey(tenant, o.id)
		delete(d.ids, string(d.key))
		return
	}
	d.setKey(tenant, o.producer)
	e := d.producers[string(d.key)]
	if e == nil {
		return
	}
	p := e.Value.(*producer)
	if len(p.holes) == maxHoles {
		p.holes = slices.Delete(p.holes, 0, 1)
	}
	p.holes = append(p.holes, o.n)
}

// forgetOldest drops the oldest claim of an id, unless the id was released and claimed again since.
func (d *dedupe) forgetOldest() {
	c := &d.claims[d.head]
	if d.ids[c.key] == c.number {
		delete(d.ids, c.key)
	}
	*c = idClaim{}
	if d.head++; d.head > len(d.claims)/2 {
		n := copy(d.claims, d.claims[d.head:])
		clear(d.claims[n:])
		d.claims, d.head = d.claims[:n], 0
	}
}

// setKey makes a key that no other tenant and name have.
func (d *dedupe) setKey(tenant, name string) {
	d.key = append(d.key[:0], byte(len(tenant)>>8), byte(len(tenant)))
	d.key = append(append(d.key, tenant...), name...)
}
