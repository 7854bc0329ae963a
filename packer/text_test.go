package packer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// Strings are read and written eight bytes at a time. Whatever the length, and wherever the one
// character stands that is not plain, the text stays the same.
func TestStringsOfEveryLength(t *testing.T) {
	odd := []string{
		"", `"`, `\`, "\n", "\x00", "\x1f", " ", "!", "#", "[", "]", "\x7f", "\u0080", "é", "\u2028",
		"日", "😀", "\uffff",
	}
	for n := range 35 {
		for at := range n + 1 {
			for _, x := range odd {
				text := strings.Repeat("x", at) + x + strings.Repeat("y", n-at)
				in, err := json.Marshal([]string{text, text})
				if err != nil {
					t.Fatal(err)
				}
				sameInEDN(t, text, string(in))
			}
		}
	}
}

// sameInEDN wants the JSON array in, which holds text twice, back from edn.
func sameInEDN(t *testing.T, text, in string) {
	t.Helper()
	edn, err := transcode(packer.EDN, in, packer.JSON)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	out, err := transcode(packer.JSON, edn, packer.EDN)
	if err != nil {
		t.Fatalf("%q in edn is %s: %v", text, edn, err)
	}
	var got []string
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) != 2 ||
		got[0] != text || got[1] != text {
		t.Fatalf("%q in edn is %s, and from there %s (%v)", text, edn, out, err)
	}
}

// A control character may stand raw in an edn string, never in a JSON one; nothing that is not
// UTF-8 may stand in either.
func TestRawBytesOfStrings(t *testing.T) {
	for c := range 256 {
		for n := range 20 {
			text := strings.Repeat("x", n) + string([]byte{byte(c)}) + strings.Repeat("y", 19-n)
			edn, json := c < 0x80, c < 0x80 && c >= ' '
			if c == '"' || c == '\\' {
				edn, json = false, false
			}
			for f, want := range map[packer.Format]bool{packer.EDN: edn, packer.JSON: json} {
				if err := f.CheckValue([]byte(`"` + text + `"`)); (err == nil) != want {
					t.Fatalf("%v: byte %#x behind %d others: %v", f, c, n, err)
				}
			}
		}
	}
}
