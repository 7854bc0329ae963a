package packer_test

import (
	"errors"
	"testing"

	"github.com/chskd/chskd/packer"
)

// What msgpack lacks, there and back: the rows of the package documentation.
func TestLossesInMsgpack(t *testing.T) {
	for _, c := range []struct{ name, edn, back string }{
		{"lists and vectors are one", `[(1 2) ()]`, `[[1 2] []]`},
		{"decimals are doubles", `[1.50M 1E+3M 0.1M -0M]`, `[1.5 1000.0 0.1 0.0]`},
		{"digits beyond a double go", `[0.1000000000000000000001 1e400 -1e-400]`, `[0.1 ##Inf -0.0]`},
		{"N goes", `[5N -1N]`, `[5 -1]`},
		{"ratios are reduced", `[4/6 4/2]`, `[2/3 2]`},
		{"tags are maps", `[#foo/bar {:a #x 1}]`, `[{"#foo/bar" {:a {"#x" 1}}}]`},
		{"lone surrogates", `["\ud83d" "a\ude00b"]`, "[\"\ufffd\" \"a\ufffdb\"]"},
		{"metadata goes", `^:k [^{:a 1} x]`, `[x]`},
		{"extensions are tags", `#msgpack/ext20 "AQID"`, `#msgpack/ext20 "AQID"`},
		{"extensions of all lengths",
			`[#msgpack/ext-128 "" #msgpack/ext127 "AQ==" #msgpack/ext10 "AQIDBAUGBwgJCgsMDQ4PEBES"]`,
			`[#msgpack/ext-128 "" #msgpack/ext127 "AQ==" #msgpack/ext10 "AQIDBAUGBwgJCgsMDQ4PEBES"]`},
		{"extensions as keys", `{#msgpack/ext20 "AQID" #{#msgpack/ext20 "AQID"}}`,
			`{#msgpack/ext20 "AQID" #{#msgpack/ext20 "AQID"}}`},
		{"what has a type already is none", `[#msgpack/ext4 "AQID" #msgpack/ext-1 ""]`,
			`[{"#msgpack/ext4" "AQID"} {"#msgpack/ext-1" ""}]`},
		{"what is no type is none",
			`[#msgpack/ext128 "" #msgpack/ext-129 "" #msgpack/ext020 "" #msgpack/ext ""]`,
			`[{"#msgpack/ext128" ""} {"#msgpack/ext-129" ""} {"#msgpack/ext020" ""} {"#msgpack/ext" ""}]`},
		{"other names are none", `[#msgpack/ext2x "" #msgpack/exu20 "" #msgpack/ext-- ""]`,
			`[{"#msgpack/ext2x" ""} {"#msgpack/exu20" ""} {"#msgpack/ext--" ""}]`},
		{"what is no base64 is none",
			`[#msgpack/ext20 "AQI" #msgpack/ext20 "AR==" #msgpack/ext20 "AQ\n=="]`,
			`[{"#msgpack/ext20" "AQI"} {"#msgpack/ext20" "AR=="} {"#msgpack/ext20" "AQ\n=="}]`},
		{"what is no string is none",
			`[#msgpack/ext20 1 #msgpack/ext20 ["AQID"] #msgpack/ext20 {"AQID" 1}]`,
			`[{"#msgpack/ext20" 1} {"#msgpack/ext20" ["AQID"]} {"#msgpack/ext20" {"AQID" 1}}]`},
		{"a tag around an extension", `#msgpack/ext20 #msgpack/ext21 "AQID"`,
			`{"#msgpack/ext20" #msgpack/ext21 "AQID"}`},
		{"an extension around a tag", `#msgpack/ext20 #foo "AQID"`, `{"#msgpack/ext20" {"#foo" "AQID"}}`},
		{"an extension beside one", `#msgpack/ext20 [#msgpack/ext21 "" "AQID"]`,
			`{"#msgpack/ext20" [#msgpack/ext21 "" "AQID"]}`},
	} {
		there := toMsgpack(t, c.edn)
		if back := fromMsgpack(t, there); back != c.back {
			t.Errorf("%s: %s came back as %s, want %s", c.name, c.edn, back, c.back)
		}
	}
}

