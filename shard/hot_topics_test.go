package shard_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/chskd/chskd/shard"
)

// uidOf is the uid of the i-th user of attachMany.
func uidOf(i int) []byte { return fmt.Appendf(nil, "0b4dd9ae-2b4c-4c58-b1ab-%012d", i) }

func joinOne(tb testing.TB, s *shard.Shard, to shard.To, topic []byte) {
	tb.Helper()
	if joined, err := s.Join(0, to, topic); !joined || err != nil {
		tb.Fatalf("joined %v, %v", joined, err)
	}
}

func topicOf(i int) []byte { return fmt.Appendf(nil, "topic/%06d", i) }

// crowd returns a shard where n users are in one topic, and their shard's bytes
// on the heap for each membership.
func crowd(tb testing.TB, n int) (s *shard.Shard, bytes float64) {
	s = shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, n)
	before := heap()
	for i := range n {
		joinOne(tb, s, shard.To{UID: uidOf(i)}, []byte("all"))
	}
	return s, float64(heap()-before) / float64(n)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// takeAll takes and confirms all deliveries; it returns how many and of how many
// events, and whether all had one run.
func takeAll(s *shard.Shard, now uint32) (n, events int, one bool) {
	var d shard.Delivery
	var run *shard.Run
	one = true
	for s.NextDelivery(now, &d) {
		one = one && (run == nil || d.Run == run)
		run = d.Run
		events += len(run.Entries)
		s.Confirm(d.ID, d.Ref, d.To)
		n++
	}
	if due, ok := s.Due(); ok && due == now {
		m, e, same := takeAll(s, now)
		return n + m, events + e, one && same
	}
	return n, events, one
}

func TestTopicDeliveryAllocatesNothing(t *testing.T) {
	for _, n := range []int{1, 3000, shard.BigTopic + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s, _ := crowd(t, n)
			now, p := uint32(0), &still{}
			got := testing.AllocsPerRun(10, func() {
				now += 100
				s.Advance(now)
				if s.PushTopic(now, nil, []byte("all"), p, shard.PushOptions{}) != n {
					t.Fatal("some are not there")
				}
				if count, _, one := takeAll(s, now); count != n || !one {
					t.Fatalf("%d deliveries, of one run %v", count, one)
				}
			})
			if got != 0 || p.released != 11 {
				t.Fatalf("%v allocations a push, %d of 11 released", got, p.released)
			}
		})
	}
}

func TestPushWithKeyAllocatesNothing(t *testing.T) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, 1000)
	now, p, i := uint32(0), &still{}, 0
	uid, key := uidOf(500), []byte("key/0")
	push := func() {
		now += 10
		i++
		key[4] = byte('0' + i%10)
		s.Advance(now)
		s.PushTo(now, shard.To{UID: uid}, p, shard.PushOptions{Key: key, TTL: 1000})
		takeAll(s, now)
	}
	for range 1000 { // the index of keys comes to its size
		push()
	}
	if got := testing.AllocsPerRun(1000, push); got != 0 {
		t.Fatalf("%v allocations a push", got)
	}
}

// TestManyTopicsAtOnce: one session that is in very many topics gets what was
// pushed to all of them in the order of pushing. As long as there are no more
// entries at once than are recycled, nothing is allocated.
func TestManyTopicsAtOnce(t *testing.T) {
	for _, topics := range []int{1, shard.MemoTopics, 1000, 10000} {
		t.Run(fmt.Sprint(topics), func(t *testing.T) { testManyTopics(t, topics) })
	}
}

func testManyTopics(t *testing.T, topics int) {
	s := shard.New(shard.Config{FlushWS: 30, Pace: 0})
	attachMany(s, 1)
	names := make([][]byte, topics)
	for i := range names {
		names[i] = topicOf(i)
		joinOne(t, s, shard.To{UID: uidOf(0)}, names[i])
	}
	now, p := uint32(0), &still{}
	var d shard.Delivery
	round := func() {
		now += 100
		s.Advance(now)
		for i := range topics {
			s.PushTopic(now, nil, names[i*7919%topics], p, shard.PushOptions{})
		}
		last, n := uint64(0), 0
		for s.NextDelivery(now, &d) {
			for _, e := range d.Run.Entries {
				if e.Seq <= last {
					t.Fatalf("%d after %d", e.Seq, last)
				}
				last = e.Seq
				n++
			}
			s.Confirm(d.ID, d.Ref, d.To)
		}
		if n != topics {
			t.Fatalf("%d of %d events", n, topics)
		}
	}
	round()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if topics > 1000 {
		return
	}
	for range 10 { // the room of remembered runs comes to its size
		round()
	}
	if got := testing.AllocsPerRun(2, round); got != 0 {
		t.Fatalf("%v allocations a round", got)
	}
}

// TestBytesPerMembership states what the membership of a user in a topic costs:
//
//	member 40 + index at most 8 + the user's holding 12 / its topics
//
// and a topic 60 + index at most 8 + its name.
func TestBytesPerMembership(t *testing.T) {
	if shard.MemberSize != 40 || shard.HoldingSize != 12 || shard.TopicSize != 60 ||
		shard.EntrySize != 96 {
		t.Fatalf("member %d, holding %d, topic %d, entry %d bytes",
			shard.MemberSize, shard.HoldingSize, shard.TopicSize, shard.EntrySize)
	}
	const n = 20000
	s, bytes := crowd(t, n)
	if index := float64(s.TopicIndexBytes()) / n; index > 10 || bytes > 66 {
		t.Fatalf("%.1f bytes a membership, %.1f of them index", bytes, index)
	}
}
