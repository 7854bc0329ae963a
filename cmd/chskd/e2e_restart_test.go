package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDrain: on SIGTERM every client is let go in the way that it survives best, and the daemon
// ends with status 0. A send that no backend answers holds it until shortly before the end.
func TestDrain(t *testing.T) {
	t.Parallel()
	const drain = 4 * time.Second
	d := startDaemon(t, "--drain-ms", fmt.Sprint(drain.Milliseconds()))
	app := startRig(t, d.API, "edn", answer{"edn", "nil"})
	c := everyKind(t, d, app)

	start := time.Now()
	terminate(t, d)
	for i, ws := range c.sockets {
		if line := ws.frame(); line != "close 1001" {
			t.Fatalf("WebSocket %d got %s", i, line)
		}
		ws.write(wsClose(1001))
		if _, err := ws.in.ReadByte(); err != io.EOF {
			t.Fatalf("behind the close frame of WebSocket %d: %v", i, err)
		}
	}
	// From the first close frame on nobody is let in: a client's request for a connection is
	// dropped, and repeated until another server listens or, as here, none is there.
	late := make(chan error, 1)
	go func() { late <- dialLate(d) }()
	notReady(t, d)
	for i, poll := range c.polls {
		if body := poll.polled(); body != ajaxTimeout {
			t.Errorf("hanging poll %d got %s", i, body)
		}
		poll.wantEnd()
	}
	c.idle.wantEnd()
	c.answered.want(http.StatusOK, "[[:slow 300] nil]")
	c.answered.wantEnd()
	c.waiting.want(http.StatusOK, ajaxTimeout)
	c.waiting.wantEnd()
	if err := d.Ended(); err != nil {
		t.Errorf("it ended with %v\n%s", err, d.Stderr())
	}
	if took := time.Since(start); took > drain+comesTrue {
		t.Errorf("it took %v", took)
	}
	if err := <-late; err == nil {
		t.Error("a connection was accepted while going down")
	}
}

// drained are clients of every kind.
type drained struct {
	sockets  []*wsClient
	polls    []*ajaxClient
	idle     *rawConn // a kept-alive connection without a request
	answered *rawConn // a send that its backend answers while the daemon goes down
	waiting  *rawConn // a send that no backend answers
}

func everyKind(t *testing.T, d *daemon, app *rig) *drained {
	t.Helper()
	const each = 30
	c := &drained{idle: dialRaw(t, d), answered: dialRaw(t, d), waiting: dialRaw(t, d)}
	for i := range each {
		c.sockets = append(c.sockets, connectWS(t, d, fmt.Sprintf("socket%d", i), ""))
		poll := connectAjax(t, d, fmt.Sprintf("poll%d", i), "")
		poll.poll("")
		c.polls = append(c.polls, poll)
	}
	c.idle.send(sendRequest("idle", "[[:e2e/hello] nil]", udtClock.Add(1)))
	c.idle.want(http.StatusOK, ajaxDummy)
	presentIs(t, d, 2*each+1, each, each+1)
	c.answered.send(sendRequest("answered", "[[:test/slow 300] :ajax]", udtClock.Add(1)))
	c.waiting.send(sendRequest("waiting", "[[:e2e/never] :ajax]", udtClock.Add(1)))
	waitFor(t, func() error {
		_, seen := app.result()
		return differ("events", len(seen), 3)
	})
	return c
}

func terminate(t *testing.T, d *daemon) {
	t.Helper()
	if err := syscall.Kill(d.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// dialLate tries to connect until the daemon has ended: only then the kernel refuses.
func dialLate(d *daemon) error {
	conn, err := net.DialTimeout("tcp", d.Addr, comesTrue)
	if err == nil {
		conn.Close()
	}
	return err
}

// notReady: the daemon says that it goes down, and takes no push that nobody would get.
func notReady(t *testing.T, d *daemon) {
	t.Helper()
	resp, err := apiClient(d).Get("http://chskd/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("readyz while going down: %s, %v", resp.Status, resp.Header)
	}
	const push = `{"all": true, "event": ["a/late"]}`
	late, err := apiClient(d).Post("http://chskd/v1/push", "application/json", strings.NewReader(push))
	if err != nil {
		t.Fatal(err)
	}
	defer late.Body.Close()
	body, err := io.ReadAll(late.Body)
	if late.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), `"draining"`) {
		t.Errorf("a push while going down: %s %s %v", late.Status, body, err)
	}
}

// TestRestart: clients whose server was restarted come back to the same address, also those that
// tried while there was no server.
func TestRestart(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := connectWS(t, d, "one", "")
	poll := connectAjax(t, d, "two", "")
	poll.poll("")
	presentIs(t, d, 2, 1, 1)
	terminate(t, d)
	if line := c.frame(); line != "close 1001" {
		t.Fatalf("got %s", line)
	}
	c.write(wsClose(1001))
	if body := poll.polled(); body != ajaxTimeout {
		t.Fatalf("the hanging poll got %s", body)
	}
	if err := d.Ended(); err != nil {
		t.Fatalf("it ended with %v\n%s", err, d.Stderr())
	}

	d = startDaemon(t, "--listen", d.Addr)
	b := &backend{t, d}
	c = connectWS(t, d, "one", "")
	// A client that polls as if nothing had happened is greeted anew.
	poll.again()
	poll.poll("")
	if body := poll.polled(); !strings.HasPrefix(body, "[[:chsk/handshake [") {
		t.Fatalf("the poll after the restart got %s", body)
	}
	poll.poll("")
	presentIs(t, d, 2, 1, 1)
	b.push(push{All: true, EDN: numbered(0, 0)})
	wantNumbers(t, c, 0, 1)
	if got := numbersOf(t, batchEvents(t, poll.polled())); got[0] != 0 {
		t.Fatalf("got %v", got)
	}
}

// TestKilled: a daemon that was killed leaves nothing behind that keeps the next from starting.
func TestKilled(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := connectWS(t, d, "one", "")
	if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if line, err := wsRead(c.in); err == nil {
		t.Fatalf("got %s of a daemon that was killed", line)
	}
	if err := d.Ended(); err == nil {
		t.Fatal("it ended with status 0")
	}
	d = startDaemon(t, "--listen", d.Addr, "--api-socket", d.API)
	connectWS(t, d, "one", "")
	presentIs(t, d, 1, 1, 0)
}
