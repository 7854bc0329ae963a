package auth

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"net/netip"
	"unicode/utf8"
)

// Limits of ids, in bytes: they are kept for every session.
const (
	maxClientLen = 128
	maxUIDLen    = 256
)

// Mode is where the uid of a request comes from.
type Mode uint8

const (
	// Client makes the client-id the uid: a user per tab. The client chooses it,
	// so it proves nothing: for local use.
	Client Mode = iota
	// Anonymous gives no request a uid: all are Sente's nil uid.
	Anonymous
	// Dev takes the uid from a parameter of the request, else the client-id. For
	// development.
	Dev
)

// modes are the names of the modes, as flags and files give them.
var modes = [...]string{Client: "client", Anonymous: "anonymous", Dev: "dev"}

// String gives the name of the mode, as ParseMode takes it.
func (m Mode) String() string {
	if int(m) < len(modes) {
		return modes[m]
	}
	return fmt.Sprintf("auth.Mode(%d)", uint8(m))
}

// ParseMode gives the mode with this name: client, anonymous or dev.
func ParseMode(name string) (Mode, error) {
	for m, s := range modes {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("auth: no mode %q (have client, anonymous, dev)", name)
}

// Config is what New checks and keeps.
type Config struct {
	Mode Mode
	// CSRFToken is the reference token; empty = no check.
	CSRFToken string
	// Origins are the allowed ones, as scheme://host[:port] or "null"; nil = the
	// same origin or none; ["all"] = any.
	Origins []string
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
	Cookie        []byte // as it came, all of it
	Authorization []byte // as it came
	Protocol      []byte // Sec-WebSocket-Protocol
	Query         []byte // not decoded
	UserField     []byte // of the field that Checker.UserField names
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
)

// Checker checks requests. Any goroutine. Immutable after New.
type Checker struct {
	mode    Mode
	token   []byte
	origins origins
}

// New checks the configuration and makes a Checker of it. Errors name the
// setting that is wrong.
func New(c Config) (*Checker, error) {
	if int(c.Mode) >= len(modes) {
		return nil, fmt.Errorf("auth: no mode %d", c.Mode)
	}
	o, err := newOrigins(c.Origins)
	if err != nil {
		return nil, err
	}
	return &Checker{mode: c.Mode, token: []byte(c.CSRFToken), origins: o}, nil
}

// Check gives the identity behind r, or the refusal that answers it. It looks
// in Sente's order, so that a client with several faults learns the same one
// first: client-id (400), CSRF token (403), origin (403), then who it is
// (400, 401). The ids must be UTF-8, since they go into text frames.
//
// What Need asks for is to be found out first; then Admit goes on with it.
func (c *Checker) Check(r *Request) (Identity, Need, *Refusal) {
	if refusal := checkClient(r.Client); refusal != nil {
		return Identity{}, Need{}, refusal
	}
	if !c.tokenGood(r) {
		return Identity{}, Need{}, refuseToken
	}
	if !c.origins.allow(r) {
		return Identity{}, Need{}, refuseOrigin
	}
	id, refusal := c.identify(r)
	return id, Need{}, refusal
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

// tokenGood compares the CSRF token. The first one that is present counts, even
// if it is wrong and another would be right: param, x-csrf-token, x-xsrf-token.
// (A ClojureScript client without a token sends `x-csrf-token: null`: a token
// like others.) The time taken tells the length of the reference at most.
func (c *Checker) tokenGood(r *Request) bool {
	if len(c.token) == 0 {
		return true
	}
	given := r.CSRFParam
	if given == nil {
		given = r.XCSRF
	}
	if given == nil {
		given = r.XXSRF
	}
	return subtle.ConstantTimeCompare(given, c.token) == 1
}

// identify gives the identity of a request that may go on.
func (c *Checker) identify(r *Request) (Identity, *Refusal) {
	uid := r.Client
	switch c.mode {
	case Anonymous:
		return Identity{NilUID: true}, nil
	case Dev:
		if len(r.UIDParam) > 0 {
			uid = r.UIDParam
		}
	}
	switch {
	case len(uid) > maxUIDLen:
		return Identity{}, refuseUIDLong
	case !utf8.Valid(uid):
		return Identity{}, refuseUIDText
	}
	return Identity{UID: uid}, nil
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
