// Package jwt checks signed tokens (JWT in JWS compact form) and makes grants of their
// claims. It is for auth mode jwt, and knows no requests and no loops: a check takes
// 3 to 100 microseconds, so it runs elsewhere.
//
//	keys, err := jwt.New(jwt.Config{JWKSURL: "https://id.example.com/jwks.json", Leeway: 10 * time.Second})
//	grant, iat, err := keys.Verify(token, time.Now())
//	...
//	keys.Stop()
//
// What is not: it makes no tokens, decrypts none (JWE), and follows no address that a
// token names (jku, x5u) nor takes a key out of one (jwk, x5c).
//
// The cryptography and the comparison of times are golang-jwt's, the parsing and fetching
// of key sets jwkset's. What a token may look like is decided here, before either sees
// it, since their job is to read what others wrote and ours to refuse what none should.
//
// Reading order: errors.go (what a refused token is told, and what the operator),
// algorithm.go (which key fits which algorithm: the heart of it), keys.go (New and the
// set of keys), load.go (files), remote.go (the key set behind a URL), verify.go (a token),
// claims.go (a grant).
//
// Source: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518 (algorithms), RFC 7519 (JWT), RFC 8037
// (EdDSA), RFC 8725 (best current practices).
package jwt
