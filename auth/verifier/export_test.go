package verifier

import "github.com/chskd/chskd/auth"

// Sweep is sweep.
func (v *Verifier) Sweep(nowMs int64) { v.sweep(nowMs) }

// Key gives the key of a request.
func (v *Verifier) Key(r *auth.Request, need auth.Need) [32]byte { return v.keyer.of(r, &need) }

// Question is question.
var Question = question

// The bounds.
const (
	WaitersMax = waitersMax
	TokenFor   = tokenFor
	BreakAfter = breakAfter
)
