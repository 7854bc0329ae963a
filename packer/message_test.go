package packer_test

import (
	"errors"
	"testing"

	"github.com/chskd/chskd/packer"
)

func TestParseMessage(t *testing.T) {
	const none = "(none)"
	for _, c := range []struct {
		name, text string
		kind       packer.Kind
		event, id  string
		callback   string // none for nil
	}{
		{"2.1 event, no reply wanted", `[[:test/echo 1] nil]`, packer.Event, `[:test/echo 1]`,
			"test/echo", none},
		{"2.1 event with callback", `[[:test/echo {:a [1]}] "a1b2c3"]`, packer.Event,
			`[:test/echo {:a [1]}]`, "test/echo", `"a1b2c3"`},
		{"2.1 event without data", `[[:a/b] nil]`, packer.Event, `[:a/b]`, "a/b", none},
		{"2.1 ping", `[[:chsk/ws-ping] "pinguu"]`, packer.Ping, `[:chsk/ws-ping]`, "chsk/ws-ping",
			`"pinguu"`},
		{"2.1 ping without callback", `[[:chsk/ws-ping] nil]`, packer.Ping, `[:chsk/ws-ping]`,
			"chsk/ws-ping", none},
		{"2.1 ping as a list", `[(:chsk/ws-ping) "pinlst"]`, packer.Ping, `(:chsk/ws-ping)`,
			"chsk/ws-ping", `"pinlst"`},
		{"2.1 ping with data is an event", `[[:chsk/ws-ping nil] "x"]`, packer.Event,
			`[:chsk/ws-ping nil]`, "chsk/ws-ping", `"x"`},
		{"2.1 bare keyword is no ping", `[:chsk/ws-ping "x"]`, packer.BadEvent, `:chsk/ws-ping`,
			"", `"x"`},
		{"2.1 pong", `[[:chsk/ws-pong] nil]`, packer.Pong, `[:chsk/ws-pong]`, "chsk/ws-pong", none},
		{"2.1 pong with data is an event", `[[:chsk/ws-pong 1] nil]`, packer.Event,
			`[:chsk/ws-pong 1]`, "chsk/ws-pong", none},
		{"2.1 pong as a list is bad", `[(:chsk/ws-pong) nil]`, packer.BadEvent, `(:chsk/ws-pong)`,
			"", none},
		{"2.1 callback integer", `[[:a/b 1] 5]`, packer.Event, `[:a/b 1]`, "a/b", `5`},
		{"2.1 callback keyword", `[[:a/b 1] :kw]`, packer.Event, `[:a/b 1]`, "a/b", `:kw`},
		{"2.1 callback map", `[[:a/b 1] {:x 1}]`, packer.Event, `[:a/b 1]`, "a/b", `{:x 1}`},
		{"2.1 callback empty string", `[[:a/b 1] ""]`, packer.Event, `[:a/b 1]`, "a/b", `""`},
		{"2.1 callback false", `[[:a/b 1] false]`, packer.Event, `[:a/b 1]`, "a/b", none},
		{"2.1 callback zero", `[[:a/b 1] 0]`, packer.Event, `[:a/b 1]`, "a/b", `0`},
		{"2.3 Ajax callback", `[[:a/b 1] :ajax]`, packer.Event, `[:a/b 1]`, "a/b", `:ajax`},
		{"3.6 further elements", `[[:a/b 1] "x" 3 {:y 4}]`, packer.Event, `[:a/b 1]`, "a/b", `"x"`},
		{"3.6 no second element", `[[:a/b 1]]`, packer.Event, `[:a/b 1]`, "a/b", none},
		{"3.6 list as pair", `([:a/b 1] "x")`, packer.Event, `[:a/b 1]`, "a/b", `"x"`},
		{"3.6 no namespace", `[[:unnamespaced 1] "x"]`, packer.BadEvent, `[:unnamespaced 1]`, "",
			`"x"`},
		{"3.6 three elements", `[[:a/b 1 2] "x"]`, packer.BadEvent, `[:a/b 1 2]`, "", `"x"`},
		{"3.6 empty event", `[[] "x"]`, packer.BadEvent, `[]`, "", `"x"`},
		{"3.6 list event", `[(:a/b 1) nil]`, packer.BadEvent, `(:a/b 1)`, "", none},
		{"3.6 id is a string", `[["a/b" 1] nil]`, packer.BadEvent, `["a/b" 1]`, "", none},
		{"3.6 id is a symbol", `[[a/b 1] nil]`, packer.BadEvent, `[a/b 1]`, "", none},
		{"3.6 id is the keyword :/", `[[:/ 1] nil]`, packer.BadEvent, `[:/ 1]`, "", none},
		{"3.6 event is a map", `[{:a 1} nil]`, packer.BadEvent, `{:a 1}`, "", none},
		{"3.6 event nil", `[nil "x"]`, packer.BadEvent, `nil`, "", `"x"`},
		{"3.6 nil", `nil`, packer.BadEvent, `nil`, "", none},
		{"3.6 empty vector", `[]`, packer.BadEvent, `nil`, "", none},
		{"3.6 empty list", `()`, packer.BadEvent, `nil`, "", none},
		{"3.6 string", `"just a string"`, packer.BadEvent, `\j`, "", `\u`},
		{"3.6 string of one", `"j"`, packer.BadEvent, `\j`, "", none},
		{"3.6 empty string", `""`, packer.BadEvent, `nil`, "", none},
		{"3.6 string with escapes", `"\n\u00e9"`, packer.BadEvent, `\u000a`, "", `\é`},
		{"3.6 string beyond U+FFFF", `"😀"`, packer.BadEvent, `"\ud83d"`, "", `"\ude00"`},
		{"3.6 string ending beyond U+FFFF", `"a😀"`, packer.BadEvent, `\a`, "", `"\ud83d"`},
		{"3.6 string with half a pair", `"\ude00 "`, packer.BadEvent, `"\ude00"`, "", `\u0020`},
		{"5.1 empty text", ``, packer.BadEvent, `nil`, "", none},
		{"5.1 only the first form", `[[:a/b 1] nil] )(`, packer.Event, `[:a/b 1]`, "a/b", none},
		{"5.1 trailing bytes", "[[:a/b 1] nil]\xff\x00", packer.Event, `[:a/b 1]`, "a/b", none},
		{"5.1 comments and discards", "#_ x ; c\n[ #_ y [ :a/b ,1 ; d\n] ,, \"x\" #_ z ]",
			packer.Event, "[ :a/b ,1 ; d\n]", "a/b", `"x"`},
		{"5.1 metadata", `^:k [^{:l 1} [:a/b] ^:m [1]]`, packer.Event, `^{:l 1} [:a/b]`, "a/b",
			`^:m [1]`},
		{"5.1 old metadata", `#^:k [#^:l [:a/b]]`, packer.Event, `#^:l [:a/b]`, "a/b", none},
		{"5.1 unknown tags are kept", `[[:a/b #foo/bar {:c 1}] #x y]`, packer.Event,
			`[:a/b #foo/bar {:c 1}]`, "a/b", `#x y`},
		{"5.1 tagged event", `[#x [:a/b]]`, packer.BadEvent, `#x [:a/b]`, "", none},
	} {
		checkMessage(t, packer.EDN, c.name, c.text, c.kind, c.event, c.id, c.callback)
	}
	for _, c := range []struct {
		name, text string
		kind       packer.Kind
		event, id  string
		callback   string
	}{
		{"event", `[["chat/send",{"a":1}],"cb1"]`, packer.Event, `["chat/send",{"a":1}]`,
			"chat/send", `"cb1"`},
		{"no reply wanted", `[["chat/send"],null]`, packer.Event, `["chat/send"]`, "chat/send",
			none},
		{"white space", " [ [ \"a/b\" , 1 ] , 2 ] \n", packer.Event, `[ "a/b" , 1 ]`, "a/b", `2`},
		{"id with an escape", `[["chat\/send"],false]`, packer.Event, `["chat\/send"]`,
			"chat/send", none},
		{"ping", `[["chsk/ws-ping"],"cb"]`, packer.Ping, `["chsk/ws-ping"]`, "chsk/ws-ping",
			`"cb"`},
		{"ping with an escape", `[["chsk\/ws-ping"],"cb"]`, packer.Ping, `["chsk\/ws-ping"]`,
			"chsk/ws-ping", `"cb"`},
		{"ping with data", `[["chsk/ws-ping",null],"cb"]`, packer.Event, `["chsk/ws-ping",null]`,
			"chsk/ws-ping", `"cb"`},
		{"pong", `[["chsk/ws-pong"],null]`, packer.Pong, `["chsk/ws-pong"]`, "chsk/ws-pong", none},
		{"no namespace", `[["send",1],1]`, packer.BadEvent, `["send",1]`, "", `1`},
		{"id that no keyword can be", `[["a b/c",1],1]`, packer.BadEvent, `["a b/c",1]`, "", `1`},
		{"colon in front", `[[":a/b",1],1]`, packer.BadEvent, `[":a/b",1]`, "", `1`},
		{"three elements", `[["a/b",1,2],1]`, packer.BadEvent, `["a/b",1,2]`, "", `1`},
		{"empty event", `[[],1]`, packer.BadEvent, `[]`, "", `1`},
		{"id is a number", `[[1],1]`, packer.BadEvent, `[1]`, "", `1`},
		{"null", `null`, packer.BadEvent, `null`, "", none},
		{"empty array", `[]`, packer.BadEvent, `null`, "", none},
		{"empty text", ``, packer.BadEvent, `null`, "", none},
		{"string", `"ju\u0073t"`, packer.BadEvent, `"j"`, "", `"u"`},
		{"string beyond U+FFFF", `"😀"`, packer.BadEvent, `"\ud83d"`, "", `"\ude00"`},
	} {
		checkMessage(t, packer.JSON, "json "+c.name, c.text, c.kind, c.event, c.id, c.callback)
	}
}

