package admit_test

import (
	"net/netip"
	"testing"

	"github.com/chskd/chskd/admit"
)

// prefixes makes a set of texts.
func prefixes(list ...string) *admit.Prefixes {
	var ps []netip.Prefix
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return admit.NewPrefixes(ps)
}

func TestPrefixesContain(t *testing.T) {
	p := prefixes("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128", "::ffff:203.0.113.0/120",
		"172.16.9.9/12")
	for addr, want := range map[string]bool{
		"10.255.1.2": true, "11.0.0.1": false, "192.0.2.7": true, "192.0.2.8": false,
		"2001:db8:ffff::1": true, "2001:db9::1": false, "::1": true, "::2": false,
		"203.0.113.9": true, "203.0.114.1": false, "::ffff:10.1.2.3": true, "2001:db8::1%eth0": true,
		"172.31.0.1": true, "172.32.0.1": false,
	} {
		if got := p.Contains(admit.Clean(netip.MustParseAddr(addr))); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if p.Contains(netip.Addr{}) {
		t.Error("no address is a member")
	}
	var none *admit.Prefixes
	if none.Contains(netip.MustParseAddr("10.0.0.1")) || admit.NewPrefixes(nil) != nil {
		t.Error("a nil set has members, or no list is another set")
	}
	all := prefixes("0.0.0.0/0")
	if !all.Contains(netip.MustParseAddr("1.2.3.4")) || all.Contains(netip.MustParseAddr("::1")) {
		t.Error("0.0.0.0/0 is not all of IPv4")
	}
}

func TestContainsAllocatesNothing(t *testing.T) {
	p := prefixes("10.0.0.0/8", "2001:db8::/32")
	a, b := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("2001:db9::1")
	if n := testing.AllocsPerRun(100, func() {
		if !p.Contains(a) || p.Contains(b) {
			t.Fatal("not as it should be")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
