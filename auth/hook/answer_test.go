package hook_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
)

var asked = time.UnixMilli(1_700_000_000_500)

func TestAnswers(t *testing.T) {
	g := func(change func(*auth.Grant)) auth.Grant {
		g := auth.Grant{UID: "u"}
		change(&g)
		return g
	}
	for _, c := range []struct {
		name, body string
		want       auth.Grant
	}{
		{"uid", `{"uid":"u"}`, auth.Grant{UID: "u"}},
		{"nil uid", ` {"uid" : null } `, auth.Grant{NilUID: true}},
		{"uid with escapes", `{"uid":"\u0061\ud83d\ude00\ufffd\\u"}`, auth.Grant{UID: "a😀\ufffd\\u"}},
		{"longest uid", `{"uid":"` + strings.Repeat("é", 128) + `"}`,
			auth.Grant{UID: strings.Repeat("é", 128)}},
		{"names that chsk reserves", `{"uid":":chsk/x","topics":["chsk/y"]}`,
			auth.Grant{UID: ":chsk/x", Topics: []string{"chsk/y"}}},
		{"tenant", `{"uid":"u","tenant":"t"}`, g(func(g *auth.Grant) { g.Tenant = "t" })},
		{"the tenant without name", `{"uid":"u","tenant":""}`, auth.Grant{UID: "u"}},
		{"csrf", `{"uid":"u","csrf_token":"x"}`, g(func(g *auth.Grant) { g.CSRF = "x" })},
		{"topics once each", `{"uid":"u","topics":["a","b","a"]}`,
			g(func(g *auth.Grant) { g.Topics = []string{"a", "b"} })},
		{"no topics", `{"uid":"u","topics":[]}`, auth.Grant{UID: "u"}},
		{"expires in", `{"uid":"u","expires_in_ms":1500}`,
			g(func(g *auth.Grant) { g.Expires = 1_700_000_002_000 })},
		{"expires at, s", `{"uid":"u","expires_at":1800000000}`,
			g(func(g *auth.Grant) { g.Expires = 1_800_000_000_000 })},
		{"expires at, text", `{"uid":"u","expires_at":"2027-01-15T09:00:00.25+01:00"}`,
			g(func(g *auth.Grant) { g.Expires = 1_800_000_000_250 })},
		{"expired already", `{"uid":"u","expires_at":5}`, g(func(g *auth.Grant) { g.Expires = 5000 })},
		{"handshake", `{"uid":"u","handshake":{"a":[1,"x",null]}}`,
			g(func(g *auth.Grant) { g.Handshake = []byte(`{:a [1 "x" nil]}`) })},
		{"handshake null", `{"uid":"u","handshake":null}`,
			g(func(g *auth.Grant) { g.Handshake = []byte(`nil`) })},
		{"handshake false", `{"uid":"u","handshake":false}`,
			g(func(g *auth.Grant) { g.Handshake = []byte(`false`) })},
		{"edn, without what is around it", `{"uid":"u","handshake_edn":" ; c\n#{:a} #_x"}`,
			g(func(g *auth.Grant) { g.Handshake = []byte(`#{:a}`) })},
		{"transit", `{"uid":"u","handshake_transit":["^ ","~:role",["~#set",["~:x"]]]}`,
			g(func(g *auth.Grant) { g.Handshake = []byte(`{:role #{:x}}`) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := hook.ParseAnswer([]byte(c.body), asked)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("%+v, want %+v", *got, c.want)
			}
		})
	}
}

