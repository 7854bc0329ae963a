package proxyproto

import (
	"errors"
	"net/netip"
)

// Limits of a header, in bytes.
const (
	// TextLenMax is the longest header of version 1, its CRLF included (spec §2.1).
	TextLenMax = 107
	// BinaryLenMax is the longest header of version 2 that is taken, its first 16 bytes
	// included. The format allows 64 KiB, of which real proxies use a few hundred; a
	// client's certificate as TLV takes 1 to 2 KiB.
	BinaryLenMax = 16 + 2048
)

// ErrShort says that the header has not ended: come again with more bytes behind.
var ErrShort = errors.New("proxyproto: need more bytes")

// Error is a header that is none. The spec has no answer for it: the connection is cut.
// Immutable: the package's errors are shared values, none is made per connection.
type Error struct {
	Reason string
}

// Error returns the reason with the package's prefix.
func (e *Error) Error() string { return "proxyproto: " + e.Reason }

// What can be wrong.
var (
	errNone     = &Error{"the connection does not begin with a PROXY header"}
	errLine     = &Error{"the line of version 1 does not end where it must"}
	errText     = &Error{"the line of version 1 has other fields than it may"}
	errAddress  = &Error{"an address of version 1 is none"}
	errPort     = &Error{"a port of version 1 is none"}
	errVersion  = &Error{"neither version 1 nor 2"}
	errCommand  = &Error{"a command that is neither LOCAL nor PROXY"}
	errFamily   = &Error{"an address family and protocol that a stream cannot have"}
	errLong     = &Error{"the header is too long"}
	errTooShort = &Error{"the header is shorter than its addresses"}
)

// Header is what a proxy says about a connection.
type Header struct {
	// Src is who connected to the proxy, Dst to what. An address that is IPv4 mapped
	// into IPv6 (RFC 4291 §2.5.5.2) is given as IPv4, so that there is one form of it.
	// Both are the zero value with Local.
	Src, Dst netip.AddrPort
	// Local: no address is told, and the connection counts as the proxy's own: LOCAL
	// (its health check), UNKNOWN, an unspecified family, or a Unix socket.
	Local bool
	// Version is 1 or 2.
	Version uint8
}

// Parse reads the header at the start of b; n is its length, behind which the
// connection's own bytes begin.
//
// It gives ErrShort while b is a good but unfinished header, and *Error as soon as its
// bytes show a mistake, the same for any split of the input; n is 0 then. At most
// BinaryLenMax bytes are ever asked for. b is not kept.
func Parse(b []byte) (h Header, n int, err error) {
	switch {
	case len(b) == 0:
		return Header{}, 0, ErrShort
	case b[0] == textMark[0]:
		return parseText(b)
	case b[0] == binaryMark[0]:
		return parseBinary(b)
	}
	return Header{}, 0, errNone
}

// begins says whether b begins with mark: ErrShort while it may still.
func begins(b []byte, mark string) error {
	n := min(len(b), len(mark))
	switch {
	case string(b[:n]) != mark[:n]:
		return errNone
	case n < len(mark):
		return ErrShort
	}
	return nil
}
