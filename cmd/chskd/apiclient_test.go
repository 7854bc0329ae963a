package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// cliEngine answers as the commands' tests need it, and remembers what came.
type cliEngine struct {
	mu   sync.Mutex
	came []string
}

func (e *cliEngine) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.came = append(e.came, fmt.Sprintf(format, args...))
}

// taken gives what came since the last call.
func (e *cliEngine) taken() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := strings.Join(e.came, "; ")
	e.came = nil
	return s
}

func (e *cliEngine) Push(p *backend.Push, done func(int, error)) {
	options := ""
	if p.Topic+p.Key != "" || p.TTL != 0 {
		options = fmt.Sprintf(" topic=%s key=%s ttl=%v", p.Topic, p.Key, p.TTL)
	}
	e.note("push t=%s to=%q nil=%v client=%s all=%v except=%q flush=%v%s %s %s", p.Tenant, p.UIDs, p.NilUID,
		p.Client, p.All, p.Except, p.Flush, options, p.Format, p.Event)
	done(len(p.UIDs), nil)
}

func (e *cliEngine) Flush() {}

func (e *cliEngine) Reply(r *backend.Reply, done func(error)) {
	e.note("reply %s %s %s", r.Token, r.Format, r.Value)
	if r.Token == "gone" {
		done(backend.ErrUnknownReply)
		return
	}
	done(nil)
}

func (e *cliEngine) Join(m *backend.Membership, done func(bool, error)) {
	e.note("join %+v", *m)
	done(true, nil)
}

func (e *cliEngine) Leave(m *backend.Membership, done func(bool, error)) {
	e.note("leave %+v", *m)
	done(m.Topic != "other", nil)
}

func (e *cliEngine) Close(c *backend.Close, done func(int, error)) {
	note := fmt.Sprintf("close t=%s uid=%s nil=%v client=%s %d %s", c.Tenant, c.UID, c.NilUID, c.Client,
		c.Code, c.Reason)
	if c.Revoke {
		note += " and revoke"
	}
	e.note("%s", note)
	done(1, nil)
}

func (e *cliEngine) Connected(q backend.Query, done func(*backend.Connected)) {
	if q.Topic != "" {
		done(&backend.Connected{Users: []backend.Online{{UID: q.Tenant + " in " + q.Topic, WS: 1}}})
		return
	}
	if q.After == "" {
		done(&backend.Connected{Next: "2", Users: []backend.Online{{UID: "alice", WS: 1, Ajax: 1}, {NilUID: true, WS: 1}}})
		return
	}
	done(&backend.Connected{Users: []backend.Online{{NilUID: true, Ajax: 1}, {UID: "b ob\x1b", Ajax: 1}}})
}

func (e *cliEngine) User(_, uid string, _ bool, done func(*backend.User, bool)) {
	done(&backend.User{More: true, Topics: []string{"room:1", "a b"}, MoreTopics: true, Clients: []backend.Client{
		{Client: "c1", WS: true, Packer: packer.JSON.Packer(), Lag: 2, Topics: []string{"own"}},
	}}, uid != "nobody")
}

func (e *cliEngine) Stats() backend.Stats { return backend.Stats{} }
func (e *cliEngine) Ready() bool          { return true }

// cliServer is a backend API for commands to talk to.
type cliServer struct {
	engine *cliEngine
	hub    *backend.Hub
	server *backend.Server
	path   string
}