func TestBadAnswers(t *testing.T) {
	long := strings.Repeat("x", 257)
	var topics []string
	for i := range 101 {
		topics = append(topics, fmt.Sprintf("%q", fmt.Sprint(i)))
	}
	for _, c := range []struct{ body, want string }{
		{``, `the answer is not JSON`},
		{`<html>`, `the answer is not JSON`},
		{`{"uid":"u"`, `the answer is not JSON`},
		{`{"uid":"u"} {"uid":"v"}`, `the answer is not JSON`},
		{`{"uid":"u",}`, `the answer is not JSON`},
		{"{\"uid\":\"\xff\"}", `the answer is not UTF-8`},
		{`null`, `the answer is not a JSON object`},
		{`"u"`, `the answer is not a JSON object`},
		{`["uid"]`, `the answer is not a JSON object`},
		{`{}`, `the answer has no "uid"; null is a client without one`},
		{`{"tenant":"t"}`, `the answer has no "uid"; null is a client without one`},
		{`{"uid":7}`, `"uid" must be a string or null, not a number`},
		{`{"uid":-7}`, `"uid" must be a string or null, not a number`},
		{`{"uid":false}`, `"uid" must be a string or null, not a boolean`},
		{`{"uid":["u"]}`, `"uid" must be a string or null, not an array`},
		{`{"uid":{"u":1}}`, `"uid" must be a string or null, not an object`},
		{`{"uid":""}`, `"uid" is empty`},
		{`{"uid":"` + long + `"}`, `"uid" has 257 bytes; the most are 256`},
		{`{"uid":"\ud800"}`, `"uid" has half a surrogate pair`},
		{`{"uid":"\ud800\ud800"}`, `"uid" has half a surrogate pair`},
		{`{"uid":"\udc00\ud800"}`, `"uid" has half a surrogate pair`},
		{`{"uid":"\ud83d\ude00\\\uDBFFx"}`, `"uid" has half a surrogate pair`},
		{`{"uid":"u","uid":"u"}`, `the answer has "uid" twice`},
		{`{"uid":"u","UID":"u"}`, `the answer has a field "UID"; it may have: uid tenant handshake ` +
			`handshake_edn handshake_transit csrf_token topics expires_in_ms expires_at`},
		{`{"uid":"u","tenant":null}`, `"tenant" must be a string, not null`},
		{`{"uid":"u","tenant":"` + long + `"}`, `"tenant" has 257 bytes; the most are 255`},
		{`{"uid":"u","csrf_token":null}`, `"csrf_token" must be a string, not null`},
		{`{"uid":"u","csrf_token":""}`, `"csrf_token" is empty`},
		{`{"uid":"u","topics":null}`, `"topics" must be an array of strings, not null`},
		{`{"uid":"u","topics":"a"}`, `"topics" must be an array of strings, not a string`},
		{`{"uid":"u","topics":[1]}`, `"topics[0]" must be a string, not a number`},
		{`{"uid":"u","topics":[""]}`, `"topics[0]" is empty`},
		{`{"uid":"u","topics":["` + long + `"]}`, `"topics[0]" has 257 bytes; the most are 256`},
		{`{"uid":"u","topics":[` + strings.Join(topics, ",") + `]}`,
			`"topics" has 101 entries; the most are 100`},
		{`{"uid":"u","expires_in_ms":null}`, `"expires_in_ms" must be a number of ms, whole and above 0, not null`},
		{`{"uid":"u","expires_in_ms":0}`, `"expires_in_ms" must be a number of ms, whole and above 0, not this one`},
		{`{"uid":"u","expires_in_ms":-1}`, `"expires_in_ms" must be a number of ms, whole and above 0, not this one`},
		{`{"uid":"u","expires_in_ms":1.5}`, `"expires_in_ms" must be a number of ms, whole and above 0, not this one`},
		{`{"uid":"u","expires_in_ms":9e99}`, `"expires_in_ms" must be a number of ms, whole and above 0, not this one`},
		{`{"uid":"u","expires_in_ms":9223372036854775807}`, `"expires_in_ms" must be a number of ms, whole and above 0, not this one`},
		{`{"uid":"u","expires_at":1800000000000}`, `"expires_at" is beyond the year 9999; it is in seconds, not in ms`},
		{`{"uid":"u","expires_at":"tomorrow"}`, `"expires_at" must be a number of whole seconds since 1970, or a time like "2030-01-02T03:04:05Z", not a string`},
		{`{"uid":"u","expires_at":1,"expires_in_ms":1}`, `the answer has both "expires_at" and "expires_in_ms"`},
		{`{"uid":"u","handshake":1,"handshake_edn":"1"}`, `the answer has both "handshake" and "handshake_edn"`},
		{`{"uid":"u","handshake_transit":1,"handshake":1}`, `the answer has both "handshake_transit" and "handshake"`},
		{`{"uid":"u","handshake_edn":{}}`, `"handshake_edn" must be a string, not an object`},
		{`{"uid":"u","handshake_edn":"{:a"}`, `"handshake_edn" is not readable edn: `},
		{`{"uid":"u","handshake_edn":"1 2"}`, `"handshake_edn" is not readable edn: `},
		{`{"uid":"u","handshake_transit":["~#nope"]}`, `"handshake_transit" is not readable transit: `},
		{`{"uid":"u","handshake":{"a":1,"a":2}}`, `"handshake" is not readable json: `},
	} {
		t.Run(c.want, func(t *testing.T) {
			got, err := hook.ParseAnswer([]byte(c.body), asked)
			if err == nil {
				t.Fatalf("%.80s gives %+v", c.body, got)
			}
			text := err.Error()
			if text != c.want && (!strings.HasSuffix(c.want, ": ") || !strings.HasPrefix(text, c.want)) {
				t.Errorf("%.80s: %s", c.body, text)
			}
		})
	}
}

// FuzzAnswer: no answer makes it panic, and what is granted keeps within the bounds.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"uid":null}`, `{"uid":"\ud800","topics":["a"]}`, `{"uid":"u","expires_at":"2027-01-15T09:00:00Z"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		g, err := hook.ParseAnswer(body, asked)
		if err != nil {
			if len(err.Error()) > 300 {
				t.Errorf("long reason %q", err)
			}
			return
		}
		if g.NilUID == (g.UID != "") || len(g.UID) > 256 || len(g.Topics) > 100 || g.Refusal != nil {
			t.Errorf("%+v", g)
		}
	})
}
