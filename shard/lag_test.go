package shard_test

import (
	"fmt"
	"testing"

	"github.com/chskd/chskd/shard"
)

// TestReturns: a session counts as new once, and then by how long it was away.
func TestReturns(t *testing.T) {
	s := shard.New(shard.Config{WSGrace: 100, AjaxGrace: 100, Keep: 1000})
	is := func(when string, want shard.Returns) {
		t.Helper()
		if got := s.Returns(); got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	attach := func(now uint32, ref uint64) (id shard.SessionID) {
		id, _, err := s.AttachWS(now, shard.Key{UID: []byte("u"), Client: []byte("c")}, ref, 0)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	poll := func(now uint32, ref uint64, handshake bool) (id shard.SessionID) {
		key := shard.Key{UID: []byte("a"), Client: []byte("p")}
		id, _, err := s.Poll(now, key, ref, 0, handshake, 0)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	id := attach(0, 1)
	is("first", shard.Returns{New: 1})
	s.DetachWS(10, id, 1, 0, true)
	attach(50, 2)
	is("in its grace", shard.Returns{New: 1, InGrace: 1})
	attach(60, 3)
	is("not seen to be gone", shard.Returns{New: 1, InGrace: 1, Early: 1})
	s.DetachWS(61, id, 2, 0, true)
	s.DetachWS(61, id, 3, 0, true)
	s.Advance(500)
	attach(500, 4)
	is("kept", shard.Returns{New: 1, InGrace: 1, Early: 1, Kept: 1})
	s.DetachWS(501, id, 4, 0, true)
	s.Advance(1000)
	s.Advance(3000)
	attach(3000, 5)
	is("forgotten", shard.Returns{New: 2, InGrace: 1, Early: 1, Kept: 1})

	poll(4000, 10, true)
	is("first over Ajax", shard.Returns{New: 3, InGrace: 1, Early: 1, Kept: 1})
	p := poll(4001, 11, false)
	s.PollAnswered(4020, p, 11)
	p = poll(4030, 12, false)
	s.PollAnswered(4040, p, 12)
	is("polls that follow each other are no returns", shard.Returns{New: 3, InGrace: 1, Early: 1, Kept: 1})
	poll(4050, 13, true)
	is("handshake in the grace", shard.Returns{New: 3, InGrace: 2, Early: 1, Kept: 1})
	s.Advance(4500)
	poll(4600, 14, true)
	is("handshake after it", shard.Returns{New: 3, InGrace: 2, Early: 1, Kept: 2})
}

// TestSampleLag: every session with a conn is visited once in a round, with what it was not sent.
func TestSampleLag(t *testing.T) {
	s := shard.New(shard.Config{Keep: 60000})
	sample := func(limit int) (lags []uint64, calls int) {
		after := uint32(0)
		for {
			calls++
			after = s.SampleLag(after, limit, func(n uint64) { lags = append(lags, n) })
			if after == 0 {
				return lags, calls
			}
		}
	}
	if lags, _ := sample(10); len(lags) != 0 || s.OldestMs(100) != 0 {
		t.Errorf("of nobody: %v, %d ms", lags, s.OldestMs(100))
	}
	for i := range 5 {
		attachKey(t, s, fmt.Sprint("u", i), "c", uint64(i+1))
	}
	gone := attachKey(t, s, "gone", "c", 9)
	s.DetachWS(0, gone, 9, 0, true)
	p := &still{}
	s.Push(10, shard.To{UID: []byte("u1")}, p, true)
	s.Push(20, shard.To{UID: []byte("u3")}, p, true)
	s.Push(30, shard.To{UID: []byte("u3")}, p, true)
	s.Push(30, shard.To{UID: []byte("gone")}, p, true)
	for _, limit := range []int{1, 2, 100} {
		lags, calls := sample(limit)
		if fmt.Sprint(lags) != "[0 1 0 2 0]" {
			t.Errorf("%d at a time: %v", limit, lags)
		}
		if limit == 1 && calls < 5 {
			t.Errorf("one at a time took %d calls", calls)
		}
	}
	if got := s.OldestMs(50); got != 40 {
		t.Errorf("the oldest is %d ms old, want 40", got)
	}
	var d shard.Delivery
	for s.NextDelivery(60, &d) {
		if d.Run.Entries[0].PushedAt() > 30 {
			t.Errorf("pushed at %d", d.Run.Entries[0].PushedAt())
		}
	}
	if lags, _ := sample(100); fmt.Sprint(lags) != "[0 0 0 0 0]" {
		t.Errorf("after all was sent: %v", lags)
	}
}
