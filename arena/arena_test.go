package arena_test

import (
	"bytes"
	"math/rand"
	"testing"

	"github.com/chskd/chskd/arena"
)

func TestArenaAgainstMap(t *testing.T) {
	var a arena.Arena
	rng := rand.New(rand.NewSource(2))
	live := map[arena.Ref][]byte{}
	for range 200000 {
		if rng.Intn(5) < 3 || len(live) == 0 {
			n := rng.Intn(60)
			if rng.Intn(100) == 0 {
				n = rng.Intn(arena.MaxLen + 1)
			}
			b := make([]byte, n)
			rng.Read(b)
			if rng.Intn(3) == 0 {
				b = almostUUID(rng)
				n = len(b)
			}
			r := a.Put(b)
			if n == 0 {
				if r != 0 {
					t.Fatal("the empty string has a Ref of its own")
				}
				continue
			}
			if _, twice := live[r]; twice || r == 0 {
				t.Fatalf("Ref %d is in use", r)
			}
			live[r] = b
			continue
		}
		for r, want := range live {
			if !bytes.Equal(a.Append(nil, r), want) || !a.Equal(r, want) {
				t.Fatalf("Ref %d changed", r)
			}
			a.Free(r)
			delete(live, r)
			break
		}
	}
	for r, want := range live {
		if !bytes.Equal(a.Append(nil, r), want) || !a.Equal(r, want) {
			t.Fatalf("Ref %d changed", r)
		}
		a.Free(r)
	}
	if a.Bytes() != 0 {
		t.Fatalf("%d bytes live after everything was freed", a.Bytes())
	}
}

func TestArenaReusesCells(t *testing.T) {
	var a arena.Arena
	id := []byte("0b4dd9ae-2b4c-4c58-b1ab-0c9fd52b5e3a")
	a.Put(id)
	got := testing.AllocsPerRun(100000, func() { a.Free(a.Put(id)) })
	if got != 0 {
		t.Fatalf("%v allocations a string", got)
	}
}

func TestArenaRefusesLongStrings(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a string over MaxLen was taken")
		}
	}()
	var a arena.Arena
	a.Put(make([]byte, arena.MaxLen+1))
}
