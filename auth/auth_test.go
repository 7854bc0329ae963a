package auth_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/auth"
)

// checker makes a Checker of a configuration that must be good.
func checker(t testing.TB, c auth.Config) *auth.Checker {
	t.Helper()
	k, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// opt gives nil for "-", which stands for an absent value.
func opt(s string) []byte {
	if s == "-" {
		return nil
	}
	return []byte(s)
}

func TestCheckIdentity(t *testing.T) {
	for _, c := range []struct {
		name        string
		mode        auth.Mode
		client, uid string
		want        string // the uid; "nil" = none
	}{
		{"client", auth.Client, "c1", "-", "c1"},
		{"client, uid is not asked", auth.Client, "c1", "u1", "c1"},
		{"anonymous", auth.Anonymous, "c1", "u1", "nil"},
		{"dev", auth.Dev, "c1", "u1", "u1"},
		{"dev without uid", auth.Dev, "c1", "-", "c1"},
		{"dev with empty uid", auth.Dev, "c1", "", "c1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := auth.Request{Client: opt(c.client), UIDParam: opt(c.uid)}
			id, _, refusal := checker(t, auth.Config{Mode: c.mode}).Check(&r)
			if refusal != nil {
				t.Fatal(refusal)
			}
			got := string(id.UID)
			if id.NilUID && id.UID == nil {
				got = "nil"
			}
			if got != c.want || id.NilUID != (c.want == "nil") || len(id.Tenant) != 0 {
				t.Errorf("%q, nil uid %v, tenant %q", id.UID, id.NilUID, id.Tenant)
			}
		})
	}
}

func TestCheckIDs(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		name        string
		client, uid string
		status      int
		body        string // part of it
	}{
		{"Sente: missing client-id", "-", "u", 400, "missing client-id"},
		{"Sente: empty client-id", "", "u", 400, "missing client-id"},
		{"Sente: blank client-id", " \t\n", "u", 400, "missing client-id"},
		{"longest client-id", long[:128], "u", 0, ""},
		{"client-id too long", long[:129], "u", 400, "client-id"},
		{"client-id not UTF-8", "a\xff", "u", 400, "client-id"},
		{"client-id with other characters", "é\x00<\"", "u", 0, ""},
		{"longest uid", "c", long[:256], 0, ""},
		{"uid too long", "c", long[:257], 400, "uid"},
		{"uid not UTF-8", "c", "\xc3", 400, "uid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := auth.Request{Client: opt(c.client), UIDParam: opt(c.uid)}
			_, _, refusal := checker(t, auth.Config{Mode: auth.Dev}).Check(&r)
			if refusal == nil {
				refusal = &auth.Refusal{}
			}
			if refusal.Status != c.status || !strings.Contains(refusal.Body, c.body) {
				t.Errorf("%v, want %d %q", refusal, c.status, c.body)
			}
		})
	}
}

func TestCheckToken(t *testing.T) {
	const token = "tok+1/2=3"
	for _, c := range []struct {
		name                string
		param, xcsrf, xxsrf string
		good                bool
	}{
		{"none", "-", "-", "-", false},
		{"param", token, "-", "-", true},
		{"x-csrf-token", "-", token, "-", true},
		{"x-xsrf-token", "-", "-", token, true},
		{"all", token, token, token, true},
		{"the first one present counts", "wrong", token, token, false},
		{"an empty param is present", "", token, token, false},
		{"the second before the third", "-", "wrong", token, false},
		{"an empty field is present", "-", "", token, false},
		{"the rest is not looked at", token, "wrong", "wrong", true},
		{"the literal null of a client without token", "-", "null", "-", false},
		{"beginning of the token", "-", token[:8], "-", false},
		{"more than the token", "-", token + "x", "-", false},
		{"other case", "-", "TOK+1/2=3", "-", false},
	} {
		t.Run("Sente: "+c.name, func(t *testing.T) {
			r := auth.Request{Client: []byte("c"), CSRFParam: opt(c.param),
				XCSRF: opt(c.xcsrf), XXSRF: opt(c.xxsrf)}
			_, _, refusal := checker(t, auth.Config{CSRFToken: token}).Check(&r)
			if good := refusal == nil; good != c.good {
				t.Fatalf("%v, want good %v", refusal, c.good)
			}
			if refusal != nil && (refusal.Status != 403 || refusal.Body != "Bad CSRF token") {
				t.Errorf("%v", refusal)
			}
			if _, _, refusal := checker(t, auth.Config{}).Check(&r); refusal != nil {
				t.Errorf("without a reference token: %v", refusal)
			}
		})
	}
}

// Of several faults the first in Sente's order is told.
func TestCheckOrder(t *testing.T) {
	k := checker(t, auth.Config{Mode: auth.Dev, CSRFToken: "t"})
	r := auth.Request{UIDParam: []byte("\xff"), Origin: []byte("http://evil"), Host: []byte("x")}
	for _, c := range []struct {
		body   string
		mended func()
	}{
		{"missing client-id", func() { r.Client = []byte("c") }},
		{"Bad CSRF token", func() { r.XCSRF = []byte("t") }},
		{"Unauthorized origin", func() { r.Origin = []byte("http://x") }},
		{"uid is not UTF-8", func() { r.UIDParam = []byte("u") }},
	} {
		_, _, refusal := k.Check(&r)
		if refusal == nil || refusal.Body != c.body {
			t.Fatalf("%v, want %q", refusal, c.body)
		}
		c.mended()
	}
	if _, _, refusal := k.Check(&r); refusal != nil {
		t.Errorf("all mended: %v", refusal)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []auth.Config{
		{Mode: 6},
		{Origins: []string{"example.com"}},
		{Origins: []string{"https://"}},
		{Origins: []string{"https://a.b/path"}},
		{Origins: []string{"https://a.b?q"}},
		{Origins: []string{"https://u@a.b"}},
		{Origins: []string{""}},
		{Origins: []string{"*"}},
		{Origins: []string{"all", "https://a.b"}},
	} {
		if _, err := auth.New(c); err == nil || !strings.HasPrefix(err.Error(), "auth: ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestParseMode(t *testing.T) {
	for _, m := range []auth.Mode{auth.Client, auth.Anonymous, auth.Dev, auth.JWT, auth.Header, auth.Hook} {
		if got, err := auth.ParseMode(m.String()); got != m || err != nil {
			t.Errorf("%v read as %v, %v", m, got, err)
		}
	}
	if _, err := auth.ParseMode("token"); err == nil {
		t.Error("a mode that does not exist")
	}
	if got := auth.Mode(9).String(); got != "auth.Mode(9)" {
		t.Error(got)
	}
}

func TestCheckAllocs(t *testing.T) {
	r := auth.Request{Client: []byte("c"), XCSRF: []byte("t"), Host: []byte("example.com:8080"),
		Origin: []byte("https://example.com:8080"), UIDParam: []byte("u")}
	same := checker(t, auth.Config{Mode: auth.Dev, CSRFToken: "t"})
	listed := checker(t, auth.Config{CSRFToken: "t",
		Origins: []string{"https://a.b", "https://example.com:8080"}})
	other := auth.Request{Client: []byte("c")}
	n := testing.AllocsPerRun(100, func() {
		if _, _, refusal := same.Check(&r); refusal != nil {
			panic(refusal)
		}
		if _, _, refusal := listed.Check(&r); refusal != nil {
			panic(refusal)
		}
		if _, _, refusal := listed.Check(&other); refusal == nil {
			panic("no token, but not refused")
		}
		if !same.AllowOrigin(r.Origin, r.Host) {
			panic("same origin is not allowed")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
