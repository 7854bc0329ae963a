package shard_test

import (
	"fmt"
	"testing"

	"github.com/chskd/chskd/shard"
)

// TestTopicWalkLetsOthersGo: a walk over members that have nothing to get is
// cut, and Due says that it goes on; a topic that is small is not behind it.
func TestTopicWalkLetsOthersGo(t *testing.T) {
	s := shard.New(shard.Config{FlushWS: 30, WSGrace: 1000})
	const n = 3 * shard.WalkVisits
	ids := attachMany(s, n)
	joinOne(t, s, shard.To{UID: uidOf(0)}, []byte("all"))
	for i := 1; i < n; i++ {
		joinOne(t, s, shard.To{UID: uidOf(i)}, []byte("all"))
		s.DetachWS(0, ids[i], uint64(i+1), 0, false)
	}
	one := attachKey(t, s, "one", "c", 1<<40)
	joinOne(t, s, shard.To{UID: []byte("one")}, []byte("small"))
	push := func(topic string) {
		s.PushTopic(5, nil, []byte(topic), &still{}, shard.PushOptions{})
	}
	push("all")
	push("small")
	var d shard.Delivery
	if !s.NextDelivery(5, &d) || d.ID != one {
		t.Fatalf("first came %+v", d)
	}
	calls := 1
	for !s.NextDelivery(5, &d) {
		if due, ok := s.Due(); !ok || due != 5 {
			t.Fatalf("a walk waits, and Due is %d %v", due, ok)
		}
		calls++
	}
	// The first to join is the last to be visited.
	if d.ID != ids[0] || calls < 3 || calls > 4 {
		t.Fatalf("delivered to %x after %d calls", d.ID, calls)
	}
	if s.NextDelivery(5, &d) {
		t.Fatal("delivered twice")
	}
}

// TestWalksTakeTurns: the walks of two topics and of a broadcast go on together.
func TestWalksTakeTurns(t *testing.T) {
	s := shard.New(shard.Config{})
	const n = 10 * shard.WalkStretch
	attachMany(s, 3*n)
	for i := range n {
		joinOne(t, s, shard.To{UID: uidOf(i)}, []byte("a"))
		joinOne(t, s, shard.To{UID: uidOf(n + i)}, []byte("b"))
	}
	s.PushTopic(0, nil, []byte("a"), &still{}, shard.PushOptions{})
	s.PushTopic(0, nil, []byte("b"), &still{}, shard.PushOptions{})
	s.PushAll(0, nil, &still{}, false, nil)
	var d shard.Delivery
	var got [3]int
	for range 6 * shard.WalkStretch {
		if !s.NextDelivery(0, &d) {
			t.Fatal("the walks end early")
		}
		got[(d.Ref-1)/n]++
	}
	if got[0] == 0 || got[1] == 0 {
		t.Fatalf("delivered to %v", got)
	}
	rest, _, _ := takeAll(s, 0)
	if done := got[0] + got[1] + got[2] + rest; done != 3*n {
		t.Fatalf("%d deliveries to %d sessions", done, 3*n)
	}
}

// TestMemoOfManyTopics: sessions that merge the same topics share a run up to
// MemoTopics of them, in whatever order they joined; beyond, each has its own
// with the same entries.
func TestMemoOfManyTopics(t *testing.T) {
	for _, topics := range []int{1, 2, shard.MemoTopics, shard.MemoTopics + 1} {
		s := shard.New(shard.Config{})
		attachMany(s, 2)
		for i := range topics {
			joinOne(t, s, shard.To{UID: uidOf(0)}, topicOf(i))
			joinOne(t, s, shard.To{UID: uidOf(1)}, topicOf(topics-1-i))
		}
		for i := range topics {
			s.PushTopic(0, nil, topicOf(i), &still{}, shard.PushOptions{})
		}
		n, events, one := takeAll(s, 0)
		if n != 2 || events != 2*topics || one != (topics <= shard.MemoTopics) {
			t.Fatalf("%d topics: %d deliveries of %d events, one run %v", topics, n, events, one)
		}
	}
}

