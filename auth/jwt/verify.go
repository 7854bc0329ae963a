package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
)

// Verify checks a token and gives the grant of its claims, and iat, its time of issue in
// s since 1970 (0 = it does not say).
//
// Errors are *Error, with the answer to the client; the grant is then one that refuses
// with it, never nil. A token whose key is not known waits for one fetch of the key set,
// for JWKSTimeout at most, if another has not just told that there is none.
func (k *Keys) Verify(token []byte, now time.Time) (*auth.Grant, int64, error) {
	c, e := k.verify(token, now)
	if e == nil {
		var g *auth.Grant
		if g, e = k.grant(c); e == nil {
			return g, c.iat, nil
		}
	}
	return &auth.Grant{Refusal: e.Refusal}, 0, e
}

// verify gives the claims of a token that is good now.
func (k *Keys) verify(token []byte, now time.Time) (*claims, *Error) {
	if len(token) > tokenMax {
		return nil, errTooLong
	}
	p, e := split(token)
	if e != nil {
		return nil, e
	}
	h, e := readHeader(p.header)
	if e != nil {
		return nil, e
	}
	method := k.method(h.alg)
	if method == nil {
		return nil, errAlgorithm
	}
	if e := k.checkSignature(method, h.kid, p); e != nil {
		return nil, e
	}
	c, e := readClaims(p.claims)
	if e != nil {
		return nil, e
	}
	return c, k.checkTimes(c, now)
}

// parts are those of a token, decoded.
type parts struct {
	signed         string // what the signature is of
	header, claims []byte
	signature      []byte
}

// split takes a token apart (RFC 7515 §7.1). Everything must be base64url without
// padding, with no bits left over: one token has one form, so that what is remembered
// of it holds for all of it.
func split(token []byte) (parts, *Error) {
	var p [3][]byte
	rest := token
	for i := range p {
		part, after, more := bytes.Cut(rest, []byte("."))
		if more != (i < 2) || !base64url(part) {
			return parts{}, errForm
		}
		out, err := base64.RawURLEncoding.Strict().AppendDecode(nil, part)
		if err != nil {
			return parts{}, errForm
		}
		p[i], rest = out, after
	}
	signed := len(token) - 1 - len(token[bytes.LastIndexByte(token, '.')+1:])
	return parts{signed: string(token[:signed]), header: p[0], claims: p[1], signature: p[2]}, nil
}

// base64url says whether b has only characters of the alphabet: the decoder passes over
// newlines.
func base64url(b []byte) bool {
	for _, c := range b {
		letter := c | 0x20
		if !('a' <= letter && letter <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return len(b) > 0
}

// object reads a JSON object without doubled names at any depth (RFC 7515 §4, RFC 8725
// §2.4: which of two counts differs from reader to reader). The names match as they are.
func object(text []byte) (map[string]json.RawMessage, *Error) {
	var m map[string]json.RawMessage
	if packer.JSON.CheckValue(text) != nil || json.Unmarshal(text, &m) != nil || m == nil {
		return nil, errJSON
	}
	return m, nil
}

// header is what counts of a token's header. What it says of keys (jwk, jku, x5c, x5u)
// does not: a token cannot vouch for itself.
type header struct{ alg, kid string }

func readHeader(text []byte) (header, *Error) {
	m, e := object(text)
	if e != nil {
		return header{}, e
	}
	// Extensions that must be understood: we understand none (RFC 7515 §4.1.11).
	for _, name := range [...]string{"crit", "b64"} {
		if _, has := m[name]; has {
			return header{}, errCrit
		}
	}
	var h header
	if alg, is := text1(m["alg"]); is {
		h.alg = alg
	}
	if raw, has := m["kid"]; has {
		kid, is := text1(raw)
		if !is || kid == "" || len(kid) > kidMax {
			return header{}, errKid
		}
		h.kid = kid
	}
	return h, nil
}

// text1 gives the text that a JSON value is.
func text1(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}

// method gives the allowed algorithm of a name, nil if it is not. Names match in case.
func (k *Keys) method(name string) jwt5.SigningMethod {
	for _, m := range k.allowed {
		if m.Alg() == name {
			return m
		}
	}
	return nil
}

// checkSignature checks with the key of the kid, else with those that have none; a token
// without kid with all that fit.
func (k *Keys) checkSignature(m jwt5.SigningMethod, kid string, p parts) *Error {
	candidates := k.now.Load().find(m, kid)
	if len(candidates) == 0 && k.remote != nil {
		if e := k.remote.again(); e != nil {
			return e
		}
		candidates = k.now.Load().find(m, kid)
	}
	if len(candidates) == 0 {
		return errNoKey
	}
	for _, c := range candidates {
		if m.Verify(p.signed, p.signature, c) == nil {
			return nil
		}
	}
	return errSignature
}

// find gives the keys that a token may be checked with. A key of the kid that does not
// fit the algorithm is none, and keeps no other from being asked; its kid is the token's
// word, the algorithm ours.
func (s *set) find(m jwt5.SigningMethod, kid string) (out []any) {
	var nameless []any
	for i := range s.keys {
		k := &s.keys[i]
		if !k.fits(m) || kid != "" && k.id != "" && k.id != kid {
			continue
		}
		if kid != "" && k.id == "" {
			nameless = append(nameless, k.key)
			continue
		}
		out = append(out, k.key)
	}
	if len(out) == 0 {
		out = nameless
	}
	return out[:min(len(out), triedMax)]
}

func (k *key) fits(m jwt5.SigningMethod) bool {
	for _, by := range k.by {
		if by == m {
			return true
		}
	}
	return false
}
