package auth

// Need is what must be found out about a request before it may go on, and cannot be
// on a loop: it takes a signature check of many microseconds, or a request to the
// application.
type Need struct {
	Kind  NeedKind
	Token []byte // NeedJWT: the token, a part of the Request
}

// NeedKind says who can find it out.
type NeedKind uint8

// The kinds of need.
const (
	NeedNothing NeedKind = iota // the Identity is known
	NeedJWT                     // Need.Token is to be checked
	NeedHook                    // the application is to be asked
)

// Grant is what was found out: who the client is, and what it may do for how long,
// or that it may not come in.
//
// Immutable: the requests of one client on several loops share one.
type Grant struct {
	Tenant, UID string
	NilUID      bool     // without uid
	Handshake   []byte   // an edn value for its handshake, nil for the server's own
	CSRF        string   // reference token that its requests must carry; "" = none of its own
	Topics      []string // that its session is in while this grant holds
	Expires     int64    // ms since 1970, 0 = never
	Refusal     *Refusal // nil = granted
}
