package backend_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// A loop's calls do not allocate once the hub is warm: with the queue full, with presence that
// nobody follows, and with that of users without uid.
func TestLoopCallsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector lets sync.Pool drop items at random")
	}
	h := backend.NewHub(backend.HubOptions{QueueEvents: 1})
	uid, client, event := []byte("alice"), []byte("c1"), []byte(`[:a/b {:text "hi"}]`)
	at := time.Now()
	for name, call := range map[string]func(){
		"Event": func() {
			h.Event(nil, uid, false, client, false, packer.EDN, event, false, nil, at)
		},
		"Event with a reply": func() {
			h.Event(nil, uid, false, client, false, packer.EDN, event, false, client, at)
		},
		"Presence": func() {
			h.Presence(true, nil, uid, false)
			h.Presence(false, nil, uid, false)
		},
		"Presence without uid": func() {
			h.Presence(true, nil, nil, true)
			h.Presence(false, nil, nil, true)
		},
	} {
		if n := testing.AllocsPerRun(1000, call); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkEvent is what a client's event costs its loop, with consumers of one group that read
// (and ack) all the time, and with nobody there.
func BenchmarkEvent(b *testing.B) {
	for _, c := range []struct {
		name      string
		consumers int
		ack       bool
	}{
		{"full", 0, false},
		{"1", 1, false}, {"16", 16, false}, {"64", 64, false},
		{"1 ack", 1, true}, {"64 ack", 64, true},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkEvent(b, c.consumers, c.ack) })
	}
}

func benchmarkEvent(b *testing.B, consumers int, ack bool) {
	o := backend.HubOptions{QueueEvents: 1 << 20, QueueBytes: 1 << 30}
	if consumers == 0 {
		o.QueueEvents = 1
	}
	h := backend.NewHub(o)
	var all []*backend.Consumer
	for range consumers {
		c, err := h.Subscribe("default", ack, 0)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
	}
	uids := make([][]byte, 10_000)
	for i := range uids {
		uids[i] = fmt.Append(nil, "user-", i)
	}
	client, event := []byte("c1"), []byte(`[:a/b {:text "hi"}]`)
	at := time.Now()
	spare := make([][]backend.Entry, consumers)
	read := func() {
		for i, c := range all {
			for more := true; more; {
				spare[i], more, _ = h.Take(c, spare[i])
				h.Settle(c, spare[i])
			}
			if ack {
				if err := h.Ack(h.Epoch(), c.ID(), c.Taken()); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	offer := func(n int) {
		h.Event(nil, uids[n%len(uids)], false, client, false, packer.EDN, event, false, nil, at)
	}
	for n := range 20_000 { // warm
		offer(n)
		if n%2000 == 0 {
			read()
		}
	}
	read()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		offer(n)
		if n++; n%2000 == 0 {
			b.StopTimer() // a consumer's side is not the loop's
			read()
			b.StartTimer()
		}
	}
}

func BenchmarkParsePush(b *testing.B) {
	line := []byte(`{"uid":"alice","event":["chat/message",{"text":"hi","list":[1,2,3]}]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := backend.ParsePush(line); err != nil {
			b.Fatal(err)
		}
	}
}
