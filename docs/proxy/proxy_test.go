// The tests of this folder start the proxies with the configs that stand here, as they stand: only
// addresses and paths are replaced, those that the head of each config names. Clients speak TLS to
// them, chskd itself is behind them, with the configs that README.md shows.
//
//	rig_test.go      the proxies as processes, certificate and ports
//	clients_test.go  clients over WebSocket and Ajax, and a backend
//	proxy_test.go    what passes through a proxy, and what does not
//	operate_test.go  reloads, restarts, several chskd, logs
//	page_test.go     a page in Chromium
//	readme_test.go   chskd's configs out of README.md
package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/chskd/chskd/client"
)

// TestProxy is all that clients do, through one proxy and at the same time.
func TestProxy(t *testing.T) {
	eachProxy(t, func(t *testing.T, k *kind) {
		d := serve(t, k, "--deny-addresses", away)
		f, b := startFront(t, k, d), newBackend(t, d)
		for name, test := range map[string]func(*testing.T, *front, *backend){
			"WebSocket": testWebSocket, "large": testLarge, "gzip": testGzip, "origin": testOrigin,
			"address": testAddress, "redelivery": testRedelivery,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, f, b.with(t))
			})
		}
		for _, protocol := range protocols {
			t.Run("Ajax "+protocol, func(t *testing.T) {
				t.Parallel()
				testAjax(t, f, b.with(t), protocol)
			})
			t.Run("long poll "+protocol, func(t *testing.T) {
				t.Parallel()
				testLongPoll(t, f, protocol)
			})
		}
	})
}

// testWebSocket: handshake, pushes, callbacks, pings of the protocol, and close codes both ways.
func testWebSocket(t *testing.T, f *front, b *backend) {
	s := f.open(t, home, "/chsk", "ws")
	b.await("ws", "is there", connected)
	b.push("ws", "[:app/news 1]")
	s.want("[[:app/news 1]]")
	s.ask(`[:app/echo "over TLS"]`, `"over TLS"`)
	s.say(ws.OpText, []byte("[[:chsk/ws-ping] nil]"))
	s.ask("[:app/echo 2]", "2")

	s.say(ws.OpPing, []byte("are you there"))
	pong, err := ws.ReadHeader(s)
	payload := make([]byte, len("are you there"))
	if err == nil {
		_, err = io.ReadFull(s, payload)
	}
	if err != nil || pong.OpCode != ws.OpPong || string(payload) != "are you there" {
		t.Fatalf("a ping was answered %+v %q, %v", pong, payload, err)
	}

	n, err := b.CloseSessions(t.Context(), client.Who{UID: "ws"}, 4403, "out")
	if n != 1 || err != nil {
		t.Fatalf("closed %d, %v", n, err)
	}
	s.wantClosed(4403)

	s = f.open(t, home, "/chsk", "ws")
	s.say(ws.OpClose, ws.NewCloseFrameBody(1001, "bye"))
	s.wantClosed(1001)
	s, _ = f.upgrade(t, home, "/chsk/transit?client-id=transit")
	s.want(`[["~:chsk/handshake",["transit",null,null]],null]`)
}

// testLarge: messages of 1 MiB, over either transport, and one byte more.
func testLarge(t *testing.T, f *front, b *backend) {
	const limit = 1 << 20
	message := func(n int) string {
		const begin, end = `[[:app/len "`, `"] :cb]`
		return begin + strings.Repeat("x", n-len(begin)-len(end)) + end
	}
	s := f.open(t, home, "/chsk", "large")
	s.say(ws.OpText, []byte(message(limit)))
	s.want(fmt.Sprintf("[%d :cb]", limit-len(`[[:app/len ] :cb]`)))
	text := strings.Repeat("x", 900_000)
	b.push("large", `[:app/news "`+text+`"]`)
	s.want(`[[[:app/news "` + text + `"]] nil]`)
	tooLong := ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: limit + 1}
	if err := ws.WriteHeader(s.conn, tooLong); err != nil {
		t.Fatal(err)
	}
	s.wantClosed(ws.StatusMessageTooBig)

	a := f.newAjax(t, home, protocols[0], "large-ajax")
	form := "client-id=large-ajax&ppstr="
	for n, want := range map[int]int{limit: 200, limit + 1: http.StatusRequestEntityTooLarge} {
		status, answer, err := a.do(t.Context(), http.MethodPost, "", "application/x-www-form-urlencoded",
			[]byte(form+message(n-len(form))))
		if err != nil || status != want {
			t.Errorf("a send of %d bytes: %d %.100s, %v; want %d", n, status, answer, err, want)
		}
	}
	a.hello("large-ajax")
	answer := a.polling(t.Context())
	b.await("large-ajax", "polls", polls)
	b.push("large-ajax", `[:app/news "`+text+`"]`)
	if got := <-answer; got != `200 [[[:app/news "`+text+`"]] nil]` {
		t.Errorf("a poll was answered %d bytes: %.100s", len(got), got)
	}
}

