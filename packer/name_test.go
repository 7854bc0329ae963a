package packer_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// nameAlphabet has a character of each sort that the edn reader tells apart.
var nameAlphabet = []string{
	"a", "b", "/", ":", "#", "'", "+", "-", "1", "0", ".", "_", "!", "<", "%", "N", "é", "日", "😀",
	"\u0663", "\u00a0", "\u2028", " ", ",", "\"", "\\", "(", "]", "{", "^", "@", "~", "`", ";",
	"\x00", "\x7f", "\x1c", "nil", "true", "inst", "uuid", "Inf", "NaN",
}

// transitQuoted is text as a JSON string, as the encoders write it.
func transitQuoted(text string) string {
	return strings.ReplaceAll(jsonString(text), "\x1c", `\u001c`)
}

// names calls f with every text of up to two characters, and with many longer ones.
func names(f func(text string)) {
	f("")
	for _, a := range nameAlphabet {
		f(a)
		for _, b := range nameAlphabet {
			f(a + b)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		text := ""
		for range 3 + r.IntN(4) {
			text += nameAlphabet[r.IntN(len(nameAlphabet))]
		}
		f(text)
	}
}

// A name is written as it is exactly where the edn reader takes it for that name, and as a string
// anywhere else.
func TestLooseNamesInEDN(t *testing.T) {
	for kind, colon := range map[string]string{"~:": ":", "~$": ""} {
		names(func(text string) {
			in := "[" + transitQuoted(kind+text) + "]"
			got, err := transcode(packer.EDN, in, packer.Transit)
			if err != nil {
				t.Fatalf("%s: %v", in, err)
			}
			if got == "["+colon+text+"]" {
				// It must be this name to the edn reader: transit has no other way to write it.
				if back, err := transcode(packer.Transit, got, packer.EDN); err != nil || back != in {
					t.Fatalf("%s became %q and then %s %v", in, got, back, err)
				}
				return
			}
			if want := "[" + ednString(colon+text) + "]"; got != want {
				t.Fatalf("%s became %q, want %q", in, got, want)
			}
			back, err := transcode(packer.Transit, "["+colon+text+"]", packer.EDN)
			if err == nil && back == in {
				t.Fatalf("%s became the string %q, but edn has the name", in, got)
			}
		})
	}
}

// A tag that edn cannot have becomes a map.
func TestLooseTagsInEDN(t *testing.T) {
	names(func(text string) {
		in := `[["^ ",` + transitQuoted("#"+text) + `,1],["~#` + transitQuoted(text)[1:] + `,1]]`
		if text == "'" || packer.Transit.CheckValue([]byte(in)) != nil {
			return // a tag that means something in transit
		}
		got, err := transcode(packer.EDN, in, packer.Transit)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		asMap := "{" + ednString("#"+text) + " 1}"
		back, err := transcode(packer.Transit, got, packer.EDN)
		switch got {
		case "[" + asMap + " #" + text + " 1]":
			if err != nil || back != in {
				t.Fatalf("%s became %q and then %s %v", in, got, back, err)
			}
		case "[" + asMap + " " + asMap + "]":
			tagged, err := transcode(packer.Transit, "[#"+text+" 1]", packer.EDN)
			if err == nil && tagged == `[["~#`+transitQuoted(text)[1:]+`,1]]` {
				t.Fatalf("%s became the map %q, but edn has the tag", in, got)
			}
		default:
			t.Fatalf("%s became %q", in, got)
		}
	})
}
