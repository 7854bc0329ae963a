package packer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

func TestJSONGrammar(t *testing.T) {
	for _, c := range []struct {
		section, text string
		ok            bool
	}{
		{"RFC 8259 §2 scalar as text", `1`, true},
		{"§2 white space", " \t\n\r[ 1 , 2 ]\r\n", true},
		{"§2 form feed is none", "\f1", false},
		{"§2 no-break space is none", "\u00a01", false},
		{"§2 nothing", ``, false},
		{"§2 white space alone", ` `, false},
		{"§2 two values", `1 2`, false},
		{"§3 words", `[true,false,null]`, true},
		{"§3 capitals", `True`, false},
		{"§3 prefix", `nul`, false},
		{"§3 longer word", `nullx`, false},
		{"§4 empty object", `{}`, true},
		{"§4 members", `{"a":1, "b" : [ ] }`, true},
		{"§4 name is a string", `{a:1}`, false},
		{"§4 number as name", `{1:1}`, false},
		{"§4 missing colon", `{"a" 1}`, false},
		{"§4 missing value", `{"a":}`, false},
		{"§4 trailing comma", `{"a":1,}`, false},
		{"§4 leading comma", `{,"a":1}`, false},
		{"§4 open", `{"a":1`, false},
		{"RFC 7493 §2.3 same name", `{"a":1,"a":1}`, false},
		{"RFC 7493 §2.3 same name escaped", `{"a":1,"\u0061":1}`, false},
		{"RFC 7493 §2.3 in another object", `{"a":{"a":1},"b":{"a":1}}`, true},
		{"§5 empty array", `[]`, true},
		{"§5 trailing comma", `[1,]`, false},
		{"§5 only comma", `[,]`, false},
		{"§5 no comma", `[1 2]`, false},
		{"§5 wrong end", `[1}`, false},
		{"§5 open", `[1,`, false},
		{"§6 integers", `[0,-0,-1,10,1234567890123456789012]`, true},
		{"§6 fractions", `[0.5,-0.0,1.25e10,1E+2,1e-2]`, true},
		{"§6 leading zero", `01`, false},
		{"§6 negative leading zero", `-01`, false},
		{"§6 plus", `+1`, false},
		{"§6 minus alone", `-`, false},
		{"§6 no digit before point", `.5`, false},
		{"§6 no digit behind point", `1.`, false},
		{"§6 no exponent", `1e`, false},
		{"§6 exponent sign alone", `1e+`, false},
		{"§6 hex", `0x10`, false},
		{"§6 NaN", `NaN`, false},
		{"§6 infinity", `Infinity`, false},
		{"§6 edn's N", `1N`, false},
		{"§7 escapes", `"\"\\\/\b\f\n\r\t\u00e9"`, true},
		{"§7 surrogate pair", `"\ud83d\ude00"`, true},
		{"§7 raw characters", "\"é日😀\u007f\u2028\"", true},
		{"§7 raw newline", "\"a\nb\"", false},
		{"§7 raw NUL", "\"a\x00b\"", false},
		{"§7 other escape", `"\a"`, false},
		{"§7 apostrophe escape", `"\'"`, false},
		{"§7 short hex", `"\u00e"`, false},
		{"§7 hex of other letters", `"\u00eg"`, false},
		{"§7 apostrophes", `'a'`, false},
		{"§7 open", `"a`, false},
		{"§7 escape at the end", `"\`, false},
		{"§8.1 not UTF-8", "\"\xff\"", false},
		{"§8.1 overlong", "\"\xc0\x80\"", false},
		{"§8.1 encoded surrogate", "\"\xed\xa0\xbd\"", false},
		{"§8.1 byte order mark", "\ufeff1", false},
		{"§8.2 lone surrogate escape", `"\ud83d"`, true},
		{"§8.2 lone low surrogate", `"\ude00x"`, true},
		{"§9 comments", `[1/*x*/]`, false},
		{"§9 line comments", "1//x", false},
		{"§9 depth", strings.Repeat("[", 512) + strings.Repeat("]", 512), true},
		{"§9 too deep", strings.Repeat("[", 513) + strings.Repeat("]", 513), false},
		{"§9 objects too deep", strings.Repeat(`{"a":`, 513) + "1" + strings.Repeat("}", 513),
			false},
		{"§9 endless", strings.Repeat("[", 1<<17), false},
	} {
		text := []byte(c.text)
		if err := packer.JSON.CheckValue(text); (err == nil) != c.ok {
			t.Errorf("%s: %.40q: %v", c.section, c.text, err)
		}
		if c.ok && !json.Valid(text) {
			t.Errorf("%s: %.40q: encoding/json refuses it", c.section, c.text)
		}
	}
}
