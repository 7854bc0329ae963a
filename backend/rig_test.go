package backend_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

// patience bounds every wait of a test. It is only reached when something is broken.
const patience = 60 * time.Second

// fakeEngine does what a test says, and remembers what it was asked.
type fakeEngine struct {
	mu       sync.Mutex
	pushes   []backend.Push
	replies  []string
	closes   []backend.Close
	members  []string
	users    []backend.Online // of all tenants; the page cursor is an index into it
	pageSize int              // 0 = as asked
	onPush   func(p *backend.Push, done func(int, error))
	onPage   func() // called before a page is answered
	pageErrs int    // so many pages fail first
	notReady bool
	later    []func() // what was told not to be taken up before Flush
}

func (f *fakeEngine) Push(p *backend.Push, done func(int, error)) {
	f.mu.Lock()
	c := *p
	c.Event = bytes.Clone(p.Event)
	c.UIDs = slices.Clone(p.UIDs)
	c.More = false // is of the way, not of the push
	f.pushes = append(f.pushes, c)
	onPush := f.onPush
	if onPush == nil && p.More {
		n := len(p.UIDs)
		f.later = append(f.later, func() { done(n, nil) })
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	if onPush != nil {
		onPush(p, done)
		return
	}
	done(len(p.UIDs), nil)
}

// Flush answers what came with More: who forgets it waits for ever.
func (f *fakeEngine) Flush() {
	f.mu.Lock()
	later := f.later
	f.later = nil
	f.mu.Unlock()
	for _, answer := range later {
		answer()
	}
}

func (f *fakeEngine) Reply(r *backend.Reply, done func(error)) {
	token, value, format := r.Token, r.Value, r.Format
	var err error
	switch token {
	case "gone":
		err = backend.ErrUnknownReply
	case "done":
		err = fmt.Errorf("engine: %w", backend.ErrUnknownReply)
	case "busy":
		err = backend.ErrBusy
	case "odd":
		err = errors.New("engine: odd")
	default:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.replies = append(f.replies, token+" "+format.String()+" "+string(value))
		if r.More {
			f.later = append(f.later, func() { done(nil) })
			return
		}
	}
	go done(err)
}

// Join and Leave take all but some: "nobody" is not online, topic "full" is one too many.
func (f *fakeEngine) Join(m *backend.Membership, done func(bool, error)) {
	if m.Topic == "full" {
		go done(false, fmt.Errorf("engine: %w", backend.ErrTooManyTopics))
		return
	}
	f.member("join", m)
	go done(m.UID != "nobody", nil)
}

func (f *fakeEngine) Leave(m *backend.Membership, done func(bool, error)) {
	f.member("leave", m)
	go done(m.UID != "nobody", nil)
}

func (f *fakeEngine) member(verb string, m *backend.Membership) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, fmt.Sprintf("%s %+v", verb, *m))
}

func (f *fakeEngine) Close(c *backend.Close, done func(int, error)) {
	f.mu.Lock()
	f.closes = append(f.closes, *c)
	f.mu.Unlock()
	if c.Revoke && c.UID == "everlasting" {
		go done(0, backend.ErrNotRevocable)
		return
	}
	go done(2, nil)
}

func (f *fakeEngine) Connected(q backend.Query, done func(*backend.Connected)) {
	f.mu.Lock()
	onPage := f.onPage
	f.mu.Unlock()
	if onPage != nil {
		onPage()
	}
	go func() { done(f.page(q)) }()
}

