package longpoll_test

import (
	"slices"
	"testing"

	"github.com/chskd/chskd/longpoll"
)

// body is an answer that counts its releases.
type body struct{ refs int }

func (b *body) Release() {
	b.refs--
	if b.refs < 0 {
		panic("released twice")
	}
}

// PROTOCOL 2.3: a send without callback is answered at once, one with callback
// by its reply; both are remembered for the browser's replay.
func TestReplays(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 100)
	a := &body{refs: 1}

	slot, v := p.Open(0, 42, 1, 0, true)
	if v != longpoll.Fresh {
		t.Fatalf("verdict %d", v)
	}
	again, v := p.Open(100, 42, 2, 0, true)
	if again != slot || v != longpoll.Waiting {
		t.Fatalf("verdict %d, slot %x of %x", v, again, slot)
	}
	if p.Answered(slot) != nil {
		t.Fatal("answered already")
	}
	refs, ok := p.Answer(200, slot, a)
	if !ok || !slices.Equal(refs, []uint64{1, 2}) {
		t.Fatalf("answered to %v %v", refs, ok)
	}
	again, v = p.Open(9999, 42, 3, 0, true)
	if again != slot || v != longpoll.Answered || p.Answered(slot) != a {
		t.Fatalf("verdict %d, %v", v, p.Answered(again))
	}
	// Ten seconds after the first, it is forgotten: the next is another send.
	again, v = p.Open(10000, 42, 4, 0, true)
	if again == slot || v != longpoll.Fresh || a.refs != 0 {
		t.Fatalf("verdict %d, slot %x of %x, %d references", v, again, slot, a.refs)
	}
	if p.Answered(slot) != nil {
		t.Fatal("a forgotten send has an answer")
	}
}

func TestFirstAnswerWins(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 100)
	a, b, c := &body{refs: 1}, &body{refs: 1}, &body{refs: 1}
	slot, _ := p.Open(0, 42, 1, 0, true)
	p.Answer(1, slot, a)
	if refs, ok := p.Answer(2, slot, b); ok || refs != nil || b.refs != 0 {
		t.Fatalf("a second answer to %v %v, %d references", refs, ok, b.refs)
	}
	if p.Answered(slot) != a || a.refs != 1 {
		t.Fatal("the first answer is not kept")
	}
	// An answer to nobody.
	if _, ok := p.Answer(3, 1<<63|slot, c); ok || c.refs != 0 {
		t.Fatal("a send that never was is answered")
	}
}

func TestNotDeduplicated(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 100)
	a := &body{refs: 1}
	one, v1 := p.Open(0, 0, 1, 0, false)
	two, v2 := p.Open(0, 0, 2, 0, false)
	if one == two || v1 != longpoll.Fresh || v2 != longpoll.Fresh {
		t.Fatal("sends without a key are one")
	}
	refs, ok := p.Answer(0, one, a)
	if !ok || !slices.Equal(refs, []uint64{1}) || a.refs != 0 || p.Len() != 1 {
		t.Fatalf("%v %v, %d references, %d held", refs, ok, a.refs, p.Len())
	}
}

// The same bytes in another packer are another send: it could not be answered
// alike.
func TestPackersAreApart(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 100)
	one, _ := p.Open(0, 42, 1, 0, true)
	two, v := p.Open(0, 42, 2, 1, true)
	if one == two || v != longpoll.Fresh {
		t.Fatalf("verdict %d", v)
	}
}

func TestReplyTimeout(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 100)
	answered, _ := p.Open(0, 1, 1, 0, true)
	late, _ := p.Open(5, 2, 2, 0, true)
	p.Open(5, 3, 3, 0, false) // waits for no reply, however long
	p.Answer(10, answered, &body{refs: 1})
	if due, ok := p.Due(); !ok || due != 10000 {
		t.Fatalf("due %d %v", due, ok)
	}
	if _, ok := p.Timeout(20004); ok {
		t.Fatal("timed out too early")
	}
	slot, ok := p.Timeout(20005)
	if !ok || slot != late {
		t.Fatalf("timed out %x %v, want %x", slot, ok, late)
	}
	// Its replay time is over: the answer is given and forgotten.
	a := &body{refs: 1}
	if refs, ok := p.Answer(20005, slot, a); !ok || !slices.Equal(refs, []uint64{2}) || a.refs != 0 {
		t.Fatalf("%v %v, %d references", refs, ok, a.refs)
	}
	if _, ok := p.Timeout(90000); ok {
		t.Fatal("timed out twice")
	}
	if p.Len() != 1 {
		t.Fatalf("%d held", p.Len())
	}
}

