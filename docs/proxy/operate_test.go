package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/client"
	"github.com/chskd/chskd/internal/daemontest"
)

// TestReload: a reload changes the config, cuts no poll, and no WebSocket where the proxy can keep
// it; where it cannot the client comes back and misses nothing.
func TestReload(t *testing.T) {
	eachProxy(t, func(t *testing.T, k *kind) {
		d := serve(t, k)
		f, b := startFront(t, k, d), newBackend(t, d)
		s := f.open(t, home, "/chsk", "ws")
		b.await("ws", "is there", connected)
		a := f.newAjax(t, home, protocols[0], "ajax")
		a.hello("ajax")
		answer := a.polling(t.Context())
		b.await("ajax", "polls", polls)

		f.edit(f.config, "404", "410")
		f.reload(t)

		b.push("ajax", "[:app/news 1]")
		if got := <-answer; got != "200 [[[:app/news 1]] nil]" {
			t.Errorf("the poll was answered %s", got)
		}
		if !k.keeps {
			if got, err := s.next(); err == nil {
				t.Fatalf("got %s; is the WebSocket kept?", got)
			}
			if _, err := b.Push(t.Context(), client.Push{UID: "ws", EDN: "[:app/news 2]"}); err != nil {
				t.Fatal(err)
			}
			s = f.open(t, home, "/chsk", "ws")
		} else {
			b.push("ws", "[:app/news 2]")
		}
		s.want("[[[:app/news 2]] nil]")
		s.ask("[:app/echo 3]", "3")
		f.open(t, home, "/chsk", "new").ask("[:app/echo 4]", "4")
	})
}

// reload reloads until the answer outside of chskd is the new config's. A signal may come while a
// program that has just begun does not listen for it yet.
func (f *front) reload(t *testing.T) {
	t.Helper()
	var next time.Time
	daemontest.Eventually(t, "the new config is there", func() bool {
		if now := time.Now(); now.After(next) {
			next = now.Add(10 * time.Second)
			f.kind.reload(t, f)
		}
		a := f.newAjax(t, home, protocols[1], "other")
		a.path = "/elsewhere"
		status, _, err := a.poll(t.Context())
		time.Sleep(50 * time.Millisecond)
		return err == nil && status == http.StatusGone
	})
}

// secret stands in a query, where it should not.
const secret = "6d1c94"

// TestRestart: while chskd is away a request waits, or is refused with a status that no client
// takes for an answer; afterwards all is as before. Of none of it the proxy writes down a query.
func TestRestart(t *testing.T) {
	eachProxy(t, func(t *testing.T, k *kind) {
		d := serve(t, k)
		f := startFront(t, k, d)
		target := "/chsk?client-id=ws&token=" + secret
		if s, status := f.upgrade(t, home, target); s == nil {
			t.Fatalf("the upgrade was answered %d", status)
		}
		a := f.newAjax(t, home, protocols[1], "ajax")
		a.hello("ajax")
		d.End(t, syscall.SIGTERM)

		refused(t, k, f, a)
		if k.waits {
			opened := make(chan int, 1)
			go func() {
				status := 0
				defer func() { opened <- status }() // also when it ends the test
				_, status = f.upgrade(t, home, target)
			}()
			select {
			case status := <-opened:
				t.Errorf("an upgrade did not wait: %d", status)
			case <-time.After(500 * time.Millisecond): // it has been tried by now, if not in vain
			}
			d.Again(t, "--listen", d.Addr)
			if status := <-opened; status != http.StatusSwitchingProtocols {
				t.Errorf("an upgrade in the meantime was answered %d", status)
			}
		} else {
			d.Again(t, "--listen", d.Addr)
		}
		a.hello("ajax")
		f.open(t, home, "/chsk", "ws")
		f.End(t, k.stop)
		if all := f.written(); strings.Contains(all, secret) || !strings.Contains(all, "/chsk") {
			t.Errorf("the proxy wrote:\n%s", all)
		}
	})
}

// refused asks while there is no chskd. Proxies that wait do so for 8 s first.
func refused(t *testing.T, k *kind, f *front, a *ajax) {
	t.Helper()
	if k.waits && testing.Short() {
		return
	}
	if _, status := f.upgrade(t, home, "/chsk?client-id=ws&token="+secret); status < 400 {
		t.Errorf("without chskd an upgrade was answered %d", status)
	}
	status, answer, err := a.do(t.Context(), http.MethodGet, "client-id=ajax&token="+secret, "", nil)
	if err != nil || status < 400 {
		t.Errorf("without chskd a poll was answered %d %.100s, %v", status, answer, err)
	}
}

// TestSeveral: all requests of a client reach the same one of two chskd, each has some clients, and
// when one is gone the other takes its clients.
func TestSeveral(t *testing.T) {
	eachProxy(t, func(t *testing.T, k *kind) {
		daemons := []*daemontest.Daemon{serve(t, k), serve(t, k)}
		f := startFront(t, k, daemons...)
		backends := []*backend{newBackend(t, daemons[0]), newBackend(t, daemons[1])}
		at := [2]string{} // an address of each
		for i := 1; i < 60 && (at[0] == "" || at[1] == ""); i++ {
			from, uid := fmt.Sprintf("127.0.1.%d", i), fmt.Sprintf("user-%d", i)
			at[placeOf(t, f, backends, from, uid)] = from
		}
		if at[0] == "" || at[1] == "" {
			t.Fatalf("one chskd has no clients: %q", at)
		}
		daemons[0].End(t, syscall.SIGTERM)
		f.open(t, at[0], "/chsk", "late")
		backends[1].await("late", "is there", connected)
		a := f.newAjax(t, at[0], protocols[1], "late-ajax")
		a.hello("late-ajax")
		a.wantSend("[[:app/echo 1] :cb]", "[1 nil]")
	})
}

// placeOf connects a client in all ways and tells which chskd it is at.
func placeOf(t *testing.T, f *front, backends []*backend, from, uid string) (place int) {
	t.Helper()
	f.open(t, from, "/chsk", uid)
	daemontest.Eventually(t, uid+" is there", func() bool {
		for i, b := range backends {
			if b.user(uid).WS == 1 {
				place = i
				return true
			}
		}
		return false
	})
	for _, protocol := range protocols {
		a := f.newAjax(t, from, protocol, uid)
		a.hello(uid)
		answer := a.polling(t.Context())
		backends[place].await(uid, "polls", polls)
		a.wantSend("[[:app/echo 1] :cb]", "[1 nil]")
		b := backends[place].with(t)
		b.push(uid, "[:app/news 1]")
		if got := <-answer; !strings.Contains(got, "[:app/news 1]") && got != "200 [[] nil]" {
			t.Fatalf("the poll of %s was answered %s", uid, got)
		}
	}
	if other := backends[1-place]; other.user(uid).Online {
		t.Errorf("%s, from %s, is at both", uid, from)
	}
	return place
}
