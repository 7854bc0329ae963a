package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// ecKey is a key that signs (ES256, RFC 7518 §3.4).
type ecKey struct {
	kid  string
	priv *ecdsa.PrivateKey
}

func newECKey(t *testing.T, kid string) *ecKey {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &ecKey{kid, priv}
}

// token makes a token of uid.
func (k *ecKey) token(t *testing.T, uid string) string {
	t.Helper()
	b := base64.RawURLEncoding
	text := b.EncodeToString(fmt.Appendf(nil, `{"alg":"ES256","kid":%q}`, k.kid)) + "." +
		b.EncodeToString(fmt.Appendf(nil, `{"sub":%q,"iat":%d,"exp":%d}`, uid, time.Now().Unix(),
			time.Now().Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.priv, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// jwk is the public half, as a key of a JWKS (RFC 7517 §4, RFC 7518 §6.2).
func (k *ecKey) jwk(t *testing.T) map[string]string {
	t.Helper()
	point, err := k.priv.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	b := base64.RawURLEncoding
	return map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": k.kid,
		"x": b.EncodeToString(point[1:33]), "y": b.EncodeToString(point[33:])}
}

// TestKeysOfFile: public keys in a file.
func TestKeysOfFile(t *testing.T) {
	t.Parallel()
	key, other := newECKey(t, "k1"), newECKey(t, "k1")
	der, err := x509.MarshalPKIXPublicKey(&key.priv.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, "--auth=jwt", "--jwt-keys-file="+path)
	openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(key.token(t, "alice")))
	if a := ask(t, d, rawUpgrade("/chsk?client-id=c1", bearer(other.token(t, "alice")))); a.status != 401 {
		t.Errorf("a token of another's key: %d %s", a.status, a.body)
	}
}

// TestKeysOfURL: keys that are fetched, and fetched anew now and again; those that
// were good last stay while the server that has them is gone.
func TestKeysOfURL(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	first, second := newECKey(t, "k1"), newECKey(t, "k2")
	keys := []*ecKey{first}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		set := map[string][]map[string]string{}
		for _, k := range keys {
			set["keys"] = append(set["keys"], k.jwk(t))
		}
		if err := json.NewEncoder(w).Encode(set); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	d := startDaemon(t, "--auth=jwt", "--jwt-jwks-url="+server.URL+"/keys", "--jwt-jwks-refresh=10s")
	openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(first.token(t, "alice")))
	mu.Lock()
	keys = append(keys, second)
	mu.Unlock()
	waitFor(t, func() error {
		if a := ask(t, d, rawGet("/chsk?client-id=c2&handshake%3F=1", bearer(second.token(t, "bob")))); a.status != 200 {
			return fmt.Errorf("a token of a new key: %d %s", a.status, a.body)
		}
		return nil
	})
	server.Close()
	openAs(t, d, "/chsk?client-id=c3", `"carol"`, "nil", bearer(first.token(t, "carol")))
}
