package backend_test

import (
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

func BenchmarkEvent(b *testing.B) {
	h := backend.NewHub(backend.HubOptions{QueueEvents: 1})
	uid, client, event := []byte("alice"), []byte("c1"), []byte(`[:a/b {:text "hi"}]`)
	at := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.Event(nil, uid, false, client, false, packer.EDN, event, false, nil, at)
		}
	})
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
