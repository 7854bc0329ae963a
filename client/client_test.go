package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/client"
)

// Every verb, against the daemon.
func TestVerbs(t *testing.T) {
	d := startDaemon(t)
	ctx := contextOf(t)
	c := dial(t, d.api, client.Options{})

	none, err := c.Push(ctx, client.Push{UID: "alice", Event: "a/b"})
	check(t, err)
	equal(t, "sessions of nobody", none.Sessions, 0)
	alice, bob := open(t, d.addr, "alice"), open(t, d.addr, "bob")

	for _, p := range []struct {
		push client.Push
		want string
		both bool
	}{
		{client.Push{UID: "alice", Event: "a/b"}, `["a/b"]`, false},
		{
			client.Push{UID: "alice", Event: "a/b", Data: "q\"\\\n\t\u0001ü"},
			`["a/b","q\"\\\n\u0009\u0001ü"]`, false,
		},
		{client.Push{UID: "alice", Event: "a/b", Data: map[string]int{"x": 1}}, `["a/b",{"x":1}]`, false},
		{
			client.Push{
				UIDs: []string{"alice", "bob"}, Event: "a/b", Data: json.RawMessage("[1,\n2]"), Flush: true,
			},
			`["a/b",[1,2]]`, true,
		},
		{client.Push{UID: "alice", Client: "alice", EDN: `[:a/b {:x "y"}]`}, `["a/b",{"x":"y"}]`, false},
		{client.Push{UID: "alice", Transit: client.Transit(`["~:a/b",["^ ","~:x",1]]`)}, `["a/b",{"x":1}]`, false},
		{client.Push{All: true, Event: "a/all", TTL: time.Minute, ID: "all"}, `["a/all"]`, true},
		{client.Push{All: true, Except: []string{"bob"}, Event: "a/b", Key: "k"}, `["a/b"]`, false},
	} {
		sent, err := c.Push(ctx, p.push)
		if err != nil {
			t.Fatalf("%+v: %v", p.push, err)
		}
		want := 1
		if p.both {
			want = 2
			bob.want(t, p.want)
		}
		equal(t, "sessions", sent.Sessions, want)
		alice.want(t, p.want)
	}
	again, err := c.Push(ctx, client.Push{All: true, Event: "a/all", ID: "all"})
	check(t, err)
	equal(t, "duplicate", again.Duplicate, true)

	joined, err := c.Join(ctx, client.Who{UID: "bob"}, "room")
	check(t, err)
	equal(t, "joined", joined, true)
	_, err = c.Push(ctx, client.Push{Topic: "room", Event: "a/room"})
	check(t, err)
	bob.want(t, `["a/room"]`)
	u, err := c.User(ctx, client.Who{UID: "bob"})
	check(t, err)
	equal(t, "bob", fmt.Sprintln(u.Online, u.WS, u.Clients[0].Client, u.Topics), "true 1 bob [room]\n")
	left, err := c.Leave(ctx, client.Who{UID: "bob"}, "room")
	check(t, err)
	equal(t, "left", left, true)
	joined, err = c.Join(ctx, client.Who{UID: "nobody"}, "room")
	check(t, err)
	equal(t, "nobody joined", joined, false)

	users := map[string]client.Online{}
	for u, err := range c.Users(ctx, "") {
		check(t, err)
		users[u.UID] = u
	}
	equal(t, "users", fmt.Sprint(users["alice"], users["bob"], len(users)),
		"{alice false true false} {bob false true false} 2")
	stats, err := c.Stats(ctx)
	check(t, err)
	equal(t, "stats", fmt.Sprint(stats.Users, stats.WS, stats.Epoch != "", len(stats.Raw) > 100),
		"2 2 true true")

	n, err := c.CloseSessions(ctx, client.Who{UID: "bob"}, 4001, "bye")
	check(t, err)
	equal(t, "closed", n, 1)
	if _, err := bob.message(); err == nil || !strings.Contains(err.Error(), "4001") {
		t.Errorf("bob got %v", err)
	}
	check(t, c.Ping(ctx))
	check(t, c.Flush(ctx))
	equal(t, "pending", c.Pending(), 0)
}

