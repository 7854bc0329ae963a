package client

import (
	"iter"
	"sync"
)

// Roster keeps the set of users that are online, out of a stream with presence. It is right again
// after each reconnect, restart of the daemon and resync: what the new snapshot does not show has
// gone meanwhile. Hand it every event of the stream, in the loop; ask it from any goroutine. The
// zero value is an empty one.
type Roster struct {
	mu     sync.RWMutex
	online map[Who]uint64 // by the snapshot that showed the user, or the change after it
	round  uint64         // of the snapshot; grows with each
	live   bool
}

// Change is a user that came or went.
type Change struct {
	Who    Who // without Client
	Online bool
}

// Apply takes an event in, and gives what is new by it: mostly nothing or one change; when a later
// snapshot is complete, all those who are not in it. Events that tell nothing of presence are
// ignored.
func (r *Roster) Apply(e Event) []Change {
	switch e.Kind {
	case Open, Close, Live, Resync, Hello:
	default:
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	who := Who{Tenant: e.Tenant, UID: e.UID, NilUID: e.NilUID}
	switch e.Kind {
	case Hello, Resync:
		r.round++
		r.live = false
	case Live:
		r.live = true
		return r.sweep()
	case Open:
		if r.online == nil {
			r.online = map[Who]uint64{}
		}
		_, known := r.online[who]
		r.online[who] = r.round
		if !known {
			return []Change{{who, true}}
		}
	case Close:
		if _, known := r.online[who]; known {
			delete(r.online, who)
			return []Change{{who, false}}
		}
	}
	return nil
}

// sweep takes out who was online before this snapshot and is not in it.
func (r *Roster) sweep() (gone []Change) {
	for who, round := range r.online {
		if round != r.round {
			delete(r.online, who)
			gone = append(gone, Change{who, false})
		}
	}
	return gone
}

// Has tells whether a user is online; who.Client has no meaning.
func (r *Roster) Has(who Who) bool {
	who.Client = ""
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, online := r.online[who]
	return online
}

// Len counts the users. Those without uid count as one in each tenant.
func (r *Roster) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.online)
}

// Live is false while a snapshot is being told: then some are missing, and some may have gone.
func (r *Roster) Live() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.live
}

// All gives the users, in no order. The loop's body must not call Apply.
func (r *Roster) All() iter.Seq[Who] {
	return func(yield func(Who) bool) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		for who := range r.online {
			if !yield(who) {
				return
			}
		}
	}
}
