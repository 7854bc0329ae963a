package backend_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

func TestDedupeProducers(t *testing.T) {
	d := backend.NewDedupe()
	for i, c := range []struct {
		tenant, name string
		n            uint64
		release      bool // it was refused
		want         bool
	}{
		{"", "p", 5, false, true},
		{"", "p", 5, false, false},
		{"", "p", 4, false, false}, // below the counter: it came, or never will
		{"", "p", 6, false, true},
		{"", "q", 1, false, true},  // another producer
		{"t", "p", 1, false, true}, // another tenant's
		{"", "tp", 1, false, true}, // not tenant t's p
		{"", "p", 9, true, true},
		{"", "p", 9, false, true}, // was refused, comes again
		{"", "p", 9, false, false},
		{"", "p", 10, true, true},
		{"", "p", 11, false, true},
		{"", "p", 10, false, true}, // refused while the next one was taken already
		{"", "p", 10, false, false},
		{"", "p", 1<<53 - 1, false, true},
		{"", "p", 12, false, false},
	} {
		if got := d.Claim(0, c.tenant, c.name, c.n); got != c.want {
			t.Errorf("step %d, %q %q %d: %v", i, c.tenant, c.name, c.n, got)
		}
		if c.release {
			d.Release(c.tenant, c.name, c.n)
		}
	}
}

// The least recently used producer is the one that is forgotten.
func TestDedupeProducersAreBounded(t *testing.T) {
	d := backend.NewDedupe()
	const most = 10_000
	for i := range most {
		d.Claim(0, "", fmt.Sprint("p", i), 7)
	}
	d.Claim(0, "", "p0", 7) // in use: p1 is the oldest now
	d.Claim(0, "", "new", 1)
	if n, _, _ := d.Sizes(); n != most {
		t.Errorf("%d producers", n)
	}
	if d.Claim(0, "", "p0", 7) {
		t.Error("a producer in use was forgotten")
	}
	if !d.Claim(0, "", "p1", 7) {
		t.Error("the oldest producer is still there")
	}
	d.Release("", "unknown", 3) // forgotten since: nothing to do
}

// Refused numbers are remembered up to a bound, the oldest forgotten.
func TestDedupeHolesAreBounded(t *testing.T) {
	d := backend.NewDedupe()
	const most = 256
	for n := uint64(1); n <= most+1; n++ {
		d.Claim(0, "", "p", n)
		d.Release("", "p", n)
	}
	if d.Claim(0, "", "p", 1) {
		t.Error("the oldest refused number is still there")
	}
	for n := uint64(2); n <= most+1; n++ {
		if !d.Claim(0, "", "p", n) {
			t.Fatalf("refused number %d was forgotten", n)
		}
	}
}

func TestDedupeIDs(t *testing.T) {
	d := backend.NewDedupe()
	const keep = 5 * time.Minute
	for i, c := range []struct {
		now        time.Duration
		tenant, id string
		release    bool
		want       bool
	}{
		{0, "", "a", false, true},
		{keep - 1, "", "a", false, false},
		{keep, "", "a", false, true}, // its time is over
		{keep, "t", "a", false, true},
		{keep, "", "ta", false, true},
		{keep + 1, "", "b", true, true},
		{keep + 2, "", "b", false, true},
		{2*keep + 1, "", "b", false, false}, // the refused claim's end is not the second one's
		{2*keep + 2, "", "b", false, true},
	} {
		if got := d.Claim(c.now, c.tenant, c.id, 0); got != c.want {
			t.Errorf("step %d, %v %q %q: %v", i, c.now, c.tenant, c.id, got)
		}
		if c.release {
			d.Release(c.tenant, c.id, 0)
		}
	}
}

// At most 100,000 ids are remembered, whatever becomes of them, and the oldest go first.
func TestDedupeIDsAreBounded(t *testing.T) {
	d := backend.NewDedupe()
	const most = 100_000
	for i := range most + 1 {
		d.Claim(0, "", fmt.Sprint(i), 0)
	}
	if d.Claim(0, "", "1", 0) {
		t.Error("the second id was forgotten")
	}
	if !d.Claim(0, "", "0", 0) {
		t.Error("the first id is still there")
	}
	for i := range 3 * most {
		d.Claim(0, "", fmt.Sprint("r", i), 0)
		d.Release("", fmt.Sprint("r", i), 0)
		if _, ids, claims := d.Sizes(); ids > most || claims > 2*most+2 {
			t.Fatalf("%d ids, %d claims", ids, claims)
		}
	}
	d.Claim(time.Hour, "", "last", 0)
	if _, ids, claims := d.Sizes(); ids != 1 || claims > 2 {
		t.Errorf("an hour later: %d ids, %d claims", ids, claims)
	}
}

// Whatever happens, a push is claimed once between two releases of it (within the bounds).
func TestDedupeAgainstNaive(t *testing.T) {
	d := backend.NewDedupe()
	r := rand.New(rand.NewPCG(1, 2))
	ids, last, holes := map[string]bool{}, map[string]uint64{}, map[string]bool{}
	for step := range 20_000 {
		name := fmt.Sprint(r.IntN(20))
		n := r.Uint64N(30) + 1 + uint64(step/100)
		if r.IntN(2) == 0 {
			n = 0
		}
		hole := fmt.Sprint(name, " ", n)
		want := !ids[name]
		if n != 0 {
			want = n > last[name] || holes[hole]
		}
		if got := d.Claim(0, "", name, n); got != want {
			t.Fatalf("step %d: %s %d: %v, want %v", step, name, n, got, want)
		}
		release := want && r.IntN(4) == 0
		if release {
			d.Release("", name, n)
		}
		if n == 0 {
			ids[name] = ids[name] || want && !release
		} else if want {
			last[name], holes[hole] = max(last[name], n), release
		}
		if n == 0 && release {
			delete(ids, name)
		}
	}
}
