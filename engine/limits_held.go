package engine

import (
	"github.com/chskd/chskd/admit"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/metrics"
)

// What is new may have to wait: a connection that asks for its first request, a handshake.
// It is held back for up to HeldMs before it is refused, because a stock `:auto` client
// whose first upgrade is refused uses Ajax for the life of its page, and because every
// stock client comes again, whatever it is told.
//
//	reason          what is over its limit                     looked at again      then
//	HoldConns       MaxConns                                   a place is free      503
//	HoldAddress     ConnsPerAddress                            one of its is free   429
//	HoldAddressRate HandshakesPerSecondPerAddress              its bucket has one   429
//	HoldRate        HandshakesPerSecond                        the pace has one     503
//	HoldBehind      this loop is behind (overload.go)          it has caught up     503
//
// The first two are of a connection: they are asked when its first head has come, or, of
// one that a proxy shares among many clients, at its upgrade. The others are of handshakes:
// upgrades, and polls that ask for one. All are asked before who it is: a limit is there
// to spare us that, too. Who has been let in is never asked again, so that no limit ends
// what is old.
//
// Of conns that have asked for nothing yet an address may have as many more, and a few: at
// the accept those beyond are closed (admit.Addresses.Open).
//
// A request that is held stays in gnet's buffer, and is read from its head when it goes
// on. One that is not there any more, for its body came apart from its head, is refused at
// once. There is room for HeldConns; beyond them likewise. Those that wait for their own
// address may take half of it, so that one address does not shut all others out.

// heldCheckMs is how often a held request is looked at. They are so in the order in which
// they came, so that none is passed over for ever.
const heldCheckMs = 50

// hold is what a held request waits for. It is in extra until its answer is out.
type hold struct {
	why    metrics.Hold
	begun  bool // at is valid
	at     uint32
	host   admit.Host // HoldAddressRate: whose
	passed passed
}

// passed is what a request that was held needs not be asked again.
type passed uint8

const (
	passedCount passed = 1 << iota // among the requests
	passedAddressRate
	passedRate
)

// admit gives a conn its place among those that are served.
func (l *loop) admit(slot uint32, c *conn) bool {
	if !l.serveFrom(slot) {
		l.hold(slot, c, metrics.HoldAddress, 0, 0)
		return false
	}
	if l.eng.gate.Serve() {
		c.flags |= fServed
		return true
	}
	l.hold(slot, c, metrics.HoldConns, 0, 0)
	return false
}

// mayShake says whether a handshake may go on now; if not, it is held, or answered.
func (l *loop) mayShake(slot uint32, c *conn, h *httpmin.Head) bool {
	if !l.eng.paced && !l.behind {
		return true
	}
	before := passed(0)
	if x := l.conns.peekExtra(slot); x != nil {
		if x.grant != nil {
			return true // it was let through before it waited for its identity
		}
		before = x.hold.passed
	}
	before |= passedCount
	if l.behind {
		l.hold(slot, c, metrics.HoldBehind, 0, before)
		return false
	}
	host := admit.Host(0)
	if l.eng.addresses != nil {
		var ok bool
		if host, ok = l.countShared(slot, h); !ok {
			l.shed(slot, c, metrics.HoldAddress)
			return false
		}
		if !l.serveFrom(slot) {
			l.hold(slot, c, metrics.HoldAddress, 0, before)
			return false
		}
		if before&passedAddressRate == 0 && l.opts.Limits.HandshakesPerAddress > 0 &&
			!l.eng.addresses.Handshake(host, l.now) {
			l.hold(slot, c, metrics.HoldAddressRate, host, before)
			return false
		}
	}
	// Who is held comes before who is new.
	if before&passedRate == 0 && (l.heldForRate > 0 || !l.eng.pace.Take(l.now)) {
		l.hold(slot, c, metrics.HoldRate, host, before|passedAddressRate)
		return false
	}
	return true
}

