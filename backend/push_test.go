package backend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

func TestParsePush(t *testing.T) {
	js := func(event string) backend.Push {
		return backend.Push{Format: packer.JSON, Event: []byte(event)}
	}
	with := func(p backend.Push, change func(p *backend.Push)) backend.Push {
		change(&p)
		return p
	}
	for _, c := range []struct {
		line string
		want backend.Push
	}{
		{`{"uid":"alice","event":["chat/message",{"text":"hi"}]}`,
			with(js(`["chat/message",{"text":"hi"}]`), func(p *backend.Push) { p.UIDs = []string{"alice"} })},
		{` { "event" : [ "a/b" ] , "uid" : "\u0061\"\\\/\b\f\n\r\t\ud83d\ude00" } `,
			with(js(`[ "a/b" ]`), func(p *backend.Push) { p.UIDs = []string{"a\"\\/\b\f\n\r\t😀"} })},
		{`{"uid":null,"event":["a/b"],"client":"c"}`,
			with(js(`["a/b"]`), func(p *backend.Push) { p.NilUID, p.Client = true, "c" })},
		{`{"uids":["a","b","a"],"tenant":"t","event":["a/b"],"all":false}`,
			with(js(`["a/b"]`), func(p *backend.Push) { p.UIDs, p.Tenant = []string{"a", "b"}, "t" })},
		{`{"all":true,"except":["x"],"flush":true,"tenant":"","event":["a/b"]}`,
			with(js(`["a/b"]`), func(p *backend.Push) { p.All, p.Except, p.Flush = true, []string{"x"}, true })},
		{`{"uid":"a","edn":" [:a/b {:c #{1 2}}] ; note"}`,
			backend.Push{UIDs: []string{"a"}, Format: packer.EDN, Event: []byte(`[:a/b {:c #{1 2}}]`)}},
		{`{"uid":"a","event":["a/b",{"k w":{"x":1}}],"keys":"string"}`,
			backend.Push{UIDs: []string{"a"}, Format: packer.EDN, Event: []byte(`[:a/b {"k w" {"x" 1}}]`)}},
		{`{"uid":"a","event":["a/b"],"keys":"keyword"}`,
			with(js(`["a/b"]`), func(p *backend.Push) { p.UIDs = []string{"a"} })},
	} {
		got, err := backend.ParsePush([]byte(c.line))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
		} else if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s:\n got %+v %s\nwant %+v %s", c.line, *got, got.Event, c.want, c.want.Event)
		}
	}
}

// Nothing that may stand around an edn event gets to where the event is pasted.
func TestParsePushTakesTheEventAlone(t *testing.T) {
	for _, event := range []string{"[:a/b]", `[:a/b ";#"]`, "[:a/b #{1}]", `[:a/b "é"]`} {
		for _, around := range [][2]string{
			{"", ""}, {" ", ""}, {"", " "}, {",", ""}, {"", ","}, {`\n`, `\t`}, {"", " ;]"}, {`;[\n`, ""},
			{"#_x ", ""}, {"#_[1]", ""}, {"", "#_[1]"}, {"", " #_ #_ 1 2"},
		} {
			text := around[0] + strings.ReplaceAll(event, `"`, `\"`) + around[1]
			got, err := backend.ParsePush([]byte(`{"uid":"a","edn":"` + text + `"}`))
			if err != nil || string(got.Event) != event {
				t.Errorf("%s: got %+v, %v", text, got, err)
			}
		}
	}
}

const aPush = `{"uid":"alice","event":["a/b",1]}`

