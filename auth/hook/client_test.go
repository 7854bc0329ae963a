package hook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
)

// application serves h on a Unix socket or over TCP, and gives its URL.
func application(t *testing.T, unix bool, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then it is seen that the client goes away
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	url := ""
	if unix {
		path := filepath.Join(t.TempDir(), "app.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		s.Listener.Close()
		s.Listener = l
		url = "unix:" + path + ":/who?x=http://y"
	}
	s.Start()
	t.Cleanup(s.Close)
	if !unix {
		url = s.URL + "/who?x=http://y"
	}
	return url
}

func client(t *testing.T, c hook.Config) *hook.Client {
	t.Helper()
	client, err := hook.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestQuestion(t *testing.T) {
	for _, unix := range []bool{false, true} {
		t.Run(map[bool]string{false: "TCP", true: "Unix socket"}[unix], func(t *testing.T) {
			var got string
			url := application(t, unix, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				h := r.Header.Clone()
				h.Del("Content-Length")
				fields, _ := json.Marshal(h)
				got = r.Method + " " + r.RequestURI + "\n" + string(fields) + "\n" + string(body)
				fmt.Fprint(w, `{"uid":"alice"}`)
			})
			c := client(t, hook.Config{URL: url, Secret: "s3", Cache: 9 * time.Second, Timeout: time.Minute})
			q := &hook.Question{ClientID: "tab", Transport: "ws", Method: "GET", Query: "a=1&b",
				Address: "192.0.2.1", Origin: "https://x", Cookie: "a=b; c=d", Authorization: "Bearer z"}
			g, ttl := c.Ask(t.Context(), q)
			if g.UID != "alice" || g.Refusal != nil || ttl != 9*time.Second {
				t.Fatalf("%+v, %v", g, ttl)
			}
			want := "POST /who?x=http://y\n" +
				`{"Accept":["application/json"],"Authorization":["Bearer z"],"Chskd-Secret":["s3"],` +
				`"Content-Type":["application/json"],"Cookie":["a=b; c=d"],"Origin":["https://x"],` +
				`"User-Agent":["chskd"]}` + "\n" +
				`{"client_id":"tab","transport":"ws","method":"GET","origin":"https://x",` +
				`"query":"a=1\u0026b","address":"192.0.2.1"}`
			if got != want {
				t.Errorf("asked\n%s\nwant\n%s", got, want)
			}
			c.Ask(t.Context(), &hook.Question{ClientID: "tab"})
			if !strings.Contains(got, `"origin":null`) || strings.Contains(got, "Cookie") {
				t.Errorf("without fields it asks\n%s", got)
			}
		})
	}
}

// TestOutcomes: what each answer of an application means, and what the log says of it.
func TestOutcomes(t *testing.T) {
	refused := func(status int, body string) string { return fmt.Sprint(status, " ", body) }
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	raw := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				io.WriteString(conn, answer)
				conn.Close()
			}
		}
	}
	for _, c := range []struct {
		name string
		app  http.HandlerFunc
		want any // a *auth.Grant by identity, or its refusal's status and body
		log  string
	}{
		{"401", text(401, "please log in\n"), refused(401, "please log in"), ""},
		{"403 without body", text(403, ""), refused(403, "Forbidden"), ""},
		{"404", text(404, "404 page not found\n"), refused(404, "404 page not found"), ""},
		{"429", text(429, "später"), refused(429, "später"), ""},
		{"499 has no name", text(499, ""), refused(499, "refused"), ""},
		{"longest body", text(401, strings.Repeat("x", 1024)), refused(401, strings.Repeat("x", 1024)), ""},
		{"long body", text(401, strings.Repeat("x", 1025)), refused(401, "Unauthorized"), "the answer is longer than 1024 bytes"},
		{"body of lines", text(401, "a\r\nSet-Cookie: x"), refused(401, "Unauthorized"), "control characters"},
		{"body with ESC", text(401, "\x1b[2J"), refused(401, "Unauthorized"), "control characters"},
		{"body not UTF-8", text(401, "\xff"), refused(401, "Unauthorized"), "not UTF-8"},
		{"refusal cut", raw("HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nx"), refused(401, "Unauthorized"), "not readable"},
		{"407 is about us", text(407, ""), hook.Unknown, "status 407"},
		{"408 is about us", text(408, ""), hook.Unknown, "status 408"},
		{"500", text(500, "a stack trace"), hook.Unknown, "status 500"},
		{"502", text(502, ""), hook.Unreachable, "status 502"},
		{"503", text(503, ""), hook.Unreachable, "status 503"},
		{"204", text(204, ""), hook.Unknown, "status 204: an identity has status 200"},
		{"201", text(201, `{"uid":"u"}`), hook.Unknown, "status 201"},
		{"302", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
			hook.Unknown, "status 302: redirects are not followed"},
		{"307", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/who", http.StatusTemporaryRedirect)
		},
			hook.Unknown, "status 307: redirects are not followed"},
		{"101", raw("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), hook.Unknown, "status 101"},
		{"empty", text(200, ""), hook.Unknown, "not JSON"},
		{"HTML", text(200, "<html>secret"), hook.Unknown, "not JSON"},
		{"wrong JSON", text(200, `{"uid":"secret","role":1}`), hook.Unknown, `a field \"role\"`},
		{"huge", text(200, `{"uid":"`+strings.Repeat("x", 1<<20)+`"}`), hook.Unknown, "longer than 65536"},
		{"huge, length not said", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, strings.Repeat(" ", 1<<20))
		}, hook.Unknown, "longer than 65536"},
		{"without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, strings.Repeat(" ", 1<<12))
			}
		}, hook.Unknown, "longer than 65536"},
		{"compressed unasked", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, `{"uid":"u"}`)
		}, hook.Unknown, "Content-Encoding"},
		{"huge head", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("secret", 10_000))
			io.WriteString(w, `{"uid":"u"}`)
		}, hook.Unknown, "not readable as HTTP"},
		{"no HTTP", raw("secret\r\n\r\n"), hook.Unknown, "not readable as HTTP"},
		{"broken field", raw("HTTP/1.1 200 OK\r\nSet-Cookie secret\r\n\r\n"), hook.Unknown, "not readable as HTTP"},
		{"closed at once", raw(""), hook.Unreachable, "ended before the answer"},
		{"closed in the head", raw("HTTP/1.1 200 OK\r\nConte"), hook.Unknown, "not readable as HTTP"},
		{"closed in the body", raw("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"uid\":"), hook.Unreachable, "ended before the answer"},
		{"closed in a chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"uid\":"), hook.Unreachable, "ended before the answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			url := application(t, true, c.app)
			// Long enough for a busy machine: no case here waits for it.
			asker := client(t, hook.Config{URL: url, Timeout: time.Minute, Cache: time.Hour,
				Log: slog.New(slog.NewTextHandler(&log, nil))})
			g, ttl := asker.Ask(t.Context(), &hook.Question{ClientID: "tab", Cookie: "secret=1",
				Authorization: "secret", Query: "secret", Origin: "https://secret"})
			switch want := c.want.(type) {
			case *auth.Grant:
				if g != want || g.Refusal.Status != 503 || g.Refusal.RetryAfter != 1 || ttl != 0 {
					t.Errorf("%+v, ttl %v; log %s", g.Refusal, ttl, &log)
				}
			case string:
				if g.Refusal == nil || refused(g.Refusal.Status, g.Refusal.Body) != want {
					t.Errorf("%+v, want %s", g.Refusal, want)
				}
			}
			if got := log.String(); !strings.Contains(got, c.log) || (c.log == "") != (got == "") ||
				strings.Contains(got, "secret") {
				t.Errorf("log %q, want %q and no secret", got, c.log)
			}
		})
	}
}

