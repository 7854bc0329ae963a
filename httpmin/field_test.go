package httpmin_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

// parse parses a head that must be good.
func parse(t *testing.T, in string) *httpmin.Head {
	t.Helper()
	h := new(httpmin.Head)
	if _, err := parseSplit(t, in, headMax, h); err != nil {
		t.Fatalf("%v\n%q", err, in)
	}
	return h
}

func TestHeadTarget(t *testing.T) {
	for _, c := range []struct{ name, line, path, query, host string }{
		{"RFC 9112 §3.2.1 origin form", "GET /a%20b", "/a%20b", "-", "x"},
		{"RFC 9112 §3.2.1 query", "GET /a?b=c?d", "/a", "b=c?d", "x"},
		{"RFC 9112 §3.2.1 empty query", "GET /a?", "/a", "", "x"},
		{"RFC 9112 §3.2.1 two slashes", "GET //b/c", "//b/c", "-", "x"},
		{"RFC 9112 §3.2.2 absolute form", "GET http://X/a?b", "/a", "b", "x"},
		{"RFC 9112 §3.2.2 no path", "GET http://x", "/", "-", "x"},
		{"RFC 9112 §3.2.2 no path, query", "GET https://x?a/b", "/", "a/b", "x"},
		{"RFC 9112 §3.2.4 asterisk form", "OPTIONS *", "*", "-", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parse(t, c.line+" HTTP/1.1\r\nHost: x\r\n\r\n")
			query := string(h.RawQuery)
			if h.RawQuery == nil {
				query = "-"
			}
			if string(h.Path) != c.path || query != c.query || string(h.Host) != c.host {
				t.Errorf("path %q, query %q, host %q", h.Path, query, h.Host)
			}
			if method, target, _ := strings.Cut(c.line, " "); string(h.Method) != method ||
				string(h.Target) != target {
				t.Errorf("method %q, target %q", h.Method, h.Target)
			}
		})
	}
	h := parse(t, "GET http://y:1/ HTTP/1.0\r\n\r\n")
	if string(h.Host) != "y:1" {
		t.Errorf("RFC 9112 §3.2.2 HTTP/1.0 without Host: host %q, want that of the target", h.Host)
	}
	if h = parse(t, "GET / HTTP/1.0\r\n\r\n"); h.Host != nil {
		t.Errorf("RFC 9112 §3.2 HTTP/1.0 without Host: host %q, want nil", h.Host)
	}
}

func TestHeadHost(t *testing.T) {
	good := []string{
		"x", "example.com", "EXAMPLE.com:8080", "127.0.0.1", "127.0.0.1:0", "x:65535", "x:",
		"a-b_c~d.e", "%61b", "!$&'()*+;=", "[::]", "[::1]:80", "[2001:db8::8:800:200c:417a]",
		"[1:2:3:4:5:6:7:8]", "[1::8]", "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:255.255.255.255]",
		"[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]",
	}
	bad := []string{
		"x:65536", "x:123456", "x:-1", "x:8a", "x:80:80", "x y", "x,y", "x/y", "x?y", "x#y",
		"u@x", "x\\y", "%6", "%zz", "<x>", "\xc3\xa9", "[", "]", "[]", "[::1", "::1", "[::1]x",
		"[::1]:65536", "[1:2]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7::8]", "[1::2::3]",
		"[:::]", "[:1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:]", "[12345::]", "[g::]", "[::1%25eth0]",
		"[::1.2.3]", "[::1.2.3.256]", "[::01.2.3.4]", "[::1.2.3.4.5]", "[1:2:3:4:5:6:7:1.2.3.4]",
		"[1.2.3.4]", "[v1.x]",
	}
	var h httpmin.Head
	for i, host := range append(good, bad...) {
		in := "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
		_, err := parseSplit(t, in, headMax, &h)
		if isGood := i < len(good); isGood != (err == nil) {
			t.Errorf("RFC 3986 §3.2.2 %q: %v", host, err)
		} else if isGood && string(h.Host) != host {
			t.Errorf("RFC 3986 §3.2.2 %q read as %q", host, h.Host)
		}
	}
}