// Between msgpack and the others: input and result in hex where they are msgpack.
func TestMsgpackBetweenFormats(t *testing.T) {
	for _, c := range []struct {
		name, in string
		to       packer.Format
		want     string
	}{
		{"bytes to json", "c403010203", packer.JSON, `"AQID"`},
		{"bytes to transit", "c403010203", packer.Transit, `"~bAQID"`},
		{"extension to json", "d41401", packer.JSON, `{"#msgpack/ext20":"AQ=="}`},
		{"extension to transit", "91d41401", packer.Transit, `[["~#msgpack/ext20","~bAQ=="]]`},
		{"int32s to json", "d60501000000", packer.JSON, `{"#msgpack/ext5":"AQAAAA=="}`},
		{"numbers to json", "94 cb4024000000000000 cb7ff8000000000000 d5031607 cfffffffffffffffff",
			packer.JSON,
			`[10.0,"##NaN","22/7",18446744073709551615]`},
		{"names to json", "83 d40061 01 c70300612f62 02 c703016e696c 03",
			packer.JSON, `{"a":1,"a/b":2,"nil":3}`},
		{"loose names to json", "82 c7030061206201 d4012001", packer.JSON, `{"a b":1," ":1}`},
		{"composite names to json", "81 92d40061c70300612062 01", packer.JSON, `{"[:a \":a b\"]":1}`},
		{"references to json", "92 81d4006b01 81d4080002", packer.JSON, `[{"k":1},{"k":2}]`},
		{"references to transit", "92 81d6006b65797301 81d4080002", packer.Transit,
			`[["^ ","~:keys",1],["^ ","~:keys",2]]`},
	} {
		out, err := packer.Append(nil, c.to, unhex(t, c.in), packer.Msgpack, packer.Options{})
		if err != nil || string(out) != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, out, err, c.want)
		}
	}
	for _, c := range []struct {
		name, in string
		from     packer.Format
		want     string
	}{
		{"json names", `{"a":1,"a b":"x","a/b":{"a":2}}`,
			packer.JSON, "83 d4006101 a3612062a178 c70300612f62 81d4006102"},
		{"json numbers", `[1,1.0,-0.0,1e2,300]`, packer.JSON,
			"95 01 cb3ff0000000000000 cb8000000000000000 cb4059000000000000 cd012c"},
		{"json strings", `["\u0041\n","\ud83d\ude00"]`, packer.JSON, "92 a2410a a4f09f9880"},
		{"transit bytes", `["~bAQID"]`, packer.Transit, "91 c403010203"},
		{"transit extension", `[["~#msgpack/ext20","~bAQID"]]`, packer.Transit, "91 c70314010203"},
		{"transit extension of an empty string", `[["~#msgpack/ext20",""]]`, packer.Transit, "91 c70014"},
		{"transit uri", `["~rhttp://x"]`, packer.Transit, "91 a8687474703a2f2f78"},
	} {
		out, err := packer.Append(nil, packer.Msgpack, []byte(c.in), c.from, packer.Options{})
		if err != nil || string(out) != string(unhex(t, c.want)) {
			t.Errorf("%s: %x %v, want %s", c.name, out, err, c.want)
		}
	}
}

// What msgpack has no form for: integers beyond 64 bits, and keys that are the same there.
func TestUntranslatable(t *testing.T) {
	for _, c := range []struct {
		name, text string
		from       packer.Format
		ok         bool
	}{
		{"most", "9223372036854775807", packer.EDN, true},
		{"beyond", "9223372036854775808", packer.EDN, false},
		{"least", "-9223372036854775808", packer.EDN, true},
		{"below", "-9223372036854775809", packer.EDN, false},
		{"beyond 64 bits", "18446744073709551616", packer.EDN, false},
		{"very long", "[0xfffffffffffffffff 1]", packer.EDN, false},
		{"hex of 64 bits", "0x8000000000000000", packer.EDN, false},
		{"leading zeros", "36r00000000000000000000001", packer.EDN, true},
		{"inside", `[:a/b {:c [1 2 99999999999999999999]}]`, packer.EDN, false},
		{"json", `{"a":9223372036854775808}`, packer.JSON, false},
		{"json float of that size", `{"a":9223372036854775808.0}`, packer.JSON, true},
		{"ratio beyond", "9223372036854775808/3", packer.EDN, false},
		{"ratio beyond below", "1/9223372036854775808", packer.EDN, false},
		{"ratio that reduces", "18446744073709551614/4", packer.EDN, true},
		{"ratio of a big integer", "100000000000000000000/10", packer.EDN, false},
		{"decimal beyond", "99999999999999999999M", packer.EDN, true},
		{"keys: a decimal and a double", "{1.5 1, 1.5M 2}", packer.EDN, false},
		{"keys: decimals of one double", "#{0.1M 0.1000000000000000000001M}", packer.EDN, false},
		{"keys: decimals that differ", "#{0.1M 0.2M}", packer.EDN, true},
		{"keys: lone surrogates", `{"\ud83d" 1, "\ud83e" 2}`, packer.EDN, false},
		{"keys: lone surrogates in json", `{"\ud83d":1,"\ud83e":2}`, packer.JSON, false},
		{"keys: one lone surrogate", `{"\ud83d":1,"x":2}`, packer.JSON, true},
		{"values that become the same", `[1.5 1.5M #foo 1 {"#foo" 1}]`, packer.EDN, true},
	} {
		out, err := packer.Append([]byte("x"), packer.Msgpack, []byte(c.text), c.from, packer.Options{})
		refused := errors.Is(err, packer.ErrUntranslatable) && string(out) == "x"
		if c.ok && err != nil || !c.ok && !refused {
			t.Errorf("%s: %s: %x %v", c.name, c.text, out, err)
		}
		if err == nil && packer.Msgpack.CheckValue(out[1:]) != nil {
			t.Errorf("%s: %s: %x is not readable", c.name, c.text, out)
		}
	}
}
