//go:build chskmutate

package shard

// This file takes the place of rules.go when the tests are built to show that
// they notice broken rules:
//
//	go test -tags chskmutate -run TestMutants ./shard
//
// Each rule is as in rules.go unless Mutant names it.

// Mutant is the broken rule, "" for none.
var Mutant string

// Mutants are the rules that can be broken, and what is wrong with them then.
var Mutants = map[string]string{
	"rewind-nothing":    "what a lost carrier was sent is not sent again",
	"rewind-too-far":    "the last confirmed event is sent again",
	"ack-everything":    "any report confirms all that was sent",
	"stall-ignored":     "what fell away at a stalled conn is not sent again",
	"any-ref":           "reports of conns that are gone count for the present one",
	"replay-confirms":   "a browser's replay of a poll confirms the answer it never saw",
	"handshake-confirm": "a handshake poll confirms the answer before it",
	"no-await":          "a new conn is sent the rest before the old one's report",
}

// TopicMutants are those of topics, keys and times to live.
var TopicMutants = map[string]string{
	"join-ignored":       "a member gets what was pushed before it joined",
	"join-twice":         "a session in a topic both ways gets each entry twice",
	"join-latest":        "a session in a topic both ways gets what the later one entitles it to",
	"leave-keeps-place":  "who left a topic keeps its place in the log",
	"grant-stays":        "a session stays in a topic that its identity grants no more",
	"grant-takes-all":    "with a grant ends what a backend let a session join",
	"walk-once":          "what is flushed during a walk is not walked for",
	"key-ignored":        "an older entry of the same key is sent too",
	"key-loses-cursors":  "the cursors at an entry that is superseded are forgotten",
	"ttl-ignored":        "an entry is sent after its time to live",
	"ttl-missed":         "an entry whose time to live is over counts as missed",
	"ttl-of-run-ignored": "a remembered run is sent after a time to live in it",
}

func rewound(sent, confirmed uint64) uint64 {
	switch Mutant {
	case "rewind-nothing":
		return sent
	case "rewind-too-far":
		return confirmed - min(confirmed, 1)
	}
	return confirmed
}

func acked(sent, reported uint64) uint64 {
	if Mutant == "ack-everything" {
		return sent
	}
	return min(sent, reported)
}

func accepted(sent, confirmed, reported uint64) uint64 {
	if Mutant == "stall-ignored" {
		return sent
	}
	return min(sent, max(confirmed, reported))
}

func bound(ref, ws uint64) bool {
	return ref != 0 && (ref == ws || Mutant == "any-ref" && ws != 0)
}

func pollConfirms(handshake bool, udt, before stamp) bool {
	if Mutant == "replay-confirms" {
		return !handshake
	}
	if Mutant == "handshake-confirm" && handshake {
		return true
	}
	return !handshake && (udt == 0 || udt != before)
}

func mustAwait(sent, confirmed uint64) bool {
	return sent != confirmed && Mutant != "no-await"
}

func placed(cursor, join uint64) uint64 {
	if Mutant == "join-ignored" {
		return cursor
	}
	return max(cursor, join)
}

func earliest(byUser, byItself uint64) uint64 {
	if Mutant == "join-latest" {
		return max(byUser, byItself)
	}
	return min(byUser, byItself)
}

func repeated(shadowed bool) bool { return shadowed && Mutant != "join-twice" }

func left(sessions uint32) uint32 {
	if Mutant == "leave-keeps-place" {
		return 0
	}
	return sessions
}

func outlasts(joined bool) bool {
	switch Mutant {
	case "grant-stays":
		return true
	case "grant-takes-all":
		return false
	}
	return joined
}

func walksAgain(again transports) transports {
	if Mutant == "walk-once" {
		return 0
	}
	return again
}

func supersedes(key []byte) bool { return len(key) > 0 && Mutant != "key-ignored" }

func inherited(here uint32) uint32 {
	if Mutant == "key-loses-cursors" {
		return 0
	}
	return here
}

func expired(now, until uint32) bool { return reached(now, until) && Mutant != "ttl-ignored" }

func passedOver(over, tomb bool) bool { return over && !(tomb && Mutant == "ttl-missed") }

func serves(now, until uint32) bool {
	return until == unlimited || !reached(now, until) || Mutant == "ttl-of-run-ignored"
}
