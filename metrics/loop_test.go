package metrics_test

import (
	"testing"

	"github.com/chskd/chskd/metrics"
)

func TestSum(t *testing.T) {
	var a, b metrics.Loop
	a.EventsIn.Add(3)
	b.EventsIn.Add(4)
	a.WSNow.Add(5)
	a.WSNow.Sub(2)
	got := metrics.Sum([]*metrics.Loop{&a, &b})
	for name, want := range map[string]uint64{"events_in": 7, "ws_now": 3, "polls": 0, "bytes_out": 0} {
		n, ok := got[name]
		if !ok || n != want {
			t.Errorf("%s = %d (there: %v), want %d", name, n, ok, want)
		}
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	var m metrics.Loop
	if n := testing.AllocsPerRun(1000, func() { m.BytesIn.Add(9) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
