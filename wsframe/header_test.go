package wsframe_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/gobwas/ws"

	"github.com/chskd/chskd/wsframe"
)

// codeOf returns the close code that err asks for, or 0.
func codeOf(err error) uint16 {
	var e *wsframe.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

var key = [4]byte{0x37, 0xFA, 0x21, 0x3D}

func TestParseHeader(t *testing.T) {
	type header = wsframe.Header
	tests := []struct {
		name string
		in   string
		want header
	}{
		{"5.7 single unmasked text", "\x81\x05", header{Fin: true, Opcode: wsframe.Text, Len: 5}},
		{
			"5.7 single masked text", "\x81\x85\x37\xFA\x21\x3D",
			header{Fin: true, Opcode: wsframe.Text, Masked: true, Key: key, Len: 5},
		},
		{"5.7 first fragment", "\x01\x03", header{Opcode: wsframe.Text, Len: 3}},
		{"5.7 last fragment", "\x80\x02", header{Fin: true, Len: 2}},
		{"5.7 ping", "\x89\x05", header{Fin: true, Opcode: wsframe.Ping, Len: 5}},
		{
			"5.7 masked pong", "\x8A\x85\x37\xFA\x21\x3D",
			header{Fin: true, Opcode: wsframe.Pong, Masked: true, Key: key, Len: 5},
		},
		{
			"5.7 binary of 256 bytes", "\x82\x7E\x01\x00",
			header{Fin: true, Opcode: wsframe.Binary, Len: 256},
		},
		{
			"5.7 binary of 64 KiB", "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00",
			header{Fin: true, Opcode: wsframe.Binary, Len: 65536},
		},
		{"5.2 seven-bit length 125", "\x82\x7D", header{Fin: true, Opcode: 2, Len: 125}},
		{"5.2 sixteen-bit length 126", "\x82\x7E\x00\x7E", header{Fin: true, Opcode: 2, Len: 126}},
		{"5.2 sixteen-bit length 65535", "\x82\x7E\xFF\xFF", header{Fin: true, Opcode: 2, Len: 65535}},
		{
			"5.2 length 2^63-1", "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
			header{Fin: true, Opcode: 2, Len: math.MaxInt64},
		},
		{"5.2 RSV1", "\xC1\x00", header{Fin: true, RSV: 4, Opcode: wsframe.Text}},
		{"5.2 RSV2 RSV3", "\x31\x00", header{RSV: 3, Opcode: wsframe.Text}},
		{"5.5 control of 125 bytes", "\x88\x7D", header{Fin: true, Opcode: wsframe.Close, Len: 125}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, n, err := wsframe.ParseHeader([]byte(tt.in + "payload"))
			if h != tt.want || n != len(tt.in) || err != nil {
				t.Fatalf("got %+v, %d, %v; want %+v, %d", h, n, err, tt.want, len(tt.in))
			}
			for i := range len(tt.in) {
				if _, n, err := wsframe.ParseHeader([]byte(tt.in[:i])); err != wsframe.ErrShort || n != 0 {
					t.Errorf("first %d bytes: %d, %v; want ErrShort", i, n, err)
				}
			}
		})
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	tests := []struct{ name, in string }{
		{"5.2 opcode 3", "\x83\x00"},
		{"5.2 opcode 7", "\x87\x00"},
		{"5.2 opcode 11", "\x8B\x00"},
		{"5.2 opcode 15", "\x8F\x00"},
		{"5.2 length 125 in sixteen bits", "\x82\x7E\x00\x7D"},
		{"5.2 length 0 in sixteen bits", "\x82\x7E\x00\x00"},
		{"5.2 length 65535 in 64 bits", "\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF"},
		{"5.2 length 2^63", "\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00"},
		{"5.2 length 2^64-1", "\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"},
		{"5.5 close in fragments", "\x08\x00"},
		{"5.5 ping in fragments", "\x09\x00"},
		{"5.5 ping with sixteen-bit length", "\x89\x7E\x00\x7E"},
		{"5.5 pong with 64-bit length", "\x8A\x7F"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, n, err := wsframe.ParseHeader([]byte(tt.in))
			if codeOf(err) != 1002 || n != 0 || h != (wsframe.Header{}) {
				t.Fatalf("got %+v, %d, %v; want an error 1002 alone", h, n, err)
			}
		})
	}
}

// TestHeaderForms appends headers at every edge of the length forms and reads them back, here and
// with another implementation.
func TestHeaderForms(t *testing.T) {
	lens := []int{0, 1, 125, 126, 127, 255, 256, 65535, 65536, 1 << 24, math.MaxInt64}
	for _, n := range lens {
		for _, fin := range []bool{true, false} {
			want := wsframe.Header{
				Fin: fin, Opcode: wsframe.Binary, Masked: true, Key: key, Len: uint64(n),
			}
			checkForm(t, wsframe.AppendClientHeader(nil, fin, wsframe.Binary, key, n), want)
		}
		want := wsframe.Header{Fin: true, Opcode: wsframe.Text, Len: uint64(n)}
		checkForm(t, wsframe.AppendHeader(nil, wsframe.Text, n), want)
	}
	if got := wsframe.AppendHeader([]byte("x"), wsframe.Ping, 3); string(got) != "x\x89\x03" {
		t.Errorf("5.2 appended to what is there: % x", got)
	}
}

func checkForm(t *testing.T, b []byte, want wsframe.Header) {
	t.Helper()
	h, n, err := wsframe.ParseHeader(b)
	if h != want || n != len(b) || err != nil || n > wsframe.HeaderLenMax {
		t.Errorf("% x: got %+v, %d, %v; want %+v", b, h, n, err, want)
	}
	o, err := ws.ReadHeader(bytes.NewReader(b))
	if err != nil || o.Fin != want.Fin || uint64(o.Length) != want.Len || o.Mask != want.Key ||
		byte(o.OpCode) != byte(want.Opcode) || o.Masked != want.Masked {
		t.Errorf("% x: gobwas/ws reads %+v, %v; want %+v", b, o, err, want)
	}
}

func TestNegativeLengthPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a negative length was encoded")
		}
	}()
	wsframe.AppendHeader(nil, wsframe.Text, -1)
}
