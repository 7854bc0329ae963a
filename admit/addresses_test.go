package admit_test

import (
	"encoding/binary"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chskd/chskd/admit"
)

func host(s string) admit.Host { return admit.HostOf(netip.MustParseAddr(s)) }

func TestHostOf(t *testing.T) {
	alike := [][2]string{
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"}, // RFC 6177, RFC 8981: one subscriber
		{"10.0.0.1", "10.0.0.1"}, {"::1", "::2"},
	}
	apart := [][2]string{
		{"10.0.0.1", "10.0.0.2"}, {"2001:db8::1", "2001:db8:0:1::1"}, {"0.0.0.0", "::"},
		{"0.0.0.1", "::1"}, {"255.255.255.255", "ffff:ffff:ffff:ffff::"},
	}
	for _, c := range alike {
		if host(c[0]) != host(c[1]) {
			t.Errorf("%v are counted apart", c)
		}
	}
	for _, c := range apart {
		if host(c[0]) == host(c[1]) {
			t.Errorf("%v are counted together", c)
		}
	}
	if admit.HostOf(netip.Addr{}) != 0 || host("0.0.0.0") == 0 || host("::1") == 0 {
		t.Error("0 is not nobody alone")
	}
}

func TestAddressesCountConns(t *testing.T) {
	a := admit.NewAddresses(2, 0, 1000)
	x, y := host("192.0.2.1"), host("2001:db8::1")
	enter := func(h admit.Host, want bool) {
		t.Helper()
		if !a.Open(h, 0) {
			t.Fatal("not opened")
		}
		if got := a.Enter(h); got != want {
			t.Fatalf("%v", got)
		}
	}
	enter(x, true)
	enter(x, true)
	enter(x, false)
	enter(y, true)
	a.Leave(x, true)
	if !a.Enter(x) {
		t.Fatal("who waits has not the place that is free")
	}
	enter(x, false)
	a.Leave(y, true)
	if n := a.Conns(); n != 3 {
		t.Fatalf("%d are open", n)
	}
	for _, c := range []struct {
		name  string
		wrong func()
	}{
		{"leaves that is not open", func() { a.Leave(y, false) }},
		{"leaves that did not enter", func() { a.Leave(x, true); a.Leave(x, true); a.Leave(x, true) }},
		{"enters that was not opened", func() { a.Enter(y) }},
		{"enters once more than it is", func() { a.Open(y, 0); a.Enter(y); a.Enter(y) }},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("one %s", c.name)
				}
			}()
			c.wrong()
		}()
	}
}

// TestAddressesBoundTheOpen: who says nothing takes no more room than who waits.
func TestAddressesBoundTheOpen(t *testing.T) {
	a := admit.NewAddresses(3, 0, 1000)
	x := host("192.0.2.1")
	n := 0
	for ; a.Open(x, 0); n++ {
	}
	if n != 2*3+16 || !a.Open(host("192.0.2.2"), 0) {
		t.Fatalf("%d may be open", n)
	}
	a.Leave(x, false)
	if !a.Open(x, 0) || a.Open(x, 0) {
		t.Fatal("not one for one")
	}
}

func TestAddressesPaceHandshakes(t *testing.T) {
	a := admit.NewAddresses(0, 3, 1000)
	x, y := host("192.0.2.1"), host("192.0.2.2")
	now := uint32(math.MaxUint32 - 500)
	for i, c := range []struct {
		h    admit.Host
		ms   uint32
		want bool
	}{
		{x, 0, true}, {x, 0, true}, {x, 0, true}, {x, 0, false}, {y, 0, true},
		{x, 333, false}, {x, 1, true}, {x, 0, false}, {x, 5000, true}, {x, 0, true},
	} {
		now += c.ms
		if got := a.Handshake(c.h, now); got != c.want {
			t.Fatalf("step %d: %v", i, got)
		}
	}
}

// flooder gives ever new hosts.
func flooder() func() admit.Host {
	n := uint32(0)
	return func() admit.Host {
		n++
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], n)
		return admit.HostOf(netip.AddrFrom4(b))
	}
}

// TestAddressesAreBounded: a flood of hosts never makes the table grow beyond its bound,
// and takes nothing from who has connections.
func TestAddressesAreBounded(t *testing.T) {
	const most = 10_000
	a := admit.NewAddresses(5, 10, most)
	busy := host("2001:db8::7")
	for range 6 {
		a.Open(busy, 0)
		a.Enter(busy)
	}
	next := flooder()
	for i := range uint32(20 * most) {
		a.Handshake(next(), i/1000)
		if i%1000 == 0 {
			if n := a.Len(); n > most*3/2+10_000 {
				t.Fatalf("%d hosts", n)
			}
			if a.Enter(busy) {
				t.Fatal("a host with connections was forgotten")
			}
		}
	}
}

// TestAddressesForgetTheIdle: hosts whose time is over make room as others come.
func TestAddressesForgetTheIdle(t *testing.T) {
	a := admit.NewAddresses(0, 10, 1_000_000)
	next := flooder()
	now := uint32(0)
	for range 20_000 {
		a.Handshake(next(), now)
	}
	if n := a.Len(); n != 20_000 {
		t.Fatalf("%d hosts, none of them idle", n)
	}
	now += 10_000
	for range 10_000 {
		now += 101 // each is idle when the next one comes
		a.Handshake(next(), now)
	}
	if n := a.Len(); n > 1000 {
		t.Fatalf("%d hosts are remembered", n)
	}
}

func TestAddressesBySeveral(t *testing.T) {
	a := admit.NewAddresses(7, 0, 1000)
	var in atomic.Int64
	var wg sync.WaitGroup
	x := host("192.0.2.1")
	for range 40 {
		wg.Go(func() {
			if a.Open(x, 0) && a.Enter(x) {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 7 {
		t.Fatalf("%d entered", in.Load())
	}
}

func TestPace(t *testing.T) {
	p := admit.NewPace(4)
	now := uint32(math.MaxUint32)
	for i, c := range []struct {
		ms   uint32
		want bool
	}{
		{0, true}, {0, true}, {0, true}, {0, true}, {0, false}, {249, false}, {1, true}, {0, false},
		{math.MaxUint32 /* back by 1 */, false}, {251, true}, {0, false}, {1 << 31, true}, {0, true},
	} {
		now += c.ms
		if got := p.Take(now); got != c.want {
			t.Fatalf("step %d: %v", i, got)
		}
	}
	var none *admit.Pace
	if !none.Take(0) || admit.NewPace(0) != nil {
		t.Error("no pace refuses")
	}
	if !admit.NewPace(math.MaxInt).Take(5) {
		t.Error("the largest pace refuses")
	}
}

func TestPaceBySeveral(t *testing.T) {
	p := admit.NewPace(1000)
	var got atomic.Int64
	var wg sync.WaitGroup
	for g := range uint32(8) {
		wg.Go(func() {
			for i := range uint32(1000) {
				if p.Take(i + g) { // clocks that are apart
					got.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := got.Load(); n < 1900 || n > 2010 {
		t.Fatalf("%d in the first second, want 2000", n)
	}
}
