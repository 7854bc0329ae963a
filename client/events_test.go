package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/chskd/chskd/client"
)

// next gives the next event of a stream that was pulled.
func next(t *testing.T, pull func() (client.Event, error, bool), kind client.Kind) client.Event {
	t.Helper()
	e, err, ok := pull()
	if !ok || err != nil || e.Kind != kind {
		t.Fatalf("got %+v, %v, %v; want a %v", e, err, ok, kind)
	}
	return e
}

// What an event tells, in each format.
func TestEvents(t *testing.T) {
	for _, f := range []struct {
		format client.Format
		told   func(client.Event) string
		want   string
	}{
		{client.FormatJSON, func(e client.Event) string { return string(e.Data) }, `{"text":"hi"}`},
		{client.FormatEDN, func(e client.Event) string { return string(e.EDN) }, `[:chat/send {:text "hi"}]`},
		{client.FormatTransit, func(e client.Event) string { return string(e.Transit) }, `["~:chat/send",["^ ","~:text","hi"]]`},
	} {
		t.Run(string(f.format), func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t)
			ctx := contextOf(t)
			c := dial(t, d.api, client.Options{})
			pull, stop := iter.Pull2(c.Events(ctx, client.Subscription{
				Format: f.format, Presence: client.PresenceOwn,
			}))
			defer stop()
			hello := next(t, pull, client.Hello)
			if hello.Epoch == "" || hello.Consumer == "" || hello.Restarted || hello.Lost != nil {
				t.Errorf("hello: %+v", hello)
			}
			next(t, pull, client.Live)
			b := open(t, d.addr, "alice")
			equal(t, "who", next(t, pull, client.Open).Who(), client.Who{UID: "alice"})
			b.say(t, `[["chat/send",{"text":"hi"}],"cb"]`)
			e := next(t, pull, client.Message)
			equal(t, "what", fmt.Sprint(e.ID, " ", f.told(e), " ", e.Who(), e.At.IsZero()),
				"chat/send "+f.want+` "alice" client "alice" false`)
			var data struct{ Text string }
			if err := e.Decode(&data); (err == nil) != (f.format == client.FormatJSON) {
				t.Errorf("decode: %v", err)
			}
			if err := e.Ack(); !errors.Is(err, client.ErrInvalid) {
				t.Errorf("ack: %v", err)
			}
			check(t, c.Reply(ctx, e.ReplyTo, client.EDN(`{:ok true}`)))
			answer, err := b.message()
			check(t, err)
			equal(t, "answer", answer, `[{"ok":true},"cb"]`)
			b.say(t, `["nonsense",null]`)
			next(t, pull, client.BadMessage)
			b.conn.Close()
			equal(t, "who", next(t, pull, client.Close).UID, "alice")
		})
	}
}

