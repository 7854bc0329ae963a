package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const hookSecret = "the daemon's own word for the application"

// TestHook: the application says who a client is, over TCP and by a Unix socket: uid, tenant,
// handshake data, topics; and refuses by a status and a text that the client gets.
func TestHook(t *testing.T) {
	t.Parallel()
	for _, unix := range []bool{false, true} {
		t.Run(fmt.Sprintf("unix %v", unix), func(t *testing.T) {
			app := newApplication(t, unix)
			d := startDaemon(t, "--auth=hook", "--hook-url="+app.url, "--hook-secret="+hookSecret)
			app.say("s=alice", `{"uid":"alice","tenant":"acme","handshake_edn":"{:role :admin}","topics":["news"]}`)
			app.say("s=guest", `{"uid":null,"handshake":{"role":"guest"}}`)
			app.say("s=broke", "402 pay first")
			stream := openStream(t, d, false)

			ws, _ := openAs(t, d, "/chsk?client-id=c1&lang=en", `"alice"`, "{:role :admin}", cookie("s=alice")...)
			q := app.questions()
			if len(q) != 1 || q[0].ClientID != "c1" || q[0].Transport != "ws" || q[0].Method != "GET" ||
				q[0].Address != "127.0.0.1" || q[0].Origin != nil || !strings.Contains(q[0].Query, "lang=en") ||
				q[0].cookie != "s=alice" || q[0].secret != hookSecret {
				t.Errorf("asked %+v", q)
			}
			ws.say("[[:a/b 1] nil]")
			stream.want("event alice c1 ws [:a/b 1]")
			pushEDN(t, d, `"tenant":"acme","topic":"news","flush":true`, "[:news/one]")
			ws.want("text [[[:news/one]] nil]")

			openAs(t, d, "/chsk?client-id=c2", ":sente/nil-uid", `{:role "guest"}`, cookie("s=guest")...)
			ajax := openAjax(t, d, "c3", `"bob"`, appUser(app, "bob")...)
			ajax.send(rawPost("/chsk", ajaxForm("c3", "[[:a/b 2] nil]"), cookie("s=bob")...))
			ajax.want(http.StatusOK, ajaxDummy)
			stream.want("event bob c3 ajax [:a/b 2]")

			for _, request := range []string{rawUpgrade("/chsk?client-id=c4", cookie("s=broke")...),
				rawGet("/chsk?client-id=c4&handshake%3F=1", cookie("s=broke")...),
				rawPost("/chsk", ajaxForm("c4", "[[:a/b 3] nil]"), cookie("s=broke")...)} {
				if a := ask(t, d, request); a.status != 402 || a.body != "pay first" {
					t.Errorf("%d %q", a.status, a.body)
				}
			}
			if a := ask(t, d, rawUpgrade("/chsk?client-id=c5")); a.status != 401 || a.body != "who are you?" ||
				a.header.Get("Www-Authenticate") != "Bearer" {
				t.Errorf("%d %q %v", a.status, a.body, a.header)
			}
			noSecrets(t, d, "s=alice", hookSecret, "lang=en")
		})
	}
}

// appUser makes a user known to the application, and gives the fields that it comes with.
func appUser(a *application, uid string) []string {
	a.say("s="+uid, fmt.Sprintf(`{"uid":%q}`, uid))
	return cookie("s=" + uid)
}

// TestHookMemory: what the application said is remembered, for the same client with the same
// credentials alone.
func TestHookMemory(t *testing.T) {
	t.Parallel()
	app := newApplication(t, false)
	d := startDaemon(t, "--auth=hook", "--hook-url="+app.url, "--hook-cache=1h")
	alice, bob := appUser(app, "alice"), appUser(app, "bob")
	for range 3 {
		openAjax(t, d, "c1", `"alice"`, alice...)
	}
	openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", alice...)
	if q := app.questions(); len(q) > 2 { // ws and ajax are other questions
		t.Errorf("asked %d times", len(q))
	}
	openAjax(t, d, "c1", `"bob"`, bob...)
	if a := ask(t, d, rawGet("/chsk?client-id=c1&handshake%3F=1")); a.status != 401 {
		t.Errorf("without credentials: %d %s", a.status, a.body)
	}
	openAjax(t, d, "c1", `"alice"`, alice...)
	if n := len(app.questions()); n != 2 {
		t.Errorf("asked %d times, want once for bob and once for nobody", n)
	}
}

