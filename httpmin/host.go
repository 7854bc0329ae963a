package httpmin

import "bytes"

// validHost says whether b is uri-host [":" port] (RFC 9110 §7.2) with a host
// that is not empty, as http URIs need (RFC 9110 §4.2.1). A bracketed host must
// be an IPv6 address; the IPvFuture form has no user.
func validHost(b []byte) bool {
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		return end > 0 && validIPv6(b[1:end]) && validPort(b[end+1:])
	}
	end := skip(b, 0, hostChar)
	return end > 0 && validEscapes(b[:end]) && validPort(b[end:])
}

// validPort says whether b is empty or ":" and a port, which may be empty too.
func validPort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' || len(b) > len(":65535") || !every(b[1:], digit) {
		return false
	}
	port := 0
	for _, c := range b[1:] {
		port = port*10 + int(c-'0')
	}
	return port <= 65535
}

// validIPv6 says whether b is an IPv6address (RFC 3986 §3.2.2): eight groups of
// one to four hex digits, one "::" for at least one group left out, and an IPv4
// address in place of the last two.
func validIPv6(b []byte) bool {
	groups, gap := 0, false
	if bytes.HasPrefix(b, []byte("::")) {
		gap, b = true, b[2:]
	}
	for len(b) > 0 {
		n := skip(b, 0, hexDigit)
		if n < len(b) && b[n] == '.' {
			groups += 2
			return validIPv4(b) && groups <= 8 && gap == (groups < 8)
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		b = b[n:]
		switch {
		case len(b) == 0:
		case b[0] != ':' || len(b) == 1:
			return false
		case b[1] == ':':
			if gap {
				return false
			}
			gap, b = true, b[2:]
		default:
			b = b[1:]
		}
	}
	return groups <= 8 && gap == (groups < 8)
}

// validIPv4 says whether b is four decimal octets (RFC 3986 §3.2.2).
func validIPv4(b []byte) bool {
	for octet := 0; octet < 4; octet++ {
		n := skip(b, 0, digit)
		if n == 0 || n > 3 || n > 1 && b[0] == '0' || n == 3 && string(b[:3]) > "255" {
			return false
		}
		b = b[n:]
		if octet < 3 {
			if len(b) == 0 || b[0] != '.' {
				return false
			}
			b = b[1:]
		}
	}
	return len(b) == 0
}
