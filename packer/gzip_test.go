package packer_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"runtime"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/packer"
)

// gzipOf is b by the standard library's writer.
func gzipOf(t testing.TB, h gzip.Header, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Header = h
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// flagged is the wrapper around b with the flag.
func flagged(flag byte, b []byte) []byte { return append([]byte{flag}, b...) }

// gunzip is what the standard library makes of a stream that is one member.
func gunzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	return io.ReadAll(r)
}

func TestGzipPack(t *testing.T) {
	var g packer.Gzip
	for _, n := range []int{0, 1, 125, 1022, 1023, 1024, 1025, 4096, 70_000, 1 << 20} {
		msg := bytes.Repeat([]byte("chat/message "), n/13+1)[:n]
		out := g.Pack([]byte("before"), msg)
		wrapped, ok := bytes.CutPrefix(out, []byte("before"))
		if !ok {
			t.Fatalf("%d: what stood in dst is gone: %.20q", n, out)
		}
		inner, flag := wrapped[1:], byte(0)
		if n >= 1024 {
			flag = 1
			var err error
			if inner, err = gunzip(inner); err != nil {
				t.Fatalf("%d: compress/gzip cannot read it: %v", n, err)
			}
			if len(wrapped) > n/2 {
				t.Errorf("%d bytes became %d", n, len(wrapped))
			}
		}
		if wrapped[0] != flag || !bytes.Equal(inner, msg) {
			t.Fatalf("%d: flag %d around %d bytes", n, wrapped[0], len(inner))
		}
		if back, err := g.Unpack(wrapped, n); err != nil || !bytes.Equal(back, msg) {
			t.Fatalf("%d: unpacked %d bytes, %v", n, len(back), err)
		}
		if n > 0 {
			if _, err := g.Unpack(wrapped, n-1); !errors.Is(err, packer.ErrTooLarge) {
				t.Fatalf("%d: one byte less allowed: %v", n, err)
			}
		}
	}
}

func TestGzipUnpack(t *testing.T) {
	const limit = 5000
	text := []byte(strings.Repeat("[[:a/b] nil] ", 100))
	whole := gzipOf(t, gzip.Header{}, text)
	named := gzipOf(t, gzip.Header{Name: "n", Comment: "c", Extra: []byte("extra")}, text)
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-5] ^= 1
	wrongLen := bytes.Clone(whole)
	wrongLen[len(wrongLen)-1] ^= 1
	for _, c := range []struct {
		name string
		in   []byte
		want []byte
		err  error
	}{
		{"nothing", nil, nil, packer.ErrUndecodable},
		{"flag alone", []byte{0}, []byte{}, nil},
		{"raw", []byte("\x00[]"), []byte("[]"), nil},
		{"another flag is raw", []byte("\x02[]"), []byte("[]"), nil},
		{"255 is raw", []byte("\xff[]"), []byte("[]"), nil},
		{"raw of the limit", make([]byte, limit+1), make([]byte, limit), nil},
		{"raw over the limit", make([]byte, limit+2), nil, packer.ErrTooLarge},
		{"RFC 1952 §2.3 member", flagged(1, whole), text, nil},
		{"RFC 1952 §2.3.1 name, comment, extra", flagged(1, named), text, nil},
		{"RFC 1952 §2.3.1.1 extra that is not there",
			[]byte("\x01\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\xff\xff"), nil, packer.ErrUndecodable},
		{"short is in gzip too", flagged(1, gzipOf(t, gzip.Header{}, []byte("[]"))), []byte("[]"), nil},
		{"nothing in gzip", flagged(1, gzipOf(t, gzip.Header{}, nil)), []byte{}, nil},
		{"NULs behind", append(flagged(1, whole), 0, 0, 0), text, nil},
		{"RFC 1952 §2.2 only the first member", append(flagged(1, whole), whole...), text, nil},
		{"no gzip at all", []byte("\x01[]"), nil, packer.ErrUndecodable},
		{"gzip flag alone", []byte{1}, nil, packer.ErrUndecodable},
		{"header alone", flagged(1, whole[:10]), nil, packer.ErrUndecodable},
		{"no trailer", flagged(1, whole[:len(whole)-8]), nil, packer.ErrUndecodable},
		{"cut short", flagged(1, whole[:len(whole)-1]), nil, packer.ErrUndecodable},
		{"RFC 1952 §2.3.1 CRC32", flagged(1, wrongSum), nil, packer.ErrUndecodable},
		{"RFC 1952 §2.3.1 ISIZE", flagged(1, wrongLen), nil, packer.ErrUndecodable},
		{"a bomb", flagged(1, gzipOf(t, gzip.Header{}, make([]byte, 10<<20))), nil, packer.ErrTooLarge},
		{"a little over", flagged(1, gzipOf(t, gzip.Header{}, make([]byte, limit+1))), nil,
			packer.ErrTooLarge},
		{"just the limit", flagged(1, gzipOf(t, gzip.Header{}, make([]byte, limit))),
			make([]byte, limit), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g packer.Gzip
			for range 2 { // the second one on used memory
				before := bytes.Clone(c.in)
				got, err := g.Unpack(c.in, limit)
				if !errors.Is(err, c.err) || !bytes.Equal(got, c.want) {
					t.Fatalf("got %d bytes, %v; want %d, %v", len(got), err, len(c.want), c.err)
				}
				if !bytes.Equal(before, c.in) {
					t.Fatal("the input was changed")
				}
				if got, err := g.Unpack(flagged(1, whole), limit); err != nil || !bytes.Equal(got, text) {
					t.Fatalf("the next message: %d bytes, %v", len(got), err)
				}
				g.Trim()
			}
		})
	}
}

