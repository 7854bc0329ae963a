package wsframe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chskd/chskd/wsframe"
)

const maxLen = 1 << 16

// frame builds a client's frame: first is FIN, RSV and opcode as on the wire.
func frame(first byte, payload string) string {
	b := wsframe.AppendClientHeader(nil, true, 0, key, len(payload))
	b[0] = first
	return string(append(b, naiveMask([]byte(payload), key, 0)...))
}

// unmasked builds the same frame without a mask.
func unmasked(first byte, payload string) string {
	b := wsframe.AppendHeader(nil, 0, len(payload))
	b[0] = first
	return string(b) + payload
}

// mask puts the key between a header without one and its payload.
func mask(header, payload string) string {
	b := []byte(header)
	b[1] |= 0x80
	b = append(b, key[:]...)
	return string(append(b, naiveMask([]byte(payload), key, 0)...))
}

// play shows in to a Reader in pieces that end at cuts, keeping what was not consumed as a
// connection does, and returns what came out, one line each. It checks what Next promises of every
// call.
func play(t testing.TB, in string, maxLen int, cuts ...int) (out []string) {
	t.Helper()
	var r wsframe.Reader
	var res wsframe.Result
	var asm, pending []byte
	at := 0
	for _, end := range append(slices.Clone(cuts), len(in)) {
		pending = append(slices.Clone(pending), in[at:end]...)
		at = end
		for {
			before := string(pending)
			n, err := r.Next(pending[:len(pending):len(pending)], &asm, maxLen, &res)
			if err != nil {
				if n != len(pending) || res.Kind != wsframe.None || !r.Ended() {
					t.Fatalf("error with n %d of %d, kind %d", n, len(pending), res.Kind)
				}
				return append(out, fmt.Sprintf("error %d", codeOf(err)))
			}
			if res.Kind == wsframe.None && n == 0 {
				if len(pending) > wsframe.PendingMax || string(pending) != before {
					t.Fatalf("%d bytes left waiting, or changed", len(pending))
				}
				break
			}
			if res.Kind != wsframe.None {
				out = append(out, line(&res))
				checkAssembled(t, &res, &asm)
			}
			pending = pending[n:]
		}
	}
	if r.Started() {
		out = append(out, "open")
	}
	return out
}

// checkAssembled checks that an assembled payload is all of *asm, and takes it.
func checkAssembled(t testing.TB, res *wsframe.Result, asm *[]byte) {
	t.Helper()
	if !res.Assembled {
		return
	}
	if len(res.Payload) == 0 || len(res.Payload) != len(*asm) || &res.Payload[0] != &(*asm)[0] {
		t.Fatal("assembled payload is not the buffer's content")
	}
	*asm = (*asm)[:0]
}

// line describes a result, long payloads by their ends.
func line(res *wsframe.Result) string {
	p := string(res.Payload)
	if len(p) > 200 {
		p = fmt.Sprintf("%s..%s(%d)", p[:2], p[len(p)-2:], len(p))
	}
	name := map[wsframe.Opcode]string{
		wsframe.Text: "text", wsframe.Binary: "binary",
		wsframe.Close: "close", wsframe.Ping: "ping", wsframe.Pong: "pong",
	}[res.Opcode]
	kind := wsframe.Message
	if res.Opcode.Control() {
		kind = map[string]wsframe.Kind{
			"close": wsframe.CloseFrame, "ping": wsframe.PingFrame, "pong": wsframe.PongFrame,
		}[name]
	}
	if res.Kind != kind {
		return fmt.Sprintf("kind %d with opcode %d", res.Kind, res.Opcode)
	}
	return name + " " + p
}

