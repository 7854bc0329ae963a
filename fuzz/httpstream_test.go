package fuzz_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/wirecases"
)

// streamMax is the longest stream in this target.
const streamMax = 4000

// streamCases are the streams of the conformance cases, as far as they are short.
var streamCases = func() (in []string) {
	for _, c := range wirecases.HTTPCases() {
		if len(c.In) <= 1000 {
			in = append(in, c.In)
		}
	}
	return in
}()

// FuzzHTTPStream gives a whole connection of requests, arbitrary ones and conformance cases with
// something put in or taken out: heads, bodies and what is between them. Pieces must not matter;
// and net/http, reading the same bytes, must find the same requests with the same bodies. What it
// refuses, of what we read, must be in streamRefused.
func FuzzHTTPStream(f *testing.F) {
	for i, in := range streamCases {
		f.Add([]byte(in), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 9112))
		if len(in) <= streamMax {
			streamCheck(t, string(in), rnd)
		}
		streamCheck(t, streamMutant(rnd, string(in)), rnd)
	})
}

// streamBits are what streamMutant puts in.
var streamBits = []string{
	"\r", "\n", "\r\n", "\n\n", "\r\n\r\n", " ", "\t", "\x00", "\v", "\x7f", "\xa0", "\xff", ":", ";", ",",
	"\"", "\\", "=", "+", "-", "0", "1", "5", "a", "0x", "_", "#", "?", "/", "@", "%", "*",
	"Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Host: x\r\n", "Connection: close\r\n",
	"Expect: 100-continue\r\n", "A: b\r\n", "0\r\n\r\n", "3\r\nabc\r\n", ";a=\"b\"", "http://x", " HTTP/1.1",
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Trailer: A\r\n", "chunked", "HTTP/1.0",
}

// streamMutant joins some cases and changes them in a few places.
func streamMutant(rnd *rand.Rand, in string) string {
	var s string
	for range 1 + rnd.IntN(3) {
		s += streamCases[rnd.IntN(len(streamCases))]
	}
	for range rnd.IntN(4) {
		at := rnd.IntN(len(s) + 1)
		end := min(len(s), at+rnd.IntN(3))
		bit := streamBits[rnd.IntN(len(streamBits))]
		if rnd.IntN(10) == 0 {
			bit = in[:min(len(in), 40)]
		}
		s = s[:at] + bit + s[end:]
	}
	return s + wirecases.Behind
}

// streamCheck makes all comparisons for one stream.
func streamCheck(t *testing.T, in string, rnd *rand.Rand) {
	t.Helper()
	requests, end := wirecases.ReadHTTP(in, nil)
	for range 3 {
		cuts := framesCuts(rnd, len(in))
		again, endAgain := wirecases.ReadHTTP(in, cuts)
		if !slices.Equal(again, requests) || endAgain != end {
			t.Fatalf("%q\n whole      %+v %s\n cut at %v %+v %s", in, requests, end, cuts, again, endAgain)
		}
	}
	b := bufio.NewReader(strings.NewReader(in))
	for i, r := range requests {
		got, err := streamNext(b)
		if err != nil && streamRefused(&r, in, err) {
			return
		}
		want := fmt.Sprintf("%s %s %s %q", r.Method, r.Target, strings.ToLower(r.Host), r.Body)
		if err != nil || got != want {
			t.Fatalf("%q\n request %d: %s\n net/http:  %s, %v", in, i, want, got, err)
		}
	}
}

// streamNext reads one request with net/http, words it as streamCheck does.
func streamNext(b *bufio.Reader) (string, error) {
	for { // net/http takes no empty line before a request, which RFC 9112 §2.2 asks for
		if next, _ := b.Peek(1); len(next) == 0 || next[0] != '\r' && next[0] != '\n' {
			break
		}
		_, _ = b.Discard(1) // Peek has shown it
	}
	r, err := http.ReadRequest(b)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s %s %q", r.Method, r.RequestURI, strings.ToLower(r.Host), body), nil
}

// spaceBeforeExtension is what net/http does not take for the "bad white space" of RFC 9112 §7.1.1.
var spaceBeforeExtension = regexp.MustCompile(`[0-9A-Fa-f][ \t]+;`)

// streamRefused lists what we read and net/http refuses.
func streamRefused(r *wirecases.Request, in string, err error) bool {
	text := err.Error()
	switch {
	case strings.Contains(text, "invalid byte in chunk length"):
		return spaceBeforeExtension.MatchString(in)
	case strings.Contains(text, "bad trailer key"): // it wants to know what a Trailer field names
		return strings.Contains(strings.ToLower(in), "trailer:")
	case strings.Contains(text, "parse "): // names with escapes, which RFC 3986 §3.2.2 has
		return strings.Contains(r.Host, "%") && strings.Contains(r.Target, "://")
	}
	return false
}
