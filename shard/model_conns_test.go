package shard_test

import (
	"slices"
)

// What clients and the owners of their conns do in the model.

func (w *world) newRef() uint64 {
	w.refs++
	return w.refs
}

// openWS attaches a new WebSocket; an older one of the client is displaced.
func (w *world) openWS(key who) {
	c := w.clients[key]
	if len(c.ws) > 3 && !w.quiet {
		return
	}
	x := &wsConn{who: key, ref: w.newRef(), since: w.now, packer: uint8(w.rng.Intn(3))}
	if w.rng.Intn(3) == 0 && !w.quiet {
		x.since -= uint32(w.rng.Intn(100)) // the message was slow
	}
	c.ws = append(c.ws, x)
	n := w.session(key)
	w.revive(n)
	id, displaced, err := w.s.AttachWSSince(w.now, x.since, key.key(), x.ref, x.packer)
	if err != nil {
		fail("%v: %v", key, err)
	}
	w.named(n, id)
	x.id = id
	if n.ws != nil && int32(x.since-n.ws.since) < 0 ||
		n.ws == nil && n.entry && int32(x.since-n.shook) < 0 {
		if displaced != 0 {
			fail("%v: a conn of %d displaced one of %d", key, x.since, n.ws.since)
		}
		n.join(x)
		n.inWS, n.kept = true, false
		return
	}
	if (n.ws == nil) != (displaced == 0) || n.ws != nil && displaced != n.ws.ref {
		fail("%v: displaced %d", key, displaced)
	}
	if old := n.ws; old != nil {
		n.displace()
		// The owner is asked behind the deliveries that are under way.
		old.inbox = append(old.inbox, shardAsk)
		old.runs = append(old.runs, nil)
	}
	w.takeBack(n)
	n.ws, n.inWS, n.kept, n.entry = x, true, false, false
}

// ownWS is one thing that happens at the owner of a WebSocket, or at its peer.
func (w *world) ownWS(x *wsConn) {
	if x == nil {
		return
	}
	switch r := w.rng.Intn(10); {
	case r < 5:
		w.takeInbox(x)
	case r < 8 && len(x.flight) > 0:
		w.acknowledge(x, 1+w.rng.Intn(len(x.flight)))
	case r == 8 && !w.quiet && !x.stalled:
		x.stalled = true
		seq := x.sent
		x.home = append(x.home, func() { w.stalledAt(x, seq) })
	case r == 9 && x.stalled:
		x.stalled = false
		x.home = append(x.home, func() {
			x.told = false
			w.s.Drained(w.now, x.id, x.ref)
		})
	}
}

func (w *world) stalledAt(x *wsConn, seq uint64) {
	w.s.Stalled(x.id, x.ref, seq)
	n := w.ids[x.id]
	if w.sessions[x.who] != n || n.ws != x {
		return
	}
	x.told = true
	if n.await == nil && !n.ended {
		n.goTo(min(n.sent, max(n.confirmed, seq)))
	}
}

// takeInbox is the owner taking one message of home.
func (w *world) takeInbox(x *wsConn) {
	if len(x.inbox) == 0 {
		return
	}
	d, ids := x.inbox[0], x.runs[0]
	x.inbox, x.runs = x.inbox[1:], x.runs[1:]
	if d == shardAsk {
		seq := x.acked
		x.home = append(x.home, func() { w.displaced(x, seq) })
		return
	}
	if d == shardRebound {
		x.sent, x.fixed, x.acked = 0, false, 0
		for _, f := range x.flight {
			x.loose = append(x.loose, f.ids...)
		}
		x.flight = nil
		if x.stalled {
			x.home = append(x.home, func() { w.stalledAt(x, 0) })
		}
		return
	}
	if !x.fixed { // the first delivery says where it stands, taken or not
		x.sent, x.fixed = d.From, true
	}
	if x.stalled || x.sent != d.From {
		return
	}
	x.sent = d.To
	x.flight = append(x.flight, step{to: d.To, ids: ids})
}

// acknowledge lets the peer have the first n deliveries of the flight.
func (w *world) acknowledge(x *wsConn, n int) {
	for _, f := range x.flight[:n] {
		w.receive(x.who, f.ids)
		x.acked, x.live = f.to, true
	}
	x.flight = slices.Clone(x.flight[n:])
	if w.rng.Intn(2) == 0 || w.quiet {
		seq := x.acked
		x.home = append(x.home, func() { w.confirmedBy(x, seq) })
	}
}

func (w *world) receive(key who, ids []int) {
	for _, id := range ids {
		w.got[key][id] = true
	}
}

func (w *world) confirmedBy(x *wsConn, seq uint64) {
	w.s.Confirm(x.id, x.ref, seq)
	n := w.ids[x.id]
	if w.sessions[x.who] != n {
		return
	}
	if n.await == x || n.await == nil && n.ws == x {
		n.alive = true
		w.confirm(n, seq)
	}
}

func (w *world) displaced(x *wsConn, seq uint64) {
	w.s.Displaced(w.now, x.id, x.ref, seq)
	if n := w.ids[x.id]; w.sessions[x.who] == n && n.await == x {
		w.known(n, seq)
	}
}

// closeWS breaks a WebSocket: the peer may have had some of the flight, and its
// kernel said so; the rest is lost, and what is in the inbox too.
func (w *world) closeWS(x *wsConn) {
	if x == nil || x.closed {
		return
	}
	x.closed = true
	for _, f := range x.flight[:w.rng.Intn(len(x.flight)+1)] {
		w.receive(x.who, f.ids)
		x.acked, x.live = f.to, true
	}
	if len(x.flight) > 0 && w.rng.Intn(2) == 0 {
		// The next may have arrived whole without the acknowledgement.
		for _, f := range x.flight {
			if f.to > x.acked {
				w.receive(x.who, f.ids)
				break
			}
		}
	}
	w.receive(x.who, x.loose[:w.rng.Intn(len(x.loose)+1)])
	x.inbox, x.runs, x.flight, x.loose = nil, nil, nil, nil
	seq, live := x.acked, x.live || w.rng.Intn(4) == 0
	x.home = append(x.home, func() { w.detached(x, seq, live) })
}

func (w *world) detached(x *wsConn, seq uint64, live bool) {
	w.s.DetachWS(w.now, x.id, x.ref, seq, live)
	c := w.clients[x.who]
	c.ws = slices.DeleteFunc(c.ws, func(o *wsConn) bool { return o == x })
	n := w.ids[x.id]
	if w.sessions[x.who] != n {
		fail("%v: the session went before its conn", x.who)
	}
	if n.ws == x {
		n.ws = nil
		switch n.await {
		case nil:
			w.confirm(n, seq)
			n.rewind()
		case x:
			w.known(n, seq)
		}
	} else {
		n.crowd = slices.DeleteFunc(n.crowd, func(o *wsConn) bool { return o == x })
		if n.await == x {
			w.known(n, seq)
		}
	}
	n.alive = n.alive || live
	w.rebind(n)
	if n.ws == nil && len(n.crowd) == 0 {
		n.wsLeft = w.now
	}
	if w.rng.Intn(4) == 0 { // said twice
		w.s.DetachWS(w.now, x.id, x.ref, seq, false)
	}
}
