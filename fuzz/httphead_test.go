package fuzz_test

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

// headMax is the longest head in this target: short enough that it is met often.
const headMax = 600

// FuzzHTTPHead gives httpmin.ParseHead arbitrary bytes, and a head spliced together from parts that
// are good and bad alone or together. Every beginning must be short or give what the whole gives;
// the verdict must be that of headNaive; and what is accepted must be read alike by net/http, if
// that reads it: two readers that differ are a smuggled request.
func FuzzHTTPHead(f *testing.F) {
	for i, seed := range headSeeds {
		f.Add([]byte(seed), uint64(i))
	}
	for i, in := range streamCases {
		f.Add([]byte(in), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		if len(in) <= 2*headMax {
			headCheck(t, in)
		}
		headCheck(t, headSplice(rand.New(rand.NewPCG(seed, 9110)), in))
	})
}

// headCheck makes all comparisons for one input.
func headCheck(t *testing.T, in []byte) {
	t.Helper()
	var h httpmin.Head
	n, err := httpmin.ParseHead(in, headMax, &h)
	headCheckSplits(t, in, n, err)
	if end := headNaive(string(in)); (err == nil) != (end > 0) || end > 0 && n != end {
		t.Fatalf("%q\n n %d, err %v; the naive reader says %d", in, n, err, end)
	}
	if err == nil {
		headCompare(t, in[:n], &h)
	}
}

// headParts are what headSplice chooses from: request lines, fields, values, line ends.
var headParts = [4][]string{
	{"GET / HTTP/1.1", "POST /a%2fb?c=%zz HTTP/1.1", "GET / HTTP/1.0", "OPTIONS * HTTP/1.1",
		"GET http://x/ HTTP/1.1", "GET https://X:80?a HTTP/1.0", "GET http://[::1]/ HTTP/1.1",
		"\r\nGET /?{}[]|^` HTTP/1.1", "GET * HTTP/1.1", "GET /%2 HTTP/1.1", "GET  / HTTP/1.1"},
	{"Host: ", "host:\t", "Content-Length: ", "Transfer-Encoding: ", "CONNECTION: ", "Expect: ",
		"Origin: ", "a: ", "A: ", "Upgrade:", " b: ", "c : ", "Referer: ", "X-Forwarded-For: "},
	{"x", "X:80 ", "[::1]", "5", "005", "5,5", "+5", "chunked", "gzip, chunked", "Chunked \t",
		"close", "keep-alive, upgrade", "100-Continue", "http://x", "", "a\tb", "\x80\xff", "\x00",
		"x y"},
	{"\n", "\r", "\r\r\n", "\r\n ", "\r\n\r\n", ""},
}

// headSplice joins parts at random: mostly a head with few faults. in is one of the values.
func headSplice(rnd *rand.Rand, in []byte) []byte {
	pick := func(kind int) string { return headParts[kind][rnd.IntN(len(headParts[kind]))] }
	end := func() string {
		if rnd.IntN(40) == 0 {
			return pick(3)
		}
		return "\r\n"
	}
	out := pick(0) + end()
	if rnd.IntN(8) > 0 {
		out += "Host: " + headParts[2][rnd.IntN(3)] + end()
	}
	for range rnd.IntN(5) {
		value := pick(2)
		if rnd.IntN(8) == 0 {
			value = string(in[:min(len(in), 20)])
		}
		out += pick(1) + value + end()
	}
	return []byte(out + end() + "GET /")
}

var headSeeds = []string{
	"GET /chsk?udt=1&client-id=35cef210-c2fc-40b4-8542-8300a4a31f8e&handshake%3F=1 HTTP/1.1\r\n" +
		"Host: 127.0.0.1:19019\r\nConnection: keep-alive\r\nx-csrf-token: tok+1/2=3\r\n" +
		"Accept: */*\r\nReferer: http://127.0.0.1:19019/\r\n\r\n",
	"GET /chsk?client-id=a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Origin: http://x\r\n\r\n",
	"POST /chsk HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
	"POST / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\n\r\n0\r\n\r\n",
	"\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET http://x:1/a?b HTTP/1.1\r\nHost: x:1\r\n\r\n",
	"GET https://[1::8]?q HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
	"GET / HTTP/1.0\r\n\r\n",
	"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n",
	"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n c\r\n\r\n",
	"GET / HTTP/1.1\nHost: x\n\n",
	"GET /a#b HTTP/1.1\r\nHost: u@x\r\nA: \x00\x7f\xff\r\n\r\n",
}

// headCheckSplits parses every beginning of in.
func headCheckSplits(t *testing.T, in []byte, n int, err error) {
	decided := false
	for k := range len(in) + 1 {
		var part httpmin.Head
		m, partErr := httpmin.ParseHead(in[:k], headMax, &part)
		if partErr == httpmin.ErrShort && !decided && (err != nil || k < n) {
			continue
		}
		decided = true
		if m != n || partErr != err || err == nil && k < n {
			t.Fatalf("%q\n after %d bytes: n %d, err %v; whole: n %d, err %v", in, k, m, partErr, n, err)
		}
	}
}

// The grammar of RFC 9112, RFC 9110 and RFC 3986, as far as it is accepted.
var (
	headRequestLine = regexp.MustCompile(
		`^(GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|PATCH) ([!$-;=?-~]+) HTTP/1\.([01])$`)
	headPath = regexp.MustCompile(
		`^((?i:https?)://[^/?]+)?(/(?:[-._~!$&'()*+,;=:@/0-9A-Za-z]|%[0-9A-Fa-f]{2})*)?(\?.*)?$`)
	headHost = regexp.MustCompile(
		`^(?:\[([0-9A-Fa-f:.]+)\]|(?:[-._~!$&'()*+;=0-9A-Za-z]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?$`)
	headField = regexp.MustCompile(
		"^([-!#$%&'*+.^_`|~0-9A-Za-z]+):[ \t]*((?s:[^\x00-\x08\x0a-\x1f\x7f])*?)[ \t]*$")
	headDigits = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)
)

