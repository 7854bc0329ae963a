package backend_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/backend"
)

// badRequests are requests that must be refused, over both dialects: verb, object, code, a part of
// the message.
var badRequests = []struct{ op, body, code, message string }{
	{"push", `{`, "bad_json", "ends too early"},
	{"push", `{"uid`, "bad_json", "ends too early"},
	{"push", `{"uid":"a",}`, "bad_json", "a field name in quotes"},
	{"push", `{"uid" "a"}`, "bad_json", `":" should be`},
	{"push", `{"uid":"a"} x`, "bad_json", "the end of the line should be"},
	{"push", `{"uid":"a"}{}`, "bad_json", "the end of the line should be"},
	{"push", `{"uid":'a'}`, "bad_json", "a value should be"},
	{"push", `{"code":1.}`, "bad_json", "a digit"},
	{"push", `{"code":-}`, "bad_json", "a digit"},
	{"push", `{"code":1e}`, "bad_json", "a digit"},
	{"push", `{"all":tru}`, "bad_json", "true should be"},
	{"push", `{"uid":"` + "\t" + `"}`, "bad_json", "control character"},
	{"push", `{"uid":"\x"}`, "bad_json", "escape sequence"},
	{"push", `{"uid":"\u12g4"}`, "bad_json", "four hex digits"},
	{"push", `{"uid":"\ud800"}`, "bad_json", "surrogate"},
	{"push", `{"uid":"\ud800\u0041"}`, "bad_json", "surrogate"},
	{"push", "{\"uid\":\"\xff\"}", "bad_json", "UTF-8"},
	{"push", `{"uid":["a" "b"]}`, "bad_json", `"," or "]"`},
	{"push", `{"event":{"a":1,}}`, "bad_json", "a name in quotes"},
	{"push", `{"event":` + strings.Repeat("[", 600), "bad_json", "deeper than 512"},
	{"push", `{"uid":"a","evnet":["a/b"]}`, "unknown_field", `no field "evnet"`},
	{"push", `{"UID":"a","event":["a/b"]}`, "unknown_field", `no field "UID"`},
	{"push", `{"uid":"a","value":1}`, "unknown_field", `"push" has no field "value"`},
	{"push", `{"uid":"a","uid":"b","event":["a/b"]}`, "duplicate_field", `"uid" is there twice`},
	{"push", `{"uid":"a","u\u0069d":"b"}`, "duplicate_field", `"uid" is there twice`},
	{"push", `{"event":["a/b"]}`, "missing_field", "to whom?"},
	{"push", `{"all":false,"event":["a/b"]}`, "missing_field", "to whom?"},
	{"push", `{"uid":7,"event":["a/b"]}`, "bad_field", `"uid" must be a string or null, not a number`},
	{"push", `{"uid":["a"],"event":["a/b"]}`, "bad_field", "not an array"},
	{"push", `{"uid":"","event":["a/b"]}`, "bad_field", `"uid" is empty`},
	{"push", `{"uid":"` + strings.Repeat("u", 257) + `","event":["a/b"]}`, "bad_field", "longer than 256"},
	{"push", `{"uid":"a","uids":["b"],"event":["a/b"]}`, "conflict", "only one of"},
	{"push", `{"uid":null,"all":true,"event":["a/b"]}`, "conflict", "only one of"},
	{"push", `{"uids":"a","event":["a/b"]}`, "bad_field", `"uids" must be an array of uids, not a string`},
	{"push", `{"uids":[],"event":["a/b"]}`, "bad_field", `"uids" is empty`},
	{"push", `{"uids":["a",null],"event":["a/b"]}`, "bad_field", "strings only, not null"},
	{"push", `{"uids":["a",""],"event":["a/b"]}`, "bad_field", "1 to 256 bytes, not 0"},
	{"push", `{"client":"c","event":["a/b"]}`, "missing_field", `"client" comes with its "uid"`},
	{"push", `{"uids":["a"],"client":"c","event":["a/b"]}`, "missing_field", `"client" comes with its "uid"`},
	{"push", `{"uid":"a","client":5,"event":["a/b"]}`, "bad_field", `"client" must be a string`},
	{"push", `{"uid":"a","client":"` + strings.Repeat("c", 129) + `","event":["a/b"]}`, "bad_field", "longer than 128"},
	{"push", `{"uid":"a","except":["b"],"event":["a/b"]}`, "conflict", `"except" goes with`},
	{"push", `{"all":"yes","event":["a/b"]}`, "bad_field", `"all" must be true or false, not a string`},
	{"push", `{"all":null,"event":["a/b"]}`, "bad_field", `"all" must be true or false, not null`},
	{"push", `{"tenant":1,"uid":"a","event":["a/b"]}`, "bad_field", `"tenant" must be a string`},
	{"push", `{"uid":"a"}`, "missing_field", `one of "event", "edn" and "transit" must be given`},
	{"push", `{"uid":"a","event":["a/b"],"edn":"[:a/b]"}`, "conflict", "only one of"},
	{"push", `{"uid":"a","event":"a/b"}`, "bad_event", `"event":`},
	{"push", `{"uid":"a","event":["plain"]}`, "bad_event", `"event":`},
	{"push", `{"uid":"a","event":[]}`, "bad_event", `"event":`},
	{"push", `{"uid":"a","event":["a/b",1,2]}`, "bad_event", `"event":`},
	{"push", `{"uid":"a","event":["chsk/close"]}`, "bad_event", `chsk`},
	{"push", `{"uid":"a","edn":["a/b"]}`, "bad_field", `"edn" must be a string that holds edn, not an array`},
	{"push", `{"uid":"a","edn":"[:a/b"}`, "bad_event", `"edn":`},
	{"push", `{"uid":"a","edn":"[:a/b] [:c/d]"}`, "bad_event", `"edn":`},
	{"push", `{"uid":"a","edn":"[:chsk/close]"}`, "bad_event", `chsk`},
	{"push", `{"uid":"a","edn":"[:a/b]","keys":"string"}`, "conflict", `"keys"`},
	{"push", `{"uid":"a","event":["a/b"],"keys":"symbol"}`, "bad_field", `"keys" must be`},
	{"push", `{"uid":"a","event":["a/b"],"flush":1}`, "bad_field", `"flush" must be true or false`},
	{"reply", `{"value":1}`, "missing_field", `"reply_to"`},
	{"reply", `{"reply_to":"k"}`, "missing_field", `one of "value", "edn" and "transit" must be given`},
	{"reply", `{"reply_to":"","value":1}`, "bad_field", "empty"},
	{"reply", `{"reply_to":7,"value":1}`, "bad_field", "must be a string"},
	{"reply", `{"reply_to":"k","edn":"{:a"}`, "bad_value", `"edn":`},
	{"reply", `{"reply_to":"gone","value":1}`, "unknown_reply", "no event waits"},
	{"reply", `{"reply_to":"done","value":1}`, "unknown_reply", "answered already"},
	{"reply", `{"reply_to":"odd","value":1}`, "refused", "odd"},
	{"close", `{}`, "missing_field", "whose sessions?"},
	{"close", `{"client":"c"}`, "missing_field", "whose sessions?"},
	{"close", `{"uid":"a","code":1005}`, "bad_field", "not for use"},
	{"close", `{"uid":"a","code":1006}`, "bad_field", "not for use"},
	{"close", `{"uid":"a","code":5000}`, "bad_field", "from 1000 to 4999, not 5000"},
	{"close", `{"uid":"a","code":1e3}`, "bad_field", "whole number"},
	{"close", `{"uid":"a","code":99999999999}`, "bad_field", "whole number"},
	{"close", `{"uid":"a","code":"1000"}`, "bad_field", "not a string"},
	{"close", `{"uid":"a","reason":"` + strings.Repeat("r", 124) + `"}`, "bad_field", "longer than 123"},
	{"close", `{"uid":"a","revoke":1}`, "bad_field", "true or false"},
	{"close", `{"uid":"a","client":"c","revoke":true}`, "conflict", "without \"client\""},
	{"close", `{"uid":null,"revoke":true}`, "conflict", "comes with a \"uid\""},
	{"close", `{"uid":"everlasting","revoke":true}`, "refused", "nothing can be revoked"},
	{"close", `{"uid":"a","all":true}`, "unknown_field", `"close" has no field "all"; it has: tenant uid client code reason revoke`},
	// Options of a push.
	{"push", `{"uid":"a","topic":"t","event":["a/b"]}`, "conflict", "only one of"},
	{"push", `{"topic":"t","all":true,"event":["a/b"]}`, "conflict", "only one of"},
	{"push", `{"topic":"t","client":"c","event":["a/b"]}`, "missing_field", `"client" comes with its "uid"`},
	{"push", `{"topic":"","event":["a/b"]}`, "bad_field", `"topic" is empty; it must have 1 to 256 bytes`},
	{"push", `{"topic":7,"event":["a/b"]}`, "bad_field", `"topic" must be a string, not a number`},
	{"push", `{"topic":null,"event":["a/b"]}`, "bad_field", `"topic" must be a string, not null`},
	{"push", `{"topic":"` + strings.Repeat("t", 257) + `","event":["a/b"]}`, "bad_field", "longer than 256"},
	{"push", `{"all":true,"except":"a","event":["a/b"]}`, "bad_field", "must be an array of uids"},
	{"push", `{"all":true,"except":[7],"event":["a/b"]}`, "bad_field", "strings only, not a number"},
	{"push", `{"uid":"a","event":["a/b"],"key":""}`, "bad_field", `"key" is empty`},
	{"push", `{"uid":"a","event":["a/b"],"key":7}`, "bad_field", `"key" must be a string`},
	{"push", `{"uid":"a","event":["a/b"],"key":"` + strings.Repeat("k", 129) + `"}`, "bad_field", "longer than 128"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":0}`, "bad_field", "from 1 to 3600000, not 0"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":-5}`, "bad_field", "from 1 to 3600000, not -5"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":3600001}`, "bad_field", "from 1 to 3600000"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":99999999999999999999}`, "bad_field", "from 1 to 3600000"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":1.5}`, "bad_field", "whole number"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":"5"}`, "bad_field", "must be a whole number, not a string"},
	{"push", `{"uid":"a","event":["a/b"],"ttl_ms":null}`, "bad_field", "not null"},
	{"push", `{"uid":"a","event":["a/b"],"producer":"p"}`, "missing_field", `"producer" comes with "n"`},
	{"push", `{"uid":"a","event":["a/b"],"n":1}`, "missing_field", `"n" comes with its "producer"`},
	{"push", `{"uid":"a","event":["a/b"],"producer":"p","n":0}`, "bad_field", "from 1 to 9007199254740991, not 0"},
	{"push", `{"uid":"a","event":["a/b"],"producer":"p","n":9007199254740992}`, "bad_field", "from 1 to"},
	{"push", `{"uid":"a","event":["a/b"],"producer":"p","n":"1"}`, "bad_field", "not a string"},
	{"push", `{"uid":"a","event":["a/b"],"producer":"","n":1}`, "bad_field", `"producer" is empty`},
	{"push", `{"uid":"a","event":["a/b"],"producer":"` + strings.Repeat("p", 65) + `","n":1}`, "bad_field", "longer than 64"},
	{"push", `{"uid":"a","event":["a/b"],"producer":"p","n":1,"id":"x"}`, "conflict", `only one of "id" and "producer"`},
	{"push", `{"uid":"a","event":["a/b"],"id":7}`, "bad_field", `"id" must be a string`},
	{"push", `{"uid":"a","event":["a/b"],"id":""}`, "bad_field", `"id" is empty`},
	{"push", `{"uid":"a","event":["a/b"],"id":"` + strings.Repeat("i", 65) + `"}`, "bad_field", "longer than 64"},
	{"push", `{"tenant":"` + strings.Repeat("t", 257) + `","uid":"a","event":["a/b"]}`, "bad_field", "longer than 256"},
	// Transit.
	{"push", `{"uid":"a","transit":"[~:a/b]"}`, "bad_event", `"transit":`},
	{"push", `{"uid":"a","transit":["a/b"]}`, "bad_event", `"transit":`},
	{"push", `{"uid":"a","transit":["~:plain"]}`, "bad_event", `"transit":`},
	{"push", `{"uid":"a","transit":["~:chsk/x"]}`, "bad_event", "reserved"},
	{"push", `{"uid":"a","transit":["~:a/b","^9"]}`, "bad_event", `"transit":`},
	{"push", `{"uid":"a","transit":["~:a/b"],"edn":"[:a/b]"}`, "conflict", "only one of"},
	{"push", `{"uid":"a","transit":["~:a/b"],"keys":"string"}`, "conflict", `it goes with "event" only`},
	{"reply", `{"reply_to":"k","transit":["~#tag"]}`, "bad_value", `"transit":`},
	{"reply", `{"reply_to":"k","value":1,"transit":1}`, "conflict", "only one of"},
	{"reply", `{"reply_to":"` + strings.Repeat("k", 257) + `","value":1}`, "bad_field", "longer than 256"},
	// Topics.
	{"join", `{"topic":"t"}`, "missing_field", "who?"},
	{"join", `{"uid":"a"}`, "missing_field", "which topic?"},
	{"join", `{"uid":"a","topic":""}`, "bad_field", `"topic" is empty`},
	{"join", `{"uid":"a","topic":["t"]}`, "bad_field", "must be a string, not an array"},
	{"join", `{"uid":null,"topic":"t"}`, "missing_field", `"client" must be given`},
	{"join", `{"uids":["a"],"topic":"t"}`, "unknown_field", `"join" has no field "uids"; it has: tenant uid client topic`},
	{"join", `{"uid":"a","topic":"full"}`, "too_many_topics", "10,000 topics"},
	{"leave", `{"uid":7,"topic":"t"}`, "bad_field", `"uid" must be a string or null`},
	{"leave", `{"uid":"a","topic":"` + strings.Repeat("t", 257) + `"}`, "bad_field", "longer than 256"},
	{"leave", `{"uid":"a","all":true}`, "unknown_field", `no field "all"`},
	// Acks.
	{"ack", `{}`, "missing_field", `"epoch" must be given`},
	{"ack", `{"epoch":"e","consumer":"c1"}`, "missing_field", `"seq" must be given`},
	{"ack", `{"epoch":"e","consumer":"c1","seq":0}`, "bad_field", "from 1 to"},
	{"ack", `{"epoch":"e","consumer":7,"seq":1}`, "bad_field", `"consumer" must be a string`},
	{"ack", `{"epoch":"old","consumer":"c1","seq":1}`, "stale_ack", "is over"},
}

