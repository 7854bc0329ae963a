package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWebSocketFrames is RFC 6455 §5: what frames may look like and in what order they may come.
func TestWebSocketFrames(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo")
	t.Run("messages", func(t *testing.T) { runWSCases(t, d, wsMessageCases()) })
	t.Run("masks and lengths", func(t *testing.T) { runWSCases(t, d, wsHeaderCases()) })
	t.Run("pings and pongs", func(t *testing.T) { runWSCases(t, d, wsPingCases()) })
	t.Run("reserved bits", func(t *testing.T) { runWSCases(t, d, wsReservedBitCases()) })
	t.Run("reserved opcodes", func(t *testing.T) { runWSCases(t, d, wsReservedOpcodeCases()) })
	t.Run("fragments", func(t *testing.T) { runWSCases(t, d, wsFragmentCases()) })
	t.Run("fragments out of place", func(t *testing.T) { runWSCases(t, d, wsMisplacedCases()) })
}

// wsMessageCases: one frame a message, at the edges of the length forms (Autobahn 1.1, 1.2).
func wsMessageCases() (cases []wsCase) {
	for _, n := range []int{0, 1, 125, 126, 127, 128, 65535, 65536} {
		text, binary := strings.Repeat("*", n), strings.Repeat("\xFE", n)
		cases = append(cases,
			wsCase{fmt.Sprintf("5.6 text of %d bytes", n), wsText(text), []string{"text " + text}},
			wsCase{fmt.Sprintf("5.6 binary of %d bytes", n), wsBinary(binary), []string{"binary " + binary}})
	}
	return append(cases, wsCase{
		"5.6 text and binary in turn", wsText("a") + wsBinary("\x00") + wsText("") + wsBinary("b"),
		[]string{"text a", "binary \x00", "text ", "binary b"},
	}, wsCase{
		"5.7 the example", "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", []string{"text Hello"},
	})
}

// wsHeaderCases: masks and length forms, which Autobahn leaves out.
func wsHeaderCases() []wsCase {
	refused := []string{"close 1002"}
	return []wsCase{
		{"5.1 text without a mask", "\x81\x05Hello", refused},
		{"5.1 ping without a mask", "\x89\x00", refused},
		{"5.1 close without a mask", "\x88\x02\x03\xE8", refused},
		{"5.1 continuation without a mask", wsFrame(0x01, "a") + "\x80\x01b", refused},
		{
			"5.1 second message without a mask",
			wsText("a") + "\x81\x01b", []string{"text a", "close 1002"},
		},
		{"5.3 mask of zeros", "\x81\x82\x00\x00\x00\x00hi", []string{"text hi"}},
		{"5.2 length 125 in 16 bits", "\x82\xFE\x00\x7D", refused},
		{"5.2 length 0 in 16 bits", "\x82\xFE\x00\x00", refused},
		{"5.2 length 1 in 64 bits", "\x82\xFF\x00\x00\x00\x00\x00\x00\x00\x01", refused},
		{"5.2 length 65535 in 64 bits", "\x82\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF", refused},
		{"5.2 length 2^63", "\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00", refused},
		{"5.2 length 2^64-1", "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", refused},
	}
}

// wsPingCases: control frames (Autobahn 2).
func wsPingCases() []wsCase {
	full := strings.Repeat("\xFE", 125)
	ten, pongs := "", []string(nil)
	for i := range 10 {
		ten += wsPing(fmt.Sprint("payload-", i))
		pongs = append(pongs, fmt.Sprint("pong payload-", i))
	}
	return []wsCase{
		{"5.5.2 empty ping", wsPing(""), []string{"pong "}},
		{"5.5.2 ping with text", wsPing("Hello, world!"), []string{"pong Hello, world!"}},
		{"5.5.2 ping with bytes", wsPing("\x00\xFF\xFE\xFD"), []string{"pong \x00\xFF\xFE\xFD"}},
		{"5.5.2 ping of 125 bytes", wsPing(full), []string{"pong " + full}},
		{"5.5 ping of 126 bytes", wsPing(full + "."), []string{"close 1002"}},
		{"5.5 pong of 126 bytes", wsPong(full + "."), []string{"close 1002"}},
		{"5.5 ping announcing 65536 bytes", "\x89\xFF", []string{"close 1002"}},
		{"5.5.3 unsolicited empty pong", wsPong(""), nil},
		{"5.5.3 unsolicited pong", wsPong("unsolicited"), nil},
		{"5.5.3 pong, then ping", wsPong("un") + wsPing("p"), []string{"pong p"}},
		{"5.5.2 ten pings", ten, pongs},
		{
			"5.5.2 ping between messages",
			wsText("a") + wsPing("p") + wsText("b"), []string{"text a", "pong p", "text b"},
		},
	}
}

