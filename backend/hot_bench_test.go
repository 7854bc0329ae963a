package backend_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/packer"
)

// BenchmarkEventAndAck is an event of a client through the hub to a consumer that takes it, has
// it written, and acks it: 16 events a round, each of another user.
func BenchmarkEventAndAck(b *testing.B) {
	h := backend.NewHub(backend.HubOptions{})
	c, err := h.Subscribe("default", true, 0)
	if err != nil {
		b.Fatal(err)
	}
	uids := make([][]byte, 1024)
	for i := range uids {
		uids[i] = fmt.Append(nil, "user-", i)
	}
	client, event := []byte("c1"), []byte(`[:chat/send {:text "hello", :n 17}]`)
	at := time.Unix(1_700_000_000, 0)
	var spare []backend.Entry
	n, taken := 0, 0
	for loop := count.Loop(b, 500); loop.Next(); {
		for range 16 {
			h.Event(nil, uids[n%len(uids)], false, client, false, packer.EDN, event, false, nil, at)
			n++
		}
		spare, _, _ = h.Take(c, spare)
		h.Settle(c, spare)
		taken += len(spare)
		if err := h.Ack(h.Epoch(), c.ID(), c.Taken()); err != nil {
			b.Fatal(err)
		}
	}
	if taken != n {
		b.Fatalf("%d of %d events taken", taken, n)
	}
}
