// Package bufpool lends byte buffers that several owners may share.
//
// A batch is encoded once and sent to thousands of conns on several loops. Each
// holder has a reference; the last Release gives the buffer back to its pool.
// Before it is shared it is sealed: from then on nobody writes to it.
//
//	b := bufpool.Get(512)
//	b.B = append(b.B, "hello"...)
//	b.Seal()
//	other := b.Retain()
//	b.Release()
//	other.Release() // back in the pool
//
// This is one of the few packages with atomics: a reference count is exactly
// what crosses loops.
package bufpool
