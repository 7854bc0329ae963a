// Package rate judges whether something comes too often: a token bucket in whole
// numbers, without pointers, clock or lock. Time is told with each call, in
// milliseconds of a clock that wraps after 49 days.
//
//	limit := rate.PerSecond(100, 1) // a second's worth at once
//	var b rate.Bucket               // full
//	if !b.Take(&limit, now, 1) {
//		// too often
//	}
//
// A bucket is kept upside down: what was used, and when that was true. So the zero
// value is a full one, and one that has recovered is like one that was never used,
// which is why whoever keeps many may forget it (Idle). A unit is counted in
// thousandths, and a limit of n a second gives back n thousandths a millisecond:
// nothing is ever rounded.
package rate
