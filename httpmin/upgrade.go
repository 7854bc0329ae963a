package httpmin

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
)

// CheckUpgrade says why h, whose Upgrade is true, cannot be answered with 101
// (RFC 6455 §4.2.1): nil, or 400, or 426 when it asks for another version than
// 13, to be answered with Response.WSVersion set. Host was checked by ParseHead.
// A body is refused: what follows the head could be read as body or as frames.
func CheckUpgrade(h *Head) *Error {
	switch {
	case !h.Upgrade:
		return errNoUpgrade
	case string(h.Method) != "GET":
		return errUpgradeMethod
	case h.Minor != 1:
		return errUpgradeHTTP0
	case string(h.WSVersion) != "13":
		return errUpgradeVersion
	case !validKey(h.WSKey):
		return errUpgradeKey
	case h.Chunked || h.ContentLength > 0:
		return errUpgradeBody
	}
	return nil
}

// validKey says whether key is the base64 of 16 bytes: 22 characters and "==".
// The four bits that the last character has too many may be anything.
func validKey(key []byte) bool {
	return len(key) == 24 && every(key[:22], base64Char) && string(key[22:]) == "=="
}

// AppendUpgrade appends the whole 101 response for the key of a head that
// CheckUpgrade let pass, without extensions (RFC 6455 §4.2.2). Protocol is the
// subprotocol that was chosen among those that were offered; nil = none. The first
// frame may follow at once.
func AppendUpgrade(dst, key, protocol []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = appendAccept(dst, key)
	if len(protocol) > 0 {
		dst = append(dst, "\r\nSec-WebSocket-Protocol: "...)
		dst = append(dst, protocol...)
	}
	return append(dst, "\r\n\r\n"...)
}

// NextProtocol gives the next subprotocol that Sec-WebSocket-Protocol offers, and the
// rest of the list (RFC 6455 §11.3.4). What is no token is passed over: it must not
// be sent back. Nil = there is none left.
func NextProtocol(list []byte) (protocol, rest []byte) {
	for len(list) > 0 {
		n := bytes.IndexByte(list, ',')
		entry := list
		if list = nil; n >= 0 {
			entry, list = entry[:n], entry[n+1:]
		}
		if entry = trim(entry); len(entry) > 0 && skip(entry, 0, token) == len(entry) {
			return entry, list
		}
	}
	return nil, nil
}

// appendAccept appends base64(SHA-1(key + GUID)), 28 bytes (RFC 6455 §1.3).
func appendAccept(dst, key []byte) []byte {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	var in [24 + len(guid)]byte
	sum := sha1.Sum(append(append(in[:0], key...), guid...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}