func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chskd") // t.TempDir's are too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newCLIServer(t *testing.T) *cliServer {
	t.Helper()
	s := &cliServer{
		engine: &cliEngine{}, hub: backend.NewHub(backend.HubOptions{}),
		path: filepath.Join(shortFolder(t), "api.sock"),
	}
	l, err := backend.Listen(s.path)
	if err != nil {
		t.Fatal(err)
	}
	s.server = backend.NewServer(s.engine, s.hub, backend.Options{})
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(l) }()
	t.Cleanup(func() {
		s.stop(t)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *cliServer) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// runCLI runs a command line as main does, and gives its output and exit code.
func runCLI(in io.Reader, out io.Writer, args ...string) (errs string, code int) {
	cmd := newRootCmd()
	var errOut bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(out)
	cmd.SetErr(&errOut)
	err := cmd.Execute()
	if err == nil {
		return errOut.String(), 0
	}
	var c exitCode
	if errors.As(err, &c) {
		code = c.ExitCode()
	} else {
		code = 1
	}
	return errOut.String() + err.Error(), code
}

func TestCommands(t *testing.T) {
	s := newCLIServer(t)
	t.Setenv("CHSKD_API_SOCKET", s.path)
	const ok = `{"status":"ok","sessions":1}` + "\n"
	for _, c := range []struct {
		args, in        string // args between "|"
		out, came, errs string
		code            int
	}{
		{args: `push|--uid|a,b|:chat/x|{"n":1e3}`, out: ok,
			came: `push t= to=["a,b"] nil=false client= all=false except=[] flush=false json ["chat/x",{"n":1e3}]`},
		{args: `push|--uid|a|--uid|b|chat/x|--flush|--tenant|t`, out: `{"status":"ok","sessions":2}` + "\n",
			came: `push t=t to=["a" "b"] nil=false client= all=false except=[] flush=true json ["chat/x"]`},
		{args: `push|--nil-uid|--client|c|chat/x|null`, out: `{"status":"ok","sessions":0}` + "\n",
			came: `push t= to=[] nil=true client=c all=false except=[] flush=false json ["chat/x",null]`},
		{args: `push|--all|--except|a|--edn|[:a/b #{1}]`, out: `{"status":"ok","sessions":0}` + "\n",
			came: `push t= to=[] nil=false client= all=true except=["a"] flush=false edn [:a/b #{1}]`},
		{args: `push|--topic|room:1|--except|a|--key|k|--ttl|1.5s|chat/x`, out: `{"status":"ok","sessions":0}` + "\n",
			came: `push t= to=[] nil=false client= all=false except=["a"] flush=false topic=room:1 key=k ttl=1.5s json ["chat/x"]`},
		{args: `push|--uid|a|--id|x|chat/x`, out: ok,
			came: `push t= to=["a"] nil=false client= all=false except=[] flush=false json ["chat/x"]`},
		{args: `push|--uid|a|--id|x|chat/x`, out: `{"status":"ok","duplicate":true}` + "\n"},
		{args: `push|--topic|t|--all|chat/x`, code: exitUsage, errs: `only one of`},
		{args: `push|--uid|a|--ttl|2h|chat/x`, code: exitUsage, errs: `from 1ms to 1h`},
		{args: `push|--topic|t|-`, code: exitUsage, errs: `with -`},
		{args: `join|--uid|a|--tenant|t|room:1`, out: `{"status":"ok","joined":true}` + "\n",
			came: `join {Tenant:t UID:a NilUID:false Client: Topic:room:1}`},
		{args: `leave|--nil-uid|--client|c|other`, out: `{"status":"ok","left":false}` + "\n",
			came: `leave {Tenant: UID: NilUID:true Client:c Topic:other}`},
		{args: `join|--nil-uid|room:1`, code: exitRefused, errs: `"client" must be given`},
		{args: `join|room:1`, code: exitUsage, errs: `one --uid`},
		{args: `leave|--uid|a`, code: exitUsage, errs: `usage: chskd leave`},
		{args: `reply|k1|{"ok":true}`, out: `{"status":"ok"}` + "\n", came: `reply k1 json {"ok":true}`},
		{args: `reply|k2|--edn|#{1}`, out: `{"status":"ok"}` + "\n", came: `reply k2 edn #{1}`},
		{args: `reply|gone|1`, code: exitRefused, errs: `(unknown_reply)`, came: `reply gone json 1`},
		{args: `reply|k|hi`, code: exitUsage, errs: `not JSON`},
		{args: `reply|k`, code: exitUsage, errs: `one value`},
		{args: `push|-`, in: "{\"uid\":\"a\",\"event\":[\"a/b\"]}\n\n{\"uid\":\"a\"}\n", code: exitRefused,
			out:  `{"accepted":1,"rejected":1,"duplicates":0,"unanswered":0}` + "\n",
			came: `push t= to=["a"] nil=false client= all=false except=[] flush=false json ["a/b"]`,
			errs: "line 3: one of"},
		{args: `push|--uid|a|plain`, code: exitRefused, errs: `(bad_event)`},
		{args: `push|--uid|a|chat/x|hi`, code: exitUsage, errs: `not JSON`},
		{args: `push|chat/x`, code: exitUsage, errs: `to whom?`},
		{args: `push|--all|--uid|a|chat/x`, code: exitUsage, errs: `only one of`},
		{args: `push|--uid|a|--except|b|chat/x`, code: exitUsage, errs: `--except goes with --all`},
		{args: `push|--uid|a`, code: exitUsage, errs: `ID is missing`},
		{args: `push|--uid|a|--edn|[:a/b]|chat/x`, code: exitUsage, errs: `no ID beside it`},
		{args: `push|--uid|a|-`, code: exitUsage, errs: `with -`},
		{args: `push|a|b|c`, code: exitUsage, errs: `usage: chskd push`},
		{args: `push|--nope`, code: exitUsage, errs: `unknown flag`},
		{args: `close|--uid|a|--code|4001|--reason|logged out`, out: ok,
			came: `close t= uid=a nil=false client= 4001 logged out`},
		{args: `close|--nil-uid|--client|c|--tenant|t`, out: ok, came: `close t=t uid= nil=true client=c 1000 `},
		{args: `close|--uid|a|--revoke|--tenant|t`, out: ok,
			came: `close t=t uid=a nil=false client= 4403 identity revoked and revoke`},
		{args: `close|--uid|a|--revoke|--client|c`, code: exitRefused, errs: `without "client"`},
		{args: `close|--uid|a|--code|1006`, code: exitRefused, errs: `not for use`},
		{args: `close`, code: exitUsage, errs: `one --uid`},
		{args: `close|--uid|a|--nil-uid`, code: exitUsage, errs: `only one of`},
		{args: `connected`, out: "alice     ws,ajax\n(no uid)  ws\n\"b ob\\x1b\"  ajax\n"},
		{args: `connected|--topic|room:1|--tenant|t`, out: "\"t in room:1\"  ws\n"},
		{args: `connected|--topic|room:1|--json`, out: `{"any":[" in room:1"],"ws":[" in room:1"],"ajax":[]}` + "\n"},
		{args: `connected|--topic|room:1|--uid|a`, code: exitUsage, errs: `--topic lists users`},
		{args: `connected|--uid|alice`, out: "c1  ws  json  2 waiting  topics own\n... and more\n" +
			"topics room:1 \"a b\" ... and more\n"},
		{args: `connected|--uid|nobody`, out: "not online\n"},
		{args: `connected|--uid|nobody|--json`,
			out: `{"uid":"nobody","online":false,"ws":0,"ajax":0,"clients":[]}` + "\n"},
		{args: `connected|--uid|a|--uid|b`, code: exitUsage, errs: `once`},
		{args: `events|--format|msgpack`, code: exitRefused, errs: `"format" must be json, edn or transit`},
		{args: `events|--presence=none`, code: exitRefused, errs: `"presence" must be`},
		{args: `events|x`, code: exitUsage, errs: `usage: chskd events`},
	} {
		var out bytes.Buffer
		errs, code := runCLI(strings.NewReader(c.in), &out, strings.Split(c.args, "|")...)
		if code != c.code || out.String() != c.out || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" {
			t.Errorf("%s: exit %d, %q, %q", c.args, code, out.String(), errs)
		}
		if came := s.engine.taken(); came != c.came {
			t.Errorf("%s: the engine got %q, want %q", c.args, came, c.came)
		}
	}
}

