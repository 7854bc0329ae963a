package packer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// Maps of every size up to well beyond the inline keys and the linear search: all distinct is read,
// the first key doubled at the end is refused, whatever stands in between and inside.
func TestDuplicatesInMapsOfAllSizes(t *testing.T) {
	for _, n := range []int{1, 2, 15, 16, 17, 31, 32, 33, 34, 64, 500, 5000} {
		var b, j strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ":k%d {:k%d #{:a :b}} ", i, i)
			fmt.Fprintf(&j, `"k%d":{"k%d":1},`, i, i)
		}
		inner, names := b.String(), strings.TrimSuffix(j.String(), ",")
		for _, c := range []struct {
			f    packer.Format
			text string
			ok   bool
		}{
			{packer.EDN, "{" + inner + "}", true},
			{packer.EDN, "{" + inner + ":k0 1}", false},
			{packer.EDN, "{" + inner + fmt.Sprintf(":k%d 1}", n-1), false},
			{packer.EDN, "{" + inner + ":x {" + inner + "}}", true},
			{packer.EDN, "{" + inner + ":x {" + inner + "} :k0 1}", false},
			{packer.EDN, "#{" + inner + "}", true},
			{packer.EDN, "#{" + inner + ":k0}", false},
			{packer.JSON, "{" + names + "}", true},
			{packer.JSON, "{" + names + `,"k0":1}`, false},
			{packer.JSON, "{" + names + `,"x":{` + names + "}}", true},
			{packer.JSON, "{" + names + `,"x":{` + names + `},"\u006b0":1}`, false},
		} {
			err := c.f.CheckValue([]byte(c.text))
			if (err == nil) != c.ok {
				tail := c.text[len(c.text)-min(20, len(c.text)):]
				t.Errorf("%d keys, %v %.30s...%s: %v", n, c.f, c.text, tail, err)
			}
		}
	}
}

