package packer_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// unhex is the bytes of a text in hex, blanks for the eye.
func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// toMsgpack and fromMsgpack are Append between edn and msgpack.
func toMsgpack(tb testing.TB, edn string) []byte {
	tb.Helper()
	b, err := packer.Append(nil, packer.Msgpack, []byte(edn), packer.EDN, packer.Options{})
	if err != nil {
		tb.Fatalf("%s: %v", edn, err)
	}
	if err := packer.Msgpack.CheckValue(b); err != nil {
		tb.Fatalf("%s: %x: %v", edn, b, err)
	}
	return b
}

func fromMsgpack(tb testing.TB, b []byte) string {
	tb.Helper()
	edn, err := packer.Append(nil, packer.EDN, b, packer.Msgpack, packer.Options{})
	if err != nil {
		tb.Fatalf("%x: %v", b, err)
	}
	if err := packer.EDN.CheckValue(edn); err != nil {
		tb.Fatalf("%x: %s: %v", b, edn, err)
	}
	return string(edn)
}

// msgpackVector is a pair [value nil] as Sente's JVM packer wrote it, and what that read again.
type msgpackVector struct {
	Name    string
	EDN     string
	Msgpack []byte
	Error   string // the packer's refusal
	Back    string
}

func TestMsgpackVectors(t *testing.T) {
	var vs []msgpackVector
	readJSON(t, "testdata/msgpack.json", &vs)
	same := 0
	for _, v := range vs {
		if v.Error != "" {
			_, err := packer.Append(nil, packer.Msgpack, []byte(v.EDN), packer.EDN, packer.Options{})
			if !errors.Is(err, packer.ErrUntranslatable) {
				t.Errorf("%s: %v, the JVM says %s", v.Name, err, v.Error)
			}
			continue
		}
		if strings.Contains(v.EDN, `\ud83d`) || strings.Contains(v.EDN, "\ufffd") {
			v.Msgpack = bytes.Replace(v.Msgpack, []byte("\xa1?"), []byte("\xa3\xef\xbf\xbd"), 1)
			v.Back = strings.Replace(v.Back, "?", "\ufffd", 1) // lone surrogate: as a browser
		}
		ours := toMsgpack(t, v.EDN)
		want, refs := canonRefs(t, v.Msgpack)
		if got := canon(t, ours); got != want {
			t.Errorf("%s: %s\n got %s\nwant %s", v.Name, v.EDN, got, want)
		}
		if bytes.Equal(ours, v.Msgpack) {
			same++
		} else if refs == 0 && !strings.Contains(v.EDN, "{") {
			t.Errorf("%s: %s\n got %x\nwant %x", v.Name, v.EDN, ours, v.Msgpack)
		}
		if got := canon(t, toMsgpack(t, fromMsgpack(t, v.Msgpack))); got != canon(t, toMsgpack(t, v.Back)) {
			t.Errorf("%s: %s read back as %s, by the JVM as %s", v.Name, v.EDN, got, v.Back)
		}
	}
	if len(vs) != 93 || same < 80 {
		t.Errorf("%d vectors, %d the same bytes", len(vs), same)
	}
}

// msgpackMessage is a message as captured between stock clients and servers, the padding of Ajax
// bodies included, and what it says.
type msgpackMessage struct {
	Name, From string
	Msgpack    []byte
	EDN        string
}

func msgpackMessages(tb testing.TB) []msgpackMessage {
	tb.Helper()
	var ms []msgpackMessage
	readJSON(tb, "testdata/msgpack_messages.json", &ms)
	if len(ms) < 60 {
		tb.Fatalf("only %d messages", len(ms))
	}
	return ms
}

func TestMsgpackMessages(t *testing.T) {
	padded := 0
	for _, c := range msgpackMessages(t) {
		var got, want packer.Message
		if err := packer.Msgpack.ParseMessage(c.Msgpack, &got); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if err := packer.EDN.ParseMessage([]byte(c.EDN), &want); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		sameMessage(t, c.Name, &got, &want)
		if len(c.Msgpack) == 1024 {
			padded++
			if err := packer.Msgpack.CheckValue(c.Msgpack); err == nil {
				t.Errorf("%s: a value with padding is one value", c.Name)
			}
		}
	}
	if padded == 0 {
		t.Error("no message has padding")
	}
}

