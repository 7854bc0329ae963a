package packer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// Every form that is read, the ones that Sente never writes included.
func TestMsgpackDecoding(t *testing.T) {
	uuid := "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
	for _, c := range []struct{ name, in, edn string }{
		{"words", "93 c0 c2 c3", "[nil false true]"},
		{"fixints", "94 00 7f e0 ff", "[0 127 -32 -1]"},
		{"unsigned", "94 ccff cdffff ceffffffff cf7fffffffffffffff",
			"[255 65535 4294967295 9223372036854775807]"},
		{"uint64 beyond int64", "92 cf8000000000000000 cfffffffffffffffff",
			"[9223372036854775808N 18446744073709551615N]"},
		{"signed", "94 d080 d18000 d280000000 d38000000000000000",
			"[-128 -32768 -2147483648 -9223372036854775808]"},
		{"integers longer than need be",
			"96 cc00 cd0001 ce00000002 cf0000000000000003 d004 d3ffffffffffffffff",
			"[0 1 2 3 4 -1]"},
		{"float32", "93 ca3fc00000 ca3dcccccd ca80000000", "[1.5 0.10000000149011612 -0.0]"},
		{"float64",
			"95 cb3fb999999999999a cb4024000000000000 cb8000000000000000 cb54b249ad2594c37d cb3e112e0be826d695",
			"[0.1 10.0 -0.0 1.0E100 1.0E-9]"},
		{"float64 where exponents begin",
			"94 cb444b1ae4d6e2ef50 cb444b1ae4d6e2ef4f cb3e7ad7f29abcaf48 cb3e7ad7f29abcaf47",
			"[1.0E21 999999999999999900000.0 0.0000001 9.999999999999998E-8]"},
		{"float64 at the ends", "93 cb7fefffffffffffff cb0000000000000001 cbffefffffffffffff",
			"[1.7976931348623157E308 5.0E-324 -1.7976931348623157E308]"},
		{"no numbers", "95 ca7f800000 caff800000 ca7fc00000 cb7ff0000000000000 cbfff8000000000001",
			"[##Inf ##-Inf ##NaN ##Inf ##NaN]"},
		{"strings", "94 a0 a161 d90162 da000163", `["" "a" "b" "c"]`},
		{"str32", "db0000000161", `"a"`},
		{"string of anything", "a8 220a5c00c3a92c27", `"\"\n\\` + "\x00é,'" + `"`},
		{"bytes", "93 c400 c403010203 c50001ff", `["" "AQID" "/w=="]`},
		{"bin32", "c6000000020102", `"AQI="`},
		{"keywords", "93 d40061 c70300612f62 c7060061622f632f64", `[:a :a/b ":ab/c/d"]`},
		{"keywords that edn cannot write", "95 c70000 c7030061 2062 d4003a c70300612f2f d40031",
			`[":" ":a b" "::" :a// :1]`},
		{"symbols", "93 d40161 c70301612f62 c7010161", `[a a/b a]`},
		{"symbols that edn cannot write", "93 c703016e696c d40131 d4013a", `["nil" "1" ":"]`},
		{"characters", "93 d40261 d502c3a9 d4020a", `[\a \é \u000a]`},
		{"ratios", "93 d5031607 d503ff03 c70a03d3000000000000000204", `[22/7 -1/3 1/2]`},
		{"ratios not reduced", "94 d5030402 d5030006 d50301ff d503fcfe", `[2 0 -1 2]`},
		{"ratio of unsigned longs", "c71203 cfffffffffffffffff cffffffffffffffffe",
			"18446744073709551615/18446744073709551614"},
		{"sets", "93 d40490 d5049101 c70504dc00020102", "[#{} #{1} #{1 2}]"},
		{"set of array32", "c70604dd0000000107", "#{7}"},
		{"int32s", "d70501000000ffffffff", `#msgpack/ext5 "AQAAAP////8="`},
		{"no int32s", "c70005", `#msgpack/ext5 ""`},
		{"float32s", "d7060000c03f0000807f", `#msgpack/ext6 "AADAPwAAgH8="`},
		{"float64s", "d707000000000000f83f", `#msgpack/ext7 "AAAAAAAA+D8="`},
		{"uuid", "c72409" + hexOf(uuid), `#uuid "` + uuid + `"`},
		{"uuid, short", "c70909" + hexOf("1-2-3-4-5"), `#uuid "00000001-0002-0003-0004-000000000005"`},
		{"inst", "c70cff 286975800000000065937d25", `#inst "2024-01-02T03:04:05.678Z"`},
		{"inst of nanoseconds", "c70cff 3b9ac9ffffffffffffffffff", `#inst "1969-12-31T23:59:59.999Z"`},
		{"timestamp 32", "d6ff65937d25", `#inst "2024-01-02T03:04:05.000Z"`},
		{"timestamp 64", "d7ff a1a5d60065937d25", `#inst "2024-01-02T03:04:05.678Z"`},
		{"timestamp 64, seconds beyond 32 bits", "d7ff 0000000100000000",
			`#inst "2106-02-07T06:28:16.000Z"`},
		{"inst beyond the year 9999", "c70cff 00000000000000ffffffffff",
			`#inst "9999-12-31T23:59:59.999Z"`},
		{"extensions without meaning", "93 d41401 c7000a c70380010203",
			`[#msgpack/ext20 "AQ==" #msgpack/ext10 "" #msgpack/ext-128 "AQID"]`},
		{"ext16 and ext32", "92 c800010061 c9000000010162", "[:a b]"},
		{"arrays", "93 90 dc000101 dd0000000102", "[[] [1] [2]]"},
		{"maps", "93 80 8101c0 df00000001a161c3", `[{} {1 nil} {"a" true}]`},
		{"map16", "de0001d4006101", "{:a 1}"},
		{"composite keys", "83 910102 81010203 d504910104", "{[1] 2, {1 2} 3, #{1} 4}"},
		{"cached keys", "92 82d4006101a16202 82d4080003d4080104", `[{:a 1, "b" 2} {:a 3, "b" 4}]`},
		{"cached key inside its own value", "81d40061 81d4080001", "{:a {:a 1}}"},
		{"cached keys in a set", "c70b049281d4006101 81d4080002", "#{{:a 1} {:a 2}}"},
		{"cached key in ext8", "81d40061 81c701080001", "{:a {:a 1}}"},
		{"a literal repeated takes an index again", "93 81d4006101 81d4006102 82d4080103d4006204",
			"[{:a 1} {:a 2} {:a 3, :b 4}]"},
		{"symbols, characters and numbers take none", "85 01c0 d40178c0 d40278c0 d4006bc0 c0 81d4080005",
			`{1 nil, x nil, \x nil, :k nil, nil {:k 5}}`},
		{"keys inside a composite key come first", "82 81d400610102 d40062 82d4080003d4080104",
			"{{:a 1} 2, :b {:a 3, :b 4}}"},
	} {
		if got := fromMsgpack(t, unhex(t, c.in)); got != c.edn {
			t.Errorf("%s: %s, want %s", c.name, got, c.edn)
		}
	}
}

