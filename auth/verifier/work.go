package verifier

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
)

// Kind is a way to find out who a client is.
type Kind int

// The ways.
const (
	JWT Kind = iota
	Hook
	Kinds // the number of ways, not a way
)

// String is the name of the way, as the mode that needs it is called.
func (k Kind) String() string { return [...]string{"jwt", "hook"}[k] }

// way is one of them: its queue and what is counted of it. Any goroutine.
type way struct {
	queue   chan *job
	waiting atomic.Int64 // places taken; each has been, or is about to be, put into queue
	busy    atomic.Int64 // workers
	check   func(j *job) (g *auth.Grant, ttl time.Duration)

	results [Results]atomic.Uint64
	unasked [Reasons]atomic.Uint64
	times   times
}

func (w *way) init(queue int, check func(*job) (*auth.Grant, time.Duration)) {
	w.queue, w.check = make(chan *job, queue), check
}

// wayOf gives the way of a need.
func (v *Verifier) wayOf(need auth.NeedKind) *way {
	switch need {
	case auth.NeedJWT:
		return &v.ways[JWT]
	case auth.NeedHook:
		return &v.ways[Hook]
	}
	panic("verifier: asked for nothing")
}

// place takes a place in the queue; false = there is none.
func (w *way) place() bool {
	if w.waiting.Add(1) > int64(cap(w.queue)) {
		w.waiting.Add(-1)
		return false
	}
	return true
}

// job is one check. Owner: who took it from the queue.
type job struct {
	key      key
	flight   *flight
	token    []byte         // JWT
	question *hook.Question // Hook
	at       int64          // ms when it was put into the queue
	probe    bool           // of the breaker
	turn     uint64         // of the breaker, before it was asked
	unasked  Reason         // it is not done

	generation uint64 // of the revocations, before it was asked
}

// Answers of join that are no jobs.
var (
	jobFull     = job{unasked: Full}
	jobCrowded  = job{unasked: Crowded}
	jobBroken   = job{unasked: Broken}
	jobStopping = job{unasked: Stopping}
)

// work does jobs until Stop.
func (v *Verifier) work(w *way) {
	for {
		select {
		case <-v.ctx.Done():
			return
		case j := <-w.queue:
			w.waiting.Add(-1)
			w.busy.Add(1)
			v.do(w, j)
			w.busy.Add(-1)
		}
	}
}

// drain tells those that nobody will work for.
func (v *Verifier) drain(w *way) {
	for w.waiting.Load() > 0 {
		select {
		case j := <-w.queue:
			w.waiting.Add(-1)
			v.unasked(w, j, Stopping)
		default:
			// A Verify has a place, and is about to use it or to give it back.
			runtime.Gosched()
		}
	}
}

// do does one job and tells who waits for it.
func (v *Verifier) do(w *way, j *job) {
	now := v.config.Now()
	if now.UnixMilli()-j.at > v.config.Wait.Milliseconds() {
		v.unasked(w, j, Late)
		return
	}
	if w == &v.ways[Hook] {
		var open bool
		if open, j.turn = v.breaker.open(); open && !j.probe {
			v.unasked(w, j, Broken)
			return
		}
	}
	j.generation = v.generation.Load()
	began := time.Now()
	g, ttl := v.guarded(w, j)
	w.times.observe(time.Since(began))
	w.results[resultOf(g)].Add(1)
	if g.Refusal != nil {
		now = v.config.Now() // a grant is as old as the question, a refusal as the answer
	}
	v.finish(w, j, g, now.Add(ttl).UnixMilli())
}

// guarded does the check; a mistake of ours in it costs this one only.
func (v *Verifier) guarded(w *way, j *job) (g *auth.Grant, ttl time.Duration) {
	defer func() {
		if err := recover(); err != nil {
			// Not err itself: it may quote what it fell over.
			v.config.Log.Error("a panic while a client's identity was looked for",
				"stack", string(debug.Stack()))
			g, ttl = hook.Unknown, unknownFor
		}
	}()
	return w.check(j)
}

// unasked tells who waits for a job that is not done.
func (v *Verifier) unasked(w *way, j *job, why Reason) {
	if j.probe {
		v.breaker.unprobed()
	}
	w.unasked[why].Add(1)
	v.finish(w, j, notKnown, 0)
}

// finish remembers g until a time, and tells who waits.
func (v *Verifier) finish(w *way, j *job, g *auth.Grant, until int64) {
	s := &v.shards[j.key[0]%shards]
	s.mu.Lock()
	tickets := j.flight.tickets
	delete(s.flights, j.key)
	if until > v.config.Now().UnixMilli() {
		s.remember(&entry{key: j.key, grant: g, until: until, generation: j.generation},
			max(v.config.Entries/shards, 1), v.config.Bytes/shards)
	}
	s.mu.Unlock()
	// Not within the shard's lock, which Verify holds when it takes this one.
	v.revocations.mu.RLock()
	defer v.revocations.mu.RUnlock()
	if !v.standing(g, j.generation) {
		w.unasked[Revoked].Add(1)
		g = notKnown // asked for once more, it is found out anew
	}
	for _, ticket := range tickets {
		v.told(ticket, g)
	}
}

// checkToken checks a token.
func (v *Verifier) checkToken(j *job) (*auth.Grant, time.Duration) {
	now := v.config.Now()
	g, iat, err := v.config.JWT.Verify(j.token, now)
	switch {
	case g == nil && err == nil:
		panic("verifier: no grant for a token, and no error")
	case g == nil || err != nil && g.Refusal == nil:
		g = refusedToken
	case g.Refusal == nil && v.revoked(g, iat, now.UnixMilli()):
		v.revocations.refused.Add(1)
		g = revokedToken
	}
	return g, lasts(g, tokenFor, now)
}

var (
	refusedToken = &auth.Grant{Refusal: &auth.Refusal{Status: 401, Body: "token refused"}}
	revokedToken = &auth.Grant{Refusal: &auth.Refusal{Status: 401, Body: "token revoked"}}
)

// askHook asks the application.
func (v *Verifier) askHook(j *job) (*auth.Grant, time.Duration) {
	now := v.config.Now()
	good := false
	defer func() {
		// In every case, or no probe would ever go again.
		if !good {
			v.failures.Add(1)
			v.breaker.bad(v.config.Now().UnixMilli(), j.probe, j.turn)
		}
	}()
	g, ttl := v.config.Hook.Ask(v.ctx, j.question)
	if g == hook.TimedOut {
		v.timeouts.Add(1)
	}
	if good = g != hook.TimedOut && g != hook.Unreachable; good {
		v.breaker.good()
	}
	return g, lasts(g, ttl, now)
}

// lasts is how long g is remembered: what was granted for ttl, but not beyond its expiry.
func lasts(g *auth.Grant, ttl time.Duration, now time.Time) time.Duration {
	switch {
	case g.Refusal != nil && g.Refusal.Status == 503:
		return unknownFor
	case g.Refusal != nil:
		return refusedFor
	case g.Expires == 0:
		return ttl
	}
	left := time.Duration(g.Expires-now.UnixMilli()) * time.Millisecond
	if left <= 0 {
		return 0
	}
	return min(ttl, left)
}
