package engine

import (
	"flag"
	"fmt"
	"testing"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/packer"
)

var (
	simRuns = flag.Int("sim.runs", 10000, "random schedules of the simulation")
	simSeed = flag.Int64("sim.seed", 0, "run this schedule only")
)

// TestSimulation runs random schedules of connects, cuts, silences, polls, pushes with
// all their options, memberships, stalls, refusals and transport switches, and checks
// what chskd promises: order per user, nothing missing that is neither superseded nor run
// out nor told as a gap, nothing confirmed again, presence that alternates and
// comes before a user's first event, every buffer released, no write to a closed
// connection.
func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		simulate(t, *simSeed)
		return
	}
	// Schedules beyond the first ones that found something once.
	for _, seed := range []int64{
		30525, // a replayed poll comes before its original
	} {
		simulate(t, seed)
	}
	runs := *simRuns
	if testing.Short() {
		runs /= 20
	}
	for seed := int64(1); seed <= int64(runs); seed++ {
		simulate(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d; run it alone with -sim.seed %d", seed, seed)
		}
	}
	if s := simSeen; s.gaps == 0 || s.closes == 0 || s.polls410 == 0 || s.rejects == 0 || s.errors == 0 ||
		s.superseded == 0 || s.expired == 0 || s.topics == 0 ||
		s.refused == 0 || s.held == 0 || s.shed == 0 || s.asked == 0 || s.unanswered == 0 || s.overdue == 0 || s.notices == 0 || s.ends == 0 {
		t.Errorf("the schedules are worth little: %+v", s)
	}
}

func simulate(t simT, seed int64) {
	lent := bufpool.Live()
	w := newSimWorld(t, seed)
	w.populate()
	w.calm(false)
	w.limits.begin(w.e)
	for range 20 + w.rng.Intn(60) {
		w.step()
	}
	w.calm(true)
	w.settleDown()
	w.lastWord()
	w.checkAll()
	w.checkLimits()
	w.count()
	w.emptyOut()
	if n := bufpool.Live(); n != lent {
		w.fatalf("%d buffers were not released", n-lent)
	}
}

func (w *simWorld) populate() {
	for i := range 1 + w.rng.Intn(3) {
		u := &simUser{uid: fmt.Sprintf("u%d", i), topics: map[string]bool{}}
		w.users = append(w.users, u)
		for j := range 1 + w.rng.Intn(3) {
			c := &simClient{w: w, user: u, id: fmt.Sprintf("c%d-%d", i, j), topics: map[string]bool{}, late: -1,
				ajax: w.rng.Intn(3) == 0, packer: packer.Packer(w.rng.Intn(packer.Packers))}
			w.clients = append(w.clients, c)
		}
	}
	// Everybody is there before the first push, so that all of it is for them.
	for _, c := range w.clients {
		c.start()
	}
	w.turns(true)
	w.ackSome(0)
	w.turns(true)
	w.ackSome(0)
	w.turns(true)
	for _, c := range w.clients {
		if !c.open {
			w.fatalf("client %s has no handshake", c.id)
		}
	}
}

// calm says whether who is who is told soon and kindly.
func (w *simWorld) calm(on bool) {
	if w.verifier != nil {
		w.verifier.calm = on
	}
}

// step is one random thing that happens.
func (w *simWorld) step() {
	c := w.clients[w.rng.Intn(len(w.clients))]
	switch w.rng.Intn(16) {
	case 0, 1, 2, 3:
		for range 1 + w.rng.Intn(6) {
			w.push()
		}
	case 4:
		c.leave(false)
	case 5:
		c.leave(true)
	case 6, 7:
		if c.sock == nil {
			if w.rng.Intn(4) == 0 {
				c.ajax = !c.ajax
			}
			c.start()
		}
	case 8:
		c.say(w.rng.Intn(2) == 0)
	case 9:
		c.deaf = !c.deaf
	case 10:
		if n := len(w.strays); n > 0 {
			x := w.strays[w.rng.Intn(n)]
			w.cut(x.sock, x.loop, x.silent)
		}
	case 11:
		w.replySome()
	case 12, 13:
		w.member()
	default:
		w.turns(false)
		w.ackSome(2)
		w.advance([]uint32{0, 1, 5, 20, 30, 100, 1000, 3000}[w.rng.Intn(8)])
	}
	w.verifier.tell(false)
	if w.rng.Intn(2) == 0 {
		w.turns(false)
	}
	if w.rng.Intn(2) == 0 {
		w.ackSome(2)
	}
}

func (w *simWorld) replySome() {
	for _, token := range w.backend.tokens {
		if w.rng.Intn(2) == 0 {
			w.e.Reply(&Reply{Token: token, Value: []byte("{:ok true}")}, func(int, error) {})
		}
	}
	w.backend.tokens = w.backend.tokens[:0]
}

// settleDown brings everybody back and lets all arrive.
func (w *simWorld) settleDown() {
	for i := range 90 {
		for _, c := range w.clients {
			c.deaf = false
			if c.sock != nil && (c.sock.closed || c.sock.fin) {
				c.leave(false)
			}
			if c.sock == nil {
				c.start()
			}
		}
		w.turns(true)
		w.ackSome(0)
		// First soon, then long enough for connections that died unseen to be noticed.
		w.advance([]uint32{50, 1000, 1000}[i/40])
	}
}

// lastWord pushes one more event to all: that they get it shows what they missed before.
func (w *simWorld) lastWord() {
	w.n++
	p := &Push{All: true, Flush: true}
	w.event(p)
	ev := &simEvent{n: w.n, log: "all"}
	for _, c := range w.clients {
		c.anew = false
		c.enter(ev, nil, true, false)
	}
	w.e.Push(p, nil)
	for range 5 {
		w.turns(true)
		w.ackSome(0)
		w.advance(50)
	}
}

func (w *simWorld) checkAll() {
	for _, c := range w.clients {
		if c.expect != len(c.sent) {
			w.fatalf("client %s of %s (ajax %v) has %d of %d events: %v, to come %v", c.id, c.user.uid, c.ajax,
				c.expect, len(c.sent), tail(c.got), c.toCome())
		}
	}
	for _, u := range w.users {
		if !w.backend.present[u.uid] {
			w.fatalf("user %s is connected and not present", u.uid)
		}
	}
}

// emptyOut ends all connections and sees that nothing is left of anybody.
func (w *simWorld) emptyOut() {
	for _, c := range w.clients {
		c.leave(false)
	}
	for _, x := range w.strays {
		w.cut(x.sock, x.loop, x.silent)
	}
	w.turns(true)
	w.advance(90_000)
	w.turns(true)
	w.advance(90_000)
	for i, l := range w.e.loops {
		if n := l.sh.Counts(); n.Users+n.Sessions+n.Kept+n.Entries+n.Topics+n.Members != 0 || l.conns.live != 0 {
			w.fatalf("loop %d still has %+v and %d connections", i, n, l.conns.live)
		}
		if l.ids.Bytes() != 0 {
			w.fatalf("loop %d still holds %d bytes of ids", i, l.ids.Bytes())
		}
	}
	for uid, there := range w.backend.present {
		if there {
			w.fatalf("user %s is still present", uid)
		}
	}
}