// badBodies are for HTTP only: what is no object, and where the place is told.
var badBodies = []struct{ op, body, code, message string }{
	{"push", ``, "bad_json", "empty"},
	{"push", "  \n \n", "bad_json", "empty"},
	{"push", `[]`, "bad_json", "must be a JSON object, not an array"},
	{"push", `"x"`, "bad_json", "not a string"},
	{"push", `7`, "bad_json", "not a number"},
	{"push", `null`, "bad_json", "not null"},
	{"push", `uid=alice`, "bad_json", "not text that is not JSON"},
	{"push", `{"uid":"alice"`, "bad_json", `column 15: "," or "}" is missing`},
	{"push", "{\n\"uid\":\n x}", "bad_json", "line 3, column 2: found 'x'"},
	{"push", `{uid:"a"}`, "bad_json", "column 2: found 'u'"},
	{"push", `{"uid":01}`, "bad_json", "column 9"},
	{"push", `{"op":"close","uid":"a","event":["a/b"]}`, "conflict", `"op" is "close", but this path does "push"`},
	{"push", `{"uid":"a","event":["a/b"],"ref":7}`, "unknown_field", `over HTTP the response is the answer`},
	{"push", `{"uid":"a","event":["a/b"],"count":true}`, "unknown_field", `for the line dialect`},
}