// TestHookDead: an application that is slow, or gone, keeps new clients out, with a clear 503,
// and nobody who is there from anything.
func TestHookDead(t *testing.T) {
	t.Parallel()
	app := newApplication(t, false)
	d := startDaemon(t, "--auth=hook", "--hook-url="+app.url, "--hook-timeout=200ms", "--hook-cache=1h")
	alice, bob := appUser(app, "alice"), appUser(app, "bob")
	stream := openStream(t, d, false)
	ws, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", alice...)
	ajax := openAjax(t, d, "c2", `"alice"`, alice...)

	fine := func(n int) {
		t.Helper()
		ws.say(fmt.Sprintf("[[:a/b %d] nil]", n))
		stream.want(fmt.Sprintf("event alice c1 ws [:a/b %d]", n))
		ajax.poll("")
		userIs(t, d, "uid=alice", 1, 1)
		pushEDN(t, d, `"uid":"alice","flush":true`, fmt.Sprintf("[:x/y %d]", n))
		ws.want(fmt.Sprintf("text [[[:x/y %d]] nil]", n))
		ajax.want(http.StatusOK, fmt.Sprintf("[[[:x/y %d]] nil]", n))
	}
	refused := func() {
		t.Helper()
		for _, request := range []string{rawUpgrade("/chsk?client-id=c3", bob...),
			rawGet("/chsk?client-id=c3&handshake%3F=1", bob...)} {
			a := ask(t, d, request)
			if a.status != http.StatusServiceUnavailable || a.body != "identity is not known now" ||
				a.header.Get("Retry-After") != "1" {
				t.Errorf("%d %q %v", a.status, a.body, a.header)
			}
		}
	}
	fine(1)
	app.stall()
	refused()
	fine(2)
	app.release()
	waitFor(t, func() error {
		if a := ask(t, d, rawGet("/chsk?client-id=c3&handshake%3F=1", bob...)); a.status != http.StatusOK {
			return fmt.Errorf("it answers again, and bob gets %d %s", a.status, a.body)
		}
		return nil
	})
	app.end()
	for range 3 {
		if a := ask(t, d, rawUpgrade("/chsk?client-id=c4", bob...)); a.status != http.StatusServiceUnavailable {
			t.Errorf("%d %q", a.status, a.body)
		}
	}
	fine(3)
}

// TestHookExpiry: a WebSocket is told, and closed when its time is over; of Ajax clients each
// request is asked for anew.
func TestHookExpiry(t *testing.T) {
	t.Parallel()
	app := newApplication(t, false)
	d := startDaemon(t, "--auth=hook", "--hook-url="+app.url, "--expiry-notice=8s")
	app.say("s=alice", `{"uid":"alice","expires_in_ms":10000}`)
	ws, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", cookie("s=alice")...)
	ajax := openAjax(t, d, "c2", `"alice"`, cookie("s=alice")...)
	app.say("s=alice", "401 log in again")
	ajax.poll("")
	var left int
	notice := ws.frameAfter("text [[[:chskd/expiring ")
	if _, err := fmt.Sscanf(notice, "text [[[:chskd/expiring {:ms %d}]] nil]", &left); err != nil || left < 0 || left > 8000 {
		t.Errorf("%q: %d ms left, %v", notice, left, err)
	}
	ws.want("close 4401")
	ajax.want(http.StatusOK, ajaxTimeout)
	ajax.poll("")
	ajax.want(http.StatusUnauthorized, "log in again")
	if a := ask(t, d, rawUpgrade("/chsk?client-id=c1", cookie("s=alice")...)); a.status != 401 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestHookCSRF: the token that the application gives is asked of the client.
func TestHookCSRF(t *testing.T) {
	t.Parallel()
	app := newApplication(t, false)
	d := startDaemon(t, "--auth=hook", "--hook-url="+app.url)
	app.say("s=alice", `{"uid":"alice","csrf_token":"t0ken"}`)
	fields := append(cookie("s=alice"), "x-csrf-token: t0ken")
	openAs(t, d, "/chsk?client-id=c1&csrf-token=t0ken", `"alice"`, "nil", cookie("s=alice")...)
	openAjax(t, d, "c2", `"alice"`, fields...)
	for _, request := range []string{rawUpgrade("/chsk?client-id=c1", cookie("s=alice")...),
		rawGet("/chsk?client-id=c1&handshake%3F=1&csrf-token=other", cookie("s=alice")...),
		rawPost("/chsk", ajaxForm("c1", "[[:a/b] nil]"), cookie("s=alice")...)} {
		if a := ask(t, d, request); a.status != 403 || a.body != badToken {
			t.Errorf("%d %q", a.status, a.body)
		}
	}
}
