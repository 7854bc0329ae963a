package verifier_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
	"github.com/chskd/chskd/auth/verifier"
)

const nowS = 1_700_000_000 // of a new rig

// TestRevokeDropsGrants of this user, and of nobody else.
func TestRevokeDropsGrants(t *testing.T) {
	a := &app{ttl: time.Hour, grant: func(q *hook.Question) *auth.Grant {
		return &auth.Grant{Tenant: q.Origin, UID: q.Cookie}
	}}
	r := newRig(t, verifier.Config{Hook: a}).start()
	ask := func(tenant, uid string) (known bool) {
		q := request("tab", uid)
		q.Origin = []byte(tenant)
		_, known = r.get(q, hooked)
		return known
	}
	ask("t", "alice")
	ask("u", "alice")
	ask("t", "bob")
	ask("ta", "lice")
	r.v.Revoke("t", "alice", r.ms.Load())
	if ask("t", "alice") {
		t.Error("alice is still remembered")
	}
	if !ask("t", "alice") {
		t.Error("what the application said afterwards is not remembered")
	}
	if !ask("u", "alice") || !ask("t", "bob") || !ask("ta", "lice") {
		t.Error("others are forgotten")
	}
}

// TestRevokeDuringQuestion: what was asked before is not granted after.
func TestRevokeDuringQuestion(t *testing.T) {
	a := &app{ttl: time.Hour, gate: make(chan struct{})}
	r := newRig(t, verifier.Config{Hook: a}).start()
	_, alice := r.ask(request("tab", "alice"), hooked)
	_, bob := r.ask(request("tab", "bob"), hooked)
	r.eventually("both are asked", func() bool { return a.asked.Load() == 2 })
	r.v.Revoke("", "alice", r.ms.Load())
	close(a.gate)
	if g := r.wait(alice); g.Refusal == nil || g.Refusal.Status != 503 {
		t.Errorf("alice is told %+v", g)
	}
	if g := r.wait(bob); g.UID != "bob" {
		t.Errorf("bob is told %+v", g)
	}
	if g, known := r.get(request("tab", "alice"), hooked); g.UID != "alice" || known {
		t.Errorf("then %+v, known %v", g, known)
	}
}

func TestRevokedTokens(t *testing.T) {
	r := newRig(t, verifier.Config{JWT: new(keys), RevokeFor: time.Hour}).start()
	try := func(s string, want int) {
		t.Helper()
		g, _ := r.get(request("tab", ""), token(s))
		status := 200
		if g.Refusal != nil {
			status = g.Refusal.Status
		}
		if status != want {
			t.Errorf("%s: %d, want %d", s, status, want)
		}
	}
	old, now, next, never, bob := fmt.Sprint("alice@", nowS-9), fmt.Sprint("alice@", nowS),
		fmt.Sprint("alice@", nowS+1), "alice@", fmt.Sprint("bob@", nowS-9)
	for _, s := range []string{old, now, next, never, bob} {
		try(s, 200)
	}
	r.pass(999 * time.Millisecond)
	r.v.Revoke("", "alice", r.ms.Load())
	try(old, 401)
	try(now, 401)
	try(never, 401)
	try(next, 200)
	try(bob, 200)
	r.pass(time.Hour - time.Millisecond)
	r.v.Sweep(r.ms.Load())
	try(old, 401)
	r.pass(2 * time.Second) // the refusal was remembered
	r.v.Sweep(r.ms.Load())
	try(old, 200)
	if s := r.v.Stats(); s.Revocations != 0 || s.TokensRevoked != 4 || s.RevocationsForgotten != 0 {
		t.Errorf("%+v", s)
	}
}

// TestRevokeAgain: the later one counts, also by a clock that went back.
func TestRevokeAgain(t *testing.T) {
	r := newRig(t, verifier.Config{JWT: new(keys)}).start()
	r.v.Revoke("", "alice", r.ms.Load()+5000)
	r.v.Revoke("", "alice", r.ms.Load())
	if g, _ := r.get(request("tab", ""), token(fmt.Sprint("alice@", nowS+5))); g.Refusal == nil {
		t.Error("a clock that went back gave a token back")
	}
	if s := r.v.Stats(); s.Revocations != 1 {
		t.Errorf("%d revocations", s.Revocations)
	}
}

// TestRevocationsAreBounded: the oldest is forgotten, and no grant from before it stays for that.
func TestRevocationsAreBounded(t *testing.T) {
	a := &app{ttl: time.Hour}
	r := newRig(t, verifier.Config{Hook: a, Revocations: 10}).start()
	r.get(request("tab", "alice"), hooked)
	r.v.Revoke("", "alice", r.ms.Load())
	for i := range 10 {
		r.v.Revoke("", fmt.Sprint(i), r.ms.Load())
	}
	if s := r.v.Stats(); s.Revocations != 10 || s.RevocationsForgotten != 1 {
		t.Errorf("%+v", s)
	}
	if _, known := r.get(request("tab", "alice"), hooked); known {
		t.Error("a grant outlived its revocation")
	}
	r.v.Revoke("", "", r.ms.Load())
	if s := r.v.Stats(); s.Revocations != 10 || s.RevocationsForgotten != 1 {
		t.Error("nobody was revoked")
	}
}

// TestNothingSlipsThrough: after Revoke has returned nothing from before it is granted, whatever
// happens at the same time.
func TestNothingSlipsThrough(t *testing.T) {
	var mu sync.Mutex
	good := int64(0) // the application's: what was asked before this is void
	var count int64
	a := &app{ttl: time.Hour, grant: func(q *hook.Question) *auth.Grant {
		mu.Lock()
		defer mu.Unlock()
		count++
		return &auth.Grant{UID: "alice", Expires: 1_800_000_000_000 + count}
	}}
	r := newRig(t, verifier.Config{Hook: a, Workers: 4})
	var least int64
	check := func(g *auth.Grant) {
		mu.Lock()
		defer mu.Unlock()
		if g.Refusal == nil && g.Expires-1_800_000_000_000 < least {
			t.Errorf("granted by answer %d; those before %d are void", g.Expires-1_800_000_000_000, least)
		}
	}
	r.v.Start(func(_ uint64, g *auth.Grant) { check(g) })
	var work sync.WaitGroup
	done := make(chan struct{})
	for c := range 3 {
		work.Go(func() {
			for i := uint64(0); ; i++ {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				from := least
				mu.Unlock()
				g := r.v.Verify(request(fmt.Sprint(c, i%5), "alice"), hooked, i, r.ms.Load())
				if g != nil && g.Refusal == nil && g.Expires-1_800_000_000_000 < from {
					t.Errorf("remembered from before a revocation")
				}
			}
		})
	}
	for range 300 {
		mu.Lock()
		good = count // what the application has said up to here is void once Revoke returns
		mu.Unlock()
		r.v.Revoke("", "alice", r.ms.Load())
		mu.Lock()
		least = good + 1
		mu.Unlock()
	}
	close(done)
	work.Wait()
	r.v.Stop()
}