// badLines are for the line dialect only. ref is what the answer tells back, "" = the line's number.
var badLines = []struct{ line, ref, code, message string }{
	{`not json`, ``, "bad_json", "must be a JSON object"},
	{`[1]`, ``, "bad_json", "not an array"},
	{`"x"`, ``, "bad_json", "not a string"},
	{`7`, ``, "bad_json", "not a number"},
	{`null`, ``, "bad_json", "not null"},
	{`}`, ``, "bad_json", "must be a JSON object"},
	{`{`, ``, "bad_json", "ends too early"},
	{"\x00\x01\xff", ``, "bad_json", "UTF-8"},
	{`{}`, ``, "missing_field", `"op" must be given, one of: push reply close`},
	{`{"ref":1}`, `1`, "missing_field", `"op" must be given`},
	{`{"ref":1,"op":"PUSH"}`, `1`, "unknown_op", `there is no op "PUSH"; there are: push reply`},
	{`{"ref":1,"op":"pull","what":7}`, `1`, "unknown_op", `there is no op "pull"`},
	{`{"ref":1,"op":7}`, `1`, "bad_field", `"op" must be a string`},
	{`{"ref":1,"op":""}`, `1`, "bad_field", `"op" is empty`},
	{`{"op":"` + strings.Repeat("x", 100) + `","ref":1}`, `1`, "bad_field", "longer than 64"},
	{`{"op":"ping","ref":1.5}`, ``, "bad_field", `"ref" must be a string or a whole number, not 1.5`},
	{`{"op":"ping","ref":1e5}`, ``, "bad_field", "a whole number, not 1e5"},
	{`{"op":"ping","ref":true}`, ``, "bad_field", "not a boolean"},
	{`{"op":"ping","ref":null}`, ``, "bad_field", "not null"},
	{`{"op":"ping","ref":{"a":1}}`, ``, "bad_field", "not an object"},
	{`{"op":"ping","ref":""}`, ``, "bad_field", `"ref" is empty`},
	{`{"op":"ping","ref":"` + strings.Repeat("r", 65) + `"}`, ``, "bad_field", "longer than 64"},
	{`{"op":"ping","ref":` + strings.Repeat("9", 65) + `}`, ``, "bad_field", "longer than 64"},
	{`{"op":"ping","ref":"\ud800"}`, ``, "bad_json", "surrogate"},
	{`{"op":"ping","ref":1,"ref":2}`, `1`, "duplicate_field", `"ref" is there twice`},
	{`{"op":"ping","ref":1} x`, `1`, "bad_json", "the end of the line"},
	{`{"op":"ping","uid":"a","ref":"\u0041"}`, `"\u0041"`, "unknown_field", `"ping" has no field "uid"; it has: op ref`},
	{`{"op":"push","ref":1,"count":1,"uid":"a","event":["a/b"]}`, `1`, "bad_field", `"count" must be true or false`},
	{`{"op":"push","count":true,"uid":"a","event":["a/b"]}`, ``, "missing_field", `"ref" must be given with it`},
	{`{"op":"push","uid":"a"}`, ``, "missing_field", "must be given"},
	{`{"op":"close","ref":1,"uid":"a","count":true}`, `1`, "unknown_field", `no field "count"`},
	{`{"op":"stats"}`, ``, "missing_field", `"ref" must be given: the answer to "stats" carries it`},
	{`{"op":"connected"}`, ``, "missing_field", `"ref" must be given`},
	{`{"op":"connected","ref":1,"limit":0}`, `1`, "bad_field", "from 1 to 1000"},
	{`{"op":"connected","ref":1,"limit":"9"}`, `1`, "bad_field", "not a string"},
	{`{"op":"connected","ref":1,"after":"zz"}`, `1`, "refused", "no cursor"},
	{`{"op":"connected","ref":1,"uid":"a","after":"1"}`, `1`, "conflict", "for lists of users"},
	{`{"op":"connected","ref":1,"uid":"a","topic":"t"}`, `1`, "conflict", "for lists of users"},
	{`{"op":"connected","ref":1,"topic":""}`, `1`, "bad_field", "empty"},
	{`{"op":"connected","ref":1,"uid":"a","client":"c"}`, `1`, "unknown_field", `no field "client"`},
	{`{"op":"subscribe","ref":1,"group":""}`, `1`, "bad_field", `"group" is empty`},
	{`{"op":"subscribe","ref":1,"group":"` + strings.Repeat("g", 65) + `"}`, `1`, "bad_field", "longer than 64"},
	{`{"op":"subscribe","ref":1,"format":"msgpack"}`, `1`, "bad_field", `must be json, edn or transit, not "msgpack"`},
	{`{"op":"subscribe","ref":1,"format":1}`, `1`, "bad_field", `"format" must be a string`},
	{`{"op":"subscribe","ref":1,"presence":1}`, `1`, "bad_field", `"presence" must be true, false or "all", not 1`},
	{`{"op":"subscribe","ref":1,"presence":"some"}`, `1`, "bad_field", `"presence" must be`},
	{`{"op":"subscribe","ref":1,"ack":"yes"}`, `1`, "bad_field", `"ack" must be true or false`},
	{`{"op":"subscribe","ref":1,"ids":[]}`, `1`, "bad_field", `"ids" is empty`},
	{`{"op":"subscribe","ref":1,"ids":["a/*",7]}`, `1`, "bad_field", "strings only"},
	{`{"op":"subscribe","ref":1,"ids":"a/*,,b"}`, `1`, "bad_field", "empty pattern"},
	{`{"op":"subscribe","ref":1,"ids":{"a":1}}`, `1`, "bad_field", "an array of patterns, or one pattern"},
	{`{"op":"subscribe","ref":1,"uid":"a"}`, `1`, "unknown_field", `no field "uid"; it has: group format ids presence ack`},
	{`{"op":"push","ref":"big","uid":"` + strings.Repeat("u", 5000) + `"}`, `"big"`, "too_large", "longer than 4000 bytes"},
	{`{"op":"push","uid":"` + strings.Repeat("u", 5000) + `","ref":"big"}`, ``, "too_large", "(--api-max-line)"},
}

