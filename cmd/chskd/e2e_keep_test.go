package main_test

import (
	"bufio"
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAway: what is pushed while a client is away is there when it comes back, once, however it
// left and however it comes back.
func TestAway(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for _, leave := range []struct {
		how  string
		gone func(*backend, string)
	}{
		{"close frame", func(b *backend, client string) { threeByWS(b, client).leave() }},
		{"RST", func(b *backend, client string) { threeByWS(b, client).reset() }},
		{"FIN", func(b *backend, client string) { threeByWS(b, client).conn.Close() }},
		{"hanging poll FIN", func(b *backend, client string) { threeByAjax(b, client).tcp.Close() }},
		{"hanging poll RST", func(b *backend, client string) {
			resetConn(b.t, threeByAjax(b, client).tcp)
		}},
	} {
		for _, transport := range []string{"WebSocket", "Ajax"} {
			t.Run(leave.how+", back by "+transport, func(t *testing.T) {
				b := &backend{t, d}
				client := strings.ReplaceAll(leave.how+transport, " ", "-")
				leave.gone(b, client)
				b.pushNumbers(client, 3, 3, 0)
				c := comeBack(b, client, transport)
				wantNumbers(t, c, 3, 3)
				b.pushNumbers(client, 6, 1, 0)
				wantNumbers(t, c, 6, 1)
			})
		}
	}
}

func comeBack(b *backend, client, transport string) receiver {
	b.t.Helper()
	if transport == "Ajax" {
		return connectAjax(b.t, b.d, client, "")
	}
	return connectWS(b.t, b.d, client, "")
}

// threeByWS is a client that got events 0 to 2.
func threeByWS(b *backend, client string) *wsClient {
	b.t.Helper()
	c := connectWS(b.t, b.d, client, "")
	b.awaitClient(client)
	b.pushNumbers(client, 0, 3, 0)
	wantNumbers(b.t, c, 0, 3)
	return c
}

// threeByAjax is a client that got events 0 to 2, and whose next poll hangs.
func threeByAjax(b *backend, client string) *ajaxClient {
	b.t.Helper()
	c := connectAjax(b.t, b.d, client, "")
	c.poll("")
	b.awaitClient(client)
	b.pushNumbers(client, 0, 3, 0)
	wantNumbers(b.t, &polling{c}, 0, 3)
	b.awaitCounter("polls_now", 1)
	return c
}

// TestBetweenPolls: what is pushed while a client has no poll is the answer to its next one.
func TestBetweenPolls(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	b := &backend{t, d}
	c := connectAjax(t, d, "one", "")
	c.poll("")
	presentIs(t, d, 1, 0, 1)
	for i := 0; i < 40; i += 4 {
		b.pushNumbers("one", i, 1, 0)
		if got := numbersOf(t, batchEvents(t, c.polled())); len(got) != 1 || got[0] != i {
			t.Fatalf("the hanging poll got %v, want %d", got, i)
		}
		b.pushNumbers("one", i+1, 3, 0)
		wantNumbers(t, c, i+1, 3)
		c.poll("")
		b.awaitConfirmed()
	}
}

// TestForgotten: a client that was away for longer than it is kept begins anew.
func TestForgotten(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--session-keep-ms", "50", "--ms-allow-reconnect-before-close-ws", "50")
	b := &backend{t, d}
	threeByWS(b, "one").leave()
	waitFor(t, func() error { return differ("sessions", b.stats().Sessions, 0) })
	b.pushNumbers("one", 3, 3, 0)
	c := connectWS(t, d, "one", "")
	b.awaitClient("one")
	b.pushNumbers("one", 6, 1, 0)
	wantNumbers(t, c, 6, 1)
}

// TestForeignClientID: a client-id is no key. Another user who comes with it gets nothing that was
// kept for the one before.
func TestForeignClientID(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev")
	b := &backend{t, d}
	connectWS(t, d, "same", "&uid=alice").leave()
	b.awaitCounter("ws_now", 0)
	b.pushNumbers("alice", 0, 3, 0)
	bob := connectWS(t, d, "same", "&uid=bob")
	b.awaitClient("bob")
	b.pushNumbers("bob", 10, 1, 0)
	wantNumbers(t, bob, 10, 1)
	wantNumbers(t, connectWS(t, d, "same", "&uid=alice"), 0, 3)
}

// stallEvents of stallPad bytes are more than the kernels of both sides and the daemon take for a
// client that does not read, and fewer than its log keeps.
const stallEvents, stallPad = 100, 8000

// stalledThenReset pushes more to a client than it takes, and resets its connection. It gives how
// many events the client's kernel had got, and so acknowledged, to their last byte.
func stalledThenReset(t *testing.T, b *backend) (got int) {
	t.Helper()
	c := connectWS(t, b.d, "one", "")
	b.awaitClient("one")
	b.pushNumbers("one", 0, stallEvents, stallPad)
	b.awaitCounter("stalls", 1)
	got = len(c.inKernel())
	c.reset()
	if got == 0 || got >= stallEvents {
		t.Fatalf("%d of %d events were in the kernel", got, stallEvents)
	}
	return got
}

// inKernel gives the events that the kernel has got whole, without taking them: that would make
// room for more. All that it has got is acknowledged.
func (c *wsClient) inKernel() (numbers []int) {
	c.t.Helper()
	in := bufio.NewReader(bytes.NewReader(c.peek()))
	for {
		line, err := wsRead(in)
		if err != nil {
			return numbers
		}
		if batch, ok := strings.CutPrefix(line, "text "); ok {
			numbers = append(numbers, numbersOf(c.t, batchEvents(c.t, batch))...)
		}
	}
}

func (c *wsClient) peek() []byte {
	c.t.Helper()
	if n := c.in.Buffered(); n > 0 {
		c.t.Fatalf("%d bytes were taken from the kernel already", n)
	}
	b := make([]byte, 16<<20)
	for {
		first := c.peekInto(b)
		c.acknowledge()
		if n := c.peekInto(b); n == first {
			return b[:n]
		}
	}
}

func (c *wsClient) peekInto(b []byte) (n int) {
	c.t.Helper()
	raw, err := c.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		c.t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		n, _, failed = unix.Recvfrom(int(fd), b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	switch {
	case err != nil:
		c.t.Fatal(err)
	case failed == unix.EAGAIN:
		return 0
	case failed != nil:
		c.t.Fatal(failed)
	}
	return n
}

// TestRedeliveryTCP: what the kernel of a client had not acknowledged when the connection broke is
// sent again, and nothing else.
func TestRedeliveryTCP(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	b := &backend{t, d}
	got := stalledThenReset(t, b)
	wantNumbers(t, connectWS(t, d, "one", ""), got, stallEvents-got)
}

// TestRedeliveryOff: what was handed over is not sent again, whatever became of it.
func TestRedeliveryOff(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--redelivery", "off")
	b := &backend{t, d}
	got := stalledThenReset(t, b)
	c := connectWS(t, d, "one", "")
	events := numbersOf(t, c.batch())
	if first := events[0]; first <= got || first >= stallEvents {
		t.Fatalf("the first event is %d; %d were in the kernel, more were handed over", first, got)
	}
	t.Logf("lost: %d to %d", got, events[0]-1)
	next := events[len(events)-1] + 1
	wantNumbers(t, c, next, stallEvents-next)
}

// TestRedeliveryPong: only what the client itself has confirmed is not sent again.
func TestRedeliveryPong(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--redelivery", "pong")
	b := &backend{t, d}
	c := connectWS(t, d, "one", "")
	c.mute = true
	b.awaitClient("one")
	b.pushNumbers("one", 0, 3, 0)
	wantNumbers(t, c, 0, 3)
	c.reset()

	c = connectWS(t, d, "one", "")
	wantNumbers(t, c, 0, 3) // nobody had confirmed them
	kind, position, _ := strings.Cut(c.frame(), " ")
	if kind != "ping" {
		t.Fatalf("a %s follows the batch, not a ping", kind)
	}
	c.pong(position)
	b.awaitConfirmed()
	c.mute = true
	b.pushNumbers("one", 3, 3, 0)
	wantNumbers(t, c, 3, 3)
	c.reset()

	wantNumbers(t, connectWS(t, d, "one", ""), 3, 3)
}

// TestAnswerLost: the answer to a poll that nobody can have read is sent again; one that is
// confirmed by the next poll is not. A browser's replay of a poll gets the same again.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	b := &backend{t, d}
	c := threeByAjax(b, "one")
	b.pushNumbers("one", 3, 1, 0)
	if _, err := c.in.Peek(1); err != nil { // the answer is there, and thrown away
		t.Fatal(err)
	}
	c.tcp.Close()
	c.again()
	c.repeat("")
	if got := numbersOf(t, batchEvents(t, c.polled())); !slices.Equal(got, []int{3}) {
		t.Fatalf("the repeated poll got %v", got)
	}
	c.poll("&handshake%3F=1") // a client that believes itself closed
	if a := c.polled(); !strings.HasPrefix(a, "[[:chsk/handshake [") {
		t.Fatalf("instead of a handshake: %s", a)
	}
	wantNumbers(t, c, 3, 1)
	b.pushNumbers("one", 4, 1, 0)
	wantNumbers(t, c, 4, 1)
}
