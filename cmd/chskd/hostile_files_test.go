package main_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestHostileFiles: clients that open more connections than the daemon may have files, and processes
// that do the same at the API socket, while the application is asked about others. Who is there
// stays; backends, the application and new requests to the API have files of their own; when the
// flood is over new clients are served. The limit itself is in http_cap_test.go.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	const files, flood = 400, 500
	a := newApplication(t, true)
	a.say("user=healthy", `{"uid":"healthy","expires_in_ms":3600000}`)
	s := besiege(t, plan{files: files, fields: cookie("user=healthy"), flags: []string{
		"--auth", "hook", "--hook-url", a.url, "--hook-workers", "8",
		"--head-timeout", "20s", // the flood stays until it is over
	}})
	for round := range 2 {
		s.counts = scrape(t, s.d)
		m := s.dial(flood)
		s.sees(flood, "chskd_connections_accepted_total")
		s.sees(flood-files, "chskd_connections_refused_total")
		if n := openFiles(t, s.d); n >= files {
			t.Errorf("%d files are open, of %d", n, files)
		}
		// Those who have a connection are looked up, which takes a file of the application's.
		m.say(func(i int) string {
			return rawUpgrade(fmt.Sprintf("/chsk?client-id=evil%d.%d", round, i), cookie(fmt.Sprintf("user=evil%d", i))...)
		})
		s.sees(50, "chskd_http_denied_total")
		s.goesOn()
		refused := floodAPI(t, s.d, 120)
		if refused == 0 {
			t.Error("the API socket refuses nobody")
		}
		s.goesOn()
		m.close()
		s.await(func() error { return differ("connections", s.now("chskd_connections"), s.before.conns) })
		fresh := s.dial(1)
		fresh.sayAll(rawUpgrade(fmt.Sprint("/chsk?client-id=fresh", round), cookie("user=healthy")...))
		if got := fresh.answered(); got[101] != 1 {
			t.Errorf("a new client is answered %v", got)
		}
		fresh.close()
	}
	s.over()
}

// floodAPI opens connections to the API socket, says nothing on them, and counts those that are told
// that there are too many.
func floodAPI(t *testing.T, d *daemon, n int) (refused int) {
	t.Helper()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range n {
		c, err := net.Dial("unix", d.API)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // fails on a closed one only
		told, _ := io.ReadAll(c)                                     // or it is served, and silent
		if strings.Contains(string(told), "too many connections") {
			refused++
		}
	}
	return refused
}
