package jwt_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth/jwt"
)

// server gives a key set that tests change.
type server struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int32
}

func serve(t *testing.T, set string) *server {
	t.Helper()
	s := &server{}
	s.gives(set)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) gives(set string) {
	s.does(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(set)) })
}

func (s *server) does(h http.HandlerFunc) { s.answer.Store(&h) }

// remote makes Keys of the server's set. Unknown kids may always cause a fetch.
func remote(t *testing.T, s *server, c jwt.Config) *jwt.Keys {
	t.Helper()
	c.JWKSURL, c.JWKSRefresh, c.JWKSTimeout = s.URL+"/jwks", time.Hour, 20*time.Second
	k := keys(t, c)
	k.AgainAfter(0)
	return k
}

// es makes a token with a kid.
func es(kid string) string {
	return sign(jwt5.SigningMethodES256, p256(), `{"alg":"ES256","kid":"`+kid+`"}`, `{"sub":"u"}`)
}

const away = "keys could not be fetched"

// The first token waits for the first fetch, and a new kid causes another.
func TestFetch(t *testing.T) {
	s := serve(t, jwks(jwk(&p256().PublicKey, kid("a"))))
	k := remote(t, s, jwt.Config{})
	expect(t, k, es("a"), "")
	expect(t, k, es("a"), "")
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	expect(t, k, es("b"), "no key")
	s.gives(jwks(jwk(&p256().PublicKey, kid("b"))))
	expect(t, k, es("b"), "")
	expect(t, k, es("a"), "no key") // taken out of the set
}

// What tokens can cause is bounded.
func TestUnknownKidIsBounded(t *testing.T) {
	s := serve(t, jwks(jwk(&p256().PublicKey, kid("a"))))
	k := remote(t, s, jwt.Config{})
	expect(t, k, es("a"), "")
	k.AgainAfter(time.Hour)
	for range 50 {
		expect(t, k, es("b"), "no key")
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A set that cannot be had leaves the last good one.
func TestLastGood(t *testing.T) {
	weak := `{"kty":"RSA","kid":"w","n":"` + b64(strings.Repeat("\xff", 128)) + `","e":"AQAB"}`
	for name, answer := range map[string]http.HandlerFunc{
		"500":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"204":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"no answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"empty":     func(http.ResponseWriter, *http.Request) {},
		"HTML":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"empty set": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"no set":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) },
		"weak keys": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(jwks(weak))) },
		"secret":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(jwks(jwk(secret, kid("s"))))) },
		"private": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(jwks(jwk(&p256().PublicKey, map[string]any{"kid": "b", "d": "AQAB"}))))
		},
		"loop": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) },
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("x", 2<<20) + `",` + jwks(jwk(&p256().PublicKey, kid("b")))[1:]))
		},
		"too long, as it says": func(w http.ResponseWriter, _ *http.Request) {
			body := jwks(jwk(&p256().PublicKey, kid("b"))) + strings.Repeat(" ", 2<<20)
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write([]byte(body))
		},
		"broken key": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(jwks(`{"kty":"EC","crv":"P-256"}`)))
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, jwks(jwk(&p256().PublicKey, kid("a"))))
			var log lines
			k := remote(t, s, jwt.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
			expect(t, k, es("a"), "")
			s.does(answer)
			expect(t, k, es("b"), away)
			expect(t, k, es("a"), "")
			s.gives(jwks(jwk(&p256().PublicKey, kid("b"))))
			expect(t, k, es("b"), "")
			k.Stop()
			if !strings.Contains(log.String(), "the last good ones stay") {
				t.Errorf("not said: %s", log.String())
			}
			if strings.Contains(log.String(), "/jwks") {
				t.Errorf("the address is in the log: %s", log.String())
			}
		})
	}
}

// A server cannot send us around forever, nor from TLS to none.
func TestRedirects(t *testing.T) {
	s := serve(t, "")
	s.does(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) })
	k := remote(t, s, jwt.Config{Secret: secret})
	expect(t, k, es("a"), away)
	if n := s.asked.Load(); n > 8 { // two fetches of four requests
		t.Errorf("asked %d times", n)
	}
	s.does(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/moved" {
			http.Redirect(w, r, "/moved", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(jwks(jwk(&p256().PublicKey, kid("a")))))
	})
	expect(t, k, es("a"), "")
	for _, c := range []struct {
		from, to string
		good     bool
	}{
		{"https://a/", "https://b/", true}, {"https://a/", "http://a/", false}, {"http://127.0.0.1:1/", "https://b/", true},
		{"https://a/", "file:///etc/passwd", false},
	} {
		if err := keys(t, jwt.Config{JWKSURL: c.from, JWKSTimeout: time.Nanosecond}).Redirect(c.to); (err == nil) != c.good {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
	}
}

