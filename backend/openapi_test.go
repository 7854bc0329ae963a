package backend_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/chskd/chskd/backend"
)

// The file against the code: what one knows and the other does not. openapi_examples_test.go
// sends its examples.

// spec is what the tests look at in the file.
type spec struct {
	Paths      map[string]map[string]operation
	Components struct {
		Schemas   map[string]schema
		Responses map[string]response
	}
	text     []byte
	compiler *jsonschema.Compiler
}

type operation struct {
	OperationID string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]content }
	Responses   map[string]response
}

type parameter struct {
	Name, In, Description string
	Schema, Example       json.RawMessage
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]content
}

type content struct {
	Examples map[string]example
}

type example struct {
	Value   json.RawMessage
	Request *exampleRequest `json:"x-request"`
}

// exampleRequest is what gives the answer of an example that has no request example of its name.
type exampleRequest struct {
	Method, Path, Query, Type, Text string
	Rig                             string
	Body                            json.RawMessage
}

type schema struct {
	Properties map[string]json.RawMessage
	Required   []string
	Enum       []string
}

const specURL = "https://chskd.invalid/openapi.json"

func readSpec(t *testing.T) *spec {
	t.Helper()
	s := &spec{text: backend.OpenAPIFile(), compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(s.text, s); err != nil {
		t.Fatal(err)
	}
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	s.compiler.AssertFormat()
	if err := s.compiler.AddResource(specURL, decode(t, backend.OpenAPIFile())); err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in %.200s", err, b)
	}
	return v
}

// check holds a value against the schema at a place of the file: the names on the way to it.
func (s *spec) check(t *testing.T, what string, value []byte, place ...string) {
	t.Helper()
	escape := strings.NewReplacer("~", "~0", "/", "~1", "%", "%25")
	pointer := "#"
	for _, name := range place {
		pointer += "/" + escape.Replace(name)
	}
	compiled, err := s.compiler.Compile(specURL + pointer)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := compiled.Validate(decode(t, value)); err != nil {
		t.Errorf("%s: %.300s: %v", what, value, err)
	}
}

// same compares names, in any order.
func same(t *testing.T, what string, file, code []string) {
	t.Helper()
	file, code = slices.Sorted(slices.Values(file)), slices.Sorted(slices.Values(code))
	for _, name := range file {
		if !slices.Contains(code, name) {
			t.Errorf("%s: the file has %q, the code has not", what, name)
		}
	}
	for _, name := range code {
		if !slices.Contains(file, name) {
			t.Errorf("%s: the code has %q, the file has not", what, name)
		}
	}
}

// The file is an OpenAPI 3.1 document. testdata/openapi-3.1.schema.json is the OpenAPI
// Initiative's schema (Apache License 2.0).
func TestOpenAPIIsOpenAPI(t *testing.T) {
	text, err := os.ReadFile("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	const url = "https://spec.openapis.org/oas/3.1/schema/2021-04-15"
	if err := c.AddResource(url, decode(t, text)); err != nil {
		t.Fatal(err)
	}
	if err := c.MustCompile(url).Validate(decode(t, backend.OpenAPIFile())); err != nil {
		t.Error(err)
	}
	// That schema leaves the schemas in it to the dialect: all must compile.
	s := readSpec(t)
	for name := range s.Components.Schemas {
		if _, err := s.compiler.Compile(specURL + "#/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	r := plainRig(t)
	resp, err := r.http.Get("http://chskd/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	status, body := r.get("/v1/openapi.json")
	if status != http.StatusOK || body != string(backend.OpenAPIFile()) {
		t.Errorf("%d, %d bytes", status, len(body))
	}
}

func TestOpenAPIRoutes(t *testing.T) {
	s, routes := readSpec(t), backend.Routes()
	same(t, "paths", slices.Collect(maps.Keys(s.Paths)), slices.Collect(maps.Keys(routes)))
	var ids []string
	for path, item := range s.Paths {
		same(t, path, slices.Collect(maps.Keys(item)), []string{strings.ToLower(routes[path].Method)})
		for _, op := range item {
			var names []string
			for _, p := range op.Parameters {
				names = append(names, p.Name)
				if p.In != "query" || p.Description == "" {
					t.Errorf("%s: parameter %s is in %q, described %q", path, p.Name, p.In, p.Description)
				}
			}
			same(t, path+"'s parameters", names, routes[path].Params)
			if slices.Contains(ids, op.OperationID) {
				t.Errorf("operationId %q is there twice", op.OperationID)
			}
			ids = append(ids, op.OperationID)
		}
	}
}

func TestOpenAPIRequestFields(t *testing.T) {
	s, fields := readSpec(t), backend.RequestFields()
	schemas := map[string]string{
		"/v1/push": "Push", "/v1/reply": "Reply", "/v1/close": "Close", "/v1/join": "Membership",
		"/v1/leave": "Membership", "/v1/ack": "Ack",
	}
	for path, item := range s.Paths {
		if item["post"].RequestBody == nil {
			continue
		}
		same(t, path, slices.Collect(maps.Keys(s.Components.Schemas[schemas[path]].Properties)),
			fields[path])
		delete(fields, path)
	}
	if len(fields) > 0 {
		t.Errorf("the file has no body for %v", fields)
	}
}

func TestOpenAPIAnswerFields(t *testing.T) {
	s := readSpec(t)
	for _, name := range []string{
		"PushedMany", "Page", "User", "Session", "Stats", "EngineStats", "HubStats", "Failure", "Error",
	} {
		always, all := backend.AnswerFields(name)
		sc := s.Components.Schemas[name]
		same(t, name, slices.Collect(maps.Keys(sc.Properties)), all)
		same(t, name+", required", sc.Required, always)
	}
	// One type of the code is five answers.
	_, all := backend.AnswerFields("Status")
	status := map[string]bool{}
	for _, name := range []string{"Done", "Pushed", "Closed", "Joined", "Left"} {
		for field := range s.Components.Schemas[name].Properties {
			status[field] = true
		}
	}
	same(t, "answers with status", slices.Collect(maps.Keys(status)), all)
}

// Every code of an error that the package can make is in one of the lists, and the reverse.
func TestOpenAPIErrorCodes(t *testing.T) {
	s := readSpec(t)
	var listed []string
	for _, name := range []string{
		"ErrorCode", "StreamErrorCode", "LineErrorCode", "ConnectionErrorCode",
	} {
		listed = append(listed, s.Components.Schemas[name].Enum...)
	}
	codes := errorCodes(t)
	same(t, "error codes", listed, codes)
	text := string(backend.OpenAPIFile())
	for _, code := range s.Components.Schemas["ErrorCode"].Enum {
		if strings.Count(text, code) < 2 {
			t.Errorf("nothing is said about %s", code)
		}
	}
	if len(codes) < 25 {
		t.Errorf("only %d codes found in the source: %v", len(codes), codes)
	}
}

// errorCodes reads the package's source: what the functions that make errors are given as code.
func errorCodes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{ // the code's argument
		"bad": 0, "fail": 1, "refuse": 0, "streamFormat": 1, "cutFor": 0,
	}
	codes := map[string]bool{
		"bad_event": true, "bad_value": true, // contentError puts them together
		"busy": true, "draining": true, // unavailable chooses one
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			if i, ok := at[name]; ok && i < len(call.Args) {
				if lit, ok := call.Args[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					code, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					codes[code] = true
				}
			}
			return true
		})
	}
	return slices.Collect(maps.Keys(codes))
}
