package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The library takes the file apart; what stands there is read by the table, as variables and flags
// are. Its own decoder ends at the first mistake, and does not know what to write instead.
//
//	readYAML    bytes -> tree; the one mistake of a text that is not YAML
//	hideSecrets what excerpts must not show
//	section     the entries of a mapping: unknown, doubled, sections in sections
//	entry       one key and its value
//	texts       a value as texts, as convert takes it

// reader reads one file into a Config.
type reader struct {
	c        *Config
	d        *document
	problems Problems
}

// readYAML takes the keys of a file.
func (c *Config) readYAML(name string, text []byte) Problems {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors put it there
	r := &reader{c: c, d: newDocument(name, text)}
	c.file = r.d
	if !utf8.Valid(text) {
		r.notUTF8()
		return r.problems
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.notYAML(err)
		return r.problems
	}
	var body ast.Node
	for i, doc := range file.Docs {
		if i > 0 && doc.Body != nil {
			r.d.hideUnread(at(doc.Body).line)
			r.report(at(doc.Body), "a second document begins here; write one, without ---")
			return r.problems
		}
		body = doc.Body
	}
	if body == nil {
		return nil
	}
	if body.Type() == ast.CommentType || body.Type() == ast.NullType {
		return nil
	}
	entries, ok := entriesOf(body)
	if !ok {
		r.d.hideUnread(at(body).line)
		r.report(at(body), "the file has no keys; write KEY: VALUE lines, as listen: 127.0.0.1:8080")
		return r.problems
	}
	r.hideSecrets("", entries)
	r.closeHidden()
	r.section("", entries)
	return r.problems
}

func (r *reader) report(p position, format string, args ...any) {
	r.problems = append(r.problems, r.d.problem(p, fmt.Sprintf(format, args...)))
}

func (r *reader) notUTF8() {
	for i, line := range r.d.lines {
		if !utf8.ValidString(line) {
			r.d.hideUnread(i + 1)
			r.report(position{i + 1, 1}, "the line is not UTF-8; save the file as UTF-8")
			return
		}
	}
}

// hints are what to write in place of what is not YAML, by a part of the library's words.
var hints = []struct{ part, write string }{
	{"tab character", "indent with spaces"},
	{"cannot start any token", "put the value in quotes, and indent with spaces"},
	{"end character of", "close the quotes"},
	{"']'", "write a list as [a, b]"},
	{"sequence", "write a list as [a, b], or each item on a line of its own after \"- \""},
	{"'}'", "write a section as {key: value}, or its keys on lines of their own"},
	{"map", "write KEY: VALUE, each on a line of its own, those of a section indented alike"},
	{"", "write KEY: VALUE, each on a line of its own; a value with special characters in quotes"},
}

func (r *reader) notYAML(err error) {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil || e.GetToken().Position == nil {
		r.report(position{1, 1}, "it is not YAML: %s", firstLine(err.Error()))
		return
	}
	p := tokenAt(e.GetToken())
	r.d.hideUnread(p.line)
	message := firstLine(e.GetMessage())
	for _, h := range hints {
		if strings.Contains(message, h.part) {
			r.report(p, "it is not YAML: %s; %s", message, h.write)
			return
		}
	}
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return text
}

func at(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return at(m.Values[0].Key)
	}
	return tokenAt(n.GetToken())
}

func tokenAt(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}

// entriesOf gives the entries of a mapping.
func entriesOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// isSection says whether a path is that of a section.
func isSection(path string) bool {
	for _, k := range keys {
		if strings.HasPrefix(k.Path, path+".") {
			return true
		}
	}
	return false
}

// hideSecrets marks where secrets begin, and values of keys that nobody knows: a mistyped secret is
// one. An entry ends the one before it.
func (r *reader) hideSecrets(prefix string, entries []*ast.MappingValueNode) {
	for _, e := range entries {
		name := e.Key.GetToken().Value
		path := prefix + name
		r.endHidden(at(e.Key))
		if inner, ok := entriesOf(e.Value); ok && prefix == "" && isSection(path) {
			r.hideSecrets(path+".", inner)
			continue
		}
		if k := byPath[path]; k == nil || strings.Contains(name, ".") || k.Secret() {
			r.d.hide = append(r.d.hide, span{begin: at(e.Value)})
		}
	}
}

