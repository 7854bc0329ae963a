package backend

import (
	"bytes"
	"strings"

	"github.com/chskd/chskd/packer"
)

// globs are the patterns of `ids`: an event passes when one fits its id. nil lets all pass.
// `*` stands for any text, `?` for one byte. Immutable after parseGlobs.
type globs []string

// parseGlobs reads the values of `ids`, each a list separated by commas.
func parseGlobs(values []string) (globs, *Error) {
	var g globs
	for _, v := range values {
		for p := range strings.SplitSeq(v, ",") {
			p = strings.TrimPrefix(strings.TrimSpace(p), ":")
			if p == "" {
				return nil, bad("bad_param", `"ids" holds an empty pattern`)
			}
			g = append(g, p)
		}
	}
	if len(g) > maxGlobs {
		return nil, bad("bad_param", `"ids" holds more than %d patterns`, maxGlobs)
	}
	return g, nil
}

func (g globs) match(id []byte) bool {
	if g == nil {
		return true
	}
	for _, p := range g {
		if globMatch(p, id) {
			return true
		}
	}
	return false
}

// globMatch goes back only to the last star: linear in both for patterns as people write them.
func globMatch(p string, s []byte) bool {
	star, retry := -1, 0
	i, k := 0, 0
	for i < len(s) {
		switch {
		case k < len(p) && p[k] == '*':
			star, retry = k, i
			k++
		case k < len(p) && (p[k] == '?' || p[k] == s[i]):
			i++
			k++
		case star >= 0:
			retry++
			i, k = retry, star+1
		default:
			return false
		}
	}
	return strings.Trim(p[k:], "*") == ""
}

// eventID finds the id of a valid event. nil: it cannot be told, as of one in the namespace that is
// reserved; such an event passes every filter, as one too many is better than one that nobody hears.
func eventID(f packer.Format, event []byte) []byte {
	if id := plainID(f, event); id != nil {
		return id
	}
	id, err := f.CheckEvent(event)
	if err != nil {
		return nil
	}
	return id
}

// plainID finds an id that is written in the usual way, without reading all of the event.
func plainID(f packer.Format, event []byte) []byte {
	b := bytes.TrimLeft(event, " \t\r\n,")
	if len(b) == 0 || b[0] != '[' && b[0] != '(' {
		return nil
	}
	b = bytes.TrimLeft(b[1:], " \t\r\n,")
	if len(b) == 0 {
		return nil
	}
	switch {
	case f == packer.EDN && b[0] == ':':
		b = b[1:]
		if end := bytes.IndexAny(b, " \t\r\n,;\"()[]{}"); end > 0 {
			return b[:end]
		}
	case f == packer.JSON && b[0] == '"':
		return quotedID(b[1:])
	case f == packer.Transit && bytes.HasPrefix(b, []byte(`"~:`)):
		return quotedID(b[3:])
	}
	return nil
}

// quotedID is what stands before the closing quote; nil when there are escapes.
func quotedID(b []byte) []byte {
	if end := bytes.IndexAny(b, `"\`); end > 0 && b[end] == '"' {
		return b[:end]
	}
	return nil
}
