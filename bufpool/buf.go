package bufpool

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	minBits = 6  // smallest pooled buffer: 64 B
	maxBits = 20 // largest pooled buffer: 1 MiB; larger ones are left to the collector
)

var (
	pools [maxBits + 1]sync.Pool
	live  atomic.Int64
)

// Buf is a lent buffer with a reference count.
//
// Any goroutine may Retain, Release and read a sealed Buf. Until Seal it belongs
// to whoever got it.
type Buf struct {
	// B is the content. Append to it before Seal; afterwards it is read-only and
	// valid as long as a reference is held.
	B []byte

	refs   atomic.Int32
	sealed bool
}

func class(n int) int {
	if n <= 1<<minBits {
		return minBits
	}
	return bits.Len(uint(n - 1))
}

// Get lends a buffer with room for at least capacity bytes and one reference.
func Get(capacity int) *Buf {
	live.Add(1)
	c := class(capacity)
	if c <= maxBits {
		if b, ok := pools[c].Get().(*Buf); ok {
			b.refs.Store(1)
			return b
		}
		capacity = 1 << c
	}
	b := &Buf{B: make([]byte, 0, capacity)}
	b.refs.Store(1)
	return b
}

// Seal says that the content is final and returns b. Sharing comes after it.
func (b *Buf) Seal() *Buf {
	b.sealed = true
	return b
}

// Sealed tells whether the content is final.
func (b *Buf) Sealed() bool { return b.sealed }

// Len is the length of the content, in bytes.
func (b *Buf) Len() int { return len(b.B) }

// Retain adds a reference and returns b.
func (b *Buf) Retain() *Buf {
	if b.refs.Add(1) < 2 {
		panic("bufpool: retain of a released buffer")
	}
	return b
}

// Release gives one reference back; the last one recycles the buffer.
func (b *Buf) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("bufpool: released more often than retained")
	}
	live.Add(-1)
	// The class is that of the whole capacity rounded down, so that every buffer
	// of pools[c] really has 1<<c bytes, also one that grew by append.
	c := bits.Len(uint(cap(b.B))) - 1
	if c < minBits || c > maxBits {
		return
	}
	b.B = b.B[:0]
	b.sealed = false
	pools[c].Put(b)
}

// Live is the number of buffers lent out and not yet released, for tests and
// for the statistics.
func Live() int64 { return live.Load() }
