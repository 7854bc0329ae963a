package verifier_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/verifier"
)

// TestKeysDiffer: whatever a grant may depend on makes another key, and no byte can move from one
// field to its neighbour.
func TestKeysDiffer(t *testing.T) {
	v := verifier.New(verifier.Config{})
	base := func() *auth.Request {
		return &auth.Request{Client: []byte("cc"), Cookie: []byte("kk"), Authorization: []byte("aa"),
			Origin: []byte("oo"), Query: []byte("qq"), Addr: netip.MustParseAddr("192.0.2.1")}
	}
	for _, kind := range []auth.NeedKind{auth.NeedHook, auth.NeedJWT} {
		seen := map[[32]byte]string{}
		add := func(name string, r *auth.Request, need auth.Need) {
			t.Helper()
			k := v.Key(r, need)
			if other, is := seen[k]; is {
				t.Errorf("%v: %s has the key of %s", kind, name, other)
			}
			seen[k] = name
		}
		need := auth.Need{Kind: kind, Token: []byte("tt")}
		add("base", base(), need)
		fields := []struct {
			name string
			of   func(*auth.Request, *auth.Need) *[]byte
		}{
			{"client", func(r *auth.Request, _ *auth.Need) *[]byte { return &r.Client }},
			{"cookie", func(r *auth.Request, _ *auth.Need) *[]byte { return &r.Cookie }},
			{"authorization", func(r *auth.Request, _ *auth.Need) *[]byte { return &r.Authorization }},
			{"token", func(_ *auth.Request, n *auth.Need) *[]byte { return &n.Token }},
			{"origin", func(r *auth.Request, _ *auth.Need) *[]byte { return &r.Origin }},
			{"query", func(r *auth.Request, _ *auth.Need) *[]byte { return &r.Query }},
		}
		if kind == auth.NeedJWT {
			fields = fields[:5]
		}
		for i, f := range fields {
			for _, value := range []string{"", "x", "xx", "xx\x00", "\x00\x00\x00\x02xx", strings.Repeat("x", 20_000)} {
				r, n := base(), need
				*f.of(r, &n) = []byte(value)
				add(f.name+"="+value[:min(len(value), 9)], r, n)
			}
			for j, g := range fields {
				if i == j {
					continue
				}
				// All of f behind g, in front of g, one byte of it, and both exchanged.
				for how := range 4 {
					r, n := base(), need
					from, to := f.of(r, &n), g.of(r, &n)
					a, b := string(*from), string(*to)
					switch how {
					case 0:
						a, b = "", b+a
					case 1:
						a, b = "", a+b
					case 2:
						a, b = a[1:], b+a[:1]
					case 3:
						if i > j {
							continue // it is the same again
						}
						a, b = b, a
					}
					*from, *to = []byte(a), []byte(b)
					add(fmt.Sprint(f.name, " to ", g.name, how), r, n)
				}
			}
		}
		// As if fields ended with a mark: it may stand in one.
		for _, mark := range []string{"\x00", "\x00\x00\x00\x00", "\x00\x00\x00\x01"} {
			r := &auth.Request{Cookie: []byte("a"), Authorization: []byte("b"), Origin: []byte(mark + "o")}
			add("three fields", r, auth.Need{Kind: kind, Token: []byte("c")})
			r = &auth.Request{Cookie: []byte("a" + mark + "b"), Authorization: []byte("c"), Origin: []byte("o")}
			add("two fields", r, auth.Need{Kind: kind})
		}
		if kind == auth.NeedHook {
			for name, change := range map[string]func(*auth.Request){
				"ajax":       func(r *auth.Request) { r.Ajax = true },
				"post":       func(r *auth.Request) { r.Ajax, r.Post = true, true },
				"address":    func(r *auth.Request) { r.Addr = netip.MustParseAddr("192.0.2.2") },
				"no address": func(r *auth.Request) { r.Addr = netip.Addr{} },
				"q&q":        func(r *auth.Request) { r.Query = []byte("q&q") },
				"qq&q":       func(r *auth.Request) { r.Query = []byte("qq&q") },
				"q&qq":       func(r *auth.Request) { r.Query = []byte("q&qq") },
				"qqq":        func(r *auth.Request) { r.Query = []byte("qqq") },
				"udtx":       func(r *auth.Request) { r.Query = []byte("qq&udtx=1") },
			} {
				r := base()
				change(r)
				add(name, r, need)
			}
		}
	}
	hook, jwt := auth.Need{Kind: auth.NeedHook}, auth.Need{Kind: auth.NeedJWT}
	if v.Key(base(), hook) == v.Key(base(), jwt) {
		t.Error("a token's grant stands for the application's")
	}
	if v.Key(base(), hook) == verifier.New(verifier.Config{}).Key(base(), hook) {
		t.Error("keys have no secret")
	}
}

// TestKeysSame: what Sente's clients vary by themselves does not count; neither does, for a token,
// what only an application could look at.
func TestKeysSame(t *testing.T) {
	v := verifier.New(verifier.Config{})
	key := func(kind auth.NeedKind, query, addr string, ajax bool) [32]byte {
		return v.Key(&auth.Request{Client: []byte("c"), Query: []byte(query), Ajax: ajax,
			Addr: netip.MustParseAddr(addr)}, auth.Need{Kind: kind})
	}
	want := key(auth.NeedHook, "room=1&x", "192.0.2.1", true)
	for _, query := range []string{
		"udt=1700000000000&client-id=c&handshake%3F=1&room=1&x", "room=1&csrf-token=a&x&udt", "&room=1&&x&",
		"room=1&binary?=true&x&ppstr=a&handshake?=1",
	} {
		if key(auth.NeedHook, query, "192.0.2.1", true) != want {
			t.Errorf("%q has another key", query)
		}
	}
	if key(auth.NeedHook, "room=1&x", "::ffff:192.0.2.1", true) != want {
		t.Error("an address in its longer form has another key")
	}
	if key(auth.NeedJWT, "a", "192.0.2.1", true) != key(auth.NeedJWT, "b", "192.0.2.2", false) {
		t.Error("a token's key has more than its grant depends on")
	}
}

func TestQuestion(t *testing.T) {
	query := []byte("udt=17&room=a%20b&client-id=c&csrf-token=secret&room=2&&handshake%3F=1")
	r := &auth.Request{Client: []byte("c"), Cookie: []byte("k"), Authorization: []byte("a"),
		Origin: []byte("o"), Query: query, Addr: netip.MustParseAddr("::ffff:192.0.2.1")}
	q := verifier.Question(r)
	clear(query)
	if q.ClientID != "c" || q.Cookie != "k" || q.Authorization != "a" || q.Origin != "o" ||
		q.Query != "room=a%20b&room=2" || q.Address != "192.0.2.1" || q.Transport != "ws" || q.Method != "GET" {
		t.Errorf("%+v", q)
	}
	q = verifier.Question(&auth.Request{Ajax: true, Post: true, Addr: netip.MustParseAddr("fe80::1%eth0")})
	if q.Transport != "ajax" || q.Method != "POST" || q.Address != "fe80::1" || q.Query != "" {
		t.Errorf("%+v", q)
	}
}
