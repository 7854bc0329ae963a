package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/cmd/chskd/demo"
)

// TestPage checks that every file the page names is served, and that none comes from elsewhere.
func TestPage(t *testing.T) {
	link := regexp.MustCompile(`(?:src|href)="([^"#?]+)"|from '\.(/[^']+)'`)
	elsewhere := regexp.MustCompile(`https?://`)
	for _, path := range []string{"/", "/demo.js", "/chsk.js", "/edn.js", "/demo.css", "/icon.svg"} {
		contentType, body, ok := demo.Page(path)
		if !ok || len(body) == 0 || contentType == "" {
			t.Errorf("%s is not served", path)
		}
		for _, m := range link.FindAllSubmatch(body, -1) {
			target := string(bytes.Join(m[1:], nil))
			if _, _, ok := demo.Page(target); !ok {
				t.Errorf("%s names %s, which is not served", path, target)
			}
		}
		text := strings.ReplaceAll(string(body), "http://www.w3.org/2000/svg", "")
		if found := elsewhere.FindString(text); found != "" {
			t.Errorf("%s names another server: %s", path, found)
		}
	}
	for _, path := range []string{"", "/index.html", "/web/index.html", "/../page.go", "/chsk"} {
		if _, _, ok := demo.Page(path); ok {
			t.Errorf("%q is served", path)
		}
	}
}

// fakeDaemon is chskd's API socket as far as the demo uses it: it gives the lines of one stream
// and keeps what it is asked to do.
type fakeDaemon struct {
	socket string
	lines  chan string
	asked  chan string
}

func newFakeDaemon(t *testing.T) *fakeDaemon {
	f := &fakeDaemon{
		socket: filepath.Join(t.TempDir(), "api.sock"),
		lines:  make(chan string, 16),
		asked:  make(chan string, 64),
	}
	listener, err := net.Listen("unix", f.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return f
}

func (f *fakeDaemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/events":
		f.asked <- "events " + r.URL.RawQuery
		for {
			w.(http.Flusher).Flush()
			select {
			case line := <-f.lines:
				if line == "" {
					return
				}
				fmt.Fprintln(w, line)
			case <-r.Context().Done():
				return
			}
		}
	case "/v1/connected":
		fmt.Fprint(w, `{"any":["ann","bob",null],"ws":["ann"],"ajax":["ann","bob"],"count":{"any":3}}`)
	default:
		body, _ := io.ReadAll(r.Body)
		f.asked <- r.URL.Path + " " + string(body)
		fmt.Fprint(w, `{"status":"ok"}`)
	}
}

// expect waits for one request that contains every part.
func (f *fakeDaemon) expect(t *testing.T, parts ...string) string {
	t.Helper()
	for {
		select {
		case got := <-f.asked:
			if !containsAll(got, parts) {
				continue
			}
			return got
		case <-time.After(20 * time.Second):
			t.Fatalf("nothing asked with %q", parts)
		}
	}
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

func TestRun(t *testing.T) {
	f := newFakeDaemon(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- demo.Run(ctx, f.socket, t.Logf) }()

	f.expect(t, "events", "presence=1", "format=json")
	f.lines <- `{"type":"hello","api":1,"epoch":"e","consumer":"c1"}`
	f.lines <- `{"type":"open","seq":1,"uid":"ann"}`
	f.expect(t, "/v1/push", `"all":true`, "chat/online", `"count":3`,
		`{"uid":"ann","ws":true,"ajax":true}`, `{"uid":"bob","ws":false,"ajax":true}`)

	f.lines <- `{"type":"event","seq":2,"uid":"ann","event":["chat/hello"],"reply_to":"r1"}`
	f.expect(t, "/v1/reply", `"reply_to":"r1"`, `"users"`)

	f.lines <- `{"type":"event","seq":3,"uid":"ann","event":["chat/send",{"text":"hi"}]}`
	said := f.expect(t, "/v1/push", "chat/message")
	var push struct {
		All   bool
		Event [2]json.RawMessage
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(said, "/v1/push ")), &push); err != nil {
		t.Fatal(err)
	}
	var message struct {
		From, Text string
		At         int64
	}
	if err := json.Unmarshal(push.Event[1], &message); err != nil {
		t.Fatal(err)
	}
	if !push.All || message.From != "ann" || message.Text != "hi" || message.At == 0 {
		t.Errorf("pushed %s", said)
	}

	f.lines <- "" // the stream ends, and the backend comes back
	f.expect(t, "events")
	f.lines <- `{"type":"event","seq":1,"uid":"bob","event":["chat/ping"],"reply_to":"r2"}`
	f.expect(t, "/v1/reply", `"reply_to":"r2"`, `"pong"`)

	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("did not end with its context")
	}
}
