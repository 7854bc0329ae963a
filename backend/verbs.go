package backend

import (
	"time"

	"github.com/chskd/chskd/packer"
)

// From the fields of a request to what it asks for, a verb each; the same over both dialects.

// maxExact is the largest whole number that every JSON reader keeps exactly.
const maxExact = 1<<53 - 1

const (
	userFields    = 1<<fTenant | 1<<fUID | 1<<fClient
	contentFields = 1<<fEDN | 1<<fTransit | 1<<fKeys
	pushFields    = userFields | contentFields | 1<<fUIDs | 1<<fAll | 1<<fTopic | 1<<fExcept |
		1<<fEvent | 1<<fFlush | 1<<fKey | 1<<fTTL | 1<<fProducer | 1<<fN | 1<<fID
	replyFields     fieldSet = contentFields | 1<<fValue | 1<<fReplyTo
	closeFields     fieldSet = userFields | 1<<fCode | 1<<fReason | 1<<fRevoke
	memberFields    fieldSet = userFields | 1<<fTopic
	ackFields       fieldSet = 1<<fEpoch | 1<<fConsumer | 1<<fSeq
	connectedFields fieldSet = 1<<fTenant | 1<<fUID | 1<<fTopic | 1<<fAfter | 1<<fLimit
	subscribeFields fieldSet = 1<<fGroup | 1<<fFormat | 1<<fIDs | 1<<fPresence | 1<<fAck
)

// once names a push, so that it is done once however often it comes: by the counter of a producer,
// or by an id of its own.
type once struct {
	producer string
	n        uint64 // of the producer, from 1; 0 = none
	id       string
}

func (o *once) given() bool { return o.n != 0 || o.id != "" }

// ParsePush reads a push request. The Event may be a part of line.
func ParsePush(line []byte) (*Push, *Error) {
	p := new(parser)
	if err := p.readHTTP(line, "push", pushFields); err != nil {
		return nil, err
	}
	push, err := p.asPush()
	if err != nil {
		return nil, err
	}
	return push, nil
}

// readHTTP reads an object whose verb the path has said. Lines may say it again, so that the same
// file can be sent over both dialects; what only the other one can do is refused.
func (p *parser) readHTTP(line []byte, verb string, takes fieldSet) *Error {
	if err := p.read(line); err != nil {
		return err
	}
	switch op := p.raw[fOp]; {
	case op != nil && string(op) != `"`+verb+`"`:
		return bad("conflict", `"op" is %s, but this path does %q`, clip(string(op)), verb)
	case p.raw[fRef] != nil || p.raw[fCount] != nil:
		return bad("unknown_field", `"ref" and "count" are for the line dialect; over HTTP the `+
			`response is the answer`)
	}
	return p.only(verb, takes|1<<fOp)
}

// asPush gives the push of an object that was read. It is reused by the next one.
func (p *parser) asPush() (*Push, *Error) {
	push := &p.push
	*push = Push{}
	err := p.receivers(push)
	if err == nil {
		push.Flush, err = p.boolean(fFlush)
	}
	if err == nil && p.raw[fKey] != nil {
		push.Key, err = p.str(fKey, maxKey)
	}
	if err == nil && p.raw[fTTL] != nil {
		var ms int64
		ms, err = p.integer(fTTL, 1, int64(maxTTL/time.Millisecond))
		push.TTL = time.Duration(ms) * time.Millisecond
	}
	if err == nil {
		err = p.asOnce()
	}
	if err == nil {
		push.Format, push.Event, err = p.content(fEvent)
	}
	return push, err
}

