package admit_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/chskd/chskd/admit"
)

func TestPrefixesContain(t *testing.T) {
	p, err := admit.ParsePrefixes([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "::ffff:203.0.113.0/120"})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{
		"10.255.1.2": true, "11.0.0.1": false, "192.0.2.7": true, "192.0.2.8": false,
		"2001:db8:ffff::1": true, "2001:db9::1": false, "::1": true, "::2": false,
		"203.0.113.9": true, "203.0.114.1": false, "::ffff:10.1.2.3": true, "2001:db8::1%eth0": true,
	} {
		if got := p.Contains(admit.Clean(netip.MustParseAddr(addr))); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if p.Contains(netip.Addr{}) || p.Len() != 5 {
		t.Errorf("no address is a member, or %d prefixes", p.Len())
	}
	var none *admit.Prefixes
	if none.Contains(netip.MustParseAddr("10.0.0.1")) || none.Len() != 0 {
		t.Error("a nil set has members")
	}
	if empty, err := admit.ParsePrefixes(nil); empty != nil || err != nil {
		t.Error("no list is not a nil set")
	}
	all, err := admit.ParsePrefixes([]string{"0.0.0.0/0"})
	if err != nil || !all.Contains(netip.MustParseAddr("1.2.3.4")) || all.Contains(netip.MustParseAddr("::1")) {
		t.Error("0.0.0.0/0 is not all of IPv4", err)
	}
}

func TestParsePrefixRefuses(t *testing.T) {
	for text, hint := range map[string]string{
		"": "neither", "localhost": "neither", "10.0.0.0/33": "neither", "10.0.0": "neither",
		"10.0.0.0/8 ": "neither", "10.0.0.0-10.0.0.9": "neither", "010.0.0.1": "neither",
		"10.1.2.3/8":           "write 10.0.0.0/8, or 10.1.2.3 for the one address",
		"2001:db8::1/32":       "write 2001:db8::/32, or 2001:db8::1",
		"::ffff:10.1.2.3/104":  "write 10.0.0.0/8",
		"::ffff:0.0.0.0/90":    "write the IPv4 prefix",
		"fe80::1%eth0":         "write fe80::1",
		"192.0.2.1,192.0.2.2":  "neither",
		"192.0.2.1:443":        "neither",
		"192.0.2.0/255.255.0.": "neither",
	} {
		_, err := admit.ParsePrefixes([]string{"10.0.0.1", text})
		if err == nil || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), "\""+text+"\"") {
			t.Errorf("%q: %v, want %q", text, err, hint)
		}
	}
}
