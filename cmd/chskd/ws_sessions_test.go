package main_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Sessions over real sockets: who is there, who gets what, and how it ends.
//
//	ws_sessions_test.go  several conns of one client-id, presence, handshakes, close
//	ws_events_test.go    events, packers, callbacks, pings

// TestTwoSocketsOneClient: the newer of two sockets with one client-id gets the pushes; the older
// can still send and is answered, and neither's end takes the other's place.
func TestTwoSocketsOneClient(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--ms-allow-reconnect-before-close-ws", "100")
	s := openStream(t, d, true)
	first := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	s.want("open c")
	second := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	second.alive() // behind its handshake it waits for its home
	push := func(n int) { pushEDN(t, d, `"uid":"c"`, fmt.Sprintf("[:a/b %d]", n)) }
	push(1)
	second.want("text [[[:a/b 1]] nil]")
	first.alive() // and was pushed nothing
	first.say(`[[:x/y "from the first"] "cb"]`)
	l := s.want(`event c c ws [:x/y "from the first"]`)
	apiCall(t, d, "/v1/reply", fmt.Sprintf(`{"reply_to":%q,"edn":"7"}`, l.ReplyTo))
	first.want(`text [7 "cb"]`)
	userIs(t, d, "uid=c", 1, 0)

	_ = first.tcp.Close() // stale: its end removes nothing
	counterIs(t, d, "conns_now", 1)
	third := openChannel(t, d, "/chsk?client-id=other", `"other"`)
	s.want("open other")
	_ = third.tcp.Close()
	s.want("close other") // the grace of any socket of before is over
	push(2)
	second.want("text [[[:a/b 2]] nil]")
	userIs(t, d, "uid=c", 1, 0)
	second.alive() // with this its kernel has acknowledged the push

	fourth := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	fourth.alive()
	_ = fourth.tcp.Close() // the newest ends: the one that is still there goes on
	counterIs(t, d, "conns_now", 1)
	push(3)
	second.want("text [[[:a/b 3]] nil]")
	_ = second.tcp.Close()
	s.want("close c")
}

// TestTwoPollsOneClient: the newer of two polls with one client-id gets the events; the older is
// answered at its own deadline, neither sooner nor never.
func TestTwoPollsOneClient(t *testing.T) {
	t.Parallel()
	const lpTimeout = time.Second
	d := startDaemon(t, "--lp-timeout-ms", fmt.Sprint(lpTimeout.Milliseconds()))
	first, second := dialRaw(t, d), dialRaw(t, d)
	first.send(rawGet("/chsk?client-id=c&handshake%3F"))
	first.want(200, helloEDN(`"c"`))
	began := time.Now()
	first.send(rawGet("/chsk?client-id=c&udt=1"))
	counterIs(t, d, "polls_now", 1)
	second.send(rawGet("/chsk?client-id=c&udt=2"))
	counterIs(t, d, "polls", 3)
	userIs(t, d, "uid=c", 0, 1)
	pushEDN(t, d, `"uid":"c"`, "[:a/b 1]")
	second.want(200, "[[[:a/b 1]] nil]")
	first.want(200, ajaxTimeout)
	if took := time.Since(began); took < lpTimeout {
		t.Errorf("the displaced poll was answered after %v", took)
	}
	second.send(rawGet("/chsk?client-id=c&udt=3")) // both go on
	first.send(rawGet("/chsk?client-id=c&udt=4"))
	second.want(200, ajaxTimeout)
	first.want(200, ajaxTimeout)
}

// TestHandshakeParameter: `handshake?` counts by being there, whatever its value; without it an
// unknown client gets a handshake too, and a known one waits.
func TestHandshakeParameter(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--lp-timeout-ms", "200")
	c := dialRaw(t, d)
	c.send(rawGet("/chsk?client-id=c"))
	c.want(200, helloEDN(`"c"`))
	for _, param := range []string{
		"handshake%3F=1", "handshake?=1", "handshake%3f=0", "handshake%3F=", "handshake%3F=false",
		"handshake?", "h%61ndshake%3F=nil",
	} {
		c.send(rawGet("/chsk?client-id=c&udt=1&" + param))
		c.want(200, helloEDN(`"c"`))
	}
	for _, param := range []string{
		"udt=2", "udt=3&handshake=1", "udt=4&handshake%253F=1", "udt=5&Handshake?",
	} {
		c.send(rawGet("/chsk?client-id=c&" + param))
		c.want(200, ajaxTimeout)
	}
}

