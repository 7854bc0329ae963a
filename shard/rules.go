//go:build !chskmutate

package shard

// The rules that move a session's cursor. They are apart from the verbs so that
// each can be read, and broken on purpose, alone: with the build tag
// chskmutate, rules_mutate.go takes this file's place and the tests show that
// each broken rule is noticed.

// rewound is where sent goes when its carrier is gone: everything that is not
// confirmed is sent again.
func rewound(_, confirmed uint64) uint64 { return confirmed }

// acked is what a report confirms: never more than was sent. A report of less
// than is confirmed already is an old one.
func acked(sent, reported uint64) uint64 { return min(sent, reported) }

// accepted is where sent goes when an owner says up to where it took what it
// was given: never before what is confirmed, never ahead.
func accepted(sent, confirmed, reported uint64) uint64 {
	return min(sent, max(confirmed, reported))
}

// bound tells whether a report comes from the conn that the session is bound
// to. One of an earlier conn tells nothing about the present one.
func bound(ref, ws uint64) bool { return ref == ws && ref != 0 }

// pollConfirms tells whether a poll proves that the answer before it arrived.
// One that is to get a handshake does not: its client believes itself closed,
// or has been away for too long. Neither does one with the same udt as the one
// before: it is a browser's replay of a request whose answer it never saw.
func pollConfirms(handshake bool, udt, before uint64) bool {
	return !handshake && (udt == 0 || udt != before)
}

// mustAwait tells whether a displaced conn has to say what it confirmed before
// its successor is sent anything: only if something is unconfirmed.
func mustAwait(sent, confirmed uint64) bool { return sent != confirmed }
