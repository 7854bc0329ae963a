package engine

import (
	"fmt"
	"math/rand"

	"github.com/chskd/chskd/auth"
)

// simVerifier says who simulated clients are: at once or later, in any order, twice, never,
// with refusals, and with identities that expire soon. All of them are in the topic
// "granted" by their identities, and in others that come and go.
//
// It has a random generator of its own, so that schedules without it are what they were.
type simVerifier struct {
	w      *simWorld
	rng    *rand.Rand
	calm   bool // answers everything soon, and kindly
	owed   []simOwed
	ghosts []simOwed // told already, or never to be told in time
}

// simOwed is an answer that is due, in whatever order.
type simOwed struct {
	ticket uint64
	g      *auth.Grant
}

// simGranted is the topic that all identities grant.
const simGranted = "granted"

// newSimVerifier makes one for every third schedule; the others know who is who by
// themselves.
func newSimVerifier(w *simWorld) *simVerifier {
	if w.seed%3 != 1 {
		return nil
	}
	return &simVerifier{w: w, rng: rand.New(rand.NewSource(^w.seed)), calm: true}
}

// Verify implements Verifier.
func (v *simVerifier) Verify(r *auth.Request, need auth.Need, ticket uint64, nowMs int64) *auth.Grant {
	if need.Kind != auth.NeedHook || nowMs != v.w.wall().UnixMilli() {
		v.w.fatalf("asked for %+v at %d", need, nowMs)
	}
	g := v.grant(string(r.UIDParam), nowMs)
	switch v.rng.Intn(6) {
	case 0, 1:
		return g
	case 2:
		if !v.calm { // nobody will be told in time
			v.ghosts = append(v.ghosts, simOwed{ticket, g})
			return nil
		}
	}
	v.owed = append(v.owed, simOwed{ticket, g})
	return nil
}

// Revoke implements Verifier.
func (v *simVerifier) Revoke(string, string, int64) {}

// grant is what a user may.
func (v *simVerifier) grant(uid string, nowMs int64) *auth.Grant {
	if !v.calm && v.rng.Intn(8) == 0 {
		status := []int{401, 403, 503, 200}[v.rng.Intn(4)]
		return &auth.Grant{Refusal: &auth.Refusal{Status: status, Body: "not you"}}
	}
	g := &auth.Grant{UID: uid, Topics: []string{simGranted}}
	for range v.rng.Intn(3) {
		g.Topics = append(g.Topics, fmt.Sprintf("h%d", v.rng.Intn(3)))
	}
	if v.rng.Intn(2) == 0 {
		g.Handshake = []byte("{:a 1}")
	}
	if !v.calm && v.rng.Intn(3) == 0 {
		g.Expires = nowMs + []int64{0, 1, 200, 3000, 20_000, 40_000}[v.rng.Intn(6)]
	}
	return g
}

// tell tells some of what is owed, or all, in any order and some of it twice.
func (v *simVerifier) tell(all bool) {
	if v == nil {
		return
	}
	for len(v.owed) > 0 && (all || v.rng.Intn(2) == 0) {
		i := v.rng.Intn(len(v.owed))
		o := v.owed[i]
		v.owed = append(v.owed[:i], v.owed[i+1:]...)
		v.w.e.Verified(o.ticket, o.g)
		if v.rng.Intn(3) == 0 {
			v.ghosts = append(v.ghosts, o)
		}
	}
	if n := len(v.ghosts); n > 0 && v.rng.Intn(4) == 0 {
		o := v.ghosts[v.rng.Intn(n)]
		// To somebody else's name: who is told it anyway was asked for long ago.
		v.w.e.Verified(o.ticket, &auth.Grant{UID: o.g.UID, Topics: o.g.Topics, Refusal: o.g.Refusal})
	}
}

// refused takes an answer that lets the client not in: it tries again later.
func (c *simClient) refused(status int) {
	c.w.trace("client %s is refused: %d", c.id, status)
	if c.w.verifier == nil && !c.w.limits.on {
		c.w.fatalf("client %s was refused: %d", c.id, status)
	}
	simSeen.refused++
	c.polling = false
	c.leave(false)
}
