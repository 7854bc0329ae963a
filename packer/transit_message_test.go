package packer_test

import (
	"errors"
	"testing"

	"github.com/chskd/chskd/packer"
)

func TestTransitParseMessage(t *testing.T) {
	const none = "(none)"
	for _, c := range []struct {
		name, text string
		kind       packer.Kind
		event, id  string
		callback   string
	}{
		{"event", `[["~:chat/send",["^ ","~:a",1]],"cb1"]`, packer.Event,
			`["~:chat/send",["^ ","~:a",1]]`, "chat/send", `"cb1"`},
		{"no data", `[["~:chat/send"],null]`, packer.Event, `["~:chat/send"]`, "chat/send", none},
		{"no callback", `[["~:a/b",1]]`, packer.Event, `["~:a/b",1]`, "a/b", none},
		{"false callback", `[["~:a/b"],false]`, packer.Event, `["~:a/b"]`, "a/b", none},
		{"nil as a string", `[["~:a/b"],"~_"]`, packer.Event, `["~:a/b"]`, "a/b", none},
		{"false as a string", `[["~:a/b"],"~?f"]`, packer.Event, `["~:a/b"]`, "a/b", none},
		{"callback true", `[["~:a/b"],true]`, packer.Event, `["~:a/b"]`, "a/b", `true`},
		{"keyword callback", `[["~:a/b"],"~:ajax"]`, packer.Event, `["~:a/b"]`, "a/b", `"~:ajax"`},
		{"further elements", `[["~:a/b"],1,2,3]`, packer.Event, `["~:a/b"]`, "a/b", `1`},
		{"white space", " [ [ \"~:a/b\" , 1 ] , 2 ] ", packer.Event, `[ "~:a/b" , 1 ]`, "a/b", `2`},
		{"escapes in the id", `[["\u007e:a\/b"],1]`, packer.Event, `["\u007e:a\/b"]`, "a/b", `1`},
		{"ping", `[["~:chsk/ws-ping"],"cb"]`, packer.Ping, `["~:chsk/ws-ping"]`, "chsk/ws-ping",
			`"cb"`},
		{"ping in a list", `[["~#list",["~:chsk/ws-ping"]],"cb"]`, packer.Ping,
			`["~#list",["~:chsk/ws-ping"]]`, "chsk/ws-ping", `"cb"`},
		{"ping with data", `[["~:chsk/ws-ping",null],"cb"]`, packer.Event,
			`["~:chsk/ws-ping",null]`, "chsk/ws-ping", `"cb"`},
		{"pong", `[["~:chsk/ws-pong"],null]`, packer.Pong, `["~:chsk/ws-pong"]`, "chsk/ws-pong", none},
		{"outer list", `["~#list",[["~:a/b"],1]]`, packer.Event, `["~:a/b"]`, "a/b", `1`},
		{"verbose outer list", `{"~#list":[["~:a/b"],1]}`, packer.Event, `["~:a/b"]`, "a/b", `1`},
		{"list event", `[["~#list",["~:a/b"]],1]`, packer.BadEvent, `["~#list",["~:a/b"]]`, "", `1`},
		{"quoted", `["~#'",[["~#'",["~#'",["~:a/b",1]]],["~#'",2]]]`, packer.Event,
			`["~#'",["~#'",["~:a/b",1]]]`, "a/b", `["~#'",2]`},
		{"quoted id", `[[{"~#'" : ["~#'","~:a/b"]},1],null]`, packer.Event,
			`[{"~#'" : ["~#'","~:a/b"]},1]`, "a/b", none},
		{"quoted id with escapes", `[[["~#\u0027","~:a\/b"],1],null]`, packer.Event,
			`[["~#\u0027","~:a\/b"],1]`, "a/b", none},
		{"quoted nil", `[["~:a/b"],["~#'",null]]`, packer.Event, `["~:a/b"]`, "a/b", none},
		{"no namespace", `[["~:a",1],1]`, packer.BadEvent, `["~:a",1]`, "", `1`},
		{"name that edn cannot have", `[["~:a/b c",1],1]`, packer.BadEvent, `["~:a/b c",1]`, "", `1`},
		{"empty namespace", `[["~:/b",1],1]`, packer.BadEvent, `["~:/b",1]`, "", `1`},
		{"symbol", `[["~$a/b",1],1]`, packer.BadEvent, `["~$a/b",1]`, "", `1`},
		{"string", `[["a/b",1],1]`, packer.BadEvent, `["a/b",1]`, "", `1`},
		{"string with ~:", `[["~~:a/b",1],1]`, packer.BadEvent, `["~~:a/b",1]`, "", `1`},
		{"three elements", `[["~:a/b",1,2],1]`, packer.BadEvent, `["~:a/b",1,2]`, "", `1`},
		{"map event", `[["^ ","~:a/b",1],1]`, packer.BadEvent, `["^ ","~:a/b",1]`, "", `1`},
		{"set event", `[["~#set",["~:a/b"]],1]`, packer.BadEvent, `["~#set",["~:a/b"]]`, "", `1`},
		{"tagged event", `[["~#x",["~:a/b"]],1]`, packer.BadEvent, `["~#x",["~:a/b"]]`, "", `1`},
		{"nil", `null`, packer.BadEvent, `null`, "", none},
		{"empty", `[]`, packer.BadEvent, `null`, "", none},
		{"bare string", `"just"`, packer.BadEvent, `"~cj"`, "", `"~cu"`},
		{"quoted string", `["~#'","~~^"]`, packer.BadEvent, `"~c~"`, "", `"~c^"`},
		{"string in a quote", `"~'ab"`, packer.BadEvent, `"~ca"`, "", `"~cb"`},
		{"string of one", `["~#'","\n"]`, packer.BadEvent, `"~c\n"`, "", none},
		{"empty string", `""`, packer.BadEvent, `null`, "", none},
		{"string beyond U+FFFF", `"😀"`, packer.BadEvent, `"\ud83d"`, "", `"\ude00"`},
		{"3.6 only the first value", `[["~:a/b",1],null] junk`, packer.Event, `["~:a/b",1]`, "a/b",
			none},
		{"3.6 bytes behind it", "[[\"~:a/b\",1],null]\xff\x00", packer.Event, `["~:a/b",1]`, "a/b",
			none},
		{"5.2 codes", `[["~:chat/send",[["^ ","~:room",1],["^ ","^1",2]]],"cb"]`, packer.Event,
			`["~:chat/send",[["^ ","~:room",1],["^ ","~:room",2]]]`, "chat/send", `"cb"`},
		{"5.2 callback of a code", `[["~:a/b","~:kept"],"^1"]`, packer.Event, `["~:a/b","~:kept"]`,
			"a/b", `"~:kept"`},
		{"5.2 codes with escapes", `[["\u007e:a\/b",{"key\n":["~#set",["\u005e0"]]}],["^2",[1]]]`,
			packer.Event, `["~:a/b",["^ ","key\n",["~#set",["~:a/b"]]]]`, "a/b", `["~#set",[1]]`},
	} {
		checkMessage(t, packer.Transit, c.name, c.text, c.kind, c.event, c.id, c.callback)
	}
}

