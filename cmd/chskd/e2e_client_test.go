package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// End-to-end tests: the daemon itself, real sockets, and a backend on its API socket. They wait for
// what must come and never for a time; what must not come is shown by what comes instead of it.
//
//	e2e_client_test.go     Sente clients, over WebSocket and over Ajax
//	e2e_backend_test.go    what a backend asks, numbered events
//	e2e_push_test.go       a push: when it leaves, in which order, in which batches
//	e2e_keep_test.go       clients that were away, on all ways of coming back
//	e2e_stall_test.go      a client that does not read
//	e2e_restart_test.go    going down, coming back
//	e2e_scale_test.go      thousands of clients
//	e2e_blackhole_test.go  a network that loses everything for a while
//	e2e_mustnot_test.go    what stock clients do not survive

// wsClient is a Sente client over WebSocket that has had its handshake.
type wsClient struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	mute bool // answers no protocol pings
}

// connectWS connects a client; query is what stands behind client-id, as "&uid=alice".
func connectWS(t *testing.T, d *daemon, client, query string) *wsClient {
	t.Helper()
	conn, in := wsDial(t, d, "/chsk?client-id="+client+query)
	t.Cleanup(func() { conn.Close() })
	c := &wsClient{t: t, conn: conn, in: in}
	if first := c.text(); !strings.HasPrefix(first, "[[:chsk/handshake [") {
		t.Fatalf("the first message is %.100s", first)
	}
	return c
}

// frame reads one frame as a line: "text ...", "ping ...", "close 1000".
func (c *wsClient) frame() string {
	c.t.Helper()
	line, err := wsRead(c.in)
	if err != nil {
		c.t.Fatalf("instead of a frame: %v", err)
	}
	return line
}

// text reads the next text message. Pings are left out, and those of the protocol answered.
func (c *wsClient) text() string {
	c.t.Helper()
	for {
		switch kind, payload, _ := strings.Cut(c.frame(), " "); {
		case kind == "ping":
			c.pong(payload)
		case kind != "text":
			c.t.Fatalf("instead of a text message: %s %.100s", kind, payload)
		case payload != "[:chsk/ws-ping nil]":
			return payload
		}
	}
}

// pong answers a protocol ping, unless the client is mute.
func (c *wsClient) pong(payload string) {
	c.t.Helper()
	if !c.mute {
		c.write(wsPong(payload))
	}
}

// send sends one text message.
func (c *wsClient) send(message string) { c.write(wsText(message)) }

// write sends frames as they are.
func (c *wsClient) write(frames string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, frames); err != nil {
		c.t.Fatal(err)
	}
}

// batch reads the next message, which must be a batch, and gives its events.
func (c *wsClient) batch() []string {
	c.t.Helper()
	return batchEvents(c.t, c.text())
}

// leave ends the connection as a client does that goes away on purpose.
func (c *wsClient) leave() {
	c.t.Helper()
	c.write(wsClose(1000))
	if line := c.frame(); line != "close 1000" {
		c.t.Fatalf("the close frame was answered by %.100s", line)
	}
	c.conn.Close()
}

// reset ends the connection with a TCP reset. What has come is acknowledged before, for a reset
// acknowledges nothing, and kernels wait a little before they do.
func (c *wsClient) reset() {
	c.t.Helper()
	c.acknowledge()
	resetConn(c.t, c.conn)
}

// acknowledge sends something that means nothing (RFC 6455 §5.5.3), and with it the
// acknowledgement of all that has come.
func (c *wsClient) acknowledge() { c.write(wsPong("")) }

func resetConn(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// sendRequest is an Ajax send, as stock clients write it. udt is their clock.
func sendRequest(client, message string, udt int64) string {
	return rawPost("/chsk", fmt.Sprintf("udt=%d&%s", udt, ajaxForm(client, message)))
}

// ajaxClient is a Sente client over Ajax that has had its handshake. Its polls use one connection.
type ajaxClient struct {
	*rawConn
	d      *daemon
	target string
	udt    int64 // of the last poll
}

// udtClock is the clock of all clients that use Ajax: no two requests have the same time.
var udtClock atomic.Int64

func connectAjax(t *testing.T, d *daemon, client, query string) *ajaxClient {
	t.Helper()
	c := &ajaxClient{rawConn: dialRaw(t, d), d: d, target: "/chsk?client-id=" + client + query}
	c.poll("&handshake%3F=1")
	if body := c.polled(); !strings.HasPrefix(body, "[[:chsk/handshake [") {
		t.Fatalf("the handshake is %.100s", body)
	}
	return c
}

// poll sends a poll; more stands behind its other parameters.
func (c *ajaxClient) poll(more string) {
	c.t.Helper()
	c.udt = udtClock.Add(1)
	c.repeat(more)
}

// repeat sends the last poll again, as a browser does that saw no answer.
func (c *ajaxClient) repeat(more string) {
	c.t.Helper()
	c.send(rawGet(fmt.Sprintf("%s&udt=%d%s", c.target, c.udt, more)))
}

// polled reads the answer to a poll.
func (c *ajaxClient) polled() string {
	c.t.Helper()
	a := c.answer(http.MethodGet)
	if a.status != http.StatusOK {
		c.t.Fatalf("the poll was answered %d %s", a.status, a.body)
	}
	return a.body
}

// batch polls until events come.
func (c *ajaxClient) batch() []string {
	c.t.Helper()
	for {
		c.poll("")
		if body := c.polled(); body != ajaxTimeout {
			return batchEvents(c.t, body)
		}
	}
}

// again is the same client on a new connection, as after a broken one.
func (c *ajaxClient) again() {
	c.t.Helper()
	c.rawConn = dialRaw(c.t, c.d)
}

// receiver is a client of either transport.
type receiver interface{ batch() []string }

// batchEvents takes a batch apart.
func batchEvents(t *testing.T, message string) []string {
	t.Helper()
	pair, err := elementsEDN(message)
	if err != nil || len(pair) != 2 || pair[1] != "nil" {
		t.Fatalf("not a batch: %.200s", message)
	}
	events, err := elementsEDN(pair[0])
	if err != nil || len(events) == 0 {
		t.Fatalf("not a batch: %.200s", message)
	}
	return events
}

var eventNumber = regexp.MustCompile(`^\[:e2e/n \{:i (\d+)[,}]`)

// numbersOf gives the numbers of numbered events.
func numbersOf(t *testing.T, events []string) (numbers []int) {
	t.Helper()
	for _, e := range events {
		m := eventNumber.FindStringSubmatch(e)
		if m == nil {
			t.Fatalf("not a numbered event: %.100s", e)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// batchMax is how many events a batch may have: a stock client's buffer takes little more.
const batchMax = 250

// wantNext reads one batch of numbered events, which must count up from first.
func wantNext(t *testing.T, c receiver, first int) (n int) {
	t.Helper()
	events := c.batch()
	got := numbersOf(t, events)
	if len(got) > batchMax || !slices.Equal(got, count(first, len(got))) {
		t.Fatalf("%d events, %d to %d, where %d should come",
			len(got), got[0], got[len(got)-1], first)
	}
	return len(got)
}

// wantNumbers reads batches until n events are there; they must count up from first.
func wantNumbers(t *testing.T, c receiver, first, n int) {
	t.Helper()
	next := first
	for next < first+n {
		next += wantNext(t, c, next)
	}
	if next > first+n {
		t.Fatalf("events up to %d, want them up to %d", next-1, first+n-1)
	}
}

// count is n numbers from first on.
func count(first, n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, first+i)
	}
	return numbers
}