func TestHeadNamedFields(t *testing.T) {
	h := parse(t, "POST /chsk HTTP/1.1\r\nHOST:x\r\nOrigin: http://o \r\nReferer:\t r\r\n"+
		"Content-Type: text/plain\r\nX-CSRF-Token: null\r\nx-xsrf-token: t2\r\nCookie: a=b; c=d\r\n"+
		"Authorization: Bearer z\r\nSec-Fetch-Site: same-origin\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Protocol: p1\r\nsec-websocket-protocol: p2\r\nX-Forwarded-For: 1.1.1.1\r\n"+
		"X-Forwarded-For: 2.2.2.2\r\nAccess-Control-Request-Method: POST\r\n"+
		"Access-Control-Request-Headers: x-a\r\nAccess-Control-Request-Headers: x-b\r\n"+
		"X-Other: first\r\nX-OTHER: second\r\nX-Empty:\r\n\r\n")
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"Host", h.Host, "x"},
		{"Origin", h.Origin, "http://o"},
		{"Referer", h.Referer, "r"},
		{"Content-Type", h.ContentType, "text/plain"},
		{"X-CSRF-Token", h.CSRFToken, "null"},
		{"X-XSRF-Token", h.XSRFToken, "t2"},
		{"Cookie", h.Cookie, "a=b; c=d"},
		{"Authorization", h.Authorization, "Bearer z"},
		{"Sec-Fetch-Site", h.SecFetchSite, "same-origin"},
		{"Sec-WebSocket-Key", h.WSKey, "k"},
		{"Sec-WebSocket-Version", h.WSVersion, "13"},
		{"Sec-WebSocket-Protocol", h.WSProtocol, "p1"},
		{"Access-Control-Request-Method", h.ACRequestMethod, "POST"},
		{"Access-Control-Request-Headers", h.ACRequestHeaders, "x-a"},
		{"x-other", h.Get("x-other"), "first"},
		{"X-Empty", h.Get("X-Empty"), ""},
	} {
		if c.got == nil || string(c.got) != c.want {
			t.Errorf("RFC 9110 §5 %s = %q (nil %v), want %q", c.name, c.got, c.got == nil, c.want)
		}
		if got := h.Get(strings.ToUpper(c.name)); !bytes.Equal(got, c.got) {
			t.Errorf("RFC 9110 §5.1 Get(%s) = %q, want %q", c.name, got, c.got)
		}
	}
	if string(h.ForwardedFor) != "2.2.2.2" {
		t.Errorf("X-Forwarded-For = %q, want that of the nearest proxy", h.ForwardedFor)
	}
	if v, twice := h.Only("x-other"); v != nil || !twice {
		t.Errorf("RFC 9110 §5.3 Only of a doubled field = %q, twice %v", v, twice)
	}
	if v, twice := h.Only("x-empty"); v == nil || len(v) > 0 || twice {
		t.Errorf("Only of an empty field = %q, twice %v", v, twice)
	}
	if v, twice := h.Only("Cookie"); string(v) != "a=b; c=d" || twice {
		t.Errorf("Only of a cookie = %q, twice %v", v, twice)
	}
	if got := h.Get("X-Othe"); got != nil {
		t.Errorf("Get of an absent field = %q", got)
	}
	h = parse(t, get+"Origin:\r\n\r\n")
	if h.Origin == nil || len(h.Origin) != 0 || h.Referer != nil {
		t.Errorf("Origin %v must be present and empty, Referer %v absent", h.Origin, h.Referer)
	}
}

// A name of the same length, or with other characters that fold alike, is
// another name.
func TestHeadOtherNames(t *testing.T) {
	h := parse(t, get+"Hosu: y\r\nOrigim: o\r\nContent-Lengti: 7\r\nTransfer_Encoding: chunked\r\n"+
		"Transfer-Encodinh: chunked\r\nX-CSRF~Token: a\r\nX_CSRF_Token: b\r\n\r\n")
	if h.Origin != nil || h.ContentLength != -1 || h.Chunked || h.CSRFToken != nil {
		t.Errorf("other names were taken: %+v", h)
	}
}

