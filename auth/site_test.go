package auth_test

import (
	"testing"

	"github.com/chskd/chskd/auth"
)

// The kinds of request that a page can cause.
type how int

const (
	poll    how = iota // GET
	send               // POST
	upgrade            // GET that becomes a WebSocket
)

// sent is a request of mode kind, as a browser or a program would send it to host x.
func sent(kind how, site, origin, referer, cookie string) auth.Request {
	return auth.Request{Client: opt("c"), Host: opt("x"), Post: kind == send, Ajax: kind != upgrade,
		SecFetchSite: opt(site), Origin: opt(origin), Referer: opt(referer), Cookie: opt(cookie),
		UserField: opt("u"), Trusted: true}
}

// What a browser sends by itself counts only if the page may. The cases are those of the
// sources they name.
func TestAmbient(t *testing.T) {
	const session = "session=a.b.c"
	listed := []string{"https://app.example.com"}
	for _, c := range []struct {
		name    string
		origins []string
		r       auth.Request
		pass    bool
	}{
		{"Fetch Metadata 2.2: same-origin poll", nil, sent(poll, "same-origin", "-", "https://x/", session), true},
		{"Fetch Metadata 2.2: same-origin poll without Referer", nil, sent(poll, "same-origin", "-", "-", session), true},
		{"Fetch Metadata 2.2: same-origin send", nil, sent(send, "same-origin", "https://x", "-", session), true},
		{"Fetch Metadata 2.2: same-origin upgrade", nil, sent(upgrade, "same-origin", "https://x", "-", session), true},
		{"Fetch Metadata 2.2: cross-site image, no-referrer", nil, sent(poll, "cross-site", "-", "-", session), false},
		{"Fetch Metadata 2.2: cross-site form", nil, sent(send, "cross-site", "https://evil", "-", session), false},
		{"Fetch Metadata 2.2: cross-site form without Origin", nil, sent(send, "cross-site", "-", "-", session), false},
		{"Fetch Metadata 2.2: cross-site upgrade", nil, sent(upgrade, "cross-site", "https://evil", "-", session), false},
		{"Fetch Metadata 2.2: redirected here by an evil page", nil,
			sent(poll, "cross-site", "-", "https://x/", session), false},
		{"Fetch Metadata 2.2: same-site is another host", nil, sent(poll, "same-site", "-", "-", session), false},
		{"Fetch Metadata 2.2: same-site send", nil, sent(send, "same-site", "https://y.x", "-", session), false},
		{"Fetch Metadata 2.2: typed by the user", nil, sent(poll, "none", "-", "-", session), true},
		{"Fetch Metadata 2.2: nobody types a POST", nil, sent(send, "none", "-", "-", session), false},
		{"Fetch Metadata 2.2: nobody types an upgrade", nil, sent(upgrade, "none", "-", "-", session), false},
		{"Fetch Metadata 2.2: unknown value", nil, sent(poll, "Same-Origin", "-", "-", session), false},
		{"Fetch Metadata 2.2: empty value", nil, sent(poll, "", "-", "-", session), false},
		{"Fetch Metadata 2.2: does not mend Origin", nil, sent(send, "same-origin", "https://evil", "-", session), false},

		{"RFC 6454 7.2: null origin of a sandbox", nil, sent(send, "-", "null", "-", session), false},
		{"RFC 6454 7.3: form of another page", nil, sent(send, "-", "https://evil", "-", session), false},
		{"RFC 6454 7.3: older browser, own page", nil, sent(send, "-", "https://x", "-", session), true},
		{"RFC 6455 10.2: upgrade of another page", nil, sent(upgrade, "-", "https://evil", "-", session), false},
		{"RFC 6455 10.2: upgrade of an older browser", nil, sent(upgrade, "-", "https://x", "-", session), true},

		{"OWASP: Referer where Origin is missing", nil, sent(send, "-", "-", "https://x/a", session), true},
		{"OWASP: Referer of another page", nil, sent(send, "-", "-", "https://evil/", session), false},
		{"OWASP: send with neither", nil, sent(send, "-", "-", "-", session), false},
		{"OWASP: upgrade with neither", nil, sent(upgrade, "-", "-", "-", session), false},
		{"OWASP: poll with neither: nobody else can read the answer", nil, sent(poll, "-", "-", "-", session), true},

		{"listed: its sends", listed, sent(send, "cross-site", listed[0], "-", session), true},
		{"listed: its upgrades", listed, sent(upgrade, "same-site", listed[0], "-", session), true},
		{"listed: its polls by CORS", listed, sent(poll, "cross-site", listed[0], "-", session), true},
		{"listed: its images say no Origin", listed, sent(poll, "cross-site", "-", listed[0]+"/", session), false},
		{"listed: same origin with Referer listed", listed, sent(poll, "same-origin", "-", listed[0]+"/", session), true},
		{"listed: another", listed, sent(send, "cross-site", "https://evil", "-", session), false},
	} {
		for _, m := range []struct {
			mode string
			conf auth.Config
		}{
			{"jwt", auth.Config{Mode: auth.JWT, From: []string{"cookie:session"}}},
			{"hook", auth.Config{Mode: auth.Hook}},
			{"header", auth.Config{Mode: auth.Header, UserField: "X-User"}},
		} {
			t.Run(m.mode+": "+c.name, func(t *testing.T) {
				m.conf.Origins = c.origins
				_, _, refusal := checker(t, m.conf).Check(&c.r)
				if (refusal == nil) != c.pass {
					t.Errorf("%v, want that it passes: %v", refusal, c.pass)
				}
				if refusal != nil && (refusal.Status != 403 || refusal.Body != "Unauthorized origin") {
					t.Errorf("%v", refusal)
				}
			})
		}
	}
}

