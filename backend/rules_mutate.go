//go:build chskmutate

package backend

import "time"

// This file takes the place of rules.go when the tests are built to show that they notice broken
// rules:
//
//	go test -tags chskmutate -run TestMutants ./backend
//
// Each rule is as in rules.go unless Mutant names it.

// Mutant is the broken rule, "" for none.
var Mutant string

// Mutants are the rules that can be broken, and what is wrong with them then.
var Mutants = map[string]string{
	"move-early":     "a slot moves while something of it is outstanding",
	"written-done":   "what is written is forgotten before it is acked",
	"acked-done":     "what is acked is let go while it is being written",
	"unmarked":       "what is given again is not marked",
	"all-marked":     "what was never written is marked as given again",
	"never-late":     "a consumer that does not ack is never cut",
	"held-for-ever":  "an event is held for ever",
	"gap-twice":      "a gap is told again with the next event",
	"gap-dies":       "a gap that a dead consumer was not told is told to nobody",
	"listed-twice":   "a change that the scan will tell is told twice",
	"thawed":         "a frozen snapshot tells what is true later",
	"place-taken":    "the place of a user that left is given away before that is told",
	"everything-due": "events are dropped as held for too long the moment time goes on",
}

func mayMove(s *slot) bool { return s.outstanding == 0 || Mutant == "move-early" }

func doneUpTo(written, acked uint64) uint64 {
	switch Mutant {
	case "written-done":
		return written
	case "acked-done":
		return acked
	}
	return min(written, acked)
}

func marked(before, written bool) bool {
	switch Mutant {
	case "unmarked":
		return false
	case "all-marked":
		return true
	}
	return before || written
}

func late(ms int64, most time.Duration) bool {
	return ms >= most.Milliseconds() && Mutant != "never-late"
}

func heldSince(now int64, most time.Duration) int64 {
	switch Mutant {
	case "held-for-ever":
		return -1
	case "everything-due":
		return now
	}
	return now - most.Milliseconds()
}

func untold(missed uint64) uint64 {
	if Mutant == "gap-twice" {
		return missed
	}
	return 0
}

func inherited(missed uint64) uint64 {
	if Mutant == "gap-dies" {
		return 0
	}
	return missed
}

func ahead(pos, scan uint32) bool { return pos >= scan && Mutant != "listed-twice" }

func atFreeze(told, is, later bool) bool {
	if later && Mutant != "thawed" {
		return !told
	}
	return is
}

func held(pinned bool) bool { return pinned && Mutant != "place-taken" }
