package verifier

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
)

// Tokens checks tokens. Any goroutine. See (*jwt.Keys).Verify.
type Tokens interface {
	Verify(token []byte, now time.Time) (grant *auth.Grant, iat int64, err error)
}

// Asker asks the application. Any goroutine. See (*hook.Client).Ask.
type Asker interface {
	Ask(ctx context.Context, q *hook.Question) (grant *auth.Grant, ttl time.Duration)
}

// Config is what New keeps. The zero value of a field is its default.
type Config struct {
	JWT  Tokens // nil = no tokens are checked
	Hook Asker  // nil = no application is asked

	Workers   int           // questions to the application at once; 64
	Queue     int           // that wait for one; 1024
	Wait      time.Duration // and how long one may; then it is not asked: 5 s
	RevokeFor time.Duration // how long a revocation lasts; 24 h

	Entries     int // remembered at most; 100,000
	Bytes       int // of memory for them, about; 64 MiB
	Revocations int // at once, some 200 bytes each; the oldest is forgotten: 100,000

	Now func() time.Time // nil = time.Now
	Log *slog.Logger     // nil = none
}

const (
	waitersMax = 256  // requests that wait for one check; they are of one client
	tokenQueue = 8192 // tokens that wait: some 0.3 s of work
	tokenSpare = 4    // workers that may wait for keys

	refusedFor = time.Second            // how long a refusal is remembered
	unknownFor = 250 * time.Millisecond // and that nothing is known
	// tokenFor bounds how long a token is taken for good without looking at the keys again.
	tokenFor = 5 * time.Minute

	breakAfter = 10          // failures without an answer between them open the breaker
	breakFor   = time.Second // for so long
	sweepEvery = 10 * time.Second
)

// notKnown is the answer at once when there is no room, or no use.
var notKnown = &auth.Grant{Refusal: &auth.Refusal{Status: 503, Body: "identity is not known now",
	RetryAfter: 1}}

// Verifier finds out who clients are. Any goroutine.
type Verifier struct {
	config  Config
	keyer   *keyer
	shards  [shards]shard
	ways    [2]way // by Kind
	breaker breaker
	revocations

	failures, timeouts atomic.Uint64 // of the hook

	told   func(ticket uint64, g *auth.Grant) // since Start
	closed atomic.Bool
	ctx    context.Context // of all questions
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// New makes a Verifier. Nothing is checked before Start.
func New(c Config) *Verifier {
	defaults(&c)
	v := &Verifier{config: c, keyer: newKeyer()}
	for i := range v.shards {
		v.shards[i].init()
	}
	v.revocations.init(c.Revocations, c.RevokeFor.Milliseconds())
	v.breaker.limit, v.breaker.openMs = breakAfter, breakFor.Milliseconds()
	if c.JWT != nil {
		v.ways[JWT].init(tokenQueue, v.checkToken)
	}
	if c.Hook != nil {
		v.ways[Hook].init(c.Queue, v.askHook)
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	return v
}

func defaults(c *Config) {
	or := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	or(&c.Workers, 64)
	or(&c.Queue, 1024)
	or(&c.Entries, 100_000)
	or(&c.Bytes, 64<<20)
	or(&c.Revocations, 100_000)
	if c.Wait <= 0 {
		c.Wait = 5 * time.Second
	}
	if c.RevokeFor <= 0 {
		c.RevokeFor = 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Start begins to check. Each ticket for which Verify gave nil is told once, from any goroutine,
// maybe before that Verify has returned; told must not block, nor call the Verifier. Once.
func (v *Verifier) Start(told func(ticket uint64, g *auth.Grant)) {
	v.told = told
	if v.config.JWT != nil {
		// Of their own: an application that is slow does not delay tokens. A few may wait for a
		// key set to be fetched (package jwt bounds how many); as many as have a CPU do not.
		for range runtime.GOMAXPROCS(0) + tokenSpare {
			v.wait.Go(func() { v.work(&v.ways[JWT]) })
		}
	}
	if v.config.Hook != nil {
		for range v.config.Workers {
			v.wait.Go(func() { v.work(&v.ways[Hook]) })
		}
	}
	v.wait.Go(v.sweeping)
}

// Stop ends what Start began, and breaks off what is under way. Who waits is told 503 before it
// returns, nobody after it. Once; Verify and Revoke may still be called.
func (v *Verifier) Stop() {
	v.closed.Store(true)
	v.cancel()
	v.wait.Wait()
	for i := range v.ways {
		v.drain(&v.ways[i])
	}
}

// Verify gives the grant behind r if it is remembered, or 503 if it cannot be found out now. Else
// nil, and the ticket is told to Start's function once, later. need is not NeedNothing. r and
// need are read during the call only. It does not block.
func (v *Verifier) Verify(r *auth.Request, need auth.Need, ticket uint64, nowMs int64) *auth.Grant {
	w := v.wayOf(need.Kind)
	k := v.keyer.of(r, &need)
	s := &v.shards[k[0]%shards]
	s.mu.Lock()
	if e := s.find(&k, nowMs); e != nil {
		if generation := v.generation.Load(); v.stands(e.grant, e.generation) {
			e.generation = generation
			g := e.grant
			s.hits++
			s.mu.Unlock()
			return g
		}
		s.drop(e)
	}
	j := v.join(s, w, k, ticket, nowMs)
	s.mu.Unlock()
	if j == nil {
		return nil
	}
	if j.unasked != 0 {
		w.unasked[j.unasked].Add(1)
		return notKnown
	}
	if need.Kind == auth.NeedHook {
		j.question = question(r)
	} else {
		j.token = append([]byte(nil), need.Token...)
	}
	w.queue <- j // it has a place
	return nil
}

// join gives the job that is to be done, or nil when the ticket joined one that is under way. A
// job that says why it is not asked is none. The shard is locked.
func (v *Verifier) join(s *shard, w *way, k key, ticket uint64, nowMs int64) *job {
	if f := s.flights[k]; f != nil {
		if len(f.tickets) >= waitersMax {
			return &jobCrowded
		}
		f.tickets = append(f.tickets, ticket)
		s.joined++
		return nil
	}
	if !w.place() { // a way that there is not has no place
		return &jobFull
	}
	// Only with a place: who sees it open finds no more in the queue than Stop does.
	if v.closed.Load() {
		w.waiting.Add(-1)
		return &jobStopping
	}
	j := &job{key: k, flight: &flight{tickets: []uint64{ticket}}, at: nowMs}
	if w == &v.ways[Hook] {
		ok, probe := v.breaker.pass(nowMs)
		if !ok {
			w.waiting.Add(-1)
			return &jobBroken
		}
		j.probe = probe
	}
	s.flights[k] = j.flight
	return j
}

// Revoke makes void what was granted to a user until now: from its return on nothing of it is
// told, and for RevokeFor tokens of the user are refused that were issued up to this second, or
// do not say when. A user without uid cannot be revoked. It does not block.
func (v *Verifier) Revoke(tenant, uid string, nowMs int64) {
	if uid != "" {
		v.revocations.add(user{tenant, uid}, nowMs)
	}
}

// sweeping forgets what is over, so that idle memory is given back.
func (v *Verifier) sweeping() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-v.ctx.Done():
			return
		case <-tick.C:
			v.sweep(v.config.Now().UnixMilli())
		}
	}
}

func (v *Verifier) sweep(nowMs int64) {
	for i := range v.shards {
		s := &v.shards[i]
		s.mu.Lock()
		s.sweep(nowMs)
		s.mu.Unlock()
	}
	v.revocations.sweep(nowMs)
}
