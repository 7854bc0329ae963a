package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/chskd/chskd/packer"
)

// What the simulation pushes, and what each client is to get of it.
//
// Every event has a number of its own. For each client there is the list of what was pushed to it,
// in order: it must get all of it but what it may miss, and nothing else. It may miss what was
// superseded or ran out on the way, what came from a topic that it left, and as much as gaps told.

// simEvent is one push.
type simEvent struct {
	n     int
	log   string // the receivers, as a log's name
	key   string
	ttl   uint32
	soon  uint32 // its time to live is not over before
	taken bool   // all homes have it, since
	at    uint32
}

// simItem is an event in the list of a client.
type simItem struct {
	*simEvent
	byUser, byItself bool // from a topic: who was in it
	may              bool // be missed
	after            *simEvent
	// The event that superseded it. A conn that was begun later must not get it.
}

// missable tells whether the client may have missed an item by now.
func (w *simWorld) missable(i *simItem) bool {
	return i.may || i.ttl > 0 && int32(w.now-i.soon) >= 0
}

// over says why a conn that began at a time must not get an item, "" if it may.
func (i *simItem) over(began uint32) string {
	switch {
	case i.ttl > 0 && i.taken && int32(began-i.at-i.ttl) >= 0:
		return "its time to live was over"
	case i.after != nil && i.after.taken && int32(began-i.after.at) > 0:
		return fmt.Sprintf("it was superseded by %d", i.after.n)
	}
	return ""
}

// push sends the next number to a user, a client of it, a topic, or everybody.
func (w *simWorld) push() {
	w.n++
	ev := &simEvent{n: w.n}
	p := &Push{Flush: w.rng.Intn(5) == 0}
	w.event(p)
	if w.rng.Intn(4) == 0 {
		ev.key = fmt.Sprintf("k%d", w.rng.Intn(2))
		p.Key = ev.key
	}
	if w.rng.Intn(5) == 0 {
		ev.ttl = []uint32{1, 20, 100, 2000}[w.rng.Intn(4)]
		p.TTL, ev.soon = time.Duration(ev.ttl)*time.Millisecond, w.now+ev.ttl
	}
	w.address(p, ev)
	w.trace("push %d to %s except %v, key %q, ttl %d", w.n, ev.log, p.Except, ev.key, ev.ttl)
	p.More = w.n%2 == 0
	defer w.e.Flush()
	if ev.key == "" && ev.ttl == 0 {
		w.e.Push(p, nil)
		return
	}
	w.e.Push(p, func(int, error) { ev.taken, ev.at = true, w.now })
}

// event writes the number as an event.
func (w *simWorld) event(p *Push) {
	pad := ""
	if w.rng.Intn(10) == 0 {
		pad = fmt.Sprintf("%0*d", w.rng.Intn(3000), 0)
	}
	if w.rng.Intn(2) == 0 {
		p.Format = packer.JSON
		p.Event = fmt.Appendf(nil, `["t/n",{"n":%d,"pad":%q}]`, w.n, pad)
	} else {
		p.Event = fmt.Appendf(nil, `[:t/n {:n %d :pad %q}]`, w.n, pad)
	}
}

// address chooses the receivers, and enters the event in their lists.
func (w *simWorld) address(p *Push, ev *simEvent) {
	switch w.rng.Intn(8) {
	case 0, 1:
		p.All, ev.log = true, "all"
		p.Except = w.someUsers()
		for _, c := range w.clients {
			c.enter(ev, p.Except, true, false)
		}
	case 2, 3:
		p.Topic = w.someTopic()
		granted := w.verifier != nil && w.verifier.rng.Intn(3) == 0
		if granted {
			p.Topic = simGranted
		}
		p.Except = w.someUsers()
		ev.log = p.Topic
		for _, c := range w.clients {
			c.enter(ev, p.Except, c.user.topics[p.Topic], c.topics[p.Topic] || granted)
		}
	case 4:
		c := w.clients[w.rng.Intn(len(w.clients))]
		p.UIDs, p.Client, ev.log = []string{c.user.uid}, c.id, "client "+c.id
		c.enter(ev, nil, true, false)
	default:
		u := w.users[w.rng.Intn(len(w.users))]
		p.UIDs, ev.log = []string{u.uid}, "user "+u.uid
		for _, c := range w.clients {
			c.enter(ev, nil, c.user == u, false)
		}
	}
}

func (w *simWorld) someUsers() (uids []string) {
	if w.rng.Intn(4) == 0 {
		uids = append(uids, w.users[w.rng.Intn(len(w.users))].uid, "nobody")
	}
	return uids
}

func (w *simWorld) someTopic() string { return fmt.Sprintf("t%d", w.rng.Intn(3)) }

// enter puts an event into the client's list, if it is for it, and takes out what it supersedes.
func (c *simClient) enter(ev *simEvent, except []string, byUser, byItself bool) {
	for _, uid := range except {
		if uid == c.user.uid {
			byUser, byItself = false, false
		}
	}
	mine := byUser || byItself
	for i := c.expect; i < len(c.sent) && ev.key != ""; i++ {
		if old := &c.sent[i]; old.key == ev.key && old.log == ev.log {
			old.may = true
			if mine && old.after == nil {
				old.after = ev
			}
		}
	}
	if mine {
		c.sent = append(c.sent, simItem{simEvent: ev, byUser: byUser, byItself: byItself, may: c.anew})
	}
}

