package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWebSocketUTF8 is RFC 6455 §5.6 and §8.1 (Autobahn 6): text is UTF-8 by RFC 3629, whatever
// frames it comes in, and what is not is refused as soon as it shows. The sequences are those of
// Markus Kuhn's decoder stress test, whose section numbers the names carry.
func TestWebSocketUTF8(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo")
	t.Run("valid", func(t *testing.T) { runWSCases(t, d, wsTextForms(wsValidTexts(), true)) })
	t.Run("invalid", func(t *testing.T) { runWSCases(t, d, wsTextForms(wsInvalidTexts(), false)) })
	t.Run("prefixes", func(t *testing.T) { runWSCases(t, d, wsPrefixCases()) })
	t.Run("fail fast", func(t *testing.T) { runWSCases(t, d, wsFailFastCases()) })
	t.Run("binary", func(t *testing.T) { runWSCases(t, d, wsBinaryForms(wsInvalidTexts())) })
}

// wsKosme is "kosme" in Greek with its accent: two- and three-byte sequences.
const wsKosme = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"

type wsNamedText struct{ name, text string }

// wsTextForms sends every text in one frame, in two fragments and in a fragment a byte.
func wsTextForms(texts []wsNamedText, valid bool) (cases []wsCase) {
	for _, tt := range texts {
		want := []string{"close 1007"}
		if valid {
			want = []string{"text " + tt.text}
		}
		half := len(tt.text) / 2
		cases = append(cases,
			wsCase{tt.name, wsText(tt.text), want},
			wsCase{tt.name + " in two fragments", wsPieces(1, tt.text[:half], tt.text[half:]), want})
		if len(tt.text) > 2 {
			cases = append(cases, wsCase{tt.name + " by octets", wsOctets(tt.text), want})
		}
	}
	return cases
}

// wsBinaryForms: binary messages carry the same bytes unlooked at.
func wsBinaryForms(texts []wsNamedText) (cases []wsCase) {
	var all []string
	for _, tt := range texts {
		all = append(all, tt.text)
	}
	joined := strings.Join(all, "")
	return append(cases,
		wsCase{"5.6 invalid text as binary", wsBinary(joined), []string{"binary " + joined}},
		wsCase{"5.6 invalid text as binary fragments", wsPieces(2, all...), []string{"binary " + joined}})
}

func wsValidTexts() []wsNamedText {
	texts := []wsNamedText{
		{"5.6 mixed", "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!"},
		{"Kuhn 1 kosme", wsKosme},
		{"Kuhn 2.1 first of one byte", "\x00"},
		{"Kuhn 2.1 first of two bytes", "\xC2\x80"},
		{"Kuhn 2.1 first of three bytes", "\xE0\xA0\x80"},
		{"Kuhn 2.1 first of four bytes", "\xF0\x90\x80\x80"},
		{"Kuhn 2.2 last of one byte", "\x7F"},
		{"Kuhn 2.2 last of two bytes", "\xDF\xBF"},
		{"Kuhn 2.2 last of three bytes", "\xEF\xBF\xBF"},
		{"RFC 3629 3 last of four bytes", "\xF4\x8F\xBF\xBF"},
		{"Kuhn 2.3 before the surrogates", "\xED\x9F\xBF"},
		{"Kuhn 2.3 after the surrogates", "\xEE\x80\x80"},
		{"Kuhn 2.3 replacement character", "\xEF\xBF\xBD"},
		{"8.1 byte order mark", "\xEF\xBB\xBFtext"},
		{"8.1 long and mixed", strings.Repeat("\u20AC 20 \U0001F4B6 ", 300)},
		{"8.1 character behind 8 KB of ASCII", strings.Repeat("a", 8191) + "\U0001F600"},
	}
	for plane := range 17 { // U+nFFFE and U+nFFFF are characters in the sense of RFC 3629
		for low := range 2 {
			r := rune(plane<<16 | 0xFFFE | low)
			texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 5.3 noncharacter %U", r), string(r)})
		}
	}
	for r := rune(0xFFF9); r <= 0xFFFD; r++ {
		texts = append(texts, wsNamedText{fmt.Sprintf("5.6 special %U", r), string(r)})
	}
	return texts
}

func wsInvalidTexts() []wsNamedText {
	texts := []wsNamedText{
		{"8.1 surrogate in text", wsKosme + "\xED\xA0\x80edited"},
		{"8.1 above U+10FFFF in text", wsKosme + "\xF4\x90\x80\x80edited"},
		{"8.1 wrong byte behind 8 KB", strings.Repeat("a", 8191) + "\xFF" + strings.Repeat("b", 100)},
		{"Kuhn 2.1 first of five bytes", "\xF8\x88\x80\x80\x80"},
		{"Kuhn 2.1 first of six bytes", "\xFC\x84\x80\x80\x80\x80"},
		{"Kuhn 2.2 last of 21 bits", "\xF7\xBF\xBF\xBF"},
		{"Kuhn 2.2 last of five bytes", "\xFB\xBF\xBF\xBF\xBF"},
		{"Kuhn 2.2 last of six bytes", "\xFD\xBF\xBF\xBF\xBF\xBF"},
		{"Kuhn 2.3 above U+10FFFF", "\xF4\x90\x80\x80"},
		{"Kuhn 3.5.1 FE", "\xFE"},
		{"Kuhn 3.5.2 FF", "\xFF"},
		{"Kuhn 3.5.3 FE FE FF FF", "\xFE\xFE\xFF\xFF"},
		{"8.1 lead byte inside a sequence", "\xE2\x82\xE2\x82\xAC"},
		{"8.1 ASCII inside a sequence", "\xF0\x9F\x98A"},
	}
	texts = append(texts, wsStrayContinuations()...)
	texts = append(texts, wsLonelyStarts()...)
	texts = append(texts, wsCutSequences()...)
	return append(append(texts, wsOverlongs()...), wsSurrogates()...)
}

