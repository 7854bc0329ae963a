package admit_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/chskd/chskd/admit"
)

func TestGateNeverLetsInTooMany(t *testing.T) {
	g := admit.NewGate(50, 80)
	var mu sync.Mutex
	open, served := 0, 0
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			o := g.Open()
			s := o && g.Serve()
			mu.Lock()
			defer mu.Unlock()
			if o {
				open++
			}
			if s {
				served++
			}
		})
	}
	wg.Wait()
	if open != 80 || served != 50 {
		t.Fatalf("open %d served %d, want 80 and 50", open, served)
	}
	g.Close(true)
	if !g.Serve() {
		t.Fatal("no place after one was given back")
	}
	if o, s := g.Counts(); o != 79 || s != 50 {
		t.Fatalf("counts %d %d", o, s)
	}
}

func TestRosterNumbersOnce(t *testing.T) {
	var r admit.Roster[string]
	for i, k := range []string{"a", "b", "a", "c"} {
		n, first := r.Number(k)
		want := map[string]int{"a": 0, "b": 1, "c": 2}[k]
		if n != want || first != (i != 2) {
			t.Fatalf("%q: %d %v", k, n, first)
		}
	}
	if r.Len() != 3 {
		t.Fatalf("len %d", r.Len())
	}
}

func TestMemoryKeepsWhatIsUsed(t *testing.T) {
	m := admit.NewMemory(100)
	m.Put([]byte("busy"), []byte("alice"))
	for i := range 10000 {
		m.Put(fmt.Appendf(nil, "c%d", i), []byte("x"))
		if i%50 == 0 {
			if uid, ok := m.Get([]byte("busy")); !ok || uid != "alice" {
				t.Fatalf("after %d others: %q %v", i, uid, ok)
			}
		}
	}
	if _, ok := m.Get([]byte("c1")); ok {
		t.Fatal("nothing is ever forgotten")
	}
	m.Put([]byte("busy"), []byte("bob"))
	if uid, _ := m.Get([]byte("busy")); uid != "bob" {
		t.Fatalf("uid %q after a change", uid)
	}
}