func TestPushOne(t *testing.T) {
	r := plainRig(t)
	for _, c := range []struct{ name, contentType, body string }{
		{"one line", "application/json", aPush},
		{"one line with its end", "application/json", aPush + "\n"},
		{"CR LF and blank lines", "application/json", "\r\n \n" + aPush + "\r\n\r\n"},
		{"what curl says", "application/x-www-form-urlencoded", aPush},
		{"no content type", "", aPush},
		{"several lines", "", "{\n  \"uid\": \"alice\",\n  \"event\": [\"a/b\",\n 1]\n}\n"},
	} {
		status, body := r.do("POST", "/v1/push", c.contentType, c.body)
		if status != 200 || body != `{"status":"ok","sessions":1}`+"\n" {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	for i, p := range r.engine.pushed() {
		if len(p.UIDs) != 1 || p.UIDs[0] != "alice" || p.Format != packer.JSON {
			t.Errorf("push %d: %+v", i, p)
		}
	}
	if n := len(r.engine.pushed()); n != 6 {
		t.Errorf("%d pushes", n)
	}
}

func TestPushMany(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{MaxLine: 200})
	long := `{"uid":"alice","event":["a/b","` + strings.Repeat("x", 300) + `"]}`
	for _, c := range []struct {
		name, contentType, body string
		accepted                int
		errors                  string
	}{
		{"two lines", "", aPush + "\n" + aPush, 2, ""},
		{"a bad line among good ones", "", aPush + "\n{\"uid\":7}\n\n" + aPush + "\n", 2, "2 bad_field"},
		{"the first line is bad", "", "{\"uid\":7}\n" + aPush + "\n", 1, "1 bad_field"},
		{"a long line", "", aPush + "\n" + long + "\n" + aPush + "\n", 2, "2 too_large"},
		{"a long last line", "", aPush + "\n" + long, 1, "2 too_large"},
		{"a long first line", "", long + "\n" + aPush + "\n", 1, "1 too_large"},
		{"said to be NDJSON, one line", "application/x-ndjson", aPush, 1, ""},
		{"said to be NDJSON, nothing", "application/x-ndjson; charset=utf-8", "", 0, ""},
		{"said to be NDJSON, an object of two lines", "application/jsonl", "{\"uid\":\n\"a\"}", 0,
			"1 bad_json, 2 bad_json"},
	} {
		status, body := r.do("POST", "/v1/push", c.contentType, c.body)
		accepted, rejected, list, _ := readMany(t, body)
		if status != 200 || accepted != c.accepted || strings.Join(list, ", ") != c.errors ||
			rejected != len(list) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

// readMany reads the answer to an NDJSON request; its errors as "line code".
func readMany(t *testing.T, body string) (accepted, rejected int, list []string, more int) {
	t.Helper()
	var a struct {
		Accepted, Rejected int
		Errors             []struct {
			Line    int
			Code    string
			Message string
		}
		More int `json:"more_errors"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Errors == nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, e := range a.Errors {
		list = append(list, fmt.Sprint(e.Line, " ", e.Code))
	}
	return a.Accepted, a.Rejected, list, a.More
}

func TestPushTooLarge(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{MaxLine: 100})
	long := strings.Repeat("x", 200)
	for _, c := range []struct{ path, body string }{
		{"/v1/push", `{"uid":"a","event":["a/b","` + long + `"]}`},
		{"/v1/push", "{\"uid\":\n\"a\",\n\"event\":[\"a/b\",\n\"" + long + `"]}`},
		{"/v1/push", "{\n\"uid\":" + strings.Repeat("\n\"aaaaaaaaaaaaaaaaaaa\"", 9)},
		{"/v1/reply", `{"reply_to":"k","value":"` + long + `"}`},
		{"/v1/close", `{"uid":"a","reason":"` + long + `"}`},
	} {
		status, body := r.post(c.path, c.body)
		checkError(t, c.body, status, body, 413, "too_large", "100 bytes", 1)
	}
	if n := len(r.engine.pushed()); n != 0 {
		t.Errorf("%d of them were pushed", n)
	}
}

func TestPushErrorsOfTheEngine(t *testing.T) {
	r := plainRig(t)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{backend.ErrBusy, 503, "busy"},
		{fmt.Errorf("engine: %w", backend.ErrDraining), 503, "draining"},
		{errors.New("engine: uid too odd"), 400, "refused"},
	} {
		r.engine.set(func(f *fakeEngine) {
			f.onPush = func(_ *backend.Push, done func(int, error)) { go done(0, c.err) }
		})
		status, body := r.post("/v1/push", aPush)
		checkError(t, c.code, status, body, c.status, c.code, "", 1)
		_, body = r.post("/v1/push", aPush+"\n"+aPush)
		if accepted, rejected, _, _ := readMany(t, body); accepted != 0 || rejected != 2 {
			t.Errorf("%s: %s", c.code, body)
		}
	}
	req, err := http.NewRequest("POST", "http://chskd/v1/push", strings.NewReader(aPush))
	if err != nil {
		t.Fatal(err)
	}
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { done(0, backend.ErrBusy) }
	})
	resp, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

// Lines are pushed as they come, before the body ends, whatever the content type is.
func TestPushStreams(t *testing.T) {
	for _, contentType := range []string{"application/x-ndjson", ""} {
		r := plainRig(t)
		body, in := io.Pipe()
		req, err := http.NewRequest("POST", "http://chskd/v1/push", body)
		if err != nil {
			t.Fatal(err)
		}
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		answer := make(chan string, 1)
		go func() {
			_, b := r.send(req)
			answer <- b
		}()
		for n := 1; n <= 3; n++ {
			fmt.Fprintln(in, aPush)
			eventually(t, "the line's push", func() bool { return len(r.engine.pushed()) == n })
		}
		in.Close()
		if accepted, _, _, _ := readMany(t, <-answer); accepted != 3 {
			t.Errorf("accepted %d", accepted)
		}
	}
}

// More pushes than the engine may leave unanswered, answered in an order of its own.
func TestPushWindow(t *testing.T) {
	r := plainRig(t)
	const lines = 5000
	waiting := make(chan func(int, error), lines)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { waiting <- done }
	})
	go func() {
		for n := 0; n < lines; {
			batch := []func(int, error){<-waiting}
			for len(waiting) > 0 {
				batch = append(batch, <-waiting)
			}
			for i := len(batch) - 1; i >= 0; i-- {
				var err error
				if n++; n%10 == 0 {
					err = errors.New("tenth")
				}
				batch[i](1, err)
			}
		}
	}()
	_, body := r.do("POST", "/v1/push", "application/x-ndjson", strings.Repeat(aPush+"\n", lines))
	accepted, rejected, list, more := readMany(t, body)
	if accepted != lines*9/10 || rejected != lines/10 || len(list) != 100 || more != lines/10-100 {
		t.Errorf("%d %d %d %d", accepted, rejected, len(list), more)
	}
}

