package shard_test

import (
	"slices"

	"github.com/chskd/chskd/shard"
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

// stepPoll is one thing that happens around the polls of a client.
func (w *world) stepPoll(key who, c *client) {
	p := c.poll
	switch {
	case p == nil:
		w.sendPoll(key, c, c.closed || w.rng.Intn(20) == 0)
	case !p.arrived:
		w.arrive(c, p)
	case p.answered && !p.cut:
		w.receive(key, p.answer)
		c.closed = false
		w.donePoll(c, p)
	case p.parked && w.rng.Intn(4) == 0:
		w.expirePoll(p)
	case w.rng.Intn(10) == 0: // a second tab with the same client-id
		p.other = true
		c.poll = nil
	}
}

// sendPoll sends a poll; it reaches home later.
func (w *world) sendPoll(key who, c *client, handshake bool) {
	c.udt++
	p := &pollConn{who: key, ref: w.newRef(), udt: c.udt, handshake: handshake}
	c.polls = append(c.polls, p)
	c.poll = p
}

func (w *world) arrive(c *client, p *pollConn) {
	n := w.session(p.who)
	w.revive(n)
	id, v, err := w.s.Poll(w.now, p.who.key(), p.ref, uint8(w.rng.Intn(3)), p.handshake, p.udt)
	if err != nil {
		fail("%v: %v", p.who, err)
	}
	w.named(n, id)
	p.id, p.arrived = id, true
	n.kept = false
	handshake := p.handshake || !n.entry
	if handshake != (v == 0) {
		fail("%v: verdict %d", p.who, v)
	}
	if !handshake && p.udt != n.udt {
		n.alive = true
		if n.out {
			if n.poll.other {
				// The poll was sent while this one hung: it proves nothing about its
				// answer. Two clients with one client-id cannot be told apart.
				w.receive(p.who, n.poll.answer)
			}
			w.confirm(n, n.sent)
			n.out = false
		}
	}
	w.takeBack(n)
	n.udt = p.udt
	if handshake {
		n.poll, n.open, n.entry, n.ajaxLeft, n.shook = nil, false, true, w.now, w.now
		p.answered = true
		return
	}
	if n.ws != nil {
		w.asks = append(w.asks, shard.Ask{ID: n.id, Ref: n.ws.ref})
		n.displace()
	}
	n.poll, n.open, n.inAjax = p, true, true
	p.parked = true
}

// expirePoll is home answering a poll at its deadline.
func (w *world) expirePoll(p *pollConn) {
	w.s.PollAnswered(w.now, p.id, p.ref)
	p.answered, p.parked = true, false
	if n := w.ids[p.id]; w.sessions[p.who] == n && n.open && n.poll == p {
		n.open, n.ajaxLeft = false, w.now
	}
}

// cutPoll breaks the conn of a poll. The browser may send the identical request
// again; otherwise its client believes itself closed.
func (w *world) cutPoll(c *client) {
	p := pick(w, c.polls)
	if p == nil || p.cut {
		return
	}
	w.loseConn(c, p)
	if c.poll != nil {
		return
	}
	if w.rng.Intn(2) == 0 {
		again := &pollConn{who: p.who, ref: w.newRef(), udt: p.udt, handshake: p.handshake}
		if p.udt == c.udt {
			c.polls = append(c.polls, again)
			c.poll = again
		}
		return
	}
	c.closed = true
}

func (w *world) loseConn(c *client, p *pollConn) {
	p.cut = true
	if c.poll == p {
		c.poll = nil
		c.closed = c.closed || p.answered && w.quiet
	}
	if !p.arrived {
		c.polls = slices.DeleteFunc(c.polls, func(o *pollConn) bool { return o == p })
		return
	}
	p.home = append(p.home, func() { w.pollGone(c, p) })
}

func (w *world) pollGone(c *client, p *pollConn) {
	w.s.PollGone(w.now, p.id, p.ref)
	c.polls = slices.DeleteFunc(c.polls, func(o *pollConn) bool { return o == p })
	n := w.ids[p.id]
	if w.sessions[p.who] != n || n.poll != p {
		return
	}
	n.poll = nil
	if n.open {
		n.open, n.ajaxLeft = false, w.now
	}
	w.takeBack(n)
}

// donePoll ends a poll whose answer its client has.
func (w *world) donePoll(c *client, p *pollConn) {
	c.polls = slices.DeleteFunc(c.polls, func(o *pollConn) bool { return o == p })
	c.poll = nil
}

// touch is an Ajax send.
func (w *world) touch(key who) {
	present := w.told[key.user()]
	n := w.sessions[key]
	if !present {
		n = w.session(key)
	}
	id, err := w.s.Touch(w.now, key.key())
	if err != nil {
		fail("%v: %v", key, err)
	}
	if n == nil {
		if id != 0 {
			fail("%v: touched %x, there is no session", key, id)
		}
		return
	}
	w.named(n, id)
	if !present {
		n.inAjax, n.kept, n.ajaxLeft = true, false, w.now
	}
}

// settle lets everything that is under way for a client arrive.
func (w *world) settle(c *client) {
	for busy := true; busy; {
		busy = false
		for _, x := range slices.Clone(c.ws) {
			if x.stalled {
				x.stalled = false
				x.home = append(x.home, func() {
					x.told = false
					w.s.Drained(w.now, x.id, x.ref)
				})
			}
			for len(x.inbox) > 0 {
				w.takeInbox(x)
			}
			if len(x.flight) > 0 {
				w.acknowledge(x, len(x.flight))
			}
			busy = busy || len(x.home) > 0
		}
		for _, p := range c.polls {
			if p.answered && !p.cut && len(p.home) == 0 {
				w.loseConn(c, p)
			}
			busy = busy || len(p.home) > 0
		}
		w.tellHome(c)
	}
	w.presence()
}
