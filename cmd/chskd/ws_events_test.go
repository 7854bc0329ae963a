package main_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// reply answers an event that a backend was given with a value in edn.
func reply(t *testing.T, d *daemon, l *streamLine, value string) {
	t.Helper()
	apiCall(t, d, "/v1/reply", fmt.Sprintf(`{"reply_to":%q,"edn":%q}`, l.ReplyTo, value))
}

// TestEvents: what a client may send over a WebSocket, what the backend is told, and how replies
// come back (as Sente takes it).
func TestEvents(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	for _, e := range []struct{ send, told, cb string }{
		{`[[:x/y 1] nil]`, "event [:x/y 1]", ""},
		{`[[:x/y] nil]`, "event [:x/y]", ""},
		{`[[:x/y {:a [1 #{2}] , "b" #tag 3}] "cb1"]`, `event [:x/y {:a [1 #{2}] , "b" #tag 3}]`, `"cb1"`},
		{`[[:x/y 1] false]`, "event [:x/y 1]", ""},
		{`[[:x/y 1] 0]`, "event [:x/y 1]", "0"},
		{`[[:x/y 1] ""]`, "event [:x/y 1]", `""`},
		{`[[:x/y 1] {:a 1, :b [2]}]`, "event [:x/y 1]", "{:a 1, :b [2]}"},
		{`[[:x/y 1] :k/w extra 7]`, "event [:x/y 1]", ":k/w"},
		{`([:x/y 1] "cb")`, "event [:x/y 1]", `"cb"`},
		{`[[:chsk/ws-ping nil] "cb"]`, "event [:chsk/ws-ping nil]", `"cb"`},
		{`[[:no-namespace 1] nil]`, "bad-event [:no-namespace 1]", ""},
		{`[[:x/y 1 2] "cb"]`, "bad-event [:x/y 1 2]", `"cb"`},
		{`[["x/y" 1] nil]`, `bad-event ["x/y" 1]`, ""},
		{`[[] nil]`, "bad-event []", ""},
		{`[nil nil]`, "bad-event nil", ""},
		{`[]`, "bad-event nil", ""},
		{`nil`, "bad-event nil", ""},
		{`[{:a 1} "cb"]`, "bad-event {:a 1}", `"cb"`},
		{`[7]`, "bad-event 7", ""},
	} {
		c.say(e.send)
		kind, value, _ := strings.Cut(e.told, " ")
		l := s.want(kind + " c c ws " + value)
		if (l.ReplyTo != "") != (e.cb != "") {
			t.Errorf("%s: reply_to is %q", e.send, l.ReplyTo)
			continue
		}
		if e.cb != "" {
			reply(t, d, l, "{:got 1}")
			c.want("text [{:got 1} " + e.cb + "]")
		}
	}
}

// TestUndecodable: what cannot be read is counted and not answered, and the connection stays.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	bad := []string{"(", "7", "{:a 1}", `"\q"`, "[[:x/y]", ":k", "]", "[[:x/y {:a}] nil]"}
	for _, message := range bad {
		c.say(message)
	}
	wsSend(c.tcp, wsBinary(`[[:x/y "binary"] nil]`), nil)
	c.alive()
	c.say("[[:x/y] nil]")
	s.want("event c c ws [:x/y]")
	if n := counter(t, d, "undecodable"); n != uint64(len(bad))+1 {
		t.Errorf("%d messages were undecodable, want %d", n, len(bad)+1)
	}
}