// wsReservedBitCases: RSV without an extension (Autobahn 3), for every opcode.
func wsReservedBitCases() (cases []wsCase) {
	for rsv := byte(1); rsv < 8; rsv++ {
		for _, op := range []byte{1, 2, 8, 9, 10} {
			cases = append(cases, wsCase{
				fmt.Sprintf("5.2 RSV %03b with opcode %d", rsv, op),
				wsFrame(0x80|rsv<<4|op, ""), []string{"close 1002"},
			})
		}
		bad := wsFrame(0x81|rsv<<4, "Hello")
		cases = append(cases, wsCase{
			fmt.Sprintf("5.2 RSV %03b in a continuation", rsv),
			wsFrame(0x01, "a") + wsFrame(0x80|rsv<<4, "b"), []string{"close 1002"},
		}, wsCase{
			fmt.Sprintf("5.2 RSV %03b after a message, before a ping", rsv),
			wsText("Hello") + bad + wsPing(""), []string{"text Hello", "close 1002"},
		})
	}
	return cases
}

// wsReservedOpcodeCases: opcodes without a meaning (Autobahn 4).
func wsReservedOpcodeCases() (cases []wsCase) {
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		add := func(name, send string, want ...string) {
			name = fmt.Sprintf("5.2 opcode %d %s", op, name)
			cases = append(cases, wsCase{name, send, append(want, "close 1002")})
		}
		add("empty", wsFrame(0x80|op, ""))
		add("with a payload", wsFrame(0x80|op, "reserved"))
		add("without FIN", wsFrame(op, "reserved"))
		add("after a message", wsText("Hello")+wsFrame(0x80|op, "")+wsPing(""), "text Hello")
		add("inside a fragmented message", wsFrame(0x01, "Hel")+wsFrame(0x80|op, "")+wsFrame(0x80, "lo"))
	}
	return cases
}

// wsFragmentCases: messages in fragments, with control frames between them (Autobahn 5.3-5.8,
// 5.19, 5.20).
func wsFragmentCases() []wsCase {
	a, b := wsFrame(0x01, "fragment1"), wsFrame(0x80, "fragment2")
	whole := "text fragment1fragment2"
	five := wsFrame(0x01, "1") + wsFrame(0x00, "2") + wsPing("pong 1!") + wsFrame(0x00, "3") +
		wsFrame(0x00, "4") + wsPing("pong 2!") + wsFrame(0x80, "5")
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprint(i, ",")
	}
	return []wsCase{
		{"5.4 two fragments", a + b, []string{whole}},
		{"5.4 two binary fragments", wsPieces(2, "\xFF", "\xFE"), []string{"binary \xFF\xFE"}},
		{"5.4 ping between", a + wsPing("ping") + b, []string{"pong ping", whole}},
		{"5.4 pong between", a + wsPong("pong") + b, []string{whole}},
		{
			"5.4 ping before and after",
			wsPing("1") + a + b + wsPing("2"), []string{"pong 1", whole, "pong 2"},
		},
		{"5.4 five fragments, two pings", five, []string{"pong pong 1!", "pong pong 2!", "text 12345"}},
		{"5.4 five fragments twice", five + five, []string{
			"pong pong 1!", "pong pong 2!", "text 12345",
			"pong pong 1!", "pong pong 2!", "text 12345",
		}},
		{"5.4 a thousand fragments", wsPieces(1, many...), []string{"text " + strings.Join(many, "")}},
		{"5.4 three empty fragments", wsPieces(1, "", "", ""), []string{"text "}},
		{"5.4 empty fragments around one", wsPieces(1, "", "middle", ""), []string{"text middle"}},
		{"5.4 empty fragments before one", wsPieces(2, "", "", "end"), []string{"binary end"}},
		{
			"5.4 fragmented, whole, fragmented",
			a + b + wsText("w") + a + b, []string{whole, "text w", whole},
		},
	}
}

// wsMisplacedCases: fragments where none may be (Autobahn 5.1, 5.2, 5.9-5.18).
func wsMisplacedCases() []wsCase {
	refused := []string{"close 1002"}
	open := wsFrame(0x01, "fragment1")
	return []wsCase{
		{"5.5 fragmented ping", wsFrame(0x09, "p") + wsFrame(0x80, "q"), refused},
		{"5.5 fragmented pong", wsFrame(0x0A, "p") + wsFrame(0x80, "q"), refused},
		{"5.5 fragmented close", wsFrame(0x08, wsCode(1000)) + wsFrame(0x80, ""), refused},
		{"5.4 last continuation of nothing", wsFrame(0x80, "x") + wsText("Hello"), refused},
		{"5.4 continuation of nothing", wsFrame(0x00, "x") + wsText("Hello"), refused},
		{"5.4 empty continuation of nothing", wsFrame(0x80, ""), refused},
		{
			"5.4 continuation of a whole message",
			wsText("a") + wsFrame(0x80, "b"), []string{"text a", "close 1002"},
		},
		{
			"5.4 continuation of an ended message", wsPieces(1, "a", "b") + wsFrame(0x00, "c") + wsText("d"),
			[]string{"text ab", "close 1002"},
		},
		{
			"5.4 continuation after a ping",
			wsPing("p") + wsFrame(0x80, "x"), []string{"pong p", "close 1002"},
		},
		{"5.4 text inside a fragmented text", open + wsText("x"), refused},
		{"5.4 binary inside a fragmented text", open + wsBinary("x"), refused},
		{"5.4 another first fragment", open + open, refused},
		{"5.4 text inside an empty beginning", wsFrame(0x02, "") + wsText(""), refused},
		{
			"5.4 text after a ping inside",
			open + wsPing("p") + wsText("x"), []string{"pong p", "close 1002"},
		},
	}
}