// receivers reads to whom a push goes: exactly one of uid, uids, topic and all.
func (p *parser) receivers(push *Push) *Error {
	u, err := p.user()
	if err != nil {
		return err
	}
	push.Tenant, push.NilUID, push.Client = u.tenant, u.nilUID, u.client
	if p.uids, err = p.strs(p.uids[:0], fUIDs, "uid", maxUID); err != nil {
		return err
	}
	if push.Topic, err = p.str(fTopic, maxTopic); err != nil {
		return err
	}
	if push.All, err = p.boolean(fAll); err != nil {
		return err
	}
	if push.Except, err = p.strs(nil, fExcept, "uid", maxUID); err != nil {
		return err
	}
	named := 0
	for _, given := range [4]bool{
		p.raw[fUID] != nil, p.raw[fUIDs] != nil, p.raw[fTopic] != nil, push.All,
	} {
		if given {
			named++
		}
	}
	switch {
	case named == 0:
		return bad("missing_field",
			`to whom? one of "uid", "uids", "topic" and "all": true must be given`)
	case named > 1:
		return bad("conflict", `only one of "uid", "uids", "topic" and "all" can be given`)
	case p.raw[fExcept] != nil && !push.All && push.Topic == "":
		return bad("conflict", `"except" goes with "all": true or "topic"`)
	case p.raw[fUIDs] != nil && len(p.uids) == 0:
		return bad("bad_field", `"uids" is empty; it must name at least one user`)
	}
	if u.uid != "" {
		p.uids = append(p.uids, u.uid)
	}
	if len(p.uids) > 0 {
		push.UIDs = p.uids
	}
	return nil
}

// asOnce reads by what a repeated push is known.
func (p *parser) asOnce() (err *Error) {
	p.once = once{}
	if p.has&(1<<fProducer|1<<fN|1<<fID) == 0 {
		return nil
	}
	switch {
	case p.raw[fID] != nil && (p.raw[fProducer] != nil || p.raw[fN] != nil):
		return bad("conflict", `only one of "id" and "producer" with "n" can be given`)
	case p.raw[fProducer] != nil && p.raw[fN] == nil:
		return bad("missing_field", `"producer" comes with "n", which grows from push to push`)
	case p.raw[fN] != nil && p.raw[fProducer] == nil:
		return bad("missing_field", `"n" comes with its "producer"`)
	}
	if p.once.id, err = p.str(fID, maxOnceName); err != nil {
		return err
	}
	if p.once.producer, err = p.str(fProducer, maxOnceName); err != nil {
		return err
	}
	n, err := p.integer(fN, 1, maxExact)
	p.once.n = uint64(n)
	return err
}

func (p *parser) asReply() (r Reply, err *Error) {
	if p.raw[fReplyTo] == nil {
		return r, bad("missing_field", `"reply_to" of the event that is answered must be given`)
	}
	if r.Token, err = p.str(fReplyTo, maxUID); err != nil {
		return r, err
	}
	r.Format, r.Value, err = p.content(fValue)
	return r, err
}

// What a close with revoke says when the request does not: in the words of HTTP, forbidden.
const (
	codeRevoked   = 4403
	reasonRevoked = "identity revoked"
)

func (p *parser) asClose() (c Close, err *Error) {
	if p.raw[fUID] == nil {
		return c, bad("missing_field", `whose sessions? "uid" must be given`)
	}
	u, err := p.user()
	if err != nil {
		return c, err
	}
	c = Close{Tenant: u.tenant, UID: u.uid, NilUID: u.nilUID, Client: u.client, Code: 1000}
	if c.Revoke, err = p.boolean(fRevoke); err != nil {
		return c, err
	}
	switch {
	case c.Revoke && (c.NilUID || c.Client != ""):
		return c, bad("conflict", `"revoke" is for all that a user was given: it comes with a "uid", `+
			`and without "client"`)
	case c.Revoke:
		c.Code, c.Reason = codeRevoked, reasonRevoked
	}
	if p.raw[fCode] != nil {
		code, err := p.integer(fCode, 1000, 4999)
		if err != nil {
			return c, err
		}
		if c.Code = int(code); !mayClose(c.Code) {
			return c, bad("bad_field",
				`"code" %d is not for use: 1000-1003, 1007-1014 or 3000-4999`, c.Code)
		}
	}
	if raw := p.raw[fReason]; raw != nil {
		c.Reason = ""
		if string(raw) != `""` {
			c.Reason, err = p.str(fReason, maxReason)
		}
	}
	return c, err
}

// mayClose tells whether a close frame may carry the code (RFC 6455 §7.4.1, §7.4.2).
func mayClose(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
		code >= 3000 && code <= 4999
}

