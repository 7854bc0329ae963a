package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWebSocketClose is RFC 6455 §5.5.1 and §7: how connections end (Autobahn 7). A close frame is
// answered by one with the same code; nothing is read or sent after it; the server then ends TCP.
func TestWebSocketClose(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo")
	t.Run("handshake", func(t *testing.T) { runWSCases(t, d, wsCloseCases()) })
	t.Run("payload", func(t *testing.T) { runWSCases(t, d, wsClosePayloadCases()) })
	t.Run("codes", func(t *testing.T) { runWSCases(t, d, wsCloseCodeCases()) })
}

func wsCloseCases() []wsCase {
	normal := []string{"close 1000"}
	long := strings.Repeat("BAsd7&jh23", 26<<10)
	return []wsCase{
		{"7.1.2 after a message", wsText("Hello") + wsClose(1000), []string{"text Hello", "close 1000"}},
		{"7.1.2 at once", wsClose(1000), normal},
		{"1.4 another close behind it", wsClose(1000) + wsClose(1001), normal},
		{"1.4 ping behind it", wsClose(1000) + wsPing("p"), normal},
		{"1.4 text behind it", wsClose(1000) + wsText("Hello"), normal},
		{"1.4 rubbish behind it", wsClose(1000) + "\xFF\xFF\xFF", normal},
		{"5.5.1 inside a fragmented message", wsFrame(0x01, "a") + wsClose(1000), normal},
		{
			"5.5.1 inside, the rest behind it",
			wsFrame(0x01, "a") + wsClose(1000) + wsFrame(0x80, "b"), normal,
		},
		{
			"5.5.1 behind 260 KB and before a ping", wsText(long) + wsClose(1000) + wsPing("p"),
			[]string{"text " + long, "close 1000"},
		},
		{
			"7.1.7 nothing after a failure",
			wsFrame(0xC1, "") + wsText("a") + wsClose(1000), []string{"close 1002"},
		},
	}
}

func wsClosePayloadCases() []wsCase {
	frame := func(payload string) string { return wsFrame(0x88, payload) }
	code := wsCode(1000)
	return []wsCase{
		{"5.5.1 no payload", frame(""), []string{"close"}},
		{"5.5.1 one byte", frame("a"), []string{"close 1002"}},
		{"5.5.1 code", frame(code), []string{"close 1000"}},
		{"5.5.1 code and reason", frame(code + "Hello World!"), []string{"close 1000"}},
		{"5.5.1 reason in Greek", frame(code + "\u03ba\u1f79\u03c3\u03bc\u03b5"), []string{"close 1000"}},
		{"5.5 longest reason", frame(code + strings.Repeat("*", 123)), []string{"close 1000"}},
		{"5.5 reason of 124 bytes", frame(code + strings.Repeat("*", 124)), []string{"close 1002"}},
		{
			"5.5.1 reason not UTF-8",
			frame(code + "\u03ba\u1f79\xED\xA0\x80edited"), []string{"close 1007"},
		},
		{"5.5.1 reason cut in a character", frame(code + "\xE2\x82"), []string{"close 1007"}},
	}
}

func wsCloseCodeCases() (cases []wsCase) {
	for _, code := range []int{
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
		3000, 3001, 3999, 4000, 4001, 4999,
	} {
		want := []string{fmt.Sprint("close ", code)}
		cases = append(cases,
			wsCase{fmt.Sprint("7.4 code ", code), wsClose(code), want},
			wsCase{fmt.Sprintf("7.4 code %d with a reason", code), wsFrame(0x88, wsCode(code)+"why"), want})
	}
	for _, code := range []int{
		0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535,
	} {
		want := []string{"close 1002"}
		cases = append(cases,
			wsCase{fmt.Sprint("7.4 code ", code, " refused"), wsClose(code), want},
			wsCase{
				fmt.Sprintf("7.4 code %d with a reason, refused", code),
				wsFrame(0x88, wsCode(code)+"why"), want,
			})
	}
	return cases
}
