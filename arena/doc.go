// Package arena stores many short byte strings without a pointer each.
//
// A loop holds the ids of up to a million users and conns. As Go strings each
// would cost a 16-byte header and, worse, a pointer that every garbage
// collection follows. Here a string is a uint32 offset into chunks that the
// collector never looks into.
//
//	var a arena.Arena
//	r := a.Put([]byte("alice"))
//	a.Append(nil, r) // alice
//	a.Free(r)
//
// Layout: a string lies in a cell of 2 length bytes (little endian) and its
// bytes, rounded up to 4; of a UUID it holds the 16 bytes that it says. A freed cell goes to the free list of its size, its
// first 4 content bytes naming the next free one; cells of one size are reused
// for strings of that size only, which suits ids: they come in few lengths.
package arena
