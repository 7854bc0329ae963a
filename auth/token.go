package auth

import (
	"bytes"
	"fmt"
	"strings"
)

// where says in which part of a request a token is looked for.
type where uint8

const (
	inAuthorization where = iota + 1 // Authorization: Bearer (RFC 6750 §2.1)
	inCookie
	inQuery
	inProtocol // an entry token.<jwt> of Sec-WebSocket-Protocol
)

// place is one of the places where a token is looked for. Immutable after New.
type place struct {
	kind where
	name []byte // of the cookie or the parameter
}

// protocolPrefix begins the entry of Sec-WebSocket-Protocol that is a token: the only
// field of an upgrade that a page can write. A token has no characters that may not
// stand there.
const protocolPrefix = "token."

// newPlaces reads the configured places.
func newPlaces(from []string) ([]place, error) {
	if len(from) == 0 {
		return []place{{kind: inAuthorization}}, nil
	}
	var out []place
	for i, s := range from {
		for _, earlier := range from[:i] {
			if s == earlier {
				return nil, fmt.Errorf("auth: jwt.from has %q twice: write it once", s)
			}
		}
		kind, name, named := strings.Cut(s, ":")
		p := place{name: []byte(name)}
		switch kind {
		case "authorization":
			p.kind = inAuthorization
		case "protocol":
			p.kind = inProtocol
		case "cookie":
			p.kind = inCookie
		case "query":
			p.kind = inQuery
		}
		if wants := p.kind == inCookie || p.kind == inQuery; p.kind == 0 || wants != named ||
			wants && !isToken(name) {
			return nil, fmt.Errorf("auth: jwt.from %q: write authorization, cookie:NAME, query:NAME or protocol", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// findToken looks for a token, in the places in their order; the first that has one
// decides. Nil = there is none.
func (c *Checker) findToken(r *Request) (token []byte, in where, refusal *Refusal) {
	for i := range c.places {
		p := &c.places[i]
		switch p.kind {
		case inAuthorization:
			token = bearer(r.Authorization)
			if token != nil && len(token) == 0 {
				return nil, p.kind, refuseBadToken
			}
		case inCookie:
			token, refusal = findCookie(r.Cookie, p.name)
		case inQuery:
			token, refusal = findParam(r.Query, p.name)
		case inProtocol:
			token, refusal = findProtocol(r.Protocol)
		}
		switch {
		case refusal != nil:
			return nil, p.kind, refusal
		case len(token) > maxTokenLen:
			return nil, p.kind, refuseBadToken
		case len(token) > 0:
			return token, p.kind, nil
		}
	}
	return nil, 0, nil
}

// bearer gives the token of an Authorization field: empty if it has none, nil if it is
// of another scheme. The name of the scheme matches in any case (RFC 9110 §11.1).
func bearer(field []byte) []byte {
	const scheme = "bearer"
	if len(field) < len(scheme) {
		return nil
	}
	for i := range len(scheme) {
		if lower(field[i]) != scheme[i] {
			return nil
		}
	}
	rest := field[len(scheme):]
	if len(rest) > 0 && rest[0] != ' ' {
		return nil
	}
	token := bytes.TrimLeft(rest, " ")
	if token == nil {
		return []byte{}
	}
	return token
}

// findCookie gives the value of the cookie of a name, nil if there is none, or the
// refusal if it is there twice or its value has bytes that none may have: what the
// application took for the cookie must be what we take for it.
//
// Pairs end at each semicolon, quotes or not (RFC 6265 §4.1.1), so that no cookie can
// swallow another. Cookies of other names may look as they like.
func findCookie(field, name []byte) (value []byte, refusal *Refusal) {
	for rest := field; len(rest) > 0; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte(";"))
		n, v, named := bytes.Cut(bytes.TrimLeft(pair, " \t"), []byte("="))
		if !named || !bytes.Equal(bytes.TrimRight(n, " \t"), name) {
			continue
		}
		switch {
		case value != nil:
			return nil, refuseTwice
		case len(n) != len(name):
			return nil, refuseCookie
		}
		if value = cookieValue(v); value == nil {
			return nil, refuseCookie
		}
	}
	return value, nil
}

// cookieValue gives the value without the quotes that it may have, nil for one that is
// malformed (RFC 6265 §4.1.1). Never nil for an empty one.
func cookieValue(v []byte) []byte {
	v = bytes.TrimRight(v, " \t")
	if n := len(v); n >= 2 && v[0] == '"' && v[n-1] == '"' {
		v = v[1 : n-1]
	}
	for _, c := range v {
		if !cookieOctet[c] {
			return nil
		}
	}
	if v == nil {
		v = []byte{}
	}
	return v
}

// cookieOctet are the bytes of a value (RFC 6265 §4.1.1).
var cookieOctet = func() (t [256]bool) {
	for c := '!'; c < 0x7f; c++ {
		t[c] = c != '"' && c != ',' && c != ';' && c != '\\'
	}
	return t
}()

// findProtocol gives the token of Sec-WebSocket-Protocol (RFC 6455 §11.3.4), nil if
// it has none.
func findProtocol(field []byte) (token []byte, refusal *Refusal) {
	for rest := field; len(rest) > 0; {
		var entry []byte
		entry, rest, _ = bytes.Cut(rest, []byte(","))
		found, is := bytes.CutPrefix(bytes.Trim(entry, " \t"), []byte(protocolPrefix))
		switch {
		case !is:
		case token != nil:
			return nil, refuseTwice
		default:
			token = found
		}
	}
	return token, nil
}

// findParam gives the value of a parameter of the query, decoded, nil if there is
// none. A value without escapes, as tokens have none, is a part of the query; another
// is a copy.
func findParam(query, name []byte) (value []byte, refusal *Refusal) {
	for rest := query; len(rest) > 0; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte("&"))
		n, v, _ := bytes.Cut(pair, []byte("="))
		if !nameIs(n, name) {
			continue
		}
		if value != nil {
			return nil, refuseTwice
		}
		if value = unescape(v); value == nil {
			return nil, refuseBadToken
		}
	}
	return value, nil
}

// nameIs compares an encoded name.
func nameIs(encoded, name []byte) bool {
	for len(encoded) > 0 && len(name) > 0 {
		c, n := unescapeByte(encoded)
		if n == 0 || c != name[0] {
			return false
		}
		encoded, name = encoded[n:], name[1:]
	}
	return len(encoded) == 0 && len(name) == 0
}

// unescape decodes a value, nil if an escape in it is none. Never nil for an empty one.
func unescape(v []byte) []byte {
	if bytes.IndexByte(v, '%') < 0 && bytes.IndexByte(v, '+') < 0 {
		if v == nil {
			v = []byte{}
		}
		return v
	}
	out := make([]byte, 0, len(v))
	for len(v) > 0 {
		c, n := unescapeByte(v)
		if n == 0 {
			return nil
		}
		out, v = append(out, c), v[n:]
	}
	return out
}

// unescapeByte decodes the first byte of v, which takes n; 0 = it is no escape.
func unescapeByte(v []byte) (c byte, n int) {
	switch {
	case v[0] == '+':
		return ' ', 1
	case v[0] != '%':
		return v[0], 1
	case len(v) < 3:
		return 0, 0
	}
	high, low := hex(v[1]), hex(v[2])
	if high > 15 || low > 15 {
		return 0, 0
	}
	return high<<4 | low, 3
}

// hex gives the value of a hexadecimal digit, above 15 for other bytes.
func hex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= lower(c) && lower(c) <= 'f':
		return lower(c) - 'a' + 10
	}
	return 255
}