func TestTransitUndecodableMessages(t *testing.T) {
	for _, text := range []string{
		"", " ", "junk(", "7", `["^ ","~:a",1]`, `{"a":1}`, `["~#set",[1]]`, `"~:chsk/ws-ping"`, "true",
		`"~ca"`, `"~rjust"`, `"~baGk="`, `"~m1"`, `"~Xab"`, `["~#foo",[1]]`, `["~#ratio",[1,2]]`,
		`[["~:a/b",1]`, `[["~:a/b"],"^1"]`, `["~#'",["^ "]]`,
	} {
		var m packer.Message
		if err := packer.Transit.ParseMessage([]byte(text), &m); !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTransitCheckEvent(t *testing.T) {
	for _, c := range []struct {
		text, id string
		err      error
	}{
		{`["~:a/b"]`, "a/b", nil},
		{` ["~:a\/b",["^ ","~:long",1,"c",["^ ","^1",2]]] `, "a/b", nil},
		{`["~:chskd/gap",1]`, "chskd/gap", nil},
		{`["~:chsk/x"]`, "", packer.ErrEventReserved},
		{`["~:a"]`, "", packer.ErrEventID},
		{`["~:a/b c"]`, "", packer.ErrEventID},
		{`["a/b"]`, "", packer.ErrEventID},
		{`["~$a/b"]`, "", packer.ErrEventID},
		{`[]`, "", packer.ErrEventShape},
		{`["~:a/b",1,2]`, "", packer.ErrEventShape},
		{`["~#list",["~:a/b",1]]`, "", packer.ErrEventShape},
		{`["^ ","~:a/b",1]`, "", packer.ErrEventShape},
		{`"~:a/b"`, "", packer.ErrEventShape},
		{`["~:a/b"] x`, "", packer.ErrUndecodable},
		{``, "", packer.ErrUndecodable},
	} {
		id, err := packer.Transit.CheckEvent([]byte(c.text))
		if !errors.Is(err, c.err) || string(id) != c.id {
			t.Errorf("%q: %q %v, want %q %v", c.text, id, err, c.id, c.err)
		}
	}
}

// One message parsed after the other into the same Message: what the first said does not shine
// through, and an input is never written to.
func TestTransitMessageReuse(t *testing.T) {
	var m packer.Message
	for range 2 {
		for _, c := range []struct{ text, id string }{
			{`[["~:a\/b",[["^ ","~:long",1],["^ ","^1",2]]],"cb"]`, "a/b"},
			{`[[["~#\u0027","~:c/d"],1],"cb"]`, "c/d"},
			{`[["~:e\/f",1],"cb"]`, "e/f"},
			{`["~#'","xy"]`, ""},
		} {
			in := []byte(c.text)
			if err := packer.Transit.ParseMessage(in, &m); err != nil || string(m.ID) != c.id {
				t.Errorf("%s: %q %v", c.text, m.ID, err)
			}
			if string(in) != c.text {
				t.Errorf("%s became %s", c.text, in)
			}
		}
	}
}
