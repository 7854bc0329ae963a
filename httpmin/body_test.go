package httpmin_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

// feed reads a body from pieces that split src before the given positions.
func feed(h *httpmin.Head, max int64, src string, splits ...int) (
	out []byte, n int, done bool, err error,
) {
	var b httpmin.Body
	if err := b.Reset(h, max); err != nil {
		return nil, 0, false, err
	}
	start := 0
	for _, end := range append(splits, len(src)) {
		var k int
		out, k, done, err = b.Feed(out, []byte(src[start:end]))
		n += k
		if done || err != nil {
			return out, n, done, err
		}
		if k != end-start {
			return out, n, done, fmt.Errorf("used %d of %d bytes and is not done", k, end-start)
		}
		start = end
	}
	return out, n, done, nil
}

// feedSplit is feed for the whole, split in two everywhere, and byte by byte.
// All must agree.
func feedSplit(t testing.TB, h *httpmin.Head, max int64, src string) (
	out []byte, n int, done bool, err error,
) {
	t.Helper()
	out, n, done, err = feed(h, max, src)
	check := func(splits ...int) {
		t.Helper()
		o, m, d, e := feed(h, max, src, splits...)
		if !bytes.Equal(o, out) || m != n || d != done || e != err {
			t.Fatalf("split at %v: %q %d %v %v\nwhole: %q %d %v %v",
				splits, o, m, d, e, out, n, done, err)
		}
	}
	every := make([]int, 0, len(src))
	for k := range src {
		check(k)
		every = append(every, k)
	}
	check(every...)
	return out, n, done, err
}

var (
	chunkedHead = &httpmin.Head{Chunked: true, ContentLength: -1}
	noBody      = &httpmin.Head{ContentLength: -1}
)

const bodyMax = 100

var chunkCases = []struct {
	name, in, out string
	status        int    // 0 = done, -1 = more is needed
	rest          string // what is left for the next request
}{
	{"RFC 9112 §7.1 one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", 0, ""},
	{"RFC 9112 §7.1 chunks", "4\r\nWiki\r\n6\r\npedia \r\nD\r\nin \r\n\r\nchunks\r\n0\r\n\r\n",
		"Wikipedia in \r\n\r\nchunks", 0, ""},
	{"RFC 9112 §7.1 empty", "0\r\n\r\n", "", 0, ""},
	{"RFC 9112 §7.1 next request behind", "1\r\na\r\n0\r\n\r\nGET /", "a", 0, "GET /"},
	{"RFC 9112 §7.1 CRLF behind", "0\r\n\r\n\r\n", "", 0, "\r\n"},
	{"RFC 9112 §7.1 both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
		"01234567890123456789", 0, ""},
	{"RFC 9112 §7.1 leading zeros", "00000001\r\na\r\n000\r\n\r\n", "a", 0, ""},
	{"RFC 9112 §7.1 not ended", "5\r\nhello\r\n", "hello", -1, ""},
	{"RFC 9112 §7.1 last CRLF missing", "0\r\n", "", -1, ""},
	{"RFC 9112 §7.1 nine digits", "000000001\r\na\r\n", "", 400, ""},
	{"RFC 9112 §7.1 sixteen digits", "FFFFFFFFFFFFFFFF\r\n", "", 400, ""},
	{"RFC 9112 §7.1 overflow to 1", "10000000000000001\r\na\r\n", "", 400, ""},
	{"RFC 9112 §7.1 eight digits", "FFFFFFFF\r\n", "", 413, ""},
	{"RFC 9112 §7.1 no size", "\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 plus", "+1\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 minus", "-1\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 minus zero", "-0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 0x", "0x1\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 underscore", "1_0\r\n", "", 400, ""},
	{"RFC 9112 §7.1 letter", "1g\r\n", "", 400, ""},
	{"RFC 9112 §7.1 space before", " 1\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 space behind", "1 \r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 tab behind", "1\t\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 digits after space", "1 1\r\na\r\n", "", 400, ""},
	{"RFC 9112 §7.1 point", "1.0\r\na\r\n", "", 400, ""},
	{"RFC 9112 §7.1 NUL", "1\x00\r\na\r\n", "", 400, ""},
	{"RFC 9112 §2.2 bare LF behind size", "1\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §2.2 bare CR behind size", "1\ra\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1 no CRLF behind data", "1\r\na0\r\n\r\n", "a", 400, ""},
	{"RFC 9112 §7.1 LF behind data", "1\r\na\n0\r\n\r\n", "a", 400, ""},
	{"RFC 9112 §7.1 CR behind data", "1\r\na\r0\r\n\r\n", "a", 400, ""},
	{"RFC 9112 §7.1 longer than its size", "1\r\nab\r\n0\r\n\r\n", "a", 400, ""},
	{"RFC 9112 §7.1 shorter than its size", "3\r\na\r\n0\r\n\r\n", "a\r\n", 400, ""},

	{"RFC 9112 §7.1.1 extension", "1;a=b;c=\"d;e\"\r\na\r\n0;f\r\n\r\n", "a", 0, ""},
	{"RFC 9112 §7.1.1 bad white space", "1 \t; a = b\r\na\r\n0\r\n\r\n", "a", 0, ""},
	{"RFC 9112 §7.1.1 bare LF in extension", "1;a\nb\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.1 bare CR in extension", "1;a\rb\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.1 NUL in extension", "1;a\x00\r\na\r\n0\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.1 long", "1;" + strings.Repeat("x", 4095) + "\r\na\r\n0\r\n\r\n", "a", 0, ""},
	{"RFC 9112 §7.1.1 too long", "1;" + strings.Repeat("x", 4096) + "\r\na\r\n", "", 431, ""},
	{"RFC 9112 §7.1.1 too long in all", strings.Repeat("1;"+strings.Repeat("x", 99)+"\r\na\r\n", 42),
		strings.Repeat("a", 40), 431, ""},

	{"RFC 9112 §7.1.2 trailers", "0\r\nA: b\r\nContent-Length: 9\r\n\r\nX", "", 0, "X"},
	{"RFC 9112 §7.1.2 empty trailer", "0\r\nA:\r\n\r\n", "", 0, ""},
	{"RFC 9112 §7.1.2 no colon", "0\r\nA\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 no name", "0\r\n: b\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 space before colon", "0\r\nA : b\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 folded", "0\r\nA: b\r\n c\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 bare LF", "0\r\nA: b\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 bare CR", "0\r\nA: b\rC: d\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 bare LF at the end", "0\r\n\n", "", 400, ""},
	{"RFC 9112 §7.1.2 bare CR at the end", "0\r\n\rX", "", 400, ""},
	{"RFC 9112 §7.1.2 NUL", "0\r\nA: \x00\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 next request as trailer", "0\r\nGET / HTTP/1.1\r\n\r\n", "", 400, ""},
	{"RFC 9112 §7.1.2 too many", "0\r\n" + strings.Repeat("A: b\r\n", 1025), "", 431, ""},

	{"limit: body of max bytes", "64\r\n" + strings.Repeat("x", 100) + "\r\n0\r\n\r\n",
		strings.Repeat("x", 100), 0, ""},
	{"limit: body over max at once", "65\r\n", "", 413, ""},
	{"limit: body over max by the second chunk", "64\r\n" + strings.Repeat("x", 100) + "\r\n1\r\n",
		strings.Repeat("x", 100), 413, ""},
}