// endHidden ends the hidden stretch that is open.
func (r *reader) endHidden(p position) {
	if n := len(r.d.hide); n > 0 && r.d.hide[n-1].end == (position{}) {
		if r.d.hide[n-1].begin.line < p.line {
			p.column = 1
		}
		r.d.hide[n-1].end = p
	}
}

func (r *reader) closeHidden() { r.endHidden(r.d.end()) }

// section reads the entries of the file, or of a section.
func (r *reader) section(prefix string, entries []*ast.MappingValueNode) {
	seen := map[string]int{} // the line of each name
	for _, e := range entries {
		name, p := e.Key.GetToken().Value, at(e.Key)
		path := prefix + name
		if _, plain := e.Key.(*ast.StringNode); !plain && e.Key.IsMergeKey() {
			r.report(p, "keys are not merged with <<; write them out")
			continue
		}
		if line, twice := seen[name]; twice {
			r.report(p, "%s is there twice, first in line %d: leave one out", path, line)
			continue
		}
		seen[name] = p.line
		switch {
		case prefix == "" && isSection(name):
			r.subsection(path, e)
		case byPath[path] == nil || strings.Contains(name, "."):
			r.report(p, "%s: there is no such key; %s", path, advice(prefix, name))
		default:
			r.entry(byPath[path], e)
		}
	}
}

func (r *reader) subsection(path string, e *ast.MappingValueNode) {
	inner, ok := entriesOf(e.Value)
	switch {
	case ok:
		r.section(path+".", inner)
	case e.Value.Type() != ast.NullType: // a section whose keys are all comments is empty
		r.report(at(e.Value), "%s is a section; write its keys on lines of their own below it, indented",
			path)
	}
}

// entry reads one key.
func (r *reader) entry(k *Key, e *ast.MappingValueNode) {
	texts, places, ok := r.texts(k, e.Value)
	if !ok {
		return
	}
	v, wrong := k.convert(texts)
	if wrong != nil {
		p := at(e.Value)
		if wrong.item < len(places) {
			p = places[wrong.item]
		}
		r.report(p, "%s", k.refused(k.Path, wrong))
		return
	}
	k.value(r.c).Set(reflect.ValueOf(v))
	r.c.from[k.Path] = source{name: k.Path, at: at(e.Value)}
}

// texts gives a value as texts, and where they stand: the items of a list, else one.
func (r *reader) texts(k *Key, n ast.Node) (texts []string, places []position, ok bool) {
	list, isList := n.(*ast.SequenceNode)
	switch {
	case isList && !k.List():
		r.report(at(n), "%s takes no list: write %s", k.Path, k.want())
		return nil, nil, false
	case isList:
		for _, item := range list.Values {
			text, ok := r.text(k, item)
			if !ok {
				return nil, nil, false
			}
			texts, places = append(texts, text), append(places, at(item))
		}
		return texts, places, true
	}
	text, ok := r.text(k, n)
	if ok && k.List() {
		r.report(at(n), "%s is a list: write it as [%s]", k.Path, strings.Join(split(text), ", "))
		return nil, nil, false
	}
	return []string{text}, []position{at(n)}, ok
}

// text gives a scalar as it is written, without its quotes: numbers are not read as YAML reads them,
// so that 010 is nowhere 8.
func (r *reader) text(k *Key, n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(v.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	case *ast.NullNode:
		r.report(at(n), "%s has no value: write %s, or leave the key out", k.Path, k.want())
	case *ast.AnchorNode, *ast.AliasNode:
		r.report(at(n), "%s: anchors and aliases are not read; write the value out", k.Path)
	case *ast.TagNode:
		r.report(at(n), "%s: tags are not read; write the value without %s", k.Path, v.Start.Value)
	case *ast.SequenceNode:
		r.report(at(n), "%s: a list in a list: write %s", k.Path, k.want())
	default:
		r.report(at(n), "%s is no section: write %s", k.Path, k.want())
	}
	return "", false
}
