package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth/jwt"
)

// now is the time of all tests that need none of their own.
var now = time.Unix(2_000_000_000, 500_000_000)

// The keys of all tests, made once: RSA takes its time.
var (
	secret = []byte(strings.Repeat("0123456789abcdef", 4))
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey  = sync.OnceValue(func() ed25519.PrivateKey {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return must(private, err)
	})
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// b64 writes a part of a token.
func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// sign makes a token of texts, which may be anything.
func sign(m jwt5.SigningMethod, key any, header, claims string) string {
	text := b64(header) + "." + b64(claims)
	return text + "." + b64(string(must(m.Sign(text, key))))
}

// hs makes a token with the secret and claims.
func hs(claims string) string {
	return sign(jwt5.SigningMethodHS256, secret, `{"alg":"HS256","typ":"JWT"}`, claims)
}

// keys makes Keys of a configuration that must be good.
func keys(t testing.TB, c jwt.Config) *jwt.Keys {
	t.Helper()
	k, err := jwt.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Stop)
	return k
}

// file writes a file of keys.
func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pemOf writes a public key.
func pemOf(public any) string {
	der := must(x509.MarshalPKIXPublicKey(public))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// jwk writes a public key (RFC 7517), with more members.
func jwk(public any, more map[string]any) string {
	m := map[string]any{}
	number := func(n *big.Int, size int) string { return b64(string(n.FillBytes(make([]byte, size)))) }
	switch k := public.(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", number(k.N, k.Size()), "AQAB"
	case *ecdsa.PublicKey:
		size := (k.Curve.Params().BitSize + 7) / 8
		point := must(k.Bytes())[1:] // after the byte that says that it is not compressed
		m["kty"], m["crv"] = "EC", k.Curve.Params().Name
		m["x"], m["y"] = b64(string(point[:size])), b64(string(point[size:]))
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(string(k))
	case []byte:
		m["kty"], m["k"] = "oct", b64(string(k))
	}
	for name, v := range more {
		m[name] = v
	}
	return string(must(json.Marshal(m)))
}

// kid is a JWK's name.
func kid(name string) map[string]any { return map[string]any{"kid": name} }

// jwks writes a set.
func jwks(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// reason is why a token is refused, "" if it is not.
func reason(t testing.TB, k *jwt.Keys, token string) string {
	t.Helper()
	g, iat, err := k.Verify([]byte(token), now)
	if g == nil {
		t.Fatal("no grant")
	}
	if err == nil {
		if g.Refusal != nil {
			t.Fatalf("granted, and refused by %v", g.Refusal)
		}
		return ""
	}
	e, is := err.(*jwt.Error)
	if !is || e.Refusal == nil || g.Refusal != e.Refusal || iat != 0 || g.UID != "" || g.Topics != nil {
		t.Fatalf("%v with grant %+v, iat %d", err, g, iat)
	}
	if e.Refusal.Status == 401 && e.Refusal.Body != "token refused" && e.Refusal.Body != "token expired" {
		t.Fatalf("the client is told %q", e.Refusal.Body)
	}
	return e.Reason
}

// expect checks why a token is refused.
func expect(t testing.TB, k *jwt.Keys, token, want string) {
	t.Helper()
	if got := reason(t, k, token); got != want && !(want != "" && strings.HasPrefix(got, want)) {
		t.Errorf("refused because %q, want %q", got, want)
	}
}
