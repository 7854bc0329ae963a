package auth_test

import (
	"testing"

	"github.com/chskd/chskd/auth"
)

// passes says whether the origin is good enough for Check.
func passes(t *testing.T, k *auth.Checker, r auth.Request) bool {
	t.Helper()
	r.Client = []byte("c")
	_, _, refusal := k.Check(&r)
	if refusal != nil && (refusal.Status != 403 || refusal.Body != "Unauthorized origin") {
		t.Fatalf("refused for another reason: %v", refusal)
	}
	return refusal == nil
}

// Without a list: the same origin, or a program.
func TestSameOrigin(t *testing.T) {
	k := checker(t, auth.Config{})
	for _, c := range []struct {
		name, origin, referer, host string
		plain, tls                  bool // whether it passes on a conn without and with TLS
	}{
		{"a program: neither", "-", "-", "x:8080", true, true},
		{"a program: no Host either", "-", "-", "-", true, true},
		{"equal", "http://x:8080", "-", "x:8080", true, true},
		{"scheme is not compared", "https://x:8080", "-", "x:8080", true, true},
		{"host in any case", "http://Ex.ORG:1", "-", "eX.org:1", true, true},
		{"no ports, http", "http://x", "-", "x", true, false},
		{"no ports, https", "https://x", "-", "x", true, true},
		{"default port named, http", "http://x", "-", "x:80", true, true},
		{"default port named, https", "https://x", "-", "x:443", true, true},
		{"default port of the other scheme, https", "https://x", "-", "x:80", false, false},
		{"default port of the other scheme, http", "http://x", "-", "x:443", false, false},
		{"default port in Origin, https", "https://x:443", "-", "x", true, true},
		{"default port in Origin, http", "http://x:80", "-", "x", true, false},
		{"IPv6", "http://[::1]:8080", "-", "[::1]:8080", true, true},
		{"IPv6 without port", "https://[::1]", "-", "[::1]", true, true},
		{"IPv6, other", "http://[::1]:8080", "-", "[::2]:8080", false, false},
		{"other port", "http://x:8081", "-", "x:8080", false, false},
		{"port against none", "http://x:8080", "-", "x", false, false},
		{"other host", "http://evil", "-", "x", false, false},
		{"longer host", "http://x.evil", "-", "x", false, false},
		{"subdomain", "http://evil.x", "-", "x", false, false},
		{"host as user", "http://x@evil", "-", "x", false, false},
		{"localhost is not 127.0.0.1", "http://localhost:1", "-", "127.0.0.1:1", false, false},
		{"Kelvin sign is no k", "http://\u212a", "-", "k", false, false},
		{"null", "null", "-", "x", false, false},
		{"empty Origin", "", "-", "x", false, false},
		{"empty Origin and Host", "http://", "-", "", false, false},
		{"no Host", "http://x", "-", "-", false, false},
		{"extension", "chrome-extension://x", "-", "x", false, false},
		{"Origin with path", "http://x/", "-", "x", false, false},
		{"two origins", "http://x http://evil", "-", "x", false, false},
		{"Referer is not asked beside Origin", "http://x", "http://evil/", "x", true, false},
		{"Referer does not mend Origin", "http://evil", "http://x/", "x", false, false},
		{"poll of the same page", "-", "http://x:8080/a?b", "x:8080", true, true},
		{"poll of the same page, no path", "-", "https://x:8080", "x:8080", true, true},
		{"Referer with user", "-", "http://x@evil/", "x", false, false},
		{"Referer of another page", "-", "http://evil/http://x/", "x", false, false},
		{"Referer with query at once", "-", "http://evil?//x/", "x", false, false},
		{"Referer without scheme", "-", "about:blank", "x", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := auth.Request{Origin: opt(c.origin), Referer: opt(c.referer), Host: opt(c.host)}
			if got := passes(t, k, r); got != c.plain {
				t.Errorf("passes: %v", got)
			}
			r.TLS = true
			if got := passes(t, k, r); got != c.tls {
				t.Errorf("passes with TLS: %v", got)
			}
		})
	}
}