// TestPresence: open and close of a user, whose clients come and go on both transports.
func TestPresence(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--lp-timeout-ms", "500",
		"--ms-allow-reconnect-before-close-ws", "100", "--ms-allow-reconnect-before-close-ajax", "100")
	s := openStream(t, d, true)
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?uid=ann&client-id=p&handshake%3F"))
	poll.want(200, helloEDN(`"ann"`))
	openChannel(t, d, "/chsk?uid=bob&client-id=b", `"bob"`)
	s.want("open bob") // a handshake alone made nobody present
	presentIs(t, d, 1, 1, 0)

	tab := openChannel(t, d, "/chsk?uid=eve&client-id=w", `"eve"`)
	s.want("open eve")
	poll.send(rawGet("/chsk?uid=eve&client-id=p&handshake%3F") + rawGet("/chsk?uid=eve&client-id=p"))
	poll.want(200, helloEDN(`"eve"`))
	userIs(t, d, "uid=eve", 1, 1)
	poll.want(200, ajaxTimeout)
	userIs(t, d, "uid=eve", 1, 0) // its poll's grace is over, its tab is there
	_ = tab.tcp.Close()
	s.want("close eve")
	presentIs(t, d, 1, 1, 0)
	poll.send(rawGet("/chsk?uid=eve&client-id=p&handshake%3F") + rawGet("/chsk?uid=eve&client-id=p"))
	poll.want(200, helloEDN(`"eve"`))
	poll.want(200, ajaxTimeout)
	s.want("open eve", "close eve") // over Ajax alone
	openChannel(t, d, "/chsk?uid=eve&client-id=w", `"eve"`)
	s.want("open eve")
	presentIs(t, d, 2, 2, 0)
}

// TestReconnectInGrace: who is back in the grace time was never away.
func TestReconnectInGrace(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--lp-timeout-ms", "100",
		"--ms-allow-reconnect-before-close-ws", neverMs,
		"--ms-allow-reconnect-before-close-ajax", neverMs)
	s := openStream(t, d, true)
	for i := range 3 {
		c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
		if i == 0 {
			s.want("open c")
		}
		c.say("[[:x/y] nil]")
		s.want("event c c ws [:x/y]")
		_ = c.tcp.Close()
		counterIs(t, d, "conns_now", 0)
	}
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=c&handshake%3F"))
	poll.want(200, helloEDN(`"c"`))
	for range 3 {
		poll.send(rawGet("/chsk?client-id=c"))
		poll.want(200, ajaxTimeout)
	}
	poll.send(ajaxSend("c", "[[:x/z] nil]"))
	poll.want(200, ajaxDummy)
	s.want("event c c ajax [:x/z]")
	userIs(t, d, "uid=c", 1, 1) // entries that expire count, as in Sente
}

// connectedPage is the answer to /v1/connected.
type connectedPage struct {
	Any, WS, Ajax []string
	Count         struct{ Any, WS, Ajax int }
	Next          string
}

// connectedUsers reads all pages of so many users each.
func connectedUsers(t *testing.T, d *daemon, limit int) (all connectedPage) {
	t.Helper()
	for after := ""; ; after = "&after=" + all.Next {
		text := apiCall(t, d, fmt.Sprintf("/v1/connected?limit=%d%s", limit, after), "")
		var page connectedPage
		if err := json.Unmarshal([]byte(text), &page); err != nil || len(page.Any) > limit {
			t.Fatalf("%v, %s", err, text)
		}
		all.Any, all.WS = append(all.Any, page.Any...), append(all.WS, page.WS...)
		all.Ajax, all.Count, all.Next = append(all.Ajax, page.Ajax...), page.Count, page.Next
		if all.Next == "" {
			return all
		}
	}
}