func checkMessage(
	t *testing.T, f packer.Format, name, text string, kind packer.Kind, event, id, cb string,
) {
	t.Helper()
	m := packer.Message{Kind: 99, ID: []byte("old"), Callback: []byte("old")}
	if err := f.ParseMessage([]byte(text), &m); err != nil {
		t.Errorf("%s: %q: %v", name, text, err)
		return
	}
	got := "(none)"
	if m.Callback != nil {
		got = string(m.Callback)
	}
	if m.Kind != kind || string(m.Event) != event || string(m.ID) != id || got != cb {
		t.Errorf("%s: %q: kind %d event %q id %q callback %q", name, text, m.Kind, m.Event, m.ID, got)
	}
	if err := f.CheckValue(m.Event); err != nil {
		t.Errorf("%s: event %q: %v", name, m.Event, err)
	}
	if m.Callback != nil && f.CheckValue(m.Callback) != nil {
		t.Errorf("%s: callback %q is not a value", name, m.Callback)
	}
}

func TestUndecodableMessages(t *testing.T) {
	for f, texts := range map[packer.Format][]string{
		packer.EDN: {
			"junk(", "7", "{:a 1}", "#{1}", ":chsk/ws-ping", "true", "false", `\a`, "1.5", "#foo [1]",
			`#inst "2024"`, `#uuid "1-1-1-1-1"`, " ", "; only", "#_ [1]", "[[:a/b 1] nil", "[[:a/b] {:c}]", ")",
			"[[:a/b] \xff]",
		},
		packer.JSON: {
			"7", `{"a":1}`, "true", "false", " ", "[", `[["a/b"]] x`, "[[:a/b] nil]", `["a/b" 1]`,
			`[["a/b",{"c":1,"c":2}]]`,
		},
	} {
		for _, text := range texts {
			var m packer.Message
			if err := f.ParseMessage([]byte(text), &m); !errors.Is(err, packer.ErrUndecodable) {
				t.Errorf("%v: %q: %v", f, text, err)
			}
		}
	}
}

