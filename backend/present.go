package backend

import (
	"errors"
	"time"
)

// present is the set of users that are online, kept only while a consumer follows presence (some
// 100 bytes a user). Positions are stable while a user stays, so that a snapshot can be told piece
// by piece: a change at a position behind the snapshot is told at once, one ahead is left to it.
//
// The set begins empty and is filled from the engine's pages while changes already come in. A page
// may be older than a change that came before it: whoever changed since the start is known by the
// change, and pages say nothing new about it. Owner: the hub's mutex.
type present struct {
	index  map[string]uint32
	keys   []*[keysChunk]string // by position; "" = free
	free   []uint32
	used   uint32 // positions ever given
	filled bool   // all pages are in

	left map[string]struct{} // users that left while the pages came in
}

const keysChunk = 4096

func newPresent() *present {
	return &present{index: map[string]uint32{}, left: map[string]struct{}{}}
}

// set takes a change. pos is where the user is or was; changed is false when nothing is new.
func (p *present) set(key []byte, open bool) (pos uint32, changed bool) {
	if !p.filled {
		if open {
			delete(p.left, string(key))
		} else {
			p.left[string(key)] = struct{}{}
		}
	}
	pos, there := p.index[string(key)]
	switch {
	case open == there:
		return pos, false
	case open:
		return p.add(string(key)), true
	}
	delete(p.index, string(key))
	*p.at(pos) = ""
	p.free = append(p.free, pos)
	return pos, true
}

// load takes a user from a page.
func (p *present) load(key []byte) (pos uint32, changed bool) {
	if _, left := p.left[string(key)]; left {
		return 0, false
	}
	if _, there := p.index[string(key)]; there {
		return 0, false
	}
	return p.add(string(key)), true
}

func (p *present) add(key string) (pos uint32) {
	if n := len(p.free); n > 0 {
		pos = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		pos = p.used
		if pos%keysChunk == 0 {
			p.keys = append(p.keys, new([keysChunk]string))
		}
		p.used++
	}
	*p.at(pos) = key
	p.index[key] = pos
	return pos
}

func (p *present) at(pos uint32) *string { return &p.keys[pos/keysChunk][pos%keysChunk] }

// appendKey writes a user as a key: nil mark, length of the tenant, tenant, uid.
func appendKey(dst, tenant, uid []byte, nilUID bool) []byte {
	mark := byte(1) // never empty, never 0
	if nilUID {
		mark, uid = 2, nil
	}
	dst = append(dst, mark, byte(len(tenant)), byte(len(tenant)>>8))
	return append(append(dst, tenant...), uid...)
}

func splitKey(key string) (tenant, uid string, nilUID bool) {
	n := 3 + (int(key[1]) | int(key[2])<<8)
	return key[3:n], key[n:], key[0] == 2
}

// track starts the set for the first that follows presence.
func (h *Hub) track() {
	if h.present != nil {
		return
	}
	p := newPresent()
	h.present = p
	h.tracking.Store(true)
	for tenant := range h.nilUsers {
		h.key = appendKey(h.key[:0], []byte(tenant), nil, true)
		p.set(h.key, true)
	}
	go h.fill(p)
}

// scan appends the next part of a consumer's snapshot to a batch. more: it can go on at once.
func (h *Hub) scan(batch []entry, c *consumer) (_ []entry, more bool) {
	if c.resync {
		batch = append(batch, entry{only: kindResync})
		c.resync = false
	}
	p := h.present
	told := 0
	for looked := 0; c.scan < p.used; c.scan++ {
		if told == scanChunk || looked == 16*scanChunk {
			return batch, true
		}
		looked++
		key := *p.at(c.scan)
		if key == "" {
			continue
		}
		tenant, uid, nilUID := splitKey(key)
		slot := slotOf([]byte(tenant), []byte(uid), nilUID, nil)
		if !c.follows(slot) {
			continue
		}
		it := newItem(kindOpen, []byte(tenant), []byte(uid), nilUID)
		it.slot = slot
		batch = append(batch, c.queue.hand(it))
		told++
	}
	if p.filled {
		c.scanning = false
		batch = append(batch, entry{only: kindLive})
	}
	return batch, false
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
			if c.scanning {
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
		h.tellPresence(true, []byte(u.Tenant), []byte(u.UID), false, pos)
	}
}
