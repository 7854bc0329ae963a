package jwt_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth/jwt"
)

// signers is one signer of each algorithm with its public key.
func signers() []struct {
	m               jwt5.SigningMethod
	private, public any
} {
	type row = struct {
		m               jwt5.SigningMethod
		private, public any
	}
	r, e2, e3, e5, ed := rsaKey(), p256(), p384(), p521(), edKey()
	return []row{
		{jwt5.SigningMethodHS256, secret, secret}, {jwt5.SigningMethodHS384, secret, secret},
		{jwt5.SigningMethodHS512, secret, secret},
		{jwt5.SigningMethodRS256, r, &r.PublicKey}, {jwt5.SigningMethodRS384, r, &r.PublicKey},
		{jwt5.SigningMethodRS512, r, &r.PublicKey}, {jwt5.SigningMethodPS256, r, &r.PublicKey},
		{jwt5.SigningMethodPS384, r, &r.PublicKey}, {jwt5.SigningMethodPS512, r, &r.PublicKey},
		{jwt5.SigningMethodES256, e2, &e2.PublicKey}, {jwt5.SigningMethodES384, e3, &e3.PublicKey},
		{jwt5.SigningMethodES512, e5, &e5.PublicKey},
		{jwt5.SigningMethodEdDSA, ed, ed.Public()},
	}
}

// Every algorithm, by each way to give its key, and with a bit of each part changed.
func TestAlgorithms(t *testing.T) {
	for _, s := range signers() {
		t.Run(s.m.Alg(), func(t *testing.T) {
			head := `{"alg":"` + s.m.Alg() + `","kid":"k1"}`
			token := sign(s.m, s.private, head, `{"sub":"u"}`)
			confs := map[string]jwt.Config{
				"JWK":  {KeysFile: file(t, jwk(s.public, kid("k1")))},
				"JWKS": {KeysFile: file(t, jwks(jwk(s.public, kid("k1"))))},
				"alone": {KeysFile: file(t, jwk(s.public, map[string]any{"alg": s.m.Alg(), "use": "sig",
					"key_ops": []string{"verify"}})), Algorithms: []string{s.m.Alg()}},
			}
			if _, is := s.public.([]byte); is {
				confs["secret"] = jwt.Config{Secret: secret}
			} else {
				confs["PEM"] = jwt.Config{KeysFile: file(t, pemOf(s.public))}
			}
			for name, c := range confs {
				k := keys(t, c)
				g, _, err := k.Verify([]byte(token), now)
				if err != nil || g.UID != "u" {
					t.Fatalf("%s: %+v, %v", name, g, err)
				}
				p := strings.Split(token, ".")
				expect(t, k, p[0]+"."+b64(`{"sub":"v"}`)+"."+p[2], "signature is wrong")
				expect(t, k, b64(head+" ")+"."+p[1]+"."+p[2], "signature is wrong")
				sig := must(base64.RawURLEncoding.DecodeString(p[2]))
				sig[len(sig)/2] ^= 1
				expect(t, k, p[0]+"."+p[1]+"."+b64(string(sig)), "signature is wrong")
			}
		})
	}
}

func digest(s string) []byte {
	d := sha256.Sum256([]byte(s))
	return d[:]
}

// loose sets a bit that the last character of a part of 32 bytes has too much.
func loose(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(part) - 1
	return part[:last] + string(alphabet[strings.IndexByte(alphabet, part[last])|1])
}

