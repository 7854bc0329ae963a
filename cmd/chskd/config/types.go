package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time, written with its unit: 500ms, 10s, 1m30s, 24h; 0 needs none.
type Duration time.Duration

// String gives it as it is written: 24h, not 24h0m0s; 75s, not 1m15s.
func (d Duration) String() string {
	t := time.Duration(d)
	if t > -10*time.Minute && t < 10*time.Minute && t%time.Minute != 0 && t%time.Second == 0 || t == 0 {
		return strconv.FormatInt(int64(t/time.Second), 10) + "s"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Ms gives it in whole milliseconds.
func (d Duration) Ms() uint32 { return uint32(time.Duration(d) / time.Millisecond) }

// Millis is a span of time in milliseconds, for the keys that Sente names so. It is written as a
// plain number, or with a unit as a [Duration].
type Millis uint32

// Duration gives it as the standard library has it.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Size is a number of bytes, written as a plain number or with a unit: 65536, 64KiB, 16MiB, 1GiB.
type Size int64

// units of sizes, the largest first.
var units = [...]struct {
	name  string
	bytes Size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// String gives it with the largest unit that divides it.
func (s Size) String() string {
	for _, u := range units[:3] {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Secret is a text that no log, error or listing shows. The zero value is the absent one.
type Secret struct{ text string }

// hidden is what is shown in place of a secret.
const hidden = "***"

// Reveal gives the text itself.
func (s Secret) Reveal() string { return s.text }

// String gives *** in place of the text, and nothing when there is none.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return hidden
}

// Format keeps every verb of fmt, %#v and %x too, from showing the text.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText keeps encoders from showing the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps logs from showing the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Where the token of a request may be.
const (
	FromAuthorization = "authorization" // Authorization: Bearer TOKEN
	FromCookie        = "cookie"        // the cookie Name
	FromQuery         = "query"         // the parameter Name of the query
	FromProtocol      = "protocol"      // an entry of Sec-WebSocket-Protocol
)

// TokenPlace is a place of a request that may hold a token.
type TokenPlace struct {
	Kind string // one of the From constants
	Name string // with FromCookie and FromQuery
}

// String gives it as it is written: authorization, cookie:NAME.
func (p TokenPlace) String() string {
	if p.Name == "" {
		return p.Kind
	}
	return p.Kind + ":" + p.Name
}

// HookURL is where the hook answers. The zero value is none.
type HookURL struct {
	Socket string // path of a Unix socket; "" = URL says where to connect
	URL    string // http or https://host[:port]/path; with Socket the host is "unix"
}

// String gives it as it is written.
func (u HookURL) String() string {
	if u.Socket == "" {
		return u.URL
	}
	return "unix:" + u.Socket + ":" + strings.TrimPrefix(u.URL, "http://unix")
}

// parseDuration reads a Duration.
func parseDuration(text string) (Duration, bool) {
	d, err := time.ParseDuration(text)
	return Duration(d), err == nil
}

// parseMillis reads a Millis. What is finer than a millisecond is no answer to a question in them.
func parseMillis(text string) (Millis, bool) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return Millis(n), true
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d%time.Millisecond != 0 || d/time.Millisecond > 1<<32-1 {
		return 0, false
	}
	return Millis(d / time.Millisecond), true
}

// parseSize reads a Size.
func parseSize(text string) (Size, bool) {
	unit := Size(1)
	for _, u := range units {
		if number, has := strings.CutSuffix(text, u.name); has {
			text, unit = strings.TrimRight(number, " "), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/int64(unit) {
		return 0, false
	}
	return Size(n) * unit, true
}

// parsePrefix reads an address or a prefix. why tells what is wrong with one that nearly is.
func parsePrefix(text string) (p netip.Prefix, why string, ok bool) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), "", true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, "", false
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, "it covers more than IPv4 addresses", false
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return p, "the address goes on behind the prefix", false
	}
	return p, "", true
}

// parsePlace reads a TokenPlace.
func parsePlace(text string) (TokenPlace, bool) {
	kind, name, named := strings.Cut(text, ":")
	p := TokenPlace{Kind: kind, Name: name}
	switch kind {
	case FromAuthorization, FromProtocol:
		return p, !named
	case FromCookie:
		return p, isToken(name)
	case FromQuery:
		return p, name != "" && url.QueryEscape(name) == name
	}
	return p, false
}

// parseHook reads a HookURL: http://host[:port]/path, the same with https, or
// unix:/path/of.sock:/path.
func parseHook(text string) (HookURL, bool) {
	if rest, unix := strings.CutPrefix(text, "unix:"); unix {
		socket, path, ok := strings.Cut(rest, ":")
		u, err := url.Parse("http://unix" + path)
		ok = ok && err == nil && strings.HasPrefix(path, "/") && u.Fragment == "" &&
			strings.HasPrefix(socket, "/") && len(socket) > 1 && len(socket) <= 107
		return HookURL{Socket: socket, URL: "http://unix" + path}, ok
	}
	return HookURL{URL: text}, isURL(text, "http", "https")
}

// isURL says whether text is an absolute URL of one of the schemes, without user and fragment.
func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return !strings.ContainsAny(text, " \t\r\n")
		}
	}
	return false
}

// isToken says whether text may name a field or a cookie (RFC 9110 §5.6.2).
func isToken(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return text != ""
}