func TestHeadConnection(t *testing.T) {
	const ws = "Upgrade: websocket\r\n"
	for _, c := range []struct {
		name, version, fields string
		keep, upgrade         bool
	}{
		{"RFC 9112 §9.3 default", "1.1", "", true, false},
		{"RFC 9112 §9.6 close", "1.1", "Connection: close\r\n", false, false},
		{"RFC 9112 §9.3 any case", "1.1", "connection: Close\r\n", false, false},
		{"RFC 9112 §9.3 close wins", "1.1", "Connection: keep-alive, close\r\n", false, false},
		{"RFC 9112 §9.3 HTTP/1.0", "1.0", "", false, false},
		{"RFC 9112 §9.3 HTTP/1.0 keep-alive", "1.0", "Connection: Keep-Alive\r\n", true, false},
		{"RFC 9112 §9.3 both", "1.0", "Connection: keep-alive\r\nConnection: close\r\n", false, false},
		{"RFC 9110 §7.6.1 part of an option", "1.1", "Connection: closer, xclose\r\n", true, false},
		{"RFC 9110 §5.6.1 empty elements", "1.1", "Connection: , ,close, ,\r\n", false, false},
		{"RFC 9110 §7.8 upgrade", "1.1", "Connection: Upgrade\r\n" + ws, true, true},
		{"RFC 9110 §7.8 in lists", "1.1",
			"Connection: keep-alive, upgrade\r\nUpgrade: h2c, WebSocket\r\n", true, true},
		{"RFC 9110 §7.8 without Connection", "1.1", ws, true, false},
		{"RFC 9110 §7.8 without Upgrade", "1.1", "Connection: Upgrade\r\n", true, false},
		{"RFC 9110 §7.8 other protocol", "1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n", true, false},
		{"RFC 9110 §7.8 protocol with version", "1.1",
			"Connection: Upgrade\r\nUpgrade: websocket/13\r\n", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parse(t, "GET / HTTP/"+c.version+"\r\nHost: x\r\n"+c.fields+"\r\n")
			if h.KeepAlive != c.keep || h.Upgrade != c.upgrade {
				t.Errorf("keep-alive %v, upgrade %v", h.KeepAlive, h.Upgrade)
			}
		})
	}
}

func TestHeadBodyFields(t *testing.T) {
	for _, c := range []struct {
		name, version, fields string
		length                int64
		chunked, expect       bool
	}{
		{"RFC 9112 §6.3 neither", "1.1", "", -1, false, false},
		{"RFC 9112 §6.2 zero", "1.1", "Content-Length: 0\r\n", 0, false, false},
		{"RFC 9112 §6.2 largest", "1.1", "Content-Length: 9007199254740992\r\n", 1 << 53, false, false},
		{"RFC 9112 §6.1 chunked", "1.1", "Transfer-Encoding: chunked\r\n", -1, true, false},
		{"RFC 9110 §10.1.1 length", "1.1",
			"Content-Length: 1\r\nExpect: 100-continue\r\n", 1, false, true},
		{"RFC 9110 §10.1.1 chunked", "1.1",
			"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", -1, true, true},
		{"RFC 9110 §10.1.1 no body", "1.1", "Expect: 100-continue\r\n", -1, false, false},
		{"RFC 9110 §10.1.1 HTTP/1.0", "1.0",
			"Content-Length: 1\r\nExpect: 100-continue\r\n", 1, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parse(t, "POST / HTTP/"+c.version+"\r\nHost: x\r\n"+c.fields+"\r\n")
			if h.ContentLength != c.length || h.Chunked != c.chunked || h.Expect100 != c.expect {
				t.Errorf("length %d, chunked %v, expect %v", h.ContentLength, h.Chunked, h.Expect100)
			}
		})
	}
}
