package fuzz_test

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"testing"

	oracle "github.com/pires/go-proxyproto"

	"github.com/chskd/chskd/proxyproto"
)

// FuzzProxyHeader gives proxyproto.Parse arbitrary bytes, and all beginnings of them: the first
// answer that is not "more" must be that of the whole. What it takes as an address another
// implementation must take as the same.
func FuzzProxyHeader(f *testing.F) {
	mark := "\r\n\r\n\x00\r\nQUIT\n"
	for _, seed := range []string{
		"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\nGET / HTTP/1.1\r\n",
		"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 0 65535\r\n",
		"PROXY UNKNOWN ffff:f::f 1\r\n", "PROXY UNKNOWN\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP6 fe80::1%a ::1 1 2\r\n",
		mark + "\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x02\x00\x01\x00\x02GET",
		mark + "\x21\x21\x00\x24" + "0123456789abcdef0123456789abcdef\x00\x01\x00\x02",
		mark + "\x21\x11\x00\x10\x7f\x00\x00\x01\x7f\x00\x00\x02\x00\x01\x00\x02\x04\x00\x01x",
		mark + "\x20\x00\x00\x00", mark + "\x21\x00\x00\x03\x04\x00\x00", mark + "\x21\x12\x00\x0c", mark + "\x20\x11\xff\xff",
		"GET / HTTP/1.1\r\n", "\r\n\r\nGET",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 4096 {
			return
		}
		h, n, err := proxyproto.Parse(in)
		for cut := range in {
			ch, cn, cerr := proxyproto.Parse(in[:cut])
			if cerr == proxyproto.ErrShort {
				if cn != 0 || cut >= proxyproto.BinaryLenMax {
					t.Fatalf("%q: more than %d bytes are asked for", in, cut)
				}
				continue
			}
			if ch != h || cn != n || cerr != err {
				t.Fatalf("%q: after %d bytes %+v %d %v, of all %+v %d %v", in, cut, ch, cn, cerr, h, n, err)
			}
			break
		}
		checkProxyHeader(t, in, h, n, err)
	})
}

func checkProxyHeader(t *testing.T, in []byte, h proxyproto.Header, n int, err error) {
	var e *proxyproto.Error
	switch {
	case err != nil:
		if err != proxyproto.ErrShort && !errors.As(err, &e) || n != 0 {
			t.Fatalf("%q: %d, %v", in, n, err)
		}
		return
	case n <= 0 || n > len(in) || h.Local == h.Src.IsValid() || h.Src.IsValid() != h.Dst.IsValid():
		t.Fatalf("%q: %d, %+v", in, n, h)
	case h.Local:
		return
	}
	got, err := oracle.Read(bufio.NewReaderSize(bytes.NewReader(in), 8192))
	if err != nil {
		t.Fatalf("%q: %+v; the other: %v", in, h, err)
	}
	src, ok := got.SourceAddr.(*net.TCPAddr)
	if !ok || src.AddrPort().Addr().Unmap() != h.Src.Addr() || src.Port != int(h.Src.Port()) {
		t.Fatalf("%q: %+v; the other: %v", in, h, got)
	}
}
