package packer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// transcode is Append of a text between edn and JSON, to the format named first.
func transcode(to packer.Format, text string, from packer.Format) (string, error) {
	return transcodeWith(to, text, from, packer.Options{})
}

func transcodeWith(
	to packer.Format, text string, from packer.Format, o packer.Options,
) (string, error) {
	out, err := packer.Append([]byte("before"), to, []byte(text), from, o)
	return strings.TrimPrefix(string(out), "before"), err
}

// The rows of the loss table in the package documentation, edn to JSON.
func TestEDNToJSON(t *testing.T) {
	for _, c := range []struct{ name, edn, json string }{
		{"words", `[nil true false]`, `[null,true,false]`},
		{"integers", `[1 -1 +5 0 -0 007 0x1F -0xfF 010 36rZZ 2r101]`,
			`[1,-1,5,0,0,7,31,-255,8,1295,5]`},
		{"big integers keep their digits",
			`[5N 12345678901234567890N -123456789012345678901234567890]`,
			`[5,12345678901234567890,-123456789012345678901234567890]`},
		{"big hex", `[0xFFFFFFFFFFFFFFFF -0x10000000000000000 36rZZZZZZZZZZZZZ]`,
			`[18446744073709551615,-18446744073709551616,170581728179578208255]`},
		{"floats keep their digits", `[1.5 -0.0 1.0 1. 1e5 1.5E-7 09.50]`,
			`[1.5,-0.0,1.0,1.0,1E5,1.5E-7,9.50]`},
		{"decimals keep their digits", `[1.50M 1E+3M -0.001M 1M 1.M 010M -0M -0.00M]`,
			`[1.50,1E+3,-0.001,1,1,10,0,0.00]`},
		{"ratios", `[22/7 -1/3 4/2 -4/2 0/5 010/4]`, `["22/7","-1/3",2,-2,0,"5/2"]`},
		{"big ratios", `[100000000000000000000/3 100000000000000000000/10 3/99999999999999999999]`,
			`["100000000000000000000/3",10000000000000000000,"1/33333333333333333333"]`},
		{"no numeral", `[##Inf ##-Inf ##NaN 1e400 -1e400]`,
			`["##Inf","##-Inf","##NaN","##Inf","##-Inf"]`},
		{"strings", `["a" "\"\\\n\r\t\f\b" "é\u00e9" "\0 \012" ""]`,
			`["a","\"\\\n\r\t\f\b","éé","\u0000 \n",""]`},
		{"raw control characters", "\"a\nb\x00c\x7fd\u2028\"", `"a\nb\u0000c` + "\x7fd\u2028\""},
		{"surrogates", `["\ud83d\ude00" "\ud83d" "\ude00\ud83d" "\ud83dx"]`,
			`["😀","\ud83d","\ude00\ud83d","\ud83dx"]`},
		{"keywords and symbols", `[:a :a/b a a/b :/ / foo// :日本]`,
			`["a","a/b","a","a/b","/","/","foo//","日本"]`},
		{"characters", `[\a \newline \space \u00e9 \o101 \" \\ \é]`,
			`["a","\n"," ","é","A","\"","\\","é"]`},
		{"collections", `[[1] (1) #{1} {} () #{}]`, `[[1],[1],[1],{},[],[]]`},
		{"uuid", `#uuid "F81D4FAE-7dec-11d0-a765-00a0c91e6bf6"`,
			`"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`},
		{"short uuid", `#uuid "1-2-3-4-5"`, `"00000001-0002-0003-0004-000000000005"`},
		{"instants",
			`[#inst "2024" #inst "2024-01-02T03:04:05.678-00:00" #inst "2024-02-29T00:30:00.1234+01:00"]`,
			`["2024-01-01T00:00:00.000Z","2024-01-02T03:04:05.678Z","2024-02-28T23:30:00.123Z"]`},
		{"instants at the edge",
			`[#inst "0000-01-01T00:00+23:59" #inst "9999-12-31T23:59:59.999-23:59"]`,
			`["0000-01-01T00:00:00.000Z","9999-12-31T23:59:59.999Z"]`},
		{"instants of few fields",
			`[#inst "2024-01-01:00" #inst "2024-03" #inst "2024-01-02T03-01:30"]`,
			`["2024-01-01T01:00:00.000Z","2024-03-01T00:00:00.000Z","2024-01-02T04:30:00.000Z"]`},
		{"tags", `[#foo/bar {:a #x 1} #foo [2]]`, `[{"#foo/bar":{"a":{"#x":1}}},{"#foo":[2]}]`},
		{"metadata goes", `^{:a 1} [^:k x]`, `["x"]`},
		{"discards and comments go", "[#_ 1 2 ; c\n #_#_ a b]", `[2]`},
		{"names", `{:a 1, :b/c 2, "d" 3, e 4, \f 5}`, `{"a":1,"b/c":2,"d":3,"e":4,"f":5}`},
		{"names of numbers and words", `{1 1, 1.5 2, nil 3, true 4, 22/7 5, 3N 6}`,
			`{"1":1,"1.5":2,"null":3,"true":4,"22/7":5,"3":6}`},
		{"names of instants and uuids", `{#inst "2024" 1, #uuid "0-0-0-0-1" 2}`,
			`{"2024-01-01T00:00:00.000Z":1,"00000000-0000-0000-0000-000000000001":2}`},
		{"composite names", `{[1 "a" :b] 1, {:k (2)} 2, #{\a} 3, #t 4 4, {1 2, 3 4} 5}`,
			`{"[1 \"a\" :b]":1,"{:k (2)}":2,"#{\\a}":3,"#t 4":4,"{1 2, 3 4}":5}`},
		{"composite name of everything",
			`{[nil 1N 1.5 2.50M 1/2 ##Inf \newline s/y #inst "2024" #uuid "0-0-0-0-1" "\ud800"] 1}`,
			`{"[nil 1N 1.5 2.50M 1/2 ##Inf \\u000a s/y #inst \"2024-01-01T00:00:00.000Z\"` +
				` #uuid \"00000000-0000-0000-0000-000000000001\" \"\\ud800\"]":1}`},
		{"namespaced map", `#:foo{:a 1 :_/b 2 :c/d 3 e 4 "f" 5 :g {:h 6} [:i] 7}`,
			`{"foo/a":1,"b":2,"c/d":3,"foo/e":4,"f":5,"foo/g":{"h":6},"[:i]":7}`},
		{"names that meet", `{:a 1, "a" 2, a 3, "\"a\"" 4}`,
			`{"a":1,"a#2":2,"a#3":3,"\"a\"":4}`},
		{"names that meet, numbers", `{1 :a, "1" :b, 1.0 :c, "1.0" :d}`,
			`{"1":"a","1#2":"b","1.0":"c","1.0#4":"d"}`},
		{"names that meet names made", `{"a#3" 1, :a 2, "a" 3}`, `{"a#3":1,"a":2,"a#3#3":3}`},
		{"names that meet, equal to nothing", `{##NaN 1, ##NaN 2, ##NaN 3}`,
			`{"##NaN":1,"##NaN#2":2,"##NaN#3":3}`},
	} {
		got, err := transcode(packer.JSON, c.edn, packer.EDN)
		if err != nil || got != c.json {
			t.Errorf("%s: %s\n got %s %v\nwant %s", c.name, c.edn, got, err, c.json)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: not JSON: %s", c.name, got)
		}
		if err := packer.JSON.CheckValue([]byte(got)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestJSONToEDN(t *testing.T) {
	for _, c := range []struct{ name, json, edn string }{
		{"words", `[null,true,false]`, `[nil true false]`},
		{"integers", `[1,-1,0,-0,12345678901234567890]`, `[1 -1 0 0 12345678901234567890]`},
		{"floats", `[1.5,-0.0,1e5,1E+2,1.0e-7]`, `[1.5 -0.0 1E5 1E+2 1.0E-7]`},
		{"out of range", `[1e400,-1e400,1e-400]`, `[##Inf ##-Inf 1E-400]`},
		{"strings stay", `["a","chat/x",":a",""]`, `["a" "chat/x" ":a" ""]`},
		{"escapes", `"\"\\\/\b\f\n\r\t\u0000\u007f\u2028é"`,
			"\"\\\"\\\\/\\b\\f\\n\\r\\t\x00\x7f\u2028é\""},
		{"surrogates", `["\ud83d\ude00","\ud83d","\ude00\ud83d"]`, `["😀" "\ud83d" "\ude00\ud83d"]`},
		{"collections", `[[],{},[[1]]]`, `[[] {} [[1]]]`},
		{"keyword names",
			`{"a":1,"a/b":2,"room-id":3,"a.b/c?!*":4,"日本":5,"1":6,"a:b":7,"/":8,"a//":9}`,
			`{:a 1, :a/b 2, :room-id 3, :a.b/c?!* 4, :日本 5, :1 6, :a:b 7, :/ 8, :a// 9}`},
		{"string names",
			`{"":1,"a b":2,"a/b/c":3,"/a":4,"a/":5,":a":6,"a:":7,"a::b":8,"a,b":9,"a@b":10}`,
			`{"" 1, "a b" 2, "a/b/c" 3, "/a" 4, "a/" 5, ":a" 6, "a:" 7, "a::b" 8, "a,b" 9, "a@b" 10}`},
		{"string names of readers in use",
			`{"a/1":1,"#a":2,"'a":3,"a:/b":4,"\u00a0":5,"a\u2003b":6,"\u200b":7,"\ud800":8,"a\u007f":9}`,
			"{\"a/1\" 1, \"#a\" 2, \"'a\" 3, \"a:/b\" 4, \"\u00a0\" 5, \"a\u2003b\" 6, \"\u200b\" 7, \"\\ud800\" 8, \"a\x7f\" 9}"},
		{"names with escapes", `{"a\/b":1,"\u0061":2,"a\"":3}`, `{:a/b 1, :a 2, "a\"" 3}`},
		{"white space goes", " { \"a\" : [ 1 , 2 ] } ", `{:a [1 2]}`},
	} {
		got, err := transcode(packer.EDN, c.json, packer.JSON)
		if err != nil || got != c.edn {
			t.Errorf("%s: %s\n got %s %v\nwant %s", c.name, c.json, got, err, c.edn)
		}
		if err := packer.EDN.CheckValue([]byte(got)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name, json, edn string
		o               packer.Options
	}{
		{"event", `["chat/send",{"a":"b/c"}]`, `[:chat/send {:a "b/c"}]`,
			packer.Options{Event: true}},
		{"event with an escape", `["chat\/send"]`, `[:chat/send]`, packer.Options{Event: true}},
		{"event inside is data", `["a/b",["c/d"]]`, `[:a/b ["c/d"]]`, packer.Options{Event: true}},
		{"no event, first is no sequence", `[["a/b"]]`, `[["a/b"]]`, packer.Options{Event: true}},
		{"no event, an object", `{"a":["b/c"]}`, `{:a ["b/c"]}`, packer.Options{Event: true}},
		{"id that no keyword can be", `["a b/c"]`, `["a b/c"]`, packer.Options{Event: true}},
		{"string keys", `["a/b",{"c":{"d":1}}]`, `["a/b" {"c" {"d" 1}}]`,
			packer.Options{StringKeys: true}},
		{"both", `["a/b",{"c":1}]`, `[:a/b {"c" 1}]`,
			packer.Options{Event: true, StringKeys: true}},
	} {
		got, err := transcodeWith(packer.EDN, c.json, packer.JSON, c.o)
		if err != nil || got != c.edn {
			t.Errorf("%s: %s %v, want %s", c.name, got, err, c.edn)
		}
	}
}

func TestSameFormatIsACopy(t *testing.T) {
	for _, c := range []struct {
		f          packer.Format
		text, want string
	}{
		{packer.EDN, " #_ x #foo/bar {:a  0x10 ; c\n} ; d", "#foo/bar {:a  0x10 ; c\n}"},
		{packer.JSON, " { \"a\" : 1.50 }\n", `{ "a" : 1.50 }`},
	} {
		got, err := transcode(c.f, c.text, c.f)
		if err != nil || got != c.want {
			t.Errorf("%q: %q %v", c.text, got, err)
		}
	}
}

func TestAppendLeavesDstOnError(t *testing.T) {
	for _, from := range []packer.Format{packer.EDN, packer.JSON} {
		for _, to := range []packer.Format{packer.EDN, packer.JSON} {
			for _, text := range []string{"", " ", "[1", `["a" {`, "1 2 3", "\xff"} {
				got, err := transcode(to, text, from)
				if !errors.Is(err, packer.ErrUndecodable) || got != "" {
					t.Errorf("%v to %v, %q: %q %v", from, to, text, got, err)
				}
			}
		}
	}
}
