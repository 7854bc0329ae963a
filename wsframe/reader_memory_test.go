package wsframe_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/wsframe"
)

// TestReaderSize holds the Reader to what a slab of a million costs: 16 MB that the garbage
// collector does not look into.
func TestReaderSize(t *testing.T) {
	if n := unsafe.Sizeof(wsframe.Reader{}); n != 16 {
		t.Errorf("a Reader has %d bytes, want 16", n)
	}
	checkPointerFree(t, reflect.TypeFor[wsframe.Reader]())
}

func checkPointerFree(t *testing.T, typ reflect.Type) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Struct:
		for i := range typ.NumField() {
			checkPointerFree(t, typ.Field(i).Type)
		}
	case reflect.Array:
		checkPointerFree(t, typ.Elem())
	case reflect.Bool, reflect.Uint8, reflect.Uint16, reflect.Uint32:
	default:
		t.Errorf("a Reader holds a %v", typ)
	}
}

// within reports whether p lies inside b.
func within(p, b []byte) bool {
	if len(p) == 0 {
		return true
	}
	at := uintptr(unsafe.Pointer(&p[0]))
	start := uintptr(unsafe.Pointer(&b[0]))
	return at >= start && at+uintptr(len(p)) <= start+uintptr(len(b))
}

// TestReaderInPlace: what arrives whole is not copied, also if only its header came before, and the
// buffer for pieces is not touched.
func TestReaderInPlace(t *testing.T) {
	tests := []struct {
		name string
		in   string
		cut  int
	}{
		{"text", frame(0x81, "Hello"), 0},
		{"binary of 1 KiB", frame(0x82, strings.Repeat("x", 1024)), 0},
		{"header first", frame(0x81, "Hello"), 6},
		{"half a header first", frame(0x81, "Hello"), 3},
		{"ping", frame(0x89, "Hello"), 0},
		{"ping in two pieces", frame(0x89, "Hello"), 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r wsframe.Reader
			var res wsframe.Result
			var asm []byte
			b := []byte(tt.in)
			at, err := r.Next(b[:tt.cut], &asm, maxLen, &res)
			if err == nil {
				_, err = r.Next(b[at:], &asm, maxLen, &res)
			}
			if err != nil || res.Kind == wsframe.None || res.Assembled || asm != nil {
				t.Fatalf("got %+v, %v, buffer %v", res, err, asm)
			}
			if !within(res.Payload, b) || cap(res.Payload) != len(res.Payload) {
				t.Error("the payload is not in the input, or reaches beyond the frame")
			}
		})
	}
}

// TestReaderAssembles: the buffer holds what has arrived, never what a header promised, and stale
// content is not taken for a message's beginning.
func TestReaderAssembles(t *testing.T) {
	var r wsframe.Reader
	var res wsframe.Result
	asm := []byte("stale")
	in := []byte(frame(0x82, strings.Repeat("x", 60000)))
	n, err := r.Next(in[:100], &asm, maxLen, &res)
	if n != 100 || err != nil || res.Kind != wsframe.None || !r.Started() {
		t.Fatalf("first piece: %d, %v, %+v", n, err, res)
	}
	if string(asm) != strings.Repeat("x", 92) || cap(asm) > 1024 {
		t.Fatalf("buffer has %d bytes, room for %d; 92 have arrived", len(asm), cap(asm))
	}
	n, err = r.Next(in[100:], &asm, maxLen, &res)
	if n != len(in)-100 || err != nil || !res.Assembled || len(res.Payload) != 60000 || r.Started() {
		t.Fatalf("rest: %d, %v, %d bytes", n, err, len(res.Payload))
	}
	checkAssembled(t, &res, &asm)
}

// TestReaderFirstErrorStays: after an error everything is swallowed, without a second error.
func TestReaderFirstErrorStays(t *testing.T) {
	var r wsframe.Reader
	var res wsframe.Result
	var asm []byte
	if n, err := r.Next([]byte("\xFFrest"), &asm, maxLen, &res); n != 5 || codeOf(err) != 1002 {
		t.Fatalf("%d, %v", n, err)
	}
	n, err := r.Next([]byte(frame(0x81, "x")), &asm, maxLen, &res)
	if n != 7 || err != nil || res.Kind != wsframe.None || !r.Ended() {
		t.Fatalf("after the error: %d, %v, %+v", n, err, res)
	}
}

// TestReaderDoesNotAllocate covers what happens for every frame of a healthy connection, and
// assembling into a buffer that is large enough.
func TestReaderDoesNotAllocate(t *testing.T) {
	tests := []struct{ name, in string }{
		{"text", frame(0x81, "[[:chat/send {:text \"h\u00E9llo\"}] nil]")},
		{"text of 1 KiB", frame(0x81, strings.Repeat("x", 1024))},
		{"ping", frame(0x89, "p")},
		{"fragments", frame(0x01, "abc") + frame(0x80, "def")},
		{"half a frame", frame(0x81, "abcdef")[:9]},
		{"error", "\xFF"},
		{"bad text", frame(0x81, "\xFF")},
		{"bad close", frame(0x88, "\x00\x00")},
	}
	for _, tt := range tests {
		b := make([]byte, len(tt.in))
		asm := make([]byte, 0, 64)
		var res wsframe.Result
		if n := testing.AllocsPerRun(100, func() {
			var r wsframe.Reader
			copy(b, tt.in)
			asm = asm[:0]
			for at := 0; at < len(b); {
				n, _ := r.Next(b[at:], &asm, maxLen, &res)
				at += n
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

func TestKernelsDoNotAllocate(t *testing.T) {
	b := bytes.Repeat([]byte("text \u20AC "), 50)
	dst := make([]byte, 0, 256)
	kernels := map[string]func(){
		"Mask": func() { wsframe.Mask(b, key, 1); wsframe.Mask(b[:30], key, 0) },
		"UTF8": func() { var u wsframe.UTF8; u.Feed(b); u.Feed(b[:7]) },
		"Headers": func() {
			dst = wsframe.AppendHeader(dst[:0], wsframe.Binary, 7)
			dst = wsframe.AppendClientHeader(dst, true, wsframe.Text, key, 300)
		},
		"Close": func() { dst = wsframe.AppendClose(dst[:0], 1001, "going away") },
		"Parse": func() {
			if _, _, err := wsframe.ParseHeader(b[:1]); err != wsframe.ErrShort {
				panic(err)
			}
			if _, _, err := wsframe.ParseClose(b[:1]); err == nil {
				panic("a close payload of one byte passed")
			}
		},
	}
	for name, kernel := range kernels {
		if n := testing.AllocsPerRun(100, kernel); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkParseHeader(b *testing.B) {
	in := []byte(frame(0x81, "Hello"))
	b.SetBytes(6)
	for loop := count.Loop(b, 10_000); loop.Next(); {
		if _, _, err := wsframe.ParseHeader(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReader reads one message. Copying it back into the input is part of the figure; the case
// "copy" shows that alone.
func BenchmarkReader(b *testing.B) {
	for _, n := range []int{30, 120, 1 << 10, 64 << 10} {
		in := frame(0x81, strings.Repeat("x", n))
		buf := make([]byte, len(in))
		b.Run(fmt.Sprintf("copy-%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				copy(buf, in)
			}
		})
		b.Run(fmt.Sprintf("message-%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			var r wsframe.Reader
			var res wsframe.Result
			var asm []byte
			for loop := count.Loop(b, 1000); loop.Next(); {
				copy(buf, in)
				if n, err := r.Next(buf, &asm, maxLen, &res); n != len(buf) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}
