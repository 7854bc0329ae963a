package backend_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chskd/chskd/backend"
)

// badRequests are requests that must be refused: path, body, code, a part of the message.
var badRequests = []struct{ path, body, code, message string }{
	// Not an object.
	{"/v1/push", ``, "bad_json", "empty"},
	{"/v1/push", "  \n \n", "bad_json", "empty"},
	{"/v1/push", `[]`, "bad_json", "must be a JSON object, not an array"},
	{"/v1/push", `"x"`, "bad_json", "not a string"},
	{"/v1/push", `7`, "bad_json", "not a number"},
	{"/v1/push", `null`, "bad_json", "not null"},
	{"/v1/push", `uid=alice`, "bad_json", "not text that is not JSON"},
	// Broken JSON (RFC 8259).
	{"/v1/push", `{`, "bad_json", "ends too early"},
	{"/v1/push", `{"uid`, "bad_json", "ends too early"},
	{"/v1/push", `{"uid":"alice"`, "bad_json", `column 15: "," or "}" is missing`},
	{"/v1/push", "{\n\"uid\":\n x}", "bad_json", "line 3, column 2: found 'x'"},
	{"/v1/push", `{"uid":"a",}`, "bad_json", "a field name in quotes"},
	{"/v1/push", `{uid:"a"}`, "bad_json", "column 2: found 'u'"},
	{"/v1/push", `{"uid" "a"}`, "bad_json", `":" should be`},
	{"/v1/push", `{"uid":"a"} x`, "bad_json", "the end of the line should be"},
	{"/v1/push", `{"uid":"a"}{}`, "bad_json", "the end of the line should be"},
	{"/v1/push", `{"uid":'a'}`, "bad_json", "a value should be"},
	{"/v1/push", `{"uid":01}`, "bad_json", "column 9"},
	{"/v1/push", `{"code":1.}`, "bad_json", "a digit"},
	{"/v1/push", `{"code":-}`, "bad_json", "a digit"},
	{"/v1/push", `{"code":1e}`, "bad_json", "a digit"},
	{"/v1/push", `{"all":tru}`, "bad_json", "true should be"},
	{"/v1/push", `{"uid":"` + "\t" + `"}`, "bad_json", "control character"},
	{"/v1/push", `{"uid":"\x"}`, "bad_json", "escape sequence"},
	{"/v1/push", `{"uid":"\u12g4"}`, "bad_json", "four hex digits"},
	{"/v1/push", `{"uid":"\ud800"}`, "bad_json", "surrogate"},
	{"/v1/push", `{"uid":"\ud800\u0041"}`, "bad_json", "surrogate"},
	{"/v1/push", "{\"uid\":\"\xff\"}", "bad_json", "UTF-8"},
	{"/v1/push", `{"uid":["a" "b"]}`, "bad_json", `"," or "]"`},
	{"/v1/push", `{"event":{"a":1,}}`, "bad_json", "a name in quotes"},
	{"/v1/push", `{"event":` + strings.Repeat("[", 600), "bad_json", "deeper than 512"},
	// Fields.
	{"/v1/push", `{"uid":"a","evnet":["a/b"]}`, "unknown_field", `no field "evnet"`},
	{"/v1/push", `{"UID":"a","event":["a/b"]}`, "unknown_field", `no field "UID"`},
	{"/v1/push", `{"uid":"a","value":1}`, "unknown_field", `a push has no field "value"`},
	{"/v1/push", `{"uid":"a","uid":"b","event":["a/b"]}`, "duplicate_field", `"uid" is there twice`},
	{"/v1/push", `{"uid":"a","u\u0069d":"b"}`, "duplicate_field", `"uid" is there twice`},
	{"/v1/push", `{"topic":"room:1","event":["a/b"]}`, "not_supported", `no "topic" in a push`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"key":"k"}`, "not_supported", `"key"`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"ttl_ms":5}`, "not_supported", `"ttl_ms"`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"producer":"p","n":1}`, "not_supported", `"producer"`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"id":"x"}`, "not_supported", `"id"`},
	{"/v1/push", `{"op":"push","uid":"a","event":["a/b"]}`, "not_supported", `"op"`},
	{"/v1/push", `{"uid":"a","transit":["~:a/b"]}`, "not_supported", `"transit"`},
	// Receivers.
	{"/v1/push", `{"event":["a/b"]}`, "missing_field", "to whom?"},
	{"/v1/push", `{"all":false,"event":["a/b"]}`, "missing_field", "to whom?"},
	{"/v1/push", `{"uid":7,"event":["a/b"]}`, "bad_field", `"uid" must be a string or null, not a number`},
	{"/v1/push", `{"uid":["a"],"event":["a/b"]}`, "bad_field", "not an array"},
	{"/v1/push", `{"uid":"","event":["a/b"]}`, "bad_field", `"uid" is empty`},
	{"/v1/push", `{"uid":"` + strings.Repeat("u", 257) + `","event":["a/b"]}`, "bad_field", "longer than 256"},
	{"/v1/push", `{"uid":"a","uids":["b"],"event":["a/b"]}`, "conflict", "only one of"},
	{"/v1/push", `{"uid":null,"all":true,"event":["a/b"]}`, "conflict", "only one of"},
	{"/v1/push", `{"uids":"a","event":["a/b"]}`, "bad_field", `"uids" must be an array of uids, not a string`},
	{"/v1/push", `{"uids":[],"event":["a/b"]}`, "bad_field", `"uids" is empty`},
	{"/v1/push", `{"uids":["a",null],"event":["a/b"]}`, "bad_field", "strings only, not null"},
	{"/v1/push", `{"uids":["a",""],"event":["a/b"]}`, "bad_field", "is empty"},
	{"/v1/push", `{"client":"c","event":["a/b"]}`, "missing_field", `"client" comes with its "uid"`},
	{"/v1/push", `{"uids":["a"],"client":"c","event":["a/b"]}`, "missing_field", `"client" comes with its "uid"`},
	{"/v1/push", `{"uid":"a","client":5,"event":["a/b"]}`, "bad_field", `"client" must be a string`},
	{"/v1/push", `{"uid":"a","client":"` + strings.Repeat("c", 129) + `","event":["a/b"]}`, "bad_field", "longer than 128"},
	{"/v1/push", `{"uid":"a","except":["b"],"event":["a/b"]}`, "conflict", `"except" goes with`},
	{"/v1/push", `{"all":"yes","event":["a/b"]}`, "bad_field", `"all" must be true or false, not a string`},
	{"/v1/push", `{"all":null,"event":["a/b"]}`, "bad_field", `"all" must be true or false, not null`},
	{"/v1/push", `{"tenant":1,"uid":"a","event":["a/b"]}`, "bad_field", `"tenant" must be a string`},
	// Contents.
	{"/v1/push", `{"uid":"a"}`, "missing_field", `one of "event" and "edn"`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"edn":"[:a/b]"}`, "conflict", "only one of"},
	{"/v1/push", `{"uid":"a","event":"a/b"}`, "bad_event", `"event":`},
	{"/v1/push", `{"uid":"a","event":["plain"]}`, "bad_event", `"event":`},
	{"/v1/push", `{"uid":"a","event":[]}`, "bad_event", `"event":`},
	{"/v1/push", `{"uid":"a","event":["a/b",1,2]}`, "bad_event", `"event":`},
	{"/v1/push", `{"uid":"a","event":["chsk/close"]}`, "bad_event", `chsk`},
	{"/v1/push", `{"uid":"a","edn":["a/b"]}`, "bad_field", `"edn" must be a string that holds edn, not an array`},
	{"/v1/push", `{"uid":"a","edn":"[:a/b"}`, "bad_event", `"edn":`},
	{"/v1/push", `{"uid":"a","edn":"[:a/b] [:c/d]"}`, "bad_event", `"edn":`},
	{"/v1/push", `{"uid":"a","edn":"[:chsk/close]"}`, "bad_event", `chsk`},
	{"/v1/push", `{"uid":"a","edn":"[:a/b]","keys":"string"}`, "conflict", `"keys"`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"keys":"symbol"}`, "bad_field", `"keys" must be`},
	{"/v1/push", `{"uid":"a","event":["a/b"],"flush":1}`, "bad_field", `"flush" must be true or false`},
	// Replies.
	{"/v1/reply", `{"value":1}`, "missing_field", `"reply_to"`},
	{"/v1/reply", `{"reply_to":"k"}`, "missing_field", `one of "value" and "edn"`},
	{"/v1/reply", `{"reply_to":"","value":1}`, "bad_field", "empty"},
	{"/v1/reply", `{"reply_to":7,"value":1}`, "bad_field", "must be a string"},
	{"/v1/reply", `{"reply_to":"k","edn":"{:a"}`, "bad_value", `"edn":`},
	{"/v1/reply", `{"reply_to":"gone","value":1}`, "unknown_reply", "no event waits"},
	{"/v1/reply", `{"reply_to":"done","value":1}`, "already_replied", "already"},
	{"/v1/reply", `{"reply_to":"odd","value":1}`, "refused", "odd"},
	{"/v1/reply", `{"reply_to":"k","value":1,"ref":1}`, "not_supported", `"ref"`},
	// Closes.
	{"/v1/close", `{}`, "missing_field", "whose sessions?"},
	{"/v1/close", `{"client":"c"}`, "missing_field", "whose sessions?"},
	{"/v1/close", `{"uid":"a","code":1005}`, "bad_field", "not for use"},
	{"/v1/close", `{"uid":"a","code":1006}`, "bad_field", "not for use"},
	{"/v1/close", `{"uid":"a","code":5000}`, "bad_field", "not for use"},
	{"/v1/close", `{"uid":"a","code":1e3}`, "bad_field", "whole number"},
	{"/v1/close", `{"uid":"a","code":99999999999}`, "bad_field", "whole number"},
	{"/v1/close", `{"uid":"a","code":"1000"}`, "bad_field", "not a string"},
	{"/v1/close", `{"uid":"a","reason":"` + strings.Repeat("r", 124) + `"}`, "bad_field", "longer than 123"},
	{"/v1/close", `{"uid":"a","all":true}`, "unknown_field", `a close has no field "all"`},
}

