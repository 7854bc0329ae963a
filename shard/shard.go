package shard

import (
	"hash/maphash"

	"github.com/cespare/xxhash/v2"
	"github.com/chskd/chskd/arena"
	"github.com/chskd/chskd/deadline"
)

// SessionID names a session: slot | generation<<32. The zero SessionID is no
// session. An id whose session has ended is harmless: every verb ignores it.
//
// Any goroutine.
type SessionID uint64

// Key names a session: a client-id of a user of a tenant. NilUID is the user
// without uid (Sente's nil uid); UID is then ignored.
//
// The slices are only read during the call.
//
// Owner: loop.
type Key struct {
	Tenant, UID, Client []byte
	NilUID              bool
}

// To names who is pushed to, closed or asked about: a user, or with Client
// non-nil that session of the user alone. Read only during the call.
//
// Owner: loop.
type To struct {
	Tenant, UID, Client []byte
	NilUID              bool
}

// Payload is the encoded event of an entry, reference counted by its owner.
// The shard holds one reference and calls Release once, when it has forgotten
// the entry. Len is its size in bytes and must not change.
//
// Owner: loop.
type Payload interface {
	Len() int
	Release()
}

// Shard is the state of one loop's users.
//
// Owner: loop.
type Shard struct {
	cfg     Config
	big     uint32 // bigTopic, and
	stretch int    // walkStretch; tests have smaller ones

	now  uint32 // as of the last call that was given a time
	seq  uint64 // of the newest entry
	seed maphash.Seed

	ids         arena.Arena // uids, client-ids, names of topics, keys
	sessions    table[session, *session]
	users       table[user, *user]
	tallies     tallies
	topics      table[topic, *topic]
	members     members
	holdings    holdings
	tenants     []*tenant // by slot, 0 unused; nil = free
	freeTenants []uint32
	tenantOf    map[string]uint32
	crowds      map[SessionID]*crowd // sessions with displaced conns; few
	replays     map[SessionID]uint64 // up to where a replayed poll is answered; few

	// Deadlines, each with one fixed delay; entries are looked at again when due.
	wsGrace, ajaxGrace, keep deadline.FIFO    // SessionIDs
	window                   [2]deadline.FIFO // log ids, by transport
	pace                     deadline.FIFO    // SessionIDs
	marks                    queue[mark]      // ConfirmOnSend: what settles when

	events   queue[presenceEvent]
	asks     queue[Ask]
	scratch  []byte // tenant and uid of the last Presence
	uid      []byte // the uid told last,
	client   []byte // the client-id,
	name     []byte // and the topic
	ready    queue[SessionID]
	walkAt   uint32 // the walk: next slot,
	walkLeft uint32 // slots still to visit,
	walkOn   transports
	walked   int           // slots since a topic had its turn
	walks    queue[uint64] // topics whose members are being visited
	merging  []source      // room for sources.topics
	touched  int           // memberships, since Advance began

	logs           []*log // by slot, 0 unused
	freeLogs       []uint32
	oldest, newest *Entry // the live entries of all logs, in seq order
	keys           table[keyed, *keyed]
	spare          *Entry // recycled entries, linked by newer
	spares         int
	runs           [memoLen]memo
	nextRun        int
	topicsKey      [2 * memoTopics]uint64 // room for sources.topicsKey
	counts         Counts
	returns        Returns
}

// New returns an empty Shard.
func New(c Config) *Shard {
	return &Shard{
		cfg:      c.withDefaults(),
		big:      bigTopic,
		stretch:  walkStretch,
		seq:      1, // so that no cursor is 0, and owners have 0 for "nothing yet"
		seed:     maphash.MakeSeed(),
		tenants:  make([]*tenant, 1),
		tenantOf: map[string]uint32{},
		crowds:   map[SessionID]*crowd{},
		replays:  map[SessionID]uint64{},
		logs:     make([]*log, 1),
	}
}

// Of is the hash that decides a user's home: xxhash64 of tenant, NUL and uid.
func Of(tenant, uid []byte) uint64 {
	return hashPair(tenant, uid)
}

// OfClient is the same for a session without uid, which is homed by its
// client-id, so that users without uid do not all meet on one loop.
func OfClient(tenant, client []byte) uint64 {
	return hashPair(tenant, client)
}

// hashPair allocates nothing while the pair fits the array; a longer one is
// hashed just the same.
func hashPair(a, b []byte) uint64 {
	var room [512]byte
	key := append(room[:0], a...)
	key = append(key, 0)
	key = append(key, b...)
	return xxhash.Sum64(key)
}

// Advance handles every deadline that is due at now: graces, kept sessions,
// flush windows, pacing, the age of logs. It does a bounded amount of work: if
// more is due, Due says so and the next call goes on.
func (s *Shard) Advance(now uint32) {
	s.now, s.touched = now, 0
	s.endGraces(now)
	s.endKeeps(now)
	s.endWindows(now)
	s.endPaces(now)
	s.settle(now)
	s.dropAged(now)
}

// Due is the earliest time at which Advance or NextDelivery has something to
// do; ok is false if nothing is waited for. A time that is not after now means
// at once.
func (s *Shard) Due() (due uint32, ok bool) {
	if s.ready.len() > 0 || s.walkLeft > 0 || s.walks.len() > 0 {
		return s.now, true
	}
	for _, f := range [...]*deadline.FIFO{
		&s.wsGrace, &s.ajaxGrace, &s.keep, &s.window[0], &s.window[1], &s.pace,
	} {
		if d, has := f.Due(); has {
			due, ok = earlier(due, ok, d), true
		}
	}
	if s.marks.len() > 0 {
		due, ok = earlier(due, ok, s.marks.head().due), true
	}
	if s.oldest != nil {
		due, ok = earlier(due, ok, s.oldest.at+s.cfg.LogAge), true
	}
	return due, ok
}

func earlier(a uint32, has bool, b uint32) uint32 {
	if has && int32(a-b) < 0 {
		return a
	}
	return b
}

// reached tells whether now is at or after due.
func reached(now, due uint32) bool { return int32(now-due) >= 0 }
