package backend

import (
	"bytes"
	"strconv"
	"strings"
)

// From one request object to its fields (verbs.go: from those to what is asked for).
//
//	verb         which fields a verb has
//	parser.read  the object's members by field; doubled ones refused
//	fields.only  those refused that the verb does not have, and names that no verb has
//	parser.*     one field each: kind, length, meaning

// field is the number of a name that the API knows.
type field uint8

const (
	fTenant field = iota
	fUID
	fUIDs
	fClient
	fAll
	fTopic
	fExcept
	fEvent
	fValue
	fEDN
	fTransit
	fKeys
	fFlush
	fKey
	fTTL
	fProducer
	fN
	fID
	fReplyTo
	fCode
	fReason
	fRevoke
	fAfter
	fLimit
	fGroup
	fFormat
	fIDs
	fPresence
	fAck
	fEpoch
	fConsumer
	fSeq
	fOp
	fRef
	fCount
	fieldCount
)

var fieldNames = [fieldCount]string{
	"tenant", "uid", "uids", "client", "all", "topic", "except", "event", "value", "edn", "transit",
	"keys", "flush", "key", "ttl_ms", "producer", "n", "id", "reply_to", "code", "reason", "revoke",
	"after", "limit", "group", "format", "ids", "presence", "ack", "epoch", "consumer", "seq", "op", "ref",
	"count",
}

