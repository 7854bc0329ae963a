package engine

import (
	"log/slog"
	"math/rand"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
)

// simWorld is an engine whose loops run in turn under one random generator: the same
// seed gives the same run.
type simWorld struct {
	t       simT
	seed    int64
	rng     *rand.Rand
	now     uint32
	e       *Engine
	wanted  []bool // loop wants a turn
	backend *simBackend
	users   []*simUser
	clients []*simClient
	n       int // pushes so far: every event has a number of its own
	strays  []stray

	verifier *simVerifier // nil: who is who is known at once
	start    uint32       // now, in the beginning

	limits    simLimits
	tight     bool   // logs are short, so that there are gaps
	gapCloses uint64 // seen so far
}

// stray is a connection that its client does not look at any more.
type stray struct {
	sock   *simSock
	loop   *loop
	silent bool // nothing gets through
}

// simUser is a user and the topics that it is in.
type simUser struct {
	uid    string
	topics map[string]bool
}

func newSimWorld(t simT, seed int64) *simWorld {
	rng := rand.New(rand.NewSource(seed))
	w := &simWorld{t: t, seed: seed, rng: rng, now: rng.Uint32(),
		backend: &simBackend{t: t, rng: rng, present: map[string]bool{}}}
	w.start = w.now
	mode := auth.Dev
	o := Defaults()
	if w.verifier = newSimVerifier(w); w.verifier != nil {
		mode, o.Verifier = auth.Hook, w.verifier
	}
	checker, err := auth.New(auth.Config{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	o.Loops, o.Auth, o.Log = 1+rng.Intn(3), checker, slog.New(slog.DiscardHandler)
	o.Limits.OutBytes = 2000 // so that stalls happen
	o.Limits.HeldConns = 8
	if rng.Intn(4) == 0 {
		w.tight = true
		o.Limits.LogEntries = 3 + rng.Intn(10)
		o.OnGap = OnGap(rng.Intn(2))
	}
	w.backend.picky = rng.Intn(4) == 0
	w.limits = newSimLimits(seed, &o)
	if w.e, err = New(o, w.backend); err != nil {
		t.Fatal(err)
	}
	w.wanted = make([]bool, o.Loops)
	for i, l := range w.e.loops {
		l.net, l.gzip = &simNet{l: l, rng: rng}, simGzips[i]
		l.time = func() (uint32, time.Time) {
			return w.now, w.wall()
		}
		w.e.wakers[i].Set(func() { w.wanted[i] = true })
	}
	return w
}

// wall is the time of day, which does not wrap.
func (w *simWorld) wall() time.Time { return time.UnixMilli(1<<40 + int64(w.now-w.start)) }

func (b *simBackend) Event(tenant, uid []byte, nilUID bool, client []byte, ajax bool, f packer.Format,
	event []byte, bad bool, replyTo []byte, at time.Time) Verdict {
	if !b.present[string(uid)] {
		b.t.Fatalf("an event of %q, who is not present", uid)
	}
	b.events++
	if b.picky {
		if v := Verdict(b.rng.Intn(3)); v != Taken {
			return v
		}
	}
	if replyTo != nil {
		b.tokens = append(b.tokens, string(replyTo))
	}
	return Taken
}

func (b *simBackend) Presence(open bool, tenant, uid []byte, nilUID bool) {
	if b.present[string(uid)] == open {
		b.t.Fatalf("presence of %q does not alternate: open %v twice", uid, open)
	}
	b.present[string(uid)] = open
	if open {
		b.opens++
	} else {
		b.closes++
	}
}

// turns runs loops that want a turn, in random order, until none does, or a few only:
// messages may be on the way for a while.
func (w *simWorld) turns(all bool) {
	for {
		var ready []int
		for i, want := range w.wanted {
			if want {
				ready = append(ready, i)
			}
		}
		if len(ready) == 0 {
			if v := w.verifier; all && v != nil && v.calm && len(v.owed) > 0 {
				v.tell(true)
				continue
			}
			return
		}
		i := ready[w.rng.Intn(len(ready))]
		w.wanted[i] = false
		w.e.loops[i].turn()
		if w.e.opts.OnGap == GapClose {
			w.forgive()
		}
		if !all && w.rng.Intn(3) == 0 {
			return
		}
	}
}

// advance lets time pass, stopping at every alarm on the way.
func (w *simWorld) advance(ms uint32) {
	end := w.now + ms
	for {
		due, ok := w.e.clock.Next()
		if !ok || int32(due-end) > 0 {
			break
		}
		if int32(due-w.now) > 0 {
			w.now = due
		}
		w.e.clock.Ring(w.now)
		w.turns(true)
		w.ackSome(2)
		w.verifier.tell(false)
	}
	w.now = end
	w.e.clock.Ring(w.now)
}

// ackSome lets the kernels of live connections deliver; n = 0 everything.
func (w *simWorld) ackSome(n int) {
	for _, c := range w.clients {
		for _, s := range c.socks() {
			if s.broken || s.closed || c.deaf {
				continue
			}
			if n == 0 || w.rng.Intn(n) == 0 {
				s.ack(len(s.kernel))
			} else {
				s.ack(w.rng.Intn(len(s.kernel) + 1))
			}
		}
		c.read()
	}
	for _, x := range w.strays {
		if !x.silent && !x.sock.closed {
			x.sock.ack(len(x.sock.kernel))
		}
	}
}

// connect opens a connection on a random loop.
func (w *simWorld) connect() (*simSock, *loop) {
	l := w.e.loops[w.rng.Intn(len(w.e.loops))]
	s := &simSock{t: w.t, peer: w.limits.peer()}
	w.limits.trouble(l)
	if !l.open(s) {
		w.t.Fatal("a connection was refused")
	}
	return s, l
}

// give hands bytes of a client to its connection.
func (w *simWorld) give(s *simSock, l *loop, b string) {
	if s.closed || s.broken {
		return
	}
	s.in = append(s.in, b...)
	l.onTraffic(s.ctx.(*conn).slot)
}

// cut breaks a connection: some of what is on the way still arrives, unless the
// network is silent, and the rest is lost.
func (w *simWorld) cut(s *simSock, l *loop, silent bool) {
	if s.closed {
		return
	}
	if !silent {
		s.ack(w.rng.Intn(len(s.kernel) + 1))
	}
	s.broken = true
	l.net.close(s)
}

// trace says what happens, when one schedule is run alone.
func (w *simWorld) trace(format string, args ...any) {
	if *simSeed != 0 {
		w.t.Logf("%d "+format, append([]any{w.now}, args...)...)
	}
}

func (w *simWorld) fatalf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d: "+format, append([]any{w.seed}, args...)...)
}
