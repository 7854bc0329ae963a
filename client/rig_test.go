package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/chskd/chskd/client"
	"github.com/chskd/chskd/internal/daemontest"
)

// patience bounds every wait. It is only reached when something is broken.
const patience = time.Minute

func TestMain(m *testing.M) {
	if path := os.Getenv("CHSKD_TEST_WORKER"); path != "" {
		worker(path)
		return
	}
	os.Exit(daemontest.Main(func() int {
		defer func() { afterTests() }()
		code := m.Run()
		if code == 0 {
			code = leaked()
		}
		return code
	}))
}

// leaked tells of goroutines of the package that outlive their clients.
func leaked() int {
	var stacks string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "chskd/client.(") {
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "goroutines are left:\n"+stacks)
	return 1
}

// daemon is a running chskd.
type daemon struct {
	*daemontest.Daemon
	t         testing.TB
	api, addr string
}

func startDaemon(t testing.TB, flags ...string) *daemon {
	t.Helper()
	d := daemontest.Serve(t, flags...)
	return &daemon{d, t, d.API, d.Addr}
}

// start starts a daemon that was stopped.
func (d *daemon) start(flags ...string) {
	d.t.Helper()
	d.Again(d.t, flags...)
	d.addr = d.Addr
}

// stop ends the daemon, and waits until it has ended.
func (d *daemon) stop(s syscall.Signal) {
	d.t.Helper()
	d.End(d.t, s)
}

var eventually = daemontest.Eventually

// dial makes a client that is closed with its test.
func dial(t testing.TB, path string, o client.Options) *client.Client {
	t.Helper()
	c, err := client.Dial(contextOf(t), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, c.Close()) })
	return c
}

func contextOf(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a Sente client over WebSocket that speaks JSON and has had its handshake.
type browser struct {
	conn net.Conn
	in   io.Reader
}

// open connects a user, whose client-id is its name.
func open(t testing.TB, addr, uid string) *browser {
	t.Helper()
	b, err := connect(t.Context(), addr, uid)
	check(t, err)
	t.Cleanup(func() { b.conn.Close() })
	return b
}

func connect(ctx context.Context, addr, uid string) (*browser, error) {
	// A daemon that goes down lets nobody in: whoever tries then tries again.
	dialer := ws.Dialer{Timeout: 3 * time.Second}
	conn, buffered, _, err := dialer.Dial(ctx, "ws://"+addr+"/chsk/json?client-id="+uid)
	if err != nil {
		return nil, err
	}
	b := &browser{conn: conn, in: conn}
	if buffered != nil {
		b.in = buffered
	}
	err = conn.SetDeadline(time.Now().Add(patience))
	first := ""
	if err == nil {
		first, err = b.message()
	}
	if err == nil && !strings.HasPrefix(first, `[["chsk/handshake",`) {
		err = fmt.Errorf("the first message is %.100s", first)
	}
	if err == nil {
		err = b.ping()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return b, nil
}

// ping waits until the daemon takes what the client says. From then on the client is online: what
// is pushed between the handshake and that is rightly put to nobody.
func (b *browser) ping() error {
	err := wsutil.WriteClientText(b.conn, []byte(`[["chsk/ws-ping"],"here"]`))
	if err != nil {
		return err
	}
	answer, err := b.message()
	if err == nil && answer != `["pong","here"]` {
		err = fmt.Errorf("the answer to a ping is %.100s", answer)
	}
	return err
}

func (b *browser) Read(p []byte) (int, error)  { return b.in.Read(p) }
func (b *browser) Write(p []byte) (int, error) { return b.conn.Write(p) }

// message gives the next message that is no keep-alive.
func (b *browser) message() (string, error) {
	for {
		text, err := wsutil.ReadServerText(b)
		if err != nil || string(text) != `["chsk/ws-ping",null]` && string(text) != `["chsk/ws-ping"]` {
			return string(text), err
		}
	}
}

// events gives the events of the next batch, as JSON.
func (b *browser) events() (events []string, err error) {
	message, err := b.message()
	if err != nil {
		return nil, err
	}
	var pair []json.RawMessage
	var list []json.RawMessage
	if err = json.Unmarshal([]byte(message), &pair); err == nil && len(pair) > 0 {
		err = json.Unmarshal(pair[0], &list)
	}
	for _, e := range list {
		events = append(events, string(e))
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("not a batch: %.100s (%v)", message, err)
	}
	return events, nil
}

// want reads events, which must be these.
func (b *browser) want(t testing.TB, want ...string) {
	t.Helper()
	for len(want) > 0 {
		events, err := b.events()
		check(t, err)
		for _, e := range events {
			if len(want) == 0 || e != want[0] {
				t.Fatalf("the client got %s, want %v", e, want)
			}
			want = want[1:]
		}
	}
}

// say sends a message: an event and its callback, or null.
func (b *browser) say(t testing.TB, message string) {
	t.Helper()
	check(t, wsutil.WriteClientText(b.conn, []byte(message)))
}

// exampleDaemon gives the socket of a daemon that runs until the tests end.
var exampleDaemon = sync.OnceValue(func() string {
	d, err := daemontest.Launch()
	if err != nil {
		panic(err)
	}
	afterTests = d.Kill
	return d.API
})

var afterTests = func() {}