func (f *fakeEngine) page(q backend.Query) *backend.Connected {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pageErrs > 0 {
		f.pageErrs--
		return &backend.Connected{Err: errors.New("engine: not now")}
	}
	at := 0
	if q.After != "" {
		var err error
		if at, err = strconv.Atoi(q.After); err != nil {
			return &backend.Connected{Err: errors.New("engine: after is no cursor")}
		}
	}
	limit := q.Limit
	if f.pageSize > 0 {
		limit = min(limit, f.pageSize)
	}
	c := &backend.Connected{Count: backend.Count{Any: len(f.users)}}
	for ; at < len(f.users) && len(c.Users) < limit; at++ {
		u := f.users[at]
		if (q.AllTenants || u.Tenant == q.Tenant) && (q.Topic == "" || q.Topic == "room:1" && u.UID == "alice") {
			c.Users = append(c.Users, u)
		}
	}
	if at < len(f.users) {
		c.Next = strconv.Itoa(at)
	}
	return c
}

func (f *fakeEngine) User(tenant, uid string, nilUID bool, done func(*backend.User, bool)) {
	if uid != "alice" && !nilUID {
		done(nil, false)
		return
	}
	u := &backend.User{WS: 1, Ajax: 1, More: nilUID, Clients: []backend.Client{
		{Client: "c1", WS: true, Packer: packer.EDN.Packer(), Lag: 3},
		{Client: "c2", WS: true, Ajax: true, Packer: packer.JSON.Packer()},
	}}
	if !nilUID {
		u.Topics, u.MoreTopics, u.Clients[0].Topics = []string{"room:1"}, true, []string{"own"}
	}
	done(u, true)
}

func (f *fakeEngine) Stats() backend.Stats {
	return backend.Stats{
		Version: "v", Users: 7, Uptime: 1500 * time.Millisecond,
		Counters: map[string]uint64{"b": 2, "a": 1},
	}
}

func (f *fakeEngine) Ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.notReady
}

func (f *fakeEngine) set(change func(f *fakeEngine)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeEngine) pushed() []backend.Push {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]backend.Push(nil), f.pushes...)
}

// rig is a server over a fake engine, on a real socket.
type rig struct {
	t      *testing.T
	path   string
	engine *fakeEngine
	hub    *backend.Hub
	server *backend.Server
	http   *http.Client
}

