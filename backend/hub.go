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
//	subscribe, take, settle, leave: the consumer's writer (stream.go)

// HubOptions are a hub's limits; 0 = the default of limits.go.
type HubOptions struct {
	QueueEvents int // items that wait for one consumer, or are held while there is none
	QueueBytes  int // and their bytes
	Log         *slog.Logger
}

// Hub spreads clients' events and changes of presence over the consumers that read them. Nothing
// is kept for a consumer that comes back: what is written to a stream is delivered. Any goroutine.
type Hub struct {
	o      HubOptions
	epoch  string
	engine Engine // set once by NewServer, before any consumer

	tracking atomic.Bool // present != nil; lets Presence leave without the mutex

	mu        sync.Mutex
	seq       uint64   // of the last line taken by any consumer
	groups    []*group // the default group is always the first
	watchers  []*consumer
	named     uint64 // consumers so far: their names
	consumers int
	present   *present       // who is online; nil while nobody follows presence
	nilUsers  map[string]int // tenant -> shards that have users without uid
	key       []byte         // scratch of present's keys
	closed    bool
	stats     HubStats
}

// HubStats are the hub's gauges and counters.
type HubStats struct {
	Consumers int    `json:"consumers"`
	Groups    int    `json:"groups"`
	Held      int    `json:"held"`      // events that wait for a first consumer
	Queued    int    `json:"queued"`    // items that wait for consumers, or are being written
	Snapshots int    `json:"snapshots"` // of who is online, being told
	Events    uint64 `json:"events"`    // offered by clients
	Delivered uint64 `json:"delivered"` // lines handed to consumers' sockets
	Dropped   uint64 `json:"dropped"`   // events that a full queue refused; told as gaps
	Unheard   uint64 `json:"unheard"`   // events that no consumer wanted or was there for
	Resyncs   uint64 `json:"resyncs"`   // presence snapshots started again
	Cut       uint64 `json:"cut"`       // consumers that stood still for too long
}

// NewHub makes a hub without consumers. Events are held from now on.
func NewHub(o HubOptions) *Hub {
	if o.QueueEvents == 0 {
		o.QueueEvents = QueueEventsDefault
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = QueueBytesDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hub{o: o, epoch: rand.Text()[:16], nilUsers: map[string]int{}}
	g := &group{name: defaultGroup, held: h.newQueue()}
	h.groups = []*group{g}
	return h
}

func (h *Hub) newQueue() *queue {
	return &queue{maxCount: h.o.QueueEvents, maxBytes: h.o.QueueBytes}
}

// Event offers a client's event to one consumer of each group. event is one checked value in the
// given format, bad says that it is not an event; replyTo names the client's wait for an answer,
// nil = none. All slices are copied. It never waits for a consumer.
//
// false: nobody will hear it, the client's wait can be ended. While no consumer is there, events
// without replyTo are held, up to the queue's bounds.
func (h *Hub) Event(tenant, uid []byte, nilUID bool, client []byte, ajax bool,
	format packer.Format, event []byte, bad bool, replyTo []byte, at time.Time,
) bool {
	k := kindEvent
	if bad {
		k = kindBadEvent
	}
	it := newItem(k, tenant, uid, nilUID)
	it.event(client, ajax, format, event, replyTo, at)
	h.mu.Lock()
	took := h.offer(it)
	unused := it.refs == 0 // read here: once unlocked, a writer may have done with the item
	h.mu.Unlock()
	if unused {
		it.recycle()
	}
	return took
}

// offer gives an event to each group.
func (h *Hub) offer(it *item) bool {
	h.stats.Events++
	took, dropped := false, false
	for _, g := range h.groups {
		switch g.offer(it) {
		case offerTook:
			took = true
		case offerFull:
			dropped = true
		}
	}
	if dropped {
		h.stats.Dropped++
	} else if !took {
		h.stats.Unheard++
	}
	return took
}

// Presence tells that a user came online or left. Calls for one user must come in their order.
// Users without uid may be in several shards, each telling its own changes; the hub tells when
// the first comes and the last leaves. It never waits for a consumer.
func (h *Hub) Presence(open bool, tenant, uid []byte, nilUID bool) {
	// A change that is not recorded here, because nobody follows, was made before the pages are
	// asked for that fill the set of the next follower: they show it.
	if !nilUID && !h.tracking.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if nilUID && !h.countNil(open, tenant) || h.present == nil {
		return
	}
	h.key = appendKey(h.key[:0], tenant, uid, nilUID)
	pos, changed := h.present.set(h.key, open)
	if changed {
		h.tellPresence(open, tenant, uid, nilUID, pos)
	}
}

// countNil counts the shards with users without uid; true = the first came or the last left.
func (h *Hub) countNil(open bool, tenant []byte) bool {
	n := h.nilUsers[string(tenant)]
	switch {
	case open:
		h.nilUsers[string(tenant)] = n + 1
		return n == 0
	case n > 1:
		h.nilUsers[string(tenant)] = n - 1
		return false
	case n == 1:
		delete(h.nilUsers, string(tenant))
		return true
	}
	return false
}

// tellPresence queues a change for those who follow it. A snapshot that has not come to the
// user's position yet will tell it; a full queue starts the snapshot again.
func (h *Hub) tellPresence(open bool, tenant, uid []byte, nilUID bool, pos uint32) {
	k := kindClose
	if open {
		k = kindOpen
	}
	slot := slotOf(tenant, uid, nilUID, nil)
	var it *item
	for _, c := range h.watchers {
		if c.scanning && pos >= c.scan || !c.follows(slot) {
			continue
		}
		if it == nil {
			it = newItem(k, tenant, uid, nilUID)
			it.slot = slot
		}
		if !c.queue.fits(it) {
			c.rescan()
			continue
		}
		c.queue.push(it)
		c.wakeUp()
	}
	if it != nil && it.refs == 0 {
		it.recycle()
	}
}

// Stats gives the hub's counters.
func (h *Hub) Stats() HubStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Groups = len(h.groups)
	s.Held = h.groups[0].held.count
	s.Consumers = h.consumers
	for _, g := range h.groups {
		for _, c := range g.consumers {
			s.Queued += c.queue.count
			s.Resyncs += c.resyncs
			if c.scanning {
				s.Snapshots++
			}
		}
	}
	return s
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
