package fuzz_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/jwt"
)

// places are checkers that look for a token in one place each.
func places(f *testing.F) map[string]*auth.Checker {
	out := map[string]*auth.Checker{}
	for _, from := range []string{"authorization", "cookie:t", "query:t", "protocol"} {
		k, err := auth.New(auth.Config{Mode: auth.JWT, From: []string{from}})
		if err != nil {
			f.Fatal(err)
		}
		out[from] = k
	}
	return out
}

// FuzzToken holds for every place: what is found is what a naive reading finds, and
// nothing is found in what has it twice.
func FuzzToken(f *testing.F) {
	for _, seed := range []string{"t=a.b.c", "u=1; t=a.b.c; v=2", `t="a"; $Path="/"`, "t=a; t=b", "t =a", "t=a b", "=t=a",
		"client-id=c&t=a%2eb&x", "%74=a&t=b", "t=%", "t=+", "Bearer a.b.c", "bearer  x", "Basic x", "Bearer",
		"chskd, token.a.b.c", "token.a,token.b", "token.", ";;;==\xff\x00"} {
		f.Add([]byte(seed))
	}
	checkers := places(f)
	naive := map[string]func(string) (string, bool){
		"authorization": naiveBearer, "cookie:t": naiveCookie, "query:t": naiveQuery, "protocol": naiveProtocol}
	f.Fuzz(func(t *testing.T, in []byte) {
		given := bytes.Clone(in)
		r := auth.Request{Client: []byte("c"), Authorization: in, Cookie: in, Query: in, Protocol: in, Ajax: true,
			SecFetchSite: []byte("same-origin")}
		for from, k := range checkers {
			id, need, refusal := k.Check(&r)
			want, clear := naive[from](string(in))
			switch {
			case id.UID != nil || id.NilUID:
				t.Fatalf("%s: %q gave an identity", from, in)
			case refusal == nil && need.Kind != auth.NeedJWT:
				t.Fatalf("%s: %q passed without need", from, in)
			case (refusal == nil) != (clear && want != "" && len(want) <= 8<<10) || string(need.Token) != want && refusal == nil:
				t.Fatalf("%s: %q gave %q, %v; naively %q, %v", from, in, need.Token, refusal, want, clear)
			}
		}
		if !bytes.Equal(in, given) {
			t.Fatal("the request was written to")
		}
	})
}

func naiveBearer(s string) (string, bool) {
	if len(s) < 7 || !strings.EqualFold(s[:7], "bearer ") || strings.ContainsRune(s[:7], 'ſ') {
		return "", true
	}
	return strings.TrimLeft(s[7:], " "), true
}

// naiveCookie collects all pairs of the name; more than one is not clear.
func naiveCookie(s string) (string, bool) {
	var found []string
	for _, pair := range strings.Split(s, ";") {
		name, value, is := strings.Cut(pair, "=")
		if !is || strings.Trim(name, " \t") != "t" {
			continue
		}
		if strings.TrimLeft(name, " \t") != "t" {
			return "", false
		}
		value = strings.TrimRight(value, " \t")
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		for _, c := range []byte(value) {
			if c < 0x21 || c > 0x7e || strings.IndexByte("\",;\\", c) >= 0 {
				return "", false
			}
		}
		found = append(found, value)
	}
	return only(found)
}

func naiveQuery(s string) (string, bool) {
	var found []string
	for _, pair := range strings.Split(s, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if n, err := url.QueryUnescape(name); err != nil || n != "t" {
			continue
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return "", false
		}
		found = append(found, v)
	}
	return only(found)
}

func naiveProtocol(s string) (string, bool) {
	var found []string
	for _, entry := range strings.Split(s, ",") {
		if token, is := strings.CutPrefix(strings.Trim(entry, " \t"), "token."); is {
			found = append(found, token)
		}
	}
	return only(found)
}

func only(found []string) (string, bool) {
	if len(found) == 0 {
		return "", true
	}
	return found[0], len(found) == 1
}

// FuzzJWT holds for every token: what we grant the library would grant too, with the uid
// that it reads; what is signed here and refused there is refused here.
func FuzzJWT(f *testing.F) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	keys, err := jwt.New(jwt.Config{Secret: secret, TopicsClaim: "t", HandshakeClaim: "h", CSRFClaim: ""})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][2]string{
		{`{"alg":"HS256"}`, `{"sub":"u"}`}, {`{"alg":"HS256","kid":"k"}`, `{"sub":7,"exp":2000000001,"iat":1}`},
		{`{"alg":"none"}`, `{"sub":"u"}`}, {`{"alg":"HS256","crit":[]}`, `{"sub":"u","t":["a"],"h":{"x":[1,null]}}`},
		{`{"alg":"HS256"}`, `{"sub":"u","sub":"v"}`}, {`{"alg":"HS256"}`, `{"sub":"\ud800","nbf":1e300}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), true)
		f.Add([]byte(seed[0]), []byte(seed[1]), false)
	}
	now := time.Unix(2_000_000_000, 0)
	jwt5.TimePrecision = time.Millisecond // ours; the library's default cuts fractions off
	library := jwt5.NewParser(jwt5.WithTimeFunc(func() time.Time { return now }), jwt5.WithStrictDecoding(),
		jwt5.WithIssuedAt(), jwt5.WithJSONNumber(), jwt5.WithValidMethods([]string{"HS256"}))
	f.Fuzz(func(t *testing.T, header, claims []byte, signed bool) {
		enc := (&jwt5.Token{}).EncodeSegment
		token := enc(header) + "." + enc(claims)
		sig := []byte("x")
		if signed {
			sig, _ = jwt5.SigningMethodHS256.Sign(token, secret) // errors only for other keys
		}
		token += "." + enc(sig)
		g, iat, err := keys.Verify([]byte(token), now)
		if err != nil {
			if g == nil || g.Refusal == nil || g.UID != "" || strings.Contains(err.Error(), token) {
				t.Fatalf("%+v, %v", g, err)
			}
			return
		}
		m := jwt5.MapClaims{}
		if _, err := library.ParseWithClaims(token, m, func(*jwt5.Token) (any, error) { return secret, nil }); err != nil {
			t.Fatalf("granted %+v, but the library says %v", g, err)
		}
		uid, is := m["sub"].(string)
		if n, number := m["sub"].(interface{ String() string }); !is && number {
			uid = n.String()
		}
		if !signed || g.UID != uid || g.UID == "" || iat < 0 || g.Expires < 0 {
			t.Fatalf("%+v, iat %d, want uid %q", g, iat, uid)
		}
	})
}
