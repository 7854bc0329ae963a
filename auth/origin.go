package auth

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
)

// origins is the set of origins whose pages may talk to us. The zero value
// allows the same origin alone. Immutable after New.
type origins struct {
	all  bool
	list []string // serialized: lower case, no default port, no slash at the end
}

// newOrigins checks and normalizes the configured origins to the form in which
// browsers send them (RFC 6454 §6.2).
func newOrigins(list []string) (origins, error) {
	var o origins
	for _, s := range list {
		if s == "all" {
			if len(list) > 1 {
				return origins{}, fmt.Errorf("auth: allowed origins: %q stands alone or not at all", s)
			}
			return origins{all: true}, nil
		}
		serial, err := serialize(s)
		if err != nil {
			return origins{}, err
		}
		o.list = append(o.list, serial)
	}
	return o, nil
}

// serialize gives the one form of a configured origin.
func serialize(s string) (string, error) {
	if s == "null" {
		return s, nil // pages from files and sandboxes; to be listed knowingly
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", fmt.Errorf("auth: allowed origin %q is not scheme://host[:port]", s)
	}
	serial := strings.ToLower(u.Scheme + "://" + u.Host)
	if port := u.Port(); port == "" || port == defaultPort([]byte(strings.ToLower(u.Scheme))) {
		serial = strings.TrimSuffix(serial, ":"+port)
	}
	return serial, nil
}

// allow says whether r comes from an allowed page, or from no page.
//
// With a list this is Sente's rule: Origin is in it; without an Origin (a poll
// of a page of the same origin has none) Referer begins with one of it and a
// slash; with neither the request is refused.
//
// Without a list it must be the same origin, by Origin, else by Referer; with
// neither it comes from a program, not from a page, and may pass.
func (o *origins) allow(r *Request) bool {
	if o.all {
		return true
	}
	if o.list == nil {
		return sameOrigin(r)
	}
	for _, allowed := range o.list {
		if r.Origin != nil {
			if string(r.Origin) == allowed {
				return true
			}
			continue
		}
		if n := len(allowed); len(r.Referer) > n && string(r.Referer[:n]) == allowed &&
			r.Referer[n] == '/' {
			return true
		}
	}
	return false
}

// names says whether the origin is in the list itself.
func (o *origins) names(origin []byte) bool {
	for _, allowed := range o.list {
		if string(origin) == allowed {
			return true
		}
	}
	return false
}

// sameOrigin compares the page's host and port with Host. The scheme is not
// compared, since TLS may end in front of us; it only gives the default port.
func sameOrigin(r *Request) bool {
	page := r.Origin
	if page == nil {
		page = r.Referer
	}
	if page == nil {
		return true
	}
	scheme, rest, ok := bytes.Cut(page, []byte("://"))
	if !ok {
		return false // "null", or nothing that we know
	}
	port := defaultPort(scheme)
	if port == "" {
		return false
	}
	if end := bytes.IndexAny(rest, "/?#"); end >= 0 {
		if r.Origin != nil {
			return false // an Origin has no path
		}
		rest = rest[:end]
	}
	hostPort := port
	if r.TLS {
		hostPort = "443"
	}
	return sameHost(rest, port, r.Host, hostPort)
}

// sameHost compares two host[:port], each with the port that it means if it
// names none.
func sameHost(a []byte, aPort string, b []byte, bPort string) bool {
	aHost, aNamed := splitPort(a)
	bHost, bNamed := splitPort(b)
	if len(aHost) == 0 || !sameName(aHost, bHost) {
		return false
	}
	switch {
	case len(aNamed) > 0 && len(bNamed) > 0:
		return bytes.Equal(aNamed, bNamed)
	case len(aNamed) > 0:
		return string(aNamed) == bPort
	case len(bNamed) > 0:
		return string(bNamed) == aPort
	}
	return aPort == bPort
}

// sameName compares two host names; ASCII letters match in both cases, others
// as they are (Unicode folding would find a Kelvin sign to be a k).
func sameName(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// splitPort splits host[:port]. The host may be a bracketed IPv6 address, whose
// colons are its own.
func splitPort(b []byte) (host, port []byte) {
	colon := bytes.LastIndexByte(b, ':')
	if colon < 0 || bytes.IndexByte(b[colon:], ']') >= 0 {
		return b, nil
	}
	return b[:colon], b[colon+1:]
}

// defaultPort gives the port that a scheme means; "" for schemes that no page
// of ours can have. Browsers write schemes in lower case.
func defaultPort(scheme []byte) string {
	switch string(scheme) {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// localHost says whether Host can be a name of this machine that no page of
// another can be of the same origin as: an address, localhost and what is below
// it (RFC 6761 §6.3), or a name without a dot. In DNS rebinding the name of the
// page comes to point at us, so it is one that DNS has. nil is a program's.
func localHost(host []byte) bool {
	name, _ := splitPort(host)
	name = bytes.TrimSuffix(name, []byte("."))
	if bytes.IndexByte(name, '.') < 0 || name[0] == '[' {
		return true
	}
	const below = ".localhost"
	if n := len(name) - len(below); n > 0 && sameName(name[n:], []byte(below)) {
		return true
	}
	for _, b := range name {
		if b != '.' && (b < '0' || b > '9') {
			return false
		}
	}
	return true // an IPv4 address: DNS has no top level of digits
}
