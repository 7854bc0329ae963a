package main_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chskd/chskd/client"
)

// TestHostilePipelines: clients that send request after request on a connection and read no answer.
// The daemon stops to answer them when so much is unread that no client can have sent on in good
// faith.
func TestHostilePipelines(t *testing.T) {
	t.Parallel()
	const each = 3 << 20
	s := besiege(t, plan{})
	for _, request := range []string{
		rawGet("/nothing"), rawGet("/chsk"), rawGet("/chsk?client-id=evil&handshake%3F"),
		rawPost("/chsk", ajaxForm("evil", "[[:x/y] nil]")),
		rawRequest("OPTIONS", "/chsk", "Origin: http://"+rawHost, "Access-Control-Request-Method: POST"),
	} {
		line, _, _ := strings.Cut(request, "\r\n")
		t.Log(line)
		s.counts = scrape(t, s.d)
		m := s.dial(3)
		if got := m.pour(request, each); got < 1<<20 {
			t.Logf("%d bytes went out", got)
		}
		s.sees(1000, "chskd_http_requests_total")
		// Requests that wait for each other are bounded by what is sent ahead of an answer.
		s.sees(len(m.conns), "chskd_stall_closes_total", "chskd_http_malformed_total")
		s.goesOn()
		m.close()
	}
	s.bounded(48 << 20)
	s.over()
}

// TestHostileUnreadReplies: clients that ask for long answers and do not read them.
func TestHostileUnreadReplies(t *testing.T) {
	t.Parallel()
	const n, asks = 3, 300
	s := besiege(t, plan{})
	ctx, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer end()
	c, err := client.Dial(ctx, s.d.API, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	long := client.EDN(`"` + strings.Repeat("x", 200<<10) + `"`)
	all.Go(func() {
		defer c.Close()
		sub := client.Subscription{Group: "long", IDs: []string{"long/*"}}
		for e, err := range c.Events(ctx, sub) {
			if err != nil {
				return
			}
			if e.ReplyTo != "" {
				_ = c.Reply(ctx, e.ReplyTo, long) // who asked may be gone
			}
		}
	})
	s.await(func() error { return differ("consumers", s.now("chskd_backend_consumers"), 2) })
	m := s.upgraded(n, "")
	for i := range asks {
		m.sayAll(wsText(fmt.Sprintf(`[[:long/ask] "cb%d"]`, i)))
	}
	s.sees(n, "chskd_stall_closes_total")
	m.ended()
	s.goesOn()
	s.bounded(48 << 20)
	end()
	all.Wait()
	s.over()
}

// TestHostileReaders: clients that do not read what is pushed to them. Those that are silent besides
// are asked for a sign of life, and closed; those that talk are closed when they have taken nothing
// for 30 s; those with a poll that is not read, when their connection has been idle for too long.
func TestHostileReaders(t *testing.T) {
	t.Parallel()
	const n, pushes, size = 10, 12, 100 << 10
	s := besiege(t, plan{flags: []string{"--lp-timeout-ms", "20000"}}) // until they are pushed to
	silent, talkers := s.upgraded(n, "silent"), s.upgraded(n, "talker")
	polls, last := s.dial(n), s.dial(n)
	poll := func(i int, who, more string, fields ...string) string {
		return rawGet(fmt.Sprintf("/chsk?client-id=evil%d%s%s", i, who, more), fields...)
	}
	polls.say(func(i int) string { return poll(i, "poll", "&handshake%3F") + poll(i, "poll", "&udt=1") })
	last.say(func(i int) string {
		return poll(i, "last", "&handshake%3F") + poll(i, "last", "&udt=1", "Connection: close")
	})
	s.await(func() error {
		return differ("users", s.now("chskd_users"), s.before.users+4*n)
	})
	long := strings.Repeat("x", size)
	for _, who := range []string{"silent", "talker", "poll", "last"} {
		var to []string
		for i := range n {
			to = append(to, fmt.Sprintf("%q", fmt.Sprintf("evil%d%s", i, who)))
		}
		many, long := pushes, long
		if who == "poll" || who == "last" {
			many, long = 1, strings.Repeat(long, 6) // a poll is answered once
		}
		for range many {
			apiCall(t, s.d, "/v1/push", fmt.Sprintf(`{"uids":[%s],"edn":"[:a/b \"%s\"]"}`, strings.Join(to, ","), long))
		}
	}
	talk := func() { talkers.sayAll(wsText("[[:x/y] nil]")) }
	s.await(func() error {
		talk()
		return differ("stalled clients", s.grew("chskd_stalls_total"), 2*n)
	})
	s.await(func() error {
		talk()
		time.Sleep(200 * time.Millisecond)
		return differ("clients closed since they took nothing", s.grew("chskd_stall_closes_total"), 2*n)
	})
	s.sees(n, "chskd_ping_timeouts_total")
	s.sees(n, "chskd_http_idle_closes_total")
	s.goesOn()
	for _, m := range []*mob{silent, talkers, polls, last} {
		m.ended()
	}
	s.bounded(4*n*pushes*size/2 + 32<<20)
	s.over()
}
