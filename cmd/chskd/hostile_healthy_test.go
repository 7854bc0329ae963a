package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/client"
)

// healthy is a client that does what clients do, over and over: it asks and is answered, it is
// pushed an event, it keeps itself alive. It looks at what comes, not at when.
type healthy struct {
	name   string
	round  func(n int64) error
	close  func()
	rounds atomic.Int64
	gone   atomic.Bool
	failed atomic.Pointer[error]
}

// healthyPause is between two rounds, so that a machine that has much to do has not more.
const healthyPause = 20 * time.Millisecond

func (h *healthy) run() {
	for n := int64(1); !h.gone.Load(); n++ {
		if err := h.round(n); err != nil {
			if !h.gone.Load() {
				err = fmt.Errorf("round %d: %w", n, err)
				h.failed.Store(&err)
			}
			return
		}
		h.rounds.Add(1)
		time.Sleep(healthyPause)
	}
}

// leave ends the client.
func (h *healthy) leave() {
	h.gone.Store(true)
	h.close()
}

func healthyAsk(n int64, cb string) string { return fmt.Sprintf("[[:healthy/ask %d] %s]", n, cb) }
func healthyTold(n int64) string           { return fmt.Sprintf("[[[:healthy/told %d]] nil]", n) }

// healthyDial connects, and says what connections of this plan begin with.
func healthyDial(t *testing.T, d *daemon, p plan) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(2 * hostileWait)) // Write shows a closed one
	wsSend(conn, p.prelude, nil)
	return conn, bufio.NewReaderSize(conn, 64<<10)
}

// healthyWS is such a client over WebSocket.
func healthyWS(t *testing.T, d *daemon, p plan) *healthy {
	t.Helper()
	conn, in := healthyDial(t, d, p)
	wsSend(conn, rawUpgrade("/chsk?client-id=healthy-ws"+p.query, p.fields...), nil)
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the healthy client's upgrade: %v, %v", answer, err)
	}
	if line, err := wsRead(in); err != nil || !strings.HasPrefix(line, "text [[:chsk/handshake [") {
		t.Fatalf("the healthy client's handshake: %q, %v", line, err)
	}
	return &healthy{name: "ws", close: func() { conn.Close() }, round: func(n int64) error {
		wsSend(conn, wsText(healthyAsk(n, fmt.Sprintf(`"c%d"`, n)))+
			wsText(fmt.Sprintf(`[[:chsk/ws-ping] "p%d"]`, n)), nil)
		due := map[string]bool{
			fmt.Sprintf(`text [%d "c%d"]`, n, n):  true,
			fmt.Sprintf(`text ["pong" "p%d"]`, n): true,
			"text " + healthyTold(n):              true,
		}
		for len(due) > 0 {
			line, err := wsRead(in)
			switch {
			case err != nil:
				return err
			case line == serverPing:
				wsSend(conn, wsText("[[:chsk/ws-pong] nil]"), nil)
			case !due[line]:
				return fmt.Errorf("got %.200q, wanted one of %v", line, due)
			}
			delete(due, line)
		}
		return nil
	}}
}

// healthyAjax is such a client over Ajax: a connection for polls and one for sends, as browsers
// have them.
func healthyAjax(t *testing.T, d *daemon, p plan) *healthy {
	t.Helper()
	polls, sends := &rawConn{t: t}, &rawConn{t: t}
	polls.tcp, polls.in = healthyDial(t, d, p)
	sends.tcp, sends.in = healthyDial(t, d, p)
	udt := int64(0)
	poll := func(more string) {
		udt++
		polls.send(rawGet(fmt.Sprintf("/chsk?client-id=healthy-ajax&udt=%d%s%s", udt, p.query, more), p.fields...))
	}
	read := func(c *rawConn) (string, error) {
		a, err := c.read(http.MethodGet)
		if err != nil {
			return "", err
		}
		if a.status != http.StatusOK {
			return "", fmt.Errorf("answered %d %s", a.status, a.body)
		}
		return a.body, nil
	}
	poll("&handshake%3F=1")
	if body, err := read(polls); err != nil || !strings.HasPrefix(body, "[[:chsk/handshake [") {
		t.Fatalf("the healthy client's handshake: %q, %v", body, err)
	}
	h := &healthy{name: "ajax", close: func() { polls.tcp.Close(); sends.tcp.Close() }}
	h.round = func(n int64) error {
		poll("")
		sends.send(rawPost(fmt.Sprintf("/chsk?udt=%d%s", n, p.query),
			ajaxForm("healthy-ajax", healthyAsk(n, ":ajax-cb")), p.fields...))
		body, err := read(sends)
		if want := fmt.Sprintf("[%d nil]", n); err != nil || body != want {
			return fmt.Errorf("a send was answered %.200q, %v; want %q", body, err, want)
		}
		for {
			body, err = read(polls)
			if err != nil || body != ajaxTimeout {
				break
			}
			poll("")
		}
		if err != nil || body != healthyTold(n) {
			return fmt.Errorf("a poll was answered %.200q, %v; want %q", body, err, healthyTold(n))
		}
		return nil
	}
	return h
}

// startHealthyBackend answers what healthy clients ask, with what they asked and a push besides;
// what others say it hears and leaves alone.
func startHealthyBackend(ctx context.Context, t *testing.T, d *daemon, all *sync.WaitGroup) {
	t.Helper()
	c, err := client.Dial(ctx, d.API, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	all.Go(func() {
		defer c.Close()
		up := false
		for e, err := range c.Events(ctx, client.Subscription{Format: client.FormatEDN}) {
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("the healthy backend: %v", err)
				}
				return
			}
			if !up {
				up = true
				close(ready)
			}
			number, ours := strings.CutPrefix(string(e.EDN), "[:healthy/ask ")
			if !ours {
				continue
			}
			number = strings.TrimSuffix(number, "]")
			w := client.Push{Tenant: e.Tenant, UID: e.UID, NilUID: e.NilUID, Client: e.Client,
				EDN: client.EDN("[:healthy/told " + number + "]")}
			// An error is seen by the client that waits in vain.
			_ = c.PushAsync(ctx, w, nil)
			_ = c.Reply(ctx, e.ReplyTo, client.EDN(number))
		}
	})
	select {
	case <-ready:
	case <-time.After(hostileWait):
		t.Fatal("the healthy backend hears nothing")
	}
}
