package shard_test

import "slices"

// rest brings everything to an end: first every session gets a conn that takes
// all, then all conns close, and nothing may be left.
func (w *world) rest() {
	w.punctual()
	w.quiet = true
	for _, key := range w.keys {
		w.settle(w.clients[key])
	}
	for _, key := range w.keys {
		if w.sessions[key] != nil {
			w.openWS(key)
			w.settle(w.clients[key])
		}
	}
	w.drain()
	// A session that something was kept from stands before it until it gets
	// something else.
	for _, tenant := range []string{"", "t", "u"} {
		e := w.newEvent()
		w.pushed(e, "all"+tenant, func(n *nsession) bool { return n.who.tenant == tenant })
		w.s.PushAll(w.now, []byte(tenant), e, true, nil)
	}
	w.drain()
	for key, n := range w.sessions {
		for _, e := range n.want {
			if e.seq > n.sent && !w.over(e) {
				fail("%v: event %d never came, sent %d", key, e.id, n.sent)
			}
		}
	}
	if c := w.s.Counts(); c.Entries != 0 || c.LogBytes != 0 {
		fail("all is confirmed, and there is left %+v", c)
	}
	for _, key := range w.keys {
		c := w.clients[key]
		for len(c.ws) > 0 {
			w.closeWS(c.ws[0])
			w.settle(c)
		}
		for _, p := range slices.Clone(c.polls) {
			w.loseConn(c, p)
		}
		w.settle(c)
	}
	for range 3 {
		w.advance(max(w.cfg.Keep, 5000))
	}
	w.drain()
	if c := w.s.Counts(); c.Sessions != 0 || c.Users != 0 || c.Kept != 0 || len(w.sessions) != 0 {
		fail("all are gone, and there is left %+v, %d", c, len(w.sessions))
	}
	if left := w.s.Left(); left != "" {
		fail("all are gone, and there is left: %s", left)
	}
	w.counted()
	for _, e := range w.all {
		if e.refs != 0 {
			fail("event %d of %v has %d references left", e.id, e.of, e.refs)
		}
	}
}

// drain goes on until the shard waits for nothing but graces and old age.
func (w *world) drain() {
	for range 2000 {
		w.turn(1 << 20)
		for _, key := range w.keys {
			w.settle(w.clients[key])
		}
		due, ok := w.s.Due()
		if !ok || int32(due-w.now) > 200 {
			return
		}
		w.advance(max(0, due-w.now))
	}
	fail("the shard never comes to rest")
}