// everyCut plays in whole, cut in two at every byte, and byte by byte.
func everyCut(t *testing.T, in string, maxLen int, want []string) {
	t.Helper()
	check := func(how string, cuts ...int) {
		t.Helper()
		if got := play(t, in, maxLen, cuts...); !slices.Equal(got, want) {
			t.Fatalf("%s: got %q, want %q", how, got, want)
		}
	}
	check("whole")
	step := max(1, len(in)/500)
	var each []int
	for i := 1; i < len(in); i++ {
		each = append(each, i)
		if i%step == 0 || i < 20 || i > len(in)-20 {
			check(fmt.Sprintf("cut at %d", i), i)
		}
	}
	check("byte by byte", each...)
}

type readerCase struct {
	name string
	in   string
	want string // lines joined by |
}

func runReaderCases(t *testing.T, cases []readerCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			if tt.want != "" {
				want = strings.Split(tt.want, "|")
			}
			everyCut(t, tt.in, maxLen, want)
		})
	}
}

func TestReaderMessages(t *testing.T) {
	long := func(n int) string { return "<<" + strings.Repeat("x", n-4) + ">>" }
	runReaderCases(t, []readerCase{
		{"5.7 masked Hello", "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", "text Hello"},
		{"5.7 masked pong Hello", "\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", "pong Hello"},
		{"5.7 fragmented Hello", frame(0x01, "Hel") + frame(0x80, "lo"), "text Hello"},
		{"5.7 binary of 256 bytes", frame(0x82, long(256)), "binary <<..>>(256)"},
		{"5.7 binary of 64 KiB", frame(0x82, long(65536)), "binary <<..>>(65536)"},
		{"5.2 nothing yet", "", ""},
		{"5.2 half a frame", frame(0x82, "abcdef")[:9], "open"},
		{"5.2 empty text", frame(0x81, ""), "text "},
		{"5.2 empty binary", frame(0x82, ""), "binary "},
		{"5.2 of 125, 126 and 127 bytes",
			frame(0x81, long(125)) + frame(0x81, long(126)) + frame(0x81, long(127)),
			"text " + long(125) + "|text " + long(126) + "|text " + long(127)},
		{"5.3 key of zeros", "\x81\x82\x00\x00\x00\x00hi", "text hi"},
		{"5.4 three messages in one read",
			frame(0x81, "a") + frame(0x82, "b") + frame(0x81, "c"), "text a|binary b|text c"},
		{"5.4 many fragments",
			frame(0x02, "a") + strings.Repeat(frame(0x00, "bc"), 9) + frame(0x80, "d"),
			"binary a" + strings.Repeat("bc", 9) + "d"},
		{"5.4 empty fragments", frame(0x01, "") + frame(0x00, "") + frame(0x80, ""), "text "},
		{"5.4 empty but the middle", frame(0x01, "") + frame(0x00, "mid") + frame(0x80, ""), "text mid"},
		{"5.4 empty but the last", frame(0x01, "") + frame(0x00, "") + frame(0x80, "end"), "text end"},
		{"5.4 two fragmented messages",
			frame(0x01, "a") + frame(0x80, "b") + frame(0x02, "c") + frame(0x80, "d"),
			"text ab|binary cd"},
		{"5.4 unfinished", frame(0x01, "a") + frame(0x00, "b"), "open"},
		{"5.4 fragmented, then whole",
			frame(0x01, "a") + frame(0x80, "b") + frame(0x81, "c"), "text ab|text c"},
	})
}

