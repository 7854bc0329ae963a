package main_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What stock clients do not survive, by the numbers of the list of observed reactions:
//
//	 8  events that break a batch           12  refused upgrades
//	 9  anything before the handshake       13  steering by status codes
//	10  more than about 500 events at once  14  empty or foreign answers
//	11  a close right after the handshake   15  a send that is done twice
//	                                        16  polls that are answered at once

// TestMustNot08 pushes what would break a client's batch: it is refused where it is pushed.
func TestMustNot08(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	b := &backend{t, d}
	c := connectWS(t, d, "one", "")
	b.awaitClient("one")
	for _, event := range []string{
		`"edn":"[:chsk/ws-ping]"`, `"edn":"[:chsk/anything {:a 1}]"`, `"edn":"[:plain 1]"`,
		`"edn":"[:a/b 1 42]"`, `"edn":"[]"`, `"edn":":a/b"`, `"edn":"[a/b 1]"`,
		`"edn":"[\"a/b\" 1]"`, `"edn":"[:a/b 1] [:a/c 2]"`, `"edn":"[:a/b 1"`, `"edn":"nil"`,
		`"edn":"[:a/b #unknown/tag"`, `"edn":""`,
		`"event":["chsk/state"]`, `"event":["plain",1]`, `"event":["a/b",1,42]`, `"event":[]`,
		`"event":"a/b"`, `"event":[7]`, `"event":null`,
	} {
		body := `{"uid":"one",` + event + `}`
		resp, err := apiClient(d).Post("http://chskd/v1/push", "application/json",
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 400 || !strings.Contains(string(answer), `"error"`) {
			t.Errorf("%s: %s %s, %v", body, resp.Status, answer, err)
		}
	}
	b.pushNumbers("one", 1, 1, 0)
	wantNumbers(t, c, 1, 1)
}

// TestMustNot09 pushes without a pause to users who connect: the handshake is always first.
func TestMustNot09(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--send-buf-ms-ws", "0", "--send-buf-ms-ajax", "0")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		pushUntil(d, stop)
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	for i := range 60 {
		query := "&uid=one"
		if i%2 == 0 {
			// The same client again: what it has missed is ready when it comes.
			connectWS(t, d, "same", query).batch()
			connectAjax(t, d, "samepoll", query).batch()
			continue
		}
		connectWS(t, d, fmt.Sprintf("ws%d", i), query).batch()
		connectAjax(t, d, fmt.Sprintf("ajax%d", i), query).batch()
	}
}

// pushUntil pushes to user one and to all, until told to stop.
func pushUntil(d *daemon, stop <-chan struct{}) {
	lines := `{"uid":"one","edn":"[:e2e/n {:i 1}]","flush":true}` + "\n" +
		`{"all":true,"edn":"[:e2e/n {:i 2}]"}` + "\n"
	for {
		select {
		case <-stop:
			return
		default:
			_ = postPushes(d, lines) // what went wrong shows where events do not come
		}
	}
}

// TestMustNot10: however many events are pushed at once, no message has more than a client's
// buffer takes. What the pace is, the simulation tells: here it would be a matter of the machine.
func TestMustNot10(t *testing.T) {
	t.Parallel()
	anyTransport(t, nil, func(t *testing.T, b *backend, c receiver) {
		b.pushNumbers("one", 0, 900, 0)
		wantNumbers(t, c, 0, 900) // in batches of at most batchMax
	})
}

// TestMustNot11: who is refused is refused before the handshake, by a status; who had a handshake
// is not closed, be there ever so many like it.
func TestMustNot11(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--csrf-token", "secret", "--auth", "dev")
	for _, tt := range []struct {
		target, field string
		status        int
	}{
		{"/chsk?client-id=a", "", 403},
		{"/chsk?client-id=a&csrf-token=wrong", "", 403},
		{"/chsk?client-id=a&csrf-token=secret", "Origin: https://evil.example", 403},
		{"/chsk?csrf-token=secret", "", 400},
		{"/chsk?csrf-token=secret&client-id=" + strings.Repeat("a", 129), "", 400},
		{"/chsk?csrf-token=secret&client-id=a&uid=" + strings.Repeat("u", 257), "", 400},
		{"/chsk/unknown?csrf-token=secret&client-id=a", "", 400},
	} {
		fields := []string{"X-Nothing: 1"}
		if tt.field != "" {
			fields = []string{tt.field}
		}
		a := ask(t, d, rawUpgrade(tt.target, fields...))
		if a.status != tt.status || a.body == "" {
			t.Errorf("%.60s: answered %d %q, want %d", tt.target, a.status, a.body, tt.status)
		}
	}
	const query = "&uid=one&csrf-token=secret"
	first := connectWS(t, d, "same", query)
	for range 5 {
		connectWS(t, d, "same", query)
	}
	wantAlive(t, first)
}

// wantAlive: the connection works.
func wantAlive(t *testing.T, c *wsClient) {
	t.Helper()
	c.send(`[[:chsk/ws-ping] "p1"]`)
	if got := c.text(); got != `["pong" "p1"]` {
		t.Fatalf("a ping was answered %s", got)
	}
}

// TestMustNot11TooMany: that a user has all the sessions that one may have is no reason either to
// close a connection that had its handshake, nor (16) to answer a poll that would come again.
func TestMustNot11TooMany(t *testing.T) {
	const sessions = 1000
	needFiles(t, sessions)
	d := startDaemon(t, "--auth", "dev")
	b := &backend{t, d}
	var clients []*wsClient
	for i := range sessions {
		clients = append(clients, connectWS(t, d, strconv.Itoa(i), "&uid=one"))
	}
	waitFor(t, func() error { return differ("sessions", b.stats().Sessions, sessions) })
	extra := connectWS(t, d, "extra", "&uid=one")
	b.awaitCounter("sessions_refused", 1)
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=poll&uid=one"))
	b.awaitCounter("polls_now", 1)
	b.awaitCounter("sessions_refused", 2)
	b.pushNumbers("one", 0, 1, 0)
	for _, c := range clients {
		wantNumbers(t, c, 0, 1)
	}
	b.awaitCounter("polls_now", 1)
	if got := extra.peek(); len(got) > 0 { // all loops have had their turn
		t.Fatalf("after the handshake came % x", got)
	}
}

// needFiles skips a test where a process may not have so many files open.
func needFiles(t *testing.T, n int) {
	t.Helper()
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	if r.Cur < uint64(n+500) {
		t.Skipf("\n**** SKIPPED: %s needs %d open files, the limit is %d ****", t.Name(), n+500, r.Cur)
	}
}

// TestMustNot12: at the limit of connections an upgrade waits for a place; it is not refused while
// one may come free.
func TestMustNot12(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-conns", "3")
	var there []*wsClient
	for i := range 3 {
		there = append(there, connectWS(t, d, fmt.Sprint(i), ""))
	}
	late := dialRaw(t, d)
	late.send(rawUpgrade("/chsk?client-id=late"))
	(&backend{t, d}).awaitCounter("conns_held", 1)
	there[1].leave()
	if a := late.answer(http.MethodGet); a.status != http.StatusSwitchingProtocols {
		t.Fatalf("the upgrade that waited was answered %d %s", a.status, a.body)
	}
	c := &wsClient{t: t, conn: late.tcp, in: late.in}
	if got := c.text(); !strings.HasPrefix(got, "[[:chsk/handshake [") {
		t.Fatalf("got %s", got)
	}
	wantAlive(t, there[0])
	wantAlive(t, c)
}

// TestMustNot14 asks in all ways: no answer is empty or foreign to a client that takes it for one
// (and none is a redirect, 13).
func TestMustNot14(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--lp-timeout-ms", "100")
	post := func(message string) string { return sendRequest("one", message, udtClock.Add(1)) }
	for _, request := range []string{
		rawGet("/chsk?client-id=one&handshake%3F=1"), rawGet("/chsk?client-id=one&udt=1"),
		rawGet("/chsk?client-id=other"), rawGet("/chsk"), rawGet("/chsk?client-id="),
		rawGet("/chsk/"), rawGet("/chsk/unknown?client-id=one"), rawGet("/elsewhere"),
		rawGet("/chsk?client-id=one", "Origin: https://evil.example"),
		post("[[:a/b 1] nil]"), post("[[:a/b 1] :ajax]"), post("[[:a/b 1] nil 7]"), post(""),
		post("nil"), post("[]"), post("[nil nil]"), post("7"), post("{:a 1}"), post("[[:a/b 1]"),
		post("<html>"), post("[[:chsk/ws-ping] :ajax]"), post(`"text"`), post("[:plain nil]"),
		rawPost("/chsk", "client-id=one"), rawPost("/chsk", "ppstr=%5B%5D"),
		rawPost("/chsk?client-id=one", ""), rawPost("/chsk", "client-id=one&ppstr=%zz"),
		rawRequest("PUT", "/chsk?client-id=one"), rawRequest("DELETE", "/chsk?client-id=one"),
	} {
		a := ask(t, d, request)
		line, _, _ := strings.Cut(request, "\r\n")
		switch {
		case a.status == http.StatusOK:
			if pair, err := elementsEDN(a.body); err != nil || len(pair) != 2 {
				t.Errorf("%s: 200 with %q", line, a.body)
			}
		case a.status < 400:
			t.Errorf("%s: answered %d", line, a.status)
		case a.body == "":
			t.Errorf("%s: %d without a reason", line, a.status)
		}
	}
}

// TestMustNot15 sends the same request twice, as a browser does when its connection was cut: it is
// done once and answered alike, before the reply, at the same time, and after it.
func TestMustNot15(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	app := startRig(t, d.API, "edn", answer{"edn", "nil"})
	requests := []string{
		sendRequest("one", "[[:test/slow 200] :ajax]", udtClock.Add(1)),
		sendRequest("one", "[[:test/echo 7] :ajax]", udtClock.Add(1)),
		sendRequest("one", "[[:test/other 7] nil]", udtClock.Add(1)),
	}
	want := []string{"[[:slow 200] nil]", "[7 nil]", ajaxDummy}
	for i, request := range requests {
		first, second := dialRaw(t, d), dialRaw(t, d)
		first.send(request)
		second.send(request)
		first.want(http.StatusOK, want[i])
		second.want(http.StatusOK, want[i])
		if a := ask(t, d, request); a.body != want[i] {
			t.Errorf("the replay was answered %q, want %q", a.body, want[i])
		}
	}
	// Another send of the same: its time is another.
	other := sendRequest("one", "[[:test/echo 7] :ajax]", udtClock.Add(1))
	if a := ask(t, d, other); a.body != want[1] {
		t.Errorf("answered %q", a.body)
	}
	if _, seen := app.result(); len(seen) != 4 {
		t.Errorf("the backend was told %q", seen)
	}
	if got := counter(t, d, "posts_replayed"); got != 6 {
		t.Errorf("%d replays were counted, want 6", got)
	}
}

// TestMustNot16: a poll for which there is nothing is held for its whole time, also one that a
// newer one displaced.
func TestMustNot16(t *testing.T) {
	t.Parallel()
	const held = 300 * time.Millisecond
	d := startDaemon(t, "--lp-timeout-ms", fmt.Sprint(held.Milliseconds()))
	c := connectAjax(t, d, "one", "")
	other := &ajaxClient{rawConn: dialRaw(t, d), d: d, target: c.target}
	for range 3 {
		start := time.Now()
		c.poll("")
		other.poll("")
		for _, p := range []*ajaxClient{c, other} {
			if body := p.polled(); body != ajaxTimeout {
				t.Fatalf("the poll got %s", body)
			}
			// It may be answered late, never early; the daemon counts whole milliseconds.
			if took := time.Since(start); took < held-10*time.Millisecond {
				t.Fatalf("the poll was answered after %v", took)
			}
		}
	}
}

// TestNudge: after a send with an HTTP error the client's hanging poll is answered with nothing, so
// that it may send again; but not more often than once a second.
func TestNudge(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := connectAjax(t, d, "one", "")
	sends := dialRaw(t, d)
	start := time.Now()
	c.poll("")
	presentIs(t, d, 1, 0, 1)
	sends.send(sendRequest("one", "[[:a/b", udtClock.Add(1)))
	if a := sends.answer(http.MethodPost); a.status != http.StatusBadRequest || a.body == "" {
		t.Fatalf("the send was answered %d %q", a.status, a.body)
	}
	if body := c.polled(); body != "[[] nil]" {
		t.Fatalf("the hanging poll got %s", body)
	}
	nudges := 1
	for range 20 {
		c.poll("")
		(&backend{t, d}).awaitCounter("polls_now", 1)
		sends.send(sendRequest("one", "[[:a/b", udtClock.Add(1)))
		if a := sends.answer(http.MethodPost); a.status != http.StatusBadRequest {
			t.Fatalf("the send was answered %d %q", a.status, a.body)
		}
		(&backend{t, d}).pushNumbers("one", 0, 1, 0)
		if c.polled() == "[[] nil]" {
			nudges++
		}
	}
	if most := 1 + int(time.Since(start)/time.Second); nudges > most {
		t.Errorf("%d nudges in %v", nudges, time.Since(start))
	}
}