func hexOf(s string) string { return fmt.Sprintf("%x", s) }

func TestMsgpackRefusals(t *testing.T) {
	const (
		end, more, utf8 = "unexpected end", "more than one value", "not UTF-8"
		dup, ref        = "duplicate key", "reference to nothing"
		syntax          = "invalid syntax"
	)
	for _, c := range []struct{ name, in, reason string }{
		{"nothing", "", end},
		{"two values", "c0c0", more},
		{"a byte that begins nothing", "c1", "no value begins with this byte"},
		{"in an array", "92c0c1", "no value begins with this byte"},
		{"str not UTF-8", "a1ff", utf8}, {"a surrogate in UTF-8", "a3eda080", utf8},
		{"keyword not UTF-8", "d400ff", utf8}, {"symbol not UTF-8", "d401ff", utf8},
		{"two characters", "d5026162", "invalid character literal"},
		{"no character", "c70002", "invalid character literal"},
		{"character beyond U+FFFF", "d602f09f9880", "invalid character literal"},
		{"character not UTF-8", "d402ff", "invalid character literal"},
		{"ratio of one", "d40301", end}, {"ratio of three", "c70303010203", syntax},
		{"ratio of zero", "d5030100", "invalid number"}, {"ratio of nothing", "c70003", end},
		{"ratio of strings", "d503a0a0", "invalid number"},
		{"ratio of floats", "c70a03ca3f800000ca3f800000", "invalid number"},
		{"ratio cut off", "d503cd01", end},
		{"set of nothing", "c70004", end}, {"set of no array", "d40401", syntax},
		{"set of a map", "d40480", syntax}, {"set with more behind it", "d5049000", syntax},
		{"set that promises more", "d5049201", end},
		{"set that promises what is behind it", "92 d5049201 02", end},
		{"set that promises most", "d604ddffffffffff", end},
		{"set whose length is cut off", "d504dc00", end},
		{"set of equals", "c703 04 92 01 01", dup},
		{"set of equals in other forms", "d604 92 01 cc01", dup},
		{"uuid of nothing", "c70009", "invalid #uuid"}, {"uuid of 16 bytes",
			"d809" + strings.Repeat("00", 16), "invalid #uuid"},
		{"inst of 5 bytes", "c705ff0000000000", "invalid #inst"},
		{"inst of a second in nanoseconds", "c70cff3b9aca000000000000000000", "invalid #inst"},
		{"inst of 64 bits", "c70cff000000007fffffffffffffff", "invalid #inst"},
		{"inst of 64 bits, negative", "c70cff000000008000000000000000", "invalid #inst"},
		{"map of equals", "82a16101a16102", dup},
		{"map of equals in other forms", "82a16101d9016102", dup},
		{"map of equals, one by reference", "82a16101d4080002", dup},
		{"map of equal floats", "82ca3fc0000001cb3ff800000000000002", dup},
		{"map of equal composites", "8291810203049181020304", dup},
		{"map of composites equal by reference", "83 d40061c0 81d40061c0c0 81d40800c0c0", dup},
		{"map of equal bytes", "82c4010101c4010101", dup},
		{"map of bytes and their base64", "82c4010101a441513d3d01", dup},
		{"map of arrays of one type", "82d60501000000 01 d60501000000 02", dup},
		{"map of a loose name and its text", "82c7030061206201a43a61206201", dup},
		{"map of instants cut to one",
			"82c70cff00000000000000ffffffffff01c70cff00000000000001ffffffffff01", dup},
		{"reference before any key", "81d4080001", ref},
		{"reference beyond the keys", "82d40061c0d40801c0", ref},
		{"reference to a key in reading", "8181d4080001c0", ref},
		{"reference as the whole", "d40800", ref},
		{"reference as a value", "81d40061d40800", ref},
		{"reference as an element", "9281d40061c0d40800", ref},
		{"reference in a set", "92 81d40061c0 d60491d40800", ref},
		{"reference in a composite key", "82d40061c091d40800c0", ref},
		{"reference to a keyword that is no key", "93 d40078 a179 81d40800c0", ref},
		{"reference of two bytes", "82d40061c0d5080000c0", ref},
		{"reference of no byte", "82d40061c0c70008c0", ref},
		{"map of half a pair", "8101", end},
	} {
		err := packer.Msgpack.CheckValue(unhex(t, c.in))
		var d *packer.DecodeError
		if !errors.As(err, &d) || d.Reason != c.reason {
			t.Errorf("%s: %v, want %s", c.name, err, c.reason)
		}
		for to := range packer.Count {
			out, again := packer.Append([]byte("x"), to, unhex(t, c.in), packer.Msgpack, packer.Options{})
			if string(out) != "x" || again == nil || again.Error() != err.Error() {
				t.Errorf("%s to %v: %q %v", c.name, to, out, again)
			}
		}
	}
}

// NaN equals nothing, and keys that differ by class are no duplicates.
func TestMsgpackKeysThatDiffer(t *testing.T) {
	for _, in := range []string{
		"82 cb7ff800000000000001 cb7ff800000000000001",
		"84 01c0 cb3ff0000000000000c0 a131c0 d40031c0",
		"83 a161c0 d40061c0 d40161c0",
		"82 90c0 80c0",
		"82 d40490c0 90c0",
		"c70d0492 9181d40061c0 9181d40800c3",
		"82 d41401c0 d41501c0",
	} {
		if err := packer.Msgpack.CheckValue(unhex(t, in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}
