package verifier_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
	"github.com/chskd/chskd/auth/verifier"
)

// rig is a Verifier, its clock, and what it told.
type rig struct {
	*testing.T
	v  *verifier.Verifier
	ms atomic.Int64 // now

	mu     sync.Mutex
	grants map[uint64]*auth.Grant
	told   *sync.Cond
	ticket uint64
}

func newRig(t *testing.T, c verifier.Config) *rig {
	t.Helper()
	r := &rig{T: t, grants: map[uint64]*auth.Grant{}}
	r.told = sync.NewCond(&r.mu)
	r.ms.Store(1_700_000_000_000)
	c.Now = func() time.Time { return time.UnixMilli(r.ms.Load()) }
	r.v = verifier.New(c)
	return r
}

func (r *rig) start() *rig {
	r.v.Start(r.tell)
	r.Cleanup(r.v.Stop)
	return r
}

func (r *rig) tell(ticket uint64, g *auth.Grant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.grants[ticket] != nil || g == nil {
		r.Errorf("ticket %d is told twice, or nothing", ticket)
	}
	r.grants[ticket] = g
	r.told.Broadcast()
}

// pass lets time pass.
func (r *rig) pass(d time.Duration) { r.ms.Add(d.Milliseconds()) }

// ask asks, and gives a ticket if it is not told at once.
func (r *rig) ask(q *auth.Request, need auth.Need) (g *auth.Grant, ticket uint64) {
	r.mu.Lock()
	r.ticket++
	ticket = r.ticket
	r.mu.Unlock()
	return r.v.Verify(q, need, ticket, r.ms.Load()), ticket
}

// get asks, and waits until it is told. known: it was told at once.
func (r *rig) get(q *auth.Request, need auth.Need) (g *auth.Grant, known bool) {
	g, ticket := r.ask(q, need)
	if g != nil {
		return g, true
	}
	return r.wait(ticket), false
}

func (r *rig) wait(ticket uint64) *auth.Grant {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.grants[ticket] == nil {
		r.told.Wait()
	}
	return r.grants[ticket]
}

var hooked = auth.Need{Kind: auth.NeedHook}

func token(s string) auth.Need { return auth.Need{Kind: auth.NeedJWT, Token: []byte(s)} }

func request(client, cookie string) *auth.Request {
	return &auth.Request{Client: []byte(client), Cookie: []byte(cookie), Ajax: true,
		Addr: netip.MustParseAddr("192.0.2.1")}
}

// app is an application: the cookie is the uid.
type app struct {
	asked atomic.Int64
	ttl   time.Duration
	gate  chan struct{} // nil = open
	grant func(q *hook.Question) *auth.Grant
}

func (a *app) Ask(ctx context.Context, q *hook.Question) (*auth.Grant, time.Duration) {
	a.asked.Add(1)
	if a.gate != nil {
		select {
		case <-a.gate:
		case <-ctx.Done():
			return hook.Unknown, 0
		}
	}
	if a.grant != nil {
		return a.grant(q), a.ttl
	}
	return &auth.Grant{UID: q.Cookie}, a.ttl
}

// keys checks tokens of the form uid@iat.
type keys struct {
	asked   atomic.Int64
	expires int64
}

func (k *keys) Verify(token []byte, _ time.Time) (*auth.Grant, int64, error) {
	k.asked.Add(1)
	uid, at, ok := strings.Cut(string(token), "@")
	if !ok {
		return nil, 0, context.Canceled // any error
	}
	iat := int64(0)
	for _, c := range at {
		iat = iat*10 + int64(c-'0')
	}
	return &auth.Grant{UID: uid, Expires: k.expires}, iat, nil
}

// eventually waits for what another goroutine is about to do.
func (r *rig) eventually(what string, is func() bool) {
	r.Helper()
	for range 20_000 {
		if is() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	r.Fatalf("it never comes that %s", what)
}
