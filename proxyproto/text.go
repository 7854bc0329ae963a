package proxyproto

import (
	"net/netip"
	"unsafe"
)

// Version 1 (spec §2.1), a line of at most TextLenMax bytes:
//
//	PROXY TCP4 192.0.2.1 198.51.100.1 40000 443 CRLF
//	PROXY TCP6 2001:db8::1 2001:db8::2 40000 443 CRLF
//	PROXY UNKNOWN [anything] CRLF
//
// with exactly one space between fields.

const textMark = "PROXY "

// parseText reads the line. It is not looked into before it is whole: it comes in one
// segment, and an error must not depend on how it was split.
func parseText(b []byte) (h Header, n int, err error) {
	if err := begins(b, textMark); err != nil {
		return Header{}, 0, err
	}
	n, err = lineLen(b)
	if err != nil {
		return Header{}, 0, err
	}
	h.Version = 1
	rest := b[len(textMark) : n-2]
	family, rest := field(rest)
	switch string(family) {
	case "UNKNOWN":
		h.Local = true // what follows is to be ignored
		return h, n, nil
	case "TCP4":
		err = h.fields(rest, true)
	case "TCP6":
		err = h.fields(rest, false)
	default:
		err = errText
	}
	if err != nil {
		return Header{}, 0, err
	}
	return h, n, nil
}

// lineLen is the length of the line with its CRLF. The characters of a line are the
// printable ones of ASCII; a CR or LF by itself ends nothing.
func lineLen(b []byte) (int, error) {
	for i, c := range b[:min(len(b), TextLenMax)] {
		switch {
		case c >= ' ' && c <= '~':
		case c != '\r' || i == TextLenMax-1:
			return 0, errLine
		case i+1 == len(b):
			return 0, ErrShort
		case b[i+1] != '\n':
			return 0, errLine
		default:
			return i + 2, nil
		}
	}
	if len(b) >= TextLenMax {
		return 0, errLong
	}
	return 0, ErrShort
}

// field cuts what stands before the next space; without one it is all of b, and rest is
// nil.
func field(b []byte) (f, rest []byte) {
	for i, c := range b {
		if c == ' ' {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// fields reads "src dst srcport dstport".
func (h *Header) fields(b []byte, is4 bool) error {
	src, b := field(b)
	dst, b := field(b)
	srcPort, b := field(b)
	dstPort, b := field(b)
	if b != nil || len(dstPort) == 0 {
		return errText
	}
	from, ok1 := address(src, is4)
	to, ok2 := address(dst, is4)
	if !ok1 || !ok2 {
		return errAddress
	}
	p1, ok1 := port(srcPort)
	p2, ok2 := port(dstPort)
	if !ok1 || !ok2 {
		return errPort
	}
	h.Src, h.Dst = netip.AddrPortFrom(from, p1), netip.AddrPortFrom(to, p2)
	return nil
}

// address reads an address of one family. netip takes no leading zeros in IPv4, as the
// spec asks, but zones, which it does not know.
func address(b []byte, is4 bool) (a netip.Addr, ok bool) {
	if len(b) == 0 {
		return a, false
	}
	// The string is read during the call only: an address without zone keeps none.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	if err != nil || a.Is4() != is4 || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// port reads 0 to 65535 without leading zeros.
func port(b []byte) (p uint16, ok bool) {
	if len(b) == 0 || len(b) > 5 || (b[0] == '0' && len(b) > 1) {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), n <= 65535
}