func TestBadRequests(t *testing.T) {
	r := plainRig(t)
	for _, c := range append(badRequests, badBodies...) {
		status, body := r.post("/v1/"+c.op, c.body)
		want := 400
		if c.code == "stale_ack" {
			want = 409
		}
		checkError(t, c.op+" "+c.body, status, body, want, c.code, c.message, 1)
	}
	// The same among good lines: each is told with its number, and the good ones are done.
	var many strings.Builder
	var want []string
	for _, c := range badRequests {
		if c.op == "push" {
			fmt.Fprintf(&many, "%s\n%s\n", strings.ReplaceAll(c.body, "\n", " "), aPush)
			want = append(want, fmt.Sprint(2*len(want)+1, " ", c.code))
		}
	}
	_, body := r.do("POST", "/v1/push", "application/x-ndjson", many.String())
	accepted, rejected, list, more := readMany(t, body)
	if accepted != len(want) || rejected != len(want) || len(list)+more != len(want) ||
		strings.Join(list, ", ") != strings.Join(want[:len(list)], ", ") {
		t.Errorf("%d accepted, %d rejected, %d more, %v, want %v", accepted, rejected, more, list, want)
	}
	if n := len(r.engine.pushed()); n != len(want) {
		t.Errorf("%d were pushed, want %d", n, len(want))
	}
}

