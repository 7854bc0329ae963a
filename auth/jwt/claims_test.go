package jwt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth/jwt"
)

// The claims of RFC 7519 §4.1, with 10 s of leeway; now is 2000000000.5.
func TestRegisteredClaims(t *testing.T) {
	const notTime = "exp, nbf or iat is not a time"
	plain := jwt.Config{Secret: secret, Leeway: 10 * time.Second}
	with := plain
	with.Issuer, with.Audience = "https://id", "chat"
	for _, c := range []struct {
		name, claims string
		with         bool // with issuer and audience
		want         string
	}{
		{"4.1.4: no exp", ``, false, ""},
		{"4.1.4: exp to come", `"exp":2000000001`, false, ""},
		{"4.1.4: exp with a fraction", `"exp":2000000001.25`, false, ""},
		{"4.1.4: exp with an exponent", `"exp":2e9`, false, ""},
		{"4.1.4: expired, in the leeway", `"exp":1999999991`, false, ""},
		{"4.1.4: expired", `"exp":1999999990`, false, "expired"},
		{"4.1.4: expired long ago", `"exp":1`, false, "expired"},
		{"4.1.4: exp 0 is 1970", `"exp":0`, false, "expired"},
		{"4.1.4: exp in the year 9999", `"exp":253402300799`, false, ""},
		{"4.1.4: exp after it", `"exp":253402300800`, false, notTime},
		{"4.1.4: exp in ms", `"exp":2000000001000`, false, notTime},
		{"4.1.4: exp overflows int64", `"exp":9223372036854775808`, false, notTime},
		{"4.1.4: exp overflows when in ms", `"exp":9223372036854775`, false, notTime},
		{"4.1.4: exp overflows float64", `"exp":1e400`, false, notTime},
		{"4.1.4: exp below", `"exp":-1`, false, notTime},
		{"2: exp is a text", `"exp":"2000000001"`, false, notTime},
		{"2: exp is null", `"exp":null`, false, notTime},
		{"2: exp is true", `"exp":true`, false, notTime},
		{"2: exp is an array", `"exp":[2000000001]`, false, notTime},
		{"4: exp twice", `"exp":1,"exp":2000000001`, false, "header or claims"},
		{"4: exp twice, once escaped", `"exp":1,"\u0065xp":2000000001`, false, "header or claims"},
		{"4: exp in other case is another claim", `"EXP":1,"Exp":"x"`, false, ""},

		{"4.1.5: nbf before", `"nbf":2000000000`, false, ""},
		{"4.1.5: nbf to come, in the leeway", `"nbf":2000000010`, false, ""},
		{"4.1.5: nbf to come", `"nbf":2000000011`, false, "nbf is to come"},
		{"4.1.5: nbf far to come does not overflow", `"nbf":1e300`, false, notTime},
		{"2: nbf is a text", `"nbf":"1"`, false, notTime},

		{"4.1.6: iat before", `"iat":1999999999`, false, ""},
		{"4.1.6: iat to come, in the leeway", `"iat":2000000010`, false, ""},
		{"4.1.6: iat to come: no revocation would reach it", `"iat":2000000011`, false, "iat is to come"},
		{"2: iat is an object", `"iat":{}`, false, notTime},

		{"4.1.1, 4.1.3: right", `"iss":"https://id","aud":"chat"`, true, ""},
		{"4.1.3: array", `"iss":"https://id","aud":["mail","chat"]`, true, ""},
		{"4.1.3: array of one", `"iss":"https://id","aud":["chat"]`, true, ""},
		{"4.1.3: another", `"iss":"https://id","aud":"mail"`, true, "aud "},
		{"4.1.3: array of others", `"iss":"https://id","aud":["mail","Chat"]`, true, "aud "},
		{"4.1.3: empty array", `"iss":"https://id","aud":[]`, true, "aud "},
		{"4.1.3: array with a number", `"iss":"https://id","aud":["chat",1]`, true, "aud "},
		{"4.1.3: object", `"iss":"https://id","aud":{"chat":1}`, true, "aud "},
		{"4.1.3: null", `"iss":"https://id","aud":null`, true, "aud "},
		{"4.1.3: missing", `"iss":"https://id"`, true, "aud "},
		{"4.1.3: beginning", `"iss":"https://id","aud":"chatter"`, true, "aud "},
		{"4.1.1: another", `"iss":"https://id.evil","aud":"chat"`, true, "iss "},
		{"4.1.1: with a slash", `"iss":"https://id/","aud":"chat"`, true, "iss "},
		{"4.1.1: array", `"iss":["https://id"],"aud":"chat"`, true, "iss "},
		{"4.1.1: missing", `"aud":"chat"`, true, "iss "},
		{"4.1.1: missing both", ``, true, "iss "},
		{"4.1.4: expired is told only of what is right else", `"exp":1,"iss":"evil","aud":"chat"`, true, "iss "},
		{"4.1.3: nobody asks", `"aud":{"x":[1]},"iss":7`, false, ""},
	} {
		t.Run("RFC 7519 "+c.name, func(t *testing.T) {
			k := keys(t, plain)
			if c.with {
				k = keys(t, with)
			}
			claims := `{"sub":"u"}`
			if c.claims != "" {
				claims = `{"sub":"u",` + c.claims + `}`
			}
			expect(t, k, hs(claims), c.want)
		})
	}
}

