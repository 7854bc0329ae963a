package packer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// What each form of transit is in edn, and how it is written when it comes back.
func TestTransitToEDN(t *testing.T) {
	for _, c := range []struct{ name, transit, edn, back string }{
		{"words", `[null,true,false]`, `[nil true false]`, same},
		{"words as strings", `["~_","~?t","~?f"]`, `[nil true false]`, `[null,true,false]`},
		{"integers", `[0,-1,9007199254740991,-9007199254740991]`,
			`[0 -1 9007199254740991 -9007199254740991]`, same},
		{"integers beyond JavaScript's",
			`["~i9007199254740992","~i-9007199254740992","~i9223372036854775807","~i-9223372036854775808"]`,
			`[9007199254740992 -9007199254740992 9223372036854775807 -9223372036854775808]`, same},
		{"small integers as strings", `["~i7","~i-7","~i+7","~i007"]`, `[7 -7 7 7]`, `[7,-7,7,7]`},
		{"long JSON integers", `[9223372036854775808,-12345678901234567890123]`,
			`[9223372036854775808 -12345678901234567890123]`,
			`["~n9223372036854775808","~n-12345678901234567890123"]`},
		{"big integers", `["~n5","~n-12345678901234567890"]`, `[5N -12345678901234567890N]`, same},
		{"long integers as ~i", `["~i12345678901234567890"]`, `[12345678901234567890]`,
			`["~n12345678901234567890"]`},
		{"floats", `[1.5,-0.0,1.0,1E+2,1e5,1.5E-7]`, `[1.5 -0.0 1.0 1E+2 1E5 1.5E-7]`,
			`[1.5,-0.0,1.0,1E+2,1E5,1.5E-7]`},
		{"floats as strings", `["~d1.5","~d-3","~d1e5","~d+2."]`, `[1.5 -3.0 1E5 2.0]`,
			`[1.5,-3.0,1E5,2.0]`},
		{"floats out of range", `[1e400,"~d-1e400"]`, `[##Inf ##-Inf]`, `["~zINF","~z-INF"]`},
		{"no numeral", `["~zNaN","~zINF","~z-INF"]`, `[##NaN ##Inf ##-Inf]`, same},
		{"decimals", `["~f1.50","~f-0.001","~f1E+3","~f10"]`, `[1.50M -0.001M 1E+3M 10M]`, same},
		{"ratios", `[["~#ratio",["~n22","~n7"]],["~#ratio",["~n-1","~n3"]]]`, `[22/7 -1/3]`, same},
		{"ratios of other integers",
			`[["~#ratio",[22,"~i7"]],{"~#ratio":[4,-6]},["~#ratio",["~n4","~n2"]]]`,
			`[22/7 -2/3 2]`, `[["~#ratio",["~n22","~n7"]],["~#ratio",["~n-2","~n3"]],2]`},
		{"big ratio", `["~#ratio",["~n100000000000000000000","~n3"]]`, `100000000000000000000/3`, same},
		{"strings", `["","a","~~a","~^a","~` + "`" + `a","~~","~^ ","a~","chat/x"]`,
			`["" "a" "~a" "^a" "` + "`" + `a" "~" "^ " "a~" "chat/x"]`, same},
		{"strings that need no escape", `["~","` + "`" + `a","^ "]`, `["~" "` + "`" + `a" "^ "]`,
			`["~~","~` + "`" + `a","~^ "]`},
		{"JSON escapes", `["\u0041\n\"\\\/\u00e9","\u007e:a","\u007e\u007e\n","\u007E\u0024s"]`,
			`["A\n\"\\/é" :a "~\n" s]`, `["A\n\"\\/é","~:a","~~\n","~$s"]`},
		{"surrogates", `["\ud83d\ude00","\ud83d","x\ude00\ud83dy","~~\ud83d"]`,
			`["😀" "\ud83d" "x\ude00\ud83dy" "~\ud83d"]`, `["😀","\ud83d","x\ude00\ud83dy","~~\ud83d"]`},
		{"keywords and symbols", `["~:a","~:a/b","~$a","~$a.b/c","~:/","~$/","~:日本"]`,
			`[:a :a/b a a.b/c :/ / :日本]`, same},
		{"characters", `["~ca","~c\n","~c\"","~c ","~cé","~c~","~c^"]`,
			`[\a \u000a \" \u0020 \é \~ \^]`, same},
		{"uuid", `"~uf81d4fae-7dec-11d0-a765-00a0c91e6bf6"`,
			`#uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, same},
		{"instants", `["~m0","~m-1","~m1704164645678"]`,
			`[#inst "1970-01-01T00:00:00.000Z" #inst "1969-12-31T23:59:59.999Z"` +
				` #inst "2024-01-02T03:04:05.678Z"]`, same},
		{"verbose instant", `"~t2024-01-02T03:04:05.678Z"`, `#inst "2024-01-02T03:04:05.678Z"`,
			`"~m1704164645678"`},
		{"instants that edn cannot write", `["~m9223372036854775807","~m-9223372036854775808"]`,
			`[#inst "9999-12-31T23:59:59.999Z" #inst "0000-01-01T00:00:00.000Z"]`,
			`["~m253402300799999","~m-62167219200000"]`},
		{"bytes", `["~b","~baGk=","~bAP/+"]`, `["" "aGk=" "AP/+"]`, `["","aGk=","AP/+"]`},
		{"URI", `"~rhttp://a/b?c=d&e=\"é\""`, `"http://a/b?c=d&e=\"é\""`, `"http://a/b?c=d&e=\"é\""`},
		{"collections", `[[],[1],["~#list",[]],["~#list",[1,[2]]],["~#set",[]],["~#set",[1,null]]]`,
			`[[] [1] () (1 [2]) #{} #{1 nil}]`, same},
		{"maps", `[["^ "],["^ ","~:a",1,"b",["^ ","~$c",null]]]`, `[{} {:a 1, "b" {c nil}}]`, same},
		{"verbose", `[{},{"~:a":1,"b":{"~$c":null}},{"~#set":[1]},{"~#list":[]},{"~#'":7}]`,
			`[{} {:a 1, "b" {c nil}} #{1} () 7]`,
			`[["^ "],["^ ","~:a",1,"b",["^ ","~$c",null]],["~#set",[1]],["~#list",[]],7]`},
		{"scalar keys",
			`["^ ","~i1",1,"~d1.5",2,"~_",3,"~?t",4,"~ca",5,"~m0",6,"~n7",7,"~f1.5",8,"~zINF",9,"~~x",10]`,
			`{1 1, 1.5 2, nil 3, true 4, \a 5, #inst "1970-01-01T00:00:00.000Z" 6, 7N 7, 1.5M 8,` +
				` ##Inf 9, "~x" 10}`, same},
		{"bare keys", `["^ ",1,1,null,2,[3],3]`, `{1 1, nil 2, [3] 3}`,
			`["~#cmap",["~i1",1,"~_",2,[3],3]]`},
		{"composite keys", `["~#cmap",[[1],2,"~:a",["~#cmap",[["^ "],["~#set",[1]]]]]]`,
			`{[1] 2, :a {{} #{1}}}`, same},
		{"composite key behind others",
			`["~#cmap",["~i1",1,"~:a",2,["~#ratio",["~n1","~n2"]],3,4,5,null,6]]`,
			`{1 1, :a 2, 1/2 3, 4 5, nil 6}`, same},
		{"cmap without need", `["~#cmap",["~:a",1]]`, `{:a 1}`, `["^ ","~:a",1]`},
		{"quotes", `["~#'",["~#'","x"]]`, `"x"`, `"x"`},
		{"quotes in strings", `["~'x","~'~:a","~'"]`, `["x" "~:a" ""]`, `["x","~~:a",""]`},
		{"tags", `[["~#foo",1],["~#foo/bar",[["~#x","~:k"]]],["~#link",["^ ","href","~rx"]]]`,
			`[#foo 1 #foo/bar [#x :k] #link {"href" "x"}]`,
			`[["~#foo",1],["~#foo/bar",[["~#x","~:k"]]],["~#link",["^ ","href","x"]]]`},
		{"tags as keys", `["~#cmap",[["~#foo",1],2]]`, `{#foo 1 2}`, same},
		{"unknown scalars", `["~Xrest","~éé","~y","~1x"]`, `[#X "rest" #é "é" #y "" {"#1" "x"}]`,
			`[["~#X","rest"],["~#é","é"],["~#y",""],["^ ","#1","x"]]`},
		{"loose names", `["~:a b","~:","~$nil","~$1","~:a/b/c","~$:k"]`,
			`[":a b" ":" "nil" "1" ":a/b/c" ":k"]`, `[":a b",":","nil","1",":a/b/c",":k"]`},
		{"loose tags", `[["~#a b",1],["~#inst",2],["~#uuid",3],["~#_x",4],["~#",5]]`,
			`[{"#a b" 1} {"#inst" 2} {"#uuid" 3} {"#_x" 4} {"#" 5}]`,
			`[["^ ","#a b",1],["^ ","#inst",2],["^ ","#uuid",3],["^ ","#_x",4],["^ ","#",5]]`},
		{"white space", " [ \"^ \" ,\n \"~:a\"\t, 1 ] ", `{:a 1}`, `["^ ","~:a",1]`},
		{"white space around tags", ` [ "~#set" , [ 1 ] ] `, `#{1}`, `["~#set",[1]]`},
	} {
		back := c.back
		if back == same {
			back = c.transit
		}
		got, err := transcode(packer.EDN, c.transit, packer.Transit)
		if err != nil || got != c.edn {
			t.Errorf("%s: %s\n got %s %v\nwant %s", c.name, c.transit, got, err, c.edn)
			continue
		}
		if got, err := transcode(packer.Transit, c.edn, packer.EDN); err != nil || got != back {
			t.Errorf("%s: %s\n got %s %v\nwant %s", c.name, c.edn, got, err, back)
		}
		transitCanon(t, c.transit)
		if err := packer.Transit.CheckValue([]byte(back)); err != nil || !json.Valid([]byte(back)) {
			t.Errorf("%s: %s: %v", c.name, back, err)
		}
	}
}

// same: what comes back is what went.
const same = "the same"

// Tags of edn that mean something else in transit become maps.
func TestEDNTagsOfTransit(t *testing.T) {
	for _, tag := range []string{
		"set", "list", "cmap", "ratio", "'", "i", "n", "f", "d", "z", "_x", "?", "c", "m", "t", "u", "b",
		"r", "$", ":x",
	} {
		if packer.EDN.CheckValue([]byte("#"+tag+" [1]")) != nil || tag == "_x" || tag == ":x" {
			continue
		}
		got, err := transcode(packer.Transit, "#"+tag+" [1]", packer.EDN)
		if want := `["^ ","#` + tag + `",[1]]`; err != nil || got != want {
			t.Errorf("#%s [1] became %s %v, want %s", tag, got, err, want)
		}
	}
	got, err := transcode(packer.Transit, "{#set [1] 2, :a 3}", packer.EDN)
	if want := `["~#cmap",[["^ ","#set",[1]],2,"~:a",3]]`; err != nil || got != want {
		t.Errorf("as a key: %s %v, want %s", got, err, want)
	}
}

func TestTransitToJSON(t *testing.T) {
	for _, c := range []struct{ name, transit, json, back string }{
		{"event", `["~:chat/send",["^ ","~:a b",1,"~:c",["~#list",["~$d"]]]]`,
			`["chat/send",{"a b":1,"c":["d"]}]`, `["~:chat/send",["^ ","a b",1,"~:c",["d"]]]`},
		{"scalars", `["~n5","~f1.50","~zNaN","~m0","~cx","~rhttp:a","~baGk=","~Xr"]`,
			`[5,1.50,"##NaN","1970-01-01T00:00:00.000Z","x","http:a","aGk=",{"#X":"r"}]`,
			`[5,1.50,"##NaN","1970-01-01T00:00:00.000Z","x","http:a","aGk=",["^ ","#X","r"]]`},
		{"composite keys", `["~#cmap",[["~:a b","~$c",["~#_x",1]],2]]`,
			`{"[\":a b\" c {\"#_x\" 1}]":2}`, `["^ ","[\":a b\" c {\"#_x\" 1}]",2]`},
		{"names that meet", `["^ ","~:a",1,"a",2,"~$a",3]`, `{"a":1,"a#2":2,"a#3":3}`,
			`["^ ","~:a",1,"~:a#2",2,"~:a#3",3]`},
	} {
		got, err := transcode(packer.JSON, c.transit, packer.Transit)
		if err != nil || got != c.json {
			t.Errorf("%s: %s\n got %s %v\nwant %s", c.name, c.transit, got, err, c.json)
		}
		got, err = transcodeWith(packer.Transit, c.json, packer.JSON,
			packer.Options{Event: c.name == "event"})
		if err != nil || got != c.back {
			t.Errorf("%s: %s\n got %s %v\nwant %s", c.name, c.json, got, err, c.back)
		}
	}
}

func TestTransitGrammar(t *testing.T) {
	for _, c := range []struct{ name, reason, texts string }{
		{"RFC 8259 §2", "invalid syntax",
			"\f1|'a'|[1 2]|[,]|[1,]|[1}|{\"a\",1}|{1:1}|{\"a\":1,}|{a:1}|nul|True"},
		{"§4 names are strings", "invalid syntax", `{null:1}|{[]:1}|{["~#'",1]:2}`},
		{"§6", "invalid number", `-|1.|1e|[01]`},
		{"§6 strange", "invalid syntax", `NaN|Infinity|+1|.5`},
		{"§7 raw control", "control character in a string", "\"a\nb\"|[\"~:a\tb\"]|{\"\x00\":1}"},
		{"§7 escapes", "invalid escape", `"\a"|"~:\u00g0"|["\u007"]`},
		{"§7 open", "unterminated string", `"a|["~:a|["~|["^|["\u007e|["\|"\`},
		{"§8.1", "not UTF-8", "\"\xff\"|[\"~:\xed\xa0\xbd\"]|{\"\xc0\x80\":1}"},
		{"end", "unexpected end", `|[|[1|[1,|{|{"a"|{"a":|["^ "|["^ ",|["~#set"|["~#set",[|{"~#set":`},
		{"more", "more than one value", `1 2|[] []|"a"x`},
		{"odd", "map with a key but no value", `["^ ","a"]|["^ ",1,2,3]|["~#cmap",[1]]|["~#cmap",[1,2,3]]`},
		{"map shapes", "invalid syntax", `["^ "1]|["^ ",]|["^ ","a",]|["^ ","a":1]|{"a"}|{"^ ","a",1}`},
		{"tags", "invalid tagged literal",
			`"~#set"|[1,"~#set"]|["~#set"]|["~#set",[],1]|["~#foo",1,2]|{"~#foo":1,"a":2}|{"a":1,"~#b":2}|` +
				`["^ ","~#a",1]|["~#set",1]|["~#set",["^ "]]|["~#list","a"]|["~#list",{}]|["~#cmap",null]|` +
				`["~#cmap",["^ ","a",1]]|["~#set",["~#list",[1]]]|["~#i","1"]|["~#:","a"]|["~#'"]|["~#m",5]|` +
				`["~#u",[1,2]]`},
		{"duplicates", "duplicate key",
			`["^ ","a",1,"a",2]|{"a":1,"\u0061":2}|["~#set",[1,1]]|["~#set",[1,"~i1"]]|["~#cmap",[[1],1,[1],2]]|` +
				`["~#set",[[1],["~#list",[1]]]]|["~#set",["~n5",5]]|["^ ","~:a b",1,":a b",2]|` +
				`["^ ","~$a b",1,"a b",2]|["^ ","~rab",1,"ab",2]|["^ ","~baGk=",1,"aGk=",2]|` +
				`["~#set",[["~#a b",1],["^ ","#a b",1]]]|["~#set",["~m9223372036854775807","~m253402300799999"]]|` +
				`["~#set",["~m0","~t1970-01-01T00:00:00.000Z"]]|["~#set",["~Xa",["~#X","a"]]]|` +
				`["~#set",[["~#ratio",[1,2]],["~#ratio",[2,4]]]]|["^ ","~:key",1,"^0",2]|` +
				`["^ ","~d1.0",1,"~d1e0",2]|["^ ","~f1.0",1,"~f1.00",2]`},
		{"numbers", "invalid number",
			`"~i"|"~i1.5"|"~ix"|"~n"|"~n--1"|"~d"|"~d.5"|"~dNaN"|"~d1.5M"|"~d1x"|` +
				`"~f"|"~f1e"|"~f1M"|"~f1e9999999999"|` +
				`["~#ratio",[1,0]]|["~#ratio",[1]]|["~#ratio",[1,2,3]]|["~#ratio",[1.5,2]]|["~#ratio",["1",2]]|` +
				`["~#ratio",[]]|["~#ratio",["~n",1]]`},
		{"ratio of nothing", "invalid tagged literal", `["~#ratio",1]|["~#ratio",["^ "]]|["~#ratio","~n1"]`},
		{"words", "invalid syntax", `"~?"|"~?true"|"~_x"`},
		{"symbolic", "invalid symbolic value", `"~z"|"~znan"|"~zInf"`},
		{"characters", "invalid character literal", `"~c"|"~cab"|"~c😀"|"~c\ud83d"`},
		{"instants", "invalid #inst",
			`"~m"|"~m1.5"|"~m9223372036854775808"|"~m-9223372036854775809"|"~t"|"~tx"|"~m99999999999999999999"`},
		{"uuid", "invalid #uuid", `"~u"|"~ux-1-1-1-1"`},
		{"base64", "invalid base64", `"~ba"|"~b===="|"~baGk"|"~b-_=="`},
		{"names", "not UTF-8", `"~:\ud83d"|"~$\ude00x"|["~#\ud83d",1]|"~rx\ud83d"|"~\ud83d"`},
		{"codes", "reference to nothing",
			`["^0"]|"^"|"^x"|["~:abcd","^1"]|["^",1]|["~:a","^0"]|["~:abcd","^/"]|["~:abcd","^00","^0000"]|` +
				`["^ abc"]|["abcd","^0"]|{"^0":1}|["^ ","^0",1]|["^0",[1]]|["~~abc","^0"]|["~i15","^0"]`},
	} {
		for _, text := range strings.Split(c.texts, "|") {
			err := packer.Transit.CheckValue([]byte(text))
			var d *packer.DecodeError
			if !errors.As(err, &d) || d.Reason != c.reason {
				t.Errorf("%s: %q: %v, want %s", c.name, text, err, c.reason)
			}
			if _, err := transcode(packer.EDN, text, packer.Transit); !errors.Is(err, packer.ErrUndecodable) {
				t.Errorf("%s: %q: Append %v", c.name, text, err)
			}
		}
	}
}

// What equals nothing may be a key twice.
func TestTransitNaNKeys(t *testing.T) {
	for _, text := range []string{
		`["~#set",["~zNaN","~zNaN"]]`, `["^ ","~zNaN",1,"^0",2]`, `["~#set",[["~zNaN"],["~zNaN"]]]`,
		`["~#set",[1,1.0,"~f1","1",["~#'",[1]]]]`, `["~#set",["~:a","~$a","a","~ca"]]`,
	} {
		if err := packer.Transit.CheckValue([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
