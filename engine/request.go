package engine

import (
	"github.com/chskd/chskd/arena"
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/httpmin"
)

// request is what an answer needs to know about the request that it answers.
//
// Owner: loop.
type request struct {
	close  bool   // the conn ends with the answer
	head   bool   // HEAD: the body stays away
	minor  int    // HTTP/1.minor
	origin []byte // to allow by CORS; nil = none
}

// requestOf reads it off a head. The origin is a slice of the head's input.
func (l *loop) requestOf(h *httpmin.Head) request {
	q := request{close: !h.KeepAlive || l.draining, minor: h.Minor, head: string(h.Method) == "HEAD"}
	if h.Origin != nil && len(h.Origin) <= arena.MaxLen && l.opts.Auth.AllowOrigin(h.Origin, h.Host) {
		q.origin = h.Origin
	}
	return q
}

// respond writes an answer and makes the conn ready for the next request, or ends it.
func (l *loop) respond(slot uint32, c *conn, q *request, r httpmin.Response, body []byte) bool {
	r.Close, r.Minor, r.Head, r.Origin, r.Date = q.close, q.minor, q.head, q.origin, l.date[:]
	l.scratch = httpmin.AppendResponse(l.scratch[:0], &r, len(body))
	if !r.NoBody() {
		l.scratch = append(l.scratch, body...)
	}
	end := q.close
	if !l.write(slot, c, l.scratch) {
		return false
	}
	if end {
		l.finish(slot, c)
		return false
	}
	l.rest(slot, c)
	return true
}

// rest is the state of a kept-alive conn between two requests.
func (l *loop) rest(slot uint32, c *conn) {
	c.state, c.since = sHead, l.now
	l.conns.dropExtra(slot)
	if c.flags&fIdleArmed == 0 {
		c.flags |= fIdleArmed
		l.timers.idle.Push(l.conns.timer(slot), l.now+l.opts.Limits.IdleMs)
	}
}

// respondText answers with a plain sentence.
func (l *loop) respondText(slot uint32, c *conn, q *request, status int, text string) bool {
	return l.respond(slot, c, q, httpmin.Response{Status: status, ContentType: httpmin.TypeText}, []byte(text))
}

// refuse answers a request that cannot be read, and ends the conn: where the next
// request would begin is not known.
func (l *loop) refuse(slot uint32, c *conn, status int, reason string) {
	l.m.BadRequests.Add(1)
	q := request{close: true, minor: 1}
	r := httpmin.Response{Status: status, ContentType: httpmin.TypeText}
	if status == 426 {
		r.WSVersion = true
	}
	l.respond(slot, c, &q, r, []byte(reason))
}

// params are the parameters of a channel-socket request, decoded. nil = absent.
// The slices are valid until the next request is read.
type params struct {
	client, csrf, uid, udt, packer, ppstr []byte
	handshake                             bool
}

// readParams reads query and form; a query parameter wins over one of the form.
func (l *loop) readParams(query, form []byte) params {
	var p params
	l.form = l.form[:0]
	for _, src := range [2][]byte{query, form} {
		for len(src) > 0 {
			var name, value []byte
			name, value, src = httpmin.NextParam(src)
			if dst := p.field(name); dst == nil {
				// `handshake?` counts by its presence alone, whatever its value.
				p.handshake = p.handshake || httpmin.NameIs(name, "handshake?")
			} else if *dst == nil {
				*dst = l.unescape(value)
			}
		}
	}
	return p
}

// field is where the parameter of an encoded name goes, nil for one that means
// nothing here.
func (p *params) field(name []byte) *[]byte {
	switch {
	case httpmin.NameIs(name, "client-id"):
		return &p.client
	case httpmin.NameIs(name, "csrf-token"):
		return &p.csrf
	case httpmin.NameIs(name, "uid"):
		return &p.uid
	case httpmin.NameIs(name, "udt"):
		return &p.udt
	case httpmin.NameIs(name, "packer"):
		return &p.packer
	case httpmin.NameIs(name, "ppstr"):
		return &p.ppstr
	}
	return nil
}

// unescape decodes a parameter's value into the loop's scratch; an earlier result
// stays valid when the scratch moves.
func (l *loop) unescape(raw []byte) []byte {
	at := len(l.form)
	l.form = httpmin.AppendUnescaped(l.form, raw)
	if len(l.form) == at {
		return []byte{} // present and empty
	}
	return l.form[at:len(l.form):len(l.form)]
}

// identify checks who sends a request: client-id, token, origin, uid. The refusal is
// asked when that is to be found out first: the request then waits.
func (l *loop) identify(slot uint32, c *conn, h *httpmin.Head, p *params) (identity, *auth.Refusal) {
	uid := p.uid
	if l.opts.RememberUID && p.client != nil {
		uid = l.remember(h, p)
	}
	r := auth.Request{
		Client: p.client, UIDParam: uid, CSRFParam: p.csrf, XCSRF: h.CSRFToken, XXSRF: h.XSRFToken,
		Origin: h.Origin, Referer: h.Referer, Host: h.Host,
		Ajax: !h.Upgrade, Post: !h.Upgrade && string(h.Method) == "POST",
		SecFetchSite: h.SecFetchSite, Cookie: h.Cookie, Authorization: h.Authorization,
		Protocol: h.WSProtocol, Query: h.RawQuery,
	}
	l.addressed(slot, h, &r)
	if l.eng.userField != "" && !l.proxyFields(h, &r) {
		l.m.Refused.Add(1)
		return identity{}, refuseDoubled
	}
	var g *auth.Grant
	came := l.now
	who, need, refusal := l.opts.Auth.Check(&r)
	if need.Kind != auth.NeedNothing {
		if g, came = l.grantOf(slot, c, &r, need); g == nil {
			return identity{}, asked
		}
		who, refusal = l.opts.Auth.Admit(&r, g, l.wall.UnixMilli())
	}
	if refusal != nil {
		l.m.Refused.Add(1)
		return identity{}, refusal
	}
	return identity{tenant: who.Tenant, uid: who.UID, client: p.client, nilUID: who.NilUID,
		grant: g, came: came}, nil
}

var refuseDoubled = &auth.Refusal{Status: 400, Body: "a field that says who it is stands there twice"}

// proxyFields reads what a trusted proxy says who it is. It reports false when that is
// said twice: the second may be the proxy's, behind one of the client's own.
func (l *loop) proxyFields(h *httpmin.Head, r *auth.Request) bool {
	var twice bool
	if r.UserField, twice = h.Only(l.eng.userField); twice {
		return false
	}
	if l.eng.tenantField != "" {
		r.TenantField, twice = h.Only(l.eng.tenantField)
	}
	return !twice
}

// remember is the uid of a request in auth mode dev: Sente's clients send the parameter
// with sockets and polls, and not with POSTs, so the last of those counts for these.
func (l *loop) remember(h *httpmin.Head, p *params) []byte {
	switch known, ok := l.eng.memory.Get(p.client); {
	case p.uid != nil:
		l.eng.memory.Put(p.client, p.uid)
	case !ok:
	case string(h.Method) == "POST":
		return []byte(known)
	default: // it has given its uid up
		l.eng.memory.Put(p.client, p.client)
	}
	return p.uid
}
