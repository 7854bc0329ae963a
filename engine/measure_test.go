package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// TestTurnIsMeasured: with one look at the clock more, in its own unit.
func TestTurnIsMeasured(t *testing.T) {
	h := newHotLoop(t)
	looks := 0
	wall := time.Unix(1000, 0)
	h.time = func() (uint32, time.Time) {
		looks++
		wall = wall.Add(5 * metrics.TurnUnit)
		return h.now, wall
	}
	h.turn()
	times := &h.m.TurnTimes
	if looks != 2 || times.Sum.Load() != 5 || times.Buckets[metrics.BucketOf(5)].Load() != 1 {
		t.Errorf("%d looks at the clock; the sum is %d", looks, times.Sum.Load())
	}
}

// TestDeliveriesAreMeasured: how many events, how long they waited, and what waits now.
func TestDeliveriesAreMeasured(t *testing.T) {
	h := newHotLoop(t)
	for i := range 3 {
		h.connect(t, packer.EDN.Packer(), i)
	}
	p := &Push{All: true, Event: []byte(`[:a/b]`)}
	h.eng.Push(p, nil) // leaves at once, and opens the window of 30 ms
	h.turns()
	h.now += 10
	h.eng.Push(p, nil)
	h.eng.Push(p, nil)
	if sum, most := h.eng.Waiting(); sum != 2 || most != 2 {
		t.Errorf("%d messages wait, %d in one mailbox; want 2", sum, most)
	}
	h.turns()
	lags := func() (got []uint64) {
		h.eng.Lags(func(l []uint64) { got = l })
		h.turns()
		return got
	}
	if got := fmt.Sprint(lags()); got != "[2 2 2]" {
		t.Errorf("not sent: %v", got)
	}
	h.now += 25
	h.turn()
	h.turns()
	if got := fmt.Sprint(lags()); got != "[0 0 0]" {
		t.Errorf("not sent: %v", got)
	}
	m := h.m
	for i, want := range map[int]uint64{0: 3, 1: 3} {
		if got := m.BatchEvents.Buckets[i].Load(); got != want {
			t.Errorf("%d batches in bucket %d, want %d", got, i, want)
		}
	}
	if got := m.BatchEvents.Sum.Load(); got != 9 {
		t.Errorf("%d events, want 9", got)
	}
	if got := m.Delays.Sum.Load(); got != 75 { // 3 at once, 3 after 25 ms
		t.Errorf("%d ms of delay, want 75", got)
	}
}

// TestClosesAreCounted: once each, by who began and with what.
func TestClosesAreCounted(t *testing.T) {
	h := newHotLoop(t)
	closeFrame := func(payload string) []byte {
		key := [4]byte{1, 2, 3, 4}
		b := wsframe.AppendClientHeader(nil, true, wsframe.Close, key, len(payload))
		n := len(b)
		b = append(b, payload...)
		wsframe.Mask(b[n:], key, 0)
		return b
	}
	for i, payload := range []string{"", "\x03\xe8", "\x03\xe9bye", "\x0f\xa1"} { // 1000 1001 4001
		h.feed(h.connect(t, packer.EDN.Packer(), i), closeFrame(payload), nil)
	}
	h.closeConn(h.connect(t, packer.JSON.Packer(), 10).c.slot)
	bad := h.connect(t, packer.JSON.Packer(), 11)
	h.feed(bad, []byte{0x80 | 0x70, 0x80, 0, 0, 0, 0}, nil) // RFC 6455 §5.2: no extension has these bits
	if n := h.m.WSOf[packer.JSON].Load(); n != 1 {
		t.Errorf("%d connections of now, want 1: its peer has not closed", n)
	}
	h.closeConn(bad.c.slot)
	h.turn()
	for code, want := range map[uint16]uint64{1005: 1, 1000: 1, 1001: 1, 4001: 1, 1002: 0} {
		if got := h.m.ClosesClient[metrics.CloseOf(code)].Load(); got != want {
			t.Errorf("clients closed %d with %d, want %d", got, code, want)
		}
	}
	if got := h.m.ClosesServer[metrics.CloseOf(1002)].Load(); got != 1 {
		t.Errorf("we closed %d with 1002, want 1", got)
	}
	if got := h.m.ClosesAbnormal.Load(); got != 1 {
		t.Errorf("%d ended without a close, want 1", got)
	}
	for p := range packer.Packer(packer.Packers) {
		if n := h.m.WSOf[p].Load(); n != 0 {
			t.Errorf("%d connections of %v are left", n, p)
		}
	}
}

// BenchmarkLags is what a scrape costs a loop that has many sessions, which all wait for something.
func BenchmarkLags(b *testing.B) {
	h := newHotLoop(b)
	for i := range 10000 {
		h.connect(b, packer.EDN.Packer(), i)
	}
	p := &Push{All: true, Event: []byte(`[:a/b]`)}
	h.eng.Push(p, nil)
	h.turns()
	for range 500 { // in the flush window
		h.eng.Push(p, nil)
	}
	h.turns()
	seen := 0
	for b.Loop() {
		h.eng.Stats(func(*Numbers) {})
		h.eng.Lags(func(l []uint64) { seen += len(l) })
		h.turns()
	}
	if seen == 0 {
		b.Fatal("nobody was looked at")
	}
}
