package fuzz_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

// bodyMax is the largest body in this target: small enough that it is met often.
const bodyMax = 300

// FuzzHTTPBody gives httpmin.Body arbitrary bytes in random pieces, as a chunked body and as one
// of a length. The pieces must not matter; the verdict must be that of bodyNaive; net/http must
// decode what is accepted to the same bytes; and the bytes must survive being chunked at random.
func FuzzHTTPBody(f *testing.F) {
	for i, seed := range bodySeeds {
		f.Add([]byte(seed), uint64(i), int64(i-1))
	}
	for i, in := range streamCases {
		if _, body, ok := strings.Cut(in, "chunked\r\n\r\n"); ok {
			f.Add([]byte(body), uint64(i), int64(i%400))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64, length int64) {
		if len(in) > 4096 {
			return
		}
		rnd := rand.New(rand.NewPCG(seed, 9112))
		chunked := &httpmin.Head{Chunked: true, ContentLength: -1}
		want := bodyFeed(t, chunked, in, rnd, 1)
		for _, pieces := range []int{2, 3, 10, len(in) + 1} {
			if got := bodyFeed(t, chunked, in, rnd, pieces); got != want {
				t.Fatalf("%q\n in %d pieces %v\n in one %v", in, pieces, got, want)
			}
		}
		bodyCheckChunked(t, in, want)
		bodyCheckLength(t, in, rnd, length)
		bodyRoundTrip(t, in, rnd)
	})
}

var bodySeeds = []string{
	"5\r\nhello\r\n0\r\n\r\n",
	"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
	"1;a=b ; c=\"d\"\r\nx\r\n00\r\nA: b\r\nC:\r\n\r\n",
	"12C\r\n", "12D\r\n", "FFFFFFFF\r\n", "FFFFFFFFFFFFFFFF\r\n", "0x1\r\na\r\n0\r\n\r\n",
	"1;a = \"b\\\";\" ;c\r\nx\r\n0;\r\n\r\n", "1;a=\"\r\nx\r\n0\r\n\r\n\"",
	"+1\r\na\r\n", "1 \r\na\r\n", "1\na\n0\n\n", "1\r\nab\r\n", "1;a\nb\r\nx\r\n0\r\n\r\n",
	"0\r\nA : b\r\n\r\n", "0\r\n B: c\r\n\r\n", "0\r\n\n", "",
}

// bodyResult is what reading a body gave.
type bodyResult struct {
	out  string
	used int
	done bool
	err  error
}

func (r bodyResult) String() string {
	return fmt.Sprintf("{out %q, used %d, done %v, err %v}", r.out, r.used, r.done, r.err)
}

// bodyFeed reads a body in about as many pieces, some of them empty.
func bodyFeed(
	t *testing.T, h *httpmin.Head, in []byte, rnd *rand.Rand, pieces int,
) (r bodyResult) {
	var b httpmin.Body
	if err := b.Reset(h, bodyMax); err != nil {
		return bodyResult{err: err}
	}
	var out []byte
	for left := pieces; ; left-- {
		piece := in[r.used:]
		if left > 1 {
			piece = piece[:rnd.IntN(2*len(piece)/left+2)%(len(piece)+1)]
		}
		var n int
		out, n, r.done, r.err = b.Feed(out, piece)
		r.used += n
		if r.done || r.err != nil || r.used == len(in) {
			r.out = string(out)
			return r
		}
		if n != len(piece) {
			t.Fatalf("%q: used %d of a piece of %d bytes, not done", in, n, len(piece))
		}
	}
}

// An extension of a chunk, RFC 9112 §7.1.1.
const (
	bodyToken = "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
	bodyExt   = `[ \t]*;[ \t]*` + bodyToken + `(?:[ \t]*=[ \t]*(?:` + bodyToken + `|` +
		`"(?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[^\x00-\x08\x0a-\x1f\x7f])*"))?`
)

// The chunked coding of RFC 9112 §7.1, as far as it is accepted.
var (
	bodySize = regexp.MustCompile("^([0-9A-Fa-f]{1,8})(?:" + bodyExt + ")*\r\n")
	bodyTail = regexp.MustCompile(
		"^(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n")
)

// bodyNaive decodes a chunked body; used is 0 if it is not good or not whole. Extensions and
// trailers of more than 4096 bytes, which are refused too, do not fit the target's input.
func bodyNaive(in []byte) (out []byte, used int) {
	for {
		m := bodySize.FindSubmatch(in[used:])
		if m == nil {
			return nil, 0
		}
		used += len(m[0])
		size, _ := strconv.ParseInt(string(m[1]), 16, 64) // the expression lets only numbers pass
		if size == 0 {
			break
		}
		if size > int64(bodyMax-len(out)) || int(size)+2 > len(in)-used ||
			string(in[used+int(size):used+int(size)+2]) != "\r\n" {
			return nil, 0
		}
		out = append(out, in[used:used+int(size)]...)
		used += int(size) + 2
	}
	tail := bodyTail.Find(in[used:])
	if tail == nil {
		return nil, 0
	}
	return out, used + len(tail)
}

// bodyCheckChunked compares a result with the naive reader and with net/http.
func bodyCheckChunked(t *testing.T, in []byte, got bodyResult) {
	out, used := bodyNaive(in)
	if got.done != (used > 0) || got.done && (got.out != string(out) || got.used != used) {
		t.Fatalf("%q\n gives %v; the naive reader: %q, used %d", in, got, out, used)
	}
	if !got.done {
		return
	}
	// net/http refuses a few extensions more; it reads up to the last chunk.
	theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(in)))
	if err == nil && string(theirs) != got.out {
		t.Fatalf("%q\n gives %v; net/http: %q", in, got, theirs)
	}
}

// bodyCheckLength reads in as a body of a length.
func bodyCheckLength(t *testing.T, in []byte, rnd *rand.Rand, length int64) {
	h := &httpmin.Head{ContentLength: length}
	got := bodyFeed(t, h, in, rnd, 1+rnd.IntN(4))
	size := int(min(max(length, 0), int64(len(in))))
	switch {
	case length > bodyMax:
		if got.err == nil {
			t.Fatalf("a body of %d bytes is not refused", length)
		}
	case got.err != nil || got.done != (length <= int64(len(in))) ||
		got.out != string(in[:size]) || got.used != size:
		t.Fatalf("%q with length %d gives %v", in, length, got)
	}
}

// bodyRoundTrip chunks in as net/http does and reads it again.
func bodyRoundTrip(t *testing.T, in []byte, rnd *rand.Rand) {
	in = in[:min(len(in), bodyMax)]
	var wire bytes.Buffer
	w := httputil.NewChunkedWriter(&wire)
	for rest := in; len(rest) > 0; {
		n := 1 + rnd.IntN(len(rest))
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wire.WriteString("\r\n")
	h := &httpmin.Head{Chunked: true, ContentLength: -1}
	got := bodyFeed(t, h, wire.Bytes(), rnd, 3)
	if !got.done || got.out != string(in) || got.used != wire.Len() {
		t.Fatalf("%q chunked as %q gives %v", in, wire.Bytes(), got)
	}
}