func TestReaderControl(t *testing.T) {
	full := strings.Repeat("p", 125)
	runReaderCases(t, []readerCase{
		{"5.5.2 empty ping", frame(0x89, ""), "ping "},
		{"5.5.2 ping of 125 bytes", frame(0x89, full), "ping " + full},
		{"5.5.2 ten pings",
			strings.Repeat(frame(0x89, "n"), 10), "ping n" + strings.Repeat("|ping n", 9)},
		{"5.5.2 ping is not text", frame(0x89, "\xFF\xFE"), "ping \xFF\xFE"},
		{"5.5.3 unsolicited pong", frame(0x8A, "u") + frame(0x81, "t"), "pong u|text t"},
		{"5.4 ping between fragments",
			frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b"), "ping p|text ab"},
		{"5.4 pong inside a character",
			frame(0x01, "\xE2\x82") + frame(0x8A, "") + frame(0x80, "\xAC"), "pong |text \u20AC"},
		{"5.4 pings around every fragment",
			frame(0x89, "1") + frame(0x02, "a") + frame(0x89, "2") + frame(0x00, "b") +
				frame(0x8A, "3") + frame(0x80, "c") + frame(0x89, "4"),
			"ping 1|ping 2|pong 3|binary abc|ping 4"},
		{"5.5.1 close without payload", frame(0x88, ""), "close "},
		{"5.5.1 close with code", frame(0x88, "\x03\xE8"), "close \x03\xE8"},
		{"5.5.1 close with reason", frame(0x88, "\x03\xE9bye"), "close \x03\xE9bye"},
		{"5.5.1 close of 125 bytes", frame(0x88, "\x03\xE8"+full[2:]), "close \x03\xE8" + full[2:]},
		{"5.5.1 close inside fragments", frame(0x01, "a") + frame(0x88, "\x03\xE8"), "close \x03\xE8|open"},
		{"1.4 text after close", frame(0x88, "") + frame(0x81, "x"), "close "},
		{"1.4 rubbish after close", frame(0x88, "\x03\xE8") + "\xFF\xFF\xFF", "close \x03\xE8"},
		{"1.4 ping after close", frame(0x88, "") + frame(0x89, "x"), "close "},
	})
}

// TestReaderUTF8 puts every text of the UTF-8 table into one frame, two fragments and a fragment a
// byte, with a ping before the end.
func TestReaderUTF8(t *testing.T) {
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			want := "text " + tt.in
			if tt.bad >= 0 {
				want = "error 1007"
			}
			everyCut(t, frame(0x81, tt.in), maxLen, []string{want})
			for i := range len(tt.in) + 1 {
				in := frame(0x01, tt.in[:i]) + frame(0x89, "") + frame(0x80, tt.in[i:])
				lines := []string{"ping ", want}
				if tt.bad >= 0 && tt.bad < i {
					lines = []string{want}
				}
				everyCut(t, in, maxLen, lines)
			}
			everyCut(t, frame(0x82, tt.in), maxLen, []string{"binary " + tt.in})
		})
	}
	t.Run("8.1 cut inside a character", func(t *testing.T) {
		everyCut(t, frame(0x81, "a\xE2\x82"), maxLen, []string{"error 1007"})
		everyCut(t, frame(0x01, "a\xE2")+frame(0x80, "\x82"), maxLen, []string{"error 1007"})
		everyCut(t, frame(0x01, "a\xE2\x82")+frame(0x00, ""), maxLen, []string{"open"})
		everyCut(t, frame(0x01, "a\xE2\x82")+frame(0x80, ""), maxLen, []string{"error 1007"})
	})
}

// TestReaderFailsFast shows a text frame that announces 1000 bytes: the first wrong byte must be
// refused when it arrives, and no earlier.
func TestReaderFailsFast(t *testing.T) {
	for _, tt := range texts {
		if tt.bad < 0 {
			continue
		}
		in := frame(0x81, tt.in+strings.Repeat("y", 1000-len(tt.in)))[:2+2+4+len(tt.in)]
		for _, first := range []byte{0x81, 0x01} {
			in := string([]byte{first}) + in[1:]
			upTo := 2 + 2 + 4 + tt.bad
			if got := play(t, in[:upTo], maxLen); !slices.Equal(got, []string{"open"}) {
				t.Errorf("%s: before the wrong byte: %q", tt.name, got)
			}
			if got := play(t, in[:upTo+1], maxLen); !slices.Equal(got, []string{"error 1007"}) {
				t.Errorf("%s: with the wrong byte: %q", tt.name, got)
			}
		}
	}
}