func TestCommandWithoutDaemon(t *testing.T) {
	dir := shortFolder(t)
	dead := filepath.Join(dir, "dead.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for path, want := range map[string]string{filepath.Join(dir, "none"): "chskd serve", dead: "is gone"} {
		errs, code := runCLI(nil, io.Discard, "connected", "--api-socket", path)
		if code != exitUnreachable || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", path, code, errs)
		}
	}
}

// A socket that somebody else made is not told anything.
func TestImpostor(t *testing.T) {
	for _, c := range []struct {
		uid  uint32
		self int
		want bool
	}{{0, 0, true}, {0, 1000, true}, {1000, 1000, true}, {1000, 0, false}, {1001, 1000, false}} {
		if got := trusted(c.uid, c.self); got != c.want {
			t.Errorf("server of %d, user %d: %v", c.uid, c.self, got)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can listen as another user")
	}
	dir := shortFolder(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := listenAs(65534, path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	errs, code := runCLI(nil, io.Discard, "push", "--all", "a/b", "--api-socket", path)
	if code != exitUnreachable || !strings.Contains(errs, "user 65534") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

// listenAs listens with another effective user: of one thread only, which ends with it.
func listenAs(uid int, path string) (l net.Listener, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is thrown away
		keep := ^uintptr(0)
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); e != 0 {
			err = e
			return
		}
		l, err = net.Listen("unix", path)
	}()
	<-done
	return l, err
}

// lineWriter hands over lines as they are written.
type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}

// Events are printed as they come; the end of the stream is an error that says so.
func TestEventsCommand(t *testing.T) {
	s := newCLIServer(t)
	out := make(lineWriter, 10)
	type result struct {
		errs string
		code int
	}
	ended := make(chan result, 1)
	go func() {
		errs, code := runCLI(nil, out, "events", "--api-socket", s.path, "--presence", "--ids", "a/*,c/*", "--format", "edn")
		ended <- result{errs, code}
	}()
	var hello struct{ Type, Epoch string }
	if err := json.Unmarshal([]byte(<-out), &hello); err != nil || hello.Epoch != s.hub.Epoch() {
		t.Fatalf("%+v %v", hello, err)
	}
	for { // the snapshot: two pages, those without uid apart
		if line := <-out; strings.Contains(line, `"live"`) {
			break
		}
	}
	for _, id := range []string{"a/b", "x/y", "c/d"} {
		s.hub.Event(nil, []byte("alice"), false, []byte("c1"), false, packer.EDN, []byte("[:"+id+"]"), false, nil, time.Now())
	}
	for _, id := range []string{"a/b", "c/d"} {
		if line := <-out; !strings.Contains(line, `"edn":"[:`+id+`]"`) {
			t.Errorf("got %s, want %s", line, id)
		}
	}
	s.stop(t)
	if r := <-ended; r.code != exitUnreachable || !strings.Contains(r.errs, "ended the stream") {
		t.Errorf("exit %d, %s", r.code, r.errs)
	}
}

// With --ack what was printed is acked, and only that: what was not goes to the next reader.
func TestEventsCommandAcks(t *testing.T) {
	s := newCLIServer(t)
	event := func(n int) {
		s.hub.Event(nil, []byte("alice"), false, []byte("c1"), false, packer.EDN, fmt.Appendf(nil, "[:a/b %d]", n), false,
			nil, time.Now())
	}
	out := make(lineWriter)
	ended := make(chan int, 1)
	go func() {
		_, code := runCLI(nil, out, "events", "--api-socket", s.path, "--ack")
		ended <- code
	}()
	<-out // hello
	for n := range 3 {
		event(n)
		if line := <-out; !strings.Contains(line, fmt.Sprintf(`["a/b",%d]`, n)) {
			t.Errorf("event %d: %s", n, line)
		}
	}
	for end := time.Now().Add(time.Minute); s.hub.Stats().Acked != 3; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", s.hub.Stats())
		}
	}
	s.stop(t)
	if code := <-ended; code != exitUnreachable {
		t.Errorf("exit %d", code)
	}
}

func TestEndOfStream(t *testing.T) {
	err := endOfStream([]byte(`{"type":"error","code":"slow_consumer","message":"too slow"}` + "\n"))
	if !strings.Contains(err.Error(), "too slow") {
		t.Error(err)
	}
}
