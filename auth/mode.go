package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode is where the uid of a request comes from.
type Mode uint8

const (
	// Client makes the client-id the uid: a user per tab. The client chooses it,
	// so it proves nothing: for local use.
	Client Mode = iota
	// Anonymous gives no request a uid: all are Sente's nil uid.
	Anonymous
	// Dev takes the uid from a parameter of the request, else the client-id. For
	// development.
	Dev
	// JWT takes the uid from a signed token. It applies to requests that have one
	// where it is looked for.
	JWT
	// Header takes the uid from a field that a trusted proxy sets. It applies to
	// requests that a trusted proxy passes on with that field, not empty.
	Header
	// Hook asks the application.
	Hook
)

// modes are the names of the modes, as flags and files give them.
var modes = [...]string{Client: "client", Anonymous: "anonymous", Dev: "dev",
	JWT: "jwt", Header: "header", Hook: "hook"}

// String gives the name of the mode, as ParseMode takes it.
func (m Mode) String() string {
	if int(m) < len(modes) {
		return modes[m]
	}
	return fmt.Sprintf("auth.Mode(%d)", uint8(m))
}

// ParseMode gives the mode with this name.
func ParseMode(name string) (Mode, error) {
	for m, s := range modes {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("auth: no mode %q: write jwt, header, hook, client, anonymous or dev", name)
}

// always says whether the mode applies to every request, so that no mode after it
// is ever asked.
func (m Mode) always() bool { return m != JWT && m != Header }

// checkChain refuses a chain in which a mode is never asked.
func checkChain(chain []Mode) error {
	for i, m := range chain {
		if int(m) >= len(modes) {
			return fmt.Errorf("auth: no mode %d", m)
		}
		if slices.Contains(chain[:i], m) {
			return fmt.Errorf("auth: %s is there twice: write [%s]", m, names(unique(chain)))
		}
		if m.always() && i < len(chain)-1 {
			return chainError(chain, m)
		}
	}
	return nil
}

// chainError tells of m, which applies to every request and is not the last.
func chainError(chain []Mode, m Mode) error {
	var first, last []Mode
	for _, o := range unique(chain) {
		if o.always() {
			last = append(last, o)
		} else {
			first = append(first, o)
		}
	}
	if len(last) == 1 {
		return fmt.Errorf("auth: %s decides every request that gets to it, so nothing after it is "+
			"ever asked: write [%s]", m, names(append(first, m)))
	}
	var ways []string
	for _, o := range last {
		ways = append(ways, "["+names(append(slices.Clone(first), o))+"]")
	}
	return fmt.Errorf("auth: %s each decide every request that gets to them, so there is one of them, "+
		"at the end: write %s", strings.ReplaceAll(names(last), ", ", " and "), strings.Join(ways, " or "))
}

func unique(chain []Mode) (out []Mode) {
	for _, m := range chain {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

func names(chain []Mode) string {
	var s []string
	for _, m := range chain {
		s = append(s, m.String())
	}
	return strings.Join(s, ", ")
}

// checkFields refuses names that are not those of a field, or of one that clients
// or proxies send for something else.
func checkFields(c *Config, asked bool) error {
	if asked && c.UserField == "" {
		return errors.New("auth: mode header needs header.uid: write the name of the field " +
			"in which your proxy says who it is, as X-Forwarded-User")
	}
	for _, f := range [...]struct{ key, name string }{
		{"header.uid", c.UserField}, {"header.tenant", c.TenantField}} {
		if f.name == "" {
			continue
		}
		if !isToken(f.name) {
			return fmt.Errorf("auth: %s %q is not the name of a field: write one as X-Forwarded-User", f.key, f.name)
		}
		if slices.Contains(taken, strings.ToLower(f.name)) {
			return fmt.Errorf("auth: %s %q has a meaning of its own: write the name of a field that only "+
				"your proxy sets, as X-Forwarded-User", f.key, f.name)
		}
	}
	if c.UserField != "" && strings.EqualFold(c.UserField, c.TenantField) {
		return fmt.Errorf("auth: header.uid and header.tenant are both %q: write two fields, "+
			"or leave header.tenant out", c.UserField)
	}
	return nil
}

// taken are fields that cannot say who somebody is.
var taken = []string{"host", "cookie", "authorization", "origin", "referer", "connection", "upgrade",
	"content-length", "content-type", "transfer-encoding", "forwarded", "x-forwarded-for",
	"x-csrf-token", "x-xsrf-token", "sec-fetch-site", "sec-websocket-key", "sec-websocket-version",
	"sec-websocket-protocol", "sec-websocket-extensions", "user-agent"}

// isToken says whether s is an RFC 9110 §5.6.2 token.
func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= lower(c) && lower(c) <= 'z':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
