package packer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// Which strings take an entry of the cache, and which do not: a code at the end tells.
func TestTransitCacheEntries(t *testing.T) {
	for _, c := range []struct {
		name, values, edn string
		code              string // one that stands for the value in edn
	}{
		{"keyword", `"~:ab"`, `:ab`, "^0"},
		{"keyword too short", `"~:a","~:ab"`, `:ab`, "^0"},
		{"symbol", `"~$ab"`, `ab`, "^0"},
		{"string", `"abcd","~:ab"`, `:ab`, "^0"},
		{"string with ~", `"~~:abcd","~:ab"`, `:ab`, "^0"},
		{"other scalars", `"~i15","~m1234","~uf81d4fae-7dec-11d0-a765-00a0c91e6bf6","~:ab"`, `:ab`, "^0"},
		{"string key", `["^ ","abcd",1]`, `"abcd"`, "^0"},
		{"string key too short", `["^ ","abc",1,"~:ab",2]`, `:ab`, "^0"},
		{"scalar key", `["^ ","~i15",1]`, `15`, "^0"},
		{"scalar key too short", `["^ ","~i7",1,"~_",2,"~:ab",3]`, `:ab`, "^0"},
		{"escaped key", `["^ ","~~ab",1]`, `"~ab"`, "^0"},
		{"value of a map", `["^ ","a","abcd","b","~:ab"]`, `:ab`, "^0"},
		{"key of an object", `{"abcd":{"efgh":1}}`, `"efgh"`, "^1"},
		{"keys of a cmap are none", `["~#cmap",["abcd",1,"~:ab",2]]`, `:ab`, "^1"},
		{"elements of a set are none", `["~#set",["abcd","~:ab"]]`, `:ab`, "^1"},
		{"inside a key", `["~#cmap",[["abcd","~:ab"],["^ ","efgh",1]]]`, `"efgh"`, "^2"},
		{"tag before its value", `["~#foo","~:ab"]`, `:ab`, "^1"},
		{"tag of an object", `{"~#foo":"~:ab"}`, `:ab`, "^1"},
		{"tag too short", `["~#y","~:ab"]`, `:ab`, "^0"},
		{"the map marker is none", `["^ "],["^ ","~:ab",1]`, `:ab`, "^0"},
		{"a code is none", `"~:ab","^0","^0","~:cd"`, `:cd`, "^1"},
		{"length without JSON's escapes", `"~:\u0061","~:ab"`, `:ab`, "^0"},
		{"length in characters", `"~:é","~:日","~:éa"`, `:éa`, "^0"},
		{"length in UTF-16 units", `"~:😀","~:ab"`, `:😀`, "^0"},
		{"half a pair is a unit", `["^ ","a\ud83dbc",1]`, `"a\ud83dbc"`, "^0"},
		{"half a pair is one unit", `["^ ","a\ud83db",1],"~:ab"`, `:ab`, "^0"},
	} {
		in := `[` + c.values + `,"` + c.code + `"]`
		got, err := transcode(packer.EDN, in, packer.Transit)
		if err != nil || !strings.HasSuffix(got, " "+c.edn+"]") {
			t.Errorf("%s: %s became %s %v, want %s at the end", c.name, in, got, err, c.edn)
		}
		if !strings.ContainsAny(in, "\\") { // encoding/json has no lone surrogates
			transitCanon(t, in)
		}
	}
}

func TestTransitTagByCode(t *testing.T) {
	for _, c := range []struct{ transit, edn string }{
		{`[["~#set",[1]],["^0",[2]],{"^0":[3]},{"\u005e0":[4]}]`, `[#{1} #{2} #{3} #{4}]`},
		{`[["~#cmap",[[1],2]],["^0",[[3],4]]]`, `[{[1] 2} {[3] 4}]`},
		{`[["~#a b",1],["^0",2]]`, `[{"#a b" 1} {"#a b" 2}]`},
		{`[["\u007e#foo",1],["^0",["^0",2]]]`, `[#foo 1 #foo #foo 2]`},
		{`[["~#ratio",[1,2]],["^0",[3,4]]]`, `[1/2 3/4]`},
		{`["~:long",["^0",1],{"^0":2}]`, `[:long [:long 1] {:long 2}]`},
	} {
		got, err := transcode(packer.EDN, c.transit, packer.Transit)
		if err != nil || got != c.edn {
			t.Errorf("%s became %s %v, want %s", c.transit, got, err, c.edn)
		}
	}
	for _, text := range []string{
		`[["~#set",[1]],"^0"]`, `[["~#set",[1]],["^ ","^0",1]]`, `[["~#set",[1]],[1,"^0"]]`,
		`[["~#set",[1]],["^0"]]`, `[["~#set",[1]],["^0",[1],2]]`, `[["~#set",[1]],{"a":1,"^0":[2]}]`,
	} {
		if err := packer.Transit.CheckValue([]byte(text)); !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// manyNames are n keywords, then all of them once more.
func manyNames(n int) string {
	var names []string
	for i := range 2 * n {
		names = append(names, fmt.Sprintf(`"~:name-%d"`, i%n))
	}
	return "[" + strings.Join(names, ",") + "]"
}

// The cache empties itself when it is full, in the reader where it does in the writer.
func TestTransitCacheIsFull(t *testing.T) {
	for _, n := range []int{1, 43, 44, 45, 44 * 2, 1935, 1936, 1937, 3872, 3873} {
		plain := manyNames(n)
		coded := withCodes(plain)
		if n < 1936 && strings.Count(coded, "~") != n {
			t.Fatalf("%d names: the writer of this test does not work", n)
		}
		got, err := transcode(packer.Transit, coded, packer.Transit)
		if err != nil || got != plain {
			t.Errorf("%d names: %v, and not the same", n, err)
		}
		if n >= 1937 {
			continue
		}
		// The next code would be for a name that has not come.
		first := strings.Index(coded, "^")
		bad := withCodes("[" + strings.Join(strings.Split(plain[1:], ",")[:n-1], ",") + "]")
		bad = bad[:len(bad)-1] + `,"` + codeOf(n-1) + `"]`
		if n == 1 {
			bad = `["^0"]`
		}
		var d *packer.DecodeError
		if err := packer.Transit.CheckValue([]byte(bad)); !errors.As(err, &d) ||
			d.Reason != "reference to nothing" {
			t.Errorf("%d names (first code at %d): %v", n, first, err)
		}
	}
}

func codeOf(i int) string {
	if i < 44 {
		return "^" + string(rune(48+i))
	}
	return "^" + string(rune(48+i/44)) + string(rune(48+i%44))
}

// After the cache has emptied itself the old codes mean nothing, or something new.
func TestTransitCodeAfterReset(t *testing.T) {
	names := strings.Split(strings.Trim(manyNames(1937), "[]"), ",")[:1937]
	text := "[" + strings.Join(names, ",")
	got, err := transcode(packer.EDN, text+`,"^0"]`, packer.Transit)
	if err != nil || !strings.HasSuffix(got, " :name-1936 :name-1936]") {
		t.Errorf("%v, and not the name that came last: %s", err, got[max(0, len(got)-40):])
	}
	for _, code := range []string{"^1", "^10", "^[[", "^:1"} {
		if err := packer.Transit.CheckValue([]byte(text + `,"` + code + `"]`)); err == nil {
			t.Errorf("%s means something", code)
		}
	}
}
