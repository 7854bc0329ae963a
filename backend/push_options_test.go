package backend_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// All options come to the engine as they were said, over both dialects.
func TestPushOptions(t *testing.T) {
	r := plainRig(t)
	s := r.speak()
	for _, c := range []struct {
		fields string
		want   backend.Push
	}{
		{`"topic":"room:1","except":["a","b","a"],"event":["a/b"]`,
			backend.Push{Topic: "room:1", Except: []string{"a", "b"}, Format: packer.JSON, Event: []byte(`["a/b"]`)}},
		{`"uid":"a","key":"price","ttl_ms":1,"flush":true,"event":["a/b",1]`,
			backend.Push{UIDs: []string{"a"}, Key: "price", TTL: time.Millisecond, Flush: true,
				Format: packer.JSON, Event: []byte(`["a/b",1]`)}},
		{`"tenant":"t","all":true,"ttl_ms":3600000,"edn":"[:a/b {:c \\a}]"`,
			backend.Push{Tenant: "t", All: true, TTL: time.Hour, Format: packer.EDN, Event: []byte(`[:a/b {:c \a}]`)}},
		{`"uid":null,"client":"c","transit":[ "~:a/b" , ["^ ","~:key1",1,"~:key2",["^ ","^1",2]] ]`,
			backend.Push{NilUID: true, Client: "c", Format: packer.Transit,
				Event: []byte(`["~:a/b",["^ ","~:key1",1,"~:key2",["^ ","~:key1",2]]]`)}},
		{`"uid":"a","event":["a/b",{"k w":[1]}],"keys":"string"`,
			backend.Push{UIDs: []string{"a"}, Format: packer.EDN, Event: []byte(`[:a/b {"k w" [1]}]`)}},
	} {
		if status, body := r.post("/v1/push", "{"+c.fields+"}"); status != 200 {
			t.Errorf("%s: %d %s", c.fields, status, body)
		}
		s.say(`{"op":"push","ref":1,%s}`, c.fields)
		if got := s.next(); got.Type != "result" {
			t.Errorf("%s: %s", c.fields, got.text)
		}
		pushed := r.engine.pushed()
		for _, got := range pushed[len(pushed)-2:] {
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s:\n got %+v %s\nwant %+v %s", c.fields, got, got.Event, c.want, c.want.Event)
			}
		}
	}
}

// A push that names itself is done once, whichever dialect it comes over; one that was refused may
// come again.
func TestPushOnce(t *testing.T) {
	r := plainRig(t)
	s := r.speak()
	say := func(fields, want string) {
		t.Helper()
		s.say(`{"op":"push","ref":1,"uid":"a","event":["a/b"],%s}`, fields)
		if got := s.next().text; got != `{"type":"`+want+`}` && !strings.HasPrefix(got, `{"type":"`+want+`,`) {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	const ok, again = `result","ref":1,"status":"ok"`, `result","ref":1,"status":"ok","duplicate":true`
	say(`"producer":"p","n":5`, ok)
	say(`"producer":"p","n":5`, again)
	say(`"producer":"p","n":4`, again)
	say(`"id":"x"`, ok)
	say(`"id":"x","tenant":"t"`, ok)
	say(`"id":"x","uid":7`, `error","ref":1,"code":"duplicate_field"`)
	for body, want := range map[string]string{
		`{"uid":"a","event":["a/b"],"id":"x"}`:               `{"status":"ok","duplicate":true}`,
		`{"uid":"a","event":["a/b"],"producer":"p","n":5}`:   `{"status":"ok","duplicate":true}`,
		`{"uid":"a","event":["a/b"],"producer":"p2","n":5}`:  `{"status":"ok","sessions":1}`,
		`{"uid":"a","event":["a/b"],"id":"x","tenant":"t2"}`: `{"status":"ok","sessions":1}`,
	} {
		if status, got := r.post("/v1/push", body); status != 200 || got != want+"\n" {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	_, body := r.post("/v1/push", `{"uid":"a","event":["a/b"],"id":"y"}`+"\n"+`{"uid":"a","event":["a/b"],"id":"y"}`)
	if body != `{"accepted":2,"rejected":0,"duplicates":1,"errors":[]}`+"\n" {
		t.Errorf("many: %s", body)
	}
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { done(0, errors.New("no")) }
	})
	say(`"producer":"p","n":9`, `error","ref":1,"code":"refused"`)
	say(`"id":"z"`, `error","ref":1,"code":"refused"`)
	if status, _ := r.post("/v1/push", `{"uid":"a","event":["a/b"],"id":"z"}`); status != 400 {
		t.Errorf("refused over HTTP: %d", status)
	}
	r.engine.set(func(f *fakeEngine) { f.onPush = nil })
	say(`"producer":"p","n":9`, ok)
	say(`"id":"z"`, ok)
	say(`"id":"z"`, again)
	say(`"producer":"p","n":10,"event":0`, `error","ref":1,"code":"duplicate_field"`)
	say(`"producer":"p","n":10`, ok)
}