// sameMessage compares a message in msgpack with one in edn.
func sameMessage(t *testing.T, name string, got, want *packer.Message) {
	t.Helper()
	if got.Kind != want.Kind || string(got.ID) != string(want.ID) ||
		(got.Callback == nil) != (want.Callback == nil) {
		t.Errorf("%s: kind %d id %q callback %x, want %d %q %s",
			name, got.Kind, got.ID, got.Callback, want.Kind, want.ID, want.Callback)
		return
	}
	for _, span := range [][2][]byte{{got.Event, want.Event}, {got.Callback, want.Callback}} {
		if span[0] == nil {
			continue
		}
		edn := fromMsgpack(t, span[0])
		a, b := canon(t, toMsgpack(t, edn)), canon(t, toMsgpack(t, string(span[1])))
		if a != b {
			t.Errorf("%s:\n got %s\nwant %s", name, a, b)
		}
	}
}

// Every form that the encoder writes, at the edges between them.
func TestMsgpackEncoding(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	hexText := func(n int) string { return strings.Repeat("78", n) }
	for _, c := range []struct{ name, edn, want string }{
		{"nil", "nil", "c0"}, {"false", "false", "c2"}, {"true", "true", "c3"},
		{"positive fixint", "127", "7f"}, {"uint8", "128", "cc 80"}, {"uint8 most", "255", "cc ff"},
		{"uint16", "256", "cd 0100"}, {"uint16 most", "65535", "cd ffff"},
		{"uint32", "65536", "ce 00010000"}, {"uint32 most", "4294967295", "ce ffffffff"},
		{"int64, not uint64", "4294967296", "d3 0000000100000000"},
		{"int64 most", "9223372036854775807", "d3 7fffffffffffffff"},
		{"negative fixint", "-32", "e0"}, {"int8", "-33", "d0 df"}, {"int8 least", "-128", "d0 80"},
		{"int16", "-129", "d1 ff7f"}, {"int16 least", "-32768", "d1 8000"},
		{"int32", "-32769", "d2 ffff7fff"}, {"int32 least", "-2147483648", "d2 80000000"},
		{"int64 negative", "-2147483649", "d3 ffffffff7fffffff"},
		{"int64 least", "-9223372036854775808", "d3 8000000000000000"},
		{"integers of other spellings", "[5N 0x10 -0xff 2r101 -0 007]", "96 05 10 d1ff01 05 00 07"},
		{"hex of 64 bits", "[0x7fffffffffffffff -0x8000000000000000]",
			"92 d3 7fffffffffffffff d3 8000000000000000"},
		{"double", "[1.5 -0.0 0.0 1e400 -1e400]",
			"95 cb3ff8000000000000 cb8000000000000000 cb0000000000000000 cb7ff0000000000000 cbfff0000000000000"},
		{"decimal", "[1.50M -0M 1E+3M -1E-400M]",
			"94 cb3ff8000000000000 cb0000000000000000 cb408f400000000000 cb8000000000000000"},
		{"symbolic", "[##Inf ##-Inf ##NaN]",
			"93 cb7ff0000000000000 cbfff0000000000000 cb7ff8000000000000"},
		{"ratio", "[22/7 -1/3 -4/6 4/2 0/5]", "95 d5031607 d503ff03 d503fe03 02 00"},
		{"ratio of long integers", "[9223372036854775807/2 1/9223372036854775807]",
			"92 c70a03 d37fffffffffffffff 02 c70a03 01 d37fffffffffffffff"},
		{"fixstr", `"` + text(31) + `"`, "bf" + hexText(31)},
		{"str8", `"` + text(32) + `"`, "d920" + hexText(32)},
		{"str8 most", `"` + text(255) + `"`, "d9ff" + hexText(255)},
		{"str16", `"` + text(256) + `"`, "da0100" + hexText(256)},
		{"str32", `"` + text(65536) + `"`, "db00010000" + hexText(65536)},
		{"fixstr in pieces", `"\n` + text(30) + `"`, "bf0a" + hexText(30)},
		{"str8 in pieces", `"\n` + text(31) + `"`, "d9200a" + hexText(31)},
		{"str16 in pieces", `"\n` + text(255) + `"`, "da01000a" + hexText(255)},
		{"str32 in pieces", `"\n` + text(65535) + `"`, "db000100000a" + hexText(65535)},
		{"surrogates", `["\ud83d\ude00" "\ud83d"]`, "92 a4f09f9880 a3efbfbd"},
		{"keyword", "[:a :a/b :ab/c :a/ccccccccccccccc]",
			"94 d40061 c70300612f62 d60061622f63 c71100612f636363636363636363636363636363"},
		{"symbol", "[a a/b ns//]", "93 d40161 c70301612f62 d6016e732f2f"},
		{"char", `[\a \newline \é \日]`, "94 d40261 d4020a d502c3a9 c70302e697a5"},
		{"uuid", `#uuid "F81D4FAE-7dec-11d0-a765-00a0c91e6bf6"`,
			"c72409" + hex.EncodeToString([]byte("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"))},
		{"inst", `#inst "2024-01-02T03:04:05.678Z"`, "c70cff 28697580 0000000065937d25"},
		{"inst before 1970", `#inst "1969-12-31T23:59:59.999Z"`, "c70cff 3b8b87c0 ffffffffffffffff"},
		{"inst a second before 1970", `#inst "1969-12-31T23:59:59Z"`, "c70cff 00000000 ffffffffffffffff"},
		{"sequences", "[[] () (1) [[2]]]", "94 90 90 9101 919102"},
		{"array16", "[" + strings.Repeat("1 ", 16) + "]", "dc0010" + strings.Repeat("01", 16)},
		{"array of 15", "(" + strings.Repeat("1 ", 15) + ")", "9f" + strings.Repeat("01", 15)},
		{"array32", "[" + strings.Repeat("1 ", 65536) + "]", "dd00010000" + strings.Repeat("01", 65536)},
		{"map", `{:a 1, "b" {:a 2}}`, "82 d40061 01 a162 81 d40061 02"},
		{"set: content of 1, 2 and 3 bytes", `[#{} #{1} #{1 2}]`, "93 d40490 d5049101 c70304920102"},
		{"set: content of 4 bytes", `#{1 2 3}`, "d60493010203"},
		{"set in a set", `#{#{} 1}`, "c7050492d4049001"},
		{"tag", `#foo/bar [1]`, "81 a823666f6f2f626172 9101"},
		{"tag in a tag", `#a #b 1`, "81a22361 81a22362 01"},
	} {
		if got := toMsgpack(t, c.edn); !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s: %.80s: %.100x, want %.100s", c.name, c.edn, got, c.want)
		}
	}
}

// Maps and sets whose headers grow, compared by the second reader.
func TestMsgpackSizes(t *testing.T) {
	for _, n := range []int{0, 1, 7, 14, 15, 16, 17, 85, 86, 100, 255, 256, 257, 65535, 65536} {
		var ints, pairs []string
		var elems, entries strings.Builder
		for i := range n {
			elems.WriteString(itoa(i) + " ")
			entries.WriteString(itoa(i) + " :v ")
			ints = append(ints, itoa(i))
			pairs = append(pairs, itoa(i)+" :v")
		}
		checkCanon(t, "#{"+elems.String()+"}", "#{"+sorted(ints, " ")+"}")
		checkCanon(t, "{"+entries.String()+"}", "{"+sorted(pairs, ", ")+"}")
		checkCanon(t, "#{[["+elems.String()+"]]}", "#{[["+strings.Join(ints, " ")+"]]}")
	}
}

func checkCanon(t *testing.T, edn, want string) {
	t.Helper()
	if got := canon(t, toMsgpack(t, edn)); got != want {
		t.Errorf("%.60s: %.100s, want %.100s", edn, got, want)
	}
}
