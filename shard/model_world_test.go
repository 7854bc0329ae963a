package shard_test

import (
	"fmt"
	"math/rand"

	"github.com/chskd/chskd/shard"
)

// The world around a shard: clients, and the owners of their conns. Between a
// home and an owner there are queues in both directions; each keeps its order,
// and nothing else does. A client that loses its conn loses what it had not
// acknowledged.

// wsConn is a WebSocket as its owner sees it.
type wsConn struct {
	who    who
	id     shard.SessionID
	ref    uint64
	since  uint32
	packer uint8

	inbox []shard.Delivery // from home, with the events of each in runs
	runs  [][]int
	home  []func() // to home

	sent    uint64 // owner: up to where it wrote, 0 = nothing yet
	fixed   bool   // owner: sent is known
	flight  []step // written, not acknowledged
	acked   uint64 // the last seq wholly acknowledged
	live    bool   // the peer acknowledged something
	loose   []int  // events on the way whose acknowledgement tells nobody anything
	stalled bool   // owner
	told    bool   // home knows that it is stalled
	closed  bool
}

// step is one delivery on the wire.
type step struct {
	to  uint64
	ids []int
}

// pollConn is a poll's request and its answer.
type pollConn struct {
	who       who
	id        shard.SessionID
	ref, udt  uint64
	handshake bool
	arrived   bool // at home
	parked    bool
	answer    []int // events, on the way to the client
	answered  bool
	cut       bool
	other     bool // belongs to another tab than the client's later polls
	home      []func()
}

// client is what runs in a browser, for one key.
type client struct {
	ws     []*wsConn
	polls  []*pollConn
	poll   *pollConn // the one whose answer it waits for
	udt    uint64
	closed bool // believes itself closed, so its next poll asks for a handshake
}

type world struct {
	rng *rand.Rand
	cfg shard.Config
	s   *shard.Shard
	now uint32

	seq      uint64
	sessions map[who]*nsession
	ids      map[shard.SessionID]*nsession
	told     map[who]bool
	settles  []settling
	asks     []shard.Ask // to be told to owners
	events   []*event    // those that somebody follows
	all      []*event    // every payload, to count releases
	got      map[who]map[int]bool
	missed   map[who]map[int]bool

	topics []string
	member map[who]map[string]uint64 // since when; a user's without client
	joined map[who]map[string]bool   // a backend wanted it; else a grant alone
	grants map[who]map[string]bool   // that hold
	passed map[*event]bool           // seen to be passed over, for they were over
	struck int                       // superseded while somebody still needed them
	again  int                       // pushed with a key that its log had seen

	keys    []who
	clients map[who]*client
	refs    uint64
	quiet   bool // no new trouble: the world is being brought to rest
}

func newWorld(seed int64) *world {
	w := &world{
		rng: rand.New(rand.NewSource(seed)), seq: 1,
		sessions: map[who]*nsession{}, ids: map[shard.SessionID]*nsession{},
		told: map[who]bool{}, got: map[who]map[int]bool{}, missed: map[who]map[int]bool{},
		clients: map[who]*client{},
		topics:  []string{"x", "y", ""}, member: map[who]map[string]uint64{},
		joined: map[who]map[string]bool{}, grants: map[who]map[string]bool{},
		passed: map[*event]bool{},
	}
	w.cfg = shard.Config{
		WSGrace: 2500, AjaxGrace: 5000, Keep: 60000, FlushWS: 30, FlushAjax: 100, Pace: 20,
		LogAge: 60000, BatchEvents: 250, BatchBytes: 64 << 10, LogEntries: 1000, LogBytes: 1 << 20,
		ShardBytes: 256 << 20,
	}
	if w.rng.Intn(2) == 0 { // everything is small
		w.cfg.BatchEvents, w.cfg.BatchBytes = 1+w.rng.Intn(4), 20+w.rng.Intn(50)
		w.cfg.LogEntries, w.cfg.LogBytes = 2+w.rng.Intn(5), 40+w.rng.Intn(100)
		w.cfg.ShardBytes, w.cfg.LogAge = 100+w.rng.Intn(200), 5000
	}
	if w.rng.Intn(4) == 0 {
		w.cfg.FlushWS, w.cfg.FlushAjax = 0, 0
	}
	if w.rng.Intn(4) == 0 {
		w.cfg.Keep, w.cfg.Pace = uint32(w.rng.Intn(2)*3000), 0
	}
	w.cfg.ConfirmOnSend = w.rng.Intn(6) == 0
	if w.rng.Intn(4) == 0 {
		w.cfg.Topics = 1 + w.rng.Intn(3)
	}
	if w.rng.Intn(4) == 0 { // more than a run is remembered by
		for i := range 2 * shard.MemoTopics {
			w.topics = append(w.topics, fmt.Sprint("topic", i))
		}
	}
	w.s = shard.New(w.cfg)
	if w.rng.Intn(2) == 0 {
		w.s.Shrink(uint32(w.rng.Intn(3)), 1+w.rng.Intn(2))
	}
	w.now = uint32(w.rng.Uint64()) // the clock may wrap on the way
	for _, u := range []who{
		{uid: "a"}, {uid: "b"}, {nilUID: true}, {tenant: "t", uid: "a"}, {uid: "c0"},
		{tenant: "u", uid: "a"}, {tenant: "u", nilUID: true},
	} {
		for _, c := range []string{"c0", "c1", "c2"} {
			if w.rng.Intn(2) == 0 {
				continue
			}
			u.client = c
			w.keys = append(w.keys, u)
			w.clients[u] = &client{closed: true}
			w.got[u], w.missed[u] = map[int]bool{}, map[int]bool{}
		}
	}
	if len(w.keys) == 0 {
		return newWorld(seed + 1<<40)
	}
	return w
}

