package proxyproto_test

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"

	oracle "github.com/pires/go-proxyproto"

	"github.com/chskd/chskd/proxyproto"
)

// read asks the other implementation. Its addresses are compared as ours are given.
func read(in string) (h proxyproto.Header, n int, err error) {
	r := strings.NewReader(in)
	b := bufio.NewReaderSize(r, 8192)
	got, err := oracle.Read(b)
	if err != nil {
		return h, 0, err
	}
	n = len(in) - b.Buffered() - r.Len()
	h.Version = got.Version
	src, ok1 := got.SourceAddr.(*net.TCPAddr)
	dst, ok2 := got.DestinationAddr.(*net.TCPAddr)
	if got.Command == oracle.LOCAL || !ok1 || !ok2 {
		h.Local = true
		return h, n, nil
	}
	h.Src, h.Dst = unmapped(src.AddrPort()), unmapped(dst.AddrPort())
	return h, n, nil
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// TestOracleReads: what we read, another implementation reads alike, but where the spec
// is on our side.
func TestOracleReads(t *testing.T) {
	apart := map[string]string{
		"§2.2 unspecified":                            "it takes the unspecified family with LOCAL only",
		"§2.2 unspecified with TLVs":                  "the same",
		"§2.2 LOCAL of a family that is not assigned": "it reads a family that is to be ignored",
	}
	for _, c := range readCases {
		h, n, err := proxyproto.Parse([]byte(c.in + "rest"))
		if err != nil {
			t.Fatal(c.name, err)
		}
		oh, on, oerr := read(c.in + "rest")
		_, known := apart[c.name]
		if alike := oerr == nil && oh == h && on == n; alike == known {
			t.Errorf("%s: %+v %d; the other %+v %d %v", c.name, h, n, oh, on, oerr)
		}
	}
}

// TestOracleWrites: we read what another implementation writes.
func TestOracleWrites(t *testing.T) {
	for _, c := range []struct{ name, src, dst string }{
		{"IPv4", "10.1.2.3:5", "127.0.0.1:65535"},
		{"IPv6", "[2001:db8::7]:1024", "[::1]:443"},
	} {
		for version := byte(1); version <= 2; version++ {
			src, dst := netip.MustParseAddrPort(c.src), netip.MustParseAddrPort(c.dst)
			h := oracle.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(src), net.TCPAddrFromAddrPort(dst))
			if version == 2 {
				if err := h.SetTLVs([]oracle.TLV{{Type: oracle.PP2_TYPE_AUTHORITY, Value: []byte("example.com")}}); err != nil {
					t.Fatal(err)
				}
			}
			in, err := h.Format()
			if err != nil {
				t.Fatal(err)
			}
			got, n, err := proxyproto.Parse(in)
			want := proxyproto.Header{Src: src, Dst: dst, Version: version}
			if err != nil || n != len(in) || got != want {
				t.Errorf("%s, version %d: %+v %d %v of %q", c.name, version, got, n, err, in)
			}
		}
	}
}