// What expires tells the client so; all other reasons are the same to it.
func TestAnswers(t *testing.T) {
	k := keys(t, jwt.Config{Secret: secret})
	for token, want := range map[string]string{
		hs(`{"sub":"u","exp":1}`):          "auth: 401 token expired",
		hs(`{"sub":"u","nbf":2100000000}`): "auth: 401 token refused",
		hs(`{}`):                           "auth: 401 token refused",
		"x":                                "auth: 401 token refused",
	} {
		g, _, err := k.Verify([]byte(token), now)
		if err == nil || g.Refusal.Error() != want || strings.Contains(err.Error(), token) && len(token) > 1 {
			t.Errorf("%v: %v, want %q", err, g.Refusal, want)
		}
	}
}

func TestClaimsMustBeObject(t *testing.T) {
	k := keys(t, jwt.Config{Secret: secret})
	for _, claims := range []string{`[]`, `null`, `"x"`, `1`, `{"sub":"u"`, `{"sub":"u"} x`, `{"sub":"u",}`, `{'sub':'u'}`,
		"{\"sub\":\"\xff\"}", `{"sub":"u","x":` + strings.Repeat(`{"a":`, 1000) + `1` + strings.Repeat(`}`, 1000) + `}`,
		`{"sub":"u","x":{"a":1,"a":2}}`, `{"sub":"u","x":1e400}`} {
		want := "header or claims"
		if strings.Contains(claims, "1e400") {
			want = "" // a number that nobody asks for
		}
		t.Run(claims[:min(len(claims), 30)], func(t *testing.T) { expect(t, k, hs(claims), want) })
	}
}

// The claims that become a grant.
func TestGrant(t *testing.T) {
	conf := jwt.Config{Secret: secret, Leeway: time.Second, UIDClaim: "uid", TenantClaim: "org", TopicsClaim: "rooms",
		HandshakeClaim: "data", CSRFClaim: "csrf"}
	k := keys(t, conf)
	g, iat, err := k.Verify([]byte(hs(`{"sub":"nobody","uid":"u1","org":"o1","rooms":["a","b"],"data":{"plan":["x",1.5,null]},
		"csrf":"t","iat":1999999999.9,"exp":2000000060.25}`)), now)
	if err != nil {
		t.Fatal(err)
	}
	if g.UID != "u1" || g.Tenant != "o1" || !slices.Equal(g.Topics, []string{"a", "b"}) || g.CSRF != "t" ||
		string(g.Handshake) != `{:plan ["x" 1.5 nil]}` || g.Expires != 2000000061250 || iat != 1999999999 || g.NilUID {
		t.Errorf("%+v, iat %d", g, iat)
	}

	base := map[string]string{"uid": `"u"`, "org": `"o"`, "csrf": `"t"`}
	ids := func(max int) map[string]bool {
		return map[string]bool{`"` + strings.Repeat("x", max) + `"`: true, `"` + strings.Repeat("x", max+1) + `"`: false,
			`""`: false, `null`: false, `true`: false, `[]`: false, `{}`: false, ``: false, `7`: true, `0`: true, `-7`: true,
			`-0`: false, `7.0`: false, `7e1`: false, `9223372036854775807`: true, `9223372036854775808`: false,
			`"é😀"`: true, `"\ud83d\ude00"`: true, `"\ud83d"`: false, `"\ufffd"`: false, `"a b\u0000"`: true}
	}
	many := func(n int, s string) string { return "[" + strings.TrimSuffix(strings.Repeat(s+",", n), ",") + "]" }
	for claim, values := range map[string]map[string]bool{
		"uid": ids(256), "org": ids(255),
		"csrf": {`"x"`: true, `""`: false, `1`: false, `null`: false, ``: false, `"` + strings.Repeat("x", 257) + `"`: false},
		"rooms": {``: true, `[]`: true, `["a"]`: true, `"a"`: false, `null`: false, `[1]`: false, `[null]`: false, `[""]`: false,
			many(100, `"a"`): true, many(101, `"a"`): false,
			many(1, `"`+strings.Repeat("x", 256)+`"`): true, many(1, `"`+strings.Repeat("x", 257)+`"`): false},
		"data": {``: true, `null`: true, `1`: true, `"x"`: true, `[1,{"a":"b"}]`: true},
	} {
		for value, good := range values {
			t.Run(claim+"="+value[:min(len(value), 24)], func(t *testing.T) {
				var members []string
				for name, v := range base {
					if name != claim {
						members = append(members, fmt.Sprintf("%q:%s", name, v))
					}
				}
				if value != "" {
					members = append(members, fmt.Sprintf("%q:%s", claim, value))
				}
				if got := reason(t, k, hs("{"+strings.Join(members, ",")+"}")); (got == "") != good {
					t.Errorf("refused because %q, want that it is good: %v", got, good)
				}
			})
		}
	}
}

// An integer is the uid that it is written as.
func TestIntegerUID(t *testing.T) {
	k := keys(t, jwt.Config{Secret: secret})
	g, iat, err := k.Verify([]byte(hs(`{"sub":9007199254740993}`)), now)
	if err != nil || g.UID != "9007199254740993" || iat != 0 || g.Expires != 0 || g.Handshake != nil {
		t.Errorf("%+v, %d, %v", g, iat, err)
	}
}
