// Package shard is the state of the users that live on one loop: who is here,
// what was pushed to them, and how far each of their sessions has come.
//
// It is pure: it takes messages and the time, and returns values. It knows no
// socket, no timer, no byte of the wire. One loop, the users' home, drives it:
//
//	s := shard.New(cfg)
//	id, displaced, err := s.AttachWS(now, key, ref, packer) // and the other verbs
//	s.Advance(now)                                          // deadlines
//	for s.NextPresence(&p) { ... }                          // tell backends
//	for s.NextDelivery(now, &d) { ... }                     // encode, hand over
//	due, ok := s.Due()                                      // when to come back
//
// # Logs and cursors
//
// A push appends one entry to one log: a session's own, its user's, or its
// tenant's (broadcasts). One increasing seq stamps the entries of all logs, so
// that they merge into one order. A session holds no queue, only a cursor:
//
//	confirmed <= sent      both are seqs
//	   |           |
//	   |           +-- handed to the session's conn, may be lost with it
//	   +-- the peer has it; nothing at or before it is ever sent again
//
// What a session is sent next is the stretch after sent in the logs that it
// follows. When its carrier (the bound WebSocket, or the open poll) is gone,
// sent goes back to confirmed. An entry leaves its log when every follower has
// confirmed it, or, oldest first, when the log is over a bound; then the
// sessions that still needed it meet a gap at exactly that place of the order.
//
// # Reading order
//
//	config.go    limits and errors
//	table.go     slab and hash index, without pointers
//	session.go   a session, its flags, how it comes and goes
//	user.go      users, tenants and their counts
//	presence.go  sets, graces, keeping, open and close
//	rules.go     the rules that move a cursor, each one line
//	ws.go        verbs of WebSocket conns
//	displaced.go conns that were displaced and are still open
//	poll.go      verbs of long polls
//	entry.go     entries, and all of a shard's in one order
//	log.go       one log: entries, gaps, and where the cursors stand
//	push.go      one user, one session
//	broadcast.go a tenant: one entry, and the walk over the slab
//	flush.go     windows, ready sessions, pacing
//	run.go       merging logs into a run, sharing runs
//	deliver.go   who is sent what next
//	query.go     the questions, and closing
//
// Owner: loop. Nothing here may be called from two goroutines.
package shard