// Loops that end by themselves.
func TestEventsEnd(t *testing.T) {
	d := startDaemon(t)
	ctx := contextOf(t)
	c := dial(t, d.api, client.Options{})
	for _, err := range c.Events(ctx, client.Subscription{IDs: []string{""}}) {
		var refused *client.Error
		if !errors.As(err, &refused) || refused.Code != "bad_field" {
			t.Errorf("a subscription that makes no sense: %v", err)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	defer cancel()
	n := 0
	for e, err := range c.Events(gone, client.Subscription{}) {
		if n++; n == 1 {
			equal(t, "kind", e.Kind, client.Hello)
			cancel()
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("after its ctx: %v, %v", e, err)
		}
	}
	equal(t, "items", n, 2)
}

// The stream goes on after a restart, says so, and the roster is right again.
func TestEventsRestart(t *testing.T) {
	d := startDaemon(t)
	c := dial(t, d.api, client.Options{})
	pull, stop := iter.Pull2(c.Events(contextOf(t), client.Subscription{Presence: client.PresenceAll}))
	defer stop()
	var roster client.Roster
	var changes []string
	until := func(kind client.Kind) client.Event {
		t.Helper()
		for {
			e, err, ok := pull()
			if !ok || err != nil {
				t.Fatalf("the stream ended: %v", err)
			}
			for _, c := range roster.Apply(e) {
				changes = append(changes, fmt.Sprint(c.Who.UID, " ", c.Online))
			}
			if e.Kind == kind {
				return e
			}
		}
	}
	until(client.Live)
	open(t, d.addr, "stays")
	until(client.Open)
	open(t, d.addr, "goes")
	until(client.Open)
	equal(t, "online", fmt.Sprint(roster.Len(), roster.Live(), roster.Has(client.Who{UID: "goes"})),
		"2 true true")

	d.stop(syscall.SIGKILL)
	d.start("--listen", d.addr)
	back := open(t, d.addr, "stays")
	hello := until(client.Hello)
	if !hello.Restarted || hello.Lost == nil {
		t.Errorf("hello: %+v", hello)
	}
	equal(t, "live", roster.Live(), false)
	until(client.Live)
	if !roster.Has(client.Who{UID: "stays"}) {
		until(client.Open)
	}
	back.conn.Close()
	until(client.Close)
	equal(t, "left", roster.Len(), 0)
	slices.Sort(changes)
	if len(changes) == 6 { // it came back after the snapshot
		changes = slices.Delete(changes, 2, 4)
	}
	equal(t, "changes", strings.Join(changes, ", "), "goes false, goes true, stays false, stays true")
}

// A loop that is left has not done the event at which it was; those before it are not given again.
func TestEventsLeft(t *testing.T) {
	for _, mode := range []client.AckMode{client.AckAuto, client.AckByHand} {
		t.Run(fmt.Sprint("mode ", mode), func(t *testing.T) {
			d := startDaemon(t)
			ctx := contextOf(t)
			c := dial(t, d.api, client.Options{})
			b := open(t, d.addr, "alice")
			var last client.Event
			for first := 0; first < 30; first += 10 {
				for n := range 10 {
					b.say(t, fmt.Sprintf(`[["n/n",%d],null]`, first+n))
				}
				want := max(0, first-1) // the one at which the last loop was left comes again
				for e, err := range c.Events(ctx, client.Subscription{Ack: mode}) {
					check(t, err)
					if e.Kind != client.Message {
						continue
					}
					equal(t, "event", string(e.Data), fmt.Sprint(want))
					if want < first && !e.Redelivered {
						t.Errorf("%d is not marked as given again", want)
					}
					if last = e; want == first+9 {
						break
					}
					if mode == client.AckByHand {
						check(t, e.Ack())
					}
					want++
				}
			}
			if err := last.Ack(); mode == client.AckByHand && !errors.Is(err, client.ErrStaleAck) {
				t.Errorf("ack of a stream that is over: %v", err)
			}
		})
	}
}

// A backend that is killed has done some events; the next one is given all others, and of those that
// were done only what was not acked yet.
func TestAckKilled(t *testing.T) {
	d := startDaemon(t)
	const users, each = 10, 300
	browsers := make([]*browser, users)
	for u := range browsers {
		browsers[u] = open(t, d.addr, fmt.Sprint("u", u))
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		for n := range each {
			for _, b := range browsers {
				b.say(t, fmt.Sprintf(`[["n/n",%d],null]`, n))
			}
		}
	}()
	var done [users]int // how many of a user's events are done
	total, again := 0, 0
	for life := 0; total < users*each; life++ {
		cmd, lines := startWorker(t, d.api)
		for n := 1; lines.Scan(); n++ { // also what it printed before it was killed: that may be acked
			var user, number int
			var redelivered bool
			_, err := fmt.Sscanf(lines.Text(), "done u%d %d %t", &user, &number, &redelivered)
			if err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			switch {
			case number == done[user]:
				done[user]++
				total++
			case number < done[user] && redelivered:
				again++
			default:
				t.Fatalf("%q when %d are done", lines.Text(), done[user])
			}
			if life < 3 && n == 300 || total == users*each {
				_ = cmd.Process.Kill() // it may have ended
			}
		}
		_ = cmd.Wait() // it was killed
	}
	<-said
	t.Logf("%d events, %d of them done again", total, again)
}

func startWorker(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CHSKD_TEST_WORKER="+path)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	return cmd, bufio.NewScanner(out)
}

// A body that is too slow for its stream is cut off, told so, and goes on.
func TestEventsSlow(t *testing.T) {
	d := startDaemon(t, "--api-stall-ms", "100")
	ctx := contextOf(t)
	c := dial(t, d.api, client.Options{})
	b := open(t, d.addr, "alice")
	large := strings.Repeat("x", 50_000)
	heard := 0
	for e, err := range c.Events(ctx, client.Subscription{Ack: client.AckAuto}) {
		check(t, err)
		if e.Kind == client.Hello && e.Lost != nil {
			var why *client.Error
			if !errors.As(e.Lost, &why) || why.Code != "slow_consumer" || e.Restarted {
				t.Errorf("hello: %+v", e)
			}
			break
		}
		if e.Kind == client.Hello {
			for n := range 40 {
				b.say(t, fmt.Sprintf(`[["n/n",[%d,%q]],null]`, n, large))
			}
			eventually(t, "it is cut", func() bool {
				s, err := c.Stats(ctx)
				check(t, err)
				return strings.Contains(string(s.Raw), `"cut":1`)
			})
			continue
		}
		heard++
	}
	t.Logf("%d events were heard before", heard)
}