// Over lines the same errors carry the ref, and the connection stays usable after each.
func TestBadLines(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{MaxLine: 4000})
	s := r.speak()
	number := 0
	check := func(text, ref, code, message string) {
		t.Helper()
		number++
		s.say("%s", text)
		got := s.next()
		want := line{Type: "error", Code: code, Ref: json.RawMessage(ref)}
		if ref == "" {
			want.Line, want.Ref = number, nil
		}
		if got.Type != want.Type || got.Code != code || string(got.Ref) != string(want.Ref) ||
			got.Line != want.Line || !strings.Contains(got.Message, message) {
			t.Errorf("%.200s:\n got %s\nwant ref %s, %s, ...%s...", text, got.text, ref, code, message)
		}
		number++
		s.say(`{"op":"ping","ref":"then"}`)
		if got := s.next(); got.text != `{"type":"result","ref":"then","status":"ok"}` {
			t.Fatalf("after %.200s: %s", text, got.text)
		}
	}
	for i, c := range badRequests {
		ref := fmt.Sprint(i)
		text := `{"op":"` + c.op + `","ref":` + ref
		if body := strings.ReplaceAll(c.body[1:], "\n", " "); body != "}" && body != "" {
			text += "," + body
		} else {
			text += body
		}
		check(text, ref, c.code, c.message)
	}
	for _, c := range badLines {
		check(c.line, c.ref, c.code, c.message)
	}
	if n := len(r.engine.pushed()); n != 0 {
		t.Errorf("%d of them were pushed", n)
	}
}