// lines is a log that goroutines write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Without any keys a good token is not refused, but asked to come again.
func TestKeysAway(t *testing.T) {
	s := serve(t, "")
	k := remote(t, s, jwt.Config{})
	expect(t, k, es("a"), away)
	g, _, err := k.Verify([]byte(es("a")), now)
	if err == nil || g.Refusal.Status != 503 || g.Refusal.RetryAfter != 1 {
		t.Errorf("%v, %v", g.Refusal, err)
	}
	expect(t, k, "x", "not three parts") // and a bad one is
	s.gives(jwks(jwk(&p256().PublicKey, kid("a"))))
	expect(t, k, es("a"), "")
}

// Keys of files and those that are fetched live together, but a fetched one cannot take
// the name of one in a file, nor be used with a secret's algorithm.
func TestStaticAndFetched(t *testing.T) {
	s := serve(t, jwks(jwk(&p256().PublicKey, kid("file")), jwk(&p256().PublicKey, kid("a")),
		jwk([]byte(strings.Repeat("s", 64)), kid("hs"))))
	k := remote(t, s, jwt.Config{Secret: secret, KeysFile: file(t, jwk(edKey().Public(), kid("file")))})
	expect(t, k, es("a"), "")
	expect(t, k, es("file"), "no key")
	expect(t, k, hs(`{"sub":"u"}`), "")
	expect(t, k, sign(jwt5.SigningMethodHS256, []byte(strings.Repeat("s", 64)), `{"alg":"HS256","kid":"hs"}`,
		`{"sub":"u"}`), "signature is wrong")
	expect(t, k, sign(jwt5.SigningMethodEdDSA, edKey(), `{"alg":"EdDSA","kid":"file"}`, `{"sub":"u"}`), "")
}

// One odd key of a set does not hide the others.
func TestOddKeys(t *testing.T) {
	good := jwk(&p256().PublicKey, kid("a"))
	for name, odd := range map[string]string{
		"unknown type":  `{"kty":"AKP","kid":"x","pub":"AAAA"}`,
		"unknown curve": `{"kty":"OKP","crv":"Ed448","kid":"x","x":"AAAA"}`,
		"unknown use":   jwk(&p384().PublicKey, map[string]any{"kid": "x", "use": "tls"}),
		"encryption":    jwk(edKey().Public(), map[string]any{"kid": "x", "use": "enc"}),
		"off the curve": jwk(&p256().PublicKey, map[string]any{"kid": "x", "x": b64(strings.Repeat("x", 32))}),
		"same kid":      jwk(edKey().Public(), kid("a")),
		"address":       jwk(edKey().Public(), map[string]any{"kid": "x", "x5u": "http://127.0.0.1:1/"}),
	} {
		t.Run(name, func(t *testing.T) {
			k := remote(t, serve(t, jwks(good, odd)), jwt.Config{})
			expect(t, k, es("a"), "")
		})
	}
}

// A slow server keeps a few tokens waiting, not all.
func TestSlowServer(t *testing.T) {
	s := serve(t, jwks(jwk(&p256().PublicKey, kid("a"))))
	k := remote(t, s, jwt.Config{})
	expect(t, k, es("a"), "")
	come, release := make(chan struct{}, 1), make(chan struct{})
	s.does(func(w http.ResponseWriter, _ *http.Request) {
		come <- struct{}{}
		<-release
		_, _ = w.Write([]byte(jwks(jwk(&p256().PublicKey, kid("b")))))
	})
	const tokens = 20
	told := make(chan string, tokens)
	token := es("b")
	for range tokens {
		go func() {
			_, _, err := k.Verify([]byte(token), now)
			if err == nil {
				told <- ""
				return
			}
			told <- err.(*jwt.Error).Reason
		}()
	}
	<-come
	for range tokens - 4 { // these do not wait
		if got := <-told; got != away {
			t.Errorf("%q", got)
		}
	}
	expect(t, k, es("a"), "") // known keys do not wait either
	close(release)
	for range 4 {
		if got := <-told; got != "" {
			t.Errorf("one that waited: %q", got)
		}
	}
}

// Stop ends a fetch that hangs, and what waits for it.
func TestStop(t *testing.T) {
	s := serve(t, "")
	come := make(chan struct{}, 1)
	s.does(func(_ http.ResponseWriter, r *http.Request) {
		come <- struct{}{}
		<-r.Context().Done()
	})
	k := remote(t, s, jwt.Config{Secret: secret})
	told := make(chan error, 1)
	go func() {
		_, _, err := k.Verify([]byte(es("a")), now)
		told <- err
	}()
	<-come
	k.Stop()
	k.Stop()
	if err := <-told; err == nil {
		t.Error("granted")
	}
	expect(t, k, hs(`{"sub":"u"}`), "") // what needs no fetch goes on
	if got := reason(t, k, es("a")); got == "" {
		t.Error("granted")
	}
}
