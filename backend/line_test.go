package backend_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

func TestLineVerbs(t *testing.T) {
	r := plainRig(t)
	r.engine.set(func(f *fakeEngine) {
		f.users = []backend.Online{{UID: "alice", WS: 2}, {NilUID: true, WS: 1}}
	})
	s := r.speak()
	for _, c := range []struct{ line, want string }{
		{`{"op":"push","uid":"alice","event":["a/b"],"ref":1}`, `{"type":"result","ref":1,"status":"ok"}`},
		{`{"ref":"x\u0041\"","op":"pu\u0073h","uids":["a","b"],"event":["a/b"],"count":true}`,
			`{"type":"result","ref":"x\u0041\"","status":"ok","sessions":2}`},
		{`{"op":"push","uid":"alice","event":["a/b"],"ref":-9007199254740993,"count":false}`,
			`{"type":"result","ref":-9007199254740993,"status":"ok"}`},
		{` { "op" : "push" , "topic" : "t" , "edn" : "[:a/b]" , "ref" : 2 } ` + "\r",
			`{"type":"result","ref":2,"status":"ok"}`},
		{`{"op":"push","uid":"a","transit":["~:a/b"],"producer":"p","n":1,"ref":3}`,
			`{"type":"result","ref":3,"status":"ok"}`},
		{`{"op":"push","uid":"a","transit":["~:a/b"],"producer":"p","n":1,"ref":4,"count":true}`,
			`{"type":"result","ref":4,"status":"ok","duplicate":true}`},
		{`{"op":"reply","reply_to":"k1","value":{"ok":true},"ref":5}`, `{"type":"result","ref":5,"status":"ok"}`},
		{`{"op":"close","uid":"alice","code":4001,"ref":6}`,
			`{"type":"result","ref":6,"status":"ok","sessions":2}`},
		{`{"op":"join","uid":"alice","topic":"t","ref":7}`, `{"type":"result","ref":7,"status":"ok","joined":true}`},
		{`{"op":"join","uid":"nobody","topic":"t","ref":8}`, `{"type":"result","ref":8,"status":"ok","joined":false}`},
		{`{"op":"leave","uid":null,"client":"c","tenant":"x","topic":"t","ref":9}`,
			`{"type":"result","ref":9,"status":"ok","left":true}`},
		{`{"op":"connected","ref":10}`, `{"type":"result","ref":10,"any":["alice",null],"ws":["alice",null],` +
			`"ajax":[],"count":{"any":2,"ws":0,"ajax":0}}`},
		{`{"op":"connected","ref":11,"limit":1}`, `{"type":"result","ref":11,"any":["alice"],"ws":["alice"],` +
			`"ajax":[],"count":{"any":2,"ws":0,"ajax":0},"next":"1"}`},
		{`{"op":"connected","ref":12,"after":"1","tenant":""}`, `{"type":"result","ref":12,"any":[null],"ws":[null],` +
			`"ajax":[],"count":{"any":2,"ws":0,"ajax":0}}`},
		{`{"op":"connected","ref":13,"topic":"room:1"}`,
			`{"type":"result","ref":13,"any":["alice"],"ws":["alice"],"ajax":[]}`},
		{`{"op":"connected","ref":13,"uid":"bob"}`,
			`{"type":"result","ref":13,"uid":"bob","online":false,"ws":0,"ajax":0,"clients":[]}`},
		{`{"op":"ping","ref":14}`, `{"type":"result","ref":14,"status":"ok"}`},
	} {
		s.say("%s", c.line)
		if got := s.next(); got.text != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got.text, c.want)
		}
	}
	s.say(`{"op":"connected","ref":"u","uid":"alice"}`)
	if got := s.next().text; !strings.HasPrefix(got, `{"type":"result","ref":"u","uid":"alice","online":true,`) ||
		!strings.Contains(got, `"topics":["room:1"],"more_topics":true`) ||
		!strings.Contains(got, `"lag":3,"topics":["own"]}`) {
		t.Errorf("alice: %s", got)
	}
	s.say(`{"op":"stats","ref":"s"}`)
	if got := s.next().text; !strings.HasPrefix(got, `{"type":"result","ref":"s","epoch":"`) ||
		!strings.Contains(got, `"counters":{"a":1,"b":2}`) || !strings.Contains(got, `"backend":{`) {
		t.Errorf("stats: %s", got)
	}
	members := []string{
		`join {Tenant: UID:alice NilUID:false Client: Topic:t}`,
		`join {Tenant: UID:nobody NilUID:false Client: Topic:t}`,
		`leave {Tenant:x UID: NilUID:true Client:c Topic:t}`,
	}
	if !reflect.DeepEqual(r.engine.members, members) {
		t.Errorf("members: %q", r.engine.members)
	}
}