// testGzip: a packer that speaks in bytes.
func testGzip(t *testing.T, f *front, b *backend) {
	text := strings.Repeat("abcdefgh ", 500)
	message := fmt.Sprintf("[[:app/echo %q] :cb]", text)
	s := f.open(t, home, "/chsk/gzip-edn", "gzip")
	s.say(ws.OpBinary, wrap(t, message))
	s.want(fmt.Sprintf("[%q :cb]", text))

	a := f.newAjax(t, home, protocols[1], "gzip-ajax")
	a.path = "/chsk/gzip-edn"
	status, answer, err := a.do(t.Context(), http.MethodPost, "client-id=gzip-ajax&binary%3F=true",
		"application/octet-stream", wrap(t, message))
	want := fmt.Sprintf("[%q nil]", text)
	if err != nil || status != http.StatusOK || unwrap(t, []byte(answer)) != want {
		t.Errorf("a send was answered %d %.100q, %v", status, answer, err)
	}
}

// testOrigin: pages of the public origin may, by default and without a word in chskd's config, as
// all other tests show; pages of others may not, and no answer passes for a message.
func testOrigin(t *testing.T, f *front, _ *backend) {
	for _, origin := range []string{
		"https://evil.example", "https://evil." + host, "https://" + host + ":1", "null",
	} {
		if _, status := f.upgrade(t, home, "/chsk?client-id=x", "Origin", origin); status != 403 {
			t.Errorf("an upgrade from %s: %d", origin, status)
		}
		a := f.newAjax(t, home, protocols[1], "x")
		if status, answer, err := a.poll(t.Context(), "Origin", origin); err != nil || status != 403 {
			t.Errorf("a poll from %s: %d %s, %v", origin, status, answer, err)
		}
	}
	a := f.newAjax(t, home, protocols[0], "x")
	status, answer, err := a.poll(t.Context(), "Referer", "https://evil.example/")
	if err != nil || status != 403 {
		t.Errorf("a poll of another page: %d %s, %v", status, answer, err)
	}
}

// testAddress: chskd goes by the client's own address, which the client cannot choose.
func testAddress(t *testing.T, f *front, _ *backend) {
	claims := map[string][]string{
		"none":               nil,
		"X-Forwarded-For":    {"X-Forwarded-For", home},
		"two of them":        {"X-Forwarded-For", home + ", " + home},
		"a denied one":       {"X-Forwarded-For", away},
		"Forwarded":          {"Forwarded", "for=" + away},
		"said to be a hop's": {"X-Forwarded-For", away, "Connection", "close, X-Forwarded-For"},
	}
	for name, fields := range claims {
		for from, want := range map[string]int{home: http.StatusOK, away: http.StatusForbidden} {
			for _, protocol := range protocols {
				if protocol == "HTTP/2.0" && len(fields) > 2 {
					continue // it has no such fields (RFC 9113 §8.2.2)
				}
				a := f.newAjax(t, from, protocol, "address")
				status, answer, err := a.shake(t.Context(), fields...)
				if err != nil || status != want {
					t.Errorf("claim: %s, from %s by %s: %d %s, %v; want %d", name, from, protocol, status,
						answer, err, want)
				}
			}
		}
	}
	if s, status := f.upgrade(t, away, "/chsk?client-id=address"); s != nil || status != 403 {
		t.Errorf("an upgrade from %s: %d", away, status)
	}
}

