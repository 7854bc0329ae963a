package mailbox_test

import (
	"testing"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/mailbox"
)

// BenchmarkPostTake posts 16 messages of 96 bytes, with one wake, and takes them together.
func BenchmarkPostTake(b *testing.B) {
	type message [12]uint64
	wakes := 0
	q := mailbox.NewQueue[message](func() { wakes++ })
	var spare []message
	rounds := 0
	for loop := count.Loop(b, 1000); loop.Next(); rounds++ {
		for i := range uint64(16) {
			q.Post(message{i})
		}
		if spare = q.Take(spare); len(spare) != 16 {
			b.Fatalf("took %d", len(spare))
		}
	}
	if wakes != rounds {
		b.Fatalf("%d wakes in %d rounds", wakes, rounds)
	}
}