// Without ref only failures are answered; lines with and without ref are done in their order.
func TestLinesArePipelined(t *testing.T) {
	r := plainRig(t)
	s := r.speak()
	const lines = 20_000
	go func() {
		w := bufio.NewWriter(s.conn)
		for i := range lines {
			ref := ""
			switch i % 10 {
			case 3:
				ref = fmt.Sprintf(`,"ref":%d,"count":true`, i)
			case 7:
				ref = fmt.Sprintf(`,"ref":"%d","id":"%d"`, i, i)
			}
			fmt.Fprintf(w, `{"op":"push","uid":"u%d","event":["a/b",%d]%s}`+"\n", i%100, i, ref)
			if i%1000 == 999 {
				fmt.Fprintf(w, "\n{\"op\":\"push\",\"uid\":7,\"event\":[\"a/b\"]}\n")
			}
		}
		fmt.Fprintln(w, `{"op":"ping","ref":"end"}`)
		w.Flush()
	}()
	next, wrong := 3, 0
	for {
		got := s.next()
		if string(got.Ref) == `"end"` {
			break
		}
		if got.Type == "error" {
			if wrong++; got.Code != "bad_field" || got.Line != wrong*1002 {
				t.Fatalf("error %d: %s", wrong, got.text)
			}
			continue
		}
		want := fmt.Sprint(next)
		next += 4
		if next%10 == 1 {
			want, next = fmt.Sprintf("%q", want), next+2
		}
		if got.Type != "result" || string(got.Ref) != want {
			t.Fatalf("got %s, want ref %s", got.text, want)
		}
	}
	if next != lines+3 || wrong != lines/1000 {
		t.Errorf("results up to %d, %d errors", next, wrong)
	}
	pushed := r.engine.pushed()
	if len(pushed) != lines {
		t.Fatalf("%d pushes", len(pushed))
	}
	for i, p := range pushed {
		if string(p.Event) != fmt.Sprintf(`["a/b",%d]`, i) || p.UIDs[0] != fmt.Sprint("u", i%100) {
			t.Fatalf("push %d is %+v %s", i, p, p.Event)
		}
	}
}