// TestFragmentedEvents: messages in fragments and pieces of any size, with pings between them
// (RFC 6455 §5.4); browsers do so with long ones.
func TestFragmentedEvents(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	rnd := rand.New(rand.NewPCG(6455, 54))
	text := strings.Repeat("é€\U0001F600 text ", 20_000) // 400 KB
	for _, e := range []string{
		wsOctets(`[[:x/y "é€"] nil]`),
		wsPieces(1, "", `[[:x/y "`, "", "é€", `"] nil]`, ""),
		wsFrame(1, `[[:x/y "é`) + wsPing("a") + wsFrame(0, "€") + wsPing("b") +
			wsFrame(0x80, `"] nil]`),
		wsText(`[[:x/y "é€"] nil]`),
	} {
		for _, cuts := range [][]int{nil, wsEveryByte(len(e)), wsCuts(rnd, len(e))} {
			wsSend(c.tcp, e, cuts)
			if strings.Contains(e, wsPing("a")) {
				c.want("pong a", "pong b")
			}
			s.want(`event c c ws [:x/y "é€"]`)
		}
	}
	long := fmt.Sprintf("[[:x/y %q] nil]", text)
	for _, size := range []int{997, 131071, len(long)} {
		wsSend(c.tcp, wsPieces(1, wsChunks(long, size)...), wsCuts(rnd, len(long)))
		s.want(fmt.Sprintf("event c c ws [:x/y %q]", text))
	}
	c.alive()
}

// TestPackers: one daemon speaks edn and json at the same time; a push in either reaches both.
func TestPackers(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev")
	s := openStream(t, d, false)
	edn := openChannel(t, d, "/chsk/edn?client-id=e&uid=u", `"u"`)
	plain := openChannel(t, d, "/chsk?client-id=d&uid=u", `"u"`)
	dial := func(target string) *chskConn {
		tcp, in := wsDial(t, d, target)
		t.Cleanup(func() { _ = tcp.Close() })
		c := &chskConn{t, tcp, in}
		c.want(`text [["chsk/handshake",["u",null,null]],null]`)
		return c
	}
	json, param := dial("/chsk/json?client-id=j&uid=u"), dial("/chsk?packer=json&client-id=p&uid=u")
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk/json?client-id=a&uid=u&handshake%3F") +
		rawGet("/chsk/json?client-id=a&uid=u&udt=1"))
	poll.want(200, `[["chsk/handshake",["u",null,null]],null]`)
	userIs(t, d, "uid=u", 4, 1)

	push := func(request, inEDN, inJSON string) {
		t.Helper()
		apiCall(t, d, "/v1/push", request)
		for _, c := range []*chskConn{edn, plain} {
			c.want("text [[" + inEDN + "] nil]")
		}
		for _, c := range []*chskConn{json, param} {
			c.want("text [[" + inJSON + "],null]")
		}
	}
	push(`{"uid":"u","edn":"[:a/b {:x #{1}, :y :k/w}]","flush":true}`,
		"[:a/b {:x #{1}, :y :k/w}]", `["a/b",{"x":[1],"y":"k/w"}]`)
	poll.want(200, `[[["a/b",{"x":[1],"y":"k/w"}]],null]`)
	push(`{"uid":"u","event":["a/b",{"x":[1.50,null,"s"]}],"flush":true}`,
		`[:a/b {:x [1.50 nil "s"]}]`, `["a/b",{"x":[1.50,null,"s"]}]`)

	json.say(`[["x/y",{"a":[1,"s"]}],"cb"]`)
	l := s.want(`event u j ws [:x/y {:a [1 "s"]}]`)
	reply(t, d, l, "{:k [:v nil]}")
	json.want(`text [{"k":["v",null]},"cb"]`)
	json.say(`[["chsk/ws-ping"],"cb"]`)
	json.want(`text ["pong","cb"]`)
	json.say(`[["x"],null]`)
	s.want(`bad-event u j ws ["x"]`)
	send := dialRaw(t, d)
	send.send(rawPost("/chsk/json", ajaxForm("a", `[["x/z",null],null]`)))
	send.want(200, `["chsk/dummy-cb-200",null]`)
	s.want("event u a ajax [:x/z nil]")
	for _, target := range []string{
		"/chsk/xml?client-id=c", "/chsk?client-id=c&packer=", "/chsk/edn/?client-id=c",
	} {
		for _, request := range []string{
			rawGet(target), rawUpgrade(target), rawPost(target, ajaxForm("c", "[]")),
		} {
			if a := ask(t, d, request); a.status != 400 {
				t.Errorf("%.40s: %d %q", request, a.status, a.body)
			}
		}
	}
}

