package httpmin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

const headMax = 16 << 10

// status gives the status of a refusal, 0 for none, -1 for ErrShort.
func status(t testing.TB, err error) int {
	t.Helper()
	var refusal *httpmin.Error
	switch {
	case err == nil:
		return 0
	case err == httpmin.ErrShort:
		return -1
	case errors.As(err, &refusal):
		return refusal.Status
	}
	t.Fatalf("error %v is neither ErrShort nor *Error", err)
	return 0
}

// parseSplit parses in, and every beginning of it: a beginning may only be
// short or give what the whole gives, and once it is not short it stays so.
func parseSplit(t testing.TB, in string, max int, h *httpmin.Head) (int, error) {
	t.Helper()
	n, err := httpmin.ParseHead([]byte(in), max, h)
	want := fmt.Sprintf("%+v", *h)
	decided := false
	for k := 0; k <= len(in); k++ {
		var part httpmin.Head
		m, partErr := httpmin.ParseHead([]byte(in[:k]), max, &part)
		if partErr == httpmin.ErrShort {
			if decided || err == nil && k >= n {
				t.Fatalf("%d of %d bytes: short again", k, len(in))
			}
			continue
		}
		decided = true
		if m != n || partErr != err || err == nil && fmt.Sprintf("%+v", part) != want {
			t.Fatalf("%d of %d bytes: n %d, err %v; whole: n %d, err %v",
				k, len(in), m, partErr, n, err)
		}
		if err == nil && k < n {
			t.Fatalf("%d of %d bytes: done before the head of %d bytes is", k, len(in), n)
		}
	}
	return n, err
}

// get is a request line and Host, to which cases add field lines.
const get = "GET /chsk HTTP/1.1\r\nHost: x\r\n"

