package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chskd/chskd/client"
	"github.com/chskd/chskd/internal/daemontest"
)

// fake is a server that says what a test wants.
type fake struct {
	t    *testing.T
	l    net.Listener
	path string
}

// said is a connection to it.
type said struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func startFake(t *testing.T) *fake {
	f := &fake{t: t, path: filepath.Join(daemontest.Folder(t), "s")}
	var err error
	f.l, err = net.Listen("unix", f.path)
	check(t, err)
	t.Cleanup(func() { f.l.Close() })
	return f
}

// accept takes a connection, and its ping.
func (f *fake) accept() *said {
	f.t.Helper()
	conn, err := f.l.Accept()
	check(f.t, err)
	f.t.Cleanup(func() { conn.Close() })
	s := &said{f.t, conn, bufio.NewReader(conn)}
	s.want(`{"ref":"hello","op":"ping"}`)
	s.say(`{"type":"result","ref":"hello","status":"ok"}`)
	return s
}

func (s *said) say(lines ...string) {
	s.t.Helper()
	_, err := fmt.Fprintln(s, strings.Join(lines, "\n"))
	check(s.t, err)
}

// want reads a line; the producer's name is left out.
func (s *said) want(want string) {
	s.t.Helper()
	line, err := s.in.ReadString('\n')
	check(s.t, err)
	line = strings.TrimSuffix(line, "\n")
	if i := strings.Index(line, `"producer":"`); i >= 0 {
		line = line[:i] + line[i+len(`"producer":"`)+len("12345678901234567890123456")+len(`",`):]
	}
	if line != want {
		s.t.Fatalf("the server was sent %s, want %s", line, want)
	}
}

// dialFake makes a client, and gives its first connection.
func (f *fake) dial(o client.Options) (*client.Client, *said) {
	f.t.Helper()
	made := make(chan *said, 1)
	go func() { made <- f.accept() }()
	c := dial(f.t, f.path, o)
	return c, <-made
}

// What is sent again is what was not answered, in its order and with its numbers, whatever order
// the answers came in; what a daemon that goes down refuses is sent again too.
func TestResend(t *testing.T) {
	f := startFake(t)
	c, s := f.dial(client.Options{})
	ctx := contextOf(t)
	ended := make(chan string, 10)
	for k := range 5 {
		p := client.Push{UID: "a", Event: fmt.Sprint("n/", k)}
		check(t, c.PushAsync(ctx, p, func(p client.Pushed, err error) {
			ended <- fmt.Sprint(k, " ", p.Sessions, " ", err)
		}))
	}
	push := func(ref, n, k int) string {
		return fmt.Sprintf(`{"ref":%d,"n":%d,"op":"push","uid":"a","event":["n/%d"],"count":true}`,
			ref, n, k)
	}
	for k := range 5 {
		s.want(push(k, k+1, k))
	}
	s.say(
		`{"type":"result","ref":3,"status":"ok","sessions":2}`,
		`{"type":"error","ref":1,"code":"draining","message":"going"}`,
		`{"type":"result","ref":77,"status":"ok"}`, `{"type":"news"}`, `garbage`,
		`{"type":"error","ref":0,"code":"bad_event","message":"no"}`,
		`{"type":"error","code":"draining","message":"gone"}`,
	)
	equal(t, "ended", <-ended, "3 2 <nil>")
	equal(t, "ended", <-ended, "0 0 chskd: no (bad_event)")
	s.Close()
	s = f.accept()
	for _, k := range []int{1, 2, 4} {
		s.want(push(k, k+1, k))
	}
	s.say(
		`{"type":"result","ref":1,"status":"ok","sessions":1}`,
		`{"type":"error","ref":2,"code":"x","message":"y"}`,
	)
	equal(t, "ended", <-ended, "1 1 <nil>")
	equal(t, "ended", <-ended, "2 0 chskd: y (x)")

	// A free place is used again, with a new number; an id of one's own takes no number.
	equal(t, "pending", c.Pending(), 1)
	check(t, c.PushAsync(ctx, client.Push{UID: "a", Event: "n/5", ID: "mine"}, nil))
	line, err := s.in.ReadString('\n')
	check(t, err)
	if !strings.HasSuffix(line, `,"op":"push","uid":"a","event":["n/5"],"id":"mine"}`+"\n") ||
		strings.Contains(line, `"n":`) {
		t.Errorf("a push with an id: %s", line)
	}
	s.say(`{"type":"result","ref":4,"status":"ok","duplicate":true}`)
	equal(t, "ended", <-ended, "4 0 <nil>")

	// What was sent and not answered fails as such.
	gone, cancel := context.WithCancel(ctx)
	answer := make(chan error)
	go func() { answer <- c.Reply(gone, "k1", true) }()
	line, err = s.in.ReadString('\n')
	if err != nil || !strings.Contains(line, `"op":"reply","reply_to":"k1","value":true`) {
		t.Errorf("a reply: %s, %v", line, err)
	}
	cancel()
	if err := <-answer; !errors.Is(err, client.ErrUnanswered) || !errors.Is(err, context.Canceled) {
		t.Errorf("a reply that was not waited for: %v", err)
	}
	go func() { answer <- c.Reply(ctx, "k2", true) }()
	_, err = s.in.ReadString('\n')
	check(t, err)
	s.Close()
	s = f.accept()
	for again := range 3 {
		if line, err = s.in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if again == 2 {
			ref, _, _ := strings.Cut(strings.TrimPrefix(line, `{"ref":`), ",")
			s.say(`{"type":"error","ref":` + ref + `,"code":"unknown_reply","message":"nothing waits"}`)
		}
	}
	var refused *client.Error
	if err := <-answer; !errors.As(err, &refused) || !refused.Resent {
		t.Errorf("a reply that was sent again: %v", err)
	}
}

// Who is no daemon, or lets nobody in, is told of.
func TestGreeting(t *testing.T) {
	for _, c := range []struct{ says, want string }{
		{`{"type":"error","code":"forbidden","message":"not you"}`, "chskd: not you (forbidden)"},
		{"220 mail.example.com ESMTP", "not a daemon's answer"},
		{"", "no answer of a daemon"},
	} {
		f := startFake(t)
		go func() {
			if conn, err := f.l.Accept(); err == nil {
				if c.says != "" {
					fmt.Fprintln(conn, c.says)
				}
				conn.Close()
			}
		}()
		_, err := client.Dial(contextOf(t), f.path, client.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.says, err)
		}
	}
}

// A server of another user is not talked to, unless it is allowed.
func TestUntrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	const nobody = 65534
	folder, err := os.MkdirTemp("", "chskd-u-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	check(t, os.Chown(folder, nobody, nobody))
	path := filepath.Join(folder, "s")
	program := filepath.Join(folder, "server") // the original may lie where nobody else may look
	text, err := os.ReadFile(os.Args[0])
	check(t, err)
	check(t, os.WriteFile(program, text, 0o755))
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "CHSKD_TEST_WORKER=listen "+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Start(); err != nil {
		t.Skipf("the test's program cannot be run by another user: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	eventually(t, "it listens", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	ctx := contextOf(t)
	if _, err := client.Dial(ctx, path, client.Options{Wait: true}); !errors.Is(err, client.ErrUntrusted) {
		t.Errorf("a server of nobody's: %v", err)
	}
	c, err := client.Dial(ctx, path, client.Options{AllowUIDs: []uint32{nobody}})
	check(t, err)
	check(t, c.Close())
}