func TestBadRequests(t *testing.T) {
	r := plainRig(t)
	for _, c := range badRequests {
		status, body := r.post(c.path, c.body)
		checkError(t, c.path+" "+c.body, status, body, 400, c.code, c.message, 1)
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
		{"POST", "/v1/join", 404, "not_found", "this version"},
		{"GET", "/v1/push/", 404, "not_found", "/v1/push/"},
		{"GET", "/v1/push", 405, "method_not_allowed", "takes POST"},
		{"DELETE", "/v1/connected", 405, "method_not_allowed", "takes GET"},
		{"POST", "/v1/push?wait=1", 400, "unknown_param", `no parameter "wait"`},
		{"GET", "/v1/connected?user=a", 400, "unknown_param", "there are: tenant uid"},
		{"GET", "/v1/connected?uid=a&uid=b", 400, "bad_param", "2 times"},
		{"GET", "/v1/connected?uid=", 400, "bad_field", "empty"},
		{"GET", "/v1/connected?uid=a&nil_uid=1", 400, "conflict", "only one of"},
		{"GET", "/v1/connected?uid=a&limit=3", 400, "conflict", "page"},
		{"GET", "/v1/connected?limit=0", 400, "bad_param", "1 to 1000"},
		{"GET", "/v1/connected?limit=x", 400, "bad_param", "1 to 1000"},
		{"GET", "/v1/connected?after=%zz", 400, "bad_param", "cannot be read"},
		{"GET", "/v1/connected?after=zz", 400, "refused", "no cursor"},
		{"GET", "/v1/connected?nil_uid=maybe", 400, "bad_param", "1 or 0"},
		{"GET", "/v1/connected?tenant=" + strings.Repeat("t", 257), 400, "bad_param", "longer"},
		{"GET", "/v1/events?format=msgpack", 400, "bad_param", "json, edn or transit"},
		{"GET", "/v1/events?ack=1", 400, "unknown_param", `"ack"`},
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
