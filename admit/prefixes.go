package admit

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// Prefixes is a set of IP addresses, given by prefixes. A nil one has no members.
//
// Any goroutine. Immutable.
type Prefixes struct {
	table bart.Lite
}

// NewPrefixes makes a set of a list; an empty one gives nil. Bits behind a prefix's length
// mean nothing. A prefix of IPv4 mapped into IPv6 is taken as the IPv4 that it means.
func NewPrefixes(list []netip.Prefix) *Prefixes {
	if len(list) == 0 {
		return nil
	}
	p := new(Prefixes)
	for _, x := range list {
		if a := x.Addr(); a.Is4In6() && x.Bits() >= 96 {
			x = netip.PrefixFrom(a.Unmap(), x.Bits()-96)
		}
		p.table.Insert(x.Masked())
	}
	return p
}

// Contains says whether a is in the set. An address without value never is. It must be in
// the form of Clean.
func (p *Prefixes) Contains(a netip.Addr) bool {
	return p != nil && a.IsValid() && p.table.Contains(a)
}

// Clean gives the one form of an address: IPv4 mapped into IPv6 is IPv4 (RFC 4291
// §2.5.5.2), and a zone, which means something on this machine only, is left out.
func Clean(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
