package backend

import (
	"errors"
	"time"

	"github.com/chskd/chskd/packer"
)

// Errors that an [Engine] gives back and the API knows how to answer. Others are answered with
// their text, as a request that cannot be done (400, code "refused").
var (
	// ErrUnknownReply: no event waits under this token: it was answered already (the first answer
	// wins), its time is over, its client is gone, or it never was.
	ErrUnknownReply = errors.New("backend: no event waits for this reply: it was answered " +
		"already, its time is over, or its client is gone")
	// ErrBusy: a bounded queue is full; answered 503 with Retry-After.
	ErrBusy = errors.New("backend: too much is waiting, try again")
	// ErrDraining: the daemon is shutting down; answered 503.
	ErrDraining = errors.New("backend: the daemon is shutting down")
	// ErrNotRevocable: no auth mode of the daemon has anything that could be revoked.
	ErrNotRevocable = errors.New("backend: nothing can be revoked: of the auth modes, only jwt and " +
		"hook give what lasts, and neither is used here")
	// ErrTooManyTopics: the user or session is in as many topics as one may be in.
	ErrTooManyTopics = errors.New("backend: a session or user may be in 10,000 topics, " +
		"and this one is; leave some first")
)

// Engine is what the API needs from the rest of the daemon. Any goroutine may call it, no call
// blocks. Each done is called at most once, later, from any goroutine; an answer that does not
// come within 10 s is given up.
type Engine interface {
	// Push sends an event to users. p itself, p.UIDs and p.Event are read only during the call;
	// its strings and Except are the engine's to keep. done may be nil; its sessions is how many
	// sessions took the event. How much was pushed and not answered yet is bounded by the caller
	// (limits.go), so an engine takes every push.
	Push(p *Push, done func(sessions int, err error))

	// Join puts a user or a session into a topic, and Leave takes it out. joined is false when
	// the user or session is not online: nobody is there who could be a member. Joining twice is
	// joining once. left says whether it was in. Joining may fail with ErrTooManyTopics. m is
	// read only during the call, its strings are the engine's to keep.
	Join(m *Membership, done func(joined bool, err error))
	Leave(m *Membership, done func(left bool, err error))

	// Reply answers an event once. r and its Value are read only during the call.
	Reply(r *Reply, done func(error))

	// Flush comes after pushes and replies with More, before their caller waits for anything: no
	// other call may come, and the engine need not take them up before.
	Flush()

	// Close ends the sessions of a user, or of one client of it, by a close code and reason of
	// RFC 6455 §7.4. With c.Revoke it first makes void what the user has been identified by until
	// now; that may fail with ErrNotRevocable. c is read only during the call, its strings are the
	// engine's to keep.
	Close(c *Close, done func(sessions int, err error))

	// Connected gives one page of the users that are online.
	Connected(q Query, done func(*Connected))

	// User tells about one user; ok is false when it is not online.
	User(tenant, uid string, nilUID bool, done func(u *User, ok bool))

	// Stats gives the engine's counters.
	Stats() Stats

	// Ready is false before the listeners are up and while the daemon drains.
	Ready() bool
}

// Push is one event on its way to users. Exactly one of these names the receivers: UIDs, NilUID
// (both with or without Client, Client only with one user), All, Topic.
type Push struct {
	Tenant string
	UIDs   []string
	NilUID bool     // the users without uid ("uid": null)
	Client string   // only this client-id of the user
	All    bool     // every user of the tenant
	Topic  string   // the members of this topic; "" = no topic
	Except []string // with All or Topic: but not these uids
	Flush  bool     // empties the batch window now

	// Key is "" or at most 128 bytes: a newer push of the same receivers and key takes the place
	// of an older one that was not sent yet.
	Key string
	TTL time.Duration // 0 = no end; else 1 ms to 1 h: not sent after that

	Format packer.Format // of Event
	Event  []byte        // a checked event; valid only during [Engine.Push]

	More bool // others follow at once, see [Engine]'s Flush
}

// Membership names a user, or one session of it, and a topic. NilUID comes only with Client.
type Membership struct {
	Tenant, UID string
	NilUID      bool
	Client      string // "" = the user: all of its sessions, now and later
	Topic       string // 1 to 256 bytes
}

// Reply is the answer to one event.
type Reply struct {
	Token  string // as `reply_to` gave it
	Format packer.Format
	Value  []byte // one checked value, a part of the request's bytes
	More   bool   // as of a push
}

// Close names sessions to end.
type Close struct {
	Tenant, UID string
	NilUID      bool
	Client      string // "" = all sessions of the user
	Code        int    // RFC 6455 §7.4; 1000 when the request names none, 4403 with Revoke
	Reason      string // UTF-8, at most 123 bytes
	Revoke      bool   // refuse what the user is identified by, too; only with UID, of all clients
}

// Query asks for a page of users.
type Query struct {
	Tenant     string // of this tenant
	AllTenants bool   // or of all
	Topic      string // only those who are in it; "" = all users
	After      string // Next of the page before; "" = from the start
	Limit      int    // at most so many users, 1 to 1000
}

// Connected is a page of users. The order is the engine's own, and stable: a user that stays
// online while all pages are read is on one of them.
type Connected struct {
	Users []Online
	Next  string // cursor of the page after this one; "" = this is the last
	Count Count  // of the whole daemon
	Err   error  // for people, as a cursor that makes no sense; the rest is void then
}

// Online is one user of a page, with its sessions on each transport. The users without uid may
// be on several pages.
type Online struct {
	Tenant, UID string
	NilUID      bool
	WS, Ajax    int
}

// Count counts users that are online, and those of them over each transport.
type Count struct {
	Any  int `json:"any"`
	WS   int `json:"ws"`
	Ajax int `json:"ajax"`
}

// User is what is known of one user. Clients may be cut short (More) for the users without uid.
type User struct {
	WS, Ajax   int // sessions on each transport
	Clients    []Client
	More       bool
	Topics     []string // the user's own, at most 1,000 of them
	MoreTopics bool     // there are more
}

// Client is one session of a user. Lag counts events that wait for it.
type Client struct {
	Client     string
	WS, Ajax   bool
	Packer     packer.Packer
	Lag        uint64
	Topics     []string // that the session joined by itself, at most 1,000 of them
	MoreTopics bool     // there are more
}

// Stats are the engine's counters: gauges that hold now, and counters since the start.
type Stats struct {
	Version  string            `json:"version,omitempty"`
	Uptime   time.Duration     `json:"-"`
	Users    int               `json:"users"`
	Sessions int               `json:"sessions"`
	Kept     int               `json:"kept_sessions"` // away, their cursors kept
	WS       int               `json:"ws"`
	Ajax     int               `json:"ajax"`
	Entries  int               `json:"log_entries"`
	LogBytes int               `json:"log_bytes"`
	Counters map[string]uint64 `json:"counters,omitempty"` // any others, by name
}
