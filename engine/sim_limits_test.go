package engine

import (
	"encoding/binary"
	"math/rand"
	"net/netip"

	"github.com/chskd/chskd/admit"
)

// simLimits has some schedules run with limits on what is new, and with loops that fall
// behind. Clients are held then, and refused; who is there must not notice, which is what
// the other checks say. Its random numbers are its own, so that schedules stay what they
// are but for it.
type simLimits struct {
	on    bool
	begun bool // everybody is there
	rng   *rand.Rand
}

func newSimLimits(seed int64, o *Options) simLimits {
	s := simLimits{rng: rand.New(rand.NewSource(seed ^ 0x11617))}
	if s.rng.Intn(3) > 0 {
		return s
	}
	s.on = true
	if s.rng.Intn(2) == 0 {
		o.Limits.ConnsPerAddress = 9 + s.rng.Intn(4) // all clients, and some conns that died unseen
	}
	return s
}

// begin is called when everybody is there.
func (s *simLimits) begin(e *Engine) {
	s.begun = true
	if s.on {
		e.pace, e.paced = admit.NewPace(1+s.rng.Intn(5)), true
	}
}

// peer is where a conn comes from: one of few addresses.
func (s *simLimits) peer() netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|uint32(s.rng.Intn(3)))
	return netip.AddrFrom4(b)
}

// trouble has a loop find itself behind until its next turn.
func (s *simLimits) trouble(l *loop) {
	if s.on && s.begun && s.rng.Intn(10) == 0 {
		l.behind = true
	}
}

// checkLimits: what is held is held, and no more is counted than there is.
func (w *simWorld) checkLimits() {
	conns := 0
	for _, l := range w.e.loops {
		held, rated := 0, 0
		for slot := range l.conns.n {
			if c := l.conns.at(slot); c.state == sHeld {
				held++
				if x := l.conns.peekExtra(slot); x.hold.why.String() == "rate" {
					rated++
				}
			}
			if w.e.placed && l.conns.at(slot).state != sFree && l.places.at(slot).host != 0 {
				conns++
			}
		}
		if held != l.held || rated != l.heldForRate {
			w.fatalf("loop %d holds %d, %d for the rate, and counts %d and %d", l.id, held, rated, l.held, l.heldForRate)
		}
		for why := range l.m.Held {
			simSeen.held += int(l.m.Held[why].Load())
			simSeen.shed += int(l.m.Shed[why].Load())
		}
	}
	if w.e.addresses != nil && w.e.addresses.Conns() != conns {
		w.fatalf("%d connections are counted under addresses, there are %d", w.e.addresses.Conns(), conns)
	}
}
