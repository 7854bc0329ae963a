package proxyproto_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/chskd/chskd/proxyproto"
)

const mark = "\r\n\r\n\x00\r\nQUIT\n"

// binaryHeader is a header of version 2.
func binaryHeader(command, family byte, body string) string {
	b := append([]byte(mark), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return string(b) + body
}

const (
	body4 = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x01\xbb" // 192.0.2.1:40000 to 198.51.100.2:443
	from4 = "192.0.2.1:40000"
	to4   = "198.51.100.2:443"
)

var (
	v6a    = "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01"
	v6b    = "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x02"
	mapped = strings.Repeat("\x00", 10) + "\xff\xff\xc0\x00\x02\x01"
	body6  = v6a + v6b + "\x9c\x40\x01\xbb"
	tlvs   = "\x03\x00\x04\x01\x02\x03\x04" + "\x04\x00\x03pad"
)

// readCases are good headers. src "" is Local.
var readCases = []struct {
	name, in, src, dst string
	version            uint8
}{
	{"§2.1 TCP4", "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n", from4, to4, 1},
	{"§2.1 longest TCP4", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
		"255.255.255.255:65535", "255.255.255.255:65535", 1},
	{"§2.1 TCP6", "PROXY TCP6 2001:db8::1 2001:DB8::2 40000 443\r\n",
		"[2001:db8::1]:40000", "[2001:db8::2]:443", 1},
	{"§2.1 longest TCP6", "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " +
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 1},
	{"§2.1 IPv4 mapped into IPv6", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 40000 443\r\n", from4, to4, 1},
	{"§2.1 port 0", "PROXY TCP4 192.0.2.1 198.51.100.2 0 443\r\n", "192.0.2.1:0", to4, 1},
	{"§2.1 UNKNOWN", "PROXY UNKNOWN\r\n", "", "", 1},
	{"§2.1 UNKNOWN, the rest is ignored", "PROXY UNKNOWN ffff::1 x 1 2 3 4 \r\n", "", "", 1},
	{"§2.1 longest UNKNOWN", "PROXY UNKNOWN " + strings.Repeat("f", 107-16) + "\r\n", "", "", 1},

	{"§2.2 TCP over IPv4", binaryHeader(0x21, 0x11, body4), from4, to4, 2},
	{"§2.2 TCP over IPv4 with TLVs", binaryHeader(0x21, 0x11, body4+tlvs), from4, to4, 2},
	{"§2.2 the longest that is taken", binaryHeader(0x21, 0x11, body4+strings.Repeat("x", 2048-12)), from4, to4, 2},
	{"§2.2 TCP over IPv6", binaryHeader(0x21, 0x21, body6), "[2001:db8::1]:40000", "[2001:db8::2]:443", 2},
	{"§2.2 TCP over IPv6 with TLVs", binaryHeader(0x21, 0x21, body6+tlvs), "[2001:db8::1]:40000", "[2001:db8::2]:443", 2},
	{"§2.2 IPv4 mapped into IPv6", binaryHeader(0x21, 0x21, mapped+mapped+"\x9c\x40\x9c\x40"), from4, from4, 2},
	{"§2.2 LOCAL", binaryHeader(0x20, 0x00, ""), "", "", 2},
	{"§2.2 LOCAL, the family and the rest are ignored", binaryHeader(0x20, 0x11, body4), "", "", 2},
	{"§2.2 LOCAL of a family that is not assigned", binaryHeader(0x20, 0x7f, "x"), "", "", 2},
	{"§2.2 unspecified", binaryHeader(0x21, 0x00, ""), "", "", 2},
	{"§2.2 unspecified with TLVs", binaryHeader(0x21, 0x00, tlvs), "", "", 2},
	{"§2.2 Unix socket", binaryHeader(0x21, 0x31, strings.Repeat("a", 216)), "", "", 2},
}

func TestParse(t *testing.T) {
	for _, c := range readCases {
		t.Run(c.name, func(t *testing.T) {
			in := c.in + "GET / HTTP/1.1\r\n"
			for cut := range c.in {
				h, n, err := proxyproto.Parse([]byte(in[:cut]))
				if err != proxyproto.ErrShort || n != 0 || h != (proxyproto.Header{}) {
					t.Fatalf("%d bytes of %d: %+v, %d, %v", cut, len(c.in), h, n, err)
				}
			}
			for _, in := range []string{c.in, in} {
				h, n, err := proxyproto.Parse([]byte(in))
				if err != nil || n != len(c.in) {
					t.Fatalf("%d of %d bytes, %v", n, len(c.in), err)
				}
				want := proxyproto.Header{Local: c.src == "", Version: c.version}
				if !want.Local {
					want.Src, want.Dst = netip.MustParseAddrPort(c.src), netip.MustParseAddrPort(c.dst)
				}
				if h != want {
					t.Fatalf("%+v, want %+v", h, want)
				}
			}
		})
	}
}

// refuseCases are inputs whose last byte is the first that shows the mistake.
var refuseCases = []struct{ name, in, reason string }{
	{"no header at all", "G", "does not begin"},
	{"another word", "PROXI", "does not begin"},
	{"§2.1 in small letters", "p", "does not begin"},
	{"§2.1 two spaces after PROXY", "PROXY  TCP4 192.0.2.1 198.51.100.2 40000 443\r\n", "other fields"},
	{"§2.1 no family", "PROXY \r\n", "other fields"},
	{"§2.1 an unknown family", "PROXY TCP5 192.0.2.1 198.51.100.2 40000 443\r\n", "other fields"},
	{"§2.1 UDP", "PROXY UDP4 192.0.2.1 198.51.100.2 40000 443\r\n", "other fields"},
	{"§2.1 UNKNOWN runs on", "PROXY UNKNOWNS\r\n", "other fields"},
	{"§2.1 a field is missing", "PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n", "other fields"},
	{"§2.1 a field too many", "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 1\r\n", "other fields"},
	{"§2.1 a space at the end", "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 \r\n", "other fields"},
	{"§2.1 two spaces between fields", "PROXY TCP4 192.0.2.1  198.51.100.2 40000 443\r\n", "other fields"},
	{"§2.1 IPv6 as TCP4", "PROXY TCP4 2001:db8::1 198.51.100.2 40000 443\r\n", "address"},
	{"§2.1 mapped as TCP4", "PROXY TCP4 ::ffff:192.0.2.1 198.51.100.2 40000 443\r\n", "address"},
	{"§2.1 IPv4 as TCP6", "PROXY TCP6 192.0.2.1 ::1 40000 443\r\n", "address"},
	{"§2.1 a number over 255", "PROXY TCP4 192.0.2.256 198.51.100.2 40000 443\r\n", "address"},
	{"§2.1 three numbers", "PROXY TCP4 192.0.2 198.51.100.2 40000 443\r\n", "address"},
	{"§2.1 a leading zero in an address", "PROXY TCP4 192.0.2.01 198.51.100.2 40000 443\r\n", "address"},
	{"§2.1 a zone", "PROXY TCP6 fe80::1%eth0 ::1 40000 443\r\n", "address"},
	{"§2.1 a name", "PROXY TCP4 localhost 198.51.100.2 40000 443\r\n", "address"},
	{"§2.1 a bad destination", "PROXY TCP4 192.0.2.1 x 40000 443\r\n", "address"},
	{"§2.1 port over 65535", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n", "port"},
	{"§2.1 a leading zero in a port", "PROXY TCP4 192.0.2.1 198.51.100.2 040 443\r\n", "port"},
	{"§2.1 a sign", "PROXY TCP4 192.0.2.1 198.51.100.2 +40 443\r\n", "port"},
	{"§2.1 no port", "PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n", "port"},
	{"§2.1 a port of six digits", "PROXY TCP4 192.0.2.1 198.51.100.2 400000 443\r\n", "port"},
	{"§2.1 LF without CR", "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n", "end"},
	{"§2.1 CR without LF", "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\rG", "end"},
	{"§2.1 a tab", "PROXY TCP4\t", "end"},
	{"§2.1 a NUL", "PROXY UNKNOWN \x00", "end"},
	{"§2.1 not ASCII", "PROXY UNKNOWN \xc3", "end"},
	{"§2.1 108 bytes", "PROXY UNKNOWN " + strings.Repeat("f", 107-14), "too long"},
	{"§2.1 CR at the end of 107 bytes", "PROXY UNKNOWN " + strings.Repeat("f", 107-15) + "\r", "end"},

	{"§2.2 another signature", "\r\n\r\n\x00\r\nQUIT\r", "does not begin"},
	{"§2.2 an HTTP request after empty lines", "\r\n\r\nG", "does not begin"},
	{"§2.2 version 1", mark + "\x11", "neither version"},
	{"§2.2 version 3", mark + "\x31", "neither version"},
	{"§2.2 an unknown command", mark + "\x22", "command"},
	{"§2.2 UDP over IPv4", mark + "\x21\x12", "family"},
	{"§2.2 UDP over IPv6", mark + "\x21\x22", "family"},
	{"§2.2 Unix datagram", mark + "\x21\x32", "family"},
	{"§2.2 family without protocol", mark + "\x21\x10", "family"},
	{"§2.2 protocol without family", mark + "\x21\x01", "family"},
	{"§2.2 an unknown family", mark + "\x21\x41", "family"},
	{"§2.2 shorter than IPv4", mark + "\x21\x11\x00\x0b", "shorter"},
	{"§2.2 shorter than IPv6", mark + "\x21\x21\x00\x23", "shorter"},
	{"§2.2 shorter than Unix", mark + "\x21\x31\x00\xd7", "shorter"},
	{"§2.2 longer than is taken", mark + "\x21\x11\x08\x01", "too long"},
	{"§2.2 LOCAL longer than is taken", mark + "\x20\x00\xff\xff", "too long"},
}

func TestParseRefuses(t *testing.T) {
	for _, c := range refuseCases {
		t.Run(c.name, func(t *testing.T) {
			for cut := range c.in {
				if _, _, err := proxyproto.Parse([]byte(c.in[:cut])); err != proxyproto.ErrShort {
					t.Fatalf("%d bytes of %d: %v", cut, len(c.in), err)
				}
			}
			for _, in := range []string{c.in, c.in + "\r\nmore \r\n" + strings.Repeat("x", 300)} {
				_, n, err := proxyproto.Parse([]byte(in))
				var e *proxyproto.Error
				if !errors.As(err, &e) || n != 0 || !strings.Contains(e.Reason, c.reason) {
					t.Fatalf("%d, %v; want %q", n, err, c.reason)
				}
				if !strings.HasPrefix(err.Error(), "proxyproto: ") {
					t.Error(err)
				}
			}
		})
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	for _, c := range readCases {
		in := []byte(c.in)
		if n := testing.AllocsPerRun(100, func() {
			if _, _, err := proxyproto.Parse(in); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
