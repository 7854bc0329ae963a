package main_test

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// lineBackend is a backend that speaks lines: one connection for all it says and hears.
type lineBackend struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func speakLines(t *testing.T, d *daemon) *lineBackend {
	t.Helper()
	conn, err := net.Dial("unix", d.API)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(rawHangs)); err != nil {
		t.Fatal(err)
	}
	return &lineBackend{t, conn, bufio.NewReader(conn)}
}

func (b *lineBackend) say(format string, args ...any) {
	b.t.Helper()
	if _, err := fmt.Fprintf(b.conn, format+"\n", args...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *lineBackend) next() string {
	b.t.Helper()
	line, err := b.in.ReadString('\n')
	if err != nil {
		b.t.Fatalf("the connection ended: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// want reads a line, of which some parts must be there.
func (b *lineBackend) want(parts ...string) string {
	b.t.Helper()
	line := b.next()
	for _, p := range parts {
		if !strings.Contains(line, p) {
			b.t.Fatalf("the backend was told %s, want %s in it", line, p)
		}
	}
	return line
}

// A whole backend on one connection: presence, a client's event, its answer, a push, a close.
func TestLinesWholeBackend(t *testing.T) {
	d := startDaemon(t)
	b := speakLines(t, d)
	b.say(`{"op":"subscribe","format":"edn","presence":true,"ref":"sub"}`)
	b.want(`"type":"result"`, `"ref":"sub"`, `"consumer":"c1"`)
	b.want(`"type":"hello"`, `"consumer":"c1"`)
	b.want(`"type":"live"`)

	c := connectWS(t, d, "c1", "")
	uid := regexp.MustCompile(`"uid":("[^"]*"|null)`).FindString(b.want(`"type":"open"`))
	c.send(`[[:chat/send {:text "hi"}] "cb1"]`)
	event := b.want(`"type":"event"`, uid, `"edn":"[:chat/send {:text \"hi\"}]"`)
	token := regexp.MustCompile(`"reply_to":"([^"]+)"`).FindStringSubmatch(event)
	if token == nil {
		t.Fatalf("no reply_to in %s", event)
	}
	// A token that differs in one bit of its secret answers nothing.
	last := token[1][len(token[1])-1]
	flipped := token[1][:len(token[1])-1] + map[bool]string{true: "0", false: "1"}[last != '0']
	b.say(`{"op":"reply","reply_to":"%s","edn":":stolen","ref":1}`, flipped)
	b.want(`"type":"error","ref":1,"code":"unknown_reply"`)
	b.say(`{"op":"reply","reply_to":"%s","edn":"{:ok true}","ref":2}`, token[1])
	b.want(`{"type":"result","ref":2,"status":"ok"}`)
	if got := c.text(); got != `[{:ok true} "cb1"]` {
		t.Errorf("the client was answered %s", got)
	}
	b.say(`{"op":"reply","reply_to":"%s","edn":":twice","ref":3}`, token[1])
	b.want(`"type":"error","ref":3,"code":"unknown_reply"`)

	b.say(`{"op":"push",%s,"event":["chat/message",{"n":1}],"ref":4,"count":true,"id":"once"}`, uid)
	b.want(`{"type":"result","ref":4,"status":"ok","sessions":1}`)
	b.say(`{"op":"push",%s,"event":["chat/message",{"n":1}],"ref":5,"id":"once"}`, uid)
	b.want(`{"type":"result","ref":5,"status":"ok","duplicate":true}`)
	b.say(`{"op":"push",%s,"event":["chat/message",{"n":2}],"ref":6,"flush":true}`, uid)
	b.want(`{"type":"result","ref":6,"status":"ok"}`)
	for n := 1; n <= 2; {
		for _, e := range c.batch() {
			if want := fmt.Sprintf("[:chat/message {:n %d}]", n); e != want {
				t.Fatalf("the client got %s, want %s", e, want)
			}
			n++
		}
	}
	b.say(`{"op":"connected","ref":7}`)
	b.want(`"ref":7`, `"count":{"any":1,"ws":1,"ajax":0}`)
	b.say(`{"op":"close",%s,"code":4001,"reason":"bye","ref":8}`, uid)
	b.want(`"ref":8,"status":"ok","sessions":1`)
	if got := c.frame(); !strings.HasPrefix(got, "close 4001") {
		t.Errorf("the client got %s", got)
	}
}

// A daemon that goes down says so on the connection.
func TestLinesGoingDown(t *testing.T) {
	d := startDaemon(t)
	b := speakLines(t, d)
	b.say(`{"op":"ping","ref":1}`)
	b.want(`"ref":1`)
	terminate(t, d)
	b.want(`"type":"error"`, `"code":"draining"`)
	if line, err := b.in.ReadString('\n'); err == nil {
		t.Errorf("and then %s", line)
	}
	if err := d.Ended(); err != nil {
		t.Error(err)
	}
}
