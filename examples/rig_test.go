package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/chskd/chskd/packer"
)

// patience bounds every wait. It is only reached when something is broken.
const patience = 2 * time.Minute

// buildFolder holds the daemon's program, and the sockets, for the time of the tests.
var buildFolder string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if buildFolder, err = os.MkdirTemp("", "chskd-ex-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(buildFolder)
	return m.Run()
}

var buildOnce = sync.OnceValues(func() (string, error) {
	program := filepath.Join(buildFolder, "chskd")
	out, err := exec.Command("go", "build", "-o", program, "../cmd/chskd").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// process is a program that runs for a test, and is ended with it.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	out  output
	done chan struct{}
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{
		t: t, name: strings.Join(args, " "), cmd: exec.Command(args[0], args[1:]...),
		done: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // it is stopped by a signal
	}()
	t.Cleanup(func() {
		p.stop(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, p.out.String())
		}
	})
	return p
}

// stop ends the process, if it runs, and waits until it has ended.
func (p *process) stop(s syscall.Signal) {
	p.t.Helper()
	_ = p.cmd.Process.Signal(s) // it may have ended
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end on %v", p.name, s)
	}
}

// output collects what a process prints. Any goroutine.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// daemon is a running chskd with an API socket that stays the same when it is started again.
type daemon struct {
	t    *testing.T
	api  string
	args []string // besides what all have
	addr string
	http *http.Client
	*process
}

func newDaemon(t *testing.T, args ...string) *daemon {
	t.Helper()
	folder, err := os.MkdirTemp(buildFolder, "d") // t.TempDir's are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, api: filepath.Join(folder, "api.sock"), args: args}
	d.http = &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", d.api)
		},
	}}
	d.start()
	return d
}

var startLine = regexp.MustCompile(`(?m)^chskd \S+ listening on http://([^/\s]+)/`)

func (d *daemon) start() {
	d.t.Helper()
	program, err := buildOnce()
	if err != nil {
		d.t.Fatal(err)
	}
	d.process = start(d.t, append([]string{
		program, "serve", "--listen", "127.0.0.1:0", "--api-socket", d.api, "--auth", "dev",
		"--drain-ms", "100",
	}, d.args...)...)
	eventually(d.t, "chskd listens", func() bool {
		m := startLine.FindStringSubmatch(d.out.String())
		if m != nil {
			d.addr = m[1]
		}
		return m != nil
	})
}

// awaitConsumers waits until so many read events, and have been told who was online before.
func (d *daemon) awaitConsumers(n int) {
	d.t.Helper()
	eventually(d.t, "backends subscribe", func() bool {
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
		"ws://"+d.addr+"/chsk?client-id="+uid+"&uid="+uid)
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
