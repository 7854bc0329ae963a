package admit

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"
)

// Prefixes is a set of IP addresses, given by prefixes. A nil one has no members.
//
// Any goroutine. Immutable.
type Prefixes struct {
	table bart.Lite
	n     int
}

// ParsePrefixes makes a set of addresses as 192.0.2.1 or 2001:db8::1 and of prefixes as
// 10.0.0.0/8. An empty list gives nil. Errors say which is wrong and what to write instead.
func ParsePrefixes(list []string) (*Prefixes, error) {
	if len(list) == 0 {
		return nil, nil
	}
	p := new(Prefixes)
	for _, text := range list {
		x, err := ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		p.table.Insert(x)
		p.n++
	}
	return p, nil
}

// ParsePrefix reads one address or prefix. IPv4 mapped into IPv6 is taken as the IPv4
// that it means.
func ParsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("admit: %q has a zone; write %s", text, a.WithZone(""))
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("admit: %q is neither an address nor a prefix; write 192.0.2.1, 10.0.0.0/8 or "+
			"2001:db8::/32", text)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("admit: %q is a part of IPv4 mapped into IPv6; write the IPv4 prefix", text)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if m := p.Masked(); m != p {
		return p, fmt.Errorf("admit: %q has bits behind its length; write %s, or %s for the one address",
			text, m, p.Addr())
	}
	return p, nil
}

// Contains says whether a is in the set. An address without value never is. It must be
// unmapped and without zone, as Clean gives it.
func (p *Prefixes) Contains(a netip.Addr) bool { return p != nil && a.IsValid() && p.table.Contains(a) }

// Len is the number of prefixes that the set was made of.
func (p *Prefixes) Len() int {
	if p == nil {
		return 0
	}
	return p.n
}

// Clean gives the one form of an address: IPv4 mapped into IPv6 is IPv4 (RFC 4291
// §2.5.5.2), and a zone, which means something on this machine only, is left out.
func Clean(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
