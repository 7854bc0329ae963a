package backend

import (
	"math"
	"strconv"
)

// From one request object to its fields (verbs.go: from those to what is asked for).
//
//	verb         which fields a verb has, now and later
//	readFields   the object's members by field: unknown, doubled and future ones refused
//	fields.*     one field each: kind, length, meaning

// field is the number of a name that the API knows.
type field uint8

const (
	fTenant field = iota
	fUID
	fUIDs
	fClient
	fAll
	fExcept
	fFlush
	fEvent
	fEDN
	fKeys
	fReplyTo
	fValue
	fCode
	fReason
	fTransit
	fTopic
	fKey
	fTTL
	fProducer
	fN
	fID
	fOp
	fRef
	fCount
	fieldCount
)

var fieldNames = [fieldCount]string{
	"tenant", "uid", "uids", "client", "all", "except", "flush", "event", "edn", "keys",
	"reply_to", "value", "code", "reason", "transit", "topic", "key", "ttl_ms", "producer", "n",
	"id", "op", "ref", "count",
}

// fieldSet is a bit per field.
type fieldSet uint32

func set(fs ...field) (s fieldSet) {
	for _, f := range fs {
		s |= 1 << f
	}
	return s
}

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// verb is one kind of request: the fields that it has, and those that are promised but that this
// version does not do: they are refused by name, as ignoring one would change what happens.
type verb struct {
	name       string
	now, later fieldSet
}

var (
	pushVerb = verb{"push",
		set(fTenant, fUID, fUIDs, fClient, fAll, fExcept, fFlush, fEvent, fEDN, fKeys),
		set(fTransit, fTopic, fKey, fTTL, fProducer, fN, fID, fOp, fRef, fCount)}
	replyVerb = verb{"reply",
		set(fReplyTo, fValue, fEDN, fKeys), set(fTransit, fOp, fRef)}
	closeVerb = verb{"close",
		set(fTenant, fUID, fClient, fCode, fReason), set(fTopic, fOp, fRef)}
)

// fields are the members of a request object, as spans of its line; nil = absent.
type fields [fieldCount][]byte

// readFields reads the object in line, all of it, for a verb.
func readFields(line []byte, v *verb, fs *fields) *Error {
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
		case known && v.now.has(f):
		case known && v.later.has(f):
			return bad("not_supported", "this version of chskd has no %q in a %s", name, v.name)
		default:
			return bad("unknown_field", "a %s has no field %q", v.name, name)
		}
		if fs[f] != nil {
			return bad("duplicate_field", "%q is there twice", name)
		}
		fs[f] = value
	}
}

func fieldNamed(name string) (field, bool) {
	for f, n := range fieldNames {
		if n == name {
			return field(f), true
		}
	}
	return 0, false
}

func wrongKind(f field, want string, raw []byte) *Error {
	return bad("bad_field", "%q must be %s, not %s", fieldNames[f], want, kindOf(raw))
}

// str gives a string of 1 to max bytes; absent is "".
func (fs *fields) str(f field, max int) (string, *Error) {
	raw := fs[f]
	if raw == nil {
		return "", nil
	}
	if raw[0] != '"' {
		return "", wrongKind(f, "a string", raw)
	}
	s, err := text(raw)
	if err != nil {
		return "", err
	}
	return s, checkLen(fieldNames[f], s, max)
}

// checkLen refuses empty and over-long names: "" names nobody, and is mostly a program's slip.
func checkLen(name, s string, max int) *Error {
	if s == "" {
		return bad("bad_field", "%q is empty", name)
	}
	if len(s) > max {
		return bad("bad_field", "%q is longer than %d bytes", name, max)
	}
	return nil
}

// strs gives an array of uids, each once, in their order.
func (fs *fields) strs(f field) ([]string, *Error) {
	raw := fs[f]
	if raw == nil {
		return nil, nil
	}
	if raw[0] != '[' {
		return nil, wrongKind(f, "an array of uids", raw)
	}
	var list []string
	seen := make(map[string]struct{})
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
		one := raw[start:o.i]
		if one[0] != '"' {
			return nil, bad("bad_field", "%q must hold strings only, not %s", fieldNames[f],
				kindOf(one))
		}
		uid, err := text(one)
		if err == nil {
			err = checkLen("a uid of "+fieldNames[f], uid, maxUID)
		}
		if err != nil {
			return nil, err
		}
		if _, twice := seen[uid]; !twice {
			seen[uid] = struct{}{}
			list = append(list, uid)
		}
	}
	return list, nil
}

// boolean gives true or false; absent is false.
func (fs *fields) boolean(f field) (bool, *Error) {
	raw := fs[f]
	if raw == nil {
		return false, nil
	}
	if raw[0] != 't' && raw[0] != 'f' {
		return false, wrongKind(f, "true or false", raw)
	}
	return raw[0] == 't', nil
}

// integer gives a whole number; absent is 0.
func (fs *fields) integer(f field) (int, *Error) {
	raw := fs[f]
	if raw == nil {
		return 0, nil
	}
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, wrongKind(f, "a whole number", raw)
	}
	n, err := strconv.ParseInt(string(raw), 10, 32)
	if err != nil {
		return 0, bad("bad_field", "%q must be a whole number from %d to %d, not %s",
			fieldNames[f], math.MinInt32, math.MaxInt32, raw)
	}
	return int(n), nil
}

// user gives who is named by tenant, uid and client.
func (fs *fields) user() (tenant, uid string, nilUID bool, client string, err *Error) {
	if raw := fs[fTenant]; string(raw) != `""` { // the default, written out
		if tenant, err = fs.str(fTenant, maxTenant); err != nil {
			return
		}
	}
	nilUID = string(fs[fUID]) == "null"
	if raw := fs[fUID]; raw != nil && !nilUID {
		if raw[0] != '"' {
			err = wrongKind(fUID, "a string or null", raw)
			return
		}
		if uid, err = fs.str(fUID, maxUID); err != nil {
			return
		}
	}
	if client, err = fs.str(fClient, maxClient); err == nil && client != "" && fs[fUID] == nil {
		err = bad("missing_field", `"client" comes with its "uid"`)
	}
	return
}
