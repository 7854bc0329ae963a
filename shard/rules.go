//go:build !chskmutate

package shard

// The rules that move a session's cursor, and those of topics, keys and times to
// live. They are apart from the verbs so that
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
func pollConfirms(handshake bool, udt, before stamp) bool {
	return !handshake && (udt == 0 || udt != before)
}

// mustAwait tells whether a displaced conn has to say what it confirmed before
// its successor is sent anything: only if something is unconfirmed.
func mustAwait(sent, confirmed uint64) bool { return sent != confirmed }

// placed is where a session stands in the log of a topic that it is in since
// join: it gets nothing from before.
func placed(cursor, join uint64) uint64 { return max(cursor, join) }

// earliest is since when a session is in a topic that it is in by itself and by
// its user: it gets each entry once, and all that either entitles it to.
func earliest(byUser, byItself uint64) uint64 { return min(byUser, byItself) }

// repeated tells whether a session's own membership adds nothing to what it is
// sent, for its user is in the topic too.
func repeated(shadowed bool) bool { return shadowed }

// left is how many of a member's sessions leave the count of the topic's log
// when it leaves the topic.
func left(sessions uint32) uint32 { return sessions }

// outlasts tells whether a membership goes on when its session's identity does not
// grant it any more: if a backend had let the session join.
func outlasts(joined bool) bool { return joined }

// walksAgain is over which transports a topic's members are to be visited once
// more when a walk has come to the end: those that something was flushed for
// meanwhile.
func walksAgain(again transports) transports { return again }

// supersedes tells whether an entry takes the place of an older one of its key.
func supersedes(key []byte) bool { return len(key) > 0 }

// inherited is how many cursors the entry before one that is taken out of the
// middle of a log gets from it: all that stood there.
func inherited(here uint32) uint32 { return here }

// expired tells whether a time to live is over.
func expired(now, until uint32) bool { return reached(now, until) }

// passedOver tells whether an entry, or the tomb of one, is nobody's any more
// for its time to live is over: it is not sent, and not missed.
func passedOver(over, _ bool) bool { return over }

// serves tells whether a remembered run may be sent still. until is when the
// first of the times to live in it is over, or unlimited.
func serves(now, until uint32) bool { return until == unlimited || !reached(now, until) }
