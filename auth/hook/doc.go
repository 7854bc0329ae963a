// Package hook asks the application who a client is: one HTTP request over TCP or a Unix
// socket, whose JSON answer is Sente's user-id-fn, authorized?-fn, reject-fn, csrf-token-fn and
// handshake-data-fn in one. docs/auth.md is what an application developer reads of it.
//
//	c, err := hook.New(hook.Config{URL: "unix:/run/app.sock:/chskd", Timeout: 2 * time.Second})
//	grant, ttl := c.Ask(ctx, &hook.Question{ClientID: "tab-1", Cookie: cookie, ...})
//	// grant.Refusal tells whether, and how, the client is refused
//
// Ask blocks: it is for goroutines of their own, never for a loop. Who waits for an answer, how
// long it is remembered and when the application is left alone is package verifier's. Nothing is
// guessed: an answer that is not wholly understood is no answer, the client is told 503, and a log
// line, at most one a second, says what was wrong with it. No log line and no error has anything
// of what a client sent.
//
// Reading order: client.go (one exchange), url.go, question.go (what is asked), answer.go and
// field.go (what a 200 says), refusal.go (what a 4xx says), trouble.go (all else).
//
// Source: RFC 9110, RFC 9112, RFC 8259.
package hook
