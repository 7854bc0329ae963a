package backend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

// Every example of the file is sent to a server, and its answer is held against the schema and
// against the example of the answer: that one has the same name, or says by itself (x-request) what
// gives it. In examples EPOCH stands for the epoch of the server.

// exampleRigs are the servers that examples ask for (x-request.rig).
var exampleRigs = map[string]func(t *testing.T) *rig{
	"": func(t *testing.T) *rig {
		r := plainRig(t)
		r.engine.set(func(f *fakeEngine) {
			f.users = []backend.Online{
				{UID: "alice", WS: 1, Ajax: 1}, {NilUID: true, Ajax: 1}, {UID: "bob", WS: 1},
			}
		})
		return r
	},
	"small": func(t *testing.T) *rig {
		return newRig(t, backend.HubOptions{}, backend.Options{MaxLine: 64})
	},
	"draining": func(t *testing.T) *rig {
		r := plainRig(t)
		r.engine.set(func(f *fakeEngine) { f.notReady = true })
		return r
	},
	"silent": func(t *testing.T) *rig {
		r := newRig(t, backend.HubOptions{}, backend.Options{}, func(s *backend.Server) {
			s.SetEngineWait(50 * time.Millisecond)
		})
		r.engine.set(func(f *fakeEngine) { f.onPush = func(*backend.Push, func(int, error)) {} })
		return r
	},
	"odd": func(t *testing.T) *rig {
		r := plainRig(t)
		r.engine.set(func(f *fakeEngine) {
			f.onPush = func(_ *backend.Push, done func(int, error)) { done(0, errors.New("engine: odd")) }
		})
		return r
	},
	"consumer": func(t *testing.T) *rig {
		r := plainRig(t)
		s := r.open("?ack=1")
		r.event("alice", "[:a/b]", "")
		s.next()
		return r
	},
}

// exampleSender sends examples, each to the server that it asks for.
type exampleSender struct {
	t    *testing.T
	spec *spec
	rigs map[string]*rig
}