// wsStrayContinuations are Kuhn's section 3.1.
func wsStrayContinuations() (texts []wsNamedText) {
	texts = append(texts, wsNamedText{"Kuhn 3.1.1 80", "\x80"}, wsNamedText{"Kuhn 3.1.2 BF", "\xBF"})
	run := ""
	for i := range 7 {
		run += string([]byte{0x80 | byte(i&1)*0x3F})
		texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 3.1 %d continuation bytes", i+1), run})
	}
	all := ""
	for c := 0x80; c <= 0xBF; c++ {
		all += string([]byte{byte(c)})
	}
	return append(texts, wsNamedText{"Kuhn 3.1.9 all continuation bytes", all})
}

// wsLonelyStarts are Kuhn's section 3.2: each first byte of a range, followed by a space.
func wsLonelyStarts() (texts []wsNamedText) {
	groups := [][2]int{{0xC0, 0xDF}, {0xE0, 0xEF}, {0xF0, 0xF7}, {0xF8, 0xFB}, {0xFC, 0xFD}}
	for _, group := range groups {
		all := ""
		for c := group[0]; c <= group[1]; c++ {
			start := string([]byte{byte(c), ' '})
			all += start
			texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 3.2 lonely %X", c), start})
		}
		name := fmt.Sprintf("Kuhn 3.2 lonely %X to %X", group[0], group[1])
		texts = append(texts, wsNamedText{name, all})
	}
	return texts
}

// wsCutSequences are Kuhn's sections 3.3 and 3.4: sequences without their last byte.
func wsCutSequences() (texts []wsNamedText) {
	cut := []string{
		"\xC0", "\xE0\x80", "\xF0\x80\x80", "\xF8\x80\x80\x80", "\xFC\x80\x80\x80\x80",
		"\xDF", "\xEF\xBF", "\xF7\xBF\xBF", "\xFB\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF",
		"\xC3", "\xE2\x82", "\xF0\x9F\x98", // cut, and valid up to there
	}
	for _, text := range cut {
		texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 3.3 cut % X", text), text})
	}
	return append(texts, wsNamedText{"Kuhn 3.4 all of them", strings.Join(cut, "")})
}

// wsOverlongs are Kuhn's section 4.
func wsOverlongs() (texts []wsNamedText) {
	for _, text := range []string{
		"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xF8\x80\x80\x80\xAF",
		"\xFC\x80\x80\x80\x80\xAF",
		"\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF8\x87\xBF\xBF\xBF",
		"\xFC\x83\xBF\xBF\xBF\xBF",
		"\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF8\x80\x80\x80\x80",
		"\xFC\x80\x80\x80\x80\x80",
	} {
		texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 4 overlong % X", text), text})
	}
	return texts
}

// wsSurrogates are Kuhn's sections 5.1 and 5.2.
func wsSurrogates() (texts []wsNamedText) {
	high := []string{"\xED\xA0\x80", "\xED\xAD\xBF", "\xED\xAE\x80", "\xED\xAF\xBF"}
	low := []string{"\xED\xB0\x80", "\xED\xBE\x80", "\xED\xBF\xBF"}
	for _, text := range append(append([]string(nil), high...), low...) {
		texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 5.1 surrogate % X", text), text})
	}
	for _, h := range high {
		for _, l := range []string{low[0], low[2]} {
			texts = append(texts, wsNamedText{fmt.Sprintf("Kuhn 5.2 pair % X", h+l), h + l})
		}
	}
	return texts
}

// wsPrefixCases: a text that ends inside a character is not text (Autobahn 6.6).
func wsPrefixCases() (cases []wsCase) {
	whole := map[int]bool{2: true, 5: true, 7: true, 9: true, 11: true}
	for n := 1; n <= len(wsKosme); n++ {
		want := []string{"close 1007"}
		if whole[n] {
			want = []string{"text " + wsKosme[:n]}
		}
		name := fmt.Sprintf("8.1 first %d bytes", n)
		cases = append(cases,
			wsCase{name, wsText(wsKosme[:n]), want},
			wsCase{name + " and an empty fragment", wsPieces(1, wsKosme[:n], ""), want})
	}
	return cases
}

// wsFailFastCases: the answer must come though the message, or even its frame, is not complete; and
// not before the wrong byte, which a ping in front of it shows (Autobahn 6.4).
func wsFailFastCases() (cases []wsCase) {
	for _, wrong := range []string{
		"\x80", "\xC0", "\xE0\x9F", "\xED\xA0", "\xF0\x8F", "\xF4\x90", "\xF5", "\xE2\x82A", "\xFF",
	} {
		text := wsKosme + wrong
		valid, bad := text[:len(text)-1], text[len(text)-1:]
		partial := wsText(text + strings.Repeat("x", 1000))
		cases = append(cases, wsCase{
			fmt.Sprintf("8.1 % X in an unfinished message", wrong),
			wsFrame(0x01, valid) + wsPing("valid so far") + wsFrame(0x00, bad),
			[]string{"pong valid so far", "close 1007"},
		}, wsCase{
			fmt.Sprintf("8.1 % X in an unfinished frame", wrong),
			partial[:2+2+4+len(text)], []string{"close 1007"},
		}, wsCase{
			fmt.Sprintf("8.1 % X in an unfinished last fragment", wrong),
			wsFrame(0x01, valid) + wsPing("") + wsFrame(0x80, bad+"xyz")[:2+4+1],
			[]string{"pong ", "close 1007"},
		})
	}
	return cases
}
