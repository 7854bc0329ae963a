package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chskd/chskd/packer"
)

// expiresMax bounds what an expiry may be, in s since 1970: year 9999, so that a time that was
// meant in ms is found out.
const expiresMax = 253402300799

func (a *answer) uid(raw json.RawMessage) (err error) {
	if string(raw) == "null" {
		a.grant.NilUID = true
		return nil
	}
	if raw[0] != '"' {
		return wrongKind("uid", "a string or null", raw)
	}
	a.grant.UID, err = text("uid", raw, 1, maxUID)
	return err
}

func (a *answer) tenant(raw json.RawMessage) (err error) {
	a.grant.Tenant, err = text("tenant", raw, 0, maxTenant)
	return err
}

// csrf: "" is no token. It is refused, so that a session that has lost its token is not one that
// needs none.
func (a *answer) csrf(raw json.RawMessage) (err error) {
	a.grant.CSRF, err = text("csrf_token", raw, 1, maxCSRF)
	return err
}

func (a *answer) topics(raw json.RawMessage) error {
	if raw[0] != '[' {
		return wrongKind("topics", "an array of strings", raw)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return reason(`"topics" is not JSON`)
	}
	if len(list) > maxTopics {
		return reasonf(`"topics" has %d entries; the most are %d`, len(list), maxTopics)
	}
	for i, one := range list {
		topic, err := text(fmt.Sprintf("topics[%d]", i), one, 1, maxTopic)
		if err != nil {
			return err
		}
		if !slices.Contains(a.grant.Topics, topic) {
			a.grant.Topics = append(a.grant.Topics, topic)
		}
	}
	return nil
}

func (a *answer) handshake(raw json.RawMessage) error {
	return a.data("handshake", raw, packer.JSON)
}

func (a *answer) handshakeEDN(raw json.RawMessage) error {
	edn, err := text("handshake_edn", raw, 1, bodyMax)
	if err != nil {
		return err
	}
	return a.data("handshake_edn", []byte(edn), packer.EDN)
}

func (a *answer) handshakeTransit(raw json.RawMessage) error {
	return a.data("handshake_transit", raw, packer.Transit)
}

// data turns handshake data into edn, which every packer is written from.
func (a *answer) data(name string, value []byte, from packer.Format) error {
	edn, err := packer.Append(nil, packer.EDN, value, from, packer.Options{})
	var broken *packer.DecodeError
	switch {
	case errors.As(err, &broken):
		return reasonf("%q is not readable %s: %s at byte %d", name, broken.Format, broken.Reason,
			broken.Offset)
	case err != nil:
		return reasonf("%q has no form in edn", name)
	}
	a.grant.Handshake = bytes.Clone(edn) // remembered, so without the spare room beside it
	return nil
}

func (a *answer) expiresIn(raw json.RawMessage) error {
	ms, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || ms <= 0 || ms > expiresMax*1000 {
		return wrongKind("expires_in_ms", "a number of ms, whole and above 0", raw)
	}
	a.grant.Expires = a.now.UnixMilli() + ms
	return nil
}

// expiresAt reads seconds since 1970, as a token's exp, or a time as RFC 3339 has it. A time that
// is over is no mistake: the client is refused.
func (a *answer) expiresAt(raw json.RawMessage) error {
	const want = `a number of whole seconds since 1970, or a time like "2030-01-02T03:04:05Z"`
	if raw[0] == '"' {
		s, err := text("expires_at", raw, 1, 64)
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339, s)
		if err != nil || at.Unix() <= 0 {
			return wrongKind("expires_at", want, raw)
		}
		a.grant.Expires = at.UnixMilli()
		return nil
	}
	s, err := strconv.ParseInt(string(raw), 10, 64)
	switch {
	case err != nil || s <= 0:
		return wrongKind("expires_at", want, raw)
	case s > expiresMax:
		return reason(`"expires_at" is beyond the year 9999; it is in seconds, not in ms`)
	}
	a.grant.Expires = s * 1000
	return nil
}

// text reads a string of minLen to maxLen bytes. Half surrogate pairs have no UTF-8, and the
// decoder makes them all one character: two users could become one.
func text(name string, raw json.RawMessage, minLen, maxLen int) (string, error) {
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", wrongKind(name, "a string", raw)
	}
	switch {
	case strings.ContainsRune(s, utf8.RuneError) && halfPair(raw):
		return "", reasonf("%q has half a surrogate pair", name)
	case len(s) < minLen:
		return "", reasonf("%q is empty", name)
	case len(s) > maxLen:
		return "", reasonf("%q has %d bytes; the most are %d", name, len(s), maxLen)
	}
	return s, nil
}

// halfPair tells whether a valid JSON string has an escaped surrogate without its other half.
func halfPair(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		unit := escape(raw[i-1:])
		i += 4
		if unit < 0xd800 || unit > 0xdfff {
			continue
		}
		if low := escape(raw[i+1:]); unit > 0xdbff || low < 0xdc00 || low > 0xdfff {
			return true
		}
		i += 6
	}
	return false
}

// escape gives the unit of the escape \uXXXX with which b begins; -1 = it does not.
func escape(b []byte) int {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int(unit)
}

// wrongKind says what should stand there, and the kind of what does, never its value.
func wrongKind(name, want string, raw json.RawMessage) error {
	kind := "a number"
	switch raw[0] {
	case '"':
		kind = "a string"
	case '[':
		kind = "an array"
	case '{':
		kind = "an object"
	case 't', 'f':
		kind = "a boolean"
	case 'n':
		kind = "null"
	}
	if strings.HasPrefix(want, kind) {
		kind = "this one"
	}
	return reasonf("%q must be %s, not %s", name, want, kind)
}
