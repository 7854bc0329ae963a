package deadline_test

import (
	"math/rand"
	"testing"

	"github.com/chskd/chskd/deadline"
)

func TestFIFOKeepsOrderAndTime(t *testing.T) {
	var f deadline.FIFO
	start := ^uint32(0) - 2000 // the clock wraps in the middle
	const n = 5000
	rng := rand.New(rand.NewSource(1))
	pushed, popped := 0, 0
	for now := start; popped < n; now++ {
		for i := rng.Intn(4); i > 0 && pushed < n; i-- {
			pushed++
			f.Push(uint64(pushed), now+30)
		}
		for {
			due, has := f.Due()
			id, ok := f.Pop(now)
			if ok != (has && int32(now-due) >= 0) {
				t.Fatalf("at %d: Due says %d %v, Pop says %v", now, due, has, ok)
			}
			if !ok {
				break
			}
			popped++
			if id != uint64(popped) {
				t.Fatalf("popped %d, want %d", id, popped)
			}
		}
		if f.Len() != pushed-popped {
			t.Fatalf("Len %d, want %d", f.Len(), pushed-popped)
		}
	}
}

func TestFIFOIsNotEarly(t *testing.T) {
	var f deadline.FIFO
	f.Push(1, 100)
	if _, ok := f.Pop(99); ok {
		t.Fatal("popped before its time")
	}
	if id, ok := f.Pop(100); !ok || id != 1 {
		t.Fatalf("at its time: %d %v", id, ok)
	}
}

func TestFIFOSteadyStateAllocatesNothing(t *testing.T) {
	var f deadline.FIFO
	now := uint32(0)
	for i := range 3000 {
		f.Push(uint64(i), now+10)
	}
	got := testing.AllocsPerRun(10000, func() {
		now++
		f.Push(7, now+10)
		f.Pop(now + 10)
	})
	if got != 0 {
		t.Fatalf("%v allocations a push and pop", got)
	}
}