// fieldSet is a bit per field.
type fieldSet uint64

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// String lists the fields, for people.
func (s fieldSet) String() string {
	var names []string
	for f, name := range fieldNames {
		if s.has(field(f)) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// fieldNamed finds a field. A switch compiles to a search by length and text; nothing is hashed.
func fieldNamed(name []byte) (field, bool) {
	switch string(name) {
	case "tenant":
		return fTenant, true
	case "uid":
		return fUID, true
	case "event":
		return fEvent, true
	case "edn":
		return fEDN, true
	case "op":
		return fOp, true
	case "ref":
		return fRef, true
	}
	for f, n := range fieldNames {
		if n == string(name) {
			return field(f), true
		}
	}
	return 0, false
}

// fields are the members of a request object, as spans of its line; nil = absent.
type fields struct {
	raw   [fieldCount][]byte
	has   fieldSet
	odd   string // the first name that no field has
	isOdd bool   // there is one
}

// read takes the members of the object in line, all of it. Names that no verb has are noted only:
// which verb it is may be said behind them.
func (fs *fields) read(line []byte) *Error {
	*fs = fields{}
	o := object{b: line}
	if err := o.open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		name, value, ok, err := o.next(first)
		if err != nil || !ok {
			return err
		}
		f, known := fieldNamed(name)
		switch {
		case !known && !fs.isOdd:
			fs.odd, fs.isOdd = string(name), true
		case known && fs.has.has(f):
			return bad("duplicate_field", "%q is there twice", name)
		case known:
			fs.raw[f] = value
			fs.has |= 1 << f
		}
	}
}

// only refuses what a verb does not have: what is not understood is not ignored, as it would
// change what happens.
func (fs *fields) only(verb string, takes fieldSet) *Error {
	name := fs.odd
	if !fs.isOdd {
		rest := fs.has &^ takes
		if rest == 0 {
			return nil
		}
		for f := range fieldCount {
			if rest.has(f) {
				name = fieldNames[f]
				break
			}
		}
	}
	if takes == 0 {
		return bad("unknown_field", "%q has no field %q; it has none", verb, clip(name))
	}
	return bad("unknown_field", "%q has no field %q; it has: %s", verb, clip(name), takes)
}

// findRef gives the `ref` of a line that cannot be read as a whole, for the answer that says so;
// nil when there is none that can be told back.
func findRef(line []byte) []byte {
	o := object{b: line}
	if o.space(); o.peek() != '{' {
		return nil
	}
	o.i++
	for first := true; ; first = false {
		name, value, ok, err := o.next(first)
		if err != nil || !ok {
			return nil
		}
		if string(name) == "ref" {
			if checkRef(value) != nil {
				return nil
			}
			return value
		}
	}
}

// names makes strings out of spans of a buffer that is reused. They live as long as somebody holds
// them, and many of them share one piece of memory: not each is an allocation.
type names struct {
	chunk strings.Builder
	size  int
}

const namesChunk = 8 << 10

func (n *names) keep(b []byte) string {
	if n.chunk.Cap()-n.chunk.Len() < len(b) {
		n.size = max(len(b), min(2*n.size, namesChunk))
		n.chunk = strings.Builder{}
		n.chunk.Grow(n.size)
	}
	start := n.chunk.Len()
	n.chunk.Write(b)
	return n.chunk.String()[start:]
}

// parser turns request objects into what they ask for, one after the other. It reuses its memory:
// what it gives is valid until the next read, except strings. The zero value is ready; it must not
// be copied once used. One goroutine.
type parser struct {
	fields
	names names
	push  Push
	uids  []string
	once  once
	text  []byte // edn without its JSON quotes
	value []byte // an event that was written anew
}

func wrongKind(f field, want string, raw []byte) *Error {
	return bad("bad_field", "%q must be %s, not %s", fieldNames[f], want, kindOf(raw))
}

// str gives a string of 1 to max bytes; absent is "".
func (p *parser) str(f field, max int) (string, *Error) {
	raw := p.raw[f]
	if raw == nil {
		return "", nil
	}
	if raw[0] != '"' {
		return "", wrongKind(f, "a string", raw)
	}
	s, err := p.string(raw)
	if err != nil {
		return "", err
	}
	return s, checkLen(fieldNames[f], s, max)
}

// string gives the text of a checked JSON string.
func (p *parser) string(raw []byte) (string, *Error) {
	if bytes.IndexByte(raw, '\\') >= 0 {
		return text(raw)
	}
	return p.names.keep(raw[1 : len(raw)-1]), nil
}

// checkLen refuses empty and over-long names: "" names nobody, and is mostly a program's slip.
func checkLen(name, s string, max int) *Error {
	if s == "" {
		return bad("bad_field", "%q is empty; it must have 1 to %d bytes, or be left out", name, max)
	}
	if len(s) > max {
		return bad("bad_field", "%q is longer than %d bytes", name, max)
	}
	return nil
}

// strs appends the strings of an array, each once, in their order; one says what each is.
func (p *parser) strs(list []string, f field, one string, max int) ([]string, *Error) {
	raw := p.raw[f]
	if raw == nil {
		return list, nil
	}
	if raw[0] != '[' {
		return nil, wrongKind(f, "an array of "+one+"s", raw)
	}
	seen := seen{}
	o := object{b: raw, i: 1}
	for o.space(); o.peek() != ']'; o.space() {
		if o.peek() == ',' {
			o.i++
			continue
		}
		start := o.i
		if err := o.value(0); err != nil {
			return nil, err
		}
		quoted := raw[start:o.i]
		if quoted[0] != '"' {
			return nil, bad("bad_field", "%q must hold strings only, not %s", fieldNames[f],
				kindOf(quoted))
		}
		s, err := p.string(quoted)
		if err == nil && (s == "" || len(s) > max) {
			err = bad("bad_field", "each %s of %q must have 1 to %d bytes, not %d", one,
				fieldNames[f], max, len(s))
		}
		if err != nil {
			return nil, err
		}
		if !seen.before(list, s) {
			list = append(list, s)
		}
	}
	return list, nil
}

// seen tells whether a list holds a string already. A short list is looked through.
type seen struct{ set map[string]struct{} }

func (s *seen) before(list []string, one string) bool {
	const short = 16
	if s.set == nil && len(list) < short {
		for _, o := range list {
			if o == one {
				return true
			}
		}
		return false
	}
	if s.set == nil {
		s.set = make(map[string]struct{}, 2*short)
		for _, o := range list {
			s.set[o] = struct{}{}
		}
	}
	_, twice := s.set[one]
	s.set[one] = struct{}{}
	return twice
}

// boolean gives true or false; absent is false.
func (p *parser) boolean(f field) (bool, *Error) {
	raw := p.raw[f]
	if raw == nil {
		return false, nil
	}
	if raw[0] != 't' && raw[0] != 'f' {
		return false, wrongKind(f, "true or false", raw)
	}
	return raw[0] == 't', nil
}

// integer gives a whole number within bounds; absent is 0.
func (p *parser) integer(f field, from, to int64) (int64, *Error) {
	raw := p.raw[f]
	if raw == nil {
		return 0, nil
	}
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, wrongKind(f, "a whole number", raw)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < from || n > to {
		return 0, bad("bad_field", "%q must be a whole number from %d to %d, not %s",
			fieldNames[f], from, to, clip(string(raw)))
	}
	return n, nil
}

// user is who is named by tenant, uid and client.
type user struct {
	tenant, uid string
	nilUID      bool
	client      string
}

func (p *parser) user() (u user, err *Error) {
	if raw := p.raw[fTenant]; string(raw) != `""` { // the default, written out
		if u.tenant, err = p.str(fTenant, maxTenant); err != nil {
			return u, err
		}
	}
	u.nilUID = string(p.raw[fUID]) == "null"
	if raw := p.raw[fUID]; raw != nil && !u.nilUID {
		if raw[0] != '"' {
			return u, wrongKind(fUID, "a string or null", raw)
		}
		if u.uid, err = p.str(fUID, maxUID); err != nil {
			return u, err
		}
	}
	u.client, err = p.str(fClient, maxClient)
	if err == nil && u.client != "" && p.raw[fUID] == nil {
		err = bad("missing_field", `"client" comes with its "uid"`)
	}
	return u, err
}

// clip bounds what a message repeats of a request.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