// Tokens that no signer writes, and some that a signer of something else does.
func TestBadTokens(t *testing.T) {
	rsaPublic := &rsaKey().PublicKey
	all := jwks(jwk(rsaPublic, kid("r")), jwk(&p256().PublicKey, kid("e")), jwk(edKey().Public(), kid("d")))
	k := keys(t, jwt.Config{Secret: secret, KeysFile: file(t, all)})
	asSecret := func(s string) string {
		return sign(jwt5.SigningMethodHS256, []byte(s), `{"alg":"HS256"}`, `{"sub":"u"}`)
	}
	head := func(s string) string { return sign(jwt5.SigningMethodHS256, secret, s, `{"sub":"u"}`) }
	good := hs(`{"sub":"u"}`)
	p := strings.Split(good, ".")
	es := sign(jwt5.SigningMethodES256, p256(), `{"alg":"ES256"}`, `{"sub":"u"}`)
	signed, esSig := es[:strings.LastIndexByte(es, '.')], es[strings.LastIndexByte(es, '.')+1:]
	raw := must(base64.RawURLEncoding.DecodeString(esSig))
	der := must(p256().Sign(rand.Reader, digest(signed), crypto.SHA256))
	for _, c := range []struct{ name, token, want string }{
		{"good", good, ""},
		{"RFC 7515 7.1: empty", "", "not three parts"},
		{"RFC 7515 7.1: one part", p[0], "not three parts"},
		{"RFC 7515 7.1: two parts", p[0] + "." + p[1], "not three parts"},
		{"RFC 7515 7.1: four parts", good + ".x", "not three parts"},
		{"RFC 7516 7.1: five parts are encrypted", good + ".x.y", "not three parts"},
		{"RFC 7515 7.1: dots", "..", "not three parts"},
		{"RFC 7519 6: no signature", p[0] + "." + p[1] + ".", "not three parts"},
		{"RFC 7515 2: padding", p[0] + "." + p[1] + "=." + p[2], "not three parts"},
		{"RFC 4648 3.2: newline, which decoders pass over", p[0] + "\n." + p[1] + "." + p[2], "not three parts"},
		{"RFC 4648 4: the other alphabet", p[0] + "." + p[1] + "." + strings.Repeat("+/", 20), "not three parts"},
		{"RFC 4648 3.5: bits left over", p[0] + "." + p[1] + "." + loose(p[2]), "not three parts"},
		{"RFC 4648: no length of base64", p[0] + "." + p[1] + ".AAAAA", "not three parts"},
		{"RFC 7519 7.2: space around", " " + good, "not three parts"},
		{"longer than 8 KiB", hs(`{"sub":"u","x":"` + strings.Repeat("x", 8<<10) + `"}`), "longer than 8 KiB"},
		{"almost 8 KiB", hs(`{"sub":"u","x":"` + strings.Repeat("x", 6000) + `"}`), ""},

		{"RFC 8725 2.1: alg none", b64(`{"alg":"none"}`) + "." + p[1] + "." + p[2], "algorithm is not allowed"},
		{"RFC 8725 2.1: alg None", b64(`{"alg":"None"}`) + "." + p[1] + "." + p[2], "algorithm is not allowed"},
		{"RFC 8725 2.1: alg none, no signature", b64(`{"alg":"none"}`) + "." + p[1] + ".", "not three parts"},
		{"RFC 8725 2.1: RSA key as secret, PEM", asSecret(pemOf(rsaPublic)), "signature is wrong"},
		{"RFC 8725 2.1: RSA key as secret, modulus", asSecret(string(rsaPublic.N.Bytes())), "signature is wrong"},
		{"RFC 8725 2.1: RSA key as secret, by its kid", sign(jwt5.SigningMethodHS256, []byte(pemOf(rsaPublic)),
			`{"alg":"HS256","kid":"r"}`, `{"sub":"u"}`), "signature is wrong"},
		{"RFC 8725 2.1: Ed25519 key as secret", asSecret(string(edKey().Public().(ed25519.PublicKey))), "signature is wrong"},
		{"RFC 7515 4.1.1: alg missing", head(`{"typ":"JWT"}`), "algorithm is not allowed"},
		{"RFC 7515 4.1.1: alg is no text", head(`{"alg":["HS256"]}`), "algorithm is not allowed"},
		{"RFC 7515 4.1.1: alg in other case", head(`{"alg":"hs256"}`), "algorithm is not allowed"},
		{"RFC 7515 4.1.1: alg in another name's case", head(`{"ALG":"HS256"}`), "algorithm is not allowed"},
		{"RFC 7515 4.1.1: alg of a key that is not there", sign(jwt5.SigningMethodES384, p384(), `{"alg":"ES384"}`,
			`{"sub":"u"}`), "no key"},
		{"RFC 7515 4: header is doubled alg", head(`{"alg":"none","alg":"HS256"}`), "header or claims"},
		{"RFC 7515 4: header is doubled alg, escaped", head(`{"alg":"none","\u0061lg":"HS256"}`), "header or claims"},
		{"RFC 7515 4: header is an array", head(`["HS256"]`), "header or claims"},
		{"RFC 7515 4: header is null", head(`null`), "header or claims"},
		{"RFC 7515 4: header and more", head(`{"alg":"HS256"}{}`), "header or claims"},
		{"RFC 7515 4: header is not UTF-8", head("{\"alg\":\"HS256\",\"x\":\"\xff\"}"), "header or claims"},
		{"RFC 7515 4: header nests deep", head(`{"alg":"HS256","x":` + strings.Repeat("[", 2000) +
			strings.Repeat("]", 2000) + `}`), "header or claims"},
		{"RFC 7515 4.1.11: crit", head(`{"alg":"HS256","crit":["exp"],"exp":1}`), "header with an extension"},
		{"RFC 7515 4.1.11: crit is empty", head(`{"alg":"HS256","crit":[]}`), "header with an extension"},
		{"RFC 7797 3: b64", head(`{"alg":"HS256","b64":false}`), "header with an extension"},

		{"RFC 7515 4.1.4: kid is a number", head(`{"alg":"HS256","kid":1}`), "kid is not"},
		{"RFC 7515 4.1.4: kid is null", head(`{"alg":"HS256","kid":null}`), "kid is not"},
		{"RFC 7515 4.1.4: kid is empty", head(`{"alg":"HS256","kid":""}`), "kid is not"},
		{"RFC 7515 4.1.4: kid is long", head(`{"alg":"HS256","kid":"` + strings.Repeat("k", 257) + `"}`), "kid is not"},
		{"RFC 8725 3.10: kid is a path; nothing is opened", head(`{"alg":"HS256","kid":"../../dev/null"}`), ""},
		{"RFC 8725 3.10: kid of another kind of key", head(`{"alg":"HS256","kid":"r"}`), ""},
		{"RFC 7515 4.1.4: kid that is not there", sign(jwt5.SigningMethodRS256, rsaKey(), `{"alg":"RS256","kid":"x"}`,
			`{"sub":"u"}`), "no key"},
		{"RFC 7515 4.1.4: kid of a key that it is not", sign(jwt5.SigningMethodRS256, rsaKey(),
			`{"alg":"RS256","kid":"e"}`, `{"sub":"u"}`), "no key"},
		{"RFC 7515 4.1.4: no kid, all are tried", sign(jwt5.SigningMethodRS256, rsaKey(), `{"alg":"RS256"}`,
			`{"sub":"u"}`), ""},
		{"RFC 7515 4.1.3: a token does not bring its key", sign(jwt5.SigningMethodES384, p384(),
			`{"alg":"ES384","jwk":`+jwk(&p384().PublicKey, nil)+`}`, `{"sub":"u"}`), "no key"},

		{"RFC 7518 3.4: as it should be", es, ""},
		{"RFC 7518 3.4: ES256 a byte too long", signed + "." + b64(string(raw)+"\x00"), "signature is wrong"},
		{"RFC 7518 3.4: ES256 a byte too short", signed + "." + b64(string(raw[:63])), "signature is wrong"},
		{"RFC 7518 3.4: ES256 in DER", signed + "." + b64(string(der)), "signature is wrong"},
		{"CVE-2022-21449: ES256 of zeros", signed + "." + b64(strings.Repeat("\x00", 64)), "signature is wrong"},
		{"RFC 7518 3.2: HMAC cut", p[0] + "." + p[1] + "." + p[2][:40], "signature is wrong"},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, k, c.token, c.want) })
	}
}