// One connection receives events and presence, replies, acks, and pushes, all at once.
func TestLineSubscribe(t *testing.T) {
	r := plainRig(t)
	s := r.speak()
	s.say(`{"op":"subscribe","group":"g","format":"edn","ids":["chat/*","x/?"],"ack":true,"presence":true,"ref":1}`)
	sub := s.next()
	hello := s.next()
	if sub.Type != "result" || sub.Status != "ok" || sub.Consumer != hello.Consumer || sub.Epoch != r.hub.Epoch() ||
		hello.text != fmt.Sprintf(`{"type":"hello","api":1,"epoch":%q,"consumer":%q}`, r.hub.Epoch(), hello.Consumer) {
		t.Fatalf("%s, %s", sub.text, hello.text)
	}
	if got := s.next(); got.Type != "live" {
		t.Fatalf("got %s", got.text)
	}
	s.say(`{"op":"subscribe","ref":2}`)
	if got := s.next(); got.Code != "bad_request" || !strings.Contains(got.Message, "subscribed already") {
		t.Errorf("a second time: %s", got.text)
	}
	r.presence(true, "alice")
	for i := range 3 {
		r.event("alice", fmt.Sprintf("[:chat/send %d]", i), "k")
	}
	r.event("alice", "[:other/send]", "")
	if got := s.short(4); got != "open alice, event alice, event alice, event alice" {
		t.Fatalf("got %s", got)
	}
	s.say(`{"op":"reply","reply_to":"k","edn":"[1 2]","ref":3}`)
	if got := s.next(); got.Type != "result" {
		t.Errorf("reply: %s", got.text)
	}
	if r.hub.Stats().Unacked != 3 {
		t.Errorf("%d unacked", r.hub.Stats().Unacked)
	}
	other := r.speak() // acks may come over any connection
	for i, c := range []struct {
		s        *lines
		seq      uint64
		consumer string
		want     string
		unacked  int
	}{
		{s, 3, hello.Consumer, "", 1}, {other, 3, hello.Consumer, "", 1}, {other, 4, hello.Consumer, "", 0},
		{s, 99, hello.Consumer, "bad_ack", 0}, {other, 1, "c99", "stale_ack", 0},
	} {
		c.s.say(`{"op":"ack","epoch":"%s","consumer":"%s","seq":%d,"ref":"a"}`, r.hub.Epoch(), c.consumer, c.seq)
		if got := c.s.next(); got.Code != c.want || (got.Type == "result") != (c.want == "") {
			t.Errorf("ack %d: %s", i, got.text)
		}
		if n := r.hub.Stats().Unacked; n != c.unacked {
			t.Errorf("ack %d: %d unacked", i, n)
		}
	}
	if _, body := r.post("/v1/ack", fmt.Sprintf(`{"epoch":%q,"consumer":%q,"seq":4}`, r.hub.Epoch(), hello.Consumer)); body != `{"status":"ok"}`+"\n" {
		t.Errorf("ack over HTTP: %s", body)
	}
	// A connection that closes its side leaves its group, and is still told what it asked for.
	s.say(`{"op":"ping","ref":"last"}`)
	s.conn.(*net.UnixConn).CloseWrite()
	if got := s.next(); string(got.Ref) != `"last"` {
		t.Errorf("got %s", got.text)
	}
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Errorf("then %v", err)
	}
	r.awaitConsumers(0)
}

// An engine that does not answer stops the reading, and nothing is lost or refused.
func TestLineBackpressure(t *testing.T) {
	r := plainRig(t)
	held := make(chan func(int, error), 1<<20)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { held <- done }
	})
	s := r.speak()
	const lines, window = 30_000, 4096
	written := make(chan error, 1)
	go func() {
		w := bufio.NewWriter(s.conn)
		for i := range lines {
			fmt.Fprintf(w, `{"op":"push","uid":"a","event":["a/b",%d],"ref":%d}`+"\n", i, i)
		}
		written <- w.Flush()
	}()
	eventually(t, "the window is full", func() bool { return len(held) == window })
	time.Sleep(20 * time.Millisecond)
	if n := len(held); n != window {
		t.Fatalf("%d pushes are with the engine", n)
	}
	go func() {
		for range lines {
			(<-held)(1, nil)
		}
	}()
	for i := range lines {
		if got := s.next(); got.Type != "result" || string(got.Ref) != fmt.Sprint(i) {
			t.Fatalf("answer %d: %s", i, got.text)
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// The bytes that are with the engine are bounded over all connections and both dialects.
func TestPushBytesAreBounded(t *testing.T) {
	const size, lines, fit = 10_000, 80, 67
	r := newRig(t, backend.HubOptions{}, backend.Options{PushBytes: fit*size + size - 1})
	held := make(chan func(int, error), 1<<20)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { held <- done }
	})
	big := `"uid":"a","event":["a/b","` + strings.Repeat("x", size-10) + `"]}` + "\n"
	done := make(chan string, 2)
	go func() {
		_, body := r.do("POST", "/v1/push", "application/x-ndjson", strings.Repeat("{"+big, lines/2))
		done <- body
	}()
	s := r.speak()
	go func() {
		for range lines / 2 {
			s.say("%s", strings.TrimSuffix(`{"op":"push",`+big, "\n"))
		}
		s.say(`{"op":"ping","ref":"end"}`)
		done <- s.next().text
	}()
	eventually(t, "the budget is used up", func() bool { return len(held) == fit })
	time.Sleep(20 * time.Millisecond)
	if n := len(held); n != fit {
		t.Errorf("%d pushes are with the engine", n)
	}
	go func() {
		for range lines {
			(<-held)(1, nil)
		}
	}()
	for range 2 {
		if got := <-done; !strings.HasPrefix(got, `{"accepted":40,`) && !strings.Contains(got, `"end"`) {
			t.Errorf("got %s", got)
		}
	}
}

