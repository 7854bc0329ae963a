package proxyproto

import (
	"encoding/binary"
	"net/netip"
)

// Version 2 (spec §2.2):
//
//	12 bytes   signature
//	 1         version (high half, 2) and command (0 LOCAL, 1 PROXY)
//	 1         address family (high half) and protocol
//	 2         length of what follows, big endian
//	12 / 36 / 216   addresses and ports of IPv4 / IPv6 / Unix
//	the rest   TLVs, passed over
const (
	binaryMark    = "\r\n\r\n\x00\r\nQUIT\n"
	binaryHeadLen = 16

	commandLocal = 0x20
	commandProxy = 0x21

	unspecified = 0x00
	stream4     = 0x11
	stream6     = 0x21
	streamUnix  = 0x31

	len4    = 4 + 4 + 2 + 2
	len6    = 16 + 16 + 2 + 2
	lenUnix = 108 + 108
)

// parseBinary checks each byte as soon as it is there.
func parseBinary(b []byte) (h Header, n int, err error) {
	if err := begins(b, binaryMark); err != nil {
		return Header{}, 0, err
	}
	if err := checkHead(b); err != nil {
		return Header{}, 0, err
	}
	n = binaryHeadLen + int(binary.BigEndian.Uint16(b[14:]))
	if len(b) < n {
		return Header{}, 0, ErrShort
	}
	h.Version = 2
	body := b[binaryHeadLen:n]
	switch {
	case b[12] == commandLocal:
		h.Local = true
	case b[13] == stream4:
		h.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(body)), binary.BigEndian.Uint16(body[8:]))
		h.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(body[4:])), binary.BigEndian.Uint16(body[10:]))
	case b[13] == stream6:
		src, dst := netip.AddrFrom16([16]byte(body)), netip.AddrFrom16([16]byte(body[16:]))
		h.Src = netip.AddrPortFrom(src.Unmap(), binary.BigEndian.Uint16(body[32:]))
		h.Dst = netip.AddrPortFrom(dst.Unmap(), binary.BigEndian.Uint16(body[34:]))
	default: // a family without addresses that mean something here
		h.Local = true
	}
	return h, n, nil
}

// checkHead checks the four bytes behind the signature, in their order.
func checkHead(b []byte) error {
	if len(b) <= 12 {
		return ErrShort
	}
	if b[12]>>4 != 2 {
		return errVersion
	}
	if b[12] != commandLocal && b[12] != commandProxy {
		return errCommand
	}
	if len(b) == 13 {
		return ErrShort
	}
	least := 0
	switch {
	case b[12] == commandLocal: // the family is to be ignored, whatever it is
	case b[13] == unspecified:
	case b[13] == stream4:
		least = len4
	case b[13] == stream6:
		least = len6
	case b[13] == streamUnix:
		least = lenUnix
	default: // datagrams, and combinations that are not assigned
		return errFamily
	}
	if len(b) < binaryHeadLen {
		return ErrShort
	}
	switch n := int(binary.BigEndian.Uint16(b[14:])); {
	case n > BinaryLenMax-binaryHeadLen:
		return errLong
	case n < least:
		return errTooShort
	}
	return nil
}