func TestCheckEvent(t *testing.T) {
	for _, c := range []struct {
		f        packer.Format
		text, id string
		err      error
	}{
		{packer.EDN, `[:a/b]`, "a/b", nil},
		{packer.EDN, `[:a/b {:c 1}]`, "a/b", nil},
		{packer.EDN, ` ^:k [:a/b #foo 1] ; c`, "a/b", nil},
		{packer.EDN, `[:chskd/gap {}]`, "chskd/gap", nil},
		{packer.EDN, `[:chsk.d/x]`, "chsk.d/x", nil},
		{packer.EDN, `[:chsk/x]`, "", packer.ErrEventReserved},
		{packer.EDN, `[:chsk/ws-ping]`, "", packer.ErrEventReserved},
		{packer.EDN, `[:a]`, "", packer.ErrEventID},
		{packer.EDN, `["a/b"]`, "", packer.ErrEventID},
		{packer.EDN, `[a/b]`, "", packer.ErrEventID},
		{packer.EDN, `[[:a/b]]`, "", packer.ErrEventID},
		{packer.EDN, `[]`, "", packer.ErrEventShape},
		{packer.EDN, `[:a/b 1 2]`, "", packer.ErrEventShape},
		{packer.EDN, `(:a/b 1)`, "", packer.ErrEventShape},
		{packer.EDN, `:a/b`, "", packer.ErrEventShape},
		{packer.EDN, `nil`, "", packer.ErrEventShape},
		{packer.EDN, `[:a/b] 1`, "", packer.ErrUndecodable},
		{packer.EDN, `[:a/b {:c}]`, "", packer.ErrUndecodable},
		{packer.EDN, ``, "", packer.ErrUndecodable},
		{packer.JSON, `["a/b"]`, "a/b", nil},
		{packer.JSON, ` ["a\/b",null] `, "a/b", nil},
		{packer.JSON, `["chsk/x"]`, "", packer.ErrEventReserved},
		{packer.JSON, `["chsk\/x"]`, "", packer.ErrEventReserved},
		{packer.JSON, `["a"]`, "", packer.ErrEventID},
		{packer.JSON, `["a/b/c"]`, "", packer.ErrEventID},
		{packer.JSON, `["a b/c"]`, "", packer.ErrEventID},
		{packer.JSON, `[1]`, "", packer.ErrEventID},
		{packer.JSON, `[]`, "", packer.ErrEventShape},
		{packer.JSON, `["a/b",1,2]`, "", packer.ErrEventShape},
		{packer.JSON, `"a/b"`, "", packer.ErrEventShape},
		{packer.JSON, `{}`, "", packer.ErrEventShape},
		{packer.JSON, `["a/b"]]`, "", packer.ErrUndecodable},
	} {
		id, err := c.f.CheckEvent([]byte(c.text))
		if !errors.Is(err, c.err) || string(id) != c.id {
			t.Errorf("%v %q: %q %v, want %q %v", c.f, c.text, id, err, c.id, c.err)
		}
	}
}