// A peer that does not read what it asked for is cut, and told why; one with a stream as well.
func TestLineStall(t *testing.T) {
	for _, first := range []string{`{"op":"ping"}`, `{"op":"subscribe"}`} {
		r := newRig(t, backend.HubOptions{}, backend.Options{Stall: 50 * time.Millisecond})
		s := r.speak()
		s.say("%s", first)
		ask := []byte(strings.Repeat(`{"op":"connected","uid":"alice","ref":"`+strings.Repeat("r", 60)+`"}`+"\n", 1000))
		for {
			s.conn.SetWriteDeadline(time.Now().Add(patience))
			if _, err := s.conn.Write(ask); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal("never cut")
				}
				break
			}
		}
		var last line
		for {
			l, err := s.read()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%s: %v", first, err)
				}
				break
			}
			last = l
		}
		if last.Type != "error" || last.Code != "slow_consumer" || !strings.Contains(last.Message, "50ms") {
			t.Errorf("%s: the last line is %s", first, last.text)
		}
		r.awaitConsumers(0)
	}
}

// The end of the peer's side lets everything that was asked be answered first.
func TestLineEnd(t *testing.T) {
	r := plainRig(t)
	held := make(chan func(int, error), 10)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { held <- done }
	})
	s := r.speak()
	for i := range 3 {
		s.say(`{"op":"push","uid":"a","event":["a/b"],"ref":%d}`, i)
	}
	fmt.Fprint(s.conn, `{"op":"push","uid":"a","event":["a/b"],"ref":3}`) // the last line needs no end
	s.conn.(*net.UnixConn).CloseWrite()
	for range 4 {
		time.AfterFunc(time.Millisecond, func() { (<-held)(1, nil) })
	}
	for range 4 {
		if got := s.next(); got.Type != "result" {
			t.Errorf("got %s", got.text)
		}
	}
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Errorf("then %v", err)
	}
}

// Going down answers what was read, ends streams, and says why the connection ends.
func TestLineShutdown(t *testing.T) {
	r := plainRig(t)
	held := make(chan func(int, error), 10)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { held <- done }
	})
	s := r.speak()
	s.say(`{"op":"subscribe"}`)
	s.next()
	s.say(`{"op":"push","uid":"a","event":["a/b"],"ref":1}`)
	done := <-held
	r.event("alice", "[:a/b]", "")
	down := make(chan error, 1)
	go func() {
		ctx, cancel := contextOf(patience)
		defer cancel()
		down <- r.server.Shutdown(ctx)
	}()
	if got := s.next(); got.Type != "event" {
		t.Errorf("got %s", got.text)
	}
	time.AfterFunc(10*time.Millisecond, func() { done(1, nil) })
	if got := s.next(); got.Type != "result" || string(got.Ref) != "1" {
		t.Errorf("got %s", got.text)
	}
	if got := s.next(); got.Code != "draining" {
		t.Errorf("got %s", got.text)
	}
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Errorf("then %v", err)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// A shutdown that may not wait cuts connections whose requests are not answered.
func TestLineShutdownAtOnce(t *testing.T) {
	r := plainRig(t)
	held := make(chan func(int, error), 10)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { held <- done }
	})
	s := r.speak()
	s.say(`{"op":"push","uid":"a","event":["a/b"],"ref":1}`)
	done := <-held
	ctx, cancel := contextOf(10 * time.Millisecond)
	defer cancel()
	if err := r.server.Shutdown(ctx); !errors.Is(err, ctx.Err()) {
		t.Errorf("Shutdown: %v", err)
	}
	done(1, nil) // too late for anybody
	if l, err := s.read(); err == nil {
		t.Errorf("got %s", l.text)
	}
}

