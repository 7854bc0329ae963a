package httpmin_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

const date = "Sat, 21 Nov 2026 12:13:19 GMT"

// always is what every answer has.
const always = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

var responseCases = []struct {
	name    string
	r       httpmin.Response
	bodyLen int
	want    string
}{
	{"RFC 9112 §4 poll answer",
		httpmin.Response{Status: 200, Minor: 1, ContentType: httpmin.TypeText, Date: []byte(date)}, 87,
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 87\r\n" +
			always + "Date: " + date + "\r\n\r\n"},
	{"RFC 9112 §9.3 to HTTP/1.0, kept", httpmin.Response{Status: 200}, 0,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + always + "Connection: keep-alive\r\n\r\n"},
	{"RFC 9112 §9.6 close", httpmin.Response{Status: 400, Minor: 1, Close: true}, 3,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n" + always + "Connection: close\r\n\r\n"},
	{"RFC 9112 §9.6 close, HTTP/1.0", httpmin.Response{Status: 431, Close: true}, 0,
		"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n" + always +
			"Connection: close\r\n\r\n"},
	{"RFC 9110 §9.3.2 HEAD", httpmin.Response{Status: 200, Minor: 1, Head: true}, 87,
		"HTTP/1.1 200 OK\r\nContent-Length: 87\r\n" + always + "\r\n"},
	{"RFC 9110 §15.5.6 method not allowed",
		httpmin.Response{Status: 405, Minor: 1, Allow: "GET, POST"}, 0,
		"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n" + always +
			"Allow: GET, POST\r\n\r\n"},
	{"RFC 9110 §15.5.22 upgrade required",
		httpmin.Response{Status: 426, Minor: 1, Close: true, WSVersion: true}, 0,
		"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n" + always +
			"Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"},
	{"RFC 9110 §15.5.22 upgrade required, kept", httpmin.Response{Status: 426, Minor: 1}, 0,
		"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n" + always +
			"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
	{"RFC 9110 §15.5.2 unauthorized", httpmin.Response{Status: 401, Minor: 1}, 0,
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n" + always +
			"WWW-Authenticate: Bearer\r\n\r\n"},
	{"RFC 9110 §10.2.3 retry", httpmin.Response{Status: 503, Minor: 1, RetryAfter: 8}, 0,
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n" + always +
			"Retry-After: 8\r\n\r\n"},
	{"Fetch §3.2 answer to an allowed origin",
		httpmin.Response{Status: 200, Minor: 1, Origin: []byte("https://a.b")}, 0,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + always +
			"Access-Control-Allow-Origin: https://a.b\r\n" +
			"Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n\r\n"},
	{"Fetch §3.2.2 preflight, RFC 9110 §8.6 no length with 204",
		httpmin.Response{Status: 204, Minor: 1, Origin: []byte("https://a.b"), Preflight: true,
			PreflightHeaders: []byte("x-csrf-token,x-requested-with")}, 0,
		"HTTP/1.1 204 No Content\r\n" + always +
			"Access-Control-Allow-Origin: https://a.b\r\n" +
			"Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n" +
			"Access-Control-Allow-Methods: GET, POST, HEAD\r\n" +
			"Access-Control-Allow-Headers: x-csrf-token,x-requested-with\r\n" +
			"Access-Control-Max-Age: 600\r\n\r\n"},
	{"Fetch §3.2 preflight of an origin that is not allowed",
		httpmin.Response{Status: 403, Minor: 1, Preflight: true, PreflightHeaders: []byte("a")}, 0,
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n" + always + "\r\n"},
}

func TestAppendResponse(t *testing.T) {
	for _, c := range responseCases {
		t.Run(c.name, func(t *testing.T) {
			got := httpmin.AppendResponse([]byte("before"), &c.r, c.bodyLen)
			if string(got) != "before"+c.want {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
		})
	}
}

// Another implementation reads the answers, one behind the other on one conn.
func TestAppendResponseReadBack(t *testing.T) {
	var wire []byte
	for _, c := range responseCases {
		wire = httpmin.AppendResponse(wire, &c.r, c.bodyLen)
		if !c.r.NoBody() {
			wire = append(wire, strings.Repeat("x", c.bodyLen)...)
		}
	}
	in := bufio.NewReader(bytes.NewReader(wire))
	for _, c := range responseCases {
		method := http.MethodGet
		if c.r.Head {
			method = http.MethodHead
		}
		r, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != c.r.Status || r.Close != c.r.Close {
			t.Errorf("%s: %v, status %d, close %v", c.name, err, r.StatusCode, r.Close)
		}
		if want := c.bodyLen; !c.r.NoBody() && len(body) != want || c.r.NoBody() && len(body) > 0 {
			t.Errorf("%s: body of %d bytes, want %d", c.name, len(body), want)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("bytes left behind the last answer (%v)", err)
	}
}

// The phrases are the registered ones (RFC 9110 §15).
func TestStatusText(t *testing.T) {
	for _, status := range []int{
		200, 204, 304, 400, 401, 403, 404, 405, 408, 413, 414, 417, 426, 429, 431, 500, 501, 503, 505,
	} {
		want := http.StatusText(status)
		switch status { // net/http keeps the names of older RFCs
		case 413:
			want = "Content Too Large"
		case 414:
			want = "URI Too Long"
		}
		if got := httpmin.StatusText(status); got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
	if got := httpmin.StatusText(299); got != "" {
		t.Errorf("299: %q", got)
	}
}

func TestErrorText(t *testing.T) {
	var h httpmin.Head
	_, err := httpmin.ParseHead([]byte("GET / HTTP/1.1\r\n\r\n"), headMax, &h)
	if got := err.Error(); got != "httpmin: 400 missing Host" {
		t.Errorf("%q", got)
	}
}

func TestAppendResponseAllocs(t *testing.T) {
	dst := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		for i := range responseCases {
			dst = httpmin.AppendResponse(dst[:0], &responseCases[i].r, 1234567)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