// member lets a user or a client join or leave a topic.
func (w *simWorld) member() {
	c := w.clients[w.rng.Intn(len(w.clients))]
	m := &Membership{UID: c.user.uid, Topic: w.someTopic()}
	in := c.user.topics
	if w.rng.Intn(2) == 0 {
		m.Client, in = c.id, c.topics
	}
	was := in[m.Topic]
	if w.rng.Intn(3) > 0 {
		w.trace("join %+v", *m)
		in[m.Topic] = true
		w.e.Join(m, func(joined bool, err error) {
			if !joined && !c.anew || err != nil { // who was ended, and stayed away, is forgotten
				w.fatalf("join %+v: %v, %v", *m, joined, err)
			}
		})
		return
	}
	w.trace("leave %+v", *m)
	delete(in, m.Topic)
	for _, x := range w.clients {
		if x == c || x.user == c.user && m.Client == "" {
			x.leaveTopic(m.Topic, m.Client == "")
		}
	}
	w.e.Leave(m, func(left bool, err error) {
		if left != was && !c.anew || err != nil {
			w.fatalf("leave %+v: %v, %v; was in: %v", *m, left, err, was)
		}
	})
}

// leaveTopic: what is not sent yet, and was only for who left, need not be sent.
func (c *simClient) leaveTopic(topic string, user bool) {
	for i := c.expect; i < len(c.sent); i++ {
		it := &c.sent[i]
		if it.log != topic {
			continue
		}
		if user {
			it.byUser = false
		} else {
			it.byItself = false
		}
		it.may = it.may || !it.byUser && !it.byItself
	}
}

// forgive lets all clients miss what they have not got, and what comes until they are back: some
// session was ended for a gap.
func (w *simWorld) forgive() {
	n := uint64(0)
	for _, l := range w.e.loops {
		n += l.m.GapCloses.Load()
	}
	if n == w.gapCloses {
		return
	}
	w.gapCloses = n
	for _, c := range w.clients {
		c.anew = true
		for i := c.expect; i < len(c.sent); i++ {
			c.sent[i].may = true
		}
	}
}

// number takes the next event. Over WebSocket each comes exactly once and in order;
// over Ajax those of an answer whose arrival the server could not know may come again.
func (c *simClient) number(n int) {
	for i := c.expect; i < len(c.sent); i++ {
		it := &c.sent[i]
		if it.n == n {
			if why := it.over(c.began); why != "" {
				c.w.fatalf("client %s got %d on a conn that began at %d: %s", c.id, n, c.began, why)
			}
			c.skip(i)
			c.expect, c.told = i+1, 0
			c.got = append(c.got, n)
			if c.sock.late == 0 {
				c.late = -1
			}
			return
		}
	}
	if c.again > 0 && len(c.got) > 0 {
		for i := len(c.got) - 1; i >= 0 && i >= len(c.got)-c.again; i-- {
			if c.got[i] == n {
				c.doubled++
				return
			}
		}
	}
	if c.late >= 0 && slices.Contains(c.got[c.late:], n) {
		c.doubled++
		return
	}
	c.w.fatalf("client %s of %s (ajax %v) got %d, which is not to come; got so far %v; to come %v",
		c.id, c.user.uid, c.ajax, n, tail(c.got), c.toCome())
}

// skip: what the client did not get before item i it was told of, or may miss.
func (c *simClient) skip(i int) {
	must := 0
	for k := c.expect; k < i; k++ {
		if it := &c.sent[k]; !c.w.missable(it) {
			must++
		}
	}
	exact := !c.wasAjax && c.late < 0 // else it may be told of what it has got
	if must > c.told || exact && c.told > i-c.expect {
		c.w.fatalf("client %s of %s (ajax %v) missed %d, of which %d it must get, and was told of %d: "+
			"got so far %v, now %d; to come %v", c.id, c.user.uid, c.ajax, i-c.expect, must, c.told,
			tail(c.got), c.sent[i].n, c.toCome())
	}
}

// gap takes the notice of one.
func (c *simClient) gap(missed int) {
	if !c.w.tight || c.w.e.opts.OnGap == GapClose {
		c.w.fatalf("client %s was told of a gap of %d", c.id, missed)
	}
	c.told += missed
	simSeen.gaps++
}

func (c *simClient) toCome() (n []int) {
	for _, it := range c.sent[c.expect:min(len(c.sent), c.expect+20)] {
		n = append(n, it.n)
	}
	return n
}

func tail(n []int) []int { return n[max(0, len(n)-20):] }

// simSeen counts what happened in all schedules, to show that they are worth something.
var simSeen struct {
	gaps, closes, polls410, rejects, errors int
	superseded, expired, topics             uint64

	refused, held, shed                       int
	asked, unanswered, overdue, notices, ends uint64 // of identities
}

// count adds what the loops have counted.
func (w *simWorld) count() {
	for _, l := range w.e.loops {
		n := l.sh.Counts()
		simSeen.superseded += n.Superseded
		simSeen.expired += n.Expired
		simSeen.topics += l.m.Joins.Load()
		simSeen.asked += l.m.Verifies.Load()
		simSeen.unanswered += l.m.VerifyTimeouts.Load()
		simSeen.overdue += l.m.VerifiedLate.Load()
		simSeen.notices += l.m.ExpiryNotices.Load()
		simSeen.ends += l.m.ExpiryCloses.Load()
	}
}