// hold has a request wait, or refuses it at once.
func (l *loop) hold(slot uint32, c *conn, why metrics.Hold, host admit.Host, done passed) {
	kept := c.state == sBody // not in gnet's buffer any more
	first := true
	if x := l.conns.peekExtra(slot); x != nil {
		first = !x.hold.begun
	}
	room := l.opts.Limits.HeldConns/len(l.eng.loops) + 1
	if why == metrics.HoldAddress || why == metrics.HoldAddressRate {
		room = (room + 1) / 2
	}
	if kept || (first && l.held >= room) {
		l.shed(slot, c, why)
		return
	}
	x := l.conns.extra(slot)
	x.hold.why, x.hold.host, x.hold.passed = why, host, x.hold.passed|done
	if first {
		x.hold.begun, x.hold.at = true, l.now
		l.timers.held.Push(l.conns.timer(slot), l.now+l.opts.Limits.HeldMs)
	}
	if why == metrics.HoldConns {
		l.m.ConnsHeld.Add(1)
	}
	l.m.Held[why].Add(1)
	if why == metrics.HoldRate {
		l.heldForRate++
	}
	l.held++
	c.state, c.since = sHeld, l.now
	l.timers.heldTry.Push(l.conns.timer(slot), l.now+heldCheckMs)
}

// unhold ends the wait of a conn in sHeld.
func (l *loop) unhold(slot uint32) {
	l.held--
	if x := l.conns.peekExtra(slot); x != nil && x.hold.begun && x.hold.why == metrics.HoldRate {
		l.heldForRate--
	}
}

// heldTryDue looks whether a held request may go on now.
func (l *loop) heldTryDue(slot uint32, c *conn) {
	x := l.conns.peekExtra(slot)
	if c.state != sHeld || x == nil || !x.hold.begun {
		return // another life of the conn, or held while going down
	}
	if !l.mayGoOn(slot, c, &x.hold) {
		l.timers.heldTry.Push(l.conns.timer(slot), l.now+heldCheckMs)
		return
	}
	l.unhold(slot)
	x.hold.why = metrics.HoldConns // none: it is not held
	c.state, c.since = sHead, l.now
	l.traffic(slot)
}

// mayGoOn asks again what a request is held for, and takes it.
func (l *loop) mayGoOn(slot uint32, c *conn, w *hold) bool {
	switch w.why {
	case metrics.HoldConns:
		if !l.eng.gate.Serve() {
			return false
		}
		c.flags |= fServed
	case metrics.HoldAddress:
		return l.serveFrom(slot)
	case metrics.HoldAddressRate:
		if !l.eng.addresses.Handshake(w.host, l.now) {
			return false
		}
		w.passed |= passedAddressRate
	case metrics.HoldRate:
		if !l.eng.pace.Take(l.now) {
			return false
		}
		w.passed |= passedRate
	case metrics.HoldBehind:
		return !l.behind
	}
	return true
}

// heldDue gives a held request up.
func (l *loop) heldDue(slot uint32, c *conn) {
	x := l.conns.peekExtra(slot)
	if c.state != sHeld || x == nil || !x.hold.begun || l.passed(x.hold.at) < l.opts.Limits.HeldMs {
		return
	}
	l.unhold(slot)
	l.shed(slot, c, x.hold.why)
}

// shedAnswer is what a request is told that has waited for nothing.
var shedAnswers = [metrics.Holds]struct {
	status int
	text   string
}{
	metrics.HoldConns:       {503, "The server has as many connections as it may"},
	metrics.HoldAddress:     {429, "Your address has as many connections as it may"},
	metrics.HoldAddressRate: {429, "Too many handshakes from your address"},
	metrics.HoldRate:        {503, "Too many handshakes at once"},
	metrics.HoldBehind:      {503, "The server has too much to do"},
}

// shed refuses what is new. Retry-After is for programs; stock clients have their own
// times.
func (l *loop) shed(slot uint32, c *conn, why metrics.Hold) {
	if why == metrics.HoldConns {
		l.m.ConnsShed.Add(1)
	}
	l.m.Shed[why].Add(1)
	c.state = sHead
	q := request{close: true, minor: 1}
	answer := &shedAnswers[why]
	l.respond(slot, c, &q, httpmin.Response{Status: answer.status, ContentType: httpmin.TypeText,
		RetryAfter: 10}, []byte(answer.text))
}