func TestBodyChunked(t *testing.T) {
	for _, c := range chunkCases {
		t.Run(c.name, func(t *testing.T) {
			out, n, done, err := feedSplit(t, chunkedHead, bodyMax, c.in)
			got := status(t, err)
			if err == nil && !done {
				got = -1
			}
			if got != c.status || string(out) != c.out {
				t.Fatalf("status %d (%v), out %q; want %d, %q", got, err, out, c.status, c.out)
			}
			if done && c.in[n:] != c.rest {
				t.Errorf("left %q for the next request, want %q", c.in[n:], c.rest)
			}
		})
	}
}

func TestBodyLength(t *testing.T) {
	for _, c := range []struct {
		name    string
		length  int64
		in, out string
		status  int
	}{
		{"RFC 9112 §6.3 exact", 5, "hello", "hello", 0},
		{"RFC 9112 §6.3 next request behind", 5, "helloGET /", "hello", 0},
		{"RFC 9112 §6.3 short", 5, "hell", "hell", -1},
		{"RFC 9112 §6.3 zero", 0, "GET /", "", 0},
		{"RFC 9112 §6.3 none", -1, "GET /", "", 0},
		{"limit: body of max bytes", bodyMax,
			strings.Repeat("x", bodyMax+1), strings.Repeat("x", bodyMax), 0},
		{"limit: body over max", bodyMax + 1, "", "", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &httpmin.Head{ContentLength: c.length}
			out, n, done, err := feedSplit(t, h, bodyMax, c.in)
			got := status(t, err)
			if err == nil && !done {
				got = -1
			}
			if got != c.status || string(out) != c.out || n != len(c.out) {
				t.Errorf("status %d (%v), out %q, n %d; want %d, %q", got, err, out, n, c.status, c.out)
			}
		})
	}
}

// After the end, and after a refusal by Reset, Feed uses nothing.
func TestBodyEnds(t *testing.T) {
	var b httpmin.Body
	if out, n, done, err := b.Feed(nil, []byte("x")); out != nil || n != 0 || !done || err != nil {
		t.Errorf("the zero Body: %q %d %v %v", out, n, done, err)
	}
	refused := b.Reset(&httpmin.Head{ContentLength: 2}, 1)
	if _, n, done, err := b.Feed(nil, []byte("xy")); err != refused || n != 0 || done {
		t.Errorf("after a refused Reset: %d %v %v, want %v", n, done, err, refused)
	}
	if err := b.Reset(noBody, 1); err != nil {
		t.Error(err)
	}
	if _, n, done, err := b.Feed(nil, []byte("xy")); n != 0 || !done || err != nil {
		t.Errorf("no body: %d %v %v", n, done, err)
	}
}

func TestBodyInPlace(t *testing.T) {
	src := []byte("helloGET /")
	var b httpmin.Body
	if err := b.Reset(&httpmin.Head{ContentLength: 5}, bodyMax); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.InPlace(src[:4]); ok {
		t.Error("in place although a byte is missing")
	}
	body, ok := b.InPlace(src)
	if !ok || string(body) != "hello" || &body[0] != &src[0] || cap(body) != 5 {
		t.Errorf("%v %q, cap %d", ok, body, cap(body))
	}
	if _, n, done, _ := b.Feed(nil, src[5:]); !done || n != 0 {
		t.Error("not done after InPlace")
	}
	if err := b.Reset(chunkedHead, bodyMax); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.InPlace([]byte("0\r\n\r\n")); ok {
		t.Error("a chunked body in place")
	}
}

func TestBodyAllocs(t *testing.T) {
	in := []byte("4;a=b\r\nWiki\r\n5\r\npedia\r\n0\r\nA: b\r\n\r\n")
	dst := make([]byte, 0, 64)
	var b httpmin.Body
	n := testing.AllocsPerRun(100, func() {
		if b.Reset(chunkedHead, bodyMax) != nil {
			panic("refused")
		}
		var done bool
		if dst, _, done, _ = b.Feed(dst[:0], in); !done {
			panic("not done")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
