package engine

import "github.com/chskd/chskd/admit"

// The limits on peers, where each is met:
//
//	limits_held.go    connections and handshakes: what is new waits, then is refused
//	limits_events.go  what a client may say, and make us say
//	address.go        whose limit it is: who is at the other end
//	overload.go       when there is too much to do
//	options.go        all of them, with their defaults
//
// Those of lengths and times are met where the bytes are read (http.go, ws.go) and in
// keepalive.go.

// codePolicy closes a WebSocket whose client goes beyond a limit (RFC 6455 §7.4.1).
const codePolicy = 1008

// framesMost is the largest Limits.Frames: a reader counts one more.
const framesMost = 1<<16 - 2

// limit makes what the limits need that are on; a limit that is off costs a look at one
// of these fields.
func (e *Engine) limit() {
	o, m := &e.opts, &e.opts.Limits
	e.events = eventLimitsOf(m)
	m.Frames = min(m.Frames, framesMost)
	if m.ConnsPerAddress > 0 || m.HandshakesPerAddress > 0 {
		// Room for every connection there can be, and for those who only try.
		const tries = 1 << 16
		e.addresses = admit.NewAddresses(m.ConnsPerAddress, m.HandshakesPerAddress,
			m.MaxConns+m.HeldConns+tries)
	}
	e.pace = admit.NewPace(m.HandshakesPerSecond)
	e.paced = e.pace != nil || e.addresses != nil
	e.placed = o.ProxyProtocol || m.ConnsPerAddress > 0
	e.located = o.Trusted != nil || o.Verifier != nil || o.ProxyProtocol
}