func pick[T any](w *world, list []T) (v T) {
	if len(list) > 0 {
		v = list[w.rng.Intn(len(list))]
	}
	return v
}

// run plays n random steps, then brings the world to rest and checks that
// nothing is left.
func (w *world) run(n int, inside bool) {
	for range n {
		w.step()
		if inside {
			if err := w.s.Check(); err != nil {
				fail("%v", err)
			}
		}
		w.presence()
		w.memberships()
	}
	w.rest()
}

func (w *world) step() {
	key := pick(w, w.keys)
	c := w.clients[key]
	switch r := w.rng.Intn(100); {
	case r < 18:
		w.push(key)
	case r < 34:
		if w.rng.Intn(8) == 0 {
			w.punctual()
		} else {
			w.turn(1 + w.rng.Intn(4))
		}
	case r < 44:
		w.tick()
	case r < 49:
		w.openWS(key)
	case r < 64:
		w.ownWS(pick(w, c.ws))
	case r < 74:
		w.tellHome(c)
	case r < 77:
		w.closeWS(pick(w, c.ws))
	case r < 90:
		w.stepPoll(key, c)
	case r < 93:
		w.cutPoll(c)
	case r < 94:
		w.touch(key)
	case r < 95:
		if w.rng.Intn(4) == 0 {
			w.end(key)
		}
	case r < 97:
		w.join(key)
	case r < 98:
		w.grant(key)
	case r < 99:
		w.leave(key)
	default:
		w.lag(key)
	}
}

func (w *world) tick() {
	switch w.rng.Intn(20) {
	case 0:
		w.advance(uint32(w.rng.Intn(6000)))
	case 1:
		if w.rng.Intn(5) == 0 {
			w.advance(uint32(w.rng.Intn(70000)))
		}
	default:
		w.advance(uint32(w.rng.Intn(40)))
	}
}

// turn takes deliveries and puts them on their way.
func (w *world) turn(limit int) {
	var d shard.Delivery
	for range limit {
		if !w.s.NextDelivery(w.now, &d) {
			return
		}
		n := w.delivered(&d)
		var ids []int
		if d.Run != nil {
			for _, e := range d.Run.Entries {
				ids = append(ids, e.Payload.(*event).id)
			}
		}
		if d.Ajax {
			n.poll.answer, n.poll.answered = ids, true
		} else {
			n.ws.inbox = append(n.ws.inbox, d)
			n.ws.runs = append(n.ws.runs, ids)
		}
	}
}

// tellHome lets one message of one of the client's conns arrive.
func (w *world) tellHome(c *client) {
	var queues []*[]func()
	for _, x := range c.ws {
		if len(x.home) > 0 {
			queues = append(queues, &x.home)
		}
	}
	for _, p := range c.polls {
		if len(p.home) > 0 {
			queues = append(queues, &p.home)
		}
	}
	if q := pick(w, queues); q != nil {
		message := (*q)[0]
		*q = (*q)[1:]
		message()
	}
}

// end ends a session or all of a user's, as a backend does.
func (w *world) end(key who) {
	k := key.key()
	to := shard.To{Tenant: k.Tenant, UID: k.UID, NilUID: k.NilUID}
	one := w.rng.Intn(2) == 0
	if one {
		to.Client = k.Client
	}
	want, got := map[uint64]bool{}, map[uint64]bool{}
	count := 0
	for other, n := range w.sessions {
		if other.user() != key.user() || one && other != key {
			continue
		}
		if n.kept {
			delete(w.sessions, other)
			continue
		}
		if n.ws != nil {
			want[n.ws.ref] = true
		}
		for _, x := range n.crowd {
			want[x.ref] = true
		}
		if n.open {
			want[n.poll.ref] = true
		}
		if n.present() && !n.ended {
			count++
		}
		n.ended, n.alive, n.out, n.await = true, false, false, nil
		n.confirmed = n.sent
	}
	w.prune()
	gotCount := w.s.CloseSessions(w.now, to, func(_ shard.SessionID, ref uint64, _ bool) {
		got[ref] = true
	})
	if gotCount != count || len(got) != len(want) {
		fail("%v: ended %d %v, want %d %v", key, gotCount, got, count, want)
	}
	for ref := range want {
		if !got[ref] {
			fail("%v: ended without %d", key, ref)
		}
	}
}
