package jwt

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	jwt5 "github.com/golang-jwt/jwt/v5"
)

// Limits.
const (
	tokenMax   = 8 << 10 // bytes
	secretMin  = 32      // bytes
	kidMax     = 256     // bytes
	keysMax    = 100     // in all
	triedMax   = 16      // keys that a token without kid is checked with
	fileMax    = 1 << 20 // bytes
	claimMax   = 256     // bytes of a uid, a topic, a CSRF token
	tenantMax  = 255     // bytes
	topicsMax  = 100     // of one token
	defaultUID = "sub"
)

// Config is what New checks and keeps. At least one of Secret, KeysFile and JWKSURL is
// needed; the keys of all count.
type Config struct {
	Secret   []byte // for HS256 to HS512, at least 32 bytes
	KeysFile string // path of PEM public keys or certificates, of a JWK, or of a JWKS
	JWKSURL  string // of a JWKS, asked again every JWKSRefresh (0 = 5 m)

	JWKSRefresh time.Duration
	JWKSTimeout time.Duration // of one request for it, 0 = 5 s

	Algorithms []string      // allowed ones; empty = all that fit the keys
	Issuer     string        // that iss must be; "" = any or none
	Audience   string        // that aud must be or have; "" = any or none
	Leeway     time.Duration // by which clocks may differ

	UIDClaim       string // "" = sub
	TenantClaim    string // "" = no tenant; else a token must have it, and the next three may
	TopicsClaim    string // "" = none
	HandshakeClaim string // "" = none
	CSRFClaim      string // "" = none; else a token must have it

	Log *slog.Logger // of fetches that failed; nil = none
}

