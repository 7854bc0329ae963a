package backend_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// offer is an event of a user's only client.
func offer(h *backend.Hub, tenant, uid string) backend.Verdict {
	return h.Event([]byte(tenant), []byte(uid), false, []byte("c"), false, packer.EDN,
		[]byte("[:a/b]"), false, nil, time.UnixMilli(0))
}

func subscribe(t *testing.T, h *backend.Hub, group string, ack bool) *backend.Consumer {
	t.Helper()
	c, err := h.Subscribe(group, ack, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readAll takes and settles all that is there, and gives the events' values.
func readAll(h *backend.Hub, c *backend.Consumer) (events []backend.Entry) {
	for {
		batch, more, _ := h.Take(c, nil)
		for _, e := range batch {
			if e.Tells() == "event" {
				events = append(events, e)
			}
		}
		h.Settle(c, batch)
		if len(batch) == 0 && !more {
			return events
		}
	}
}

// The n-th consumer gets a 1/n of the slots, each from the one who has most, and one that leaves
// gives its own away: nothing else moves, and nobody has two more than another.
func TestSlotsMoveAsFewAsCanBe(t *testing.T) {
	h := backend.NewHub(backend.HubOptions{})
	var all []*backend.Consumer
	moved := uint64(0)
	step := func(what string, want int) {
		t.Helper()
		got := h.Stats().Moved - moved
		moved += got
		if int(got) != want {
			t.Errorf("%s: %d slots moved, not %d", what, got, want)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := 1; n <= 64; n++ {
		all = append(all, subscribe(t, h, "g", false))
		want := 4096 / n
		if n == 1 {
			want = 0 // nobody had them
		}
		step(fmt.Sprintf("consumer %d joins", n), want)
	}
	for len(all) > 1 {
		i := len(all) * 5 / 7
		share := all[i].Slots()
		h.Leave(all[i], nil, false)
		all = append(all[:i], all[i+1:]...)
		step(fmt.Sprintf("one of %d leaves", len(all)+1), share)
	}
}

// A slot stays with its owner while anything of it is queued, being written, or not acked; and one
// that is busy all the time is fenced after a second, so that it comes to the new owner.
func TestSlotsMoveWithNothingOutstanding(t *testing.T) {
	h := backend.NewSmallHub(backend.HubOptions{}, 8, 10)
	a := subscribe(t, h, "g", true)
	uids := map[int]string{} // one of each slot
	for i := 0; len(uids) < 8; i++ {
		uid := fmt.Sprint("u", i)
		uids[h.Slot("", uid, false, "")] = uid
	}
	for _, uid := range uids {
		offer(h, "", uid)
	}
	b := subscribe(t, h, "g", true)
	moving := func(what string, want int) {
		t.Helper()
		if got := h.Stats().Moving; got != want {
			t.Fatalf("%s: %d slots are moving, not %d", what, got, want)
		}
	}
	moving("queued", 4)
	batch, _, _ := h.Take(a, nil)
	moving("taken", 4)
	h.Settle(a, batch)
	moving("written", 4)
	if err := h.Ack(h.Epoch(), a.ID(), batch[7].Seq()); err != nil {
		t.Fatal(err)
	}
	moving("acked", 0)

	// All are busy, a third consumer comes: what is new goes to the owners at first.
	for _, uid := range uids {
		offer(h, "", uid)
	}
	c := subscribe(t, h, "g", true)
	moving("a third one", 2)
	offerAll := func() {
		for _, uid := range uids {
			offer(h, "", uid)
		}
	}
	offerAll()
	h.Tick(1000)
	offerAll() // behind the fence, as far as it moves
	if n := len(readAll(h, a)) + len(readAll(h, b)); n != 8+8+6 {
		t.Errorf("the owners were given %d", n)
	}
	if n := len(readAll(h, c)); n != 0 {
		t.Errorf("the third one was given %d too early", n)
	}
	for _, k := range []*backend.Consumer{a, b} {
		if err := h.Ack(h.Epoch(), k.ID(), 1<<20); err == nil {
			t.Error("an ack of what was not given is taken")
		}
		batch, _, _ := h.Take(k, nil)
		h.Settle(k, batch)
	}
	ackAll(t, h, a, b)
	moving("the end", 0)
	if n := len(readAll(h, c)); n != 2 {
		t.Errorf("the third one was given %d of what waited for it", n)
	}
}

// ackAll acks whatever the consumers were given.
func ackAll(t *testing.T, h *backend.Hub, all ...*backend.Consumer) {
	t.Helper()
	for _, c := range all {
		if err := h.Ack(h.Epoch(), c.ID(), c.Taken()); err != nil {
			t.Fatal(err)
		}
	}
}
