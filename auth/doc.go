// Package auth decides who a request is, or why it is refused: client-id, CSRF
// token, origin and identity, in the order in which a Sente server looks at
// them. Values in, Identity out: it knows no HTTP types, holds no state beyond
// its configuration, and allocates nothing per check.
//
//	c, err := auth.New(auth.Config{Modes: []auth.Mode{auth.JWT, auth.Anonymous}})
//	id, need, refusal := c.Check(&request)
//	switch {
//	case refusal != nil: // answer refusal.Status with refusal.Body
//	case need.Kind != auth.NeedNothing: // have a Grant made, elsewhere; then
//		id, refusal = c.Admit(&request, grant, nowMs)
//	}
//
// Reading order: auth.go (the checks in their order), mode.go (the chain of modes and
// what is a wrong one), chain.go (who it is), token.go (where a token may stand), csrf.go,
// origin.go (what an origin is and when two are the same), site.go (requests that a
// browser authenticates by itself), grant.go, open.go (what an operator left open).
//
// Source: Sente 1.22 (ring-ajax-get-or-ws-handshake), RFC 6454, RFC 9110 §10.1.3,
// RFC 6265, RFC 6750, Fetch Metadata Request Headers, and the OWASP cheat sheet
// "Cross-Site Request Forgery Prevention".
package auth
