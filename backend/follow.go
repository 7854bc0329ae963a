package backend

import (
	"errors"
	"time"
)

// Presence: from the loops that tell it to the consumers that follow it.
//
//	Presence -> present (the set) -> queues, or snapshots that are being told
//	track, fill, load: the set is made when the first consumer follows

// Presence tells that a user came online or left. Calls for one user must come in their order.
// Users without uid may be in several shards, each telling its own changes; the hub tells when
// the first comes and the last leaves. It never waits for a consumer.
func (h *Hub) Presence(open bool, tenant, uid []byte, nilUID bool) {
	// A change that is not recorded here, because nobody follows, was made before the pages are
	// asked for that fill the set of the next follower: they show it.
	if !nilUID && !h.tracking.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if nilUID && !h.countNil(open, tenant) || h.present == nil {
		return
	}
	h.key = appendKey(h.key[:0], tenant, uid, nilUID)
	if pos, changed := h.present.set(h.key, open); changed {
		h.tellPresence(open, pos)
	}
}

// countNil counts the shards with users without uid; true = the first came or the last left.
func (h *Hub) countNil(open bool, tenant []byte) bool {
	n := h.nilUsers[string(tenant)]
	switch {
	case open:
		h.nilUsers[string(tenant)] = n + 1
		return n == 0
	case n > 1:
		h.nilUsers[string(tenant)] = n - 1
		return false
	case n == 1:
		delete(h.nilUsers, string(tenant))
		return true
	}
	return false
}

// tellPresence queues a change for those who follow it, or leaves it to their snapshots; where the
// queue is full a snapshot starts.
func (h *Hub) tellPresence(open bool, pos uint32) {
	u := h.present.at(pos)
	e := presenceEntry(open, u.key)
	for _, c := range h.watchers {
		if !c.follows(u.slot) {
			continue
		}
		switch {
		case c.snap != nil:
			c.snap.change(pos, open)
		case !c.queue.fits(e.size(), roomNew):
			c.rescan()
		default:
			c.queue.push(e, roomNew)
		}
		c.wakeUp()
	}
	if !open {
		h.present.retire(pos, h.watchers)
	}
}

// tell appends the next part of c's snapshot to a batch.
func (h *Hub) tell(batch []entry, c *consumer) (_ []entry, more bool) {
	if c.resync {
		batch = append(batch, entry{only: kindResync})
		c.resync = false
	} else if !c.snap.begun && c.presence == followSlots && c.group.slots.moving > 0 {
		// The newcomer's share is on its way: without it the snapshot would be of nobody.
		return batch, false
	}
	batch, more, over := c.snap.tell(batch, h.present, c)
	if over {
		c.snap = nil
		h.present.sweep(h.watchers)
	}
	return batch, more
}

// follow makes c hear presence; the first that does starts the set.
func (h *Hub) follow(c *consumer) {
	h.watchers = append(h.watchers, c)
	c.snap = newSnapshot(h.chunk)
	if h.present != nil {
		return
	}
	p := newPresent(h.slots)
	h.present = p
	h.tracking.Store(true)
	for tenant := range h.nilUsers {
		h.key = appendKey(h.key[:0], []byte(tenant), nil, true)
		p.set(h.key, true)
	}
	if h.engine != nil {
		go h.fill(p)
	}
}

// unfollow ends that; the last one ends the set.
func (h *Hub) unfollow(c *consumer) {
	for i, o := range h.watchers {
		if o == c {
			h.watchers = append(h.watchers[:i], h.watchers[i+1:]...)
			break
		}
	}
	if len(h.watchers) == 0 {
		h.present = nil
		h.tracking.Store(false)
	} else {
		h.present.sweep(h.watchers)
	}
}

// fill loads the pages of who is online, and tries again when the engine cannot give one.
func (h *Hub) fill(p *present) {
	after := ""
	for {
		page, err := askPage(h.engine, Query{AllTenants: true, After: after, Limit: maxPageUsers})
		if err != nil {
			h.o.Log.Warn("presence: the users online cannot be read", "error", err)
			time.Sleep(time.Second)
			page, after = nil, "" // loading a user twice is harmless
		}
		if !h.load(p, page, err == nil && page.Next == "") {
			return
		}
		if err == nil {
			after = page.Next
		}
	}
}

var errNoAnswer = errors.New("backend: the engine gave no answer")

func askPage(e Engine, q Query) (*Connected, error) {
	got := make(chan *Connected, 1)
	e.Connected(q, func(c *Connected) { got <- c })
	select {
	case c := <-got:
		if c == nil {
			return nil, errNoAnswer
		}
		return c, c.Err
	case <-time.After(engineWait):
		return nil, errNoAnswer
	}
}

// load adds a page, a few users at a time: loops wait for the same mutex. false = enough: the
// page was the last, or nobody follows any more.
func (h *Hub) load(p *present, page *Connected, last bool) bool {
	var users []Online
	if page != nil {
		users = page.Users
	}
	for {
		n := min(len(users), loadChunk)
		h.mu.Lock()
		if h.present != p || h.closed {
			h.mu.Unlock()
			return false
		}
		for _, u := range users[:n] {
			h.loadUser(p, u)
		}
		users = users[n:]
		p.filled = last && len(users) == 0
		if p.filled {
			p.left = nil
		}
		for _, c := range h.watchers {
			if c.snap != nil {
				c.wakeUp()
			}
		}
		h.mu.Unlock()
		if len(users) == 0 {
			return !last
		}
	}
}

// loadUser adds one user. Those without uid are counted by Presence from the start, as a page
// cannot tell whether it speaks of a shard that has told its change already.
func (h *Hub) loadUser(p *present, u Online) {
	if u.NilUID {
		return
	}
	h.key = appendKey(h.key[:0], []byte(u.Tenant), []byte(u.UID), false)
	if pos, changed := p.load(h.key); changed {
		h.tellPresence(true, pos)
	}
}
