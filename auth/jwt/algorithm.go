package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	jwt5 "github.com/golang-jwt/jwt/v5"
)

// Bounds of keys, in bits.
const (
	rsaBitsMin = 2048 // RFC 7518 §3.3
	rsaBitsMax = 8192 // a check takes the square of it
)

// algorithms are those that can be allowed (RFC 7518 §3.1, RFC 8037 §3.1). `none` is no
// algorithm.
var algorithms = []jwt5.SigningMethod{
	jwt5.SigningMethodHS256, jwt5.SigningMethodHS384, jwt5.SigningMethodHS512,
	jwt5.SigningMethodRS256, jwt5.SigningMethodRS384, jwt5.SigningMethodRS512,
	jwt5.SigningMethodPS256, jwt5.SigningMethodPS384, jwt5.SigningMethodPS512,
	jwt5.SigningMethodES256, jwt5.SigningMethodES384, jwt5.SigningMethodES512,
	jwt5.SigningMethodEdDSA,
}

// names are the names of all algorithms, as the settings give them.
func names() string {
	var s []string
	for _, m := range algorithms {
		s = append(s, m.Alg())
	}
	return strings.Join(s, ", ")
}

// pick gives the allowed algorithms, all of them for an empty list.
func pick(list []string) ([]jwt5.SigningMethod, error) {
	if len(list) == 0 {
		return algorithms, nil
	}
	var out []jwt5.SigningMethod
	for _, name := range list {
		at := slices.IndexFunc(algorithms, func(m jwt5.SigningMethod) bool { return m.Alg() == name })
		if at < 0 {
			return nil, fmt.Errorf("auth/jwt: jwt.algorithms: there is no %q: write some of %s", name, names())
		}
		out = append(out, algorithms[at])
	}
	return out, nil
}

// fits says whether a key is one for the algorithm. The type of the key decides, never
// the token: that is what keeps a public RSA key from being taken for an HMAC secret
// (RFC 8725 §2.1). One curve goes with one algorithm, and a secret must be as long as
// the hash (RFC 7518 §3.2).
func fits(m jwt5.SigningMethod, k any) bool {
	switch m := m.(type) {
	case *jwt5.SigningMethodHMAC:
		secret, is := k.([]byte)
		return is && len(secret) >= m.Hash.Size()
	case *jwt5.SigningMethodRSA, *jwt5.SigningMethodRSAPSS:
		_, is := k.(*rsa.PublicKey)
		return is
	case *jwt5.SigningMethodECDSA:
		public, is := k.(*ecdsa.PublicKey)
		return is && public.Curve.Params().BitSize == m.CurveBits
	case *jwt5.SigningMethodEd25519:
		_, is := k.(ed25519.PublicKey)
		return is
	}
	return false
}

// weakness says what is wrong with a key, "" if it may be used.
func weakness(k any) string {
	switch k := k.(type) {
	case []byte:
		if len(k) < secretMin {
			return fmt.Sprintf("a secret of %d bytes can be guessed from a token: write one of at least %d "+
				"random bytes, as `openssl rand -base64 48` gives", len(k), secretMin)
		}
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits < rsaBitsMin:
			return fmt.Sprintf("an RSA key of %d bits can be broken: use one of at least %d", bits, rsaBitsMin)
		case bits > rsaBitsMax:
			return fmt.Sprintf("an RSA key of %d bits takes too long: use one of at most %d", bits, rsaBitsMax)
		case k.E < 3 || k.E%2 == 0:
			return fmt.Sprintf("an RSA key with exponent %d is none", k.E)
		}
	case *ecdsa.PublicKey:
		if _, err := k.ECDH(); err != nil {
			return "an EC key whose point is not on its curve, or of a curve other than P-256, P-384 and P-521"
		}
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return "an Ed25519 key of the wrong length"
		}
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return "a private key, which only the signer of tokens should have: write the public key, " +
			"as `openssl pkey -pubout` gives"
	default:
		return "a key of a type that signs no tokens: use RSA, EC or Ed25519"
	}
	return ""
}
