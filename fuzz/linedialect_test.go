package fuzz_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

// lineMax is short, so that the fuzzer finds lines on both sides of it.
const lineMax = 300

var lineSeeds = []string{
	`{"op":"push","uid":"alice","event":["chat/message",{"text":"hi"}],"ref":7}`,
	`{"op":"push","topic":"t","except":["a"],"edn":"[:a/b #{1}]","key":"k","ttl_ms":5}` + "\r\n" + `{"op":"ping","ref":"x"}`,
	`{"op":"push","uid":"a","transit":["~:a/b",["^ ","~:key",1]],"producer":"p","n":3,"ref":1,"count":true}`,
	"{}\n[]\nnot json\n" + `{"op":"pull","ref":1}` + "\n\n" + `{"ref":"r","op":"push"`,
	`{"op":"join","uid":"a","topic":"t","ref":1}` + "\n" + `{"op":"leave","uid":null,"client":"c","topic":"t","ref":2}`,
	`{"op":"reply","reply_to":"k","value":{"a":[1]},"ref":1}` + "\n" + `{"op":"reply","reply_to":"gone","edn":"nil"}`,
	`{"op":"close","uid":"a","code":4001,"reason":"x","ref":1}` + "\n" + `{"op":"connected","uid":"a","ref":2}`,
	`{"op":"connected","limit":3,"after":"x","ref":2}` + "\n" + `{"op":"ack","epoch":"e","consumer":"c","seq":4,"ref":3}`,
	`{"ref":"big","op":"push","uid":"` + strings.Repeat("x", lineMax) + `"}` + "\n" + `{"op":"ping","ref":1}`,
	`{"op":"push","uid":"` + strings.Repeat("x", lineMax) + `","ref":"big"}` + "\n" + `{"op":"ping","ref":1}`,
	"{\"op\":\"ping\",\"ref\":\"\xff\"}\n{\"op\":\"ping\",\"ref\":\"\\ud800\"}\n{\"op\":\"ping\",\"ref\":1.5}",
	`{"op":"push","uid":"a","event":["a/b"],"ref":1,"ref":2,"uid":"b"}` + "\n" + `{"op":"stats"}`,
	`{"op":"subscribe","group":"g","ids":"a/*","presence":true,"ref":1}` + "\n" + `{"op":"stats","ref":1}`,
}

// echoEngine answers at once, and notes what came.
type echoEngine struct {
	backend.Engine
	came atomic.Pointer[[]string]
}

func (e *echoEngine) note(parts ...string) {
	if list := e.came.Load(); list != nil {
		*list = append(*list, strings.Join(parts, "|"))
	}
}

func (e *echoEngine) Push(p *backend.Push, done func(int, error)) {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	if _, err := p.Format.CheckEvent(p.Event); err != nil {
		panic("an event came through that is none: " + string(p.Event))
	}
	e.note("push", string(b))
	done(len(p.UIDs), nil)
}

func (e *echoEngine) Join(m *backend.Membership, done func(bool, error)) {
	e.note("join", m.Tenant, m.UID, m.Client, m.Topic)
	done(true, nil)
}

func (e *echoEngine) Leave(m *backend.Membership, done func(bool, error)) {
	e.note("leave", m.Tenant, m.UID, m.Client, m.Topic)
	done(false, nil)
}

func (e *echoEngine) Flush() {}

func (e *echoEngine) Reply(r *backend.Reply, done func(error)) {
	e.note("reply", r.Token, string(r.Value), r.Format.String())
	if r.Token == "gone" {
		done(backend.ErrUnknownReply)
		return
	}
	done(nil)
}

func (e *echoEngine) Close(c *backend.Close, done func(int, error)) {
	e.note("close", c.Tenant, c.UID, c.Client, c.Reason)
	done(1, nil)
}

func (e *echoEngine) Connected(q backend.Query, done func(*backend.Connected)) {
	done(&backend.Connected{Next: q.After, Users: []backend.Online{{UID: "a", WS: 1}}})
}

