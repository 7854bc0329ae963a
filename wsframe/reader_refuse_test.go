package wsframe_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestReaderRefusesFraming(t *testing.T) {
	cases := []readerCase{
		{"5.1 unmasked text", unmasked(0x81, "Hello"), "error 1002"},
		{"5.1 unmasked ping", unmasked(0x89, ""), "error 1002"},
		{"5.1 unmasked close", unmasked(0x88, "\x03\xE8"), "error 1002"},
		{"5.1 unmasked continuation", frame(0x01, "a") + unmasked(0x80, "b"), "error 1002"},
		{"5.1 unmasked after a message", frame(0x81, "a") + unmasked(0x81, "b"), "text a|error 1002"},
		{"5.4 continuation first", frame(0x80, "x"), "error 1002"},
		{"5.4 unfinished continuation first", frame(0x00, "x"), "error 1002"},
		{"5.4 continuation after a whole message",
			frame(0x81, "a") + frame(0x80, "b"), "text a|error 1002"},
		{"5.4 continuation after a fragmented one",
			frame(0x01, "a") + frame(0x80, "b") + frame(0x80, "c"), "text ab|error 1002"},
		{"5.4 text inside fragments", frame(0x01, "a") + frame(0x81, "b"), "error 1002"},
		{"5.4 binary inside fragments", frame(0x01, "a") + frame(0x02, "b"), "error 1002"},
		{"5.4 text inside empty fragments", frame(0x02, "") + frame(0x81, ""), "error 1002"},
		{"5.4 after a ping in between",
			frame(0x01, "a") + frame(0x89, "p") + frame(0x81, "b"), "ping p|error 1002"},
		{"5.5 fragmented ping", frame(0x09, "p"), "error 1002"},
		{"5.5 fragmented pong", frame(0x0A, "p"), "error 1002"},
		{"5.5 fragmented close", frame(0x08, "\x03\xE8"), "error 1002"},
		{"5.5 ping of 126 bytes", frame(0x89, strings.Repeat("p", 126)), "error 1002"},
		{"5.5 pong of 70000 bytes announced", "\x8A\xFF", "error 1002"},
		{"5.5.1 close of one byte", frame(0x88, "\x03"), "error 1002"},
		{"7.4 close code 999", frame(0x88, "\x03\xE7"), "error 1002"},
		{"7.4.1 close code 1005", frame(0x88, "\x03\xED"), "error 1002"},
		{"7.4.1 close code 1006", frame(0x88, "\x03\xEEgone"), "error 1002"},
		{"7.4.2 close code 5000", frame(0x88, "\x13\x88"), "error 1002"},
		{"5.5.1 close reason not UTF-8", frame(0x88, "\x03\xE8\xC0\xAF"), "error 1007"},
		{"5.2 125 in sixteen bits", mask("\x81\x7E\x00\x7D", strings.Repeat("x", 125)), "error 1002"},
		{"5.2 5 in 64 bits", mask("\x81\x7F\x00\x00\x00\x00\x00\x00\x00\x05", "Hello"), "error 1002"},
		{"5.2 65535 in 64 bits", mask("\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF", ""), "error 1002"},
		{"5.2 length 2^63", mask("\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00", ""), "error 1002"},
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases,
			readerCase{fmt.Sprintf("5.2 opcode %d", op), frame(0x80|op, "x"), "error 1002"},
			readerCase{fmt.Sprintf("5.2 opcode %d without FIN", op), frame(op, ""), "error 1002"},
			readerCase{
				fmt.Sprintf("5.2 opcode %d in fragments", op),
				frame(0x01, "a") + frame(0x80|op, ""), "error 1002",
			})
	}
	for rsv := byte(1); rsv < 8; rsv++ {
		for _, op := range []byte{0, 1, 2, 8, 9, 10} {
			in := frame(0x80|rsv<<4|op, "")
			if op == 0 {
				in = frame(0x01, "a") + in
			}
			name := fmt.Sprintf("5.2 RSV %03b opcode %d", rsv, op)
			cases = append(cases, readerCase{name, in, "error 1002"})
		}
	}
	runReaderCases(t, cases)
}

// TestReaderRefusesEarly checks that a breach is refused with the byte that shows it.
func TestReaderRefusesEarly(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"5.2 RSV in the first byte", "\xC1", "error 1002"},
		{"5.2 opcode in the first byte", "\x83", "error 1002"},
		{"5.4 continuation in the first byte", "\x80", "error 1002"},
		{"5.4 new message in the first byte", frame(0x01, "") + "\x81", "error 1002"},
		{"5.5 control without FIN in the first byte", "\x09", "error 1002"},
		{"5.1 no mask in the second byte", "\x81\x05", "error 1002"},
		{"5.5 control over 125 in the second byte", "\x89\xFE", "error 1002"},
		{"5.2 long form with its last byte", "\x81\xFE\x00\x7D", "error 1002"},
		{"10.4 too big with the length", "\x81\xFF\x00\x00\x00\x00\x00\x01\x00\x01", "error 1009"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(t, tt.in, maxLen); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got %q", got)
			}
			if got := play(t, tt.in[:len(tt.in)-1], maxLen); slices.Contains(got, tt.want) {
				t.Errorf("without its last byte: %q", got)
			}
		})
	}
}

func TestReaderLimit(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name   string
		in     string
		maxLen int
		want   []string
	}{
		{"10.4 at the limit", frame(0x81, x(10)), 10, []string{"text " + x(10)}},
		{"10.4 over the limit", frame(0x81, x(11)), 10, []string{"error 1009"}},
		{
			"10.4 fragments at the limit",
			frame(0x01, x(5)) + frame(0x80, x(5)), 10, []string{"text " + x(10)},
		},
		{
			"10.4 fragments over the limit",
			frame(0x01, x(5)) + frame(0x80, x(6)), 10, []string{"error 1009"},
		},
		{
			"10.4 each message anew", frame(0x01, x(5)) + frame(0x80, x(5)) + frame(0x81, x(10)), 10,
			[]string{"text " + x(10), "text " + x(10)},
		},
		{
			"10.4 control frames do not count",
			frame(0x01, x(9)) + frame(0x89, x(99)) + frame(0x80, "x"), 10,
			[]string{"ping " + x(99), "text " + x(10)},
		},
		{
			"10.4 zero allows the empty message",
			frame(0x81, "") + frame(0x81, "x"), 0, []string{"text ", "error 1009"},
		},
		{"10.4 negative is zero", frame(0x81, "x"), -1, []string{"error 1009"}},
		{
			"10.4 announced 2^63-1", mask("\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", ""),
			math.MaxInt, []string{"error 1009"},
		},
		{
			"10.4 announced 2^32", mask("\x82\x7F\x00\x00\x00\x01\x00\x00\x00\x00", ""),
			math.MaxInt, []string{"error 1009"},
		},
		{
			"10.4 announced 2^32-1", mask("\x82\x7F\x00\x00\x00\x00\xFF\xFF\xFF\xFF", ""),
			math.MaxInt, []string{"open"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { everyCut(t, tt.in, tt.maxLen, tt.want) })
	}
}
