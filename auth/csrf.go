package auth

import (
	"crypto/subtle"
	"errors"
	"fmt"
)

// checkCSRF refuses settings by which no request would be refused, or all.
func checkCSRF(c *Config) error {
	switch {
	case c.CSRFToken != "" && c.CSRFCookie != "":
		return errors.New("auth: csrf.token and csrf.cookie are both set: write one of them")
	case c.CSRFToken == "null":
		return errors.New(`auth: csrf.token is "null", which clients without a token send: write another`)
	case c.CSRFCookie != "" && !isToken(c.CSRFCookie):
		return fmt.Errorf("auth: csrf.cookie %q is not the name of a cookie: write one as __Host-csrf", c.CSRFCookie)
	}
	return nil
}

// checkToken compares the CSRF token with the reference token, or with the cookie
// that holds it. (Double submit: a page of another origin can make a browser send
// the cookie, but not read it, so it cannot send its value.)
func (c *Checker) checkToken(r *Request) *Refusal {
	switch {
	case len(c.token) > 0:
		if !sameToken(given(r), c.token) {
			return refuseToken
		}
	case len(c.cookie) > 0:
		value, refusal := findCookie(r.Cookie, c.cookie)
		if refusal != nil {
			return refusal
		}
		if !sameToken(given(r), value) {
			return refuseToken
		}
	}
	return nil
}

// given is the CSRF token of a request. The first one that is present counts, even
// if it is wrong and another would be right: param, x-csrf-token, x-xsrf-token. A
// browser cannot set fields of an upgrade, so there it is the param.
func given(r *Request) []byte {
	switch {
	case r.CSRFParam != nil:
		return r.CSRFParam
	case r.XCSRF != nil:
		return r.XCSRF
	}
	return r.XXSRF
}

// sameToken compares two tokens. The time taken tells their length at most. Nothing
// is no token, and the `null` that a ClojureScript client without one sends is
// nothing.
func sameToken(given, want []byte) bool {
	return subtle.ConstantTimeCompare(given, want) == 1 && len(given) > 0 && string(given) != "null"
}
