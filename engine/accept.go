package engine

import (
	"crypto/rand"
	"log/slog"
)

// open takes a new conn in, or refuses it at the limit of file descriptors: an accept
// that fails for want of one would end the engine (hazard 1 of gnet).
func (l *loop) open(s sock) (taken bool) {
	defer l.recovered()
	l.begin()
	l.m.ConnsAccepted.Add(1)
	if !l.welcome(s) {
		l.m.ConnsDenied.Add(1)
		return false
	}
	if !l.eng.gate.Open() {
		l.m.ConnsRefused.Add(1)
		return false
	}
	slot, c, ok := l.conns.take(s)
	if !ok {
		l.eng.gate.Close(false)
		l.m.ConnsRefused.Add(1)
		return false
	}
	l.forget(slot)
	if l.opts.ProxyProtocol {
		c.state = sProxy
	} else if l.eng.placed && !l.openFrom(slot, l.net.peer(s)) {
		l.conns.put(slot)
		l.eng.gate.Close(false)
		return false
	}
	if holder, ok := s.(interface{ SetContext(any) }); ok {
		holder.SetContext(c)
	}
	l.m.ConnsNow.Add(1)
	c.since, c.fd = l.now, l.net.fd(s)
	l.armHead(slot, c)
	l.arm()
	return true
}

// forget empties what is kept beside a slot, where something is.
func (l *loop) forget(slot uint32) {
	if l.eng.placed {
		*l.places.at(slot) = place{}
	}
	if l.eng.events.on {
		*l.spoken.at(slot) = spoken{}
	}
}

// onTraffic goes on with a conn that got bytes.
func (l *loop) onTraffic(slot uint32) {
	l.begin()
	l.busyRef = makeRef(l.id, slot, l.conns.at(slot).gen)
	l.readable(slot)
	l.settle()
}

func (l *loop) readable(slot uint32) {
	defer l.recovered()
	l.traffic(slot)
	l.busyRef = 0
}

// closed is told by gnet that a conn is gone, maybe in the middle of a turn.
func (l *loop) closed(slot uint32) {
	defer l.recovered()
	l.onClose(slot)
	l.settle()
}

func (e *Engine) log() *slog.Logger { return e.opts.Log }

// seed is for the generator of reply_to secrets.
func seed() (s [32]byte) {
	if _, err := rand.Read(s[:]); err != nil {
		panic("engine: no random numbers: " + err.Error())
	}
	return s
}
