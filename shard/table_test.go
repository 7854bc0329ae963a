package shard_test

import (
	"math/rand"
	"testing"

	"github.com/chskd/chskd/shard"
)

func TestTableAgainstMap(t *testing.T) {
	var tab shard.Table
	type value struct{ hash, number uint32 }
	live := map[uint64]value{}
	var gone []uint64
	rng := rand.New(rand.NewSource(3))
	for i := range 200000 {
		if rng.Intn(5) < 3 || len(live) == 0 {
			v := value{hash: rng.Uint32(), number: uint32(i)}
			if rng.Intn(10) == 0 {
				v.hash = 7 // some share a whole hash
			}
			id := tab.Add(v.hash, v.number)
			if _, twice := live[id]; twice || id == 0 {
				t.Fatalf("the id %x is in use", id)
			}
			live[id] = v
			continue
		}
		for id, v := range live {
			if found, _ := tab.Find(v.hash, v.number); found != id {
				t.Fatalf("found %x, want %x", found, id)
			}
			tab.Remove(id)
			if _, ok := tab.Get(id); ok {
				t.Fatalf("the id %x outlived its value", id)
			}
			delete(live, id)
			gone = append(gone, id)
			break
		}
	}
	for id, v := range live {
		if n, ok := tab.Get(id); !ok || n != v.number {
			t.Fatalf("%x names %d %v, want %d", id, n, ok, v.number)
		}
	}
	for _, id := range gone {
		if _, ok := tab.Get(id); ok {
			t.Fatalf("the id %x outlived its value", id)
		}
	}
	if tab.Len() != len(live) {
		t.Fatalf("%d values, want %d", tab.Len(), len(live))
	}
}

func TestTableChainsStayShort(t *testing.T) {
	var tab shard.Table
	rng := rand.New(rand.NewSource(4))
	looks, n := 0, 100000
	hashes := make([]uint32, n)
	for i := range hashes {
		hashes[i] = rng.Uint32()
		tab.Add(hashes[i], uint32(i))
	}
	for i, h := range hashes {
		id, l := tab.Find(h, uint32(i))
		if id == 0 {
			t.Fatalf("%d is lost", i)
		}
		looks += l
	}
	if looks > 2*n {
		t.Fatalf("%d looks for %d values", looks, n)
	}
}

func TestTableIDsOfNobody(t *testing.T) {
	var tab shard.Table
	first := tab.Add(1, 1)
	for _, id := range []uint64{0, 1, first + 1, first | 1<<63, first &^ (1 << 32), 1<<64 - 1} {
		if _, ok := tab.Get(id); ok && id != first {
			t.Errorf("%x names something", id)
		}
	}
}