// Modes and requests without such credentials are judged by Origin alone.
func TestNotAmbient(t *testing.T) {
	bearer := sent(send, "-", "-", "-", "a=b")
	bearer.Authorization = opt("Bearer t")
	basic := sent(send, "-", "-", "-", "-")
	basic.Authorization = opt("Basic dTpw")
	for _, c := range []struct {
		name string
		conf auth.Config
		r    auth.Request
		pass bool
	}{
		{"client", auth.Config{}, sent(send, "cross-site", "-", "-", "a=b"), true},
		{"anonymous", auth.Config{Mode: auth.Anonymous}, sent(poll, "cross-site", "-", "-", "a=b"), true},
		{"dev", auth.Config{Mode: auth.Dev}, sent(upgrade, "none", "-", "-", "a=b"), true},
		{"jwt, Bearer beside cookies", auth.Config{Mode: auth.JWT}, bearer, true},
		{"jwt, the cookie first", auth.Config{Mode: auth.JWT, From: []string{"cookie:a", "authorization"}}, bearer, false},
		{"jwt, Bearer first", auth.Config{Mode: auth.JWT, From: []string{"authorization", "cookie:a"}}, bearer, true},
		{"hook, a program without credentials", auth.Config{Mode: auth.Hook}, sent(send, "-", "-", "-", "-"), true},
		{"hook, a program with Basic", auth.Config{Mode: auth.Hook}, basic, false},
		{"header, a program with a certificate", auth.Config{Mode: auth.Header, UserField: "X-User"},
			sent(upgrade, "-", "-", "-", "-"), true},
		{"header, a page with a certificate", auth.Config{Mode: auth.Header, UserField: "X-User"},
			sent(poll, "cross-site", "-", "-", "-"), false},
		{"hook, a token that is everybody's", auth.Config{Mode: auth.Hook, CSRFToken: "t"},
			sent(send, "cross-site", "-", "-", "a=b"), false},
		{"client, a token that is everybody's", auth.Config{CSRFToken: "t"}, sent(send, "cross-site", "-", "-", "a=b"), true},
		{"cookie configured", auth.Config{Mode: auth.Hook, CSRFCookie: "a"}, sent(send, "-", "-", "-", "a=t"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.XCSRF = opt("t")
			if _, _, refusal := checker(t, c.conf).Check(&c.r); (refusal == nil) != c.pass {
				t.Errorf("%v, want that it passes: %v", refusal, c.pass)
			}
		})
	}
}

// `all` does not cover credentials (Fetch 3.3.4): without a token of the grant the page
// must be of the same origin.
func TestAmbientAll(t *testing.T) {
	for _, c := range []struct {
		name string
		r    auth.Request
		csrf string
		pass bool
	}{
		{"any page with a token", sent(send, "cross-site", "https://evil", "-", "a=b"), "t", true},
		{"any page without", sent(send, "cross-site", "https://evil", "-", "a=b"), "", false},
		{"any page of an older browser without", sent(upgrade, "-", "https://evil", "-", "a=b"), "", false},
		{"the same page without", sent(send, "same-origin", "https://x", "-", "a=b"), "", true},
		{"the same page of an older browser without", sent(upgrade, "-", "https://x", "-", "a=b"), "", true},
		{"any page without cookies", sent(send, "cross-site", "https://evil", "-", "-"), "", true},
		{"poll of an older browser", sent(poll, "-", "-", "-", "a=b"), "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.XCSRF = opt("t")
			k := checker(t, auth.Config{Mode: auth.Hook, Origins: []string{"all"}})
			if _, need, refusal := k.Check(&c.r); refusal != nil || need.Kind != auth.NeedHook {
				t.Fatalf("%v, %v", need, refusal)
			}
			_, refusal := k.Admit(&c.r, &auth.Grant{UID: "u", CSRF: c.csrf}, 0)
			if (refusal == nil) != c.pass {
				t.Errorf("%v, want that it passes: %v", refusal, c.pass)
			}
			k = checker(t, auth.Config{Mode: auth.Header, UserField: "X-User", Origins: []string{"all"}})
			_, _, refusal = k.Check(&c.r)
			if want := c.pass && c.csrf == "" && len(c.r.Cookie) > 0; (refusal == nil) != want {
				t.Errorf("header: %v, want that it passes: %v", refusal, want)
			}
		})
	}
}
