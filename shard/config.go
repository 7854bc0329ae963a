package shard

// Config holds the delays and limits of a Shard. Immutable after New.
//
// Times are milliseconds. A zero count or size means its default; a zero time
// is a real zero, except LogAge.
type Config struct {
	WSGrace   uint32 // how long a user stays present without its WebSocket (Sente: 2500)
	AjaxGrace uint32 // how long a user stays present between polls (Sente: 5000)
	Keep      uint32 // how long a session that left is kept with its cursor (60000); 0 = not at all

	FlushWS   uint32 // window of batching over WebSocket (Sente: 30); 0 = never wait
	FlushAjax uint32 // window of batching over polls (Sente: 100); 0 = never wait
	Pace      uint32 // a session gets at most BatchEvents events in this time (20); 0 = no limit
	LogAge    uint32 // an entry older than this leaves its log (default 60000)

	BatchEvents  int // most events in a run (default 250, at most 60000)
	BatchBytes   int // most bytes in a run, unless a single event is larger (default 64 KiB)
	LogEntries   int // most entries in a log (default 1000)
	LogBytes     int // most bytes in a log, unless a single event is larger (default 1 MiB)
	ShardBytes   int // most bytes in all logs together, oldest out (default 256 MiB)
	Topics       int // most topics of a user, and of a session by itself (default 10000)
	UserSessions int // most sessions of a user that has a uid (default 1000)
	KeptSessions int // most kept sessions, oldest out (default 1000000)

	// ConfirmOnSend is redelivery "off": what a WebSocket was sent counts as
	// confirmed as soon as it can no longer be taken back (settleMs), so that
	// logs empty without anybody confirming.
	ConfirmOnSend bool
}

// settleMs is how long after a delivery ConfirmOnSend waits before it counts
// as confirmed: an owner may still answer it with Stalled, or its conn may be
// gone already, and then it was never handed over. That answer is under way
// for a turn of two loops; a second is ample.
const settleMs = 1000

// tombsMax is the number of gap marks that a log keeps apart. Beyond it the
// two oldest are joined, and a cursor between them is told up to the sum.
const tombsMax = 1024

// walkVisits is the number of slots, or members of topics, that one call of
// NextDelivery looks at during walks before it lets its loop do something else.
const walkVisits = 8192

// advanceMax is the number of deadlines of each kind that one Advance handles.
const advanceMax = 8192

// advanceMembers is the number of memberships that sessions may touch in one
// Advance, by leaving a set or being forgotten, before it leaves the rest of the
// graces to the next.
const advanceMembers = 1 << 15

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.BatchEvents, 250},
		{&c.BatchBytes, 64 << 10},
		{&c.LogEntries, 1000},
		{&c.LogBytes, 1 << 20},
		{&c.ShardBytes, 256 << 20},
		{&c.Topics, 10000},
		{&c.UserSessions, 1000},
		{&c.KeptSessions, 1000000},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	c.BatchEvents = min(c.BatchEvents, 60000) // fits the session's 16-bit count
	if c.LogAge == 0 {
		c.LogAge = 60000
	}
	return c
}

// Error is a refusal, with what to answer: Status on HTTP, Code as the close
// code of a WebSocket that is open already (RFC 6455 §7.4.1, 1013 by the IANA
// registry), Reason in both.
//
// Immutable after New.
type Error struct {
	Status int
	Code   uint16
	Reason string
}

// Error returns the reason with the package's name before it.
func (e *Error) Error() string { return "shard: " + e.Reason }

// ErrUserSessions refuses a session beyond Config.UserSessions, when none of
// the user's sessions is merely kept and could make room.
var ErrUserSessions = &Error{Status: 429, Code: 1013, Reason: "too many sessions of this user"}

// ErrTopics refuses a topic beyond Config.Topics.
var ErrTopics = &Error{
	Status: 429, Code: 1013, Reason: "a user or client is in as many topics as it may be",
}
