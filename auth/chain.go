package auth

import (
	"slices"
	"unicode/utf8"
	"unsafe"
)

// has says whether the mode is in the chain.
func (c *Checker) has(m Mode) bool { return slices.Contains(c.chain, m) }

// identify asks the modes in their order; the first that applies decides. A token
// that is there and bad is the end: no later mode is asked, since who shows a token
// does not want to be somebody else.
func (c *Checker) identify(r *Request) (Identity, Need, *Refusal) {
	mode, need, byItself, refusal := c.decide(r)
	switch {
	case refusal != nil:
		return Identity{}, Need{}, refusal
	case byItself && !c.origins.all && !c.safeSite(r):
		// With all origins allowed it is judged by Admit, when it is known whether
		// a CSRF token protects the request.
		return Identity{}, Need{}, refuseOrigin
	}
	switch mode {
	case JWT, Hook:
		return Identity{}, need, nil
	case Header:
		if c.origins.all && !c.safeSite(r) { // no grant, so no token of its own
			return Identity{}, Need{}, refuseOrigin
		}
		var tenant []byte
		if c.tenant != "" { // else nobody has taken it out of what clients send
			tenant = r.TenantField
		}
		id, refusal := makeIdentity(tenant, r.UserField)
		return id, Need{}, refusal
	case Anonymous:
		return Identity{NilUID: true}, Need{}, nil
	case Dev:
		if len(r.UIDParam) > 0 {
			id, refusal := makeIdentity(nil, r.UIDParam)
			return id, Need{}, refusal
		}
	}
	return Identity{UID: r.Client}, Need{}, nil // checked before
}

// decide finds the mode that applies. ByItself says that it goes by what a browser
// sends by itself, whatever page made it send the request.
func (c *Checker) decide(r *Request) (mode Mode, need Need, byItself bool, refusal *Refusal) {
	for _, mode := range c.chain {
		switch mode {
		case JWT:
			token, p, refusal := c.findToken(r)
			if token != nil || refusal != nil {
				return mode, Need{Kind: NeedJWT, Token: token}, p == inCookie, refusal
			}
		case Header:
			if r.Trusted && len(r.UserField) > 0 {
				return mode, Need{}, true, nil
			}
		case Hook:
			return mode, Need{Kind: NeedHook}, ambient(r), nil
		default:
			return mode, Need{}, false, nil
		}
	}
	return 0, Need{}, false, refuseNobody
}

// Admit gives the identity that g grants to r, which Check let pass, or the refusal.
// NowMs is in ms since 1970. The slices of the Identity are those of g, which must
// not be written.
//
// A grant holds for any request with the same credentials; what differs between
// them is looked at here: the time, and the CSRF token.
func (c *Checker) Admit(r *Request, g *Grant, nowMs int64) (Identity, *Refusal) {
	switch {
	case g.Refusal != nil:
		return Identity{}, g.Refusal
	case g.Expires != 0 && nowMs >= g.Expires:
		return Identity{}, refuseExpired
	case g.CSRF != "":
		if !sameToken(given(r), bytesOf(g.CSRF)) {
			return Identity{}, refuseToken
		}
	case c.origins.all:
		if _, _, byItself, _ := c.decide(r); byItself && !c.safeSite(r) {
			return Identity{}, refuseOrigin
		}
	}
	if g.NilUID {
		id, refusal := makeIdentity(bytesOf(g.Tenant), nil)
		id.NilUID = refusal == nil
		return id, refusal
	}
	return makeIdentity(bytesOf(g.Tenant), bytesOf(g.UID))
}

// makeIdentity checks the ids of a user. Tenant may be empty; a uid from a proxy or
// an application that is empty stands, as one.
func makeIdentity(tenant, uid []byte) (Identity, *Refusal) {
	switch {
	case len(uid) > maxUIDLen:
		return Identity{}, refuseUIDLong
	case !utf8.Valid(uid):
		return Identity{}, refuseUIDText
	case len(tenant) > maxTenantLen:
		return Identity{}, refuseTenantLong
	case !utf8.Valid(tenant):
		return Identity{}, refuseTenantText
	}
	return Identity{Tenant: tenant, UID: uid}, nil
}

// bytesOf gives the bytes of s without a copy, since Admit is asked for every request.
// They must not be written.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// UserField is the name of the field whose value goes into Request.UserField;
// empty = none.
func (c *Checker) UserField() string {
	if !c.has(Header) {
		return ""
	}
	return c.user
}

// TenantField is the name of the field whose value goes into Request.TenantField;
// empty = none.
func (c *Checker) TenantField() string {
	if !c.has(Header) {
		return ""
	}
	return c.tenant
}

// ByCookie says whether there is a mode that goes by what browsers send by themselves:
// cookies, or what a proxy makes of them.
func (c *Checker) ByCookie() bool {
	return c.has(Hook) || c.has(Header) || c.has(JWT) &&
		slices.ContainsFunc(c.places, func(p place) bool { return p.kind == inCookie })
}