func newRig(t *testing.T, ho backend.HubOptions, o backend.Options,
	prepare ...func(*backend.Server),
) *rig {
	t.Helper()
	r := &rig{
		t: t, path: socketPath(t), engine: &fakeEngine{}, hub: backend.NewHub(ho),
	}
	l, err := backend.Listen(r.path)
	if err != nil {
		t.Fatal(err)
	}
	r.server = backend.NewServer(r.engine, r.hub, o)
	for _, p := range prepare {
		p(r.server)
	}
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(l) }()
	r.http = &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return r.dial() },
	}}
	t.Cleanup(func() {
		r.http.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := r.server.Shutdown(ctx); err != nil && !errors.Is(err, ctx.Err()) {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

func plainRig(t *testing.T) *rig {
	return newRig(t, backend.HubOptions{}, backend.Options{})
}

// socketPath is short: a socket's path has at most 107 bytes, and t.TempDir's are long.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chskd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "api.sock")
}

func (r *rig) dial() (net.Conn, error) { return net.Dial("unix", r.path) }

// do makes a request and gives status and body.
func (r *rig) do(method, target, contentType, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://chskd"+target, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return r.send(req)
}

func (r *rig) send(req *http.Request) (int, string) {
	r.t.Helper()
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (r *rig) get(target string) (int, string) { r.t.Helper(); return r.do("GET", target, "", "") }

func (r *rig) post(target, body string) (int, string) {
	r.t.Helper()
	return r.do("POST", target, "application/json", body)
}

// event offers an event as a loop would, and tells whether it was taken.
func (r *rig) event(uid, edn, replyTo string) bool {
	return r.verdict(uid, edn, replyTo) == backend.Taken
}

func (r *rig) verdict(uid, edn, replyTo string) backend.Verdict {
	var answer []byte
	if replyTo != "" {
		answer = []byte(replyTo)
	}
	return r.hub.Event(nil, []byte(uid), false, []byte("client-"+uid), false, packer.EDN,
		[]byte(edn), false, answer, time.UnixMilli(1767225600000))
}

func (r *rig) presence(open bool, uid string) { r.hub.Presence(open, nil, []byte(uid), false) }

// line is one line of a stream, decoded.
type line struct {
	Type      string
	Seq       uint64
	UID       *string
	Tenant    string
	Client    string
	Transport string
	Event     json.RawMessage
	EDN       string
	ReplyTo   string `json:"reply_to"`
	At        string
	Missed    uint64
	Epoch     string
	Consumer  string
	Code      string
	Message   string
	Raw       string
	RawFormat string `json:"raw_format"`
	Transit   json.RawMessage
	RawBase64 []byte `json:"raw_base64"`

	Redelivered bool
	Error       string

	// Of the line dialect's answers.
	Ref       json.RawMessage
	Line      int
	Status    string
	Sessions  *int
	Duplicate bool
	Joined    *bool
	Left      *bool

	text string
}

// lines reads a consumer's stream.
type lines struct {
	t     *testing.T
	conn  net.Conn
	r     *bufio.Reader
	hello line
}

// open subscribes, and reads the head and the hello.
func (r *rig) open(query string) *lines {
	r.t.Helper()
	c, err := r.dial()
	if err != nil {
		r.t.Fatal(err)
	}
	s := &lines{t: r.t, conn: c, r: bufio.NewReader(c)}
	r.t.Cleanup(s.close)
	fmt.Fprintf(c, "GET /v1/events%s HTTP/1.1\r\nHost: chskd\r\n\r\n", query)
	c.SetReadDeadline(time.Now().Add(patience))
	head, err := s.r.ReadString('\n')
	if err != nil || head != "HTTP/1.1 200 OK\r\n" {
		r.t.Fatalf("events%s: %q, %v", query, head, err)
	}
	for head != "\r\n" {
		if head, err = s.r.ReadString('\n'); err != nil {
			r.t.Fatal(err)
		}
	}
	s.hello = s.next()
	if s.hello.Type != "hello" {
		r.t.Fatalf("first line: %s", s.hello.text)
	}
	return s
}

// speak opens a connection for the line dialect.
func (r *rig) speak() *lines {
	r.t.Helper()
	c, err := r.dial()
	if err != nil {
		r.t.Fatal(err)
	}
	s := &lines{t: r.t, conn: c, r: bufio.NewReader(c)}
	r.t.Cleanup(s.close)
	return s
}

// say writes a line, whole before anything else is done.
func (s *lines) say(format string, args ...any) {
	s.t.Helper()
	s.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(s.conn, format+"\n", args...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *lines) close() { s.conn.Close() }

// next waits for a line.
func (s *lines) next() line {
	s.t.Helper()
	l, err := s.read()
	if err != nil {
		s.t.Fatalf("stream: %v", err)
	}
	return l
}

func (s *lines) read() (l line, err error) {
	s.conn.SetReadDeadline(time.Now().Add(patience))
	text, err := s.r.ReadString('\n')
	if err != nil {
		return l, fmt.Errorf("%w after %.200q", err, text)
	}
	return decodeLine(strings.TrimSuffix(text, "\n"))
}

func decodeLine(text string) (l line, err error) {
	l.text = text
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return l, fmt.Errorf("%w in %.200q", err, text)
	}
	return l, nil
}

// kinds reads lines and writes them short: "open alice", "live", "event 3".
func (s *lines) short(n int) string {
	s.t.Helper()
	var out []string
	for range n {
		l := s.next()
		text := l.Type
		switch {
		case l.Type == "gap":
			text += " " + strconv.FormatUint(l.Missed, 10)
		case l.UID != nil:
			text += " " + *l.UID
		case l.Type == "open" || l.Type == "close":
			text += " nil"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (r *rig) awaitConsumers(n int) {
	r.t.Helper()
	eventually(r.t, "consumers", func() bool { return r.hub.Stats().Consumers == n })
}

func contextOf(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
