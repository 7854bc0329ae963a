package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
)

// valueOf reads one message of a packer and gives its value in canonEDN's spelling, so that two
// messages of one value compare as equal. It is written apart from package packer, whose judge it
// is; the readers are in transcript_transit_test.go and transcript_msgpack_test.go.
func valueOf(packer string, message []byte) (string, error) {
	if inner, ok := strings.CutPrefix(packer, "gzip-"); ok {
		unwrapped, err := unwrapGzip(message)
		if err != nil {
			return "", err
		}
		return valueOf(inner, unwrapped)
	}
	text := string(message)
	var err error
	switch packer {
	case "transit-json":
		text, err = readTransit(message)
	case "msgpack":
		text, err = readMsgpack(message)
	}
	if err != nil {
		return "", err
	}
	return canonEDN(text)
}

// unwrapGzip takes Sente's wrapper off: a flag byte, and gzip where it is 1. A message that is long
// enough must be compressed.
func unwrapGzip(b []byte) ([]byte, error) {
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("gzip: an empty message")
	case b[0] == 0 && len(b) <= 1024:
		return b[1:], nil
	case b[0] != 1:
		return nil, fmt.Errorf("gzip: flag %d before %d bytes", b[0], len(b)-1)
	}
	r, err := gzip.NewReader(bytes.NewReader(b[1:]))
	if err != nil {
		return nil, err
	}
	inner, err := io.ReadAll(r)
	if err == nil && len(inner) < 1024 {
		err = fmt.Errorf("gzip: %d bytes are not worth it", len(inner))
	}
	return inner, err
}

// quoteEDN writes a string that canonEDN reads.
func quoteEDN(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s) + `"`
}

// TestReaders checks the judge on messages of which the value is known.
func TestReaders(t *testing.T) {
	for _, c := range []struct{ packer, message, want string }{
		{"edn", `[1 2]`, `[1 2]`},
		{"transit-json", `["~:abcd",["^0","~~x","^ "],{}]`, ""},
		{"transit-json", `["~:abcd",["^0","~~x"]]`, `[:abcd [:abcd "~x"]]`},
		{"transit-json", `["^ ","name",["^ ","^0",1],"~i7",2.0]`, `{"name" {"name" 1} 7 2.0}`},
		{"transit-json", `[["~#set",["~$a","~_"]],["^0",[]],["~#list",["~?t"]],["~#cmap",[[1],2]]]`,
			`[#{a nil} #{} (true) {[1] 2}]`},
		{"transit-json", `["~m1000","~n5","~f1.5","~zINF","~cx",["~#ratio",["~n22","~n7"]],["~#'",1]]`,
			`[#inst "1970-01-01T00:00:01.000Z" 5N 1.5M ##Inf \x 22/7 1]`},
		{"transit-json", `["^3"]`, ""},
		{"msgpack", "\x92\x01\xc0", `[1 nil]`},
		{"msgpack", "\x82\xa1a\x81\xd4\x08\x00\xff\xd4\x00b\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00",
			`{"a" {"a" -1}, :b 1.5}`},
		{"msgpack", "\x93\xc7\x03\x04\x92\x01\x02\xd4\x02x\xd5\x03\x16\x07", `[#{1 2} \x 22/7]`},
		{"msgpack", "\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
			`#inst "1970-01-01T00:00:01.000Z"`},
		{"msgpack", "\x81\xd4\x08\x00\x01", ""},
		{"msgpack", "\x92\x01", ""},
		{"gzip-edn", "\x00[1 2]", `[1 2]`},
		{"gzip-edn", "\x02[1 2]", ""},
	} {
		got, err := valueOf(c.packer, []byte(c.message))
		want := ""
		if c.want != "" {
			want = mustCanon(t, c.want)
		}
		if (err != nil) != (c.want == "") || err == nil && got != want {
			t.Errorf("%s %q: %s %v, want %s", c.packer, c.message, got, err, want)
		}
	}
}
