package wsframe

import "unicode/utf8"

// reasonLenMax is what a control frame leaves for the reason behind the code, in bytes.
const reasonLenMax = ControlLenMax - 2

// ValidCode reports whether a close frame may carry code (RFC 6455 §7.4): 1000-1003 and 1007-1011
// of §7.4.1, the registered 1012-1014 (IANA: service restart, try again later, bad gateway), and
// 3000-4999 of §7.4.2. 1004 has no meaning; 1005, 1006 and 1015 are never sent.
func ValidCode(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}

// ParseClose reads the unmasked payload of a close frame: a big-endian code and a UTF-8 reason, or
// nothing, which is code 0. The reason is a slice of payload. Errors: *Error 1002 for a payload of
// one byte and for codes that ValidCode refuses, 1007 for a reason that is not UTF-8.
// Source: RFC 6455 §5.5.1, §7.4.
func ParseClose(payload []byte) (code uint16, reason []byte, err error) {
	switch len(payload) {
	case 0:
		return 0, nil, nil
	case 1:
		return 0, nil, errCloseLen
	}
	code = uint16(payload[0])<<8 | uint16(payload[1])
	reason = payload[2:]
	if !ValidCode(code) {
		return 0, nil, errCloseCode
	}
	if !utf8.Valid(reason) {
		return 0, nil, errCloseUTF8
	}
	return code, reason, nil
}

// AppendClose appends a whole close frame of a server and returns the longer dst. Code 0 gives an
// empty payload, and no reason; another code that ValidCode refuses is a mistake of our own and
// panics. The reason is cut, at the end of a character, to the 123 bytes that fit, and before its
// first byte that is not UTF-8. Source: RFC 6455 §5.5.1.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	if code == 0 {
		return AppendHeader(dst, Close, 0)
	}
	if !ValidCode(code) {
		panic("wsframe: close code that must not be sent")
	}
	reason = reason[:reasonLen(reason)]
	dst = AppendHeader(dst, Close, 2+len(reason))
	dst = append(dst, byte(code>>8), byte(code))
	return append(dst, reason...)
}

// reasonLen returns how much of reason can be sent.
func reasonLen(reason string) int {
	n := 0
	for n < len(reason) {
		r, size := utf8.DecodeRuneInString(reason[n:])
		if r == utf8.RuneError && size == 1 || n+size > reasonLenMax {
			break
		}
		n += size
	}
	return n
}
