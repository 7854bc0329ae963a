package auth_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/auth"
)

// Where a token is found, and what is one.
func TestPlaces(t *testing.T) {
	const none = "401 no credentials"
	type request = auth.Request
	authorization := func(s string) request { return request{Authorization: []byte(s)} }
	cookie := func(s string) request { return request{Cookie: []byte(s)} }
	query := func(s string) request { return request{Query: []byte(s)} }
	protocol := func(s string) request { return request{Protocol: []byte(s)} }
	for _, c := range []struct {
		name, from string
		r          request
		want       string // the token, or status and body
	}{
		{"RFC 6750 2.1: Bearer", "authorization", authorization("Bearer a.b.c"), "a.b.c"},
		{"RFC 9110 11.1: scheme in any case", "authorization", authorization("bEARER a.b.c"), "a.b.c"},
		{"RFC 9110 11.4: spaces after the scheme", "authorization", authorization("Bearer   a.b.c"), "a.b.c"},
		{"RFC 6750: Bearer alone", "authorization", authorization("Bearer"), "401 token refused"},
		{"RFC 6750: Bearer and spaces", "authorization", authorization("Bearer   "), "401 token refused"},
		{"RFC 9110 11.4: another scheme", "authorization", authorization("Bearers a.b.c"), none},
		{"RFC 7617: Basic", "authorization", authorization("Basic dTpw"), none},
		{"RFC 9110: no scheme", "authorization", authorization("a.b.c"), none},
		{"RFC 9110: empty", "authorization", authorization(""), none},
		{"RFC 9110 11.4: tab is no space", "authorization", authorization("Bearer\ta.b.c"), none},

		{"RFC 6265 4.2: alone", "cookie:t", cookie("t=a.b.c"), "a.b.c"},
		{"RFC 6265 4.2: first", "cookie:t", cookie("t=a.b.c; u=1"), "a.b.c"},
		{"RFC 6265 4.2: last", "cookie:t", cookie("u=1; t=a.b.c"), "a.b.c"},
		{"RFC 6265 4.2: no space after the semicolon", "cookie:t", cookie("u=1;t=a.b.c"), "a.b.c"},
		{"RFC 6265 4.1.1: in quotes", "cookie:t", cookie(`t="a.b.c"`), "a.b.c"},
		{"RFC 6265 4.1.1: equals sign in the value", "cookie:t", cookie("t=a=b=="), "a=b=="},
		{"RFC 6265 4.2: empty is none", "cookie:t", cookie("t="), none},
		{"RFC 6265 4.2: empty in quotes is none", "cookie:t", cookie(`t=""`), none},
		{"RFC 6265 5.4: other case is another", "cookie:t", cookie("T=a.b.c"), none},
		{"RFC 6265 4.2: longer name", "cookie:t", cookie("tt=a.b.c"), none},
		{"RFC 6265 4.2: name at the end of another", "cookie:t", cookie("x-t=a.b.c"), none},
		{"RFC 6265 4.2: in the value of another", "cookie:t", cookie("u=t=a.b.c"), none},
		{"RFC 6265 5.4: name without value", "cookie:t", cookie("t"), none},
		{"RFC 6265 5.4: cookie without name", "cookie:t", cookie("=t=a.b.c"), none},
		{"smuggling: twice", "cookie:t", cookie("t=a.b.c; t=d.e.f"), "400 more than one token"},
		{"smuggling: twice, the same", "cookie:t", cookie("t=a.b.c; u=1; t=a.b.c"), "400 more than one token"},
		{"smuggling: twice, first empty", "cookie:t", cookie("t=; t=a.b.c"), "400 more than one token"},
		{"smuggling: twice, second empty", "cookie:t", cookie("t=a.b.c; t="), "400 more than one token"},
		{"smuggling: a quote of another cookie ends at its semicolon", "cookie:t",
			cookie(`u="x; t=a.b.c; v=y"`), "a.b.c"},
		{"smuggling: a quoted value does not swallow", "cookie:t", cookie(`t="a; t=b"`), "400 malformed cookie"},
		{"smuggling: $Version means nothing", "cookie:t", cookie(`$Version=1; t="a.b.c"; $Path="/"`), "a.b.c"},
		{"smuggling: space before the equals sign", "cookie:t", cookie("t =a.b.c"), "400 malformed cookie"},
		{"RFC 6265 4.1.1: space in the value", "cookie:t", cookie("t=a b"), "400 malformed cookie"},
		{"RFC 6265 4.1.1: comma in the value", "cookie:t", cookie("t=a,t=b"), "400 malformed cookie"},
		{"RFC 6265 4.1.1: backslash in the value", "cookie:t", cookie(`t=a\b`), "400 malformed cookie"},
		{"RFC 6265 4.1.1: quote in the value", "cookie:t", cookie(`t=a"b`), "400 malformed cookie"},
		{"RFC 6265 4.1.1: control character", "cookie:t", cookie("t=a\x01b"), "400 malformed cookie"},
		{"RFC 6265 4.1.1: not ASCII", "cookie:t", cookie("t=a\xc3\xa9"), "400 malformed cookie"},
		{"RFC 6265 5: others may look as they like", "cookie:t",
			cookie("\xff=\x01; a b, c=\"; ;; =; é; t=a.b.c"), "a.b.c"},

		{"query", "query:t", query("client-id=c&t=a.b.c"), "a.b.c"},
		{"query, decoded", "query:t", query("t=a%2eb%2Ec"), "a.b.c"},
		{"query, plus", "query:t", query("t=a+b"), "a b"},
		{"query, name decoded", "query:t", query("%74=a.b.c"), "a.b.c"},
		{"query, other name", "query:t", query("tt=a.b.c&T=d&=e&x=t"), none},
		{"query, empty is none", "query:t", query("t="), none},
		{"query, name alone is none", "query:t", query("t"), none},
		{"query, bad escape", "query:t", query("t=a%2"), "401 token refused"},
		{"query, bad digits", "query:t", query("t=a%zz"), "401 token refused"},
		{"smuggling: parameter twice", "query:t", query("t=a&t=b"), "400 more than one token"},
		{"smuggling: parameter twice, once encoded", "query:t", query("t=a&%74=b"), "400 more than one token"},
		{"query, bad escape of another", "query:t", query("%=1&%7=2&t=a"), "a"},
		{"query, semicolon parts nothing", "query:t", query("u=1;t=a"), none},

		{"RFC 6455 11.3.4: alone", "protocol", protocol("token.a.b.c"), "a.b.c"},
		{"RFC 6455 11.3.4: in a list", "protocol", protocol("chskd , token.a.b.c,x"), "a.b.c"},
		{"RFC 6455 11.3.4: none", "protocol", protocol("chskd, tokens.a"), none},
		{"RFC 6455 11.3.4: case matters", "protocol", protocol("Token.a.b.c"), none},
		{"RFC 6455 11.3.4: empty is none", "protocol", protocol("token."), none},
		{"smuggling: entry twice", "protocol", protocol("token.a, token.b"), "400 more than one token"},

		{"the first place that has one", "query:t cookie:t",
			request{Query: opt("t=q"), Cookie: opt("t=c")}, "q"},
		{"the first place that has one, in the other order", "cookie:t query:t",
			request{Query: opt("t=q"), Cookie: opt("t=c")}, "c"},
		{"an empty place is passed over", "cookie:t query:t", request{Query: opt("t=q"), Cookie: opt("t=")}, "q"},
		{"a bad place is not", "cookie:t query:t", request{Query: opt("t=q"), Cookie: opt("t=a b")},
			"400 malformed cookie"},
		{"a place that is not asked", "query:t", request{Authorization: opt("Bearer x"), Cookie: opt("t=c"),
			Protocol: opt("token.p")}, none},
		{"too long, in a cookie", "cookie:t", cookie("t=" + strings.Repeat("x", 8193)), "401 token refused"},
		{"too long, in the query", "query:t", query("t=" + strings.Repeat("x", 8193)), "401 token refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := checker(t, auth.Config{Mode: auth.JWT, From: strings.Fields(c.from)})
			c.r.Client, c.r.Ajax = opt("c"), true
			got := strings.TrimPrefix(outcome(k.Check(&c.r)), "need jwt ")
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
