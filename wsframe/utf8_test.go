package wsframe_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chskd/chskd/wsframe"
)

// viable reports whether b is the beginning of some valid text, by the standard library: what
// cannot be decoded must be a sequence that is only not full yet.
func viable(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(b)
		}
		b = b[size:]
	}
	return true
}

// texts are whole texts, right and wrong, with the place where the wrong ones go wrong.
var texts = []struct {
	name string
	in   string
	bad  int // offset of the first byte that cannot stand there; -1 = valid
}{
	{"8.1 empty", "", -1},
	{"8.1 ASCII", "Hello", -1},
	{"8.1 NUL and DEL", "\x00\x7F", -1},
	{"8.1 Greek", "\u03ba\u1f79\u03c3\u03bc\u03b5", -1},
	{"8.1 four bytes", "a\U0001F600b\U0010FFFF", -1},
	{"8.1 first and last of each length", "\x00\x7F\u0080\u07FF\u0800\uFFFF\U00010000\U0010FFFF", -1},
	{"8.1 around the surrogates", "\uD7FF\uE000", -1},
	{"8.1 noncharacters", "\uFFFE\uFFFF\U0001FFFE", -1},
	{"8.1 long ASCII then two bytes", strings.Repeat("a", 61) + "\u00E9", -1},
	{"8.1 continuation first", "\x80", 0},
	{"8.1 continuation after text", "abc\xBF", 3},
	{"RFC 3629 3 overlong two bytes", "\xC0\xAF", 0},
	{"RFC 3629 3 overlong two bytes C1", "x\xC1\xBF", 1},
	{"RFC 3629 3 overlong three bytes", "\xE0\x80\xAF", 1},
	{"RFC 3629 3 overlong three bytes, last", "\xE0\x9F\xBF", 1},
	{"RFC 3629 3 overlong four bytes", "\xF0\x80\x80\xAF", 1},
	{"RFC 3629 3 overlong four bytes, last", "\xF0\x8F\xBF\xBF", 1},
	{"RFC 3629 3 high surrogate", "\xED\xA0\x80", 1},
	{"RFC 3629 3 low surrogate", "\xED\xBF\xBF", 1},
	{"RFC 3629 3 surrogate pair", "\xED\xA0\x80\xED\xB0\x80", 1},
	{"RFC 3629 3 above U+10FFFF", "\xF4\x90\x80\x80", 1},
	{"RFC 3629 3 F5", "\xF5\x80\x80\x80", 0},
	{"RFC 3629 3 five-byte form", "\xF8\x88\x80\x80\x80", 0},
	{"RFC 3629 3 FE FF", "\xFE\xFF", 0},
	{"8.1 ASCII inside a sequence", "\xE2\x82A", 2},
	{"8.1 lead inside a sequence", "\xF0\x9F\xE2\x82\xAC", 2},
	{"8.1 fourth byte wrong", "\xF0\x9F\x98\xC0", 3},
	{"8.1 after much text", strings.Repeat("\u20AC", 30) + "\xFF" + strings.Repeat("a", 30), 90},
}

func TestUTF8(t *testing.T) {
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			b := []byte(tt.in)
			for i := range len(b) + 1 {
				checkPieces(t, b, i, i, tt.bad)
				for j := i; j <= min(len(b), i+5); j++ {
					checkPieces(t, b, i, j, tt.bad)
				}
			}
		})
	}
}

// checkPieces feeds b in three pieces; each may fail only if the wrong byte is within it or before.
func checkPieces(t *testing.T, b []byte, i, j, bad int) {
	t.Helper()
	var u wsframe.UTF8
	end := 0
	for _, piece := range [][]byte{b[:i], b[i:j], b[j:]} {
		end += len(piece)
		if got, want := u.Feed(piece), bad < 0 || bad >= end; got != want {
			t.Fatalf("cut at %d and %d, up to %d: Feed = %v, want %v", i, j, end, got, want)
		} else if !got {
			return
		}
		if got, want := u.Done(), utf8.Valid(b[:end]); got != want {
			t.Fatalf("cut at %d and %d: Done = %v after %d bytes, want %v", i, j, got, end, want)
		}
	}
}

// TestUTF8Exhaustive tries every sequence of two bytes with every class of third and fourth, byte
// by byte and at once, against the standard library.
func TestUTF8Exhaustive(t *testing.T) {
	classes := []byte{
		0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF4, 0xFF,
	}
	b := make([]byte, 4)
	for first := range 256 {
		for second := range 256 {
			b[0], b[1] = byte(first), byte(second)
			rest := classes
			if !viable(b[:2]) {
				rest = classes[:1] // refused before
			}
			for _, third := range rest {
				for _, fourth := range rest {
					b[2], b[3] = third, fourth
					checkSequence(t, b)
				}
			}
		}
	}
}

func checkSequence(t *testing.T, b []byte) {
	var steps, once wsframe.UTF8
	ok := true
	for i := range b {
		if ok = steps.Feed(b[i : i+1]); ok != viable(b[:i+1]) {
			t.Fatalf("RFC 3629 4 % x, byte %d: Feed = %v", b, i, ok)
		}
		if !ok {
			break
		}
	}
	if got := once.Feed(b); got != ok {
		t.Fatalf("RFC 3629 4 % x: at once %v, byte by byte %v", b, got, ok)
	}
	if ok && (steps.Done() != once.Done() || once.Done() != utf8.Valid(b)) {
		t.Fatalf("RFC 3629 4 % x: Done = %v, %v", b, steps.Done(), once.Done())
	}
}

func BenchmarkUTF8(b *testing.B) {
	for _, text := range []struct{ name, unit string }{{"ascii", "a"}, {"mixed", "aaaaaaa\u20AC"}} {
		for _, n := range []int{30, 1000} {
			in := []byte(strings.Repeat(text.unit, n/len(text.unit)))
			b.Run(fmt.Sprintf("%s-%d", text.name, len(in)), func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				for b.Loop() {
					var u wsframe.UTF8
					if !u.Feed(in) || !u.Done() {
						b.Fatal("refused")
					}
				}
			})
		}
	}
}
