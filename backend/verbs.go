package backend

import (
	"strings"

	"github.com/chskd/chskd/packer"
)

// ParsePush reads a push request. The Event may be a part of line.
func ParsePush(line []byte) (*Push, *Error) {
	var fs fields
	if err := readFields(line, &pushVerb, &fs); err != nil {
		return nil, err
	}
	p := new(Push)
	if err := fs.receivers(p); err != nil {
		return nil, err
	}
	var err *Error
	if p.Flush, err = fs.boolean(fFlush); err != nil {
		return nil, err
	}
	if p.Format, p.Event, err = fs.content(fEvent); err != nil {
		return nil, err
	}
	return p, nil
}

// receivers reads to whom a push goes: exactly one of uid, uids and all.
func (fs *fields) receivers(p *Push) (err *Error) {
	var uid string
	if p.Tenant, uid, p.NilUID, p.Client, err = fs.user(); err != nil {
		return err
	}
	if p.UIDs, err = fs.strs(fUIDs); err != nil {
		return err
	}
	if p.All, err = fs.boolean(fAll); err != nil {
		return err
	}
	if p.Except, err = fs.strs(fExcept); err != nil {
		return err
	}
	named := 0
	for _, given := range []bool{fs[fUID] != nil, fs[fUIDs] != nil, p.All} {
		if given {
			named++
		}
	}
	switch {
	case named == 0:
		return bad("missing_field", `to whom? one of "uid", "uids" and "all": true must be given`)
	case named > 1:
		return bad("conflict", `only one of "uid", "uids" and "all" can be given`)
	case fs[fExcept] != nil && !p.All:
		return bad("conflict", `"except" goes with "all": true`)
	case fs[fUIDs] != nil && len(p.UIDs) == 0:
		return bad("bad_field", `"uids" is empty`)
	}
	if uid != "" {
		p.UIDs = []string{uid}
	}
	return nil
}

// ParseReply reads a reply request. The Value may be a part of line.
func ParseReply(line []byte) (*Reply, *Error) {
	var fs fields
	if err := readFields(line, &replyVerb, &fs); err != nil {
		return nil, err
	}
	if fs[fReplyTo] == nil {
		return nil, bad("missing_field", `"reply_to" of the event that is answered must be given`)
	}
	token, err := fs.str(fReplyTo, maxUID)
	if err != nil {
		return nil, err
	}
	format, value, err := fs.content(fValue)
	if err != nil {
		return nil, err
	}
	return &Reply{Token: token, Format: format, Value: value}, nil
}

// ParseClose reads a close request.
func ParseClose(line []byte) (*Close, *Error) {
	var fs fields
	if err := readFields(line, &closeVerb, &fs); err != nil {
		return nil, err
	}
	if fs[fUID] == nil {
		return nil, bad("missing_field", `whose sessions? "uid" must be given`)
	}
	c := &Close{Code: 1000}
	var err *Error
	if c.Tenant, c.UID, c.NilUID, c.Client, err = fs.user(); err != nil {
		return nil, err
	}
	if fs[fCode] != nil {
		if c.Code, err = fs.integer(fCode); err != nil {
			return nil, err
		}
		if !mayClose(c.Code) {
			return nil, bad("bad_field",
				`"code" %d is not for use: 1000-1003, 1007-1014 or 3000-4999`, c.Code)
		}
	}
	if raw := fs[fReason]; string(raw) != `""` {
		c.Reason, err = fs.str(fReason, maxReason)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// mayClose tells whether a close frame may carry the code (RFC 6455 §7.4.1, §7.4.2).
func mayClose(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
		code >= 3000 && code <= 4999
}

// content gives the event or value of a request, checked, in the format that it came in. An event
// or value in JSON with "keys": "string" comes out as edn, which can say what that means.
func (fs *fields) content(json field) (packer.Format, []byte, *Error) {
	raw, edn, name := fs[json], fs[fEDN], fieldNames[json]
	stringKeys, err := fs.stringKeys()
	switch {
	case err != nil:
		return 0, nil, err
	case raw != nil && edn != nil:
		return 0, nil, bad("conflict", `only one of %q and "edn" can be given`, name)
	case raw == nil && edn == nil:
		return 0, nil, bad("missing_field", `one of %q and "edn" must be given`, name)
	case edn != nil && fs[fKeys] != nil:
		return 0, nil, bad("conflict", `"keys" says how JSON is read; it has no use with "edn"`)
	}
	format, value := packer.JSON, raw
	if edn != nil {
		s, err := fs.ednText()
		if err != nil {
			return 0, nil, err
		}
		format, value = packer.EDN, []byte(s)
	}
	if err := checkContent(format, value, json); err != nil {
		return 0, nil, err
	}
	var e error
	if format == packer.EDN {
		// Comments around the value would swallow what it is pasted into.
		value, e = format.Value(value)
	} else if stringKeys {
		o := packer.Options{Event: json == fEvent, StringKeys: true}
		format = packer.EDN
		value, e = packer.Append(nil, format, value, packer.JSON, o)
	}
	if e != nil {
		return 0, nil, bad("bad_"+name, "%q: %s", name, peopleText(e))
	}
	return format, value, nil
}

func checkContent(format packer.Format, value []byte, json field) *Error {
	var err error
	if json == fEvent {
		_, err = format.CheckEvent(value)
	} else {
		err = format.CheckValue(value)
	}
	if err == nil {
		return nil
	}
	name := fieldNames[json]
	if format == packer.EDN {
		return bad("bad_"+name, `"edn": %s`, peopleText(err))
	}
	return bad("bad_"+name, "%q: %s", name, peopleText(err))
}

// peopleText is an error's text without its package prefix, which means nothing to a caller.
func peopleText(err error) string {
	s := err.Error()
	for _, prefix := range []string{"packer: ", "backend: ", "engine: "} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

func (fs *fields) ednText() (string, *Error) {
	raw := fs[fEDN]
	if raw[0] != '"' {
		return "", wrongKind(fEDN, "a string that holds edn", raw)
	}
	return text(raw)
}

func (fs *fields) stringKeys() (bool, *Error) {
	switch raw := fs[fKeys]; string(raw) {
	case "", `"keyword"`:
		return false, nil
	case `"string"`:
		return true, nil
	default:
		return false, bad("bad_field", `"keys" must be "keyword" or "string", not %s`, raw)
	}
}
