package deadline_test

import (
	"testing"

	"github.com/chskd/chskd/deadline"
	"github.com/chskd/chskd/internal/count"
)

// BenchmarkPushPop arms one deadline and takes out the one that is due, in a queue of 3,000.
func BenchmarkPushPop(b *testing.B) {
	var f deadline.FIFO
	now := uint32(0)
	for range 3000 {
		now++
		f.Push(uint64(now), now+3000)
	}
	for loop := count.Loop(b, 10_000); loop.Next(); {
		now++
		f.Push(uint64(now), now+3000)
		if _, ok := f.Pop(now); !ok {
			b.Fatal("nothing is due")
		}
	}
}
