package packer_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

func TestEnvelope(t *testing.T) {
	batch := func(f packer.Format, events ...string) string {
		b := f.AppendBatchStart(nil, 1)
		for i, e := range events {
			if i > 0 {
				b = f.AppendBatchNext(b)
			}
			b = append(b, e...)
		}
		return string(f.AppendBatchEnd(b))
	}
	e, j := packer.EDN, packer.JSON
	for _, c := range []struct{ name, got, want string }{
		{"2.2 handshake",
			string(e.AppendHandshake(nil, []byte("w6"), false, []byte(`{:motd "hi", :n 1}`))),
			`[[:chsk/handshake ["w6" nil {:motd "hi", :n 1}]] nil]`},
		{"2.2 handshake without data", string(e.AppendHandshake(nil, []byte("a"), false, nil)),
			`[[:chsk/handshake ["a" nil nil]] nil]`},
		{"2.2 handshake without uid", string(e.AppendHandshake(nil, nil, true, nil)),
			`[[:chsk/handshake [:sente/nil-uid nil nil]] nil]`},
		{"2.2 handshake with quotes",
			string(e.AppendHandshake(nil, []byte("a\"\\\nb"), false, nil)),
			`[[:chsk/handshake ["a\"\\\nb" nil nil]] nil]`},
		{"2.2 handshake data with surroundings",
			string(e.AppendHandshake(nil, []byte("a"), false, []byte(" 1 ; c"))),
			`[[:chsk/handshake ["a" nil 1]] nil]`},
		{"2.2 handshake with unreadable data",
			string(e.AppendHandshake(nil, []byte("a"), false, []byte("{:a"))),
			`[[:chsk/handshake ["a" nil nil]] nil]`},
		{"2.2 reply", string(e.AppendReply(nil, []byte("{:a 1}"), []byte(`"a1b2c3"`))),
			`[{:a 1} "a1b2c3"]`},
		{"2.3 Ajax reply", string(e.AppendReply(nil, []byte("{:a 1}"), nil)), `[{:a 1} nil]`},
		{"2.2 pong", string(e.AppendPong(nil, []byte(`"pinguu"`))), `["pong" "pinguu"]`},
		{"2.2 push of one", batch(e, "[:a/b 1]"), `[[[:a/b 1]] nil]`},
		{"2.2 push of two", batch(e, "[:a/b 1]", "[:a/c]"), `[[[:a/b 1] [:a/c]] nil]`},
		{"2.2 push of none", batch(e), string(e.Literal(packer.Nudge))},
		{"gap", string(e.AppendGap(nil, 18446744073709551615)),
			`[:chskd/gap {:missed 18446744073709551615}]`},
		{"2.2 ping", string(e.Literal(packer.ServerPing)), `[:chsk/ws-ping nil]`},
		{"2.3 timeout", string(e.Literal(packer.Timeout)), `[:chsk/timeout nil]`},
		{"2.3 dummy", string(e.Literal(packer.Dummy)), `[:chsk/dummy-cb-200 nil]`},
		{"error", string(e.Literal(packer.Error)), `[:chsk/error nil]`},
		{"error as value", string(e.AppendReply(nil, e.Literal(packer.ErrorValue), []byte("1"))),
			`[:chsk/error 1]`},
		{"timeout as value", string(e.AppendReply(nil, e.Literal(packer.TimeoutValue), nil)),
			`[:chsk/timeout nil]`},

		{"json handshake",
			string(j.AppendHandshake(nil, []byte("a\"é\n"), false, []byte(`{:motd "hi" :s #{1}}`))),
			`[["chsk/handshake",["a\"é\n",null,{"motd":"hi","s":[1]}]],null]`},
		{"json handshake without uid", string(j.AppendHandshake(nil, nil, true, nil)),
			`[["chsk/handshake",["sente/nil-uid",null,null]],null]`},
		{"json handshake with unreadable data",
			string(j.AppendHandshake(nil, []byte("a"), false, []byte(`[1 {`))),
			`[["chsk/handshake",["a",null,null]],null]`},
		{"json reply", string(j.AppendReply(nil, []byte(`{"a":1}`), []byte(`"cb1"`))),
			`[{"a":1},"cb1"]`},
		{"json Ajax reply", string(j.AppendReply(nil, []byte(`1`), nil)), `[1,null]`},
		{"json pong", string(j.AppendPong(nil, []byte(`"cb"`))), `["pong","cb"]`},
		{"json push", batch(j, `["a/b",1]`, `["a/c"]`), `[[["a/b",1],["a/c"]],null]`},
		{"json push of none", batch(j), string(j.Literal(packer.Nudge))},
		{"json gap", string(j.AppendGap(nil, 3)), `["chskd/gap",{"missed":3}]`},
		{"json ping", string(j.Literal(packer.ServerPing)), `["chsk/ws-ping",null]`},
		{"json timeout", string(j.Literal(packer.Timeout)), `["chsk/timeout",null]`},
		{"json dummy", string(j.Literal(packer.Dummy)), `["chsk/dummy-cb-200",null]`},
		{"json error", string(j.Literal(packer.Error)), `["chsk/error",null]`},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
		f := packer.EDN
		if strings.HasPrefix(c.name, "json") {
			f = packer.JSON
		}
		if err := f.CheckValue([]byte(c.got)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The JSON literals are the edn ones, mapped.
func TestLiteralsAgree(t *testing.T) {
	for l := packer.ServerPing; l <= packer.TimeoutValue; l++ {
		got, err := transcode(packer.JSON, string(packer.EDN.Literal(l)), packer.EDN)
		if err != nil || got != string(packer.JSON.Literal(l)) {
			t.Errorf("literal %d: %s %v, want %s", l, got, err, packer.JSON.Literal(l))
		}
	}
}

func TestFormats(t *testing.T) {
	for f := range packer.Count {
		if got, ok := packer.Named(f.String()); !ok || got != f {
			t.Errorf("%d: named %v %v", f, got, ok)
		}
	}
	for _, name := range []string{"", "EDN", "transit+json", "unknown"} {
		if _, ok := packer.Named(name); ok {
			t.Errorf("%q names a format", name)
		}
	}
	if packer.Count.String() != "unknown" {
		t.Error(packer.Count.String())
	}
}
