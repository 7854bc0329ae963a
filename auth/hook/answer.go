package hook

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chskd/chskd/auth"
)

// Limits of what an answer may hold, in bytes: those of package auth for the same things.
const (
	maxUID    = 256
	maxTenant = 255
	maxTopic  = 256
	maxTopics = 100 // of one client, not bytes
	maxCSRF   = 1024
)

// answer is one answer that is being read.
type answer struct {
	now   time.Time
	grant auth.Grant
	seen  uint // fields, as bits of their index
}

// fields are all that an answer may have. What it says twice, or in two ways, or in a word that
// nobody knows, is an error: an "expires" that was not understood would be a session without end.
var fields = [...]struct {
	name string
	read func(*answer, json.RawMessage) error
}{
	{"uid", (*answer).uid},
	{"tenant", (*answer).tenant},
	{"handshake", (*answer).handshake},
	{"handshake_edn", (*answer).handshakeEDN},
	{"handshake_transit", (*answer).handshakeTransit},
	{"csrf_token", (*answer).csrf},
	{"topics", (*answer).topics},
	{"expires_in_ms", (*answer).expiresIn},
	{"expires_at", (*answer).expiresAt},
}

// parseAnswer gives the grant that a 200 means. now is when it was asked: what expires, expires
// no later for a slow answer. Errors are reasons.
func parseAnswer(body []byte, now time.Time) (*auth.Grant, error) {
	switch {
	case !utf8.Valid(body):
		return nil, reason("the answer is not UTF-8")
	case !json.Valid(body):
		return nil, reason("the answer is not JSON")
	}
	a := &answer{now: now}
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, reason("the answer is not a JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, reason("the answer is not JSON")
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, reason("the answer is not JSON")
		}
		if err := a.field(name.(string), raw); err != nil {
			return nil, err
		}
	}
	if !a.has("uid") {
		return nil, reason(`the answer has no "uid"; null is a client without one`)
	}
	return &a.grant, nil
}

// field reads one field.
func (a *answer) field(name string, raw json.RawMessage) error {
	for i := range fields {
		if fields[i].name != name {
			continue
		}
		if a.seen&(1<<i) != 0 {
			return reasonf("the answer has %q twice", name)
		}
		a.seen |= 1 << i
		if err := a.alone(name); err != nil {
			return err
		}
		return fields[i].read(a, raw)
	}
	if len(name) > 40 {
		name = name[:40]
	}
	return reasonf("the answer has a field %q; it may have: %s", name, fieldNames())
}

// has tells whether a field was given.
func (a *answer) has(name string) bool {
	for i := range fields {
		if fields[i].name == name {
			return a.seen&(1<<i) != 0
		}
	}
	panic("hook: no field " + name)
}

// rivals are the ways to say the same; only one of each may be used.
var rivals = [...][]string{
	{"handshake", "handshake_edn", "handshake_transit"},
	{"expires_in_ms", "expires_at"},
}

func (a *answer) alone(name string) error {
	for _, names := range rivals {
		for _, other := range names {
			if slices.Contains(names, name) && other != name && a.has(other) {
				return reasonf("the answer has both %q and %q", other, name)
			}
		}
	}
	return nil
}

func fieldNames() string {
	var names []string
	for i := range fields {
		names = append(names, fields[i].name)
	}
	return strings.Join(names, " ")
}
