package backend

import (
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chskd/chskd/packer"
)

// The hub, between the event loops and the consumers:
//
//	Event -> offer -> each group -> the consumer that owns the uid's slot -> its queue
//	Presence -> present (the set of who is online) -> the queues of those who follow it
//	subscribe, take, settle, ack, leave: the consumer's writer (subscribe.go)
//	tick: what time ends (clock.go)

// Hub spreads clients' events and changes of presence over the consumers that read them. Any
// goroutine.
type Hub struct {
	o      HubOptions
	epoch  string
	engine Engine // set once by NewServer, before any consumer
	slots  int    // of each group: slotCount. Immutable after New.
	chunk  int    // of a snapshot: scanChunk. Immutable after New.

	tracking atomic.Bool // present != nil; lets Presence leave without the mutex
	filters  atomic.Bool // some group has had a filter; lets Event look for ids before the mutex

	mu        sync.Mutex
	now       int64    // ms, as the last tick said
	seq       uint64   // of the last line taken by any consumer
	groups    []*group // the default group is always the first
	watchers  []*consumer
	byID      map[string]*consumer
	named     uint64 // consumers so far: their names
	consumers int
	present   *present       // who is online; nil while nobody follows presence
	nilUsers  map[string]int // tenant -> shards that have users without uid
	key       []byte         // scratch of present's keys
	closed    bool
	stats     HubStats
}

// NewHub makes a hub without consumers. Events are held from now on.
func NewHub(o HubOptions) *Hub {
	if o.QueueEvents == 0 {
		o.QueueEvents = QueueEventsDefault
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = QueueBytesDefault
	}
	if o.HoldMax == 0 {
		o.HoldMax = HoldMaxDefault
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = AckTimeoutDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hub{
		o: o, epoch: rand.Text()[:16], slots: slotCount, chunk: scanChunk,
		nilUsers: map[string]int{}, byID: map[string]*consumer{},
	}
	h.groups = []*group{h.newGroup(defaultGroup)}
	return h
}

func (h *Hub) newGroup(name string) *group {
	return &group{
		h: h, name: name, held: h.newQueue(), empty: h.now,
		slots: slots{all: make([]slot, h.slots)},
	}
}

func (h *Hub) newQueue() *queue {
	return &queue{maxCount: h.o.QueueEvents, maxBytes: h.o.QueueBytes}
}

// Verdict is what became of an event.
type Verdict uint8

// The verdicts. For any but Taken the client's wait for a reply can be ended at once.
const (
	// Taken: a consumer was given it, or it is held for one.
	Taken Verdict = iota
	// Dropped: nobody will hear it.
	Dropped
	// Reject: nobody will hear it, and the client is to be closed with 1013 (RFC 6455 §7.4, "try
	// again later"): [OnFullReject].
	Reject
)

// Event offers a client's event to one consumer of each group. event is one checked value in the
// given format, without references to what came before it; bad says that it is not an event;
// replyTo names the client's wait for an answer, nil = none. All slices are copied. It never waits
// for a consumer.
//
// While a group has no consumer, events without replyTo are held for it, up to the bounds of
// [HubOptions], if they say so.
func (h *Hub) Event(tenant, uid []byte, nilUID bool, client []byte, ajax bool,
	format packer.Format, event []byte, bad bool, replyTo []byte, at time.Time,
) Verdict {
	k := kindEvent
	if bad {
		k = kindBadEvent
	}
	it := newItem(k, tenant, uid, nilUID)
	it.event(client, ajax, format, event, replyTo, at)
	it.slot = slotOf(h.slots, tenant, uid, nilUID, client)
	if h.filters.Load() {
		it.eventID()
	}
	h.mu.Lock()
	v := h.offer(it)
	unused := it.refs == 0 // read here: once unlocked, a writer may have done with the item
	if !unused {
		h.stats.Items++
	}
	h.mu.Unlock()
	if unused {
		it.recycle()
	}
	return v
}

// offer gives an event to each group.
func (h *Hub) offer(it *item) Verdict {
	h.stats.Events++
	var results [offerNobody + 1]bool
	for _, g := range h.groups {
		results[g.offer(it)] = true
	}
	switch {
	case results[offerFull]: // a gap there, even if other groups took it
		h.stats.Dropped++
	case !results[offerTook]:
		h.stats.Unheard++
	}
	switch {
	case results[offerTook]:
		return Taken
	case h.o.OnFull == OnFullReject && (results[offerFull] || results[offerNobody]):
		h.stats.Rejected++
		return Reject
	}
	return Dropped
}

// drop lets one holder of an item go.
func (h *Hub) drop(it *item) {
	it.refs--
	if it.refs == 0 {
		h.stats.Items--
		it.recycle()
	}
}

// Epoch names this run of the daemon.
func (h *Hub) Epoch() string { return h.epoch }

// Close lets every stream end once what is queued is written; new ones are refused. Events go on
// being queued for those that still write, and are held after them.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, g := range h.groups {
		for _, c := range g.consumers {
			c.wakeUp()
		}
	}
}
