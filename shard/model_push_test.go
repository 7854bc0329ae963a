package shard_test

import (
	"slices"

	"github.com/chskd/chskd/shard"
)

func (w *world) newEvent() *event {
	e := &event{id: len(w.all), size: 1 + w.rng.Intn(30), refs: 1}
	w.all = append(w.all, e)
	return e
}

// push pushes an event to somebody, with what options there are.
func (w *world) push(key who) {
	e := w.newEvent()
	o := shard.PushOptions{Flush: w.rng.Intn(4) == 0}
	if w.rng.Intn(4) == 0 {
		o.Key = []byte{'k', byte('0' + w.rng.Intn(3))}
	}
	if w.rng.Intn(4) == 0 {
		o.TTL = 1 + uint32(w.rng.Intn(1<<w.rng.Intn(14)))
	}
	e.key, e.ttl = string(o.Key), o.TTL
	switch r := w.rng.Intn(10); {
	case r < 3:
		w.pushTo(key.user(), e, o)
	case r < 4:
		w.pushTo(key, e, o)
	case r < 6:
		w.pushTenant(key.tenant, e, o)
	default:
		topic := pick(w, w.topics)
		w.pushTopic(key.tenant, topic, e, o)
		if w.rng.Intn(4) == 0 { // one more while the first is on its way
			w.turn(1)
			w.pushTopic(key.tenant, topic, w.newEvent(), shard.PushOptions{Flush: true})
		}
	}
}

// reaches compares what a push told.
func (w *world) reaches(e *event, got, want int) {
	if got != want || (e.seq == 0) != (e.refs == 0) {
		fail("event %d reaches %d, want %d; %d references", e.id, got, want, e.refs)
	}
}

// pushTo pushes to a session, or to a user if key has no client.
func (w *world) pushTo(key who, e *event, o shard.PushOptions) {
	log := "user" + key.tenant + "/" + key.uid
	if key.client != "" {
		log = "client" + key.tenant + "/" + key.uid + "/" + key.client
	}
	want := w.pushed(e, log, func(n *nsession) bool { return n.who == key || n.who.user() == key })
	w.reaches(e, w.s.PushTo(w.now, key.to(), e, o), want)
}

func (w *world) pushTenant(tenant string, e *event, o shard.PushOptions) {
	o.Except = w.except()
	want := w.pushed(e, "all"+tenant, func(n *nsession) bool {
		return n.who.tenant == tenant && !n.isOneOf(o.Except)
	})
	var got int
	switch plain := e.key == "" && e.ttl == 0; {
	case plain && w.rng.Intn(2) == 0:
		got = w.s.PushAllExcept(w.now, []byte(tenant), e, o.Flush, o.Except)
	case plain && w.rng.Intn(2) == 0:
		got = w.s.PushAll(w.now, []byte(tenant), e, o.Flush, func(_, uid []byte) bool {
			return slices.Contains(o.Except, string(uid))
		})
	default:
		got = w.s.PushTenant(w.now, []byte(tenant), e, o)
	}
	w.reaches(e, got, want)
}

func (w *world) pushTopic(tenant, topic string, e *event, o shard.PushOptions) {
	o.Except = w.except()
	want := w.pushed(e, topicLog(tenant, topic), func(n *nsession) bool {
		_, in := w.since(n, topic)
		return n.who.tenant == tenant && in && !n.isOneOf(o.Except)
	})
	w.reaches(e, w.s.PushTopic(w.now, []byte(tenant), []byte(topic), e, o), want)
}

func (w *world) except() []string {
	if w.rng.Intn(3) > 0 {
		return nil
	}
	return []string{"a", "c0", "nobody", "a"}[:1+w.rng.Intn(4)]
}

func (n *nsession) isOneOf(uids []string) bool {
	return !n.who.nilUID && slices.Contains(uids, n.who.uid)
}

// superseded takes what has the key of e and is older from all lists of its log.
func (w *world) superseded(e *event) {
	if e.key == "" {
		return
	}
	needed := map[*event]bool{}
	for _, n := range w.sessions {
		n.want = slices.DeleteFunc(n.want, func(old *event) bool {
			same := old.log == e.log && old.key == e.key && old.seq < e.seq
			if same && old.seq > n.confirmed && !n.ended && !w.over(old) {
				needed[old] = true
			}
			return same
		})
	}
	w.struck += len(needed)
	for _, old := range w.events {
		if old.seq < e.seq && old.log == e.log && old.key == e.key {
			w.again++
			break
		}
	}
}

// counted checks the totals, which are exact only as far as the lists know.
func (w *world) counted() {
	over := 0
	for _, e := range w.events {
		if w.over(e) {
			over++
		}
	}
	c := w.s.Counts()
	if int(c.Expired) < len(w.passed) || int(c.Expired) > over {
		fail("%d expired, passed over %d of %d", c.Expired, len(w.passed), over)
	}
	if int(c.Superseded) < w.struck || int(c.Superseded) > w.again {
		fail("%d superseded, at least %d, at most %d", c.Superseded, w.struck, w.again)
	}
}
