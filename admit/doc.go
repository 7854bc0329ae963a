// Package admit holds what is shared by all loops and touched once a connection
// or a handshake, never once a frame:
//
//	gate.go       how many connections there are
//	addresses.go  how many of them each address has, and how often it shakes hands
//	pace.go       how often all together shake hands
//	prefixes.go   sets of addresses: allowed, denied, trusted
//	roster.go     which loop has which number
//	memory.go     which user a client-id named last
//
// Locks and atomics are allowed here because of that rarity; anything that is
// needed per frame belongs to a loop instead. A limit that is off costs nothing.
package admit