var headCases = []struct {
	name, in string
	status   int // 0 = good, -1 = short
}{
	{"RFC 9112 §2.1 good", get + "\r\n", 0},
	{"RFC 9112 §2.1 no blank line yet", get, -1},
	{"RFC 9112 §2.1 nothing yet", "", -1},
	{"RFC 9112 §2.2 one empty line before", "\r\n" + get + "\r\n", 0},
	{"RFC 9112 §2.2 four empty lines before", strings.Repeat("\r\n", 4) + get + "\r\n", 0},
	{"RFC 9112 §2.2 five empty lines before", strings.Repeat("\r\n", 5) + get + "\r\n", 400},
	{"RFC 9112 §2.2 bare LF before", "\n" + get + "\r\n", 400},
	{"RFC 9112 §2.2 bare CR before", "\r" + get + "\r\n", 400},
	{"RFC 9112 §2.2 bare LF after request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.2 bare CR after request line", "GET / HTTP/1.1\rHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.2 bare LF after field", get + "A: b\nC: d\r\n\r\n", 400},
	{"RFC 9112 §2.2 bare CR in field", get + "A: b\rC: d\r\n\r\n", 400},
	{"RFC 9112 §2.2 bare LF as blank line", get + "\n", 400},
	{"RFC 9112 §2.2 bare CR as blank line", get + "\rX", 400},
	{"RFC 9112 §2.2 CR CR LF", get + "A: b\r\r\n\r\n", 400},
	{"RFC 9112 §2.2 white space before first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0},
	{"RFC 9112 §2.3 HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
	{"RFC 9112 §2.3 HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
	{"RFC 9112 §2.3 HTTP/0.9 named", "GET / HTTP/0.9\r\n\r\n", 505},
	{"RFC 9113 §3.4 HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"RFC 9112 §2.3 lower case", "GET / http/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 two digits", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 two digits before", "GET / HTTP/11.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 no minor", "GET / HTTP/1.\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 no dot", "GET / HTTP/11\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 letter", "GET / HTTP/1.x\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 comma", "GET / HTTP/1,1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 space behind", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §2.3 simple request", "GET /\r\n", 400},

	{"RFC 9112 §3 two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3 two spaces behind", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3 tab", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3 space first", " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3 space in target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.1 any token", "!#$%&' / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
	{"RFC 9112 §3.1 other case", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
	{"RFC 9112 §3.1 byte of a body before", "GPOST / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
	{"RFC 5789 §2 PATCH", "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9110 §9.3.8 TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.1 bad character", "GE(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.1 control character", "GE\x00T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.1 TLS hello on a plain port", "\x16\x03\x01\x02\x00", 400},
	{"RFC 9112 §3.1 longest method", "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.1 method too long", "OPTIONSS", 501},
	{"RFC 9110 §9.3.6 CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 501},

	{"RFC 9112 §3.2.1 query", "GET /a/b?c=d&e=%20f?/ HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.2.1 what browsers leave raw", "GET /?[]{}|\\^` HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.2.1 fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 fragment in query", "GET /a?b#c HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 quote", "GET /?a=\" HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 less than", "GET /?a=< HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 greater than", "GET /?a=> HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 DEL", "GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 NUL", "GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 not ASCII", "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 brace in path", "GET /{a} HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.1 backslash in path", "GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 3986 §2.1 bad escape in path", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 3986 §2.1 half an escape in path", "GET /%2 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 3986 §2.1 bad escape in query", "GET /?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.2.1 no slash", "GET chsk HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.2 absolute", "GET http://x/chsk?a=b HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.2.2 absolute, https", "GET HTTPS://X:1/ HTTP/1.1\r\nHost: x:1\r\n\r\n", 0},
	{"RFC 9112 §3.2.2 absolute, no path", "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.2.2 absolute, HTTP/1.0", "GET http://x/ HTTP/1.0\r\n\r\n", 0},
	{"RFC 9112 §3.2.2 absolute, IPv6", "GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
	{"RFC 9112 §3.2.2 absolute, no Host", "GET http://x/ HTTP/1.1\r\n\r\n", 400},
	{"RFC 9112 §3.2.2 absolute, other Host", "GET http://x/ HTTP/1.1\r\nHost: y\r\n\r\n", 400},
	{"RFC 9112 §3.2.2 absolute, other port", "GET http://x/ HTTP/1.1\r\nHost: x:81\r\n\r\n", 400},
	{"RFC 9112 §3.2.2 other scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9110 §4.2.1 absolute, no host", "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9110 §4.2.4 user information", "GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.3 authority", "GET x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 400},
	{"RFC 9112 §3.2.4 asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"RFC 9112 §3.2.4 asterisk, GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 §3.2.4 asterisk and more", "OPTIONS *a HTTP/1.1\r\nHost: x\r\n\r\n", 400},

	{"RFC 9112 §3.2 no Host", "GET / HTTP/1.1\r\n\r\n", 400},
	{"RFC 9112 §3.2 no Host but fields", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400},
	{"RFC 9112 §3.2 two Hosts", get + "Host: y\r\n\r\n", 400},
	{"RFC 9112 §3.2 two equal Hosts", get + "host: x\r\n\r\n", 400},
	{"RFC 9112 §3.2 two Hosts, HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400},
	{"RFC 9112 §3.2 Host with comma", "GET / HTTP/1.1\r\nHost: x,y\r\n\r\n", 400},
	{"RFC 9112 §3.2 Host with space", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400},
	{"RFC 9112 §3.2 Host with slash", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
	{"RFC 9112 §3.2 Host with user", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400},
	{"RFC 9110 §4.2.1 empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
	{"RFC 9110 §4.2.1 port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},

	{"RFC 9112 §5.1 space before colon", get + "A : b\r\n\r\n", 400},
	{"RFC 9112 §5.1 tab before colon", get + "A\t: b\r\n\r\n", 400},
	{"RFC 9112 §5.1 no colon", get + "Abc\r\n\r\n", 400},
	{"RFC 9112 §5.1 no name", get + ": b\r\n\r\n", 400},
	{"RFC 9112 §5.1 no white space", get + "A:b\r\n\r\n", 0},
	{"RFC 9112 §5.1 white space around value", get + "A: \t b \t \r\n\r\n", 0},
	{"RFC 9112 §5.1 empty value", get + "A:\r\n\r\n", 0},
	{"RFC 9110 §5.1 bad character in name", get + "A(b: c\r\n\r\n", 400},
	{"RFC 9110 §5.1 control character in name", get + "Authoriz\x01ation: c\r\n\r\n", 400},
	{"RFC 9110 §5.1 not ASCII in name", get + "Acc\xc3\xa9pt: c\r\n\r\n", 400},
	{"RFC 9110 §5.1 letter with its high bit set", get + "Accept-L\xe1nguage-Of: c\r\n\r\n", 400},
	{"RFC 9112 §5.2 folded line", get + "A: b\r\n c\r\n\r\n", 400},
	{"RFC 9112 §5.2 folded line, tab", get + "A: b\r\n\tc\r\n\r\n", 400},
	{"RFC 9110 §5.5 NUL", get + "A: b\x00c\r\n\r\n", 400},
	{"RFC 9110 §5.5 NUL far in", get + "A: 0123456789abcdef\x00c\r\n\r\n", 400},
	{"RFC 9110 §5.5 ESC", get + "A: b\x1bc\r\n\r\n", 400},
	{"RFC 9110 §5.5 DEL", get + "A: b\x7fc\r\n\r\n", 400},
	{"RFC 9110 §5.5 tab inside", get + "A: b\tc\td\te\tf\tg\th\ti\r\n\r\n", 0},
	{"RFC 9110 §5.5 obs-text", get + "A: \x80\xff\xc3\xa9 bcdefgh\r\n\r\n", 0},
	{"RFC 9110 §5.4 100 fields", get + strings.Repeat("A: b\r\n", 99) + "\r\n", 0},
	{"RFC 9110 §5.4 101 fields", get + strings.Repeat("A: b\r\n", 100) + "\r\n", 431},

	{"RFC 9112 §6.2 length", get + "Content-Length: 5\r\n\r\n", 0},
	{"RFC 9112 §6.3 two lengths", get + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
	{"RFC 9112 §6.3 two equal lengths", get + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
	{"RFC 9112 §6.3 list of equal lengths", get + "Content-Length: 5, 5\r\n\r\n", 400},
	{"RFC 9112 §6.2 plus", get + "Content-Length: +5\r\n\r\n", 400},
	{"RFC 9112 §6.2 minus", get + "Content-Length: -5\r\n\r\n", 400},
	{"RFC 9112 §6.2 hex", get + "Content-Length: 0x5\r\n\r\n", 400},
	{"RFC 9112 §6.2 space inside", get + "Content-Length: 5 5\r\n\r\n", 400},
	{"RFC 9112 §6.2 leading zero", get + "Content-Length: 05\r\n\r\n", 400},
	{"RFC 9112 §6.2 point", get + "Content-Length: 5.0\r\n\r\n", 400},
	{"RFC 9112 §6.2 empty", get + "Content-Length:\r\n\r\n", 400},
	{"RFC 9112 §6.2 huge", get + "Content-Length: 9223372036854775808\r\n\r\n", 413},
	{"RFC 9112 §6.2 larger than any body", get + "Content-Length: 9007199254740993\r\n\r\n", 413},
	{"RFC 9112 §6.2 overflow", get + "Content-Length: 18446744073709551617\r\n\r\n", 413},
	{"RFC 9112 §6.1 length and coding",
		get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"RFC 9112 §6.1 coding and length",
		get + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400},
	{"RFC 9112 §6.1 chunked", get + "Transfer-Encoding: chunked\r\n\r\n", 0},
	{"RFC 9112 §7 any case", get + "transfer-ENCODING: CHUNKED\r\n\r\n", 0},
	{"RFC 9112 §6.1 chunked in HTTP/1.0",
		"GET / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"RFC 9112 §6.1 gzip, chunked", get + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
	{"RFC 9112 §6.3 gzip", get + "Transfer-Encoding: gzip\r\n\r\n", 400},
	{"RFC 9112 §6.3 identity", get + "Transfer-Encoding: identity\r\n\r\n", 400},
	{"RFC 9112 §6.3 chunked, gzip", get + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
	{"RFC 9112 §7.1 chunked, chunked", get + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
	{"RFC 9112 §7.1 two chunked",
		get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"RFC 9112 §6.1 two codings",
		get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
	{"RFC 9112 §7 xchunked", get + "Transfer-Encoding: xchunked\r\n\r\n", 400},
	{"RFC 9112 §7 parameter", get + "Transfer-Encoding: chunked;q=1\r\n\r\n", 400},
	{"RFC 9112 §7 quoted", get + "Transfer-Encoding: \"chunked\"\r\n\r\n", 400},
	{"RFC 9112 §7 empty element", get + "Transfer-Encoding: , chunked\r\n\r\n", 400},
	{"RFC 9112 §7 empty", get + "Transfer-Encoding:\r\n\r\n", 400},
	{"RFC 9112 §7 vertical tab", get + "Transfer-Encoding: \vchunked\r\n\r\n", 400},
	{"RFC 9112 §5.1 coding with space before colon",
		get + "Transfer-Encoding : chunked\r\n\r\n", 400},

	{"RFC 9110 §10.1.1 continue", get + "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n", 0},
	{"RFC 9110 §10.1.1 other", get + "Expect: tea\r\n\r\n", 417},
	{"RFC 9110 §5.3 two Origins", get + "Origin: http://x\r\nOrigin: http://y\r\n\r\n", 400},
	{"RFC 9110 §5.3 two tokens", get + "X-CSRF-Token: a\r\nX-CSRF-Token: a\r\n\r\n", 400},
	{"RFC 9110 §5.3 two keys",
		get + "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n\r\n", 400},
	{"RFC 9110 §5.3 twice the second one empty", get + "Referer:\r\nReferer: a\r\n\r\n", 400},
	{"RFC 9110 §5.3 lists may come twice",
		get + "Connection: a\r\nConnection: b\r\nX-Forwarded-For: 1\r\nX-Forwarded-For: 2\r\n\r\n", 0},
}

func TestParseHead(t *testing.T) {
	for _, c := range headCases {
		t.Run(c.name, func(t *testing.T) {
			var h httpmin.Head
			n, err := parseSplit(t, c.in, headMax, &h)
			if got := status(t, err); got != c.status {
				t.Fatalf("status %d (%v), want %d\n%q", got, err, c.status, c.in)
			}
			if want := len(c.in); c.status == 0 && n != want {
				t.Errorf("n = %d, want %d", n, want)
			}
			if c.status != 0 && n != 0 {
				t.Errorf("n = %d with an error", n)
			}
		})
	}
}

// What follows a head is not looked at, whatever it is.
func TestParseHeadTail(t *testing.T) {
	for _, tail := range []string{"GET / HTTP/1.1\r\n", "\x00\xff", "\r\n", " x"} {
		var h httpmin.Head
		if n, err := parseSplit(t, get+"\r\n"+tail, headMax, &h); err != nil || n != len(get)+2 {
			t.Errorf("before %q: n %d, err %v", tail, n, err)
		}
	}
}

func TestParseHeadMax(t *testing.T) {
	in := get + "\r\n"
	var h httpmin.Head
	if n, err := parseSplit(t, in, len(in), &h); err != nil || n != len(in) {
		t.Errorf("a head of exactly max bytes: n %d, err %v", n, err)
	}
	if _, err := parseSplit(t, in, len(in)-1, &h); status(t, err) != 431 {
		t.Errorf("a head one byte over max: %v, want 431", err)
	}
	endless := get + "A: " + strings.Repeat("b", 200)
	if _, err := parseSplit(t, endless, 100, &h); status(t, err) != 431 {
		t.Errorf("an endless field: %v, want 431", err)
	}
	for _, c := range []struct {
		name, in string
		status   int
	}{
		{"an endless target", "GET /" + strings.Repeat("a", 200), 414},
		{"an endless query", "\r\nGET /?" + strings.Repeat("a", 200), 414},
		{"a target that fits just", "GET /" + strings.Repeat("a", 94) + " HTTP/1.1\r\n", 431},
		{"a target that fits but its space", "GET /" + strings.Repeat("a", 95), 414},
		{"a version that does not fit", "GET /" + strings.Repeat("a", 90) + " HTTP/1.1\r\n", 431},
		{"an endless method", strings.Repeat("a", 200), 501},
		{"no target", "GET ", -1},
	} {
		if _, err := parseSplit(t, c.in, 100, &h); status(t, err) != c.status {
			t.Errorf("RFC 9112 §3 %s: %v, want %d", c.name, err, c.status)
		}
	}
	if _, err := parseSplit(t, "\x00"+endless, 100, &h); status(t, err) != 400 {
		t.Errorf("a bad byte before the limit: %v, want 400", err)
	}
}

// A byte that can never stand where it is ends the head at once, so that a
// peer of another protocol does not wait for a timeout.
func TestParseHeadRefusesEarly(t *testing.T) {
	for _, in := range []string{
		"\x16", "{", "GET / HTTP/3.0", "GET /#", "GET / HTTP/1.1\r\nA B",
		get + "Host: y\r\n", get + "A: \x01", get + "Transfer-Encoding: gzip\r\n", get + " ",
	} {
		var h httpmin.Head
		if _, err := httpmin.ParseHead([]byte(in), headMax, &h); status(t, err) < 400 {
			t.Errorf("%q: %v, want a refusal", in, err)
		}
	}
}

func TestHeadAllocs(t *testing.T) {
	poll, upgrade := []byte(browserPoll), []byte(browserUpgrade)
	refused := []byte(get + "Host: y\r\n\r\n")
	absolute := []byte("GET http://[2001:db8::1]:80/ HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n")
	var h httpmin.Head
	var sink []byte
	allocs := testing.AllocsPerRun(100, func() {
		for _, in := range [][]byte{poll, upgrade, refused, absolute, poll[:300]} {
			if _, err := httpmin.ParseHead(in, headMax, &h); err == nil && h.Upgrade {
				if httpmin.CheckUpgrade(&h) != nil {
					panic("upgrade refused")
				}
				sink = h.Get("accept-language")
			}
		}
	})
	if allocs != 0 || string(sink) != "en-US,en;q=0.9" {
		t.Errorf("%v allocations, want 0; Accept-Language %q", allocs, sink)
	}
}
