package shard_test

import (
	"fmt"
	"testing"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/shard"
)

// still is a payload that costs nothing.
type still struct{ released int }

func (p *still) Len() int { return 128 }
func (p *still) Release() { p.released++ }

// attachMany attaches n users with one WebSocket each, as in auth mode client: the
// uid is the client-id.
func attachMany(s *shard.Shard, n int) (ids []shard.SessionID) {
	for i := range n {
		uid := fmt.Appendf(nil, "0b4dd9ae-2b4c-4c58-b1ab-%012d", i)
		id, _, err := s.AttachWS(0, shard.Key{UID: uid, Client: uid}, uint64(i+1), 0)
		if err != nil {
			panic(err)
		}
		ids = append(ids, id)
	}
	var p shard.Presence
	for s.NextPresence(&p) {
	}
	return ids
}

func TestPushToOneUserAllocatesNothing(t *testing.T) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, 1000)
	uid := []byte("0b4dd9ae-2b4c-4c58-b1ab-000000000500")
	now, p := uint32(0), &still{}
	var d shard.Delivery
	got := testing.AllocsPerRun(10000, func() {
		now += 100
		s.Advance(now)
		if s.Push(now, shard.To{UID: uid}, p, false) != 1 {
			t.Fatal("nobody is there")
		}
		for s.NextDelivery(now, &d) {
			s.Confirm(d.ID, d.Ref, d.To)
		}
	})
	if got != 0 {
		t.Fatalf("%v allocations a push", got)
	}
	if p.released != 10001 {
		t.Fatalf("%d releases of 10001 pushes", p.released)
	}
}

func TestBroadcastDeliveryAllocatesNothing(t *testing.T) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	const n = 5000
	attachMany(s, n)
	now, p := uint32(0), &still{}
	var d shard.Delivery
	got := testing.AllocsPerRun(20, func() {
		now += 100
		s.Advance(now)
		if s.PushAll(now, nil, p, false, nil) != n {
			t.Fatal("some are not there")
		}
		count := 0
		var run *shard.Run
		for s.NextDelivery(now, &d) {
			if run != nil && d.Run != run {
				t.Fatal("a broadcast has two runs")
			}
			run = d.Run
			s.Confirm(d.ID, d.Ref, d.To)
			count++
		}
		if count != n {
			t.Fatalf("%d deliveries", count)
		}
	})
	if got != 0 {
		t.Fatalf("%v allocations a broadcast", got)
	}
	if p.released != 21 {
		t.Fatalf("%d releases of 21 broadcasts", p.released)
	}
}

// TestBytesPerIdleSession states what a user with one idle WebSocket costs a
// shard when its uid is its client-id of 36 bytes:
//
//	session 96 + user 40 + index 2 x 4 + id 20
//
// before the slack of the last chunks.
func TestBytesPerIdleSession(t *testing.T) {
	if shard.SessionSize != 96 || shard.UserSize != 40 {
		t.Fatalf("a session is %d bytes, a user %d", shard.SessionSize, shard.UserSize)
	}
	s := shard.New(shard.Config{})
	const n = 20000
	attachMany(s, n)
	index, ids := s.IndexBytes()/n, s.IDBytes()/n
	if index > 8 || ids != 20 {
		t.Fatalf("index %d bytes, ids %d bytes a session", index, ids)
	}
	t.Logf("%d bytes", int(shard.SessionSize+shard.UserSize)+index+ids)
}

func BenchmarkBroadcastDelivery(b *testing.B) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, 18000)
	now, p := uint32(0), &still{}
	var d shard.Delivery
	deliveries := 0
	for loop := count.Loop(b, 3); loop.Next(); {
		now += 100
		s.Advance(now)
		s.PushAll(now, nil, p, false, nil)
		for s.NextDelivery(now, &d) {
			s.Confirm(d.ID, d.Ref, d.To)
			deliveries++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(deliveries), "ns/delivery")
}

// setNumber writes i into the last digits of a uid.
func setNumber(uid []byte, i int) {
	for at := len(uid) - 1; at >= 24; at-- {
		uid[at] = byte('0' + i%10)
		i /= 10
	}
}

func BenchmarkPushToOneUser(b *testing.B) {
	s := shard.New(shard.Config{FlushWS: 30, FlushAjax: 100, Pace: 20})
	attachMany(s, 100000)
	uid := []byte("0b4dd9ae-2b4c-4c58-b1ab-000000000000")
	now, p := uint32(0), &still{}
	var d shard.Delivery
	i := 0
	for loop := count.Loop(b, 10_000); loop.Next(); i++ {
		now += 40
		s.Advance(now)
		setNumber(uid, i*7919%100000)
		s.Push(now, shard.To{UID: uid}, p, false)
		for s.NextDelivery(now, &d) {
			s.Confirm(d.ID, d.Ref, d.To)
		}
	}
}

func BenchmarkAttachDetach(b *testing.B) {
	s := shard.New(shard.Config{WSGrace: 10})
	attachMany(s, 100000)
	var p shard.Presence
	uid := []byte("1b4dd9ae-2b4c-4c58-b1ab-000000000000")
	now := uint32(0)
	i := 0
	for loop := count.Loop(b, 10_000); loop.Next(); i++ {
		now++
		setNumber(uid, i%100000)
		id, _, _ := s.AttachWS(now, shard.Key{UID: uid, Client: uid}, 1<<40, 0)
		s.DetachWS(now, id, 1<<40, 0, false)
		s.Advance(now)
		for s.NextPresence(&p) {
		}
	}
}
