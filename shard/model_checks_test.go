package shard_test

import (
	"slices"

	"github.com/chskd/chskd/shard"
)

// mayBeGone tells whether an event may have left its log: it is too old, or
// enough came after it.
func (w *world) mayBeGone(e *event) bool {
	if int32(w.now-e.at) >= int32(w.cfg.LogAge) {
		return true
	}
	count, bytes, all := 0, e.size, e.size
	for _, later := range w.events {
		if later.seq <= e.seq {
			continue
		}
		all += later.size
		if later.log == e.log {
			count++
			bytes += later.size
		}
	}
	return count >= w.cfg.LogEntries || bytes > w.cfg.LogBytes || all > w.cfg.ShardBytes
}

// delivered checks a delivery against the reference, and counts it as sent.
func (w *world) delivered(d *shard.Delivery) *nsession {
	n := w.ids[d.ID]
	if n == nil || w.sessions[n.who] != n {
		fail("a delivery to the session %x that is gone", d.ID)
	}
	switch {
	case n.ended || n.await != nil:
		fail("%v: a delivery while it is ended or waits for a report", n.who)
	case n.ws != nil && (d.Ajax || d.Ref != n.ws.ref || d.Packer != n.ws.packer):
		fail("%v: a delivery to %d, bound to %d", n.who, d.Ref, n.ws.ref)
	case n.ws != nil && n.ws.told:
		fail("%v: a delivery to a stalled conn", n.who)
	case n.ws == nil && (!n.open || !d.Ajax || d.Ref != n.poll.ref):
		fail("%v: a delivery to %d, no such poll is open", n.who, d.Ref)
	case d.From != n.sent || d.To <= d.From || n.sent < n.confirmed:
		fail("%v: a delivery %d..%d, sent %d, confirmed %d", n.who, d.From, d.To, n.sent, n.confirmed)
	case d.Ajax && n.upTo != 0 && d.To > n.upTo:
		fail("%v: a replayed poll gets %d..%d, its original got up to %d", n.who, d.From, d.To, n.upTo)
	}
	w.content(n, d)
	w.pace(n, d)
	n.sent = d.To
	if d.Ajax {
		n.open, n.out, n.ajaxLeft = false, true, w.now
	} else if w.cfg.ConfirmOnSend {
		w.settles = append(w.settles, settling{n: n, seq: d.To, due: w.now + 1000, turn: n.turn})
	}
	return n
}

// content checks that a delivery is exactly the next stretch of the list.
func (w *world) content(n *nsession, d *shard.Delivery) {
	var stretch []*event
	for _, e := range n.want {
		switch {
		case e.seq <= d.From || e.seq > d.To:
		case w.over(e):
			w.passed[e] = true
		default:
			stretch = append(stretch, e)
		}
	}
	if d.Run == nil {
		if d.Missed != uint64(len(stretch)) || d.Missed == 0 {
			fail("%v: %d missed in %d..%d, not %d", n.who, len(stretch), d.From, d.To, d.Missed)
		}
		for _, e := range stretch {
			if !w.mayBeGone(e) {
				fail("%v: event %d is given up without need", n.who, e.id)
			}
			w.missed[n.who][e.id] = true
		}
		return
	}
	size := 0
	var ids []int
	for i, e := range d.Run.Entries {
		got := e.Payload.(*event)
		if i >= len(stretch) || got != stretch[i] || e.Seq != got.seq || got.refs < 1 {
			fail("%v: event %d at %d, in %d..%d", n.who, got.id, e.Seq, d.From, d.To)
		}
		size += got.size
		ids = append(ids, got.id)
	}
	if len(ids) != len(stretch) || len(ids) == 0 || len(ids) > w.cfg.BatchEvents ||
		size > w.cfg.BatchBytes && len(ids) > 1 {
		fail("%v: %d events, %d bytes, of %d", n.who, len(ids), size, len(stretch))
	}
	if p := d.Run.Sealed[d.Packer]; p == nil {
		b := &event{id: -1, refs: 1, of: ids}
		w.all = append(w.all, b)
		d.Run.Sealed[d.Packer] = b
	} else if !slices.Equal(p.(*event).of, ids) {
		fail("%v: sealed %v, but it gets %v", n.who, p.(*event).of, ids)
	}
}