// held is the memory in use.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestGzipMemory: what a Gzip keeps is what its documentation says.
func TestGzipMemory(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var pack packer.Gzip
	wrapped := pack.Pack(nil, large)
	dst := make([]byte, 0, len(wrapped))
	for _, c := range []struct {
		name string
		most int64
		use  func(*packer.Gzip)
	}{
		{"short ones", 32 << 10, func(g *packer.Gzip) {
			dst = g.Pack(dst[:0], large[:1023])
			if _, err := g.Unpack(dst, 1<<20); err != nil {
				t.Fatal(err)
			}
		}},
		{"what is no gzip", 32 << 10, func(g *packer.Gzip) {
			if _, err := g.Unpack([]byte("\x01no gzip at all"), 1<<20); err == nil {
				t.Fatal("it was taken")
			}
		}},
		{"writing", 900 << 10, func(g *packer.Gzip) { dst = g.Pack(dst[:0], large) }},
		{"reading", (64 + 64) << 10, func(g *packer.Gzip) {
			if _, err := g.Unpack(wrapped, 1<<20); err != nil {
				t.Fatal(err)
			}
			g.Trim()
		}},
		{"a bomb", (64 + 64) << 10, func(g *packer.Gzip) {
			if _, err := g.Unpack(wrapped, 1<<20-1); err == nil {
				t.Fatal("it was taken")
			}
			g.Trim()
		}},
	} {
		g := new(packer.Gzip)
		before := held()
		c.use(g)
		if n := held() - before; n > c.most {
			t.Errorf("%s: %d bytes are kept, want at most %d", c.name, n, c.most)
		} else {
			t.Logf("%s: %d bytes", c.name, n)
		}
		runtime.KeepAlive(g)
	}
}

func TestGzipAllocatesNothing(t *testing.T) {
	for _, n := range []int{90, 2000, 50_000} {
		var g packer.Gzip
		msg := chatHistory(n)
		wrapped := make([]byte, 0, n+100)
		work := func() {
			wrapped = g.Pack(wrapped[:0], msg)
			inner, err := g.Unpack(wrapped, 1<<20)
			if err != nil || len(inner) != n {
				t.Fatal(len(inner), err)
			}
			g.Trim()
		}
		work()
		if got := testing.AllocsPerRun(100, work); got != 0 {
			t.Errorf("%d bytes: %v allocations", n, got)
		}
	}
}

// chatHistory is a batch of n bytes: messages with ids, times and words, as edn.
func chatHistory(n int) []byte {
	rng := rand.New(rand.NewSource(1))
	words := strings.Fields("hello the a of when message tomorrow house and we shall meet at five " +
		"please bring some coffee report is not ready yet but nearly I think it will")
	b := []byte("[[[:chat/history [")
	for len(b) < n {
		b = fmt.Appendf(b, "{:id #uuid \"%08x-%04x-4%03x-8%03x-%012x\", :from \"%s%d\", "+
			":at #inst \"2024-01-02T03:%02d:%02d.%03d-00:00\", :likes %d, :text \"",
			rng.Uint32(), rng.Intn(1<<16), rng.Intn(1<<12), rng.Intn(1<<12), rng.Int63n(1<<48),
			words[rng.Intn(len(words))], rng.Intn(100), rng.Intn(60), rng.Intn(60), rng.Intn(1000),
			rng.Intn(50))
		for range 3 + rng.Intn(12) {
			b = append(append(b, words[rng.Intn(len(words))]...), ' ')
		}
		b = append(b, "\"} "...)
	}
	return b[:n]
}

func BenchmarkGzip(b *testing.B) {
	for _, n := range []int{90, 2000, 100_000} {
		var g packer.Gzip
		msg := chatHistory(n)
		wrapped := g.Pack(nil, msg)
		rounds := 5000 // of what is left as it is
		if n > 1000 {
			rounds = 25
		}
		b.Run(fmt.Sprintf("pack/%d", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for loop := count.Loop(b, rounds); loop.Next(); {
				wrapped = g.Pack(wrapped[:0], msg)
			}
			b.ReportMetric(100*float64(len(wrapped))/float64(n), "%size")
		})
		b.Run(fmt.Sprintf("unpack/%d", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for loop := count.Loop(b, rounds); loop.Next(); {
				if _, err := g.Unpack(wrapped, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
