package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// apiSchema is what the tables need of a JSON schema. Properties keep their order.
type apiSchema struct {
	Ref         string `json:"$ref"`
	Type        any    // a name, or several
	Description string
	Default     any
	Enum        []any
	Const       any
	Minimum     *int
	Maximum     *int
	MinLength   *int
	MaxLength   *int
	MinItems    *int
	MaxItems    *int
	Items       *apiSchema
	AnyOf       []apiSchema
	OneOf       []apiSchema
	Required    []string
	Properties  apiProperties
}

// apiProperties are fields in the order of the file.
type apiProperties []apiField

type apiField struct {
	name   string
	schema apiSchema
}

// UnmarshalJSON keeps the order.
func (p *apiProperties) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		f := apiField{name: fmt.Sprint(name)}
		if err := d.Decode(&f.schema); err != nil {
			return err
		}
		*p = append(*p, f)
	}
	return nil
}

// apiFile is what the tables need of the OpenAPI file.
type apiFile struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name, Description string
			Schema            apiSchema
		}
	}
	Components struct{ Schemas map[string]apiSchema }
}

func (p *apiPlay) openAPI() *apiFile {
	f := new(apiFile)
	if err := json.Unmarshal([]byte(apiCall(p.T, p.d, "/v1/openapi.json", "")), f); err != nil {
		p.Fatal(err)
	}
	return f
}

// resolve follows references; what stands beside one goes before what it refers to.
func (f *apiFile) resolve(s apiSchema) apiSchema {
	name, is := strings.CutPrefix(s.Ref, "#/components/schemas/")
	if !is {
		return s
	}
	to := f.resolve(f.Components.Schemas[name])
	if s.Description != "" {
		to.Description = s.Description
	}
	if s.MinItems != nil {
		to.MinItems = s.MinItems
	}
	return to
}

// table writes what a directive asks for.
func (p *apiPlay) table(kind, of string) []string {
	f := p.openAPI()
	var out []string
	switch kind {
	case "fields": // of a request
		s := f.Components.Schemas[of]
		out = []string{"| field | type | default | limits | |", "|---|---|---|---|---|"}
		for _, field := range s.Properties {
			if field.name == "op" {
				continue
			}
			r := f.resolve(field.schema)
			fallback := defaultOf(r)
			if slices.Contains(s.Required, field.name) {
				fallback = "required"
			}
			out = append(out, tableRow("`"+field.name+"`", f.typeOf(r), fallback, limitsOf(r),
				r.Description))
		}
	case "params": // of a path that is asked with GET
		out = []string{"| parameter | over HTTP | default | limits | |", "|---|---|---|---|---|"}
		for _, param := range f.Paths[of]["get"].Parameters {
			r := f.resolve(param.Schema)
			out = append(out, tableRow("`"+param.Name+"`", f.typeOf(r), defaultOf(r), limitsOf(r),
				param.Description))
		}
	case "answer": // what comes back
		s := f.Components.Schemas[of]
		out = []string{"| field | type | there | |", "|---|---|---|---|"}
		for _, field := range s.Properties {
			r := f.resolve(field.schema)
			there := "sometimes"
			if slices.Contains(s.Required, field.name) {
				there = "always"
			}
			out = append(out, tableRow("`"+field.name+"`", f.typeOf(r), there, r.Description))
		}
	default:
		p.fail("nobody knows the table %s", kind)
	}
	if len(out) < 3 {
		p.fail("%s of %s is empty", kind, of)
	}
	return out
}

func tableRow(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }

func asCode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return "`" + string(b) + "`"
}

func defaultOf(s apiSchema) string {
	if s.Default == nil {
		return ""
	}
	return asCode(s.Default)
}

// typeOf names the kinds of a value.
func (f *apiFile) typeOf(s apiSchema) string {
	var names []string
	switch {
	case s.Const != nil:
		return asCode(s.Const)
	case len(s.Enum) > 0:
		for _, v := range s.Enum {
			names = append(names, asCode(v))
		}
		return strings.Join(names, ", ")
	case s.Type == nil:
		return "any value"
	case s.Type == "array" && s.Items != nil:
		return "array of " + plural(f.typeOf(f.resolve(*s.Items)))
	case s.Type == "integer":
		return "whole number"
	}
	if list, several := s.Type.([]any); several {
		for _, v := range list {
			names = append(names, fmt.Sprint(v))
		}
		return strings.Join(names, " or ")
	}
	return fmt.Sprint(s.Type)
}