// Equality of keys is Clojure's: written out as pairs, each in both orders.
func TestEqualKeys(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		equal bool
	}{
		{"1", "1N", true}, {"1", "0x1", true}, {"1", "+1", true}, {"8", "010", true}, {"1", "2r1",
			true},
		{"1", "1.0", false}, {"1", "1M", false}, {"1.0", "1.0M", false}, {"0", "-0", true},
		{"4294967296", "0x100000000", true}, {"18446744073709551616", "0x10000000000000000N", true},
		{"-18446744073709551616", "-0x10000000000000000", true}, {"36rZZZZZZZZZZZZZ",
			"170581728179578208255", true},
		{"1.0", "1e0", true}, {"1.0", "1.00", true}, {"0.0", "-0.0", true}, {"1e400", "##Inf",
			true},
		{"-1e400", "##-Inf", true}, {"##Inf", "##-Inf", false}, {"##NaN", "##NaN",
			false}, {"1e-400", "0.0", true},
		{"1.0", "-1.0", false}, {"0.1", "0.1000000000000000000001", true},
		{"1.0M", "1.00M", true}, {"1M", "10E-1M", true}, {"100M", "1E2M", true}, {"0M", "0.00M",
			true},
		{"1M", "-1M", false}, {"-0M", "0M", true}, {"1.5M", "15M", false},
		{"1/2", "2/4", true}, {"2", "4/2", true}, {"1/2", "-1/2", false}, {"1/2", "0.5", false},
		{"100000000000000000000/3", "200000000000000000000/6", true},
		{`"a"`, `"\u0061"`, true}, {`"a"`, `"\141"`, true}, {`"a"`, `"b"`, false}, {`"a"`, ":a",
			false},
		{`"\ud83d\ude00"`, `"😀"`, true}, {`"\ud83d"`, `"\ude00"`, false}, {`""`, `"\0"`, false},
		{`\a`, `\u0061`, true}, {`\a`, `\o141`, true}, {`\a`, `"a"`, false}, {`\space`, `\u0020`,
			true},
		{":a", "a", false}, {":a/b", ":a/b", true}, {":a/b", ":b/a", false}, {"a/b", ":a/b", false},
		{":ab/c", ":a/bc", false}, {":/", ":a//", false},
		{"nil", "false", false}, {"nil", "()", false}, {"true", "true", true}, {"nil", "nil", true},
		{"[]", "()", true}, {"[1 2]", "(1 2)", true}, {"[1 2]", "[2 1]", false}, {"[1]", "#{1}",
			false},
		{"[]", "#{}", false}, {"{}", "#{}", false}, {"[[1] 2]", "[1 [2]]", false}, {"[1 [2]]",
			"(1N (2))", true},
		{"#{1 2}", "#{2 1}", true}, {"#{1 2}", "#{1 3}", false}, {"#{[1] #{2}}", "#{#{2} (1)}",
			true},
		{"{1 2 3 4}", "{3 4 1 2}", true}, {"{1 2 3 4}", "{1 4 3 2}", false}, {"{1 2}", "{2 1}",
			false},
		{"{1 2}", "[1 2]", false}, {"{:a/b 1}", "#:a{:b 1}", true}, {"{:b 1}", "#:a{:_/b 1}", true},
		{"[##NaN]", "[##NaN]", false},
		{"#inst \"2024\"", "#inst \"2024-01-01T01:00+01:00\"", true},
		{"#inst \"2024\"", "#inst \"2025\"", false}, {"#inst \"2024\"", "\"2024\"", false},
		{"#uuid \"0-0-0-0-a\"", "#uuid \"00000000-0000-0000-0000-00000000000A\"", true},
		{"#uuid \"0-0-0-0-1\"", "#uuid \"0-0-0-0-2\"", false},
		{"#t 1", "#t 1N", true}, {"#t 1", "#u 1", false}, {"#t 1", "1", false},
		{"^:k [1]", "[1]", true}, {"[1 #_ 2]", "[1]", true}, {"^:k a", "a", true},
		{":a-keyword-of-more-than-sixteen-bytes", ":a-keyword-of-more-than-sixteen-bytes", true},
		{":a-keyword-of-more-than-sixteen-bytes", ":a-keyword-of-more-than-sixteen-bytez", false},
		{":aaaaaaaaaa", ":aaaaaaaaaaa", false}, {":abc", ":abd", false}, {":abcd", ":abcde", false},
	} {
		for _, text := range []string{
			"#{" + c.a + " " + c.b + "}", "#{" + c.b + " " + c.a + "}",
			"{" + c.a + " 1 " + c.b + " 2}", "#{[" + c.b + "] (" + c.a + ")}",
			"{:x " + c.a + " :y #{{" + c.a + " 1} {" + c.b + " 1N}}}",
		} {
			err := packer.EDN.CheckValue([]byte(text))
			if equal := err != nil && strings.Contains(err.Error(), "duplicate key"); equal != c.equal {
				t.Errorf("%s: %v, want equal %v", text, err, c.equal)
			}
		}
	}
}

// Keys that share every hash of a naive kind must not make a map quadratic: this is 30,000 keys,
// which takes minutes if each is compared with all before it by reading them again.
func TestManyKeysTakeLinearTime(t *testing.T) {
	var b strings.Builder
	b.WriteString("{")
	for i := range 30000 {
		fmt.Fprintf(&b, "#{%d [%d \"%d\"]} %d\n", i, i, i, i)
	}
	text := b.String() + "}"
	if err := packer.EDN.CheckValue([]byte(text)); err != nil {
		t.Fatal(err)
	}
	out, err := transcode(packer.JSON, text, packer.EDN)
	if err != nil || packer.JSON.CheckValue([]byte(out)) != nil {
		t.Fatal(err)
	}
}

// Keys that equal nothing may meet in one name any number of times: the result stays in proportion.
func TestNamesThatMeetStayShort(t *testing.T) {
	text := "{" + strings.Repeat("##NaN 1 ", 50000) + "}"
	out, err := transcode(packer.JSON, text, packer.EDN)
	if err != nil || len(out) > 3*len(text) || packer.JSON.CheckValue([]byte(out)) != nil {
		t.Fatalf("%d bytes of %d: %v", len(out), len(text), err)
	}
}

// Names that meet in a large object are told apart too.
func TestManyNamesThatMeet(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, ":n%d 1 \"n%d\" 2 n%d 3 ", i, i, i)
	}
	out, err := transcode(packer.JSON, "{"+b.String()+"}", packer.EDN)
	if err != nil {
		t.Fatal(err)
	}
	if err := packer.JSON.CheckValue([]byte(out)); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out, ":3"); n != 200 || !strings.Contains(out, `"n7":1,"n7#23":2,"n7#24":3`) {
		t.Errorf("%d third names: %.200s", n, out)
	}
}
