package auth_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/internal/count"
)

// The first mode that applies decides.
func TestChainDecides(t *testing.T) {
	user := func(s string) auth.Request { return auth.Request{UserField: opt(s), Trusted: true} }
	bearer := func(s string) auth.Request { return auth.Request{Authorization: opt("Bearer " + s)} }
	for _, c := range []struct {
		name, chain string
		r           auth.Request
		want        string // uid, "need jwt TOKEN", "need hook", "nil", or status and body
	}{
		{"jwt", "jwt", bearer("a.b.c"), "need jwt a.b.c"},
		{"jwt without", "jwt", auth.Request{}, "401 no credentials"},
		{"jwt with another scheme", "jwt", auth.Request{Authorization: opt("Basic a.b.c")}, "401 no credentials"},
		{"jwt first", "jwt client", bearer("a.b.c"), "need jwt a.b.c"},
		{"then the next", "jwt client", auth.Request{}, "c1"},
		{"a bad token is the end", "jwt client", bearer(""), "401 token refused"},
		{"a huge token is the end", "jwt client", bearer(strings.Repeat("x", 8193)), "401 token refused"},
		{"the longest token", "jwt client", bearer(strings.Repeat("x", 8192)), "need jwt " + strings.Repeat("x", 8192)},

		{"header", "header", user("u1"), "u1"},
		{"header without", "header", user("-"), "401 no credentials"},
		{"header empty, as some proxies send it", "header anonymous", user(""), "nil"},
		{"header from anybody is nothing", "header", auth.Request{UserField: opt("u1")}, "401 no credentials"},
		{"header from anybody, then the next", "header client", auth.Request{UserField: opt("u1")}, "c1"},
		{"header too long", "header", user(strings.Repeat("x", 257)), "400 uid is longer than 256 bytes"},
		{"header not UTF-8", "header client", user("a\xff"), "400 uid is not UTF-8"},
		{"tenant too long", "header", auth.Request{UserField: opt("u"), Trusted: true,
			TenantField: opt(strings.Repeat("x", 256))}, "400 tenant is longer than 255 bytes"},
		{"tenant not UTF-8", "header", auth.Request{UserField: opt("u"), Trusted: true,
			TenantField: opt("\xc3")}, "400 tenant is not UTF-8"},
		{"both, header first", "header jwt", auth.Request{UserField: opt("u1"), Trusted: true,
			Authorization: opt("Bearer t")}, "u1"},
		{"both, jwt first", "jwt header", auth.Request{UserField: opt("u1"), Trusted: true,
			Authorization: opt("Bearer t")}, "need jwt t"},

		{"hook", "hook", auth.Request{}, "need hook"},
		{"hook after jwt", "jwt hook", auth.Request{}, "need hook"},
		{"hook is not asked with a token", "jwt hook", bearer("t"), "need jwt t"},
		{"anonymous", "jwt anonymous", auth.Request{UIDParam: opt("u")}, "nil"},
		{"dev", "jwt dev", auth.Request{UIDParam: opt("u")}, "u"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := checker(t, auth.Config{Modes: chainOf(t, c.chain), UserField: "X-User", TenantField: "X-Org"})
			c.r.Client = opt("c1")
			if got := outcome(k.Check(&c.r)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// outcome writes what Check gave.
func outcome(id auth.Identity, need auth.Need, refusal *auth.Refusal) string {
	empty := id.UID == nil && id.Tenant == nil && !id.NilUID
	switch {
	case refusal != nil && empty && need.Kind == auth.NeedNothing:
		return strings.TrimPrefix(refusal.Error(), "auth: ")
	case refusal != nil:
		return "a refusal and more"
	case need.Kind == auth.NeedJWT && empty:
		return "need jwt " + string(need.Token)
	case need.Kind == auth.NeedHook && empty:
		return "need hook"
	case need.Kind != auth.NeedNothing:
		return "a need and more"
	case id.NilUID:
		return "nil"
	case len(id.Tenant) > 0:
		return string(id.Tenant) + "/" + string(id.UID)
	}
	return string(id.UID)
}

func TestHeaderTenant(t *testing.T) {
	k := checker(t, auth.Config{Mode: auth.Header, UserField: "X-User", TenantField: "X-Org"})
	r := auth.Request{Client: opt("c"), UserField: opt("u"), TenantField: opt("org"), Trusted: true}
	if got := outcome(k.Check(&r)); got != "org/u" {
		t.Error(got)
	}
	k = checker(t, auth.Config{Mode: auth.Header, UserField: "X-User"})
	if got := outcome(k.Check(&r)); got != "u" {
		t.Errorf("%s: a field that nobody named is believed", got)
	}
}

func TestAdmit(t *testing.T) {
	const now = 1_000_000
	said := &auth.Refusal{Status: 402, Body: "pay first"}
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		name string
		g    auth.Grant
		r    auth.Request
		want string
	}{
		{"uid", auth.Grant{UID: "u"}, auth.Request{}, "u"},
		{"tenant", auth.Grant{UID: "u", Tenant: "o"}, auth.Request{}, "o/u"},
		{"nil uid", auth.Grant{NilUID: true}, auth.Request{}, "nil"},
		{"nil uid has no uid", auth.Grant{NilUID: true, UID: "u"}, auth.Request{}, "nil"},
		{"refused", auth.Grant{UID: "u", Refusal: said}, auth.Request{}, "402 pay first"},
		{"in time", auth.Grant{UID: "u", Expires: now + 1}, auth.Request{}, "u"},
		{"just expired", auth.Grant{UID: "u", Expires: now}, auth.Request{}, "401 credentials expired"},
		{"long expired", auth.Grant{UID: "u", Expires: 1}, auth.Request{}, "401 credentials expired"},
		{"token", auth.Grant{UID: "u", CSRF: "t"}, auth.Request{XCSRF: opt("t")}, "u"},
		{"token as parameter", auth.Grant{UID: "u", CSRF: "t"}, auth.Request{CSRFParam: opt("t")}, "u"},
		{"token missing", auth.Grant{UID: "u", CSRF: "t"}, auth.Request{}, "403 Bad CSRF token"},
		{"token wrong", auth.Grant{UID: "u", CSRF: "t"}, auth.Request{XCSRF: opt("T")}, "403 Bad CSRF token"},
		{"token longer", auth.Grant{UID: "u", CSRF: "t"}, auth.Request{XCSRF: opt("tt")}, "403 Bad CSRF token"},
		{"Sente: null is none", auth.Grant{UID: "u", CSRF: "null"}, auth.Request{XCSRF: opt("null")},
			"403 Bad CSRF token"},
		{"no token asked for", auth.Grant{UID: "u"}, auth.Request{XCSRF: opt("null")}, "u"},
		{"expired before token", auth.Grant{UID: "u", CSRF: "t", Expires: 1}, auth.Request{}, "401 credentials expired"},
		{"uid too long", auth.Grant{UID: long}, auth.Request{}, "400 uid is longer than 256 bytes"},
		{"uid not UTF-8", auth.Grant{UID: "\xff"}, auth.Request{}, "400 uid is not UTF-8"},
		{"tenant too long", auth.Grant{UID: "u", Tenant: long}, auth.Request{}, "400 tenant is longer than 255 bytes"},
		{"tenant too long, no uid", auth.Grant{NilUID: true, Tenant: long}, auth.Request{},
			"400 tenant is longer than 255 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := checker(t, auth.Config{Mode: auth.Hook})
			c.r.Client = opt("c")
			if got := outcome(k.Check(&c.r)); got != "need hook" {
				t.Fatal(got)
			}
			id, refusal := k.Admit(&c.r, &c.g, now)
			if got := outcome(id, auth.Need{}, refusal); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The tenant of a user without uid is kept: topics and broadcasts are a tenant's own.
func TestAdmitNilUIDTenant(t *testing.T) {
	k := checker(t, auth.Config{Mode: auth.Hook})
	id, refusal := k.Admit(&auth.Request{}, &auth.Grant{NilUID: true, Tenant: "o"}, 0)
	if refusal != nil || !id.NilUID || string(id.Tenant) != "o" || len(id.UID) != 0 {
		t.Errorf("%+v, %v", id, refusal)
	}
}

func TestChainAllocs(t *testing.T) {
	k := checker(t, auth.Config{Modes: chainOf(t, "header jwt hook"), UserField: "X-User", TenantField: "X-Org",
		CSRFCookie: "__Host-csrf", From: []string{"authorization", "cookie:session", "query:tok%en", "protocol"},
		Origins: []string{"https://a.b", "https://example.com"}})
	cookie := opt(`a=b; __Host-csrf="t0"; theme=dark`)
	common := auth.Request{Client: opt("c"), Cookie: cookie, XCSRF: opt("t0"), Origin: opt("https://example.com"),
		Host: opt("example.com"), SecFetchSite: opt("same-origin"), Query: opt("client-id=c&udt=1")}
	proxied, token, inCookie, inQuery, protocol := common, common, common, common, common
	proxied.Trusted, proxied.UserField, proxied.TenantField = true, opt("u"), opt("o")
	token.Authorization = opt("Bearer a.b.c")
	inCookie.Cookie = append(opt("session=a.b.c; "), cookie...)
	inQuery.Query = opt("client-id=c&tok%25en=a.b.c")
	protocol.Protocol = opt("chskd, token.a.b.c")
	grant := auth.Grant{Tenant: "o", UID: "u", CSRF: "t0", Expires: 10}
	wrong := common
	wrong.XCSRF = opt("t1")
	n := testing.AllocsPerRun(100, func() {
		for _, r := range [...]*auth.Request{&common, &proxied, &token, &inCookie, &inQuery, &protocol} {
			_, need, refusal := k.Check(r)
			if refusal != nil || r != &proxied && r != &common && string(need.Token) != "a.b.c" {
				panic("not found")
			}
			if need.Kind == auth.NeedNothing {
				continue
			}
			if _, refusal := k.Admit(r, &grant, 9); refusal != nil {
				panic(refusal)
			}
		}
		if _, _, refusal := k.Check(&wrong); refusal == nil {
			panic("wrong token, but not refused")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, c := range []struct {
		name string
		conf auth.Config
		r    auth.Request
	}{
		{"client", auth.Config{}, auth.Request{}},
		{"jwt cookie", auth.Config{Mode: auth.JWT, From: []string{"cookie:session"}},
			auth.Request{Cookie: opt("a=b; session=" + strings.Repeat("x", 700) + "; theme=dark"),
				SecFetchSite: opt("same-origin")}},
		{"double submit", auth.Config{CSRFCookie: "csrf"},
			auth.Request{Cookie: opt("a=b; csrf=0123456789abcdef; theme=dark"), XCSRF: opt("0123456789abcdef")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			k := checker(b, c.conf)
			c.r.Client, c.r.Origin, c.r.Host = opt("c"), opt("https://x"), opt("x")
			for loop := count.Loop(b, 2000); loop.Next(); {
				if _, _, refusal := k.Check(&c.r); refusal != nil {
					b.Fatal(refusal)
				}
			}
		})
	}
}
