package shard_test

import (
	"slices"

	"github.com/chskd/chskd/shard"
)

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
	n.upTo = 0
	if !handshake && p.udt == n.udt && n.out {
		n.upTo = n.sent
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
