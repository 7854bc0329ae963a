package verifier_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
	"github.com/chskd/chskd/auth/verifier"
)

// served serves h on a Unix socket or over TCP, and gives a client of it.
func served(t *testing.T, unix bool, timeout time.Duration, h http.HandlerFunc) *hook.Client {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	url := ""
	if unix {
		path := filepath.Join(t.TempDir(), "app.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		s.Listener.Close()
		s.Listener, url = l, "unix:"+path+":/"
	}
	s.Start()
	t.Cleanup(s.Close)
	if !unix {
		url = s.URL
	}
	c, err := hook.New(hook.Config{URL: url, Timeout: timeout, Cache: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// byCookie grants the uid in the cookie.
func byCookie(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie("user"); err != nil {
		http.Error(w, "who are you?", http.StatusUnauthorized)
	} else {
		fmt.Fprintf(w, `{"uid":%q}`, c.Value)
	}
}

// TestManyClients: 10,000 at once with a queue of 100, each with its own cookie: nobody gets
// another's grant, each is answered once, and by trying again, as clients do, all come in.
func TestManyClients(t *testing.T) {
	for _, unix := range []bool{true, false} {
		t.Run(map[bool]string{true: "Unix socket", false: "TCP"}[unix], func(t *testing.T) {
			clients := 10_000
			if raceOn || !unix {
				clients = 2000 // what differs by the transport shows with fewer
			}
			r := newRig(t, verifier.Config{Hook: served(t, unix, time.Minute, byCookie), Workers: 8, Queue: 100}).start()
			var refused atomic.Int64
			in := make([]atomic.Bool, clients)
			before := runtime.NumGoroutine()
			for round := 0; ; round++ {
				var wait sync.WaitGroup
				for part := range 4 { // loops
					wait.Go(func() {
						var tickets []uint64
						var whose []int
						for i := part; i < clients; i += 4 {
							if in[i].Load() {
								continue
							}
							g, ticket := r.ask(request("same-tab", fmt.Sprint("user=u", i)), hooked)
							switch {
							case g == nil:
								tickets, whose = append(tickets, ticket), append(whose, i)
							case g.Refusal == nil || g.Refusal.Status != 503:
								t.Errorf("at once: %+v", g)
							default:
								refused.Add(1)
							}
						}
						for n, ticket := range tickets {
							if g := r.wait(ticket); g.UID != fmt.Sprint("u", whose[n]) {
								t.Errorf("client %d is %q, %v", whose[n], g.UID, g.Refusal)
							}
							in[whose[n]].Store(true)
						}
					})
				}
				if n := runtime.NumGoroutine(); n > before+100 {
					t.Errorf("%d goroutines", n)
				}
				wait.Wait()
				left := 0
				for i := range in {
					if !in[i].Load() {
						left++
					}
				}
				if left == 0 || t.Failed() || round > clients {
					break
				}
			}
			if s := r.v.Stats(); refused.Load() == 0 || s.Ways[verifier.Hook].Waiting != 0 ||
				s.Ways[verifier.Hook].Checks[verifier.Granted] != uint64(clients) {
				t.Errorf("%d turned away, %+v", refused.Load(), s.Ways[verifier.Hook])
			}
		})
	}
}

// TestSlowApplication: everybody is answered in time, though the application never is; then it is
// left alone.
func TestSlowApplication(t *testing.T) {
	release := make(chan struct{})
	client := served(t, true, 20*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	r := newRig(t, verifier.Config{Hook: client, Workers: 4, Queue: 100}).start()
	var tickets []uint64
	for i := range 100 {
		if g, ticket := r.ask(request(fmt.Sprint(i), ""), hooked); g == nil {
			tickets = append(tickets, ticket)
		}
	}
	for _, ticket := range tickets {
		if g := r.wait(ticket); g.Refusal == nil || g.Refusal.Status != 503 {
			t.Errorf("%+v", g)
		}
	}
	// What was asked when it opened is counted, too.
	s := r.v.Stats()
	if n := s.HookTimeouts; n < verifier.BreakAfter || n > verifier.BreakAfter+4 || s.BreakerOpens != 1 ||
		s.HookFailures != n {
		t.Errorf("%d timeouts, %+v", n, s)
	}
}

// TestRestartedApplication: nobody there, then somebody.
func TestRestartedApplication(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	client, err := hook.New(hook.Config{URL: "unix:" + path, Timeout: time.Minute, Cache: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r := newRig(t, verifier.Config{Hook: client, Workers: 2}).start()
	for i := range 3 * verifier.BreakAfter {
		if g, _ := r.get(request(fmt.Sprint(i), "user=u"), hooked); g.Refusal.Status != 503 {
			t.Errorf("%+v", g)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(byCookie), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }() // its end is Close's
	defer s.Close()
	r.pass(time.Second)
	if g, _ := r.get(request("tab", "user=alice"), hooked); g.UID != "alice" {
		t.Errorf("%+v", g)
	}
	if g, _ := r.get(request("tab", ""), hooked); g.Refusal == nil || *g.Refusal != (auth.Refusal{
		Status: 401, Body: "who are you?"}) {
		t.Errorf("%+v", g)
	}
}
