// Package mailbox hands values from many goroutines to one loop, and wakes it.
//
// This is the whole concurrency idea of chskd. State has one owner, a loop;
// everybody else posts to the loop's Queue. A post takes a lock for the time of
// an append; the loop swaps the whole slice out under the same lock and works
// through it alone. The first post to an empty queue asks for one wake, and
// until the loop has come to take, nobody asks for another: waking a loop costs
// ten times as much as a post.
//
//	q := mailbox.NewQueue[msg](wakeLoop)
//	q.Post(m)               // any goroutine
//	batch = q.Take(batch)   // the owner, in its wake
//
// Clock drives the deadlines of the loops in the same spirit: each loop says
// when it next needs a turn, one goroutine sleeps until the earliest of them.
// Reply is the way back for a caller that waits, outside any loop.
package mailbox