// key is one key and what may be done with it. Immutable after made.
type key struct {
	id  string               // kid, "" = has none
	by  []jwt5.SigningMethod // that it may be used with
	key any                  // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// set are the keys of one moment. Immutable after made.
type set struct{ keys []key }

// Keys checks tokens. Any goroutine.
type Keys struct {
	conf    Config
	allowed []jwt5.SigningMethod

	static []key               // of secret and file
	now    atomic.Pointer[set] // static and fetched
	remote *remote             // nil without URL
}

// New checks the configuration, loads the keys that are in files, and begins to fetch
// those that are not: it does not wait for them, and Verify does. Errors name the
// setting that is wrong and what to write instead. With a JWKSURL, Stop ends what New
// began.
func New(c Config) (*Keys, error) {
	k, err := load(c)
	if err != nil {
		return nil, err
	}
	if k.remote != nil {
		k.remote.start()
	}
	return k, nil
}

// Check gives the error that New would give, and begins nothing.
func Check(c Config) error {
	_, err := load(c)
	return err
}

// Stop ends the fetching of keys and waits for its end. The keys of that moment stay.
// Once is enough; more are harmless.
func (k *Keys) Stop() {
	if k.remote != nil {
		k.remote.stop()
	}
}

// Open lists what the settings leave open, a sentence each.
func (k *Keys) Open() []string {
	var out []string
	if k.remote != nil && !k.remote.safe() {
		out = append(out, "jwt.jwks_url without TLS: whoever is on the way to it can give keys of its own, "+
			"and so be anybody")
	}
	if k.conf.Audience == "" && k.conf.Issuer == "" && len(k.conf.Secret) == 0 {
		out = append(out, "jwt: neither jwt.issuer nor jwt.audience is set, so a token that these keys signed "+
			"for another service is good here too")
	}
	return out
}

// load makes Keys that fetch nothing yet.
func load(c Config) (*Keys, error) {
	if c.UIDClaim == "" {
		c.UIDClaim = defaultUID
	}
	k := &Keys{conf: c}
	var err error
	if k.allowed, err = pick(c.Algorithms); err != nil {
		return nil, err
	}
	if len(c.Secret) == 0 && c.KeysFile == "" && c.JWKSURL == "" {
		return nil, errors.New("auth/jwt: mode jwt has no keys: write jwt.secret_file, jwt.keys_file or jwt.jwks_url")
	}
	if c.Leeway < 0 || c.Leeway > time.Hour {
		return nil, fmt.Errorf("auth/jwt: jwt.leeway %v: write 0s to 1h, as 10s", c.Leeway)
	}
	if len(c.Secret) > 0 {
		if w := weakness(c.Secret); w != "" {
			return nil, errors.New("auth/jwt: jwt.secret: " + w)
		}
		k.static = append(k.static, key{by: k.usable(c.Secret, ""), key: c.Secret})
	}
	if c.KeysFile != "" {
		if err := k.loadFile(c.KeysFile); err != nil {
			return nil, err
		}
	}
	if err := k.checkStatic(); err != nil {
		return nil, err
	}
	k.now.Store(&set{keys: k.static})
	if c.JWKSURL != "" {
		if k.remote, err = newRemote(k); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// loadFile adds the keys of a file.
func (k *Keys) loadFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("auth/jwt: jwt.keys_file: %w", err)
	}
	if info.Size() > fileMax {
		return fmt.Errorf("auth/jwt: jwt.keys_file %s: %d bytes are no keys; at most %d", path, info.Size(), fileMax)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("auth/jwt: jwt.keys_file: %w", err)
	}
	found, err := parseKeys(text)
	if err != nil {
		return fmt.Errorf("auth/jwt: jwt.keys_file %s: %w", path, err)
	}
	for i, f := range found {
		if w := weakness(f.key); w != "" {
			return fmt.Errorf("auth/jwt: jwt.keys_file %s: key %d is %s", path, i+1, w)
		}
		k.static = append(k.static, key{id: f.id, by: k.usable(f.key, f.alg), key: f.key})
	}
	return nil
}

// usable are the allowed algorithms that a key may be used with; alg is the only one
// that it says it is for, "" = any.
func (k *Keys) usable(public any, alg string) (out []jwt5.SigningMethod) {
	for _, m := range k.allowed {
		if fits(m, public) && (alg == "" || alg == m.Alg()) {
			out = append(out, m)
		}
	}
	return out
}

// checkStatic refuses settings by which a key or an algorithm is of no use, since one
// that is meant to be used is missing or misspelled then.
func (k *Keys) checkStatic() error {
	if len(k.static) > keysMax {
		return fmt.Errorf("auth/jwt: %d keys are too many: at most %d", len(k.static), keysMax)
	}
	var kids []string
	for i, s := range k.static {
		if len(s.by) == 0 {
			return fmt.Errorf("auth/jwt: key %d (%s) fits none of jwt.algorithms: add one of its kind, or leave "+
				"jwt.algorithms out", i+1, kind(s.key))
		}
		if s.id != "" && slices.Contains(kids, s.id) {
			return fmt.Errorf("auth/jwt: two keys have the kid %q: write one of them", s.id)
		}
		kids = append(kids, s.id)
	}
	if k.conf.JWKSURL != "" || len(k.conf.Algorithms) == 0 {
		return nil
	}
	for _, m := range k.allowed {
		if !slices.ContainsFunc(k.static, func(s key) bool { return slices.Contains(s.by, m) }) {
			return fmt.Errorf("auth/jwt: jwt.algorithms has %s, but no key fits it%s", m.Alg(), hint(m))
		}
	}
	return nil
}

// hint says which key an algorithm wants.
func hint(m jwt5.SigningMethod) string {
	if h, is := m.(*jwt5.SigningMethodHMAC); is {
		return fmt.Sprintf(": write a jwt.secret of at least %d bytes", h.Hash.Size())
	}
	return ": write a file with a public key of its kind as jwt.keys_file"
}

// kind names the kind of a key.
func kind(public any) string {
	for _, m := range algorithms {
		if fits(m, public) {
			return strings.TrimRight(m.Alg(), "0123456789") + " key"
		}
	}
	return "key"
}
