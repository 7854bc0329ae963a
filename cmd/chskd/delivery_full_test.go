package main_test

import (
	"strings"
	"testing"
)

// wantSoft reads the answer to an Ajax send.
func wantSoft(t *testing.T, c *rawConn, want string) {
	t.Helper()
	if a := c.answer("POST"); a.status != 200 || a.body != want {
		t.Fatalf("the send was answered %d %q, want %q", a.status, a.body, want)
	}
}

const ajaxError = "[:chsk/error nil]"

// wantOpen: the server still talks with c.
func wantOpen(t *testing.T, c *wsClient) {
	t.Helper()
	c.send(`[[:chsk/ws-ping] "alive"]`)
	if got := c.text(); got != `["pong" "alive"]` && got != `[:chsk/pong "alive"]` {
		t.Fatalf("a ping was answered %s", got)
	}
}

// TestOnFullHold: without a backend events wait for one, but not those whose client waits.
func TestOnFullHold(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := connectWS(t, d, "c1", "")
	post := dialRaw(t, d)
	c.send(`[[:x/held 1] nil]`)
	c.send(`[[:x/asked 2] "cb"]`)
	if got := c.text(); got != `[:chsk/error "cb"]` {
		t.Fatalf("the callback got %s", got)
	}
	post.send(sendRequest("c2", `[[:x/asked 3] :ajax]`, 1))
	wantSoft(t, post, ajaxError)
	post.send(sendRequest("c2", `[[:x/held 4] nil]`, 2))
	wantSoft(t, post, ajaxDummy)
	wantOpen(t, c)
	s := openStream(t, d, false)
	heard := map[string]bool{s.next().EDN: true, s.next().EDN: true}
	if !heard["[:x/held 1]"] || !heard["[:x/held 4]"] {
		t.Errorf("the backend heard %v", heard)
	}
	c.send(`[[:x/now 5] nil]`)
	s.want("event c1 c1 ws [:x/now 5]")
	(&backend{t, d}).awaitCounter("rejections", 0)
}

// TestOnFullDrop: without a backend events are lost, counted and told as a gap.
func TestOnFullDrop(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--backend-on-full", "drop")
	c := connectWS(t, d, "c1", "")
	post := dialRaw(t, d)
	c.send(`[[:x/lost 1] nil]`)
	c.send(`[[:x/asked 2] "cb"]`)
	if got := c.text(); got != `[:chsk/error "cb"]` {
		t.Fatalf("the callback got %s", got)
	}
	post.send(sendRequest("c2", `[[:x/asked 3] :ajax]`, 1))
	wantSoft(t, post, ajaxError)
	post.send(sendRequest("c2", `[[:x/lost 4] nil]`, 2))
	wantSoft(t, post, ajaxDummy)
	wantOpen(t, c)
	(&backend{t, d}).awaitCounter("events_dropped", 4)
	b := speakLines(t, d)
	b.say(`{"op":"subscribe","ref":1}`)
	b.want(`"ref":1`)
	b.want(`"type":"hello"`)
	c.send(`[[:x/now 5] nil]`)
	b.want(`"type":"gap"`, `"missed":`)
	b.want(`"type":"event"`, `"x/now"`)
}

// TestOnFullReject: without a backend a client that says something is closed, after the replies
// that it still waits for; over Ajax its sends are refused softly. It is welcome again.
func TestOnFullReject(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--backend-on-full", "reject")
	b := &backend{t, d}
	reject := func(message string, replies ...string) {
		t.Helper()
		c := connectWS(t, d, "c1", "")
		c.send(message)
		for _, want := range replies {
			if got := c.text(); got != want {
				t.Fatalf("%s: got %s, want %s", message, got, want)
			}
		}
		if got := c.frame(); !strings.HasPrefix(got, "close 1013") {
			t.Fatalf("%s: got %s", message, got)
		}
		c.write(wsText(`[[:x/after 1] nil]`) + wsClose(1013))
		b.awaitCounter("ws_now", 0)
	}
	reject(`[[:x/y 1] nil]`)
	reject(`[[:x/y 1] "cb"]`, `[:chsk/error "cb"]`)
	b.awaitCounter("rejections", 2)

	poll := connectAjax(t, d, "c2", "")
	poll.poll("")
	b.awaitClient("c2")
	post := dialRaw(t, d)
	post.send(sendRequest("c2", `[[:x/y 3] :ajax]`, 1))
	wantSoft(t, post, ajaxError)
	post.send(sendRequest("c2", `[[:x/y 4] nil]`, 2))
	wantSoft(t, post, ajaxError)
	b.pushNumbers("c2", 0, 1, 0)
	wantNumbers(t, &answered{poll}, 0, 1) // it was left alone
	b.awaitCounter("rejections", 4)

	// A reply that is waited for when the backend goes away, and then the close.
	lines := speakLines(t, d)
	lines.say(`{"op":"subscribe","format":"edn","ref":1}`)
	lines.want(`"ref":1`)
	lines.want(`"type":"hello"`)
	c := connectWS(t, d, "c3", "")
	c.send(`[[:x/y 5] "waits"]`)
	lines.want(`"type":"gap"`)
	lines.want(`"type":"event"`, `[:x/y 5]`, `"reply_to"`)
	lines.conn.Close()
	waitFor(t, func() error {
		answer := apiCall(t, d, "/v1/stats", "")
		if !strings.Contains(answer, `"consumers":0`) {
			return differ("stats", answer, `..."consumers":0...`)
		}
		return nil
	})
	c.send(`[[:x/y 6] nil]`)
	if got := c.text(); got != `[:chsk/error "waits"]` {
		t.Fatalf("the callback got %s", got)
	}
	if got := c.frame(); !strings.HasPrefix(got, "close 1013") {
		t.Fatalf("got %s", got)
	}
}

// TestRepliesWhenGoingDown: who still waits for a reply when the server goes down is told before its
// close: no reply can come any more.
func TestRepliesWhenGoingDown(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := connectWS(t, d, "c1", "")
	c.send(`[[:x/y 1] "waits"]`)
	s.want("event c1 c1 ws [:x/y 1]")
	terminate(t, d)
	if got := c.text(); got != `[:chsk/error "waits"]` {
		t.Fatalf("the callback got %s", got)
	}
	if got := c.frame(); !strings.HasPrefix(got, "close 1001") {
		t.Fatalf("got %s", got)
	}
	c.write(wsClose(1001))
}