// TestRoomKeepsTopics: the session that makes room for another is its user's
// only one, and the user stays in its topics.
func TestRoomKeepsTopics(t *testing.T) {
	s := shard.New(shard.Config{UserSessions: 1, Keep: 60000})
	id := attachKey(t, s, "alice", "c1", 1)
	alice := shard.To{UID: []byte("alice")}
	joinOne(t, s, alice, []byte("room"))
	joinOne(t, s, shard.To{UID: []byte("alice"), Client: []byte("c1")}, []byte("own"))
	s.DetachWS(0, id, 1, 0, true)
	s.Advance(0)
	attachKey(t, s, "alice", "c2", 2)
	var in []string
	s.Topics(alice, func(topic []byte) bool { in = append(in, string(topic)); return true })
	if c := s.Counts(); c.Evicted != 1 || c.Members != 1 || fmt.Sprint(in) != "[room]" {
		t.Fatalf("in %v, %+v", in, c)
	}
	if got := s.PushTopic(0, nil, []byte("room"), &still{}, shard.PushOptions{}); got != 1 {
		t.Fatalf("pushed to %d", got)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
}

// TestBigTopicGrowsAndShrinks: members are active when they have to be, on
// either side of BigTopic, and a session in a big topic that has no log merges
// what there is.
func TestBigTopicGrowsAndShrinks(t *testing.T) {
	s := shard.New(shard.Config{})
	const n = shard.BigTopic + 2
	attachMany(s, n)
	push := func(want int) {
		t.Helper()
		got := s.PushTopic(0, nil, []byte("all"), &still{}, shard.PushOptions{})
		if n, _, one := takeAll(s, 0); got != want || n != want || !one {
			t.Fatalf("pushed to %d, delivered to %d, want %d", got, n, want)
		}
		s.PushAll(0, nil, &still{}, false, nil) // everybody looks through their topics
		takeAll(s, 0)
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		joinOne(t, s, shard.To{UID: uidOf(i)}, []byte("all"))
		if i == 0 || i >= shard.BigTopic-2 {
			push(i + 1)
		}
	}
	for i := range 4 {
		s.Leave(0, shard.To{UID: uidOf(i)}, []byte("all"))
		push(n - i - 1)
	}
}

// TestTombsWithKeys: what is joined at the old end of a log neither loses nor
// doubles what was missed, and a key never takes a joined mark away.
func TestTombsWithKeys(t *testing.T) {
	s := shard.New(shard.Config{LogEntries: 1, Keep: 60000})
	id := attachKey(t, s, "alice", "c1", 1)
	s.DetachWS(0, id, 1, 0, true)
	alice := shard.To{UID: []byte("alice")}
	const pushes = 3 * shard.TombsMax
	for i := range pushes {
		o := shard.PushOptions{Key: fmt.Append(nil, i)}
		if i%3 == 0 {
			o.TTL = 10
		}
		s.PushTo(0, alice, &still{}, o)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	// All are missed but the last. A third is over at 10, and of what was joined,
	// which no longer is told apart, none.
	const joined = pushes - 1 - shard.TombsMax + 1
	s.PushTo(0, alice, &still{}, shard.PushOptions{Key: []byte("0")}) // joined: stays missed
	attachKey(t, s, "alice", "c1", 2)
	s.Advance(10)
	var d shard.Delivery
	missed := uint64(0)
	for s.NextDelivery(10, &d) {
		missed += d.Missed
	}
	if missed < joined+shard.TombsMax/2 || missed >= pushes {
		t.Fatalf("missed %d of %d, %d joined", missed, pushes, joined)
	}
}

// TestAdvanceIsBoundedByTopics: when many users that are in many topics go at
// once, one call handles a part, and Due says that there is more.
func TestAdvanceIsBoundedByTopics(t *testing.T) {
	s := shard.New(shard.Config{WSGrace: 10})
	const users, topics = 200, 1000
	ids := attachMany(s, users)
	for i := range users {
		for j := range topics {
			joinOne(t, s, shard.To{UID: uidOf(i)}, topicOf(j))
		}
	}
	for i, id := range ids {
		s.DetachWS(0, id, uint64(i+1), 0, false)
	}
	before := s.Counts().Members
	for calls := 1; ; calls++ {
		s.Advance(10)
		left := s.Counts().Members
		if before-left > shard.AdvanceMembers+topics {
			t.Fatalf("%d memberships in one call", before-left)
		}
		due, ok := s.Due()
		if ok != (left > 0) || ok && due != 10 {
			t.Fatalf("%d memberships left, and Due is %d %v", left, due, ok)
		}
		if before = left; left == 0 {
			if calls < users*topics/shard.AdvanceMembers {
				t.Fatalf("%d calls", calls)
			}
			return
		}
	}
}