// TestConnected: who is online, and by what.
func TestConnected(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev")
	openChannel(t, d, "/chsk?uid=ann&client-id=a1", `"ann"`)
	wsDial(t, d, "/chsk/json?uid=ann&client-id=a2")
	openChannel(t, d, "/chsk?uid=both&client-id=b1", `"both"`)
	for uid, client := range map[string]string{"both": "b2", "pat": "p1"} {
		poll := dialRaw(t, d)
		poll.send(rawGet("/chsk?uid=" + uid + "&client-id=" + client))
		poll.want(200, helloEDN(`"`+uid+`"`))
		poll.send(rawGet("/chsk?uid=" + uid + "&client-id=" + client))
	}
	presentIs(t, d, 3, 2, 2)
	for _, limit := range []int{1, 2, 100} {
		all := connectedUsers(t, d, limit)
		for _, uids := range [][]string{all.Any, all.WS, all.Ajax} {
			slices.Sort(uids)
		}
		if got := fmt.Sprint(all.Any, all.WS, all.Ajax); got != "[ann both pat] [ann both] [both pat]" {
			t.Errorf("pages of %d: any, ws, ajax are %s", limit, got)
		}
	}
	ann := apiCall(t, d, "/v1/connected?uid=ann", "")
	for _, part := range []string{
		`"online":true,"ws":2,"ajax":0`, `{"client":"a1","transports":["ws"],"packer":"edn","lag":0}`,
		`{"client":"a2","transports":["ws"],"packer":"json","lag":0}`,
	} {
		if !strings.Contains(ann, part) {
			t.Errorf("ann is %s, without %s", ann, part)
		}
	}
	if got := apiCall(t, d, "/v1/connected?uid=nobody", ""); !strings.Contains(got, `"online":false`) {
		t.Errorf("nobody is %s", got)
	}
}

// TestCloseUser: a close frame, then the end of the TCP connection; a hanging poll gets a proper
// answer; other users notice nothing, and nothing old comes when the user is back.
func TestCloseUser(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--ms-allow-reconnect-before-close-ws", "100",
		"--ms-allow-reconnect-before-close-ajax", "100")
	s := openStream(t, d, true)
	polite := openChannel(t, d, "/chsk?uid=ann&client-id=a1", `"ann"`)
	s.want("open ann")
	silent := openChannel(t, d, "/chsk?uid=ann&client-id=a2", `"ann"`)
	silent.alive()
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?uid=ann&client-id=a3&handshake%3F") + rawGet("/chsk?uid=ann&client-id=a3"))
	poll.want(200, helloEDN(`"ann"`))
	other := openChannel(t, d, "/chsk?uid=bob&client-id=b", `"bob"`)
	s.want("open bob")
	userIs(t, d, "uid=ann", 2, 1)

	const request = `{"uid":"ann","code":4001,"reason":"logged out"}`
	if got := apiCall(t, d, "/v1/close", request); got != forSessions(3) {
		t.Errorf("closed: %s", got)
	}
	for _, c := range []*chskConn{polite, silent} {
		c.want("close 4001")
	}
	wsSend(polite.tcp, wsClose(4001), nil)
	polite.wantEnd() // RFC 6455 §7.1.1
	poll.want(200, ajaxTimeout)
	s.want("close ann")
	pushEDN(t, d, `"uid":"ann"`, "[:too/late]")
	poll.send(rawGet("/chsk?uid=ann&client-id=a3"))
	poll.want(200, helloEDN(`"ann"`)) // it is unknown, and begins anew
	silent.wantEnd()
	back := openChannel(t, d, "/chsk?uid=ann&client-id=a1", `"ann"`)
	s.want("open ann")
	back.alive() // and got nothing old
	other.alive()

	t.Run("one client", func(t *testing.T) {
		second := openChannel(t, d, "/chsk?uid=ann&client-id=a9", `"ann"`)
		second.alive()
		got := apiCall(t, d, "/v1/close", `{"uid":"ann","client":"a9"}`)
		if got != forSessions(1) {
			t.Errorf("closed: %s", got)
		}
		second.want("close 1000")
		back.alive()
	})
	t.Run("nobody", func(t *testing.T) {
		if got := apiCall(t, d, "/v1/close", `{"uid":"nobody"}`); got != forSessions(0) {
			t.Errorf("closed: %s", got)
		}
	})
}

// TestBadSendNudges: a send that cannot be read is a 400, and its client's hanging poll returns: a
// stock client sends nothing until then.
func TestBadSendNudges(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=c&handshake%3F"))
	poll.want(200, helloEDN(`"c"`))
	poll.send(rawGet("/chsk?client-id=c"))
	userIs(t, d, "uid=c", 0, 1)
	if a := ask(t, d, ajaxSend("c", "[(")); a.status != 400 || a.body == "" {
		t.Errorf("an undecodable send: %d %q", a.status, a.body)
	}
	poll.want(200, "[[] nil]")
}