// send gives status, content type and body of the answer to a request; the defaults are the
// operation's.
func (e *exampleSender) send(method, path string, q *exampleRequest) (status string, h http.Header,
	body string,
) {
	e.t.Helper()
	r := e.rigs[q.Rig]
	if r == nil {
		r = exampleRigs[q.Rig](e.t)
		e.rigs[q.Rig] = r
	}
	if q.Method != "" {
		method = q.Method
	}
	if q.Path != "" {
		path = q.Path
	}
	text := q.Text
	if q.Body != nil {
		text = strings.ReplaceAll(string(q.Body), "EPOCH", r.hub.Epoch())
	}
	target := "http://chskd" + path + "?" + q.Query
	req, err := http.NewRequest(strings.ToUpper(method), target, strings.NewReader(text))
	if err != nil {
		e.t.Fatal(err)
	}
	if q.Type != "" {
		req.Header.Set("Content-Type", q.Type)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return fmt.Sprint(resp.StatusCode), resp.Header,
		strings.ReplaceAll(string(b), r.hub.Epoch(), "EPOCH")
}

// answered holds what came against the example of the answer.
func (e *exampleSender) answered(what, path, method, status string, want example, header http.Header,
	got string, place ...string,
) {
	e.t.Helper()
	contentType := header.Get("Content-Type")
	place = append(place, "content", contentType, "schema")
	e.spec.check(e.t, what+": the answer", []byte(got), place...)
	e.spec.check(e.t, what+": the answer's example", want.Value, place...)
	g, w := decode(e.t, []byte(got)), decode(e.t, want.Value)
	if !reflect.DeepEqual(g, w) {
		e.t.Errorf("%s is answered %s\n%swant %s", what, status, got, want.Value)
	}
}

func TestOpenAPIExamples(t *testing.T) {
	e := &exampleSender{t, readSpec(t), map[string]*rig{}}
	for _, path := range slices.Sorted(maps.Keys(e.spec.Paths)) {
		for method, op := range e.spec.Paths[path] {
			if path == "/v1/events" {
				e.failures(path, method, op) // TestOpenAPIStream reads what does not end
				continue
			}
			e.requests(path, method, op)
			e.parameters(path, method, op)
			e.failures(path, method, op)
		}
	}
}

// requests sends the examples of the request bodies.
func (e *exampleSender) requests(path, method string, op operation) {
	e.t.Helper()
	if op.RequestBody == nil {
		return
	}
	for contentType, c := range op.RequestBody.Content {
		for _, name := range order(c.Examples) {
			ex := c.Examples[name]
			what := fmt.Sprintf("%s, example %s", path, name)
			q := &exampleRequest{Type: contentType, Body: ex.Value}
			if contentType == "application/x-ndjson" {
				q = &exampleRequest{Type: contentType, Text: e.lines(what, ex.Value, "paths", path, method,
					"requestBody", "content", contentType, "x-line-schema")}
			} else {
				e.spec.check(e.t, what, ex.Value, "paths", path, method, "requestBody", "content",
					contentType, "schema")
			}
			status, h, got := e.send(method, path, q)
			want, found := op.Responses[status].Content["application/json"].Examples[name]
			if !found {
				e.t.Errorf("%s: %s %s has no example of its name", what, status, got)
				continue
			}
			e.answered(what, path, method, status, want, h, got, "paths", path, method, "responses", status)
		}
	}
}

// order puts the examples into the order in which they can be sent: a repetition comes last.
func order(examples map[string]example) []string { return slices.Sorted(maps.Keys(examples)) }

// lines checks each line of an NDJSON example, which is a string, and gives the text.
func (e *exampleSender) lines(what string, value json.RawMessage, place ...string) (text string) {
	e.t.Helper()
	if err := json.Unmarshal(value, &text); err != nil {
		e.t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		e.spec.check(e.t, what, []byte(line), place...)
	}
	return text
}

// parameters sends each parameter with its example alone.
func (e *exampleSender) parameters(path, method string, op operation) {
	e.t.Helper()
	for i, p := range op.Parameters {
		what := fmt.Sprintf("%s, parameter %s", path, p.Name)
		query := e.parameter(what, path, method, i, p)
		status, h, got := e.send(method, path, &exampleRequest{Query: query})
		if status != "200" {
			e.t.Errorf("%s is answered %s %s", what, status, got)
			continue
		}
		e.spec.check(e.t, what, []byte(got), "paths", path, method, "responses", status, "content",
			h.Get("Content-Type"), "schema")
	}
}

// parameter checks the example of a parameter, and gives it as a query.
func (e *exampleSender) parameter(what, path, method string, i int, p parameter) string {
	e.t.Helper()
	if p.Example == nil {
		e.t.Fatalf("%s has no example", what)
	}
	e.spec.check(e.t, what, p.Example, "paths", path, method, "parameters", fmt.Sprint(i), "schema")
	values := url.Values{}
	var list []string
	if json.Unmarshal(p.Example, &list) == nil {
		values[p.Name] = list
	} else {
		values.Set(p.Name, strings.Trim(string(p.Example), `"`))
	}
	return values.Encode()
}

// failures sends what the examples of answers name; one that names nothing must have a request of
// its name. Answers that cannot be had in a test have no examples.
func (e *exampleSender) failures(path, method string, op operation) {
	e.t.Helper()
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r, place := op.Responses[status], []string{"paths", path, method, "responses", status}
		if ref, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
			r, place = e.spec.Components.Responses[ref], []string{"components", "responses", ref}
			if len(r.Content) == 0 {
				e.t.Errorf("%s: there is no response %q", path, ref)
			}
		}
		examples := r.Content["application/json"].Examples
		if never := status == "408" || status == "500" || path == "/v1/openapi.json" ||
			path == "/metrics" || path == "/v1/events"; len(examples) == 0 && !never {
			e.t.Errorf("%s: the answer %s has no example", path, status)
		}
		for name, want := range examples {
			what := fmt.Sprintf("%s, answer %s %s", path, status, name)
			if want.Request == nil {
				if op.RequestBody == nil || !hasExample(op.RequestBody.Content, name) {
					e.t.Errorf("%s: no request gives it", what)
				}
				continue
			}
			got, h, body := e.send(method, path, want.Request)
			if got != status {
				e.t.Errorf("%s is %s", what, got)
			}
			if (h.Get("Retry-After") != "") != (status == "503") {
				e.t.Errorf("%s: Retry-After %q", what, h.Get("Retry-After"))
			}
			e.answered(what, path, method, status, want, h, body, place...)
		}
	}
}