func TestReplyAndClose(t *testing.T) {
	r := plainRig(t)
	for _, c := range []struct{ path, body, want string }{
		{"/v1/reply", `{"reply_to":"k1","value":{"ok":true}}`, `{"status":"ok"}`},
		{"/v1/reply", `{"reply_to":"k2","edn":"nil"}`, `{"status":"ok"}`},
		{"/v1/reply", "{\n\"reply_to\":\"k3\",\"value\":null,\n\"keys\":\"string\"}", `{"status":"ok"}`},
		{"/v1/close", `{"uid":"alice"}`, `{"status":"ok","sessions":2}`},
		{"/v1/close", `{"uid":null,"tenant":"t","client":"c","code":4001,"reason":"bye"}`,
			`{"status":"ok","sessions":2}`},
		{"/v1/close", `{"uid":"bob","code":1013,"reason":""}`, `{"status":"ok","sessions":2}`},
		{"/v1/close", `{"uid":"bob","revoke":true}`, `{"status":"ok","sessions":2}`},
		{"/v1/close", `{"uid":"bob","revoke":true,"code":4001,"reason":"out"}`, `{"status":"ok","sessions":2}`},
	} {
		if status, body := r.post(c.path, c.body); status != 200 || body != c.want+"\n" {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
	want := []string{`k1 json {"ok":true}`, "k2 edn nil", "k3 edn nil"}
	if !reflect.DeepEqual(r.engine.replies, want) {
		t.Errorf("replies: %q", r.engine.replies)
	}
	closes := []backend.Close{
		{UID: "alice", Code: 1000}, {Tenant: "t", NilUID: true, Client: "c", Code: 4001, Reason: "bye"},
		{UID: "bob", Code: 1013},
		{UID: "bob", Code: 4403, Reason: "identity revoked", Revoke: true},
		{UID: "bob", Code: 4001, Reason: "out", Revoke: true},
	}
	if !reflect.DeepEqual(r.engine.closes, closes) {
		t.Errorf("closes: %+v", r.engine.closes)
	}
	if status, body := r.post("/v1/reply", `{"reply_to":"busy","value":1}`); status != 503 {
		t.Errorf("busy: %d %s", status, body)
	}
}

func TestQueries(t *testing.T) {
	r := plainRig(t)
	r.engine.set(func(f *fakeEngine) {
		f.users = []backend.Online{
			{UID: "alice", WS: 2}, {NilUID: true, WS: 1}, {UID: `b"ob`, Ajax: 1}, {NilUID: true, Ajax: 1},
			{Tenant: "t", UID: "carol", WS: 1, Ajax: 1},
		}
	})
	for _, c := range []struct{ target, want string }{
		{"/v1/connected", `{"any":["alice",null,"b\"ob"],"ws":["alice",null],"ajax":["b\"ob"],` +
			`"count":{"any":5,"ws":0,"ajax":0}}`},
		{"/v1/connected?limit=2", `{"any":["alice",null],"ws":["alice",null],"ajax":[],` +
			`"count":{"any":5,"ws":0,"ajax":0},"next":"2"}`},
		{"/v1/connected?after=4&tenant=t", `{"any":["carol"],"ws":["carol"],"ajax":["carol"],` +
			`"count":{"any":5,"ws":0,"ajax":0}}`},
		{"/v1/connected?topic=room:1", `{"any":["alice"],"ws":["alice"],"ajax":[]}`},
		{"/v1/connected?topic=room:2", `{"any":[],"ws":[],"ajax":[]}`},
		{"/v1/connected?uid=alice", `{"uid":"alice","online":true,"ws":1,"ajax":1,"clients":[` +
			`{"client":"c1","transports":["ws"],"packer":"edn","lag":3,"topics":["own"]},` +
			`{"client":"c2","transports":["ws","ajax"],"packer":"json","lag":0}],` +
			`"topics":["room:1"],"more_topics":true}`},
		{"/v1/connected?nil_uid=1&tenant=t", `{"tenant":"t","uid":null,"online":true,"ws":1,"ajax":1,` +
			`"clients":[{"client":"c1","transports":["ws"],"packer":"edn","lag":3},` +
			`{"client":"c2","transports":["ws","ajax"],"packer":"json","lag":0}],"more":true}`},
		{"/v1/connected?uid=nobody", `{"uid":"nobody","online":false,"ws":0,"ajax":0,"clients":[]}`},
		{"/healthz", `{"status":"ok"}`},
		{"/readyz", `{"status":"ok"}`},
	} {
		if status, body := r.get(c.target); status != 200 || body != c.want+"\n" {
			t.Errorf("%s: %d\n got %swant %s", c.target, status, body, c.want)
		}
	}
	status, body := r.get("/v1/stats")
	if status != 200 || !strings.Contains(body, `"uptime_s":1.5`) ||
		!strings.Contains(body, `"counters":{"a":1,"b":2}`) || !strings.Contains(body, `"backend":{`) {
		t.Errorf("stats: %d %s", status, body)
	}
	r.engine.set(func(f *fakeEngine) { f.notReady = true })
	if status, body := r.get("/readyz"); status != 503 {
		t.Errorf("readyz while draining: %d %s", status, body)
	}
	if status, _ := r.get("/healthz"); status != 200 {
		t.Errorf("healthz while draining: %d", status)
	}
}

// A request that is under way when the server goes down is answered.
func TestShutdownAnswers(t *testing.T) {
	r := plainRig(t)
	release := make(chan struct{})
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) {
			go func() { <-release; done(3, nil) }()
		}
	})
	answer := make(chan string, 1)
	go func() {
		_, b := r.post("/v1/push", aPush)
		answer <- b
	}()
	eventually(t, "the push", func() bool { return len(r.engine.pushed()) == 1 })
	down := make(chan error, 1)
	go func() {
		ctx, cancel := contextOf(patience)
		defer cancel()
		down <- r.server.Shutdown(ctx)
	}()
	time.AfterFunc(10*time.Millisecond, func() { close(release) })
	if got := <-answer; got != `{"status":"ok","sessions":3}`+"\n" {
		t.Errorf("answer: %s", got)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if c, err := r.dial(); err == nil {
		c.Close()
		t.Error("the socket still takes connections")
	}
}
