package verifier

import (
	"sync"

	"github.com/chskd/chskd/auth"
)

// shards is how many parts the memory has, so that loops seldom meet at one lock.
const shards = 32

// entryCost is what an entry takes besides what its grant holds, in bytes: itself, the grant, and
// its place in the map.
const entryCost = 320

// shard is one part: what is remembered, and what is under way.
type shard struct {
	mu      sync.Mutex
	entries map[key]*entry
	flights map[key]*flight
	list    entry // ring by use: next is the newest, prev the oldest
	bytes   int

	// Counted here, under the lock that is held anyway.
	hits, joined, evicted uint64

	_ [64]byte // a cache line between two locks
}

// entry is one remembered grant, of ms until.
type entry struct {
	key        key
	grant      *auth.Grant
	until      int64
	generation uint64 // of the revocations that the grant has stood
	prev, next *entry
}

// flight is a check under way, and who waits for it.
type flight struct {
	tickets []uint64
}

func (s *shard) init() {
	s.entries, s.flights = map[key]*entry{}, map[key]*flight{}
	s.list.prev, s.list.next = &s.list, &s.list
}

// find gives the entry of k if it holds at nowMs.
func (s *shard) find(k *key, nowMs int64) *entry {
	e := s.entries[*k]
	if e == nil {
		return nil
	}
	if e.until <= nowMs {
		s.drop(e)
		return nil
	}
	if s.list.next != e {
		e.unlink()
		s.push(e)
	}
	return e
}

// remember keeps a grant, in place of the one before it, and forgets what was used least recently
// beyond the bounds.
func (s *shard) remember(e *entry, maxEntries, maxBytes int) {
	if old := s.entries[e.key]; old != nil {
		s.drop(old)
	}
	if e.cost() > maxBytes {
		return
	}
	s.entries[e.key] = e
	s.bytes += e.cost()
	s.push(e)
	for len(s.entries) > maxEntries || s.bytes > maxBytes {
		s.drop(s.list.prev)
		s.evicted++
	}
}

// sweep forgets what no longer holds.
func (s *shard) sweep(nowMs int64) {
	for e := s.list.next; e != &s.list; {
		next := e.next
		if e.until <= nowMs {
			s.drop(e)
		}
		e = next
	}
}

func (s *shard) drop(e *entry) {
	delete(s.entries, e.key)
	s.bytes -= e.cost()
	e.unlink()
}

func (s *shard) push(e *entry) {
	e.prev, e.next = &s.list, s.list.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}

// cost is the memory that e takes, in bytes.
func (e *entry) cost() int {
	g := e.grant
	n := entryCost + len(g.Tenant) + len(g.UID) + len(g.CSRF) + len(g.Handshake)
	for _, topic := range g.Topics {
		n += 16 + len(topic)
	}
	if g.Refusal != nil {
		n += len(g.Refusal.Body)
	}
	return n
}
