package engine

import "testing"

// TestMailboxFlood: a mailbox with more than some turns may take is emptied, and the loop still
// hears what comes after.
func TestMailboxFlood(t *testing.T) {
	for _, n := range []int{messagesPerTurn + 1, 3*messagesPerTurn + 1} {
		w := newSimWorld(t, 1)
		q, l := w.e.queues[0], w.e.loops[0]
		gone := msg{kind: mDrained} // of a session that is not there
		for range n {
			q.Post(gone)
		}
		turns := 0
		for ; w.wanted[0]; turns++ {
			w.wanted[0] = false
			l.turn()
			if turns == 0 {
				q.Post(gone) // while the rest waits
			}
		}
		if got := l.m.Messages.Load(); got != uint64(n+1) {
			t.Fatalf("%d of %d messages were handled in %d turns", got, n+1, turns)
		}
		if q.Post(gone); !w.wanted[0] {
			t.Fatalf("after %d messages the loop is deaf", n)
		}
	}
}