func plural(kind string) string {
	switch kind {
	case "string", "object":
		return kind + "s"
	case "string or null":
		return "strings or nulls"
	}
	return kind
}

// limitsOf says what a value must be within.
func limitsOf(s apiSchema) string {
	var list []string
	between := func(from, to *int, unit string) {
		switch {
		case from != nil && to != nil:
			list = append(list, fmt.Sprintf("%s to %s%s", grouped(*from), grouped(*to), unit))
		case to != nil:
			list = append(list, fmt.Sprintf("at most %s%s", grouped(*to), unit))
		case from != nil:
			list = append(list, "not empty") // 1 is the only least number of the API
		}
	}
	between(s.MinLength, s.MaxLength, " bytes")
	between(s.Minimum, s.Maximum, "")
	between(s.MinItems, s.MaxItems, " elements")
	if s.Items != nil && s.Items.MaxLength != nil {
		between(s.Items.MinLength, s.Items.MaxLength, " bytes each")
	}
	for _, o := range s.AnyOf {
		between(o.Minimum, o.Maximum, "")
	}
	return strings.Join(list, ", ")
}

// grouped writes 3,600,000; four digits stay together.
func grouped(n int) string {
	text := fmt.Sprint(n)
	if len(text) < 5 {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// errors makes a table of requests that cannot be done. A line of its block is
//
//	{...}          sent to the verb's path, and as a line with its op: both must say the same code
//	> {...}        sent as a line only
//	GET PATH       asked for over HTTP only
//	! ..., # ...   as in a play
func (p *apiPlay) errors(where, verb string, b docBlock) []string {
	p.deaf = true
	out := []string{"| code | HTTP | request | message | what to do |", "|---|---|---|---|---|"}
	for i, line := range b.lines {
		p.where = fmt.Sprintf("%s:%d", where, b.first+i)
		if said, what, _ := strings.Cut(line, " "); said == "!" || said == "#" {
			if p.lines == nil {
				p.connect()
			}
			p.hidden(what)
			continue
		}
		request, onLines := strings.CutPrefix(line, "> ")
		status, code, message := p.refusal(verb, request, onLines)
		where := "on lines"
		if !onLines {
			where = fmt.Sprint(status)
			if !slices.Contains(p.codes[code].statuses, status) {
				p.fail("%s is answered %d, the guide says %v", code, status, p.codes[code].statuses)
			}
		}
		out = append(out, tableRow("`"+code+"`", where, "`"+request+"`", p.stand(message),
			p.rules[code]))
	}
	p.endBlock()
	return out
}

// refusal makes a request of an errors block.
func (p *apiPlay) refusal(verb, request string, onLines bool) (status int, code, message string) {
	path, get := strings.CutPrefix(request, "GET /")
	switch {
	case onLines:
		code, message = p.lineError(request)
		return 0, code, message
	case get:
		return p.httpError(path, "")
	}
	status, code, message = p.httpError("v1/"+verb, request)
	if rest, whole := strings.CutSuffix(request, "}"); whole {
		line := `{"op":"` + verb + `","ref":1,` + strings.TrimPrefix(rest, "{") + "}"
		if second, _ := p.lineError(line); second != code {
			p.fail("%s over HTTP, %s on lines", code, second)
		}
	}
	return status, code, message
}

// httpError makes a request that is refused.
func (p *apiPlay) httpError(path, body string) (status int, code, message string) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, "http://chskd/"+path, strings.NewReader(body))
	if err != nil {
		p.fail("%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := apiClient(p.d).Do(req)
	if err != nil {
		p.fail("%v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	var a struct {
		Error struct{ Code, Message string }
	}
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil || a.Error.Code == "" {
		p.fail("%s %s is answered %s %s, %v", path, body, resp.Status, b, err)
	}
	return resp.StatusCode, a.Error.Code, a.Error.Message
}

// lineError says a line that is refused, on a connection of its own.
func (p *apiPlay) lineError(line string) (code, message string) {
	l := speakLines(p.T, p.d)
	defer l.conn.Close()
	l.say("%s", line)
	answer := l.next()
	var a struct{ Type, Code, Message string }
	if err := json.Unmarshal([]byte(answer), &a); err != nil || a.Type != "error" {
		p.fail("%s is answered %s", line, answer)
	}
	return a.Code, a.Message
}
