package shard_test

import (
	"syscall"
	"testing"

	"github.com/chskd/chskd/shard"
)

// cpu is the processor time that this process has taken, in ns: what a loaded
// machine does to a wall clock is not ours.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs round b.N times and reports the processor time of each of the
// things that it says it did.
func measure(b *testing.B, unit string, round func(i int) (things int)) {
	b.ReportAllocs()
	b.ResetTimer()
	began, things := cpu(b), 0
	for i := range b.N {
		things += round(i)
	}
	b.ReportMetric((cpu(b)-began)/float64(things), "cpu-ns/"+unit)
}

func names(n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = topicOf(i)
	}
	return list
}

// BenchmarkTopicOfMillion: one topic with a million users, one WebSocket each.
func BenchmarkTopicOfMillion(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	s, bytes := crowd(b, n)
	now, p, topic, key := uint32(0), &still{}, []byte("all"), []byte("k")
	b.Run("push", func(b *testing.B) {
		measure(b, "push", func(int) int { // one key, so that the log stays short
			s.PushTopic(now, nil, topic, p, shard.PushOptions{Key: key})
			return 1
		})
		b.StopTimer()
		now += 30
		s.Advance(now)
		takeAll(s, now)
		b.ReportMetric(bytes, "B/member")
	})
	b.Run("deliver", func(b *testing.B) {
		measure(b, "delivery", func(int) int {
			now += 1000
			s.Advance(now)
			s.PushTopic(now, nil, topic, p, shard.PushOptions{})
			n, _, one := takeAll(s, now)
			if !one {
				b.Fatal("not all had one run")
			}
			return n
		})
	})
}

// BenchmarkTopicsOfOne: 10,000 topics of one user each; a push and its delivery.
func BenchmarkTopicsOfOne(b *testing.B) {
	const n = 10000
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, n)
	topics := names(n)
	before := heap()
	for i := range n {
		joinOne(b, s, shard.To{UID: uidOf(i)}, topics[i])
	}
	bytes := float64(heap()-before) / n
	now, p := uint32(0), &still{}
	measure(b, "push", func(i int) int {
		now += 40
		s.Advance(now)
		s.PushTopic(now, nil, topics[i*7919%n], p, shard.PushOptions{})
		n, _, _ := takeAll(s, now)
		return n
	})
	b.ReportMetric(bytes, "B/topic")
}

// manyInMany returns a shard where 10,000 users are in 100 of 10,000 topics.
func manyInMany(b *testing.B) (s *shard.Shard, topics [][]byte) {
	const n, each = 10000, 100
	s = shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 0})
	attachMany(s, n)
	topics = names(n)
	for i := range n {
		for j := range each {
			joinOne(b, s, shard.To{UID: uidOf(i)}, topics[(i*37+j*101)%n])
		}
	}
	return s, topics
}

// BenchmarkUsersInManyTopics: 10,000 users in 100 topics each.
func BenchmarkUsersInManyTopics(b *testing.B) {
	s, topics := manyInMany(b)
	now, p := uint32(0), &still{}
	b.Run("one", func(b *testing.B) {
		measure(b, "delivery", func(i int) int {
			now += 40
			s.Advance(now)
			s.PushTopic(now, nil, topics[i*7919%len(topics)], p, shard.PushOptions{})
			n, _, _ := takeAll(s, now)
			return n
		})
	})
	b.Run("all", func(b *testing.B) {
		measure(b, "event", func(int) int {
			now += 100
			s.Advance(now)
			for _, topic := range topics {
				s.PushTopic(now, nil, topic, p, shard.PushOptions{})
			}
			_, events, _ := takeAll(s, now)
			return events
		})
	})
	b.Run("broadcast", func(b *testing.B) {
		measure(b, "delivery", func(int) int {
			now += 100
			s.Advance(now)
			s.PushAll(now, nil, p, false, nil)
			n, _, _ := takeAll(s, now)
			return n
		})
	})
}

// BenchmarkSessionInManyTopics: one session in 10,000 topics.
func BenchmarkSessionInManyTopics(b *testing.B) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 0})
	attachMany(s, 1)
	topics := names(10000)
	for _, topic := range topics {
		joinOne(b, s, shard.To{UID: uidOf(0)}, topic)
	}
	now, p := uint32(0), &still{}
	b.Run("one", func(b *testing.B) {
		measure(b, "push", func(i int) int {
			now += 40
			s.Advance(now)
			s.PushTopic(now, nil, topics[i*7919%len(topics)], p, shard.PushOptions{})
			n, _, _ := takeAll(s, now)
			return n
		})
	})
	b.Run("all", func(b *testing.B) {
		measure(b, "event", func(int) int {
			now += 100
			s.Advance(now)
			for _, topic := range topics {
				s.PushTopic(now, nil, topic, p, shard.PushOptions{})
			}
			_, events, _ := takeAll(s, now)
			return events
		})
	})
}

// BenchmarkJoinLeave: one of 10,000 users that are in 100 topics each.
func BenchmarkJoinLeave(b *testing.B) {
	s, _ := manyInMany(b)
	topic, uid := []byte("one more"), uidOf(0)
	measure(b, "pair", func(i int) int {
		setNumber(uid, i*7919%10000)
		joinOne(b, s, shard.To{UID: uid}, topic)
		s.Leave(0, shard.To{UID: uid}, topic)
		return 1
	})
}

// BenchmarkPushWithKey: 500 keys of one log, superseded in turn.
func BenchmarkPushWithKey(b *testing.B) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, 1)
	uid, key, p := uidOf(0), []byte("key/000"), &still{}
	s.Push(0, shard.To{UID: uid}, p, false) // its window stays open
	measure(b, "push", func(i int) int {
		key[4], key[5], key[6] = byte('0'+i/100%5), byte('0'+i/10%10), byte('0'+i%10)
		s.PushTo(0, shard.To{UID: uid}, p, shard.PushOptions{Key: key, TTL: 1000})
		return 1
	})
}
