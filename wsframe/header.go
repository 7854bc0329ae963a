package wsframe

import "encoding/binary"

// Opcode says what a frame carries (RFC 6455 §5.2). Four bits; 3-7 and 11-15 are reserved.
type Opcode uint8

// The opcodes of RFC 6455 §11.8.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// Control reports whether frames with this opcode are control frames (RFC 6455 §5.5).
func (op Opcode) Control() bool { return op&8 != 0 }

// reserved reports whether no standard gives this opcode a meaning (RFC 6455 §5.2).
func (op Opcode) reserved() bool { return op&7 > Binary }

// Sizes of the wire format (RFC 6455 §5.2, §5.5), in bytes.
const (
	// HeaderLenMax is the longest header: 2 + 8 (length) + 4 (masking key).
	HeaderLenMax = 14
	// ControlLenMax is the longest payload of a control frame.
	ControlLenMax = 125
)

const (
	finBit   = 0x80
	rsvBits  = 0x70
	maskBit  = 0x80
	len16    = 126 // length field: two more bytes
	len64    = 127 // length field: eight more bytes
	len16Max = 1<<16 - 1
)

// Header is a frame header (RFC 6455 §5.2).
type Header struct {
	Fin    bool
	RSV    uint8 // RSV1-RSV3 as bits 2-0; without an extension all must be 0
	Opcode Opcode
	Masked bool
	Key    [4]byte // masking key; zero if not Masked
	Len    uint64  // payload bytes, < 2^63
}

// ParseHeader reads the header that b begins with; n is its size, 2 to 14 bytes.
//
// It checks what holds in both directions and under every extension: opcodes, control frames whole
// and at most 125 bytes, the length in its shortest form and below 2^63. Whether RSV bits and the
// mask may be set is for the caller, who knows what was negotiated. Errors: ErrShort, *Error 1002.
// Source: RFC 6455 §5.2, §5.5.
func ParseHeader(b []byte) (h Header, n int, err error) {
	if len(b) < 2 {
		return Header{}, 0, ErrShort
	}
	h.Fin = b[0]&finBit != 0
	h.RSV = b[0] & rsvBits >> 4
	h.Opcode = Opcode(b[0] & 0x0F)
	h.Masked = b[1]&maskBit != 0
	if h.Opcode.reserved() {
		return Header{}, 0, errOpcode
	}
	if h.Opcode.Control() {
		if !h.Fin {
			return Header{}, 0, errControlFrag
		}
		if b[1]&^maskBit > ControlLenMax {
			return Header{}, 0, errControlLong
		}
	}
	h.Len, n, err = parseLen(b)
	if err != nil {
		return Header{}, 0, err
	}
	if h.Masked {
		if len(b) < n+4 {
			return Header{}, 0, ErrShort
		}
		h.Key = [4]byte(b[n : n+4])
		n += 4
	}
	return h, n, nil
}

// parseLen reads the payload length of the header that b (at least 2 bytes) begins with; n is the
// offset behind it. The common form, one byte, is first.
func parseLen(b []byte) (payloadLen uint64, n int, err error) {
	short := b[1] &^ maskBit
	if short < len16 {
		return uint64(short), 2, nil
	}
	if short == len16 {
		if len(b) < 4 {
			return 0, 0, ErrShort
		}
		payloadLen = uint64(binary.BigEndian.Uint16(b[2:]))
		if payloadLen < len16 {
			return 0, 0, errLongForm
		}
		return payloadLen, 4, nil
	}
	if len(b) < 10 {
		return 0, 0, ErrShort
	}
	payloadLen = binary.BigEndian.Uint64(b[2:])
	if payloadLen>>63 != 0 {
		return 0, 0, errTopBit
	}
	if payloadLen <= len16Max {
		return 0, 0, errLongForm
	}
	return payloadLen, 10, nil
}

// AppendHeader appends the header of a server's frame, final and unmasked, with n payload bytes to
// follow, and returns the longer dst. Source: RFC 6455 §5.1, §5.2.
func AppendHeader(dst []byte, op Opcode, n int) []byte {
	return appendLen(append(dst, finBit|byte(op)), 0, n)
}

// AppendClientHeader appends the header of a client's frame, masked with key, with n payload bytes
// to follow, and returns the longer dst. The caller masks the payload with Mask(payload, key, 0).
// The server never sends these; tests and the load tool do. Source: RFC 6455 §5.2, §5.3.
func AppendClientHeader(dst []byte, fin bool, op Opcode, key [4]byte, n int) []byte {
	b0 := byte(op)
	if fin {
		b0 |= finBit
	}
	dst = appendLen(append(dst, b0), maskBit, n)
	return append(dst, key[:]...)
}

// appendLen appends the second byte and the extended length in the shortest form. A negative n is
// a mistake of our own.
func appendLen(dst []byte, mask byte, n int) []byte {
	switch {
	case n < 0:
		panic("wsframe: negative payload length")
	case n < len16:
		return append(dst, mask|byte(n))
	case n <= len16Max:
		return append(dst, mask|len16, byte(n>>8), byte(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, mask|len64), uint64(n))
	}
}
