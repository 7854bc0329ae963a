package jwt

import "github.com/chskd/chskd/auth"

// Error is why a token was refused.
//
// Immutable: all are made once, so that they can be compared and counted by address.
type Error struct {
	// Refusal is the answer to the client. It tells who has no good token nothing
	// about how near the token was.
	Refusal *auth.Refusal
	// Reason is for a counter and a debug log, a few words. Never a part of a token.
	Reason string
}

// Error gives package and reason in one line.
func (e *Error) Error() string { return "auth/jwt: " + e.Reason }

// The answers.
var (
	refuseToken   = &auth.Refusal{Status: 401, Body: "token refused"}
	refuseExpired = &auth.Refusal{Status: 401, Body: "token expired"}
	refuseForNow  = &auth.Refusal{Status: 503, Body: "identity is not known now", RetryAfter: 1}
)

// reasons lists all errors of Verify.
var reasons []*Error

// because makes an error of Verify.
func because(reason string, answer *auth.Refusal) *Error {
	e := &Error{Refusal: answer, Reason: reason}
	reasons = append(reasons, e)
	return e
}

// The reasons. The first group is what no signer writes.
var (
	errTooLong   = because("longer than 8 KiB", refuseToken)
	errForm      = because("not three parts in base64url", refuseToken)
	errJSON      = because("header or claims are not one JSON object without doubled names", refuseToken)
	errCrit      = because("header with an extension that must be understood (crit, b64)", refuseToken)
	errAlgorithm = because("algorithm is not allowed", refuseToken)
	errKid       = because("kid is not a short text", refuseToken)

	errNoKey     = because("no key for its kid and algorithm", refuseToken)
	errSignature = because("signature is wrong", refuseToken)

	errTime      = because("exp, nbf or iat is not a time", refuseToken)
	errExpired   = because("expired", refuseExpired)
	errEarly     = because("nbf is to come", refuseToken)
	errFuture    = because("iat is to come", refuseToken)
	errIssuer    = because("iss is not the configured issuer", refuseToken)
	errAudience  = because("aud has not the configured audience", refuseToken)
	errUID       = because("claim for the uid is neither a text of 1 to 256 bytes nor an integer", refuseToken)
	errTenant    = because("claim for the tenant is neither a text of 1 to 255 bytes nor an integer", refuseToken)
	errTopics    = because("claim for the topics is not an array of at most 100 texts of 1 to 256 bytes", refuseToken)
	errCSRF      = because("claim for the CSRF token is not a text of 1 to 256 bytes", refuseToken)
	errHandshake = because("claim for the handshake has no form in edn", refuseToken)

	errKeysAway = because("keys could not be fetched", refuseForNow)
)

// Reasons lists the errors that Verify gives, for counters of each.
func Reasons() []*Error { return append([]*Error(nil), reasons...) }
