package httpmin

import "bytes"

// The paths that are no slice of the input.
var slash = []byte("/")

// splitTarget finds path, query and host in the target (RFC 9112 §3.2). The
// four forms: origin "/path?query", absolute "http://host/path?query",
// asterisk "*" for OPTIONS alone; authority "host:port" is only for CONNECT,
// which never gets here.
func (h *Head) splitTarget() error {
	switch {
	case h.Target[0] == '/':
		return h.splitPath(h.Target)
	case h.Target[0] == '*':
		if len(h.Target) != 1 || string(h.Method) != "OPTIONS" {
			return errTargetForm
		}
		h.Path = h.Target
		return nil
	}
	rest := afterScheme(h.Target)
	if rest == nil {
		return errTargetForm
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	// User information before an "@" is refused with the rest (RFC 9110 §4.2.4).
	if !validHost(rest[:end]) {
		return errTargetForm
	}
	h.Host = rest[:end:end]
	return h.splitPath(rest[end:])
}

// afterScheme gives what follows "http://" or "https://", nil for others.
func afterScheme(b []byte) []byte {
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(b) > len(scheme) && sameName(b[:len(scheme)], scheme) {
			return b[len(scheme):]
		}
	}
	return nil
}

// splitPath splits "path?query"; an absolute target may have no path.
func (h *Head) splitPath(b []byte) error {
	h.Path = b
	if q := bytes.IndexByte(b, '?'); q >= 0 {
		h.Path, h.RawQuery = b[:q:q], b[q+1:]
	}
	if len(h.Path) == 0 {
		h.Path = slash
	}
	if !every(h.Path, pathChar) || !validEscapes(h.Path) {
		return errTarget
	}
	return nil
}

// validEscapes says whether every "%" is followed by two hex digits.
func validEscapes(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '%')
		if i < 0 {
			return true
		}
		if i+2 >= len(b) || !every(b[i+1:i+3], hexDigit) {
			return false
		}
		b = b[i+3:]
	}
}
