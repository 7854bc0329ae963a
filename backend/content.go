package backend

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/chskd/chskd/packer"
)

// What a push carries or a reply answers with: one event or value, in one of three formats.

// content gives the event or value of a request, checked, in the format that it came in. Transit
// comes out without references, so that it can stand anywhere; an event or value in JSON with
// "keys": "string" comes out as edn, which can say what that means.
func (p *parser) content(json field) (packer.Format, []byte, *Error) {
	stringKeys, err := p.stringKeys()
	if err != nil {
		return 0, nil, err
	}
	name := fieldNames[json]
	given := 0
	for _, f := range [3]field{json, fEDN, fTransit} {
		if p.raw[f] != nil {
			given++
		}
	}
	switch {
	case given > 1:
		return 0, nil, bad("conflict", `only one of %q, "edn" and "transit" can be given`, name)
	case given == 0:
		return 0, nil, bad("missing_field", `one of %q, "edn" and "transit" must be given`, name)
	case p.raw[json] == nil && p.raw[fKeys] != nil:
		return 0, nil, bad("conflict", `"keys" says how JSON is read; it goes with %q only`, name)
	case p.raw[fEDN] != nil:
		return p.ednContent(json)
	case p.raw[fTransit] != nil:
		return p.anew(packer.Transit, packer.Transit, fTransit, json, false)
	case stringKeys:
		return p.anew(packer.EDN, packer.JSON, json, json, true)
	}
	value := p.raw[json]
	return packer.JSON, value, checkContent(packer.JSON, value, json, json)
}

func (p *parser) ednContent(json field) (packer.Format, []byte, *Error) {
	raw := p.raw[fEDN]
	if raw[0] != '"' {
		return 0, nil, wrongKind(fEDN, "a string that holds edn", raw)
	}
	var err *Error
	if p.text, err = appendUnquoted(p.text[:0], raw); err != nil {
		return 0, nil, err
	}
	if err := checkContent(packer.EDN, p.text, fEDN, json); err != nil {
		return 0, nil, err
	}
	if bare(p.text) {
		return packer.EDN, p.text, nil
	}
	// Comments around the value would swallow what it is pasted into.
	value, e := packer.EDN.Value(p.text)
	return packer.EDN, value, contentError(e, fEDN, json)
}

// bare tells whether nothing stands around the one value of a checked edn text, so that it need
// not be read again: no white space at its ends, and no comment or discarded form anywhere.
func bare(text []byte) bool {
	first, last := text[0], text[len(text)-1]
	return solid(first) && solid(last) && bytes.IndexByte(text, ';') < 0 &&
		bytes.IndexByte(text, '#') < 0
}

// solid tells whether a byte is certainly no part of edn's white space.
func solid(c byte) bool { return c > ' ' && c != ',' && c < utf8.RuneSelf }

// anew checks what is in field f and writes it in another form.
func (p *parser) anew(to, from packer.Format, f, json field, stringKeys bool) (packer.Format,
	[]byte, *Error,
) {
	if err := checkContent(from, p.raw[f], f, json); err != nil {
		return 0, nil, err
	}
	var e error
	o := packer.Options{Event: json == fEvent, StringKeys: stringKeys}
	p.value, e = packer.Append(p.value[:0], to, p.raw[f], from, o)
	return to, p.value, contentError(e, f, json)
}

func checkContent(format packer.Format, value []byte, f, json field) *Error {
	var err error
	if json == fEvent {
		_, err = format.CheckEvent(value)
	} else {
		err = format.CheckValue(value)
	}
	return contentError(err, f, json)
}

// contentError says in which field what is wrong; the code tells events from values.
func contentError(err error, f, json field) *Error {
	if err == nil {
		return nil
	}
	return bad("bad_"+fieldNames[json], "%q: %s", fieldNames[f], peopleText(err))
}

// peopleText is an error's text without its package prefix, which means nothing to a caller.
func peopleText(err error) string {
	s := err.Error()
	for _, prefix := range []string{"packer: ", "engine: ", "backend: "} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

func (p *parser) stringKeys() (bool, *Error) {
	switch raw := p.raw[fKeys]; string(raw) {
	case "", `"keyword"`:
		return false, nil
	case `"string"`:
		return true, nil
	default:
		return false, bad("bad_field", `"keys" must be "keyword" or "string", not %s`,
			clip(string(raw)))
	}
}
