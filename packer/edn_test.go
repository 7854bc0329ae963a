package packer_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// vector is one value as a real reader and a real packer took it.
type vector struct {
	Name      string
	Input     string
	EDN       string // "[value nil]" as printed; "" when the reader refused the input
	ReadError string `json:"read_error"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	var vs []vector
	readJSON(t, "testdata/values.json", &vs)
	if len(vs) != 119 {
		t.Fatalf("%d vectors, want 119", len(vs))
	}
	return vs
}

func readJSON(tb testing.TB, path string, v any) {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// unknownTag tells the refusals that concern a tag only: those values we keep whole.
func (v vector) unknownTag() bool {
	return strings.HasPrefix(v.ReadError, "no reader for") ||
		strings.HasPrefix(v.ReadError, "No reader function for tag")
}

// readable tells whether the first form of text is readable, as a client's message is read.
func readable(text string) error {
	if text == "" {
		return packer.EDN.ParseMessage(nil, new(packer.Message))
	}
	var m packer.Message
	err := packer.EDN.ParseMessage([]byte(text), &m)
	var d *packer.DecodeError
	if errors.As(err, &d) && d.Reason == "a message is a sequence" {
		return nil
	}
	return err
}

func TestVectorsAreReadAsTheReaderDoes(t *testing.T) {
	refused := 0
	for _, v := range vectors(t) {
		err := readable(v.Input)
		switch {
		case v.ReadError == "" && err != nil:
			t.Errorf("%s %q: %v, the reader takes it", v.Name, v.Input, err)
		case v.unknownTag() && err != nil:
			t.Errorf("%s %q: %v, want the tag kept", v.Name, v.Input, err)
		case v.ReadError != "" && !v.unknownTag() && err == nil:
			t.Errorf("%s %q: taken, the reader says %s", v.Name, v.Input, v.ReadError)
		}
		if v.ReadError != "" {
			refused++
		}
	}
	if refused != 26 {
		t.Errorf("%d vectors refused by the reader, want 26", refused)
	}
}

// What a printer makes of the value must mean to us what the input meant: both become the same
// JSON.
func TestVectorsMeanWhatThePrinterWrote(t *testing.T) {
	for _, v := range vectors(t) {
		if v.EDN == "" || v.Input == "" || strings.Contains(v.EDN, "\uFFFD") {
			continue // refused, empty, or a lone surrogate that did not survive the file
		}
		got, err := transcode(packer.JSON, "["+v.Input+"\n nil]", packer.EDN)
		if v.Name == "v81" { // "1 2": only the first form counts
			got, err = transcode(packer.JSON, "[1 nil]", packer.EDN)
		}
		if v.Name == "v69" { // a quote is a symbol, what follows is not read
			got, err = transcode(packer.JSON, "[' nil]", packer.EDN)
		}
		want, errPrinted := transcode(packer.JSON, v.EDN, packer.EDN)
		if err != nil || errPrinted != nil {
			t.Errorf("%s: %v, %v", v.Name, err, errPrinted)
			continue
		}
		if !sameJSON(t, got, want) {
			t.Errorf("%s %q: %s, printed %s", v.Name, v.Input, got, want)
		}
	}
}

// sameJSON compares JSON texts as values, arrays in any order since sets have none.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		t.Fatalf("not JSON: %s or %s", a, b)
	}
	return equalUnordered(x, y)
}

func equalUnordered(x, y any) bool {
	xs, ok := x.([]any)
	ys, also := y.([]any)
	if !ok || !also || len(xs) != len(ys) {
		return reflect.DeepEqual(x, y)
	}
	left := append([]any(nil), ys...)
next:
	for _, e := range xs {
		for i, f := range left {
			if equalUnordered(e, f) {
				left = append(left[:i], left[i+1:]...)
				continue next
			}
		}
		return false
	}
	return true
}

// testdata/reader.json holds what tools.reader.edn 1.3.6 says to each text, unknown tags allowed.
func TestReaderAgrees(t *testing.T) {
	var cases []struct {
		Input string
		OK    bool
	}
	readJSON(t, "testdata/reader.json", &cases)
	if len(cases) < 270 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		if err := packer.EDN.CheckValue([]byte(c.Input)); (err == nil) != c.OK {
			t.Errorf("%q: %v, the reader takes it: %v", c.Input, err, c.OK)
		}
	}
}

// Where we differ from tools.reader 1.3.6, on purpose.
func TestReaderDifferences(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"a digit alone as name, since tools.reader 1.5", ":a/1", true},
		{"as symbol", "int/1", true},
		{"but not zero", ":a/0", false},
		{"nor two digits", ":a/10", false},
		{"nor behind a colon", ":a:/1", false},
		{"unknown tag", "#foo/bar {:a 1}", true},
		{"unknown tag discarded", "[#_#foo bar 3]", true},
		{"unknown tag with metadata", "^:k #foo 1", true},
		{"namespaced namespace of a map", "#:a/b{:c 1}", false},
		{"digits beyond ASCII in an escape", `"\u004１"`, false},
	} {
		if err := packer.EDN.CheckValue([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("%s: %q: %v", c.name, c.text, err)
		}
	}
}

func TestInvalidUTF8IsRefused(t *testing.T) {
	for _, text := range []string{
		"\"a\xff\"", "a\xff", ":a\xc3", "[\xe2\x82]", "; \xff\n1", "1\xff", "\\\xff", "\"\xed\xa0\xbd\"",
		"[1 #_ \xff 2]", "#!\xff\n1", "#:\xff{}", "\"\\n\xff\"",
	} {
		if err := packer.EDN.CheckValue([]byte(text)); !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDepthIsLimited(t *testing.T) {
	shapes := map[string][2]string{
		"vector": {"[", "]"}, "list": {"(", ")"}, "set": {"#{", "}"}, "map": {"{1 ", "}"},
		"namespaced map": {"#:a{1 ", "}"}, "key": {"{", " 1}"}, "tag": {"#t ", ""},
		"metadata": {"^:k ", ""}, "metadata of metadata": {"^", " x"}, "discard": {"#_ ", " 1"},
		"discarded in vector": {"[#_ ", "1]"},
	}
	for name, s := range shapes {
		inner := "x"
		at := func(n int) string {
			return strings.Repeat(s[0], n) + inner + strings.Repeat(s[1], n)
		}
		per := 1
		if name == "discarded in vector" {
			per = 2
		}
		if err := packer.EDN.CheckValue([]byte(at(packer.DepthMax / per / 2))); err != nil {
			t.Errorf("%s at half: %v", name, err)
		}
		err := packer.EDN.CheckValue([]byte(at(packer.DepthMax + 1)))
		if err == nil || !strings.Contains(err.Error(), "nested deeper than 512") {
			t.Errorf("%s one too deep: %v", name, err)
		}
		err = packer.EDN.CheckValue([]byte(strings.Repeat(s[0], 1<<17)))
		if !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%s without end: %v", name, err)
		}
	}
	deepest := strings.Repeat("[", 512) + strings.Repeat("]", 512)
	if err := packer.EDN.CheckValue([]byte(deepest)); err != nil {
		t.Error(err)
	}
}

func TestNumberLengthIsLimited(t *testing.T) {
	for _, f := range []packer.Format{packer.EDN, packer.JSON} {
		if err := f.CheckValue([]byte(strings.Repeat("7", packer.NumberMax))); err != nil {
			t.Errorf("%v: %v", f, err)
		}
		err := f.CheckValue([]byte(strings.Repeat("7", packer.NumberMax+1)))
		if err == nil || !strings.Contains(err.Error(), "number longer than 4096") {
			t.Errorf("%v: %v", f, err)
		}
	}
}

func TestErrorsSayWhyAndWhere(t *testing.T) {
	for _, c := range []struct {
		f    packer.Format
		text string
		want string
	}{
		{packer.EDN, "{:a 1 :a 2}", "packer: edn: duplicate key at byte 6"},
		{packer.EDN, "[1 2", "packer: edn: unexpected end at byte 4"},
		{packer.EDN, "[1 2}", "packer: edn: unmatched delimiter at byte 4"},
		{packer.EDN, "1 2", "packer: edn: more than one value at byte 2"},
		{packer.EDN, "1 #_", "packer: edn: nothing to discard at byte 4"},
		{packer.JSON, `{"a":1,"a":2}`, "packer: json: duplicate key at byte 7"},
		{packer.JSON, "[1,]", "packer: json: invalid syntax at byte 3"},
	} {
		err := c.f.CheckValue([]byte(c.text))
		if err == nil || err.Error() != c.want || !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestValueIsWithoutSurroundings(t *testing.T) {
	for _, c := range []struct {
		f          packer.Format
		text, want string
	}{
		{packer.EDN, " ,\n[1] ; c", "[1]"},
		{packer.EDN, "#_ x ^:k [1 ; c\n] #_ y ", "^:k [1 ; c\n]"},
		{packer.EDN, "#!x\n#foo/bar {:a 1} ", "#foo/bar {:a 1}"},
		{packer.EDN, ":a/b", ":a/b"},
		{packer.JSON, " [1]\r\n", "[1]"},
	} {
		v, err := c.f.Value([]byte(c.text))
		if err != nil || string(v) != c.want {
			t.Errorf("%q: %q %v, want %q", c.text, v, err, c.want)
		}
	}
}