// With a list: Sente's rule.
func TestListedOrigins(t *testing.T) {
	k := checker(t, auth.Config{Origins: []string{
		"https://App.example.com/", "http://x:8080", "https://d:443", "http://[::1]:80", "null"}})
	for _, c := range []struct {
		name, origin, referer string
		want                  bool
	}{
		{"in the list", "https://app.example.com", "-", true},
		{"second of the list", "http://x:8080", "-", true},
		{"default port in the list", "https://d", "-", true},
		{"default port in the list, IPv6", "http://[::1]", "-", true},
		{"null in the list", "null", "-", true},
		{"other scheme", "http://app.example.com", "-", false},
		{"other port", "http://x", "-", false},
		{"same origin alone does not do", "http://h", "-", false},
		{"longer", "https://app.example.com.evil", "-", false},
		{"with slash", "https://app.example.com/", "-", false},
		{"empty", "", "-", false},
		{"neither", "-", "-", false},
		{"Referer", "-", "https://app.example.com/a", true},
		{"Referer, root", "-", "http://x:8080/", true},
		{"Referer without slash", "-", "http://x:8080", false},
		{"Referer, longer host", "-", "https://app.example.com.evil/", false},
		{"Referer, longer port", "-", "http://x:80801/", false},
		{"Referer of another", "-", "http://evil/https://app.example.com/", false},
		{"Referer does not mend Origin", "http://evil", "https://app.example.com/", false},
	} {
		t.Run("Sente: "+c.name, func(t *testing.T) {
			r := auth.Request{Origin: opt(c.origin), Referer: opt(c.referer), Host: []byte("h")}
			if got := passes(t, k, r); got != c.want {
				t.Errorf("passes: %v", got)
			}
			if c.referer == "-" && c.origin != "-" {
				if got := k.AllowOrigin(r.Origin, r.Host); got != c.want {
					t.Errorf("AllowOrigin: %v", got)
				}
			}
		})
	}
}

func TestAllOrigins(t *testing.T) {
	k := checker(t, auth.Config{Origins: []string{"all"}})
	for _, origin := range []string{"-", "null", "http://evil", ""} {
		if !passes(t, k, auth.Request{Origin: opt(origin), Host: []byte("x")}) {
			t.Errorf("%q does not pass", origin)
		}
	}
	if !k.AllowOrigin([]byte("http://evil"), []byte("x")) {
		t.Error("AllowOrigin refuses")
	}
}

// An empty list, as a file may hold it, is no list.
func TestEmptyOrigins(t *testing.T) {
	k := checker(t, auth.Config{Origins: []string{}})
	if !passes(t, k, auth.Request{}) || passes(t, k, auth.Request{Origin: []byte("http://evil")}) {
		t.Error("an empty list is not the default")
	}
}

// There is nothing to allow for a request without Origin.
func TestAllowOriginAbsent(t *testing.T) {
	for _, origins := range [][]string{nil, {"all"}, {"http://x"}} {
		k := checker(t, auth.Config{Origins: origins})
		if k.AllowOrigin(nil, []byte("x")) || k.AllowOrigin([]byte{}, []byte("x")) {
			t.Errorf("%v allows no origin", origins)
		}
	}
	k := checker(t, auth.Config{})
	if !k.AllowOrigin([]byte("http://x"), []byte("x")) ||
		k.AllowOrigin([]byte("http://y"), []byte("x")) {
		t.Error("the default is not the same origin")
	}
}

// A page whose own name comes to point at this machine (DNS rebinding) sends that name as
// Host, and is of the same origin as it; as GET without Referer it may say no origin at all.
func TestLocalHosts(t *testing.T) {
	k := checker(t, auth.Config{LocalHosts: true})
	open := checker(t, auth.Config{})
	for host, good := range map[string]bool{
		"-": true, "localhost": true, "localhost:8080": true, "LOCALHOST.:8080": true, "127.0.0.1:8080": true,
		"127.0.0.1": true, "[::1]:8080": true, "[::1]": true, "192.0.2.7": true, "0.0.0.0:8080": true,
		"mybox:8080": true, "app.localhost:8080": true, "app.LocalHost": true,
		"evil.example": false, "evil.example:8080": false, "evil.example.": false, "127.0.0.1.nip.io": false,
		"localhost.evil.example": false, "notlocalhost.x": false, "x.notlocalhost": false, "1.2.3.4x": false,
		"7f000001.rbndr.us:8080": false, "a.b": false,
	} {
		for _, origin := range []string{"-", "http://" + host} {
			if host == "-" && origin != "-" {
				continue
			}
			r := auth.Request{Client: []byte("c"), Host: opt(host), Origin: opt(origin)}
			_, _, refusal := k.Check(&r)
			if (refusal == nil) != good {
				t.Errorf("Host %q, Origin %q: %v, want good %v", host, origin, refusal, good)
			}
			if refusal != nil && refusal.Status != 403 {
				t.Errorf("Host %q: %v", host, refusal)
			}
			if _, _, refusal := open.Check(&r); refusal != nil {
				t.Errorf("without the option: Host %q, Origin %q: %v", host, origin, refusal)
			}
		}
	}
}
