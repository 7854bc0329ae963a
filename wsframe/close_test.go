package wsframe_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chskd/chskd/wsframe"
)

func TestParseClose(t *testing.T) {
	longest := strings.Repeat("x", 123)
	tests := []struct {
		name   string
		in     string
		code   uint16
		reason string
		err    uint16
	}{
		{"5.5.1 no payload", "", 0, "", 0},
		{"5.5.1 one byte", "\x03", 0, "", 1002},
		{"5.5.1 code alone", "\x03\xE8", 1000, "", 0},
		{"5.5.1 code and reason", "\x03\xE8bye", 1000, "bye", 0},
		{"5.5.1 reason in Greek", "\x0B\xB8\u03ba", 3000, "\u03ba", 0},
		{"5.5.1 longest reason", "\x03\xE8" + longest, 1000, longest, 0},
		{"5.5.1 reason not UTF-8", "\x03\xE8\xCE\xBA\xE1", 0, "", 1007},
		{"5.5.1 reason cut inside a character", "\x03\xE8\xE2\x82", 0, "", 1007},
		{"7.4.2 code before reason", "\x00\x00\xFF", 0, "", 1002},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, err := wsframe.ParseClose([]byte(tt.in))
			if code != tt.code || string(reason) != tt.reason || codeOf(err) != tt.err {
				t.Errorf("got %d %q %v; want %d %q, error %d",
					code, reason, err, tt.code, tt.reason, tt.err)
			}
		})
	}
}

// TestCloseCodes walks all 65,536 codes; the ranges are written out once more.
func TestCloseCodes(t *testing.T) {
	allowed := map[int]bool{
		1000: true, 1001: true, 1002: true, 1003: true, 1007: true, 1008: true, 1009: true,
		1010: true, 1011: true, // 7.4.1
		1012: true, 1013: true, 1014: true, // 11.7, registered later
	}
	for code := range 1 << 16 {
		want := allowed[code] || code >= 3000 && code < 5000 // 7.4.2
		_, _, err := wsframe.ParseClose([]byte{byte(code >> 8), byte(code)})
		if got := wsframe.ValidCode(uint16(code)); got != want || (err == nil) != want {
			t.Errorf("7.4 code %d: ValidCode = %v, ParseClose: %v; want %v", code, got, err, want)
		}
	}
}

func TestAppendClose(t *testing.T) {
	tests := []struct {
		name   string
		code   uint16
		reason string
		want   string
	}{
		{"5.5.1 empty", 0, "", "\x88\x00"},
		{"5.5.1 no code, no reason", 0, "lost", "\x88\x00"},
		{"5.5.1 code", 1000, "", "\x88\x02\x03\xE8"},
		{"5.5.1 reason", 1009, "too big", "\x88\x09\x03\xF1too big"},
		{
			"5.5 cut to 125", 1000, strings.Repeat("x", 130),
			"\x88\x7D\x03\xE8" + strings.Repeat("x", 123),
		},
		{
			"5.5 cut between characters", 1000, strings.Repeat("\u20AC", 50),
			"\x88\x7D\x03\xE8" + strings.Repeat("\u20AC", 41),
		},
		{
			"5.5 cut before a character that does not fit", 1000, "x" + strings.Repeat("\u20AC", 50),
			"\x88\x7B\x03\xE8x" + strings.Repeat("\u20AC", 40),
		},
		{"5.5.1 cut before what is not UTF-8", 4001, "ab\xFFcd", "\x88\x04\x0F\xA1ab"},
		{"5.5.1 U+FFFD itself is kept", 4001, "a\uFFFDb", "\x88\x07\x0F\xA1a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(wsframe.AppendClose([]byte("<"), tt.code, tt.reason))
			if got != "<"+tt.want {
				t.Errorf("got %q, want %q", got, "<"+tt.want)
			}
			if !utf8.ValidString(got[min(len(got), 5):]) {
				t.Errorf("reason is not UTF-8: %q", got)
			}
		})
	}
}

func TestAppendCloseRefuses(t *testing.T) {
	for _, code := range []uint16{1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("7.4 code %d was put on the wire", code)
				}
			}()
			wsframe.AppendClose(nil, code, "")
		}()
	}
}
