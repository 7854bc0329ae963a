package auth

import (
	"bytes"
	"fmt"
	"net/netip"
	"unicode/utf8"
)

// Limits, in bytes. Ids are kept for every session; a token is checked by others, in
// a queue.
const (
	maxClientLen = 128
	maxUIDLen    = 256
	maxTenantLen = 255
	maxTokenLen  = 8 << 10
)

// Config is what New checks and keeps.
type Config struct {
	// Modes are asked in this order; the first that applies decides. Empty = Mode.
	Modes []Mode
	// Mode is the only one, without Modes.
	Mode Mode
	// CSRFToken is the reference token; empty = no check.
	CSRFToken string
	// CSRFCookie is the name of a cookie that holds the reference token (double
	// submit); empty = none.
	CSRFCookie string
	// Origins are the allowed ones, as scheme://host[:port] or "null"; nil = the
	// same origin or none; ["all"] = any.
	Origins []string
	// LocalHosts refuses a Host that another machine could have (DNS rebinding): for
	// a server on loopback, without a proxy, to whom clients need not prove anything.
	LocalHosts bool
	// From are the places where a token is looked for, for mode JWT: authorization,
	// cookie:NAME, query:NAME, protocol; empty = authorization.
	From []string
	// UserField and TenantField are the names of the fields by which a trusted proxy
	// says who it is, for mode Header. TenantField may be empty.
	UserField, TenantField string
}

// Request is what a check looks at. Of all []byte nil means absent. They are
// read during the call only; Identity refers to them.
type Request struct {
	Client    []byte // param client-id
	UIDParam  []byte // param uid, for Dev
	CSRFParam []byte // param csrf-token, of query or form
	XCSRF     []byte // x-csrf-token
	XXSRF     []byte // x-xsrf-token
	Origin    []byte
	Referer   []byte
	Host      []byte
	TLS       bool // the conn itself is TLS, so the scheme of Host is known

	Post          bool   // a send; all else is a GET
	Ajax          bool   // a poll or a send; all else is an upgrade
	SecFetchSite  []byte // Sec-Fetch-Site
	Cookie        []byte // as it came, all of it; several fields joined by "; "
	Authorization []byte // as it came
	Protocol      []byte // Sec-WebSocket-Protocol
	Query         []byte // not decoded
	UserField     []byte // of the field that Checker.UserField names; two of it are 400
	TenantField   []byte // of the field that Checker.TenantField names

	Peer    netip.Addr // who is connected
	Addr    netip.Addr // who it is for; Peer unless a trusted proxy says otherwise
	Trusted bool       // Peer is a trusted proxy
}

// Identity is who sent a request. The slices are those of the Request, or nil.
type Identity struct {
	Tenant, UID []byte
	NilUID      bool // without uid: `:sente/nil-uid` on the wire
}

// Refusal is the answer to a request that may not go on. All are made once.
// Immutable after New.
type Refusal struct {
	Status     int    // 400, 401 or 403; of a Grant any of 4xx, and 503
	Body       string // for people, without newline
	RetryAfter int    // s, with 503; 0 = not said
}

// Error gives package, status and body in one line.
func (r *Refusal) Error() string { return fmt.Sprintf("auth: %d %s", r.Status, r.Body) }

// The refusals. The 403 bodies are Sente's own.
var (
	refuseNoClient   = &Refusal{Status: 400, Body: "missing client-id"}
	refuseClientLong = &Refusal{Status: 400, Body: "client-id is longer than 128 bytes"}
	refuseClientText = &Refusal{Status: 400, Body: "client-id is not UTF-8"}
	refuseToken      = &Refusal{Status: 403, Body: "Bad CSRF token"}
	refuseOrigin     = &Refusal{Status: 403, Body: "Unauthorized origin"}
	refuseUIDLong    = &Refusal{Status: 400, Body: "uid is longer than 256 bytes"}
	refuseUIDText    = &Refusal{Status: 400, Body: "uid is not UTF-8"}
	refuseTenantLong = &Refusal{Status: 400, Body: "tenant is longer than 255 bytes"}
	refuseTenantText = &Refusal{Status: 400, Body: "tenant is not UTF-8"}
	refuseTwice      = &Refusal{Status: 400, Body: "more than one token"}
	refuseCookie     = &Refusal{Status: 400, Body: "malformed cookie"}
	refuseBadToken   = &Refusal{Status: 401, Body: "token refused"}
	refuseHost       = &Refusal{Status: 403, Body: "Host is a name of another machine; behind a proxy, set trusted_proxies"}
	refuseNobody     = &Refusal{Status: 401, Body: "no credentials"}
	refuseExpired    = &Refusal{Status: 401, Body: "credentials expired"}
)

// Checker checks requests. Any goroutine. Immutable after New.
type Checker struct {
	chain   []Mode
	places  []place // where a token is looked for
	user    string
	tenant  string
	token   []byte // reference token
	cookie  []byte // name of the cookie that holds the reference token
	local   bool   // Config.LocalHosts
	origins origins
}

// New checks the configuration and makes a Checker of it. Errors name the
// setting that is wrong and what to write instead.
func New(c Config) (*Checker, error) {
	modes := c.Modes
	if len(modes) == 0 {
		modes = []Mode{c.Mode}
	}
	k := &Checker{chain: modes, user: c.UserField, tenant: c.TenantField,
		token: []byte(c.CSRFToken), cookie: []byte(c.CSRFCookie), local: c.LocalHosts}
	if err := checkChain(modes); err != nil {
		return nil, err
	}
	if err := checkCSRF(&c); err != nil {
		return nil, err
	}
	if err := checkFields(&c, k.has(Header)); err != nil {
		return nil, err
	}
	var err error
	if k.places, err = newPlaces(c.From); err != nil {
		return nil, err
	}
	if k.origins, err = newOrigins(c.Origins); err != nil {
		return nil, err
	}
	return k, nil
}

// Check gives the identity behind r, or the refusal that answers it. It looks
// in Sente's order, so that a client with several faults learns the same one
// first: client-id (400), CSRF token (403), origin (403), then who it is
// (400, 401). The ids must be UTF-8, since they go into text frames.
//
// What Need asks for is to be found out first, by whoever may wait for it; then
// Admit goes on with what was found, and until then there is no Identity.
func (c *Checker) Check(r *Request) (Identity, Need, *Refusal) {
	if refusal := checkClient(r.Client); refusal != nil {
		return Identity{}, Need{}, refusal
	}
	if refusal := c.checkToken(r); refusal != nil {
		return Identity{}, Need{}, refusal
	}
	if c.local && !localHost(r.Host) {
		return Identity{}, Need{}, refuseHost
	}
	if !c.origins.allow(r) {
		return Identity{}, Need{}, refuseOrigin
	}
	return c.identify(r)
}

// checkClient checks the client-id. Blank is missing, as in Sente.
func checkClient(id []byte) *Refusal {
	switch {
	case len(bytes.TrimSpace(id)) == 0:
		return refuseNoClient
	case len(id) > maxClientLen:
		return refuseClientLong
	case !utf8.Valid(id):
		return refuseClientText
	}
	return nil
}

// AllowOrigin says whether a page of origin may read answers of host: for the
// CORS fields of answers and for preflights. Without an origin there is nothing
// to allow. Host is that of the request.
func (c *Checker) AllowOrigin(origin, host []byte) bool {
	if len(origin) == 0 {
		return false
	}
	return c.origins.allow(&Request{Origin: origin, Host: host})
}
