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
// A push appends one entry to one log: a session's own, its user's, its tenant's
// (broadcasts), or a topic's. One increasing seq stamps the entries of all logs, so
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
// # Topics
//
// A topic has a log of its own, which exists while there is something in it,
// and members: users with all their sessions, and sessions by themselves. What
// a session follows is so its base logs, own, user's, tenant's, and the logs of
// its topics; in a topic's its place is its cursor or where it joined, the later
// of the two. Members are found from both sides, but no push, delivery or
// confirmation looks at all topics of a session: each holder has a list of those
// that have a log now (member.go).
//
//	topic --first--> member <--> member <--> member       one list a topic
//	                   |           |
//	user or session    holder      |
//	  |                            |
//	  topics                       |
//	  v                            |
//	holding --first--> member <----+--> member            one list a holder
//	   |
//	   +----active--> member --> member                   topics that have a log
//
// A push to a topic costs the same whatever its size, beside what its delivery
// costs each session; its members are walked over in stretches, as all sessions
// are for a broadcast.
//
// A key lets a newer entry take an older one out of its log. After its time to
// live an entry is passed over. Neither is ever told as a gap.
//
// # What it costs
//
// Bytes: a session 104, a user 60, a topic 60, a membership 40, an entry 96, and
// 4 to 8 of index for each of the first four; ids, names and keys beside; 12 for
// a user or session that is in topics. With processor time on one core of a busy
// EPYC (go test -bench Topic; a delivery includes its confirmation):
//
//	one topic of 1,000,000 users      56 bytes a membership, holding included
//	  push                            0.1 us, whatever the size
//	  delivery                        0.22 us a session, one run for all
//	10,000 topics of one user         153 bytes a topic, its one member included
//	  push and delivery               1.8 us
//	10,000 users in 100 topics each
//	  push to one topic of 100        0.9 us a session
//	  push to all 10,000              0.24 us an event and session
//	  broadcast                       0.16 us a session, as without topics
//	one session in 10,000 topics
//	  push to one                     0.9 us
//	  push to all                     1.5 us an event
//	join and leave                    1.5 us
//	push with a key that supersedes   0.15 us, among 500 keys
//
// None of these allocates once buffers have come to their size, except that a
// list of exceptions does. What is linear, and in what: a user or session that
// comes or goes, in its topics, which Advance does in parts; a membership of a
// user, in its sessions; the first entry of a topic's log, in members that
// dropped out, at most bigTopic; a run, in the logs that have something for the
// session.
//
// # Reading order
//
//	config.go    limits and errors
//	table.go     slab and hash index, without pointers
//	session.go   a session, its flags, how it comes and goes
//	user.go      users and tenants
//	tally.go     what is counted of the sessions of a user that has several
//	presence.go  sets, graces, keeping, open and close
//	rules.go     the rules that move a cursor, each one line
//	ws.go        verbs of WebSocket conns
//	displaced.go conns that were displaced and are still open
//	poll.go      verbs of long polls
//	entry.go     entries, and all of a shard's in one order
//	log.go       one log: entries, gaps, and where the cursors stand
//	supersede.go keys
//	push.go      one user, one session; what a push may ask for
//	broadcast.go a tenant: one entry, and the walk over the slab
//	topic.go     topics: one entry, and the walk over the members
//	member.go    memberships: slab, lists, which are active
//	join.go      verbs of members
//	grant.go     topics that come with an identity
//	follow.go    a session's place in the logs of its topics, merging many
//	flush.go     windows, ready sessions, pacing
//	run.go       merging logs into a run, sharing runs
//	deliver.go   who is sent what next
//	query.go     the questions, and closing
//
// Owner: loop. Nothing here may be called from two goroutines.
package shard
