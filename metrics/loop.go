package metrics

import (
	"reflect"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// Counter is a number with one writer and any number of readers.
type Counter struct {
	v atomic.Uint64
}

// Add adds n. Only the owner of the block calls it: one load and one store, without
// the bus lock that a shared counter needs.
func (c *Counter) Add(n uint64) { c.v.Store(c.v.Load() + n) }

// Sub takes n off a gauge. Owner only.
func (c *Counter) Sub(n uint64) { c.v.Store(c.v.Load() - n) }

// Set makes a gauge n. Owner only; it writes only what changes.
func (c *Counter) Set(n uint64) {
	if c.v.Load() != n {
		c.v.Store(n)
	}
}

// Load reads the number. Any goroutine.
func (c *Counter) Load() uint64 { return c.v.Load() }

// Loop is the counter block of one event loop. Fields that end in Now or Of are gauges,
// all others only grow.
//
// Owner: loop. Load: any goroutine.
type Loop struct {
	_ [64]byte // no other loop's writes on our first cache line

	ConnsNow      Counter // open TCP connections
	ConnsAccepted Counter
	ConnsRefused  Counter // closed at once: at the file descriptor limit
	ConnsDenied   Counter // closed at once: by the lists of addresses, or no proxy where one must be
	ConnsHeld     Counter // requests held back at the connection cap
	ConnsShed     Counter // held until their time was over, or not for want of room: 503
	WSNow         Counter // upgraded connections
	Upgrades      Counter
	UpgradesBad   Counter // refused by protocol, token, origin or identity
	Polls         Counter
	PollsNow      Counter // parked polls
	Posts         Counter
	PostsReplayed Counter // a browser sent the same POST again
	PostsRefused  Counter // answered :chsk/error: too many wait, or too many sessions
	Requests      Counter
	BadRequests   Counter // malformed HTTP
	Refused       Counter // 401, 403, missing client-id

	RequestsDenied  Counter // 403 by the lists of addresses
	ProxyHeadersBad Counter // conns closed for a PROXY header that was wrong or late
	EventsLimited   Counter // events and pings over their client's limit
	LimitCloses     Counter // WebSockets closed for it
	PongsDropped    Counter // protocol pings of peers that do not read
	BehindNow       Counter // 1 while the loop has too much to do

	SessionsRefused Counter // their user had as many as one may have

	Verifies       Counter // requests that waited for their identity to be found out
	VerifyTimeouts Counter // those of them that waited in vain: 503
	VerifiedLate   Counter // answers to requests that were gone
	ExpiryNotices  Counter // WebSockets that were told that their identity will expire
	ExpiryCloses   Counter // WebSockets closed 4401, and polls answered, because it had

	EventsIn      Counter // events from clients
	BadEvents     Counter
	Undecodable   Counter // not readable in the conn's packer
	Bombs         Counter // inflate beyond the limit of a message: 1009 or 413
	EventsDropped Counter // the backend queue was full or nobody listens
	Rejections    Counter // those of them whose client was told so: closed 1013, or :chsk/error
	BytesIn       Counter
	BytesOut      Counter
	PingsIn       Counter // :chsk/ws-ping from clients
	PingsOut      Counter
	Replies       Counter
	RepliesLate   Counter // for a conn or callback that is gone

	Joins        Counter // memberships asked for and had
	JoinsRefused Counter // too many topics
	Leaves       Counter

	Pushes         Counter // entries taken in
	Deliveries     Counter // batches handed to conns
	DeliveriesLate Counter // fell away: the conn had gone or moved on
	Gaps           Counter // notices sealed
	GapCloses      Counter // sessions ended for a gap, in place of a notice
	Stalls         Counter
	StallCloses    Counter
	FrameErrors    Counter // closed 1002, 1007 or 1009
	Untranslatable Counter // an event that a packer cannot express
	PingTimeouts   Counter
	HeadTimeouts   Counter
	IdleCloses     Counter // HTTP conns closed because no request came
	Panics         Counter
	Turns          Counter
	Messages       Counter // mailbox messages handled
	BacklogNow     Counter // mailbox messages left for the next turn

	CallbackTimeouts Counter // callbacks and sends that no backend answered in time
	ClosesAbnormal   Counter // WebSockets that ended without a close frame

	// By kind; not in Sum.
	WSOf         [Packers]Counter // upgraded connections of now
	PollsOf      [Packers]Counter // polls of now that wait for an answer
	Handshakes   [Transports][Handshakes]Counter
	Held         [Holds]Counter  // requests held back
	Shed         [Holds]Counter  // and then refused, or at once for want of room
	ClosesServer [Closes]Counter // close frames that we sent first
	ClosesClient [Closes]Counter // close frames that clients sent first

	BatchEvents Histogram // events of each batch handed to a conn
	Delays      Histogram // ms from the push of the oldest event of a batch until then
	ReplyTimes  Histogram // ms from a client's event to its backend's reply
	VerifyTimes Histogram // ms that a request waited for its identity to be found out
	TurnTimes   Histogram // in TurnUnit, of each turn

	_ [64]byte
}

// TurnUnit is the unit of Loop.TurnTimes.
const TurnUnit = 16 * time.Microsecond

// Sum adds up the blocks by field name in snake case, as "events_in".
func Sum(blocks []*Loop) map[string]uint64 {
	out := make(map[string]uint64, 40)
	t := reflect.TypeFor[Loop]()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type != reflect.TypeFor[Counter]() {
			continue
		}
		var n uint64
		for _, b := range blocks {
			n += reflect.ValueOf(b).Elem().Field(i).Addr().Interface().(*Counter).Load()
		}
		out[snake(f.Name)] = n
	}
	return out
}

// snake turns "WSNow" into "ws_now" and "EventsIn" into "events_in".
func snake(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		upper := unicode.IsUpper(r)
		if upper && i > 0 && (!unicode.IsUpper(rs[i-1]) ||
			(i+1 < len(rs) && !unicode.IsUpper(rs[i+1]))) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