func hasExample(contents map[string]content, name string) bool {
	for _, c := range contents {
		if _, ok := c.Examples[name]; ok {
			return true
		}
	}
	return false
}

// What the description says of all paths.
func TestOpenAPIUnknown(t *testing.T) {
	e := &exampleSender{t, readSpec(t), map[string]*rig{}}
	for _, c := range []struct{ method, path, status, code string }{
		{"GET", "/v2/push", "404", "not_found"},
		{"POST", "/v1", "404", "not_found"},
		{"GET", "/v1/push", "405", "method_not_allowed"},
		{"POST", "/v1/openapi.json", "405", "method_not_allowed"},
	} {
		status, h, body := e.send(c.method, c.path, &exampleRequest{})
		e.spec.check(t, c.path, []byte(body), "components", "schemas", "Failure")
		if status != c.status || !strings.Contains(body, `"`+c.code+`"`) ||
			(h.Get("Allow") != "") != (status == "405") {
			t.Errorf("%s %s: %s %s", c.method, c.path, status, body)
		}
	}
}

// Every line of a stream, of each kind and format, is as the file says.
func TestOpenAPIStream(t *testing.T) {
	e := &exampleSender{t, readSpec(t), map[string]*rig{}}
	op := e.spec.Paths["/v1/events"]["get"]
	place := []string{"paths", "/v1/events", "get", "responses", "200", "content",
		"application/x-ndjson", "x-line-schema"}
	var queries []string
	for i, p := range op.Parameters {
		queries = append(queries, e.parameter("/v1/events "+p.Name, "/v1/events", "get", i, p))
	}
	for _, query := range append(queries, "format=transit&presence=1", "presence=1&ack=true") {
		r := plainRig(t)
		s := r.open("?" + query)
		e.spec.check(t, query, []byte(s.hello.text), place...)
		r.presence(true, "alice")
		r.event("alice", "[:chat/send {:text \"hi\" :at #inst \"2026\"}]", "k3.91.7")
		r.event("alice", "[:chat/odd #unknown/tag 1]", "")
		r.presence(false, "alice")
		r.event("bob", "[:chat/end]", "")
		for {
			l := s.next()
			e.spec.check(t, query, []byte(l.text), place...)
			if strings.Contains(l.text, "chat/end") {
				break
			}
		}
		s.close()
	}
	e.streamExample(op.Responses["200"].Content["application/x-ndjson"].Examples["stream"], place)
}

// streamExample lets happen what the example tells.
func (e *exampleSender) streamExample(ex example, place []string) {
	t := e.t
	want := e.lines("the stream's example", ex.Value, place...)
	r := plainRig(t)
	s := r.open("?presence=1")
	got := strings.ReplaceAll(s.hello.text, r.hub.Epoch(), "L4DFP6Y2V5QK3TZA")
	got = strings.Replace(got, `"c1"`, `"c7"`, 1) + "\n" + s.next().text + "\n"
	r.presence(true, "alice")
	got += s.next().text + "\n"
	r.event("alice", `[:chat/send {:text "hi"}]`, "k3.91.7")
	got += s.next().text + "\n"
	r.presence(false, "alice")
	got += s.next().text + "\n"
	if got != want {
		t.Errorf("the stream is\n%swant\n%s", got, want)
	}
}
