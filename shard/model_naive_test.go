package shard_test

import (
	"fmt"
	"slices"

	"github.com/chskd/chskd/shard"
)

// The naive reference: every session has the list of all events that it should
// get, and two positions in it. No logs, no slabs, no sharing.

// event is a pushed event, or a batch made of several; it counts its references.
type event struct {
	id   int
	size int
	refs int
	seq  uint64 // 0 if nobody followed
	at   uint32
	log  string // which log it is in
	of   []int  // a sealed batch: the events in it
}

func (e *event) Len() int { return e.size }

func (e *event) Release() {
	e.refs--
	if e.refs < 0 {
		fail("event %d released twice", e.id)
	}
}

// broken is a failed check of the model.
type broken string

func fail(format string, a ...any) { panic(broken(fmt.Sprintf(format, a...))) }

// nsession is a session as the reference sees it.
type nsession struct {
	who  who
	id   shard.SessionID
	want []*event // everything that it should get, from its beginning

	sent, confirmed uint64

	ws    *wsConn // bound
	crowd []*wsConn
	await *wsConn
	poll  *pollConn // the newest
	open  bool      // and it is unanswered
	out   bool      // and its answer is unconfirmed

	inWS, inAjax, entry, kept, alive, ended bool
	wsLeft, ajaxLeft, keptAt, shook         uint32
	udt                                     uint64
	turn                                    int // how often sent went back

	paced []struct{ at, n uint32 } // what it was sent in the last Pace
}

// who names a session.
type who struct {
	tenant, uid, client string
	nilUID              bool
}

func (w who) user() who { return who{tenant: w.tenant, uid: w.uid, nilUID: w.nilUID} }

func (w who) key() shard.Key {
	return shard.Key{
		Tenant: []byte(w.tenant), UID: []byte(w.uid), Client: []byte(w.client), NilUID: w.nilUID,
	}
}

func (n *nsession) present() bool { return n.inWS || n.inAjax }

func (n *nsession) rewind() { n.goTo(n.confirmed) }

func (n *nsession) goTo(sent uint64) {
	if n.sent != sent {
		n.sent = sent
		n.turn++
	}
}

// settling is a delivery that confirms itself (Config.ConfirmOnSend).
type settling struct {
	n    *nsession
	seq  uint64
	due  uint32
	turn int
}

// confirm moves confirmed up; what it passes must have reached the client, or
// have been given up.
func (w *world) confirm(n *nsession, seq uint64) {
	seq = min(seq, n.sent)
	if seq <= n.confirmed || n.ended {
		return
	}
	for _, e := range n.want {
		if w.cfg.ConfirmOnSend {
			break // then nobody asks the client
		}
		if e.seq > n.confirmed && e.seq <= seq && !w.got[n.who][e.id] && !w.missed[n.who][e.id] {
			fail("%v: event %d is confirmed, its client never had it", n.who, e.id)
		}
	}
	n.confirmed = seq
}

// revive is what every verb that brings a session back does first.
func (w *world) revive(n *nsession) {
	if n.ended {
		n.ended = false
		n.want = nil
		n.sent, n.confirmed = w.seq, w.seq
	}
}

func (w *world) takeBack(n *nsession) {
	if n.out {
		n.out = false
		n.rewind()
	}
}

// session returns the session of a key, a new one if there is none.
func (w *world) session(key who) *nsession {
	n := w.sessions[key]
	if n == nil {
		n = &nsession{who: key, sent: w.seq, confirmed: w.seq}
		w.sessions[key] = n
	}
	return n
}

// named checks the id that a verb returned for a session.
func (w *world) named(n *nsession, id shard.SessionID) {
	if n.id == 0 {
		if w.ids[id] != nil {
			fail("%v: the id %x was used before", n.who, id)
		}
		n.id = id
		w.ids[id] = n
	}
	if n.id != id {
		fail("%v: id %x, was %x", n.who, id, n.id)
	}
}

// displace puts the bound conn into the crowd.
func (n *nsession) displace() {
	n.ws.told = false
	n.join(n.ws)
	if n.await == nil && n.sent != n.confirmed {
		n.await = n.ws
	}
	n.ws = nil
}

// join puts a conn into the crowd, which is in the order of age.
func (n *nsession) join(x *wsConn) {
	n.crowd = append(n.crowd, x)
	slices.SortStableFunc(n.crowd, func(a, b *wsConn) int { return int(int32(a.since - b.since)) })
}

// rebind gives a session without carrier the youngest of its displaced conns.
func (w *world) rebind(n *nsession) {
	if n.ws != nil || n.open || n.entry || n.inAjax || len(n.crowd) == 0 {
		return
	}
	n.ws = n.crowd[len(n.crowd)-1]
	n.crowd = n.crowd[:len(n.crowd)-1]
	w.asks = append(w.asks, shard.Ask{ID: n.id, Ref: n.ws.ref, Rebound: true})
}

// tellOwners takes the shard's words to owners, compares them, and puts them
// behind the deliveries that are under way.
func (w *world) tellOwners() {
	var a shard.Ask
	var got []shard.Ask
	for w.s.NextAsk(&a) {
		got = append(got, a)
		word := shardAsk
		if a.Rebound {
			word = shardRebound
		}
		for _, x := range w.clients[w.ids[a.ID].who].ws {
			if x.ref == a.Ref {
				x.inbox = append(x.inbox, word)
				x.runs = append(x.runs, nil)
			}
		}
	}
	slices.SortFunc(got, func(a, b shard.Ask) int { return int(a.Ref) - int(b.Ref) })
	slices.SortFunc(w.asks, func(a, b shard.Ask) int { return int(a.Ref) - int(b.Ref) })
	if !slices.Equal(got, w.asks) {
		fail("owners are told %v, want %v", got, w.asks)
	}
	w.asks = w.asks[:0]
}

// known ends the wait for a displaced conn.
func (w *world) known(n *nsession, confirmed uint64) {
	n.await = nil
	w.confirm(n, confirmed)
	n.rewind()
}

// pushed enters an event into the lists of its audience.
func (w *world) pushed(e *event, log string, audience func(*nsession) bool) (reach int) {
	e.log, e.at = log, w.now
	followed := false
	for _, n := range w.sessions {
		if !n.ended && audience(n) {
			followed = true
			n.want = append(n.want, e)
			if n.present() {
				reach++
			}
		}
	}
	if followed {
		w.seq++
		e.seq = w.seq
		w.events = append(w.events, e)
	}
	return reach
}

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
		if e.seq > d.From && e.seq <= d.To {
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
