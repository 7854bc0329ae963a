package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth/jwt"
)

// Settings and keys that must not be used are refused, with what to write instead.
func TestNewRefuses(t *testing.T) {
	weak := must(rsa.GenerateKey(rand.Reader, 1024)).PublicKey
	huge := rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 8193), E: 65537}
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(p256()))})
	ec := pemOf(&p256().PublicKey)
	off := jwk(&p256().PublicKey, map[string]any{"x": b64(strings.Repeat("x", 32))})
	for _, c := range []struct {
		name string
		conf jwt.Config
		says string
	}{
		{"no keys", jwt.Config{}, "jwt.secret_file, jwt.keys_file or jwt.jwks_url"},
		{"RFC 7518 3.2: short secret", jwt.Config{Secret: secret[:31]}, "31 bytes can be guessed"},
		{"RFC 7518 3.3: weak RSA key", jwt.Config{KeysFile: file(t, pemOf(&weak))}, "RSA key of 1024 bits can be broken"},
		{"weak RSA key beside a good one", jwt.Config{KeysFile: file(t, ec+pemOf(&weak))}, "key 2 is an RSA key"},
		{"huge RSA key", jwt.Config{KeysFile: file(t, pemOf(&huge))}, "takes too long"},
		{"RSA key with exponent 1", jwt.Config{KeysFile: file(t, strings.Replace(jwk(&rsaKey().PublicKey, nil), "AQAB", "AQ", 1))},
			"exponent 1"},
		{"P-224", jwt.Config{KeysFile: file(t, pemOf(&p224.PublicKey))}, "P-256, P-384 and P-521"},
		{"RFC 7518 6.2.2: private key", jwt.Config{KeysFile: file(t, string(private))}, "write the public key"},
		{"private JWK", jwt.Config{KeysFile: file(t, jwk(&p256().PublicKey, map[string]any{"d": "AQAB"}))}, "write the public key"},
		{"point off the curve", jwt.Config{KeysFile: file(t, off)}, "not on its curve"},
		{"short secret in a JWK", jwt.Config{KeysFile: file(t, jwk(secret[:8], nil))}, "8 bytes can be guessed"},
		{"no file", jwt.Config{KeysFile: "/does/not/exist"}, "jwt.keys_file"},
		{"empty file", jwt.Config{KeysFile: file(t, "")}, "write PEM"},
		{"text", jwt.Config{KeysFile: file(t, "hello")}, "BEGIN PUBLIC KEY"},
		{"text after a key", jwt.Config{KeysFile: file(t, ec+"hello")}, "key 2 is not PEM"},
		{"broken PEM", jwt.Config{KeysFile: file(t, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")}, "cannot be read"},
		{"other PEM", jwt.Config{KeysFile: file(t, "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n")},
			"write a PUBLIC KEY"},
		{"broken JSON", jwt.Config{KeysFile: file(t, `{"keys":[`)}, "is not a JWK or JWKS"},
		{"empty JWKS", jwt.Config{KeysFile: file(t, `{"keys":[]}`)}, "no key for signatures"},
		{"JWKS for encryption alone", jwt.Config{KeysFile: file(t, jwk(&p256().PublicKey, map[string]any{"use": "enc"}))},
			"no key for signatures"},
		{"JWKS for signing alone", jwt.Config{KeysFile: file(t, jwk(&p256().PublicKey, map[string]any{"key_ops": []string{"sign"}}))},
			"no key for signatures"},
		{"JWK of another kind", jwt.Config{KeysFile: file(t, `{"kty":"AKP","pub":"AAAA"}`)}, "cannot be read"},
		{"large file", jwt.Config{KeysFile: file(t, strings.Repeat(" ", 2<<20))}, "are no keys"},
		{"one kid twice", jwt.Config{KeysFile: file(t, jwks(jwk(&p256().PublicKey, kid("a")), jwk(&p384().PublicKey, kid("a"))))},
			`two keys have the kid "a"`},
		{"algorithm none", jwt.Config{Secret: secret, Algorithms: []string{"none"}}, `there is no "none"`},
		{"algorithm in lower case", jwt.Config{Secret: secret, Algorithms: []string{"hs256"}}, "write some of HS256"},
		{"algorithm without key", jwt.Config{Secret: secret, Algorithms: []string{"HS256", "RS256"}}, "jwt.keys_file"},
		{"secret too short for the algorithm", jwt.Config{Secret: secret[:32], Algorithms: []string{"HS512", "HS256"}},
			"at least 64 bytes"},
		{"key without algorithm", jwt.Config{Secret: secret, KeysFile: file(t, ec), Algorithms: []string{"HS256"}},
			"key 2 (ES key) fits none"},
		{"leeway", jwt.Config{Secret: secret, Leeway: 2 * time.Hour}, "jwt.leeway"},
		{"URL", jwt.Config{JWKSURL: "id.example.com/jwks"}, "write https://host/path"},
		{"URL of a file", jwt.Config{JWKSURL: "file:///etc/passwd"}, "write https://host/path"},
		{"refresh", jwt.Config{JWKSURL: "https://id.example.com/jwks", JWKSRefresh: time.Second}, "write 10s or more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := jwt.New(c.conf)
			if err == nil || !strings.HasPrefix(err.Error(), "auth/jwt: ") || !strings.Contains(err.Error(), c.says) ||
				strings.ContainsAny(err.Error(), "\n") {
				t.Fatalf("%v, want one that says %q", err, c.says)
			}
			if again := jwt.Check(c.conf); again == nil || again.Error() != err.Error() {
				t.Errorf("Check: %v", again)
			}
		})
	}
}

// No secret gets into an error.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, c := range []jwt.Config{
		{Secret: []byte("hunter2")},
		{JWKSURL: "ftp://me:hunter2@id/"},
		{KeysFile: file(t, jwk([]byte("hunter2"), nil))},
	} {
		_, err := jwt.New(c)
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), b64("hunter2")) {
			t.Errorf("%v", err)
		}
	}
}

