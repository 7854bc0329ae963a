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

func pollConfirms(handshake bool, udt, before uint64) bool {
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
