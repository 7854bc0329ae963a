// Package admit holds what is shared by all loops and touched once a connection
// or a handshake, never once a frame: how many connections there are, which loop
// has which number, and which user a client-id named last.
//
// Locks and atomics are allowed here because of that rarity; anything that is
// needed per frame belongs to a loop instead.
package admit
