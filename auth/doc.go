// Package auth decides who a request is, or why it is refused: client-id, CSRF
// token, origin and identity, in the order in which a Sente server looks at
// them. Values in, Identity out: it knows no HTTP types, holds no state beyond
// its configuration, and allocates nothing per check.
//
//	c, err := auth.New(auth.Config{Mode: auth.Client})
//	id, refusal := c.Check(&auth.Request{Client: clientID, Host: host})
//	if refusal != nil {
//		// answer refusal.Status with refusal.Body
//	}
//
// Reading order: auth.go (the checks), origin.go (what an origin is and when
// two are the same).
//
// Source: Sente 1.22 (ring-ajax-get-or-ws-handshake), RFC 6454, RFC 9110 §10.1.3.
package auth
