package backend_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// BenchmarkHeldUp is how long the hub's mutex is held at most, which a loop may have to wait: by
// each call that does more than an append, with queues that are full.
func BenchmarkHeldUp(b *testing.B) {
	full := func(h *backend.Hub) {
		for i := 0; h.Event(nil, fmt.Append(nil, "user-", i), false, []byte("c"), false, packer.EDN,
			[]byte("[:a/b]"), false, nil, time.UnixMilli(0)) == backend.Taken; i++ {
		}
	}
	join := func(h *backend.Hub) *backend.Consumer {
		c, err := h.Subscribe("default", true, 0)
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	for name, call := range map[string]func(h *backend.Hub, c *backend.Consumer) func(){
		"take": func(h *backend.Hub, c *backend.Consumer) func() {
			return func() { h.Take(c, nil) }
		},
		"join": func(h *backend.Hub, c *backend.Consumer) func() {
			return func() { join(h) }
		},
		"leave, to another": func(h *backend.Hub, c *backend.Consumer) func() {
			join(h)
			return func() { h.Leave(c, nil, false) }
		},
		"leave, held": func(h *backend.Hub, c *backend.Consumer) func() {
			return func() { h.Leave(c, nil, false) }
		},
		"ack of all": func(h *backend.Hub, c *backend.Consumer) func() {
			for more := true; more; {
				var batch []backend.Entry
				batch, more, _ = h.Take(c, nil)
				h.Settle(c, batch)
			}
			return func() {
				if err := h.Ack(h.Epoch(), c.ID(), c.Taken()); err != nil {
					b.Error(err)
				}
			}
		},
		"tick": func(h *backend.Hub, c *backend.Consumer) func() {
			return func() { h.Tick(1) }
		},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				h := backend.NewHub(backend.HubOptions{})
				c := join(h)
				full(h)
				do := call(h, c)
				b.StartTimer()
				do()
			}
		})
	}
}

// Loops offer events while consumers of several groups come, read, ack, stall and die: run with
// -race, it looks for what two goroutines touch at once.
func TestHubRaces(t *testing.T) {
	h := backend.NewHub(backend.HubOptions{QueueEvents: 200})
	var stop atomic.Bool
	var loops, lives, here sync.WaitGroup
	here.Add(6)
	for loop := range 3 {
		loops.Go(func() {
			for n := 0; !stop.Load(); n++ {
				offer(h, "", fmt.Sprint("u", loop, n%50))
				h.Presence(n/50%2 == 0, nil, fmt.Append(nil, "u", loop, n%50), false)
			}
		})
	}
	for i := range 6 {
		lives.Go(func() {
			for life := range 30 {
				c, err := h.Subscribe([]string{"a", "b"}[i%2], i%2 == 0, i%3)
				if err != nil {
					t.Error(err)
					return
				}
				if life == 0 { // all at once, so that slots move
					here.Done()
					here.Wait()
				}
				var batch []backend.Entry
				for range 30 {
					batch, _, _ = h.Take(c, batch)
					for k := range batch {
						if batch[k].Tells() == "event" && batch[k].Value() != "[:a/b]" {
							t.Errorf("an event became %q", batch[k].Value())
						}
						if i == 0 { // acks what it has not seen yet
							h.Ack(h.Epoch(), c.ID(), batch[len(batch)-1].Seq())
						}
					}
					if life%3 > 0 {
						h.Settle(c, batch)
						continue
					}
					break
				}
				if life%3 > 0 {
					batch = nil
				}
				h.Leave(c, batch, false)
			}
		})
	}
	var clock sync.WaitGroup
	clock.Go(func() {
		for now := int64(0); !stop.Load(); now += 100 {
			h.Tick(now)
			h.Stats()
			runtime.Gosched()
		}
	})
	lives.Wait()
	stop.Store(true)
	loops.Wait()
	clock.Wait()
	if s := h.Stats(); s.Delivered == 0 || s.Moved == 0 || s.Consumers != 0 {
		t.Errorf("%+v", s)
	}
}