// checkError checks an answer against the API's shape of errors. line 1 may be left out where the
// body has no line.
func checkError(t *testing.T, what string, status int, body string, want int, code, message string,
	line int,
) {
	t.Helper()
	var a struct{ Error backend.Error }
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Errorf("%.200s: the answer %q is not JSON: %v", what, body, err)
		return
	}
	if status != want || a.Error.Code != code || !strings.Contains(a.Error.Message, message) ||
		a.Error.Line > line {
		t.Errorf("%.200s:\n got %d %s want %d, %s, ...%s...", what, status, body, want, code, message)
	}
}

func TestBadPathsAndQueries(t *testing.T) {
	r := plainRig(t)
	for _, c := range []struct {
		method, target string
		status         int
		code, message  string
	}{
		{"GET", "/", 404, "not_found", `no "/"`},
		{"GET", "/v1/nothing", 404, "not_found", "/v1/nothing"},
		{"GET", "/v1/push/", 404, "not_found", "/v1/push/"},
		{"GET", "/v1/push", 405, "method_not_allowed", "takes POST"},
		{"DELETE", "/v1/connected", 405, "method_not_allowed", "takes GET"},
		{"POST", "/v1/push?wait=1", 400, "unknown_param", `no parameter "wait"`},
		{"GET", "/v1/connected?user=a", 400, "unknown_param", "there are: tenant uid"},
		{"GET", "/v1/connected?uid=a&uid=b", 400, "bad_param", "2 times"},
		{"GET", "/v1/connected?uid=", 400, "bad_field", "empty"},
		{"GET", "/v1/connected?uid=a&nil_uid=1", 400, "conflict", "only one of"},
		{"GET", "/v1/connected?uid=a&limit=3", 400, "conflict", "for lists of users"},
		{"GET", "/v1/connected?nil_uid=1&topic=t", 400, "conflict", "for lists of users"},
		{"GET", "/v1/connected?topic=", 400, "bad_field", "empty"},
		{"GET", "/v1/connected?topic=" + strings.Repeat("t", 257), 400, "bad_field", "longer"},
		{"GET", "/v1/connected?limit=0", 400, "bad_param", "1 to 1000"},
		{"GET", "/v1/connected?limit=x", 400, "bad_param", "1 to 1000"},
		{"GET", "/v1/connected?after=%zz", 400, "bad_param", "cannot be read"},
		{"GET", "/v1/connected?after=zz", 400, "refused", "no cursor"},
		{"GET", "/v1/connected?nil_uid=maybe", 400, "bad_param", "1 or 0"},
		{"GET", "/v1/connected?tenant=" + strings.Repeat("t", 257), 400, "bad_param", "longer"},
		{"GET", "/v1/events?format=msgpack", 400, "bad_param", "json, edn or transit"},
		{"GET", "/v1/events?ack=maybe", 400, "bad_param", "1 or 0"},
		{"GET", "/v1/events?acks=1", 400, "unknown_param", "there are: group format ids presence ack"},
		{"GET", "/v1/join", 405, "method_not_allowed", "takes POST"},
		{"GET", "/v1/ack", 405, "method_not_allowed", "takes POST"},
		{"GET", "/v1/events?presence=some", 400, "bad_param", "1, 0 or all"},
		{"GET", "/v1/events?ids=a/*,,b", 400, "bad_param", "empty pattern"},
		{"GET", "/v1/events?group=", 400, "bad_field", "empty"},
		{"GET", "/v1/events?group=" + strings.Repeat("g", 65), 400, "bad_field", "longer"},
		{"GET", "/v1/events?ids=" + strings.Repeat("a,", 33) + "a", 400, "bad_param", "more than 32"},
	} {
		status, body := r.do(c.method, c.target, "", "")
		checkError(t, c.method+" "+c.target, status, body, c.status, c.code, c.message, 0)
	}
}
