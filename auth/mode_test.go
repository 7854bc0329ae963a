package auth_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/auth"
)

// chainOf reads a list of modes.
func chainOf(t testing.TB, list string) (out []auth.Mode) {
	t.Helper()
	for _, name := range strings.Fields(list) {
		m, err := auth.ParseMode(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// A chain in which a mode is never asked is refused, with the one that was meant.
func TestChain(t *testing.T) {
	for _, c := range []struct{ chain, write string }{
		{"client", ""},
		{"jwt", ""},
		{"header", ""},
		{"hook", ""},
		{"jwt anonymous", ""},
		{"header jwt hook", ""},
		{"jwt header client", ""},
		{"anonymous jwt", "write [jwt, anonymous]"},
		{"hook jwt header", "write [jwt, header, hook]"},
		{"jwt client header", "write [jwt, header, client]"},
		{"jwt jwt", "write [jwt]"},
		{"client client", "write [client]"},
		{"jwt hook hook", "write [jwt, hook]"},
		{"hook anonymous", "hook and anonymous each decide every request that gets to them, so there is one of " +
			"them, at the end: write [hook] or [anonymous]"},
		{"dev jwt client", "write [jwt, dev] or [jwt, client]"},
	} {
		t.Run(c.chain, func(t *testing.T) {
			_, err := auth.New(auth.Config{Modes: chainOf(t, c.chain), UserField: "X-User"})
			switch {
			case (err == nil) != (c.write == ""):
				t.Fatalf("%v, want %q", err, c.write)
			case err != nil && !strings.HasSuffix(err.Error(), c.write):
				t.Errorf("%q does not end in %q", err, c.write)
			}
		})
	}
}

// Settings that cannot be right are refused, with what to write instead.
func TestNewRefusesSettings(t *testing.T) {
	header := []auth.Mode{auth.Header}
	for _, c := range []struct {
		name string
		conf auth.Config
		says string
	}{
		{"unknown mode", auth.Config{Modes: []auth.Mode{9}}, "no mode 9"},
		{"header without field", auth.Config{Modes: header}, "write the name of the field"},
		{"field with space", auth.Config{Modes: header, UserField: "X User"}, "as X-Forwarded-User"},
		{"field with colon", auth.Config{Modes: header, UserField: "X-User:"}, "as X-Forwarded-User"},
		{"field that is a cookie", auth.Config{Modes: header, UserField: "COOKIE"}, "a meaning of its own"},
		{"tenant that is Host", auth.Config{Modes: header, UserField: "X-User", TenantField: "Host"},
			"header.tenant"},
		{"one field for both", auth.Config{Modes: header, UserField: "X-User", TenantField: "x-user"}, "two fields"},
		{"no place", auth.Config{From: []string{"body"}}, "write authorization, cookie:NAME"},
		{"cookie without name", auth.Config{From: []string{"cookie"}}, "cookie:NAME"},
		{"cookie with empty name", auth.Config{From: []string{"cookie:"}}, "cookie:NAME"},
		{"cookie with bad name", auth.Config{From: []string{"cookie:a=b"}}, "cookie:NAME"},
		{"query without name", auth.Config{From: []string{"query"}}, "query:NAME"},
		{"authorization with name", auth.Config{From: []string{"authorization:x"}}, "authorization, "},
		{"place twice", auth.Config{From: []string{"cookie:a", "query:a", "cookie:a"}}, "write it once"},
		{"two references", auth.Config{CSRFToken: "t", CSRFCookie: "c"}, "write one of them"},
		{"token null", auth.Config{CSRFToken: "null"}, "write another"},
		{"cookie that is none", auth.Config{CSRFCookie: "a b"}, "__Host-csrf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := auth.New(c.conf)
			if err == nil || !strings.HasPrefix(err.Error(), "auth: ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want one that says %q", err, c.says)
			}
		})
	}
}

func TestFields(t *testing.T) {
	k := checker(t, auth.Config{Modes: chainOf(t, "header client"), UserField: "X-User", TenantField: "X-Org"})
	if k.UserField() != "X-User" || k.TenantField() != "X-Org" {
		t.Errorf("%q, %q", k.UserField(), k.TenantField())
	}
	k = checker(t, auth.Config{Mode: auth.Client, UserField: "X-User", TenantField: "X-Org"})
	if k.UserField() != "" || k.TenantField() != "" {
		t.Errorf("without mode header: %q, %q", k.UserField(), k.TenantField())
	}
}

func TestByCookie(t *testing.T) {
	for _, c := range []struct {
		chain, from string
		want        bool
	}{
		{"client", "cookie:t", false},
		{"dev", "", false},
		{"anonymous", "", false},
		{"jwt", "", false},
		{"jwt", "authorization query:t protocol", false},
		{"jwt", "authorization cookie:t", true},
		{"header", "", true},
		{"hook", "", true},
		{"jwt hook", "", true},
	} {
		k := checker(t, auth.Config{Modes: chainOf(t, c.chain), From: strings.Fields(c.from), UserField: "X-User"})
		if k.ByCookie() != c.want {
			t.Errorf("%s from %q: %v", c.chain, c.from, k.ByCookie())
		}
	}
}

// What is open is said; what is closed says nothing.
func TestOpen(t *testing.T) {
	for _, c := range []struct {
		name string
		conf auth.Config
		says []string // a part of each sentence
	}{
		{"anonymous alone", auth.Config{Mode: auth.Anonymous}, nil},
		{"jwt", auth.Config{Mode: auth.JWT}, nil},
		{"client", auth.Config{}, []string{"auth client"}},
		{"dev", auth.Config{Mode: auth.Dev}, []string{"auth dev"}},
		{"jwt anonymous", auth.Config{Modes: chainOf(t, "jwt anonymous")}, []string{"auth anonymous"}},
		{"header", auth.Config{Mode: auth.Header, UserField: "X-User", TenantField: "X-Org", CSRFCookie: "__Host-c"},
			[]string{"X-User and X-Org"}},
		{"header without tenant", auth.Config{Mode: auth.Header, UserField: "X-User", CSRFCookie: "__Host-c"},
			[]string{"auth header: X-User is"}},
		{"hook", auth.Config{Mode: auth.Hook}, []string{"no csrf.cookie"}},
		{"hook, token", auth.Config{Mode: auth.Hook, CSRFToken: "t"}, []string{"a token of its own"}},
		{"hook, cookie", auth.Config{Mode: auth.Hook, CSRFCookie: "__Host-c"}, nil},
		{"cookie others can set", auth.Config{Mode: auth.Hook, CSRFCookie: "csrf"}, []string{"__Host-"}},
		{"query", auth.Config{Mode: auth.JWT, From: []string{"query:t"}}, []string{"logs of proxies"}},
		{"all", auth.Config{Mode: auth.JWT, Origins: []string{"all"}}, []string{"any page"}},
		{"null", auth.Config{Mode: auth.JWT, Origins: []string{"null"}}, []string{"sandboxes"}},
		{"plain", auth.Config{Mode: auth.JWT, Origins: []string{"https://a", "http://a"}}, []string{"http://a: without TLS"}},
		{"plain and local", auth.Config{Mode: auth.JWT, Origins: []string{"http://localhost:1", "http://a.localhost",
			"http://127.0.0.1", "http://[::1]:80"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := checker(t, c.conf).Open()
			if len(got) != len(c.says) {
				t.Fatalf("%q, want %d", got, len(c.says))
			}
			for i := range got {
				if !strings.Contains(got[i], c.says[i]) {
					t.Errorf("%q does not say %q", got[i], c.says[i])
				}
			}
		})
	}
}
