package engine

import (
	"errors"

	"github.com/chskd/chskd/shard"
)

// Topics: backends say who is in one, homes keep it. A topic has a part in the shard of
// each of its members, so that a push to it goes to every loop, and a membership to one.

// ErrTooManyTopics refuses a topic beyond what a user, or a session by itself, may be in.
var ErrTooManyTopics = errors.New("engine: a session or user is in as many topics as it may be")

// Membership names a user, or one session of it, and a topic.
type Membership struct {
	Tenant, UID string
	NilUID      bool   // only with Client
	Client      string // "" = the user: all its sessions, now and later
	Topic       string
}

// Join puts a user or a session into a topic: it gets what is pushed there after this
// call. joined is false when it is not online and no session of it is kept. It lasts until
// Leave, or until its last session is forgotten. The error is ErrTooManyTopics. done, if
// not nil, is called on a loop and must not block. Any goroutine.
func (e *Engine) Join(m *Membership, done func(joined bool, err error)) {
	e.postMember(mJoin, m, done)
}

// Leave takes a user or a session out of a topic, at once: what was pushed there before
// and is not sent yet is not sent. left says whether it was in. done is as Join's.
func (e *Engine) Leave(m *Membership, done func(left bool, err error)) {
	e.postMember(mLeave, m, done)
}

func (e *Engine) postMember(kind msgKind, m *Membership, done func(bool, error)) {
	who := identity{tenant: []byte(m.Tenant), uid: []byte(m.UID), nilUID: m.NilUID,
		client: []byte(m.Client)}
	e.queues[e.homeOf(&who)].Post(msg{kind: kind, cmd: &command{tenant: m.Tenant, uid: m.UID,
		nilUID: m.NilUID, client: m.Client, topic: m.Topic, member: done}})
}

// onJoin is home's part.
func (l *loop) onJoin(m *msg) {
	l.topic = append(l.topic[:0], m.cmd.topic...)
	joined, err := l.sh.Join(l.now, m.cmd.to(), l.topic)
	switch {
	case err != nil:
		l.m.JoinsRefused.Add(1)
		err = ErrTooManyTopics
	case joined:
		l.m.Joins.Add(1)
	}
	if m.cmd.member != nil {
		m.cmd.member(joined, err)
	}
}

// onLeave is home's part.
func (l *loop) onLeave(m *msg) {
	l.topic = append(l.topic[:0], m.cmd.topic...)
	left := l.sh.Leave(l.now, m.cmd.to(), l.topic)
	if left {
		l.m.Leaves.Add(1)
	}
	if m.cmd.member != nil {
		m.cmd.member(left, nil)
	}
}

// topicsTold is how many topics User tells of the user, and of each session, at most;
// allTopicsTold is the same for one answer together, so that it stays a few MB.
const (
	topicsTold    = 1000
	allTopicsTold = 10_000
)

// topicsOf lists the topics of a user, or with to.Client of a session by itself. left is
// how many more this answer may have.
func (l *loop) topicsOf(to shard.To, left *int) (list []string, more bool) {
	l.sh.Topics(to, func(topic []byte) bool {
		if len(list) == topicsTold || *left == 0 {
			more = true
			return false
		}
		list = append(list, string(topic))
		*left--
		return true
	})
	return list, more
}
