package main_test

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// canonEDN gives the text of the first form of an edn text in one fixed spelling, so that two
// texts of one value compare as equal: maps and sets sorted, `#:ns{}` written out, instants in UTC,
// one space between elements, named chars and string escapes alike. Lists and vectors stay apart,
// as do 2 and 2.0. It is written apart from package packer, whose judge it is.
func canonEDN(text string) (string, error) {
	p := &ednParser{text: text}
	s := p.form()
	return s, p.err
}

// elementsEDN gives the texts of the elements of a vector or list, as they stand.
func elementsEDN(text string) ([]string, error) {
	p := &ednParser{text: text}
	p.skip()
	if p.peek() != '[' && p.peek() != '(' {
		return nil, fmt.Errorf("edn: not a sequence: %q", text)
	}
	p.at++
	var spans []string
	for {
		p.skip()
		if p.err != nil || p.peek() == 0 {
			return nil, fmt.Errorf("edn: unclosed sequence: %q", text)
		}
		if p.peek() == ']' || p.peek() == ')' {
			return spans, nil
		}
		start := p.at
		p.form()
		spans = append(spans, text[start:p.at])
	}
}

type ednParser struct {
	text string
	at   int
	err  error
}

func (p *ednParser) fail(what string) string {
	if p.err == nil {
		p.err = fmt.Errorf("edn: %s at %d of %q", what, p.at, p.text)
	}
	p.at = len(p.text)
	return ""
}

// peek gives the byte at the cursor, 0 at the end.
func (p *ednParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *ednParser) skip() {
	for {
		switch c := p.peek(); {
		case c == ' ' || c == ',' || c == '\n' || c == '\r' || c == '\t':
			p.at++
		case c == ';':
			for p.peek() != 0 && p.peek() != '\n' {
				p.at++
			}
		case strings.HasPrefix(p.text[p.at:], "#_"):
			p.at += 2
			p.form()
		default:
			return
		}
	}
}

func (p *ednParser) form() string {
	p.skip()
	switch c := p.peek(); c {
	case 0:
		if p.at < len(p.text) {
			return p.fail("NUL")
		}
		return p.fail("end of text")
	case '[':
		return "[" + strings.Join(p.sequence(']'), " ") + "]"
	case '(':
		return "(" + strings.Join(p.sequence(')'), " ") + ")"
	case '{':
		return p.pairs("")
	case '"':
		return p.str()
	case '\\':
		return p.char()
	case '#':
		return p.dispatch()
	case ']', ')', '}':
		return p.fail("unexpected " + string(c))
	default:
		return p.atom()
	}
}

func (p *ednParser) sequence(end byte) []string {
	p.at++
	var items []string
	for p.skip(); p.peek() != end; p.skip() {
		items = append(items, p.form())
		if p.err != nil {
			return nil
		}
	}
	p.at++
	return items
}

// pairs reads a map; ns is the namespace of `#:ns{}`.
func (p *ednParser) pairs(ns string) string {
	items := p.sequence('}')
	if len(items)%2 != 0 {
		return p.fail("odd map")
	}
	var entries []string
	for i := 0; i < len(items); i += 2 {
		entries = append(entries, qualifyEDN(ns, items[i])+" "+items[i+1])
	}
	sort.Strings(entries)
	return "{" + strings.Join(entries, ", ") + "}"
}

func qualifyEDN(ns, key string) string {
	if ns == "" || !strings.HasPrefix(key, ":") {
		return key
	}
	if name, ok := strings.CutPrefix(key, ":_/"); ok {
		return ":" + name
	}
	if strings.Contains(key, "/") {
		return key
	}
	return ":" + ns + "/" + key[1:]
}

// str reads a string and writes it as Go does, which spells every value one way.
func (p *ednParser) str() string {
	var b strings.Builder
	for p.at++; p.peek() != '"'; p.at++ {
		if p.at >= len(p.text) {
			return p.fail("unclosed string")
		}
		if p.peek() != '\\' {
			b.WriteByte(p.peek())
			continue
		}
		p.at++
		i := strings.IndexByte(`"\nrtfb`, p.peek())
		switch {
		case p.peek() == 'u' && p.at+4 < len(p.text):
			n, err := strconv.ParseUint(p.text[p.at+1:p.at+5], 16, 16)
			if err != nil {
				return p.fail("bad escape")
			}
			b.WriteRune(rune(n))
			p.at += 4
		case i < 0:
			return p.fail("bad escape")
		default:
			b.WriteByte("\"\\\n\r\t\f\b"[i])
		}
	}
	p.at++
	return strconv.QuoteToASCII(b.String())
}

func (p *ednParser) char() string {
	p.at++
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	if n == 0 {
		return p.fail("bad char")
	}
	p.at += n
	name := string(r) + p.token()
	named := map[string]rune{
		"newline": '\n', "space": ' ', "tab": '\t', "return": '\r', "formfeed": '\f', "backspace": '\b',
	}
	if c, ok := named[name]; ok {
		r = c
	} else if len(name) == 5 && name[0] == 'u' {
		v, err := strconv.ParseUint(name[1:], 16, 16)
		if err != nil {
			return p.fail("bad char")
		}
		r = rune(v)
	} else if name != string(r) {
		return p.fail("bad char")
	}
	return fmt.Sprintf(`\u%04x`, r)
}

func (p *ednParser) dispatch() string {
	p.at++
	switch p.peek() {
	case '{':
		items := p.sequence('}')
		sort.Strings(items)
		return "#{" + strings.Join(items, " ") + "}"
	case '#':
		p.at++
		return "##" + p.token()
	case ':':
		p.at++
		ns := p.token()
		return p.pairs(ns)
	}
	tag := p.token()
	value := p.form()
	if tag == "inst" {
		text, err := strconv.Unquote(value)
		at, err2 := time.Parse(time.RFC3339Nano, strings.Replace(text, "-00:00", "Z", 1))
		if err != nil || err2 != nil {
			return p.fail("bad inst")
		}
		value = strconv.Quote(at.UTC().Format(time.RFC3339Nano))
	}
	return "#" + tag + " " + value
}

// token gives the bytes up to the next delimiter; it may be empty.
func (p *ednParser) token() string {
	start := p.at
	for p.at < len(p.text) && !strings.ContainsRune(" ,\n\r\t()[]{}\";", rune(p.text[p.at])) {
		p.at++
	}
	return p.text[start:p.at]
}

var floatEDN = regexp.MustCompile(`^[+-]?\d+(\.\d*([eE][+-]?\d+)?|[eE][+-]?\d+)$`)

func (p *ednParser) atom() string {
	t := p.token()
	if t == "" {
		return p.fail("odd byte")
	}
	if !floatEDN.MatchString(t) {
		return t
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil {
		return p.fail("bad number")
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}
