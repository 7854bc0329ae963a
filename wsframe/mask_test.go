package wsframe_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/chskd/chskd/wsframe"
)

// naiveMask is the formula of RFC 6455 §5.3, octet by octet.
func naiveMask(b []byte, key [4]byte, pos int) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ key[(pos+i)%4]
	}
	return out
}

// randomBytes returns n bytes of a fixed sequence.
func randomBytes(n int) []byte {
	r := rand.New(rand.NewPCG(6455, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestMask covers both kernels and every length around their edges, at every phase of the key, and
// that nothing outside the slice is touched.
func TestMask(t *testing.T) {
	whole := randomBytes(600)
	for n := range 520 {
		for pos := range 9 {
			buf := bytes.Clone(whole)
			at := pos * 3 // also at odd addresses
			wsframe.Mask(buf[at:at+n:at+n], key, pos)
			want := bytes.Clone(whole)
			copy(want[at:], naiveMask(whole[at:at+n], key, pos))
			if !bytes.Equal(buf, want) {
				t.Fatalf("5.3 %d bytes at pos %d differ", n, pos)
			}
		}
	}
}

func TestMaskInPieces(t *testing.T) {
	for _, n := range []int{1, 7, 30, 129, 1000} {
		plain := randomBytes(n)
		want := naiveMask(plain, key, 0)
		for cut := range n + 1 {
			buf := bytes.Clone(plain)
			wsframe.Mask(buf[:cut], key, 0)
			wsframe.Mask(buf[cut:], key, cut)
			if !bytes.Equal(buf, want) {
				t.Fatalf("5.3 %d bytes cut at %d differ", n, cut)
			}
			wsframe.Mask(buf, key, 0)
			if !bytes.Equal(buf, plain) {
				t.Fatalf("5.3 masking %d bytes twice does not give them back", n)
			}
		}
	}
}

func TestMaskExample(t *testing.T) {
	b := []byte("\x7F\x9F\x4D\x51\x58")
	wsframe.Mask(b, key, 0)
	if string(b) != "Hello" {
		t.Errorf("5.7 unmasked: %q, want Hello", b)
	}
}

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{8, 30, 125, 256, 257, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			buf := make([]byte, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				wsframe.Mask(buf, key, 1)
			}
		})
	}
}
