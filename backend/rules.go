//go:build !chskmutate

package backend

import "time"

// The rules of delivery. They are apart from the code that uses them so that each can be read, and
// broken on purpose, alone: with the build tag chskmutate, rules_mutate.go takes this file's place
// and the simulation shows that each broken rule is noticed.

// mayMove tells whether a slot may go to another consumer.
func mayMove(s *slot) bool { return s.outstanding == 0 }

// doneUpTo is the seq up to which a consumer's events need not be kept.
func doneUpTo(written, acked uint64) uint64 { return min(written, acked) }

// marked tells whether an event that was not acked is marked as given before.
func marked(before, written bool) bool { return before || written }

// late tells whether an event has waited for its ack for too long.
func late(ms int64, most time.Duration) bool { return ms >= most.Milliseconds() }

// heldSince is when an event that is held now was held at the earliest.
func heldSince(now int64, most time.Duration) int64 { return now - most.Milliseconds() }

// untold is what is left of a gap once it was put before an entry.
func untold(uint64) uint64 { return 0 }

// inherited is what the heirs tell of a gap that a consumer was not told.
func inherited(missed uint64) uint64 { return missed }

// ahead tells whether a change is left to the scan of a snapshot.
func ahead(pos, scan uint32) bool { return pos >= scan }

// atFreeze tells whether a user was online when the snapshot was frozen, if it is listed still:
// told and is are what the reader believes and what is true now, later that it changed since.
func atFreeze(told, is, later bool) bool {
	if later {
		return !told
	}
	return is
}

// held tells whether the position of a user that left is kept for a snapshot.
func held(pinned bool) bool { return pinned }
