package rate_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/rate"
)

func TestBucketSteps(t *testing.T) {
	type step struct {
		at uint32
		n  uint64
		ok bool
	}
	for _, c := range []struct {
		name  string
		limit rate.Limit
		steps []step
	}{
		{"a second's worth at once, then one as each comes back", rate.PerSecond(2, 1), []step{
			{0, 1, true}, {0, 1, true}, {0, 1, false}, {499, 1, false}, {500, 1, true},
			{500, 1, false}, {1000, 1, true}, {9000, 2, true}, {9000, 1, false},
		}},
		{"a refusal costs nothing", rate.PerSecond(1, 1), []step{
			{0, 1, true}, {100, 1, false}, {200, 1, false}, {999, 1, false}, {1000, 1, true},
		}},
		{"what is larger than the burst never passes", rate.PerSecond(10, 1), []step{
			{0, 11, false}, {math.MaxInt32, 11, false}, {math.MaxInt32, 10, true},
		}},
		{"a burst of one long message", rate.PerSecond(10, 100), []step{
			{0, 100, true}, {0, 1, false}, {99, 1, false}, {100, 1, true}, {10_100, 100, true},
		}},
		{"the clock wraps", rate.PerSecond(1, 1), []step{
			{math.MaxUint32 - 99, 1, true}, {math.MaxUint32, 1, false}, {899, 1, false}, {900, 1, true},
		}},
		{"the first use just before the clock wraps", rate.PerSecond(1, 1), []step{
			{math.MaxUint32, 1, true}, {998, 1, false}, {999, 1, true},
		}},
		{"a clock that goes back gives nothing", rate.PerSecond(1, 1), []step{
			{5000, 1, true}, {4990, 1, false}, {5999, 1, false}, {6000, 1, true},
		}},
		{"nothing is used by nothing", rate.PerSecond(1, 1), []step{
			{0, 1, true}, {0, 0, true}, {0, 1, false},
		}},
		{"the largest there is", rate.PerSecond(math.MaxInt, math.MaxInt), []step{
			{0, rate.Max, true}, {0, 1, false}, {1000, rate.Max, true},
			{math.MaxUint32 - 1<<21, math.MaxUint64, true},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b rate.Bucket
			for i, s := range c.steps {
				if got := b.Take(&c.limit, s.at, s.n); got != s.ok {
					t.Fatalf("step %d, %d units at %d: %v", i, s.n, s.at, got)
				}
			}
		})
	}
}

func TestPerSecond(t *testing.T) {
	for _, c := range []struct {
		n, least    int
		rate, burst uint64
	}{
		{0, 10, 0, 0}, {-1, 10, 0, 0}, {5, 0, 5, 5}, {5, 3, 5, 5}, {5, 30, 5, 30},
		{math.MaxInt, 1, rate.Max, rate.Max},
	} {
		l := rate.PerSecond(c.n, c.least)
		if l.PerSecond != c.rate || l.Burst != c.burst || l.On() != (c.rate > 0) {
			t.Errorf("%d, %d: %+v", c.n, c.least, l)
		}
	}
}

func TestIdle(t *testing.T) {
	l := rate.PerSecond(2, 1)
	var b rate.Bucket
	if !b.Idle(&l, 77) {
		t.Fatal("a new bucket is not idle")
	}
	b.Take(&l, 1000, 1)
	if b.Idle(&l, 1499) || !b.Idle(&l, 1500) {
		t.Fatal("idle before it has recovered, or not after")
	}
}

// float is the same in the plainest way: a level that time fills.
type float struct {
	level float64
	at    uint64
}

func (f *float) take(l rate.Limit, now, n uint64) bool {
	f.level = min(float64(l.Burst), f.level+float64(now-f.at)*float64(l.PerSecond)/1000)
	f.at = now
	// Whether a level on the very edge is enough is not for floats to say.
	const edge = 1e-6
	if f.level+edge < float64(n) {
		return false
	}
	f.level -= float64(n)
	return true
}

// TestModel compares with a bucket in floating point, over wraps of the clock.
func TestModel(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := rate.PerSecond(1+rng.IntN(1<<rng.IntN(24)), 1+rng.IntN(100))
		now := uint64(1<<32 - rng.IntN(100_000))
		f := float{level: float64(l.Burst), at: now}
		var b rate.Bucket
		passed := 0
		for i := range 2000 {
			now += uint64(rng.IntN(1 << rng.IntN(14)))
			n := uint64(rng.IntN(1 + int(l.Burst)/(1+rng.IntN(20))))
			got, want := b.Take(&l, uint32(now), n), f.take(l, now, n)
			if got != want {
				t.Fatalf("seed %d step %d, %+v: %d units at %d: %v, floats say %v", seed, i, l, n, now, got, want)
			}
			if got {
				passed++
			}
		}
		if passed == 0 {
			t.Fatalf("seed %d: nothing passed", seed)
		}
	}
}

// TestNeverOver: in any stretch of time no more passes than the burst and what the time
// is worth.
func TestNeverOver(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		l := rate.PerSecond(1+rng.IntN(500), rng.IntN(50))
		var b rate.Bucket
		type use struct {
			at uint32
			n  uint64
		}
		var uses []use
		now := rng.Uint32()
		for range 300 {
			now += uint32(rng.IntN(20))
			if n := uint64(1 + rng.IntN(5)); b.Take(&l, now, n) {
				uses = append(uses, use{now, n})
			}
		}
		for i := range uses {
			sum := uint64(0)
			for _, u := range uses[i:] {
				sum += u.n
				if allowed := l.Burst*1000 + uint64(u.at-uses[i].at)*l.PerSecond; sum*1000 > allowed {
					t.Fatalf("%+v: %d units in %d ms", l, sum, u.at-uses[i].at)
				}
			}
		}
	}
}

func TestTakeAllocatesNothingAndIsSmall(t *testing.T) {
	l := rate.PerSecond(1000, 1)
	var b rate.Bucket
	now := uint32(0)
	if n := testing.AllocsPerRun(100, func() { now++; b.Take(&l, now, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s := unsafe.Sizeof(b); s != 16 {
		t.Errorf("%d bytes", s)
	}
}

func BenchmarkTake(b *testing.B) {
	l := rate.PerSecond(1000, 1)
	var k rate.Bucket
	now := uint32(0)
	for loop := count.Loop(b, 10_000); loop.Next(); {
		now++
		k.Take(&l, now, 1)
	}
}