// A certificate counts for its key; several keys of several kinds live together.
func TestPEM(t *testing.T) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signer"},
		NotAfter: time.Unix(1_000_000_000, 0)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &p256().PublicKey, p256()))
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)}))
	k := keys(t, jwt.Config{Secret: secret, KeysFile: file(t, "  \n"+cert+"\n"+pkcs1+pemOf(edKey().Public())+"\n\n")})
	expect(t, k, sign(jwt5.SigningMethodES256, p256(), `{"alg":"ES256"}`, `{"sub":"u"}`), "")
	expect(t, k, sign(jwt5.SigningMethodRS256, rsaKey(), `{"alg":"RS256","kid":"any"}`, `{"sub":"u"}`), "")
	expect(t, k, sign(jwt5.SigningMethodEdDSA, edKey(), `{"alg":"EdDSA"}`, `{"sub":"u"}`), "")
	expect(t, k, hs(`{"sub":"u"}`), "")
}

// A file may hold keys for encryption beside those for signatures.
func TestJWKSWithOthers(t *testing.T) {
	k := keys(t, jwt.Config{KeysFile: file(t, jwks(jwk(&p384().PublicKey, map[string]any{"use": "enc", "kid": "e"}),
		jwk(&p256().PublicKey, kid("s"))))})
	expect(t, k, sign(jwt5.SigningMethodES256, p256(), `{"alg":"ES256","kid":"s"}`, `{"sub":"u"}`), "")
	expect(t, k, sign(jwt5.SigningMethodES384, p384(), `{"alg":"ES384","kid":"e"}`, `{"sub":"u"}`), "no key")
}

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		conf jwt.Config
		says []string
	}{
		{jwt.Config{Secret: secret}, nil},
		{jwt.Config{KeysFile: file(t, pemOf(edKey().Public()))}, []string{"neither jwt.issuer nor"}},
		{jwt.Config{KeysFile: file(t, pemOf(edKey().Public())), Audience: "chat"}, nil},
		{jwt.Config{JWKSURL: "http://192.0.2.1/", Issuer: "id", JWKSTimeout: time.Millisecond}, []string{"without TLS"}},
		{jwt.Config{JWKSURL: "http://127.0.0.1:1/", Issuer: "id"}, nil},
		{jwt.Config{JWKSURL: "http://localhost:1/", Issuer: "id"}, nil},
	} {
		got := keys(t, c.conf).Open()
		if len(got) != len(c.says) || len(got) == 1 && !strings.Contains(got[0], c.says[0]) {
			t.Errorf("%q, want %q", got, c.says)
		}
	}
}