// headOnce are the fields of which a second one is refused.
var headOnce = []string{
	"host", "content-length", "transfer-encoding", "origin", "referer", "content-type",
	"x-csrf-token", "x-xsrf-token", "cookie", "authorization", "sec-websocket-key",
	"sec-websocket-version", "access-control-request-method",
}

// headNaive gives the length of the good head at the start of in, 0 if there is none: by splitting
// into lines and matching each, with no thought of speed or of incomplete input.
func headNaive(in string) int {
	skipped := 0
	for skipped < 4 && strings.HasPrefix(in[2*skipped:], "\r\n") {
		skipped++
	}
	head, _, found := strings.Cut(in[2*skipped:], "\r\n\r\n")
	end := 2*skipped + len(head) + 4
	lines := strings.Split(head, "\r\n")
	line := headRequestLine.FindStringSubmatch(lines[0])
	if !found || end > headMax || line == nil || len(lines) > 101 {
		return 0
	}
	fields := map[string][]string{}
	for _, l := range lines[1:] {
		m := headField.FindStringSubmatch(l)
		if m == nil {
			return 0
		}
		name := strings.ToLower(m[1])
		fields[name] = append(fields[name], m[2])
	}
	for _, name := range headOnce {
		if len(fields[name]) > 1 {
			return 0
		}
	}
	if !headNaiveTarget(line[1], line[2], line[3], fields["host"]) || !headNaiveBody(line[3], fields) {
		return 0
	}
	return end
}

// headNaiveTarget checks target and Host, and that they agree.
func headNaiveTarget(method, target, minor string, host []string) bool {
	if len(host) == 1 && !headNaiveHost(host[0]) || len(host) == 0 && minor == "1" {
		return false
	}
	if target == "*" {
		return method == "OPTIONS"
	}
	m := headPath.FindStringSubmatch(target)
	if m == nil || m[1] == "" && m[2] == "" {
		return false
	}
	if m[1] == "" {
		return true
	}
	_, authority, _ := strings.Cut(m[1], "://")
	return headNaiveHost(authority) && (len(host) == 0 || strings.EqualFold(authority, host[0]))
}

// headNaiveHost checks one host and port; brackets hold what net/netip takes for IPv6.
func headNaiveHost(host string) bool {
	m := headHost.FindStringSubmatch(host)
	if m == nil {
		return false
	}
	if port, err := strconv.Atoi(m[2]); err == nil && port > 65535 {
		return false
	}
	return m[1] == "" || headIsIPv6(m[1])
}

// headNaiveBody checks what announces a body.
func headNaiveBody(minor string, fields map[string][]string) bool {
	length, coding := fields["content-length"], fields["transfer-encoding"]
	switch {
	case len(length) > 0 && len(coding) > 0:
		return false
	case len(length) > 0 && !headDigits.MatchString(length[0]):
		return false
	case len(length) > 0 && len(length[0]) == 16 && length[0] > "9007199254740992":
		return false
	case len(coding) > 0 && (!headFold(coding[0], "chunked") || minor == "0"):
		return false
	}
	for _, expect := range fields["expect"] {
		if !headFold(expect, "100-continue") {
			return false
		}
	}
	return true
}

// headFold says whether s is lower but for the case of its letters: those of ASCII, among which
// the Kelvin sign is none.
func headFold(s, lower string) bool {
	return len(s) == len(lower) && strings.EqualFold(s, lower)
}

// headCompare checks h against what net/http reads.
func headCompare(t *testing.T, in []byte, h *httpmin.Head) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.TrimLeft(in, "\r\n"))))
	if err != nil {
		return // it refuses some targets and hosts that RFC 3986 has; headNaive has checked them
	}
	// The body is announced alike, or the next request would begin elsewhere.
	chunked := len(r.TransferEncoding) == 1 && r.TransferEncoding[0] == "chunked"
	length := max(h.ContentLength, 0)
	if chunked != h.Chunked || !chunked && r.ContentLength != length {
		t.Fatalf("%q\n length %d, chunked %v; net/http: %d, %v",
			in, h.ContentLength, h.Chunked, r.ContentLength, r.TransferEncoding)
	}
	if r.Method != string(h.Method) || r.RequestURI != string(h.Target) || r.ProtoMinor != h.Minor {
		t.Fatalf("%q\n request line read as %q %q 1.%d", in, h.Method, h.Target, h.Minor)
	}
	if !strings.EqualFold(r.Host, string(h.Host)) {
		t.Fatalf("%q\n Host %q; net/http: %q", in, h.Host, r.Host)
	}
	for name, got := range map[string][]byte{
		"Origin": h.Origin, "Referer": h.Referer, "X-Csrf-Token": h.CSRFToken, "Cookie": h.Cookie,
		"Content-Type": h.ContentType, "Sec-Websocket-Key": h.WSKey,
		"Accept": h.Get("aCCEPT"), "A": h.Get("a"),
	} {
		want := r.Header[name]
		if (got == nil) != (len(want) == 0) || got != nil && want[0] != string(got) {
			t.Fatalf("%q\n %s: %q; net/http: %q", in, name, got, want)
		}
	}
}

// headIsIPv6 says whether net/netip takes s for an IPv6 address.
func headIsIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}