func (e *echoEngine) User(_, _ string, _ bool, done func(*backend.User, bool)) { done(nil, false) }

func (e *echoEngine) Stats() backend.Stats { return backend.Stats{} }

// lineServer is a server on a real socket.
type lineServer struct {
	engine *echoEngine
	path   string
}

func newLineServer(f *testing.F) *lineServer {
	dir, err := os.MkdirTemp("", "chskd")
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := backend.Listen(path)
	if err != nil {
		f.Fatal(err)
	}
	e := &echoEngine{}
	s := backend.NewServer(e, backend.NewHub(backend.HubOptions{}), backend.Options{MaxLine: lineMax})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(s.Shutdown(ctx), <-served, os.RemoveAll(dir)); err != nil {
			f.Error(err)
		}
	})
	return &lineServer{e, path}
}

// FuzzLineDialect: whatever a peer sends, and however it is cut into writes, it gets the same
// answers, each of them a line of JSON of a known kind, the engine is asked the same, and a last
// good request is answered. Two servers with one history: what was pushed once is known to both.
func FuzzLineDialect(f *testing.F) {
	for i, s := range lineSeeds {
		f.Add([]byte(s), uint64(i*7919))
	}
	whole, cut := newLineServer(f), newLineServer(f)
	f.Fuzz(func(t *testing.T, body []byte, cuts uint64) {
		body = append([]byte(`{"op":"ping","ref":"first"}`+"\n"), body...)
		body = append(body, "\n"+`{"op":"ping","ref":"last"}`+"\n"...)
		answers, asked := whole.speak(t, bytes.NewReader(body))
		again, askedAgain := cut.speak(t, &cutReader{body, cuts})
		for _, a := range slices.Concat(answers, again) {
			checkAnswer(t, body, a)
		}
		if !slices.Equal(asked, askedAgain) {
			t.Fatalf("%q: the engine was asked %q, in pieces %q", body, asked, askedAgain)
		}
		if hasStream(answers) || hasStream(again) {
			return // where its lines stand among the answers is not fixed
		}
		if !slices.Equal(answers, again) {
			t.Fatalf("%q: %q in one piece, %q in many", body, answers, again)
		}
		if last := answers[len(answers)-1]; last != `{"type":"result","ref":"last","status":"ok"}` {
			t.Fatalf("%q: the last answer is %s", body, last)
		}
	})
}

// hasStream tells whether answers hold what no two servers say alike: a consumer's stream or the
// refusal of one, counters.
func hasStream(answers []string) bool {
	for _, a := range answers {
		if strings.Contains(a, `consumer`) || strings.Contains(a, `"uptime_s"`) ||
			strings.Contains(a, "groups already") || strings.Contains(a, `"stale_ack"`) {
			return true
		}
	}
	return false
}

// speak sends what in has, piece by piece, and gives the answers and what the engine was asked.
func (s *lineServer) speak(t *testing.T, in io.Reader) (answers, asked []string) {
	t.Helper()
	s.engine.came.Store(&asked)
	defer s.engine.came.Store(nil)
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte, 1)
	go func() {
		b, err := io.ReadAll(conn)
		if err != nil {
			b = append(b, err.Error()...)
		}
		got <- b
	}()
	for b := make([]byte, 1<<20); ; {
		n, err := in.Read(b)
		if n > 0 {
			if _, err := conn.Write(b[:n]); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(<-got), "\n"), "\n"), asked
}

func checkAnswer(t *testing.T, body []byte, text string) {
	t.Helper()
	var a struct {
		Type, Code, Message string
		Ref                 json.RawMessage
		Line                int
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%q: the answer %q is not JSON: %v", body, text, err)
	}
	switch {
	case a.Type == "result" && a.Ref != nil:
	case slices.Contains([]string{"hello", "open", "live", "resync"}, a.Type):
	case a.Type == "error" && a.Code != "" && a.Message != "" && (a.Ref != nil) != (a.Line > 0):
	default:
		t.Fatalf("%q: the answer %s is of no kind", body, text)
	}
}