// testRedelivery: with `pong` what the client has not confirmed is sent again, though the proxy has
// taken it; what it has is not.
func testRedelivery(t *testing.T, f *front, b *backend) {
	s := f.open(t, home, "/chsk", "cut")
	s.mute = true
	b.await("cut", "is there", connected)
	b.push("cut", "[:app/news 1]")
	s.want("[:app/news 1]")
	s.cut()

	s = f.open(t, home, "/chsk", "cut")
	s.want("[[[:app/news 1]] nil]")
	s.ask("[:app/echo 2]", "2") // the ping has come before it, and was answered
	b.await("cut", "has confirmed", confirmed)
	s.cut()
	s = f.open(t, home, "/chsk", "cut")
	b.push("cut", "[:app/news 3]")
	s.want("[[[:app/news 3]] nil]")
}

// testAjax: handshake, polls that are answered by pushes, sends with and without an answer.
func testAjax(t *testing.T, f *front, b *backend, protocol string) {
	uid := "ajax-" + protocol[5:6]
	a := f.newAjax(t, home, protocol, uid)
	a.hello(uid)
	for i := range 3 {
		answer := a.polling(t.Context())
		b.await(uid, "polls", polls)
		b.push(uid, fmt.Sprintf("[:app/news %d]", i))
		if got, want := <-answer, fmt.Sprintf("200 [[[:app/news %d]] nil]", i); got != want {
			t.Fatalf("a poll was answered %s, want %s", got, want)
		}
		a.wantSend(`[[:app/echo "a+b&c"] :cb]`, `["a+b&c" nil]`)
		a.wantSend("[[:app/silent] nil]", "[:chsk/dummy-cb-200 nil]")
	}
}

// testLongPoll: a poll waits as long as chskd lets it, which is 20 s, and is answered by chskd.
func testLongPoll(t *testing.T, f *front, protocol string) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	id := "long-" + protocol[5:6]
	a := f.newAjax(t, home, protocol, id)
	a.hello(id)
	begun := time.Now()
	a.wantPoll("[:chsk/timeout nil]")
	if took := time.Since(begun); took < 19*time.Second {
		t.Errorf("the poll was answered after %v", took)
	}
}

// TestFields: who a client is by a field that only the proxy may set is not by the client's.
func TestFields(t *testing.T) {
	eachProxy(t, func(t *testing.T, k *kind) {
		d := serve(t, k, "--auth", "header,client",
			"--header-uid", "X-Forwarded-User", "--header-tenant", "X-Forwarded-Tenant")
		f := startFront(t, k, d)
		for _, protocol := range protocols {
			a := f.newAjax(t, home, protocol, "nobody")
			status, answer, err := a.shake(t.Context(), "X-Forwarded-User", "root",
				"X-Forwarded-Tenant", "others", "x_forwarded_user", "root", "Sec-Fetch-Site", "same-origin")
			if want := `[[:chsk/handshake ["nobody" nil nil]] nil]`; err != nil || answer != want {
				t.Errorf("by %s: %d %s, %v; want %s", protocol, status, answer, err, want)
			}
		}
		// By itself chskd believes it, so this test can fail.
		status, answer, err := askDirectly(t.Context(), k, d,
			"X-Forwarded-User: root\r\nSec-Fetch-Site: same-origin\r\n")
		if want := `[[:chsk/handshake ["root" nil nil]] nil]`; err != nil || answer != want {
			t.Errorf("without the proxy: %d %s, %v; want %s", status, answer, err, want)
		}
	})
}

// TestClientGoes: chskd hears of a client that has gone in the midst of a poll, so that what is
// pushed afterwards waits for its next poll, and is not spent on an answer that nobody reads.
func TestClientGoes(t *testing.T) {
	eachProxy(t, func(t *testing.T, k *kind) {
		d := serve(t, k, "--lp-timeout-ms", "59999", "--ms-allow-reconnect-before-close-ajax", "500")
		f, b := startFront(t, k, d), newBackend(t, d)
		for _, protocol := range protocols {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				b, uid := b.with(t), "goes-"+protocol[5:6]
				a := f.newAjax(t, home, protocol, uid)
				a.hello(uid)
				ctx, leave := context.WithCancel(t.Context())
				answer := a.polling(ctx)
				b.await(uid, "polls", polls)
				leave()
				<-answer
				left := time.Now()
				b.await(uid, "has gone", gone)
				if took := time.Since(left); took > 30*time.Second {
					t.Errorf("chskd heard of it after %v, when the poll was near its end", took)
				}
				if _, err := b.Push(t.Context(), client.Push{UID: uid, EDN: "[:app/news 1]"}); err != nil {
					t.Fatal(err)
				}
				a.wantPoll("[[[:app/news 1]] nil]")
			})
		}
	})
}