// TestTimeouts: the timeout is of the whole exchange.
func TestTimeouts(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	trickle := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}
	for name, app := range map[string]http.HandlerFunc{"silent": silent, "trickling": trickle} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c := client(t, hook.Config{URL: application(t, false, app), Timeout: 50 * time.Millisecond,
				Log: slog.New(slog.NewTextHandler(&log, nil))})
			if g, _ := c.Ask(t.Context(), new(hook.Question)); g != hook.TimedOut {
				t.Errorf("%+v", g.Refusal)
			}
			if !strings.Contains(log.String(), "no whole answer within 50ms") {
				t.Errorf("log %q", &log)
			}
		})
	}
}

// A dead application: nobody listens, or accepts.
func TestDead(t *testing.T) {
	dir := t.TempDir()
	full, err := net.Listen("unix", filepath.Join(dir, "full.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	c := client(t, hook.Config{URL: "unix:" + filepath.Join(dir, "none.sock")})
	if g, _ := c.Ask(t.Context(), new(hook.Question)); g != hook.Unreachable {
		t.Errorf("no socket: %+v", g.Refusal)
	}
	c = client(t, hook.Config{URL: "unix:" + filepath.Join(dir, "full.sock"), Timeout: 50 * time.Millisecond})
	if g, _ := c.Ask(t.Context(), new(hook.Question)); g != hook.TimedOut {
		t.Errorf("nobody accepts: %+v", g.Refusal)
	}
	c = client(t, hook.Config{URL: application(t, false, nil), Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if g, _ := c.Ask(ctx, new(hook.Question)); g.Refusal == nil {
		t.Error("a canceled question is answered")
	}
}

// TestKeepAlive: connections are used again and bounded; one that was closed while idle costs
// nobody an answer.
func TestKeepAlive(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"uid":"u"}`)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := client(t, hook.Config{URL: s.URL, Conns: 3, Timeout: time.Minute})
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			for range 10 {
				if g, _ := c.Ask(t.Context(), new(hook.Question)); g.UID != "u" {
					t.Errorf("%+v", g.Refusal)
				}
			}
		})
	}
	wait.Wait()
	if n := opened.Load(); n > 3 {
		t.Errorf("%d connections for 300 questions, 3 at once", n)
	}
	s.CloseClientConnections()
	for range 10 {
		if g, _ := c.Ask(t.Context(), new(hook.Question)); g.UID != "u" {
			t.Errorf("after the connections were closed: %+v", g.Refusal)
		}
	}
}

// No environment chooses where a client's cookies go.
func TestNoProxy(t *testing.T) {
	proxy := application(t, false, func(http.ResponseWriter, *http.Request) { t.Error("a proxy was asked") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	t.Setenv("NO_PROXY", "")
	c := client(t, hook.Config{URL: "http://chskd.invalid/", Timeout: time.Second})
	if g, _ := c.Ask(t.Context(), new(hook.Question)); g.Refusal == nil {
		t.Error("somebody answered")
	}
}

// A client's bytes must not make asking fail.
func TestHostileFields(t *testing.T) {
	asked := 0
	c := client(t, hook.Config{URL: application(t, true, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, `{"uid":null}`)
	})})
	for _, q := range []*hook.Question{{Cookie: "a\r\nX: y"}, {Authorization: "\x00"}, {Origin: "\x7f"}} {
		if g, _ := c.Ask(t.Context(), q); g.Refusal == nil || g.Refusal.Status != 400 {
			t.Errorf("%+v gives %+v", q, g)
		}
	}
	if asked != 0 {
		t.Errorf("asked %d times", asked)
	}
	q := &hook.Question{ClientID: "\xff\"", Cookie: "\xfe\t", Query: "\xff<>", Origin: "\xc0"}
	if g, _ := c.Ask(t.Context(), q); !g.NilUID {
		t.Errorf("bytes beyond ASCII: %+v", g.Refusal)
	}
}

// TestLogIsLimited: one line a second, which counts the others.
func TestLogIsLimited(t *testing.T) {
	var log bytes.Buffer
	now := time.Unix(1000, 0)
	c := client(t, hook.Config{URL: "unix:" + filepath.Join(t.TempDir(), "none"),
		Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2500 {
		c.Ask(t.Context(), new(hook.Question))
		now = now.Add(time.Millisecond)
	}
	if n := strings.Count(log.String(), "\n"); n != 3 || !strings.Contains(log.String(), "not_logged=999") {
		t.Errorf("%d lines:\n%s", n, &log)
	}
}

func TestHTTPS(t *testing.T) {
	var log bytes.Buffer
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"uid":%q}`, r.Proto)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	defer s.Close()
	known := s.Client().Transport.(*http.Transport).TLSClientConfig
	c := client(t, hook.Config{URL: s.URL, TLS: known, Timeout: time.Minute})
	if g, _ := c.Ask(t.Context(), new(hook.Question)); g.UID != "HTTP/1.1" {
		t.Errorf("%+v", g)
	}
	c = client(t, hook.Config{URL: s.URL, Timeout: time.Minute,
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	if g, _ := c.Ask(t.Context(), new(hook.Question)); g != hook.Unreachable ||
		!strings.Contains(log.String(), "certificate") {
		t.Errorf("an unknown certificate: %+v, log %s", g, &log)
	}
}

func TestURLs(t *testing.T) {
	for _, url := range []string{
		"", "app", "/run/app.sock", "unix:", "unix:app.sock", "unix:/", "unix://run/app.sock",
		"ftp://x/", "http://", "http:///x", "http://u:secret@x/", "http://x/#secret", "http://x/%zz",
		"http://x/ \x00", "unix:/a.sock:/p#f",
	} {
		if _, err := hook.New(hook.Config{URL: url}); err == nil {
			t.Errorf("%q is taken", url)
		} else if strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "#secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{
		"http://x", "http://[::1]:80/p?q", "https://x/p", "unix:/a.sock", "unix:/a.sock:/", "unix:@a:/p",
		"unix:/run/a:b.sock:/p",
	} {
		if _, err := hook.New(hook.Config{URL: url}); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := hook.New(hook.Config{URL: "http://x", Secret: "hush\n"}); err == nil ||
		strings.Contains(err.Error(), "hush") {
		t.Errorf("a secret with newline: %v", err)
	}
}
