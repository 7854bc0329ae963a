package verifier

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/chskd/chskd/auth"
)

// revocations are the users whose grants were made void, and when. Each has the next number, its
// generation. A grant knows the generation at which it was asked for: it is void if its user has a
// later one. That is looked up once a revocation, not once a request: an entry that stood it is
// lifted to the present generation.
type revocations struct {
	generation atomic.Uint64 // of the last one

	// mu is held for reading while a grant is told, so that none is told after Revoke has
	// returned that does not know of it.
	mu        sync.RWMutex
	users     map[user]*list.Element // of *revocation
	order     *list.List             // oldest first
	floor     uint64                 // grants of an earlier generation are void: it is not known whose
	max       int
	keepMs    int64
	refused   atomic.Uint64 // tokens
	forgotten uint64        // for want of room, before their time
}

type user struct{ tenant, uid string }

type revocation struct {
	user       user
	atMs       int64
	generation uint64
}

func (r *revocations) init(most int, keepMs int64) {
	r.users, r.order = map[user]*list.Element{}, list.New()
	r.max, r.keepMs = most, keepMs
}

// add revokes what a user was granted until now.
func (r *revocations) add(who user, nowMs int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.users[who]; e != nil {
		// A clock that went back must not give tokens back.
		nowMs = max(nowMs, e.Value.(*revocation).atMs)
		r.order.Remove(e)
	}
	next := r.generation.Load() + 1
	r.users[who] = r.order.PushBack(&revocation{user: who, atMs: nowMs, generation: next})
	for r.order.Len() > r.max {
		r.forgotten++
		r.forget(r.order.Front())
	}
	r.generation.Store(next)
}

// sweep forgets what has lasted long enough.
func (r *revocations) sweep(nowMs int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.order.Front(); e != nil; e = r.order.Front() {
		if e.Value.(*revocation).atMs+r.keepMs > nowMs {
			return
		}
		r.forget(e)
	}
}

func (r *revocations) forget(e *list.Element) {
	gone := r.order.Remove(e).(*revocation)
	delete(r.users, gone.user)
	r.floor = max(r.floor, gone.generation)
}

// stands tells whether a grant that was asked for at a generation still holds.
func (r *revocations) stands(g *auth.Grant, generation uint64) bool {
	if generation == r.generation.Load() {
		return true
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.standing(g, generation)
}

// standing is stands, for who holds mu. A refusal has no user.
func (r *revocations) standing(g *auth.Grant, generation uint64) bool {
	if g.Refusal != nil || generation == r.generation.Load() {
		return true
	}
	if generation < r.floor {
		return false
	}
	e := r.users[user{g.Tenant, g.UID}]
	return e == nil || e.Value.(*revocation).generation <= generation
}

// revoked tells whether a token of a user that was issued at iat, in s, is. Those of the second
// of the revocation are: which of the two came first is not known.
func (r *revocations) revoked(g *auth.Grant, iat, nowMs int64) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.users[user{g.Tenant, g.UID}]
	if e == nil {
		return false
	}
	at := e.Value.(*revocation).atMs
	return at+r.keepMs > nowMs && iat <= at/1000
}
