package auth_test

import (
	"testing"

	"github.com/chskd/chskd/auth"
)

// Double submit: the cookie's value must be in the request a second time.
func TestCSRFCookie(t *testing.T) {
	const bad = "403 Bad CSRF token"
	for _, c := range []struct {
		name, cookie, param, xcsrf, xxsrf string
		want                              string
	}{
		{"OWASP: equal", "csrf=tok", "-", "tok", "-", "c"},
		{"Sente: as parameter, of an upgrade", "csrf=tok", "tok", "-", "-", "c"},
		{"Sente: x-xsrf-token", "csrf=tok", "-", "-", "tok", "c"},
		{"OWASP: among others", "a=b; csrf=tok; c=d", "-", "tok", "-", "c"},
		{"RFC 6265 4.1.1: in quotes", `csrf="tok"`, "-", "tok", "-", "c"},
		{"OWASP: cookie alone, as a page elsewhere can cause", "csrf=tok", "-", "-", "-", bad},
		{"OWASP: token alone", "-", "-", "tok", "-", bad},
		{"OWASP: neither", "-", "-", "-", "-", bad},
		{"OWASP: both empty", "csrf=", "-", "", "-", bad},
		{"OWASP: both empty, quoted", `csrf=""`, "", "-", "-", bad},
		{"OWASP: different", "csrf=tok", "-", "tek", "-", bad},
		{"OWASP: beginning", "csrf=tok", "-", "to", "-", bad},
		{"OWASP: other case", "csrf=tok", "-", "TOK", "-", bad},
		{"Sente: first present counts", "csrf=tok", "wrong", "tok", "tok", bad},
		{"Sente: the null of a client without token", "csrf=null", "-", "null", "-", bad},
		{"OWASP: tossed from a sibling host", "csrf=evil; csrf=tok", "-", "evil", "-", "400 more than one token"},
		{"OWASP: tossed, the right one given", "csrf=tok; csrf=evil", "-", "tok", "-", "400 more than one token"},
		{"cookie of another name", "xcsrf=tok", "-", "tok", "-", bad},
		{"malformed", "csrf=a b", "-", "a b", "-", "400 malformed cookie"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := checker(t, auth.Config{Mode: auth.Client, CSRFCookie: "csrf"})
			r := auth.Request{Client: opt("c"), Cookie: opt(c.cookie), CSRFParam: opt(c.param), XCSRF: opt(c.xcsrf),
				XXSRF: opt(c.xxsrf)}
			if got := outcome(k.Check(&r)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A grant's own token is asked for beside the configured one.
func TestCSRFBoth(t *testing.T) {
	k := checker(t, auth.Config{Mode: auth.Hook, CSRFCookie: "csrf"})
	r := auth.Request{Client: opt("c"), Cookie: opt("csrf=a"), XCSRF: opt("a")}
	if got := outcome(k.Check(&r)); got != "need hook" {
		t.Fatal(got)
	}
	for csrf, want := range map[string]string{"a": "u", "": "u", "b": "403 Bad CSRF token"} {
		id, refusal := k.Admit(&r, &auth.Grant{UID: "u", CSRF: csrf}, 0)
		if got := outcome(id, auth.Need{}, refusal); got != want {
			t.Errorf("%q: %q, want %q", csrf, got, want)
		}
	}
}
