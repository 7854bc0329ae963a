package shard_test

import (
	"errors"
	"slices"

	"github.com/chskd/chskd/shard"
)

// Topics in the reference: who is in which, since when. Who is gone is in none.

func topicLog(tenant, topic string) string { return "topic" + tenant + "/" + topic }

// to names the session, or the user if there is no client.
func (w who) to() shard.To {
	to := shard.To(w.key())
	if w.client == "" {
		to.Client = nil
	}
	return to
}

// since tells from where on a session gets what is pushed to a topic: it is in
// by itself, or by its user, or both.
func (w *world) since(n *nsession, topic string) (seq uint64, in bool) {
	seq, in = w.member[n.who][topic]
	if byUser, too := w.member[n.who.user()][topic]; too && (!in || byUser < seq) {
		return byUser, true
	}
	return seq, in
}

// here tells whether a session, or any of a user, is there.
func (w *world) here(who who) bool {
	for key := range w.sessions {
		if key == who || key.user() == who {
			return true
		}
	}
	return false
}

// someone is the user of key, or that session alone.
func (w *world) someone(key who) who {
	if w.rng.Intn(2) == 0 {
		return key.user()
	}
	return key
}

func (w *world) join(key who) {
	who, topics := w.someone(key), w.topics
	if w.rng.Intn(3) > 0 { // else all
		topics = []string{pick(w, w.topics)}
	}
	for _, topic := range topics {
		w.joinOne(who, topic)
	}
}

func (w *world) joinOne(who who, topic string) {
	got, err := w.s.Join(w.now, who.to(), []byte(topic))
	in := w.member[who]
	_, before := in[topic]
	limit := w.cfg.Topics
	if limit == 0 {
		limit = 10000
	}
	switch {
	case !w.here(who) || who.client == "" && who.nilUID:
		if got || err != nil {
			fail("%v: nobody is there, and joined %v, %v", who, got, err)
		}
	case !before && len(in) >= limit:
		if got || !errors.Is(err, shard.ErrTopics) {
			fail("%v: is in %d topics, and joined %v, %v", who, len(in), got, err)
		}
	default:
		if !got || err != nil {
			fail("%v: joined %v, %v", who, got, err)
		}
		if in == nil {
			in = map[string]uint64{}
			w.member[who] = in
		}
		if !before {
			in[topic] = w.seq
		}
		mark(w.joined, who, topic)
	}
}

func mark(in map[who]map[string]bool, who who, topic string) {
	if in[who] == nil {
		in[who] = map[string]bool{}
	}
	in[who][topic] = true
}

// grant tells of some topics that an identity grants a session, by a ref that may not
// be one of the session.
func (w *world) grant(key who) {
	n := w.sessions[key]
	if n == nil || n.id == 0 {
		return
	}
	var topics []string
	for range w.rng.Intn(4) {
		topics = append(topics, pick(w, w.topics))
	}
	ref, enter := uint64(0), w.rng.Intn(2) == 0
	switch w.rng.Intn(6) {
	case 0:
		ref = 1 << 60
	case 1:
		if n.ws != nil {
			ref = n.ws.ref
		}
	}
	refused := w.s.Grant(w.now, n.id, ref, topics, enter)
	if ref == 1<<60 {
		if refused != 0 {
			fail("%v: a grant by another's conn refused %d", key, refused)
		}
		return
	}
	for topic := range w.grants[key] {
		if slices.Contains(topics, topic) {
			continue
		}
		delete(w.grants[key], topic)
		if !w.joined[key][topic] {
			w.left(key, topic)
		}
	}
	for _, topic := range topics {
		switch _, in := w.member[key][topic]; {
		case in:
			mark(w.grants, key, topic)
		case !enter:
		case w.cfg.Topics > 0 && len(w.member[key]) >= w.cfg.Topics:
			refused--
		default:
			if w.member[key] == nil {
				w.member[key] = map[string]uint64{}
			}
			w.member[key][topic] = w.seq
			mark(w.grants, key, topic)
		}
	}
	if refused != 0 {
		fail("%v: granted %q, refused %d too many", key, topics, refused)
	}
}

// leave takes what came by the topic alone from the lists, unless it is
// confirmed.
func (w *world) leave(key who) {
	who, topic := w.someone(key), pick(w, w.topics)
	_, in := w.member[who][topic]
	if got := w.s.Leave(w.now, who.to(), []byte(topic)); got != in {
		fail("%v: left %v, was in %v", who, got, in)
	}
	w.left(who, topic)
}

func (w *world) left(who who, topic string) {
	delete(w.member[who], topic)
	delete(w.joined[who], topic)
	delete(w.grants[who], topic)
	log := topicLog(who.tenant, topic)
	for _, n := range w.sessions {
		from, in := w.since(n, topic)
		n.want = slices.DeleteFunc(n.want, func(e *event) bool {
			return e.log == log && e.seq > n.confirmed && !(in && e.seq > from)
		})
	}
}

// prune ends the memberships of who is gone.
func (w *world) prune() {
	for who := range w.member {
		if !w.here(who) {
			delete(w.member, who)
			delete(w.joined, who)
			delete(w.grants, who)
		}
	}
}

// memberships compares who is in what.
func (w *world) memberships() {
	all, topics := 0, map[string]bool{}
	for who, in := range w.member {
		got := 0
		w.s.Topics(who.to(), func(topic []byte) bool {
			if _, is := in[string(topic)]; !is {
				fail("%v: is in %q", who, topic)
			}
			got++
			return true
		})
		if got != len(in) {
			fail("%v: is in %d topics, not %d", who, got, len(in))
		}
		all += got
		for topic := range in {
			topics[topicLog(who.tenant, topic)] = true
		}
	}
	if c := w.s.Counts(); c.Members != all || c.Topics != len(topics) {
		fail("%d memberships of %d topics, counted %+v", all, len(topics), c)
	}
}

// lag compares what a session is told to have before it.
func (w *world) lag(key who) {
	n := w.sessions[key]
	if n == nil || !n.present() {
		return
	}
	most, least := 0, 0
	for _, e := range n.want {
		if e.seq > n.sent && !w.over(e) && !n.ended {
			most++
			if !w.mayBeGone(e) {
				least++
			}
		}
	}
	w.s.User(key.to(), func(i shard.SessionInfo) {
		if int(i.Lag) < least || int(i.Lag) > most {
			fail("%v: lag %d, not %d to %d", key, i.Lag, least, most)
		}
	})
}
