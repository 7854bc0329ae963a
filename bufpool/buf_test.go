package bufpool_test

import (
	"sync"
	"testing"

	"github.com/chskd/chskd/bufpool"
)

func TestGetHasRoom(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 1000, 1 << 20, 1<<20 + 1, 5 << 20} {
		before := bufpool.Live()
		b := bufpool.Get(n)
		if cap(b.B) < n || len(b.B) != 0 || b.Sealed() {
			t.Fatalf("Get(%d): len %d cap %d sealed %v", n, len(b.B), cap(b.B), b.Sealed())
		}
		b.B = append(b.B, make([]byte, n+n/3)...)
		b.Seal()
		if bufpool.Live() != before+1 {
			t.Fatalf("live %d, want %d", bufpool.Live(), before+1)
		}
		b.Release()
		if bufpool.Live() != before {
			t.Fatalf("live %d after release, want %d", bufpool.Live(), before)
		}
	}
}

func TestSharedByMany(t *testing.T) {
	before := bufpool.Live()
	b := bufpool.Get(100)
	b.B = append(b.B, "shared"...)
	b.Seal()
	var wg sync.WaitGroup
	for range 8 {
		b.Retain()
		wg.Go(func() {
			for range 1000 {
				b.Retain()
				if string(b.B) != "shared" {
					t.Error("content changed while a reference was held")
				}
				b.Release()
			}
			b.Release()
		})
	}
	wg.Wait()
	b.Release()
	if bufpool.Live() != before {
		t.Fatalf("live %d, want %d", bufpool.Live(), before)
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	b := bufpool.Get(2 << 20) // too large for a pool, so nobody else can get it meanwhile
	b.Release()
	defer func() {
		if recover() == nil {
			t.Fatal("a second release went unnoticed")
		}
	}()
	b.Release()
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	bufpool.Get(300).Release()
	got := testing.AllocsPerRun(1000, func() {
		b := bufpool.Get(300)
		b.B = append(b.B, "x"...)
		b.Seal().Release()
	})
	if got > 0.01 { // a collection may empty the pool in the middle
		t.Fatalf("%v allocations a buffer", got)
	}
}
