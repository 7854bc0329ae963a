package bench

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of RFC 6455 §5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const (
	headLenMax    = 16 << 10 // bytes of a response head; RFC 9112 names no limit, browsers use more
	messageLenMax = 1 << 20  // bytes of one message from the server: far over what a run asks for
	controlLenMax = 125      // RFC 6455 §5.5
)

// errShort asks for more bytes.
var errShort = errors.New("bench: short")

// frame is one frame from the server; payload is a slice of the parsed bytes.
type frame struct {
	fin     bool
	op      byte
	payload []byte
}

// parseFrame reads the frame at the start of b and says how many bytes it has. A frame that a
// server must not send (RFC 6455 §5.1, §5.2, §5.5) is an error as soon as its header shows it.
func parseFrame(b []byte) (f frame, n int, err error) {
	if len(b) < 2 {
		return f, 0, errShort
	}
	f.fin, f.op = b[0]&0x80 != 0, b[0]&0x0f
	if err := checkFrame(b[0], b[1]); err != nil {
		return f, 0, err
	}
	payloadLen, n := uint64(b[1]&0x7f), 2
	switch payloadLen {
	case 126:
		if len(b) < 4 {
			return f, 0, errShort
		}
		payloadLen, n = uint64(binary.BigEndian.Uint16(b[2:])), 4
		if payloadLen < 126 {
			return f, 0, errors.New("frame length is not in its shortest form")
		}
	case 127:
		if len(b) < 10 {
			return f, 0, errShort
		}
		payloadLen, n = binary.BigEndian.Uint64(b[2:]), 10
		if payloadLen <= 0xffff {
			return f, 0, errors.New("frame length is not in its shortest form")
		}
	}
	if payloadLen > messageLenMax {
		return f, 0, fmt.Errorf("frame of %d bytes is over the limit of %d", payloadLen, messageLenMax)
	}
	if uint64(len(b)-n) < payloadLen {
		return f, 0, errShort
	}
	f.payload = b[n : n+int(payloadLen)]
	return f, n + int(payloadLen), nil
}

// checkFrame judges the first two bytes of a frame from the server.
func checkFrame(first, second byte) error {
	op := first & 0x0f
	switch {
	case first&0x70 != 0:
		return errors.New("frame with RSV bits, but no extension was agreed on")
	case second&0x80 != 0:
		return errors.New("frame from the server is masked")
	case op > opPong || op > opBinary && op < opClose:
		return fmt.Errorf("frame with reserved opcode %d", op)
	case op >= opClose && first&0x80 == 0:
		return errors.New("fragmented control frame")
	case op >= opClose && second&0x7f > controlLenMax:
		return errors.New("control frame over 125 bytes")
	}
	return nil
}

// appendFrame appends a whole client frame, masked with key as RFC 6455 §5.3 asks. The payload is
// at most 65,535 bytes: clients of a run send small messages.
func appendFrame(dst []byte, op byte, key uint32, payload []byte) []byte {
	if len(payload) > 0xffff {
		panic("bench: client frame over 65535 bytes")
	}
	dst = append(dst, 0x80|op)
	if len(payload) < 126 {
		dst = append(dst, 0x80|byte(len(payload)))
	} else {
		dst = append(dst, 0x80|126, byte(len(payload)>>8), byte(len(payload)))
	}
	dst = binary.LittleEndian.AppendUint32(dst, key)
	start := len(dst)
	dst = append(dst, payload...)
	mask(dst[start:], key)
	return dst
}

// mask applies the four bytes of key (the first in the low bits) over b, eight at a time.
func mask(b []byte, key uint32) {
	wide := uint64(key) | uint64(key)<<32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(wide >> (8 * i))
	}
}

// acceptKey is the Sec-WebSocket-Accept of a key (RFC 6455 §4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// parseUpgrade reads the response head at the start of b, which must agree to the upgrade with the
// expected accept value, and says how many bytes it has. Whatever follows it are frames.
func parseUpgrade(b []byte, accept string) (n int, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, noHead(b)
	}
	line, headers, _ := bytes.Cut(b[:end+2], []byte("\r\n"))
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 101")) {
		return 0, fmt.Errorf("upgrade refused: %s: %q", clip(line), clip(b[end+4:]))
	}
	for len(headers) > 0 {
		line, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("sec-websocket-accept")) {
			if string(bytes.TrimSpace(value)) != accept {
				return 0, fmt.Errorf("wrong Sec-WebSocket-Accept %q", clip(value))
			}
			return end + 4, nil
		}
	}
	return 0, errors.New("upgrade without Sec-WebSocket-Accept")
}

// isPrefix says whether b can be the beginning of something that starts with s.
func isPrefix(b []byte, s string) bool {
	n := min(len(b), len(s))
	return string(b[:n]) == s[:n]
}

// clip shortens what is shown of a peer's bytes in an error.
func clip(b []byte) []byte {
	return b[:min(len(b), 120)]
}

// closeText describes a close frame's payload (RFC 6455 §5.5.1).
func closeText(payload []byte) string {
	if len(payload) < 2 {
		return "server closed without a code"
	}
	return fmt.Sprintf("server closed with code %d %q",
		binary.BigEndian.Uint16(payload), clip(payload[2:]))
}
