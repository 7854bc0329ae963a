package main_test

import (
	"slices"
	"strings"
	"testing"
)

// anyTransport runs a test for a client of each transport, each with a daemon of its own.
func anyTransport(t *testing.T, flags []string, test func(t *testing.T, b *backend, c receiver)) {
	t.Run("WebSocket", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, flags...)
		b := &backend{t, d}
		c := connectWS(t, d, "one", "")
		presentIs(t, d, 1, 1, 0)
		test(t, b, c)
	})
	t.Run("Ajax", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, flags...)
		b := &backend{t, d}
		c := connectAjax(t, d, "one", "")
		c.poll("")
		presentIs(t, d, 1, 0, 1) // since its first poll, not its handshake
		test(t, b, &polling{c})
	})
}

// polling is an Ajax client whose poll hangs already, as a stock client's does: it polls again
// before it looks at what came.
type polling struct{ *ajaxClient }

func (p *polling) batch() []string {
	p.t.Helper()
	for {
		body := p.polled()
		p.poll("")
		if body != ajaxTimeout {
			return batchEvents(p.t, body)
		}
	}
}

// TestPushLeaves: the first event after a quiet time leaves at once, later ones wait for the end of
// the window, which here is longer than the test, or for a push that flushes.
func TestPushLeaves(t *testing.T) {
	t.Parallel()
	flags := []string{"--send-buf-ms-ws", "60000", "--send-buf-ms-ajax", "60000"}
	anyTransport(t, flags, func(t *testing.T, b *backend, c receiver) {
		b.pushNumbers("one", 1, 1, 0)
		if got := numbersOf(t, c.batch()); !slices.Equal(got, []int{1}) {
			t.Fatalf("got %v, want the first event at once", got)
		}
		for i := 2; i < 10; i += 2 {
			b.pushNumbers("one", i, 1, 0)
			b.push(push{UID: "one", EDN: numbered(i+1, 0), Flush: true})
			if got := numbersOf(t, c.batch()); !slices.Equal(got, []int{i, i + 1}) {
				t.Fatalf("got %v, want %d together with the one that flushes", got, i)
			}
		}
	})
}

// TestPushOrder: what is for one user, for all, and what flushes, comes in the order of the pushes.
func TestPushOrder(t *testing.T) {
	t.Parallel()
	anyTransport(t, nil, func(t *testing.T, b *backend, c receiver) {
		// A client that gets no more than 250 events in 20 ms must not be left behind by more
		// than its log keeps.
		const total, chunk, ahead = 2000, 40, 400
		received := 0
		for pushed := 0; pushed < total; pushed += chunk {
			b.push(mixed(pushed, chunk)...)
			for received < pushed+chunk-ahead {
				received += wantNext(t, c, received)
			}
		}
		wantNumbers(t, c, received, total-received)
	})
}

// mixed is numbered events, some for user one, some for all, some that flush.
func mixed(first, n int) []push {
	pushes := make([]push, n)
	for i := range pushes {
		p := push{UID: "one", EDN: numbered(first+i, 0), Flush: (first+i)%7 == 3}
		if (first+i)%3 == 1 {
			p.UID, p.All = "", true
		}
		pushes[i] = p
	}
	return pushes
}

// TestPushLargeThenSmall: a small event does not overtake a large one.
func TestPushLargeThenSmall(t *testing.T) {
	t.Parallel()
	anyTransport(t, nil, func(t *testing.T, b *backend, c receiver) {
		for i := 0; i < 9; i += 3 {
			b.push(push{UID: "one", EDN: numbered(i, 10)},
				push{UID: "one", EDN: numbered(i+1, 900_000)},
				push{UID: "one", EDN: numbered(i+2, 10), Flush: true})
			wantNumbers(t, c, i, 3)
		}
	})
}

// TestCatchUp: a client that comes back to many events gets them in batches that its buffer takes.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	b := &backend{t, d}
	connectWS(t, d, "away", "").leave()
	b.awaitCounter("ws_now", 0)

	t.Run("all that is in the window", func(t *testing.T) {
		b.pushNumbers("away", 0, 1000, 0)
		c := connectWS(t, d, "away", "")
		wantNumbers(t, c, 0, 1000)
		c.leave()
	})
	t.Run("3000: what is out of the window is told", func(t *testing.T) {
		b.awaitConfirmed()
		b.pushNumbers("away", 0, 3000, 0)
		c := connectWS(t, d, "away", "")
		if got := c.batch(); !slices.Equal(got, []string{"[:chskd/gap {:missed 2000}]"}) {
			t.Fatalf("the gap is told as %.200s", got)
		}
		wantNumbers(t, c, 2000, 1000)
	})
	t.Run("3000 with a client that is there", func(t *testing.T) {
		c := connectWS(t, d, "there", "")
		for at := 0; at < 3000; at += 1000 {
			b.pushNumbers("there", at, 1000, 0)
			wantNumbers(t, c, at, 1000)
		}
	})
}

// TestPushFormats: an event that was pushed as JSON arrives at an edn client as edn, and the other
// way round.
func TestPushFormats(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := connectWS(t, d, "one", "")
	conn, in := wsDial(t, d, "/chsk/json?client-id=two")
	defer conn.Close()
	if line, err := wsRead(in); err != nil || !strings.HasPrefix(line, `text [["chsk/handshake",`) {
		t.Fatalf("%v, %v", line, err)
	}
	presentIs(t, d, 2, 2, 0)
	answer := apiCall(t, d, "/v1/push", `{"all": true, "event": ["chat/message", {"text": "hi"}]}`)
	if answer != `{"status":"ok","sessions":2}` {
		t.Errorf("the push was answered %s", answer)
	}
	if got := c.text(); got != `[[[:chat/message {:text "hi"}]] nil]` {
		t.Errorf("edn: %s", got)
	}
	const asPushed = `text [[["chat/message", {"text": "hi"}]],null]`
	if line, err := wsRead(in); err != nil || line != asPushed {
		t.Errorf("json: %s, %v", line, err)
	}
}
