package bench_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/chskd/chskd/bench"
)

func TestParseFrame(t *testing.T) {
	long := strings.Repeat("x", 300)
	cases := []struct {
		name    string
		in      string
		op      byte
		fin     bool
		payload string
		err     string
	}{
		{"RFC 6455 §5.7 unmasked text", "\x81\x05Hello", 1, true, "Hello", ""},
		{"RFC 6455 §5.7 first fragment", "\x01\x03Hel", 1, false, "Hel", ""},
		{"RFC 6455 §5.7 last fragment", "\x80\x02lo", 0, true, "lo", ""},
		{"RFC 6455 §5.5.2 ping", "\x89\x05Hello", 9, true, "Hello", ""},
		{"RFC 6455 §5.2 16-bit length", "\x81\x7e\x01\x2c" + long, 1, true, long, ""},
		{"RFC 6455 §5.1 masked by server", "\x81\x85\x00\x00\x00\x00Hello", 0, false, "", "masked"},
		{"RFC 6455 §5.2 RSV1", "\xc1\x00", 0, false, "", "RSV"},
		{"RFC 6455 §5.2 reserved opcode 3", "\x83\x00", 0, false, "", "reserved"},
		{"RFC 6455 §5.2 reserved opcode 11", "\x8b\x00", 0, false, "", "reserved"},
		{"RFC 6455 §5.5 fragmented ping", "\x09\x00", 0, false, "", "fragmented"},
		{"RFC 6455 §5.5 long ping", "\x89\x7e\x00\x7e", 0, false, "", "125"},
		{"RFC 6455 §5.2 16-bit form of 5", "\x81\x7e\x00\x05Hello", 0, false, "", "shortest"},
		{"RFC 6455 §5.2 64-bit form of 5", "\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x05Hello", 0, false, "",
			"shortest"},
		{"RFC 6455 §5.2 length over the limit", "\x81\x7f\x00\x00\x00\x00\x7f\x00\x00\x00", 0, false, "",
			"limit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := []byte(c.in + "next")
			fin, op, payload, n, err := bench.ParseFrame(in)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil || fin != c.fin || op != c.op || string(payload) != c.payload ||
				n != len(c.in) {
				t.Fatalf("got fin %v op %d %q n %d err %v", fin, op, payload, n, err)
			}
			for cut := range len(c.in) {
				if _, _, _, _, err := bench.ParseFrame(in[:cut]); !errors.Is(err, bench.ErrShort) {
					t.Fatalf("first %d bytes: %v, want ErrShort", cut, err)
				}
			}
		})
	}
}

func TestAppendFrame(t *testing.T) {
	got := bench.AppendFrame(nil, 1, 0x3d21fa37, []byte("Hello"))
	want := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}
	if !bytes.Equal(got, want) {
		t.Errorf("RFC 6455 §5.7 masked Hello: % x, want % x", got, want)
	}
	payload := bytes.Repeat([]byte("0123456789abc"), 20)
	frame := bench.AppendFrame(nil, 1, 0x04030201, payload)
	if !bytes.Equal(frame[:4], []byte{0x81, 0xfe, 0x01, 0x04}) {
		t.Fatalf("head of 260 bytes: % x", frame[:4])
	}
	for i, b := range frame[8:] {
		if b^byte(i%4+1) != payload[i] {
			t.Fatalf("byte %d is masked wrong", i)
		}
	}
}

func TestParseUpgrade(t *testing.T) {
	accept := bench.AcceptKey("dGhlIHNhbXBsZSBub25jZQ==")
	if accept != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("RFC 6455 §1.3: accept is %q", accept)
	}
	good := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nsec-websocket-accept:  " +
		accept + "\r\nConnection: Upgrade\r\n\r\n"
	n, err := bench.ParseUpgrade([]byte(good+"\x81\x00"), accept)
	if n != len(good) || err != nil {
		t.Fatalf("n %d, err %v", n, err)
	}
	for cut := range len(good) {
		if _, err := bench.ParseUpgrade([]byte(good[:cut]), accept); !errors.Is(err, bench.ErrShort) {
			t.Fatalf("first %d bytes: %v, want ErrShort", cut, err)
		}
	}
	bad := []struct{ name, in, err string }{
		{"403", "HTTP/1.1 403 Forbidden\r\n\r\nBad CSRF token", "Bad CSRF token"},
		{"no accept", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", "without"},
		{"wrong accept", "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: abc\r\n\r\n", "wrong"},
		{"not HTTP", "SSH-2.0-OpenSSH", "not an HTTP"},
		{"endless head", "HTTP/1.1 101 X\r\nA: " + strings.Repeat("a", 20<<10), "over"},
	}
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			_, err := bench.ParseUpgrade([]byte(c.in), accept)
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}