// pace checks that no stretch of Pace ms has more than BatchEvents events.
func (w *world) pace(n *nsession, d *shard.Delivery) {
	count := uint32(1)
	if d.Run != nil {
		count = uint32(len(d.Run.Entries))
	}
	recent, sum := n.paced[:0], count
	for _, p := range n.paced {
		if w.now-p.at < w.cfg.Pace {
			recent = append(recent, p)
			sum += p.n
		}
	}
	n.paced = append(recent, struct{ at, n uint32 }{w.now, count})
	if w.cfg.Pace > 0 && int(sum) > w.cfg.BatchEvents {
		fail("%v: %d events in %d ms", n.who, sum, w.cfg.Pace)
	}
}

// punctual takes all deliveries that there are, and checks that nothing is left
// for a session that could be sent something but what waits for a window or a
// pace.
func (w *world) punctual() {
	w.turn(1 << 20)
	for key, n := range w.sessions {
		blocked := n.ended || n.await != nil || n.ws == nil && !n.open || n.ws != nil && n.ws.told
		for _, p := range n.paced {
			blocked = blocked || w.now-p.at < 2*w.cfg.Pace // one since it was looked at
		}
		for _, e := range n.want {
			if n.ws == nil && n.upTo != 0 && e.seq > n.upTo {
				continue // it would be lost if the answer before is the one that arrives
			}
			if !blocked && !w.waits(e.log) && e.seq > n.sent && !w.over(e) {
				fail("%v: event %d is late", key, e.id)
			}
		}
	}
}

// waits tells whether a log may have a window open with something to flush.
func (w *world) waits(log string) bool {
	for i := len(w.events) - 1; i >= 0; i-- {
		if e := w.events[i]; e.log == log {
			return w.now-e.at < max(w.cfg.FlushWS, w.cfg.FlushAjax)
		}
	}
	return false
}

// advance moves the clock and ends graces and keeping, as told by the times.
func (w *world) advance(ms uint32) {
	w.now += ms
	w.s.Advance(w.now)
	over := func(since, delay uint32) bool { return int32(w.now-since-delay) >= 0 }
	for key, n := range w.sessions {
		if n.kept {
			if over(n.keptAt, w.cfg.Keep) {
				delete(w.sessions, key)
			}
			continue
		}
		if n.inWS && n.ws == nil && len(n.crowd) == 0 && over(n.wsLeft, w.cfg.WSGrace) {
			n.inWS = false
		}
		if (n.inAjax || n.entry) && !n.open && over(n.ajaxLeft, w.cfg.AjaxGrace) {
			w.takeBack(n)
			n.inAjax, n.entry = false, false
			w.rebind(n)
		}
		if n.present() || n.entry {
			continue
		}
		if n.alive && !n.ended && w.cfg.Keep > 0 {
			n.kept, n.keptAt = true, w.now
		} else {
			delete(w.sessions, key)
		}
	}
	w.prune()
	for len(w.settles) > 0 && over(w.settles[0].due, 0) {
		m := w.settles[0]
		w.settles = w.settles[1:]
		if w.sessions[m.n.who] == m.n && m.turn == m.n.turn {
			w.confirm(m.n, m.seq)
		}
	}
	w.presence()
}

// presence takes the shard's changes and compares the state that they lead to.
func (w *world) presence() {
	w.tellOwners()
	var p shard.Presence
	for w.s.NextPresence(&p) {
		u := who{tenant: string(p.Tenant), uid: string(p.UID), nilUID: p.NilUID}
		if w.told[u] == p.Open {
			fail("%v: told %v twice", u, p.Open)
		}
		w.told[u] = p.Open
	}
	is := map[who]bool{}
	for key, n := range w.sessions {
		if n.present() {
			is[key.user()] = true
		}
	}
	for u, open := range w.told {
		if open != is[u] {
			fail("%v: told %v, is %v", u, open, is[u])
		}
		delete(is, u)
	}
	for u := range is {
		fail("%v: present and never told", u)
	}
}
