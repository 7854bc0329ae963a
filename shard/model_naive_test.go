package shard_test

import (
	"fmt"
	"slices"

	"github.com/chskd/chskd/shard"
)

// The naive reference: every session has the list of all events that it should
// get, and two positions in it. No logs, no slabs, no sharing.

// event is a pushed event, or a batch made of several; it counts its references.
type event struct {
	id   int
	size int
	refs int
	seq  uint64 // 0 if nobody followed
	at   uint32
	log  string // which log it is in
	key  string
	ttl  uint32 // 0 = none
	of   []int  // a sealed batch: the events in it
}

func (e *event) Len() int { return e.size }

func (e *event) Release() {
	e.refs--
	if e.refs < 0 {
		fail("event %d released twice", e.id)
	}
}

// broken is a failed check of the model.
type broken string

func fail(format string, a ...any) { panic(broken(fmt.Sprintf(format, a...))) }

// nsession is a session as the reference sees it.
type nsession struct {
	who  who
	id   shard.SessionID
	want []*event // everything that it should get, from its beginning

	sent, confirmed uint64

	ws    *wsConn // bound
	crowd []*wsConn
	await *wsConn
	poll  *pollConn // the newest
	open  bool      // and it is unanswered
	out   bool      // and its answer is unconfirmed
	upTo  uint64    // it is a replay of one that was answered up to here, 0 = it is none

	inWS, inAjax, entry, kept, alive, ended bool
	wsLeft, ajaxLeft, keptAt, shook         uint32
	udt                                     uint64
	turn                                    int // how often sent went back

	paced []struct{ at, n uint32 } // what it was sent in the last Pace
}

// who names a session.
type who struct {
	tenant, uid, client string
	nilUID              bool
}

func (w who) user() who { return who{tenant: w.tenant, uid: w.uid, nilUID: w.nilUID} }

func (w who) key() shard.Key {
	return shard.Key{
		Tenant: []byte(w.tenant), UID: []byte(w.uid), Client: []byte(w.client), NilUID: w.nilUID,
	}
}

func (n *nsession) present() bool { return n.inWS || n.inAjax }

func (n *nsession) rewind() { n.goTo(n.confirmed) }

func (n *nsession) goTo(sent uint64) {
	if n.sent != sent {
		n.sent = sent
		n.turn++
	}
}

// settling is a delivery that confirms itself (Config.ConfirmOnSend).
type settling struct {
	n    *nsession
	seq  uint64
	due  uint32
	turn int
}

// confirm moves confirmed up; what it passes must have reached the client, or
// have been given up.
func (w *world) confirm(n *nsession, seq uint64) {
	seq = min(seq, n.sent)
	if seq <= n.confirmed || n.ended {
		return
	}
	for _, e := range n.want {
		if w.cfg.ConfirmOnSend {
			break // then nobody asks the client
		}
		had := w.got[n.who][e.id] || w.missed[n.who][e.id] || w.over(e)
		if e.seq > n.confirmed && e.seq <= seq && !had {
			fail("%v: event %d is confirmed, its client never had it", n.who, e.id)
		}
	}
	n.confirmed = seq
}

// revive is what every verb that brings a session back does first.
func (w *world) revive(n *nsession) {
	if n.ended {
		n.ended = false
		n.want = nil
		n.sent, n.confirmed = w.seq, w.seq
	}
}

func (w *world) takeBack(n *nsession) {
	if n.out {
		n.out = false
		n.rewind()
	}
}

// session returns the session of a key, a new one if there is none.
func (w *world) session(key who) *nsession {
	n := w.sessions[key]
	if n == nil {
		n = &nsession{who: key, sent: w.seq, confirmed: w.seq}
		w.sessions[key] = n
	}
	return n
}

// named checks the id that a verb returned for a session.
func (w *world) named(n *nsession, id shard.SessionID) {
	if n.id == 0 {
		if w.ids[id] != nil {
			fail("%v: the id %x was used before", n.who, id)
		}
		n.id = id
		w.ids[id] = n
	}
	if n.id != id {
		fail("%v: id %x, was %x", n.who, id, n.id)
	}
}

// displace puts the bound conn into the crowd.
func (n *nsession) displace() {
	n.ws.told = false
	n.join(n.ws)
	if n.await == nil && n.sent != n.confirmed {
		n.await = n.ws
	}
	n.ws = nil
}

// join puts a conn into the crowd, which is in the order of age.
func (n *nsession) join(x *wsConn) {
	n.crowd = append(n.crowd, x)
	slices.SortStableFunc(n.crowd, func(a, b *wsConn) int { return int(int32(a.since - b.since)) })
}

// rebind gives a session without carrier the youngest of its displaced conns.
func (w *world) rebind(n *nsession) {
	if n.ws != nil || n.open || n.entry || n.inAjax || len(n.crowd) == 0 {
		return
	}
	n.ws = n.crowd[len(n.crowd)-1]
	n.crowd = n.crowd[:len(n.crowd)-1]
	w.asks = append(w.asks, shard.Ask{ID: n.id, Ref: n.ws.ref, Rebound: true})
}

// tellOwners takes the shard's words to owners, compares them, and puts them
// behind the deliveries that are under way.
func (w *world) tellOwners() {
	var a shard.Ask
	var got []shard.Ask
	for w.s.NextAsk(&a) {
		got = append(got, a)
		word := shardAsk
		if a.Rebound {
			word = shardRebound
		}
		for _, x := range w.clients[w.ids[a.ID].who].ws {
			if x.ref == a.Ref {
				x.inbox = append(x.inbox, word)
				x.runs = append(x.runs, nil)
			}
		}
	}
	slices.SortFunc(got, func(a, b shard.Ask) int { return int(a.Ref) - int(b.Ref) })
	slices.SortFunc(w.asks, func(a, b shard.Ask) int { return int(a.Ref) - int(b.Ref) })
	if !slices.Equal(got, w.asks) {
		fail("owners are told %v, want %v", got, w.asks)
	}
	w.asks = w.asks[:0]
}

// known ends the wait for a displaced conn.
func (w *world) known(n *nsession, confirmed uint64) {
	n.await = nil
	w.confirm(n, confirmed)
	n.rewind()
}

// over tells whether the event's time to live is over.
func (w *world) over(e *event) bool { return e.ttl > 0 && w.now-e.at >= e.ttl }

// pushed enters an event into the lists of its audience, where it takes the
// place of an older one of its key.
func (w *world) pushed(e *event, log string, audience func(*nsession) bool) (reach int) {
	e.log, e.at = log, w.now
	followed := false
	for _, n := range w.sessions {
		if !n.ended && audience(n) {
			followed = true
			n.want = append(n.want, e)
			if n.present() {
				reach++
			}
		}
	}
	if followed {
		w.seq++
		e.seq = w.seq
		w.events = append(w.events, e)
		w.superseded(e)
	}
	return reach
}