// The allowed algorithms are a list that no token gets around.
func TestAlgorithmsAllowed(t *testing.T) {
	r := rsaKey()
	k := keys(t, jwt.Config{KeysFile: file(t, jwk(&r.PublicKey, nil)), Algorithms: []string{"PS256"}})
	expect(t, k, sign(jwt5.SigningMethodPS256, r, `{"alg":"PS256"}`, `{"sub":"u"}`), "")
	expect(t, k, sign(jwt5.SigningMethodRS256, r, `{"alg":"RS256"}`, `{"sub":"u"}`), "algorithm is not allowed")
	k = keys(t, jwt.Config{KeysFile: file(t, jwk(&r.PublicKey, map[string]any{"alg": "RS256"}))})
	expect(t, k, sign(jwt5.SigningMethodRS256, r, `{"alg":"RS256"}`, `{"sub":"u"}`), "")
	expect(t, k, sign(jwt5.SigningMethodPS256, r, `{"alg":"PS256"}`, `{"sub":"u"}`), "no key")
	k = keys(t, jwt.Config{Secret: secret[:32]})
	expect(t, k, sign(jwt5.SigningMethodHS512, secret[:32], `{"alg":"HS512"}`, `{"sub":"u"}`), "no key")
}

// A reason has no part of a token, and each is told apart.
func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range jwt.Reasons() {
		if seen[e.Reason] || e.Refusal == nil || !strings.HasPrefix(e.Error(), "auth/jwt: ") {
			t.Errorf("%+v", e)
		}
		seen[e.Reason] = true
	}
	if len(seen) < 20 {
		t.Errorf("only %d", len(seen))
	}
}
