package jwt

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/MicahParks/jwkset"
)

// lenient are the options of jwkset. What it would check is what a key says of itself,
// of which we use kid, alg, use and key_ops, and one odd key of a set should not make
// the others unknown. It never follows an x5u.
var lenient = jwkset.JWKValidateOptions{SkipAll: true}

// parsed is a key of a file or of a set, with what it says about itself.
type parsed struct {
	id, alg string
	key     any
}

// parseKeys reads the keys of a file: PEM, a JWK or a JWKS.
func parseKeys(text []byte) ([]parsed, error) {
	var out []parsed
	var err error
	if start := bytes.TrimSpace(text); len(start) > 0 && start[0] == '{' {
		out, err = parseJSON(start)
	} else {
		out, err = parsePEM(text)
	}
	if err == nil && len(out) == 0 {
		err = errors.New("there is no key for signatures in it: write PEM (BEGIN PUBLIC KEY or CERTIFICATE), a JWK or a JWKS")
	}
	return out, err
}

// parsePEM reads public keys and certificates (of a certificate only its key counts:
// the operator trusts the file).
func parsePEM(text []byte) ([]parsed, error) {
	var out []parsed
	for len(bytes.TrimSpace(text)) > 0 {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("key %d is not PEM: it begins with -----BEGIN PUBLIC KEY-----", len(out)+1)
		}
		var public any
		var err error
		if block.Type == "CERTIFICATE" {
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				public = cert.PublicKey
			}
		} else if public, err = jwkset.LoadX509KeyInfer(block); errors.Is(err, jwkset.ErrX509Infer) {
			return nil, fmt.Errorf("key %d is a %q: write a PUBLIC KEY or a CERTIFICATE", len(out)+1, block.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("key %d (%s) cannot be read: %w", len(out)+1, block.Type, err)
		}
		out, text = append(out, parsed{key: public}), rest
	}
	return out, nil
}

// parseJSON reads a JWK or a JWKS.
func parseJSON(text []byte) ([]parsed, error) {
	var jwks jwkset.JWKSMarshal
	if err := json.Unmarshal(text, &jwks); err != nil {
		return nil, fmt.Errorf("is not a JWK or JWKS: %w", err)
	}
	if jwks.Keys == nil {
		var one jwkset.JWKMarshal
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("is not a JWK or JWKS: %w", err)
		}
		jwks.Keys = []jwkset.JWKMarshal{one}
	}
	var out []parsed
	for i, m := range jwks.Keys {
		jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{Private: true}, lenient)
		if err != nil {
			return nil, fmt.Errorf("key %d cannot be read: %w", i+1, plain(err))
		}
		if !forSignatures(m) {
			continue
		}
		out = append(out, parsed{id: m.KID, alg: m.ALG.String(), key: jwk.Key()})
	}
	return out, nil
}

// plain gives the first line of an error: jwkset joins several with newlines.
func plain(err error) error {
	line, _, _ := bytes.Cut([]byte(err.Error()), []byte("\n"))
	return errors.New(string(line))
}

// forSignatures says whether a key may check signatures, by what it says of itself
// (RFC 7517 §4.2, §4.3). A set may also have keys for encryption.
func forSignatures(m jwkset.JWKMarshal) bool {
	if m.USE != "" && m.USE != jwkset.UseSig {
		return false
	}
	for _, op := range m.KEYOPS {
		if op == jwkset.KeyOpsVerify {
			return true
		}
	}
	return len(m.KEYOPS) == 0
}