// What the engine does not answer in time is told as that; an answer that comes later is not.
func TestLineLateAnswer(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{}, func(s *backend.Server) {
		s.SetEngineWait(50 * time.Millisecond)
	})
	held := make(chan func(int, error), 10)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(_ *backend.Push, done func(int, error)) { held <- done }
	})
	s := r.speak()
	s.say(`{"op":"push","uid":"a","event":["a/b"],"ref":1,"id":"x"}`)
	if got := s.next(); got.Code != "timeout" || string(got.Ref) != "1" {
		t.Errorf("got %s", got.text)
	}
	(<-held)(1, nil)
	s.say(`{"op":"push","uid":"a","event":["a/b"],"ref":2,"id":"x"}`)
	if got := s.next(); !got.Duplicate {
		t.Errorf("got %s", got.text)
	}
	status, body := r.post("/v1/push", aPush)
	checkError(t, "over HTTP", status, body, 504, "timeout", "50ms; they may still be done", 1)
}

// Failures of pushes that have no ref are told all the same.
func TestLineFailuresWithoutRef(t *testing.T) {
	r := plainRig(t)
	r.engine.set(func(f *fakeEngine) {
		f.onPush = func(p *backend.Push, done func(int, error)) {
			if p.UIDs[0] == "bad" {
				go done(0, errors.New("engine: no such thing"))
				return
			}
			done(1, nil)
		}
	})
	s := r.speak()
	s.say(`{"op":"push","uid":"good","event":["a/b"]}`)
	s.say(`{"op":"push","uid":"bad","event":["a/b"]}`)
	s.say(`{"op":"push","uid":"bad","event":["a/b"],"id":"1"}`)
	s.say(`{"op":"reply","reply_to":"gone","value":1}`)
	seen := map[string]int{}
	for range 3 {
		got := s.next()
		seen[got.Code]++
		if got.Type != "error" || got.Ref != nil {
			t.Errorf("got %s", got.text)
		}
	}
	if seen["refused"] != 2 || seen["unknown_reply"] != 1 {
		t.Errorf("got %v", seen)
	}
}

// An answer that is larger than the bound on results comes whole.
func TestLineLargeAnswer(t *testing.T) {
	r := plainRig(t)
	r.engine.set(func(f *fakeEngine) {
		for i := range 1000 {
			f.users = append(f.users, backend.Online{UID: fmt.Sprint(i, strings.Repeat("\x01", 250)), WS: 1, Ajax: 1})
		}
	})
	s := r.speak()
	for i := range 3 {
		s.say(`{"op":"connected","limit":1000,"ref":%d}`, i)
	}
	for i := range 3 {
		got := s.next()
		var a struct{ Any, WS, Ajax []json.RawMessage }
		if err := json.Unmarshal([]byte(got.text), &a); err != nil || string(got.Ref) != fmt.Sprint(i) ||
			len(a.Any) != 1000 || len(a.WS) != 1000 || len(a.Ajax) != 1000 {
			t.Errorf("answer %d: %d bytes, %v", i, len(got.text), err)
		}
	}
}
