package arena_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"

	"github.com/chskd/chskd/arena"
)

// almostUUID is a canonical UUID, or in half of the cases one with a wrong byte.
func almostUUID(rng *rand.Rand) []byte {
	var u [16]byte
	rng.Read(u[:])
	b := fmt.Appendf(nil, "%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
	if rng.Intn(2) == 0 {
		b[rng.Intn(len(b))] = byte(rng.Intn(256))
	}
	return b
}

func TestUUIDs(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true}, // RFC 9562 §4
		{"00000000-0000-0000-0000-000000000000", true},
		{"ffffffff-ffff-ffff-ffff-ffffffffffff", true},
		{"F81d4fae-7dec-11d0-a765-00a0c91e6bf6", false}, // another text of the same UUID
		{"f81d4fae-7dec-11d0-a765-00a0c91e6bf", false},
		{"f81d4fae-7dec-11d0-a765-00a0c91e6bf60", false},
		{"f81d4fae07dec-11d0-a765-00a0c91e6bf6", false},
		{"f81d4fae-7dec-11d0-a76-500a0c91e6bf6", false},
		{"g81d4fae-7dec-11d0-a765-00a0c91e6bf6", false},
		{"f81d4fae-7dec-11d0-a765-00a0c91e6bf-", false},
		{"f81d4fae-7dec-11d0-a765-00a0c91e6b\xff6", false},
		{"", false},
	} {
		packed, ok := arena.PackUUID([]byte(c.text))
		if ok != c.ok {
			t.Errorf("%q: %v", c.text, ok)
		}
		if !ok {
			continue
		}
		if got := arena.AppendUUID([]byte("x"), packed[:]); string(got) != "x"+c.text {
			t.Errorf("%q became %q", c.text, got)
		}
	}
}

func TestArenaPacksUUIDs(t *testing.T) {
	var a arena.Arena
	id := []byte("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	r := a.Put(id)
	if a.Bytes() != 20 || !a.Equal(r, id) || !bytes.Equal(a.Append(nil, r), id) {
		t.Fatalf("%d bytes, %q", a.Bytes(), a.Append(nil, r))
	}
	// 16 bytes that are no text stay what they are.
	packed, _ := arena.PackUUID(id)
	s := a.Put(packed[:])
	if a.Equal(r, packed[:]) || a.Equal(s, id) || !a.Equal(s, packed[:]) {
		t.Fatal("a UUID is taken for its bytes")
	}
	a.Free(r)
	a.Free(s)
	if a.Bytes() != 0 {
		t.Fatalf("%d bytes live after everything was freed", a.Bytes())
	}
	got := testing.AllocsPerRun(1000, func() { a.Free(a.Put(id)) })
	if got != 0 {
		t.Fatalf("%v allocations a UUID", got)
	}
}

func BenchmarkUUID(b *testing.B) {
	id := []byte("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	var out []byte
	for b.Loop() {
		packed, _ := arena.PackUUID(id)
		out = arena.AppendUUID(out[:0], packed[:])
	}
}