func TestGoneGetsNoAnswer(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 100)
	slot, _ := p.Open(0, 42, 1, 0, true)
	p.Open(1, 42, 2, 0, true)
	p.Gone(slot, 1)
	p.Gone(slot, 1)
	p.Gone(slot, 9)
	if refs, ok := p.Answer(2, slot, &body{refs: 1}); !ok || !slices.Equal(refs, []uint64{2}) {
		t.Fatalf("%v %v", refs, ok)
	}
	p.Gone(slot, 2)
	// All gone, and the replay comes only after the answer.
	slot, _ = p.Open(3, 43, 3, 0, true)
	p.Gone(slot, 3)
	if refs, ok := p.Answer(4, slot, &body{refs: 1}); !ok || len(refs) != 0 {
		t.Fatalf("%v %v", refs, ok)
	}
	if _, v := p.Open(5, 43, 4, 0, true); v != longpoll.Answered {
		t.Fatalf("verdict %d", v)
	}
}

// Over max, the oldest answered send is forgotten; what waits is not.
func TestPostsAreBounded(t *testing.T) {
	p := longpoll.NewPosts(10000, 20000, 3)
	waits, _ := p.Open(0, 1, 1, 0, true)
	bodies := map[uint64]*body{}
	for key := uint64(2); key <= 6; key++ {
		slot, _ := p.Open(0, key, key, 0, false)
		bodies[key] = &body{refs: 1}
		p.Answer(0, slot, bodies[key])
	}
	if p.Len() != 3 {
		t.Fatalf("%d held", p.Len())
	}
	for key, b := range bodies {
		if (b.refs == 0) != (key < 5) {
			t.Errorf("answer %d has %d references", key, b.refs)
		}
	}
	if refs, ok := p.Answer(1, waits, &body{refs: 1}); !ok || len(refs) != 1 {
		t.Fatalf("%v %v", refs, ok)
	}
}

// TestSlotsAreNotMixedUp: a slot that is used again answers nobody of before.
func TestSlotsAreNotMixedUp(t *testing.T) {
	p := longpoll.NewPosts(10, 20, 100)
	seen := map[uint64]bool{}
	var old uint64
	for i := range uint32(1000) {
		slot, _ := p.Open(i*100, uint64(i+1), 1, 0, true)
		if seen[slot] {
			t.Fatalf("slot %x was used before", slot)
		}
		seen[slot] = true
		if old != 0 {
			p.Gone(old, 1)
			if _, ok := p.Answer(i*100, old, &body{refs: 1}); ok {
				t.Fatal("an old slot is answered")
			}
		}
		if refs, ok := p.Answer(i*100+1, slot, &body{refs: 1}); !ok || len(refs) != 1 {
			t.Fatalf("%v %v", refs, ok)
		}
		old = slot
		p.Timeout(i*100 + 99)
	}
	if p.Len() != 0 {
		t.Fatalf("%d held", p.Len())
	}
}

func TestPostsAllocateNothing(t *testing.T) {
	p := longpoll.NewPosts(1000, 20000, 10000)
	now, key := uint32(0), uint64(0)
	b := &body{refs: 1 << 40}
	got := testing.AllocsPerRun(20000, func() {
		now += 10
		key++
		slot, _ := p.Open(now, key, key, 0, true)
		p.Answer(now, slot, b)
		p.Timeout(now)
	})
	if got != 0 {
		t.Fatalf("%v allocations a send", got)
	}
}
