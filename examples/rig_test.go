package examples_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/chskd/chskd/internal/daemontest"
	"github.com/chskd/chskd/packer"
)

// patience bounds every wait. It is only reached when something is broken.
const patience = daemontest.Patience

func TestMain(m *testing.M) { os.Exit(daemontest.Main(m.Run)) }

// start starts a program that is ended with its test.
func start(t *testing.T, args ...string) *daemontest.Process {
	t.Helper()
	return daemontest.Start(t, exec.Command(args[0], args[1:]...))
}

// daemon is a running chskd with an API socket that stays the same when it is started again.
type daemon struct {
	*daemontest.Daemon
	t    *testing.T
	http *http.Client
}

func newDaemon(t *testing.T, flags ...string) *daemon {
	t.Helper()
	d := daemontest.Serve(t, append([]string{"--auth", "dev", "--drain-ms", "100"}, flags...)...)
	return &daemon{d, t, &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", d.API)
		},
	}}}
}

// awaitConsumers waits until so many read events, and have been told who was online before.
func (d *daemon) awaitConsumers(n int) {
	d.t.Helper()
	daemontest.Eventually(d.t, "backends subscribe", func() bool {
		s := d.hubStats()
		return s.Consumers == n && s.Snapshots == 0
	})
}

type hubStats struct{ Consumers, Snapshots, Unacked, Held int }

func (d *daemon) hubStats() hubStats {
	d.t.Helper()
	resp, err := d.http.Get("http://chskd/v1/stats")
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	var s struct{ Backend hubStats }
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		d.t.Fatal(err)
	}
	return s.Backend
}

// client is a Sente client over WebSocket that speaks edn and has had its handshake.
type client struct {
	t    *testing.T
	conn net.Conn
	io.Reader
	waiting []string // events of the last batch, as JSON
}

// connect connects a user, whose client-id is its name.
func (d *daemon) connect(uid string) *client {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	conn, buffered, _, err := ws.Dial(ctx,
		"ws://"+d.Addr+"/chsk?client-id="+uid+"&uid="+uid)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		d.t.Fatal(err)
	}
	c := &client{t: d.t, conn: conn, Reader: conn}
	if buffered != nil {
		c.Reader = buffered
	}
	if first := c.read(); !strings.HasPrefix(first, "[[:chsk/handshake [") {
		d.t.Fatalf("the first message is %.100s", first)
	}
	return c
}

func (c *client) Write(b []byte) (int, error) { return c.conn.Write(b) }

// read gives the next message that is no keep-alive.
func (c *client) read() string {
	c.t.Helper()
	for {
		text, err := wsutil.ReadServerText(c)
		if err != nil {
			c.t.Fatalf("instead of a message: %v", err)
		}
		if s := string(text); s != "[:chsk/ws-ping nil]" {
			return s
		}
	}
}

// say sends an event without waiting for an answer.
func (c *client) say(event string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.conn, []byte("["+event+" nil]")); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends an event and gives its answer. Events that come before it are kept for next.
func (c *client) ask(event string) (answer string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.conn, []byte("["+event+` "cb"]`)); err != nil {
		c.t.Fatal(err)
	}
	for {
		message := c.read()
		if value, ok := strings.CutSuffix(message, ` "cb"]`); ok {
			return strings.TrimPrefix(value, "[")
		}
		c.keep(message)
	}
}

// next gives the next event. Its id and the keys of its data must be keywords, which the form that
// it is compared in does not tell from strings.
func (c *client) next() string {
	c.t.Helper()
	for len(c.waiting) == 0 {
		c.keep(c.read())
	}
	event := c.waiting[0]
	c.waiting = c.waiting[1:]
	return event
}

var stringKey = regexp.MustCompile(`[{\[]"(chat/|from|text|you)`)

// keep takes a batch apart.
func (c *client) keep(message string) {
	c.t.Helper()
	if stringKey.MatchString(message) {
		c.t.Errorf("strings where there should be keywords: %s", message)
	}
	b, err := packer.Append(nil, packer.JSON, []byte(message), packer.EDN, packer.Options{})
	if err != nil {
		c.t.Fatalf("%v in %.200s", err, message)
	}
	var batch [2]json.RawMessage
	var events []json.RawMessage
	if err = json.Unmarshal(b, &batch); err == nil {
		err = json.Unmarshal(batch[0], &events)
	}
	if err != nil || len(events) == 0 {
		c.t.Fatalf("not a batch: %.200s (%v)", message, err)
	}
	for _, e := range events {
		c.waiting = append(c.waiting, string(e))
	}
}

// want reads the next event, which must be this one in JSON.
func (c *client) want(event string) {
	c.t.Helper()
	if got := c.next(); got != event {
		c.t.Fatalf("the client got %s, want %s", got, event)
	}
}
