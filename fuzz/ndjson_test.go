package fuzz_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// ndjsonMax is short, so that the fuzzer finds lines on both sides of it.
const ndjsonMax = 120

var ndjsonSeeds = []string{
	`{"uid":"alice","event":["chat/message",{"text":"hi"}]}`,
	`{"uid":"alice","event":["a/b"]}` + "\n" + `{"uid":null,"client":"c","edn":"[:a/b #{1}]"}` + "\r\n",
	`{"uids":["a","b"],"tenant":"t","event":["a/b",1e9],"flush":true}` + "\n\n \t\n",
	`{"all":true,"except":["x\ud83d\ude00\n"],"event":["a/b"],"keys":"string"}`,
	`{"uid":"a","uid":"b","event":["a/b"]}` + "\n" + `{"topic":"x"}` + "\n" + `[]`,
	`{"uid":"\ud800","event":["a/b"]}` + "\nnot json\n{\"uid\":",
	strings.Repeat("x", ndjsonMax) + "\n" + strings.Repeat("y", ndjsonMax+1) + "\r\n{}",
	strings.Repeat(" ", ndjsonMax+1) + "\n" + strings.Repeat("z", ndjsonMax) + "\r\n",
	"{\"uid\":\"a\xff\",\"event\":[\"a/b\"]}\n\x00",
	`{"uid":"a","event":["a/b",{"x":[[[[{}]]]]}]} {`,
}

// FuzzNDJSON: however a body is cut into reads, its lines are those of a naive split; a line that
// is read as a push says what encoding/json finds in it, and reads back alike when written anew.
func FuzzNDJSON(f *testing.F) {
	for i, s := range ndjsonSeeds {
		f.Add([]byte(s), uint64(i*7919))
	}
	f.Fuzz(func(t *testing.T, body []byte, cuts uint64) {
		want := naiveLines(body)
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(body), "cut": &cutReader{body, cuts},
		} {
			if got := allLines(t, r); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %q: got %q, want %q", name, body, got, want)
			}
		}
		for line := range bytes.SplitSeq(body, []byte("\n")) {
			checkPush(t, line)
		}
	})
}

// cutReader gives its bytes in pieces of 1 to 16, as the bits of cuts say.
type cutReader struct {
	b    []byte
	cuts uint64
}

func (r *cutReader) Read(p []byte) (int, error) {
	n := min(int(r.cuts&15)+1, len(r.b), len(p))
	r.cuts = r.cuts>>4 | r.cuts<<60
	n = copy(p, r.b[:n])
	r.b = r.b[n:]
	if len(r.b) == 0 {
		return n, io.EOF // together with the last bytes, as readers may
	}
	return n, nil
}

func allLines(t *testing.T, r io.Reader) []string {
	t.Helper()
	var out []string
	l := backend.NewLines(r, ndjsonMax)
	for {
		line, number, err := l.Next()
		switch err {
		case nil:
			out = append(out, fmt.Sprint(number, " ", string(line)))
		case backend.ErrLineTooLong:
			out = append(out, fmt.Sprint(number, " too long"))
		case io.EOF:
			return out
		default:
			t.Fatal(err)
		}
	}
}

func naiveLines(body []byte) []string {
	var out []string
	lines := strings.Split(string(body), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if len(line) > ndjsonMax {
			out = append(out, fmt.Sprint(i+1, " too long"))
		} else if strings.TrimSpace(line) != "" {
			out = append(out, fmt.Sprint(i+1, " ", line))
		}
	}
	return out
}

// checkPush compares ParsePush with encoding/json.
func checkPush(t *testing.T, line []byte) {
	t.Helper()
	p, err := backend.ParsePush(line)
	if err != nil {
		if err.Code == "" || err.Message == "" || !utf8.ValidString(err.Message) {
			t.Fatalf("%q: error %+v", line, err)
		}
		return
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatalf("%q was taken: %v", line, err)
	}
	var uids []string
	for name, to := range map[string]any{
		"tenant": &p.Tenant, "client": &p.Client, "all": &p.All, "flush": &p.Flush,
	} {
		checkField(t, line, fields, name, to)
	}
	checkField(t, line, fields, "except", &p.Except)
	switch raw, named := fields["uid"]; {
	case !named:
		checkField(t, line, fields, "uids", &p.UIDs)
	case string(raw) == "null":
		if !p.NilUID || p.UIDs != nil {
			t.Fatalf("%q: null is %+v", line, p)
		}
	default:
		var uid string
		if json.Unmarshal(raw, &uid) != nil || !reflect.DeepEqual(p.UIDs, []string{uid}) || p.NilUID {
			t.Fatalf("%q: uids %q", line, p.UIDs)
		}
		uids = p.UIDs
	}
	if _, err := p.Format.CheckEvent(p.Event); err != nil {
		t.Fatalf("%q: event %q: %v", line, p.Event, err)
	}
	writeAnew(t, line, p, uids)
}

// checkField compares one field with what encoding/json makes of it. Doubled uids are taken once.
func checkField(t *testing.T, line []byte, fields map[string]json.RawMessage, name string, got any) {
	t.Helper()
	want := reflect.New(reflect.TypeOf(got).Elem())
	if raw, there := fields[name]; there {
		if err := json.Unmarshal(raw, want.Interface()); err != nil {
			t.Fatalf("%q: %s: %v", line, name, err)
		}
	}
	if list, ok := want.Interface().(*[]string); ok {
		*list = once(*list)
	}
	if !reflect.DeepEqual(want.Interface(), got) {
		t.Fatalf("%q: %s is %v, want %v", line, name, reflect.ValueOf(got).Elem(), want.Elem())
	}
}

func once(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// writeAnew writes the push as another program would, and reads that.
func writeAnew(t *testing.T, line []byte, p *backend.Push, uids []string) {
	t.Helper()
	req := map[string]any{"flush": p.Flush}
	switch {
	case p.NilUID:
		req["uid"] = nil
	case p.All:
		req["all"] = true
	case uids != nil:
		req["uid"] = uids[0]
	default:
		req["uids"] = p.UIDs
	}
	if p.Tenant != "" {
		req["tenant"] = p.Tenant
	}
	if p.Client != "" {
		req["client"] = p.Client
	}
	if p.Except != nil {
		req["except"] = p.Except
	}
	event, err := packer.Append(nil, packer.EDN, p.Event, p.Format, packer.Options{Event: true})
	if err != nil {
		return // a JSON string that no edn reader takes is the packer's matter
	}
	req["edn"] = string(event)
	again, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	q, perr := backend.ParsePush(again)
	if perr != nil {
		t.Fatalf("%q: written anew as %q: %v", line, again, perr)
	}
	p.Format, p.Event = packer.EDN, event
	if !reflect.DeepEqual(p, q) {
		t.Fatalf("%q: read as %+v, written anew read as %+v", line, p, q)
	}
}
