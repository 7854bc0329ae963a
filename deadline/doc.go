// Package deadline keeps deadlines that all have the same delay, in a queue
// that is looked at only at its head.
//
// A server has few different delays (30 ms flush, 20 s poll, 2.5 s grace ...)
// and very many deadlines of each. With one queue per delay the dues are in
// order by construction, so that arming costs an append, and a turn of the
// loop looks at one head per queue: no heap, no wheel, nothing is scanned.
//
// A deadline cannot be taken back. Its owner looks at the entry again when it
// comes out and ignores what no longer holds: most waits end early, and
// forgetting them lazily is cheaper than unlinking each.
//
//	var grace deadline.FIFO
//	grace.Push(id, now+2500)
//	for {
//		id, ok := grace.Pop(now)
//		if !ok {
//			break
//		}
//		// look at id again: does it still wait?
//	}
//
// Times are uint32 milliseconds of a clock that wraps after 49 days; two times
// are compared by the sign of their difference, so they may be at most 24 days
// apart.
package deadline