// What is wrong is said, and nothing else fails for it.
func TestRefused(t *testing.T) {
	d := startDaemon(t)
	ctx := contextOf(t)
	c := dial(t, d.api, client.Options{})
	long := strings.Repeat("x", 2<<20)
	for _, p := range []struct {
		push client.Push
		code string // "" = ErrInvalid
	}{
		{client.Push{Event: "a/b"}, "missing_field"},
		{client.Push{UID: "a", All: true, Event: "a/b"}, "conflict"},
		{client.Push{UID: "a", Event: "a/b", Data: long}, "too_large"},
		{client.Push{UID: "a", EDN: "[:a/b"}, "bad_event"},
		{client.Push{UID: "a", Event: "a/b", TTL: 2 * time.Hour}, "bad_field"},
		{client.Push{UID: "a"}, ""},
		{client.Push{UID: "a", Event: "a/b", EDN: "[:a/b]"}, ""},
		{client.Push{UID: "a\xff", Event: "a/b"}, ""},
		{client.Push{UID: "a", NilUID: true, Event: "a/b"}, ""},
		{client.Push{UID: "a", Event: "a/b", Data: json.RawMessage(`{"x":`)}, ""},
		{client.Push{UID: "a", Event: "a/b", Data: make(chan int)}, ""},
	} {
		_, err := c.Push(ctx, p.push)
		var refused *client.Error
		if errors.As(err, &refused) != (p.code != "") || refused != nil && refused.Code != p.code ||
			errors.Is(err, client.ErrInvalid) != (p.code == "") {
			t.Errorf("%.100v: %v, want %q", p.push, err, p.code)
		}
	}
	check(t, c.PushAsync(ctx, client.Push{Event: "a/b"}, nil))
	check(t, c.PushAsync(ctx, client.Push{Event: "a/b"}, nil))
	if err := c.Flush(ctx); err == nil || !strings.Contains(err.Error(), "and 1 more failed") {
		t.Errorf("flush: %v", err)
	}
	check(t, c.Flush(ctx))
	err := c.Reply(ctx, "nothing", nil)
	if refused := (*client.Error)(nil); !errors.As(err, &refused) || refused.Code != "unknown_reply" {
		t.Errorf("reply: %v", err)
	}
	equal(t, "pending", c.Pending(), 0)
}

func TestDialFails(t *testing.T) {
	ctx := contextOf(t)
	path := filepath.Join(t.TempDir(), "s")
	if _, err := client.Dial(ctx, path, client.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := client.Dial(short, path, client.Options{Wait: true})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket, and waiting: %v", err)
	}
	if _, err := client.Dial(ctx, path, client.Options{Pending: -1}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("negative: %v", err)
	}
}

// The default socket is the daemon's, whatever names it.
func TestDefaultPath(t *testing.T) {
	for _, env := range []struct{ runtime, xdg string }{{"/run/a:/run/b", "/x"}, {"", "/x"}, {"", ""}} {
		t.Setenv("CHSKD_API_SOCKET", "")
		t.Setenv("RUNTIME_DIRECTORY", env.runtime)
		t.Setenv("XDG_RUNTIME_DIR", env.xdg)
		want := backend.DefaultSocketPath()
		if _, err := os.Stat(want); err != nil {
			if _, err := os.Stat("/run/chskd/chskd.sock"); err == nil {
				want = "/run/chskd/chskd.sock"
			}
		}
		equal(t, fmt.Sprint(env), client.DefaultPath(), want)
	}
	t.Setenv("CHSKD_API_SOCKET", "/s")
	equal(t, "environment", client.DefaultPath(), "/s")
}

// Without a daemon calls end with their ctx, and say what became of them; the queue is bounded.
func TestWithoutDaemon(t *testing.T) {
	d := startDaemon(t)
	ctx := contextOf(t)
	c := dial(t, d.api, client.Options{Pending: 3})
	check(t, c.Ping(ctx))
	d.stop(syscall.SIGKILL)

	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := c.Push(short, client.Push{UID: "a", Event: "a/b"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a push: %v", err)
	}
	unsent := !errors.Is(err, client.ErrUnanswered) // else it was written before the end was seen
	eventually(t, "it is withdrawn", func() bool { return c.Pending() == 0 || !unsent })
	var ended [3]error
	told := 0
	for i := range 3 - c.Pending() {
		check(t, c.PushAsync(ctx, client.Push{UID: "a", Event: "a/b"}, func(_ client.Pushed, err error) {
			told++
			ended[i] = err
		}))
	}
	short, cancel = context.WithTimeout(ctx, time.Second)
	defer cancel()
	err = c.PushAsync(short, client.Push{UID: "a", Event: "a/b"}, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the queue is full: %v", err)
	}
	if err := c.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush: %v", err)
	}
	waits := make(chan error, 1)
	go func() { waits <- c.PushAsync(ctx, client.Push{UID: "a", Event: "a/b"}, nil) }()
	check(t, c.Close())
	for _, err := range ended[:told] {
		if !errors.Is(err, client.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
	if err := <-waits; !errors.Is(err, client.ErrClosed) {
		t.Errorf("one that waits: %v", err)
	}
	if _, err := c.Push(ctx, client.Push{UID: "a", Event: "a/b"}); !errors.Is(err, client.ErrClosed) {
		t.Errorf("a push after Close: %v", err)
	}
	for _, err := range c.Events(ctx, client.Subscription{}) {
		if !errors.Is(err, client.ErrClosed) {
			t.Errorf("events after Close: %v", err)
		}
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
