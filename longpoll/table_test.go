package longpoll_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/chskd/chskd/longpoll"
)

func TestNewestPollIsCurrent(t *testing.T) {
	p := longpoll.New(20000, 10)
	p.Park(0, 1, 7)
	p.Park(10, 2, 7)
	p.Park(20, 3, 8)
	for _, c := range []struct {
		ref, session uint64
		current, ok  bool
	}{
		{1, 7, false, true},
		{2, 7, true, true},
		{3, 8, true, true},
		{4, 0, false, false},
	} {
		session, current, ok := p.Session(c.ref)
		if session != c.session || current != c.current || ok != c.ok {
			t.Errorf("poll %d: %d %v %v", c.ref, session, current, ok)
		}
	}
}

// TestOrphanHasItsOwnDeadline: PROTOCOL 3.2 leaves the displaced poll without
// any answer; here it gets its timeout, but not before its time.
func TestOrphanHasItsOwnDeadline(t *testing.T) {
	p := longpoll.New(20000, 10)
	p.Park(0, 1, 7)
	p.Park(5000, 2, 7)
	if due, ok := p.Due(); !ok || due != 20000 {
		t.Fatalf("due %d %v", due, ok)
	}
	if _, _, _, ok := p.Timeout(19999); ok {
		t.Fatal("timed out too early")
	}
	ref, session, current, ok := p.Timeout(20000)
	if ref != 1 || session != 7 || current || !ok {
		t.Fatalf("timed out %d %d %v %v", ref, session, current, ok)
	}
	ref, _, current, ok = p.Timeout(25000)
	if ref != 2 || !current || !ok {
		t.Fatalf("timed out %d %v %v", ref, current, ok)
	}
	if _, ok := p.Due(); ok || p.Len() != 0 {
		t.Fatal("something waits")
	}
}

func TestTakenPollsAreForgotten(t *testing.T) {
	p := longpoll.New(100, 10)
	p.Park(0, 1, 7)
	p.Park(0, 2, 7)
	if !p.Take(2) || p.Take(2) || p.Take(9) {
		t.Fatal("taken wrongly")
	}
	// The older one is the newest that is left.
	if _, current, ok := p.Session(1); !ok || !current {
		t.Fatalf("poll 1: %v %v", current, ok)
	}
	// The same ref polls again: a keep-alive conn. Its first deadline is void.
	p.Park(50, 2, 7)
	if ref, _, _, ok := p.Timeout(100); !ok || ref != 1 {
		t.Fatalf("timed out %d %v", ref, ok)
	}
	if _, _, _, ok := p.Timeout(149); ok {
		t.Fatal("timed out by an old deadline")
	}
	if ref, _, _, ok := p.Timeout(150); !ok || ref != 2 {
		t.Fatalf("timed out %d %v", ref, ok)
	}
}

func TestOldestOrphanIsEvicted(t *testing.T) {
	p := longpoll.New(100, 3)
	for ref := uint64(1); ref <= 3; ref++ {
		if evicted := p.Park(0, ref, 7); evicted != 0 {
			t.Fatalf("evicted %d", evicted)
		}
	}
	if evicted := p.Park(0, 100, 8); evicted != 0 {
		t.Fatalf("another session's poll evicted %d", evicted)
	}
	if evicted := p.Park(0, 4, 7); evicted != 1 {
		t.Fatalf("evicted %d, want the oldest", evicted)
	}
	if p.Take(1) || p.Len() != 4 {
		t.Fatal("the evicted one waits")
	}
}

// TestTableAgainstList compares with a plain list of polls.
func TestTableAgainstList(t *testing.T) {
	type poll struct {
		ref, session uint64
		due          uint32
	}
	const timeout, most = 50, 4
	rng := rand.New(rand.NewSource(1))
	p := longpoll.New(timeout, most)
	var list []poll // oldest first
	now := ^uint32(0) - 2000
	current := func(i int) bool {
		return !slices.ContainsFunc(list[i+1:], func(q poll) bool { return q.session == list[i].session })
	}
	for range 100000 {
		ref, session := uint64(1+rng.Intn(12)), uint64(1+rng.Intn(3))
		switch rng.Intn(4) {
		case 0, 1:
			list = slices.DeleteFunc(list, func(q poll) bool { return q.ref == ref })
			list = append(list, poll{ref, session, now + timeout})
			var want uint64
			var same []poll
			for _, q := range list {
				if q.session == session {
					same = append(same, q)
				}
			}
			if len(same) > most {
				want = same[0].ref
				list = slices.DeleteFunc(list, func(q poll) bool { return q.ref == want })
			}
			if got := p.Park(now, ref, session); got != want {
				t.Fatalf("evicted %d, want %d", got, want)
			}
		case 2:
			n := len(list)
			list = slices.DeleteFunc(list, func(q poll) bool { return q.ref == ref })
			if got := p.Take(ref); got != (len(list) < n) {
				t.Fatalf("took %d: %v", ref, got)
			}
		case 3:
			now += uint32(rng.Intn(20))
			for {
				ref, session, cur, ok := p.Timeout(now)
				if !ok {
					break
				}
				at := slices.IndexFunc(list, func(q poll) bool { return q.ref == ref })
				if at < 0 || list[at].session != session || cur != current(at) ||
					int32(now-list[at].due) < 0 {
					t.Fatalf("timed out %d of %d, %v, at %d; %v", ref, session, cur, now, list)
				}
				list = slices.Delete(list, at, at+1)
			}
		}
		checkTable(t, p, now, len(list))
		for i, q := range list {
			session, cur, ok := p.Session(q.ref)
			if !ok || session != q.session || cur != current(i) || int32(now-q.due) >= 0 {
				t.Fatalf("poll %d: %d %v %v", q.ref, session, cur, ok)
			}
		}
	}
}

func checkTable(t *testing.T, p *longpoll.Table, now uint32, want int) {
	t.Helper()
	n := 0
	p.Each(func(ref, session uint64, current bool) {
		s, c, ok := p.Session(ref)
		if !ok || s != session || c != current {
			t.Fatalf("poll %d: %d %v %v", ref, s, c, ok)
		}
		n++
	})
	if n != want || p.Len() != want {
		t.Fatalf("%d polls, Len %d, want %d", n, p.Len(), want)
	}
	if _, ok := p.Due(); ok != (want > 0) {
		t.Fatalf("Due says %v with %d polls at %d", ok, want, now)
	}
}

func TestEachMayTake(t *testing.T) {
	p := longpoll.New(100, 10)
	for ref := uint64(1); ref <= 9; ref++ {
		p.Park(0, ref, ref%2)
	}
	p.Each(func(ref, _ uint64, _ bool) {
		if !p.Take(ref) {
			t.Fatalf("poll %d was visited and does not wait", ref)
		}
	})
	if p.Len() != 0 {
		t.Fatalf("%d left", p.Len())
	}
}

func TestPollsAllocateNothing(t *testing.T) {
	p := longpoll.New(20000, 10)
	for ref := uint64(1); ref <= 1000; ref++ {
		p.Park(0, ref, ref)
	}
	now, ref := uint32(0), uint64(0)
	got := testing.AllocsPerRun(10000, func() {
		now += 20
		ref = ref%1000 + 1
		p.Take(ref)
		p.Park(now, ref, ref)
		p.Timeout(now)
	})
	if got != 0 {
		t.Fatalf("%v allocations a poll", got)
	}
}
