package backend_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// bound is what a property's schema says of its size.
type bound struct {
	Ref                  string `json:"$ref"`
	Type                 any
	MinLength, MaxLength *int
	Minimum, Maximum     *int
}

// resolved follows a reference, which no property with a bound of its own has.
func (s *spec) resolved(t *testing.T, path, name string, raw json.RawMessage) (b bound) {
	t.Helper()
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatalf("%s %s: %v", path, name, err)
	}
	if b.Ref == "" {
		return b
	}
	var all struct {
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(s.text, &all); err != nil {
		t.Fatal(err)
	}
	target := all.Components.Schemas[strings.TrimPrefix(b.Ref, "#/components/schemas/")]
	return s.resolved(t, path, name, target)
}

// The bounds in the file are those of the codec: what stands on one is taken, what is beyond it is
// refused.
func TestOpenAPILimits(t *testing.T) {
	s, r := readSpec(t), plainRig(t)
	tried := 0
	for _, c := range []struct{ path, schema, base string }{
		{"/v1/push", "Push", `{"uid":"a","event":["a/b"]}`},
		{"/v1/push", "Push", `{"topic":"t","event":["a/b"]}`},
		{"/v1/push", "Push", `{"uid":"a","event":["a/b"],"producer":"p","n":1}`},
		{"/v1/push", "Push", `{"uid":"a","event":["a/b"],"id":"i"}`},
		{"/v1/reply", "Reply", `{"reply_to":"k","value":1}`},
		{"/v1/close", "Close", `{"uid":"a","code":1000,"reason":"r"}`},
		{"/v1/join", "Membership", `{"uid":"a","topic":"t"}`},
		{"/v1/ack", "Ack", `{"epoch":"e","consumer":"c","seq":1}`},
	} {
		var base map[string]any
		if err := json.Unmarshal([]byte(c.base), &base); err != nil {
			t.Fatal(err)
		}
		for name, raw := range s.Components.Schemas[c.schema].Properties {
			b := s.resolved(t, c.path, name, raw)
			_, inBase := base[name]
			optional := name == "tenant" || name == "client" || name == "key" || name == "ttl_ms"
			if !inBase && (!optional || base["topic"] != nil && name == "client" && base["uid"] == nil) {
				continue
			}
			for value, good := range b.edges() {
				tried++
				request := maps.Clone(base)
				request[name] = value
				body, err := json.Marshal(request)
				if err != nil {
					t.Fatal(err)
				}
				status, answer := r.post(c.path, string(body))
				if taken := status != http.StatusBadRequest; taken != good {
					t.Errorf("%s, %q = %.40v...: %d %s", c.path, name, value, status, answer)
				} else if !good && !strings.Contains(answer, `"bad_field"`) {
					t.Errorf("%s, %q = %.40v...: %s", c.path, name, value, answer)
				}
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d values were tried", tried)
	}
}

// edges gives values on the bounds and beyond them, and whether they are good.
func (b bound) edges() map[any]bool {
	values := map[any]bool{}
	if b.MaxLength != nil {
		values[strings.Repeat("x", *b.MaxLength)] = true
		values[strings.Repeat("x", *b.MaxLength+1)] = false
	}
	if b.MinLength != nil {
		values[strings.Repeat("x", *b.MinLength)] = true
		values[strings.Repeat("x", *b.MinLength-1)] = false
	}
	if b.Maximum != nil {
		values[*b.Maximum] = true
		values[*b.Maximum+1] = false
	}
	if b.Minimum != nil {
		values[*b.Minimum] = true
		values[*b.Minimum-1] = false
	}
	return values
}

// The codes that a close frame may carry are ranges in the file, and a condition in the codec.
func TestOpenAPICloseCodes(t *testing.T) {
	s, r := readSpec(t), plainRig(t)
	for code := 990; code <= 5010; code++ {
		if code > 1020 && code < 2990 || code > 3010 && code < 4990 {
			continue
		}
		body := fmt.Sprintf(`{"uid":"a","code":%d}`, code)
		compiled, err := s.compiler.Compile(specURL + "#/components/schemas/Close")
		if err != nil {
			t.Fatal(err)
		}
		good := compiled.Validate(decode(t, []byte(body))) == nil
		if status, answer := r.post("/v1/close", body); (status == http.StatusOK) != good {
			t.Errorf("%s: %d %s; the schema says %v", body, status, answer, good)
		}
	}
}