// TestClientPings: the client's keep-alive is answered and is no event; a ping without callback
// has no answer.
func TestClientPings(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	c.say(`[[:chsk/ws-ping] "a1b2c3"]`)
	c.say(`[[:chsk/ws-ping] nil]`)
	c.say(`[[:chsk/ws-pong] nil]`)
	c.say(`[[:chsk/ws-ping] 7]`)
	c.say(`[[:x/y] nil]`)
	c.want(`text ["pong" "a1b2c3"]`, `text ["pong" 7]`)
	s.want("event c c ws [:x/y]")
}

// TestServerPings: a silent client is asked for a sign of life, in its packer; any message is one,
// and pings are no events. As in Sente the next check comes when the time for an answer
// is over.
func TestServerPings(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--ws-kalive-ms", "400", "--ws-ping-timeout-ms", "3000")
	s := openStream(t, d, false)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	json, in := wsDial(t, d, "/chsk/json?client-id=j")
	defer json.Close()
	c.want(serverPing)
	c.say("[[:chsk/ws-pong] nil]")
	c.want(serverPing)
	c.say("[[:x/y] nil]")
	s.want("event c c ws [:x/y]")
	c.alive()
	for _, want := range []string{
		`text [["chsk/handshake",["j",null,null]],null]`, `text ["chsk/ws-ping",null]`,
	} {
		if got, err := wsRead(in); got != want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

// TestSilentClient: a client that gives no sign of life is closed, and is gone.
func TestSilentClient(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--ws-kalive-ms", "400", "--ws-ping-timeout-ms", "600",
		"--ms-allow-reconnect-before-close-ws", "100")
	s := openStream(t, d, true)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	s.want("open c")
	c.want(serverPing, "close 1001")
	c.wantEnd()
	s.want("close c")
}

// TestCallbackLimit: a connection waits for 256 replies; a further one is :chsk/error at once, and
// there is room again when one is answered.
func TestCallbackLimit(t *testing.T) {
	t.Parallel()
	const most = 256
	d := startDaemon(t)
	s := openStream(t, d, false)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	var waits []*streamLine
	for i := range most + 1 {
		c.say(fmt.Sprintf("[[:x/y %d] %d]", i, i))
		if i < most {
			waits = append(waits, s.want(fmt.Sprintf("event c c ws [:x/y %d]", i)))
		}
	}
	c.want(fmt.Sprintf("text [:chsk/error %d]", most))
	c.say(`[[:x/y "no callback"] nil]`)
	s.want(`event c c ws [:x/y "no callback"]`)
	reply(t, d, waits[100], "1")
	c.want("text [1 100]")
	c.say(`[[:x/y] "again"]`)
	last := s.want("event c c ws [:x/y]")
	for _, i := range []int{0, most - 1, 7} { // in any order
		reply(t, d, waits[i], "2")
		c.want(fmt.Sprintf("text [2 %d]", i))
	}
	reply(t, d, last, "3")
	c.want(`text [3 "again"]`)
	for _, l := range []*streamLine{
		last, waits[0], {ReplyTo: "k0.1.0000000000000000"}, {ReplyTo: "x"},
	} {
		body := fmt.Sprintf(`{"reply_to":%q,"edn":"4"}`, l.ReplyTo)
		if status, answer := apiStatus(t, d, "/v1/reply", body); status != 400 ||
			!strings.Contains(answer, `"unknown_reply"`) {
			t.Errorf("a reply to what does not wait: %d %s", status, answer)
		}
	}
	c.alive() // and got none of these
}

// TestNobodyListens: without a backend a client that waits for a reply is told so at once; other
// events are held for the first that comes.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := openChannel(t, d, "/chsk?client-id=c", `"c"`)
	c.say(`[[:x/y 1] "cb"]`)
	c.want(`text [:chsk/error "cb"]`)
	send := dialRaw(t, d)
	send.send(ajaxSend("c", "[[:x/y 2] :ajax]") + ajaxSend("c", "[[:x/y 3] nil]"))
	send.want(200, "[:chsk/error nil]")
	send.want(200, ajaxDummy)
	c.say(`[[:x/y 4] nil]`)
	c.alive()
	s := openStream(t, d, false)
	s.want("event c c ajax [:x/y 3]", "event c c ws [:x/y 4]")
}
