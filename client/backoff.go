package client

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is the pause before the next attempt to connect: it doubles from least to most, and is
// shortened by up to a half at random, so that many backends of one daemon that was restarted do
// not come back at the same moment.
type backoff struct {
	least, most, next time.Duration
}

func (b *backoff) reset() { b.next = 0 }

// wait pauses; false = ctx ended.
func (b *backoff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, b.least), b.most)
	timer := time.NewTimer(b.next - rand.N(b.next/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
