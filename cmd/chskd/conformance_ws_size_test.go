package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWebSocketSizes is RFC 6455 §10.4 and plain endurance (Autobahn 9 and 10): limits, long
// messages in large and small fragments and pieces, and many short ones.
func TestWebSocketSizes(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo")
	t.Run("limits", func(t *testing.T) { runWSCases(t, d, wsLimitCases()) })
	t.Run("many", func(t *testing.T) { runWSCases(t, d, wsManyCases()) })
	t.Run("long", func(t *testing.T) { testWSLong(t, d) })
	t.Run("fragments", func(t *testing.T) { testWSLongFragments(t, d) })
	t.Run("pieces", func(t *testing.T) { testWSLongPieces(t, d) })
}

// wsLimitCases: the echo takes 64 MiB, and refuses more by the header alone.
func wsLimitCases() []wsCase {
	refused := []string{"close 1009"}
	return []wsCase{
		{"10.4 64 MiB and a byte announced", "\x82\xFF\x00\x00\x00\x00\x04\x00\x00\x01", refused},
		{"10.4 2^32 announced", "\x81\xFF\x00\x00\x00\x01\x00\x00\x00\x00", refused},
		{"10.4 2^63-1 announced", "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", refused},
		{
			"10.4 two fragments over 64 MiB announced",
			wsFrame(0x02, "x") + "\x80\xFF\x00\x00\x00\x00\x04\x00\x00\x00", refused,
		},
		{
			"10.4 a message before", wsText("a") + "\x81\xFF\x00\x00\x00\x00\x04\x00\x00\x01",
			[]string{"text a", "close 1009"},
		},
	}
}

// wsManyCases: short messages one behind the other come back in order (Autobahn 9.7, 9.8).
func wsManyCases() (cases []wsCase) {
	for _, n := range []int{0, 16, 64, 256, 1024, 4096} {
		var send strings.Builder
		var want []string
		for i := range 200 {
			text := fmt.Sprintf("%0*d", n, i)[:n]
			send.WriteString(wsText(text))
			want = append(want, "text "+text)
		}
		cases = append(cases, wsCase{fmt.Sprintf("5.6 200 of %d bytes", n), send.String(), want})
	}
	return cases
}

// wsLongText is n bytes of text with characters of every length.
func wsLongText(n int) string {
	const unit = "a\u00E9\u20AC\U0001F600 plain text to go on with. "
	return strings.Repeat(unit, n/len(unit)+1)[:n/len(unit)*len(unit)]
}

// playWSLong plays send in pieces of the given size, 0 = all at once, and closes when it is back.
func playWSLong(t *testing.T, d *daemon, send string, piece int, want string) {
	t.Helper()
	var cuts []int
	for at := piece; piece > 0 && at < len(send); at += piece {
		cuts = append(cuts, at)
	}
	playWS(t, d, wsPlay{
		send: send, cuts: cuts, then: wsClose(1000), want: []string{want, "close 1000"},
	})
}

func testWSLong(t *testing.T, d *daemon) {
	for _, n := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20} {
		t.Run(fmt.Sprintf("5.6 %d KiB", n>>10), func(t *testing.T) {
			text := wsLongText(n)
			playWSLong(t, d, wsText(text), 0, "text "+text)
			binary := strings.Repeat("\xFF\x00\xFE\xC0", n/4)
			playWSLong(t, d, wsBinary(binary), 0, "binary "+binary)
		})
	}
}

// wsChunks splits text into chunks of n bytes.
func wsChunks(text string, n int) (chunks []string) {
	for len(text) > n {
		chunks = append(chunks, text[:n])
		text = text[n:]
	}
	return append(chunks, text)
}

func testWSLongFragments(t *testing.T, d *daemon) {
	text := wsLongText(1 << 20)
	for _, n := range []int{64, 256, 1300, 4 << 10, 64 << 10, 256 << 10} {
		t.Run(fmt.Sprintf("5.4 1 MiB in fragments of %d bytes", n), func(t *testing.T) {
			playWSLong(t, d, wsPieces(1, wsChunks(text, n)...), 0, "text "+text)
			playWSLong(t, d, wsPieces(2, wsChunks(text, n)...), 0, "binary "+text)
		})
	}
}

func testWSLongPieces(t *testing.T, d *daemon) {
	text := wsLongText(1 << 20)
	for _, n := range []int{64, 128, 512, 997, 2048} {
		t.Run(fmt.Sprintf("5.2 1 MiB in pieces of %d bytes", n), func(t *testing.T) {
			playWSLong(t, d, wsText(text), n, "text "+text)
			playWSLong(t, d, wsPieces(2, wsChunks(text, 1300)...), n, "binary "+text)
		})
	}
}

// TestChannelSocketFrames asks the channel socket itself for what matters most of the above: its
// handshake message comes first, and its own limit holds.
func TestChannelSocketFrames(t *testing.T) {
	d := startDaemon(t)
	hello := `text [[:chsk/handshake ["c" nil nil]] nil]`
	tests := []wsCase{
		{"7.1.2 close", wsClose(3000), []string{hello, "close 3000"}},
		{"5.5.2 ping", wsPing("p") + wsClose(1001), []string{hello, "pong p", "close 1001"}},
		{
			"5.4 fragmented chsk ping", wsPieces(1, `[[:chsk/`, `ws-ping] "cb"]`) + wsClose(1000),
			[]string{hello, `text ["pong" "cb"]`, "close 1000"},
		},
		{"5.1 no mask", "\x81\x01x", []string{hello, "close 1002"}},
		{"5.2 reserved bit", wsFrame(0xC1, "x"), []string{hello, "close 1002"}},
		{"5.2 reserved opcode", wsFrame(0x83, "x"), []string{hello, "close 1002"}},
		{"8.1 not UTF-8", wsText("[\xFF]"), []string{hello, "close 1007"}},
		{"7.4 code 1005", wsClose(1005), []string{hello, "close 1002"}},
		{
			"10.4 1 MiB and a byte announced", "\x81\xFF\x00\x00\x00\x00\x00\x10\x00\x01",
			[]string{hello, "close 1009"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, cuts := range [][]int{nil, wsEveryByte(len(tt.send))} {
				playWS(t, d, wsPlay{
					target: "/chsk?client-id=c", send: tt.send, cuts: cuts, want: tt.want,
				})
			}
		})
	}
}