// asMembership reads who joins or leaves what.
func (p *parser) asMembership() (m Membership, err *Error) {
	switch {
	case p.raw[fUID] == nil:
		return m, bad("missing_field", `who? "uid" must be given, or "uid" and "client"`)
	case p.raw[fTopic] == nil:
		return m, bad("missing_field", `which topic? "topic" must be given`)
	}
	u, err := p.user()
	if err != nil {
		return m, err
	}
	m = Membership{Tenant: u.tenant, UID: u.uid, NilUID: u.nilUID, Client: u.client}
	if m.NilUID && m.Client == "" {
		return m, bad("missing_field", `the users without uid are many: "client" must be given, `+
			`or use "all": true to push to everybody`)
	}
	m.Topic, err = p.str(fTopic, maxTopic)
	return m, err
}

// acknowledgement says up to which line a consumer has done its work.
type acknowledgement struct {
	epoch, consumer string
	seq             uint64
}

func (p *parser) asAck() (a acknowledgement, err *Error) {
	for _, f := range []field{fEpoch, fConsumer, fSeq} {
		if p.raw[f] == nil {
			return a, bad("missing_field", `%q must be given: "epoch" and "consumer" are in the `+
				`stream's hello, "seq" in its lines`, fieldNames[f])
		}
	}
	if a.epoch, err = p.str(fEpoch, maxOnceName); err != nil {
		return a, err
	}
	if a.consumer, err = p.str(fConsumer, maxOnceName); err != nil {
		return a, err
	}
	seq, err := p.integer(fSeq, 1, maxExact)
	a.seq = uint64(seq)
	return a, err
}

// asPage reads which page of all users, or of a topic's, is asked for.
func (p *parser) asPage() (q Query, err *Error) {
	u, err := p.user()
	if err != nil {
		return q, err
	}
	q = Query{Tenant: u.tenant, Limit: pageUsers}
	if p.raw[fLimit] != nil {
		limit, err := p.integer(fLimit, 1, maxPageUsers)
		if err != nil {
			return q, err
		}
		q.Limit = int(limit)
	}
	if q.Topic, err = p.str(fTopic, maxTopic); err != nil {
		return q, err
	}
	q.After, err = p.str(fAfter, maxUID)
	return q, err
}

// asSubscription reads what a consumer asks for over lines; parseSubscription does over HTTP.
func (p *parser) asSubscription() (sub subscription, err *Error) {
	sub.group, sub.format = defaultGroup, packer.JSON
	if p.raw[fGroup] != nil {
		if sub.group, err = p.str(fGroup, maxGroupName); err != nil {
			return sub, err
		}
	}
	if p.raw[fFormat] != nil {
		name, err := p.str(fFormat, maxOnceName)
		if err != nil {
			return sub, err
		}
		if sub.format, err = streamFormat(name, "bad_field"); err != nil {
			return sub, err
		}
	}
	if p.raw[fIDs] != nil {
		if sub.ids, err = p.asGlobs(); err != nil {
			return sub, err
		}
	}
	switch raw := p.raw[fPresence]; string(raw) {
	case "", "false":
	case "true":
		sub.presence = followSlots
	case `"all"`:
		sub.presence = followAll
	default:
		return sub, bad("bad_field", `"presence" must be true, false or "all", not %s`,
			clip(string(raw)))
	}
	sub.ack, err = p.boolean(fAck)
	return sub, err
}

// asGlobs reads `ids`: an array of patterns, or one string.
func (p *parser) asGlobs() (globs, *Error) {
	list := []string(nil)
	raw := p.raw[fIDs]
	switch raw[0] {
	case '"':
		s, err := p.str(fIDs, maxGlobs*maxGlob)
		if err != nil {
			return nil, err
		}
		list = []string{s}
	case '[':
		var err *Error
		if list, err = p.strs(nil, fIDs, "pattern", maxGlob); err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, bad("bad_field", `"ids" is empty; leave it out to get all events`)
		}
	default:
		return nil, wrongKind(fIDs, "an array of patterns, or one pattern", raw)
	}
	g, err := parseGlobs(list)
	if err != nil {
		err.Code = "bad_field"
	}
	return g, err
}

func streamFormat(name, code string) (packer.Format, *Error) {
	f, ok := packer.Named(name)
	if !ok || f == packer.Msgpack {
		return 0, bad(code, `"format" must be json, edn or transit, not %q`, clip(name))
	}
	return f, nil
}
