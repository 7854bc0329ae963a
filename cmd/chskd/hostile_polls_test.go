package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestHostilePolls: one client with a thousand polls: all but some are answered at once.
func TestHostilePolls(t *testing.T) {
	t.Parallel()
	const n = 1000
	s := besiege(t, plan{flags: []string{"--lp-timeout-ms", "15000"}})
	m := s.dial(1)
	m.sayAll(rawGet("/chsk?client-id=evil&handshake%3F"))
	if got := m.answered(); got[200] != 1 {
		t.Fatalf("the handshake: %v", got)
	}
	m = s.dial(n)
	m.say(func(i int) string { return rawGet(fmt.Sprintf("/chsk?client-id=evil&udt=%d", i)) })
	s.sees(n, "chskd_polls_total")
	s.await(func() error {
		if waiting := counter(t, s.d, "polls_now"); waiting > 16+1 {
			return fmt.Errorf("%d polls wait", waiting)
		}
		return nil
	})
	s.goesOn()
	s.bounded(48 << 20)
	m.close()
	s.over()
}

// TestHostileSessions: one user with more client-ids than a user may have, over WebSocket and Ajax.
// The limit is its own: others do not notice.
func TestHostileSessions(t *testing.T) {
	t.Parallel()
	const n, most = 500, 50
	s := besiege(t, plan{query: "&uid=healthy", flags: []string{
		"--auth", "dev", "--max-sessions-per-user", fmt.Sprint(most),
	}})
	polls := s.dial(n)
	polls.say(func(i int) string {
		return rawGet(fmt.Sprintf("/chsk?client-id=poll%d&uid=evil&handshake%%3F", i))
	})
	s.sees(n, "chskd_polls_total")
	if now := s.now("chskd_sessions"); now > s.before.sessions+most {
		t.Errorf("%d sessions, %d before", now, s.before.sessions)
	}
	s.sees(n-most, "chskd_sessions_refused_total")
	sends := s.dial(n)
	sends.say(func(i int) string { return rawPost("/chsk?uid=evil", ajaxForm(fmt.Sprint("send", i), "[[:x/y] nil]")) })
	if got := sends.answered(); got[200] != n {
		t.Errorf("sends are answered %v", got)
	}
	sockets := s.dial(n)
	sockets.say(func(i int) string { return rawUpgrade(fmt.Sprintf("/chsk?client-id=ws%d&uid=evil", i)) })
	s.sees(most, `chskd_handshakes_total{result="ok",transport="ws"}`)
	s.sees(n, "chskd_sessions_refused_total", "chskd_posts_refused_total", "chskd_sessions_evicted_total")
	if now := s.now("chskd_sessions"); now > s.before.sessions+most {
		t.Errorf("%d sessions, %d before", now, s.before.sessions)
	}
	s.goesOn()
	for _, m := range []*mob{polls, sends, sockets} {
		m.close()
	}
	s.bounded(48 << 20)
	s.over()
}

// TestHostileCallbacks: sends and events that ask for answers which no backend gives. Those of Ajax
// are answered when their time is over, of a WebSocket there are so many at most.
func TestHostileCallbacks(t *testing.T) {
	t.Parallel()
	const n, most, asks = 300, 256, 2000
	s := besiege(t, plan{})
	m := s.dial(n)
	m.say(func(i int) string {
		return rawPost("/chsk", ajaxForm(fmt.Sprint("evil", i), "[[:x/y] :ajax-cb]")+fmt.Sprintf("&udt=%d", i))
	})
	sockets := s.upgraded(4, "ws")
	for i := range asks {
		sockets.sayAll(wsText(fmt.Sprintf(`[[:x/y] "cb%d"]`, i)))
	}
	s.sees(n, "chskd_posts_total")
	// On a slow machine some are over, and make room, before all have been asked.
	s.sees(4*most, "chskd_client_events_limited_total")
	s.goesOn()
	s.sees(n, "chskd_reply_timeouts_total")
	if got := m.answered(); got[200] != n {
		t.Errorf("answers by status: %v", got)
	}
	sockets.close()
	m.close()
	s.bounded(48 << 20)
	s.over()
}

// TestHostileValues: values nested without end, in every packer, over both transports, and names
// that are longer than names may be.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	const n, depth = 4, 250_000
	s := besiege(t, plan{query: "&uid=healthy", flags: []string{"--auth", "dev"}})
	deep := map[string]string{
		"edn": strings.Repeat("[", depth), "json": strings.Repeat("[", depth),
		"transit": strings.Repeat(`["~#'",`, depth/20), "msgpack": strings.Repeat("\x91", depth),
	}
	deep["edn maps"], deep["edn tags"] = strings.Repeat("{1 ", depth/3), strings.Repeat("#a ", depth/3)
	for name, value := range deep {
		packer, _, _ := strings.Cut(name, " ")
		s.counts = scrape(t, s.d)
		m := s.dial(n)
		m.sayAll(rawUpgrade("/chsk/" + packer + "?client-id=evil&uid=evil"))
		first := byte(0x81)
		if packer == "msgpack" {
			first = 0x82
		}
		m.sayAll(wsFrame(first, value))
		posts := s.dial(n)
		target := "/chsk/" + packer + "?client-id=evil&uid=evil"
		if packer == "msgpack" {
			posts.sayAll(octetPost(target, value))
		} else {
			posts.sayAll(rawPost(target, ajaxForm("evil", value)))
		}
		s.sees(2*n, "chskd_undecodable_messages_total")
		if got := posts.answered(); got[400] != n {
			t.Errorf("%s: sends are answered %v", name, got)
		}
		s.goesOn()
		m.close()
		posts.close()
	}
	s.counts = scrape(t, s.d)
	long := strings.Repeat("u", 5000)
	m := s.dial(3 * n)
	m.say(func(i int) string {
		return []string{
			rawUpgrade("/chsk?client-id=evil&uid=" + long), rawGet("/chsk?handshake%3F&client-id=" + long),
			rawPost("/chsk?uid="+long, ajaxForm("evil", "[[:x/y] nil]")),
		}[i%3]
	})
	if got := m.answered(); got[400] != 3*n {
		t.Errorf("long names are answered %v", got)
	}
	s.sees(3*n, "chskd_http_denied_total")
	m.close()
	s.bounded(64 << 20)
	s.over()
}
