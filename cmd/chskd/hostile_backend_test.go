package main_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// TestHostileBackend: backends that ask for events and do not read them, and that push and do not
// read the results, while clients say much. What waits for them is bounded; they are cut, and others
// do not notice.
func TestHostileBackend(t *testing.T) {
	t.Parallel()
	const n, events, size = 4, 3000, 2000
	s := besiege(t, plan{flags: []string{
		"--api-stall-ms", "1500", "--backend-queue-bytes", "4MiB", "--backend-hold-ms", "1000",
	}})
	var conns []net.Conn
	for i := range n {
		c, err := net.Dial("unix", s.d.API)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		request := fmt.Sprintf("GET /v1/events?group=evil%d&format=edn HTTP/1.1\r\nHost: x\r\n\r\n", i)
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	s.await(func() error { return differ("consumers", s.now("chskd_backend_consumers"), 1+n) })
	m := s.upgraded(3, "")
	event := wsText(`[[:x/y "` + strings.Repeat("x", size) + `"] nil]`)
	for i := range events / 100 {
		m.sayAll(strings.Repeat(event, 100))
		s.sees((i+1)*300, "chskd_client_events_total")
		if i%5 == 4 {
			s.goesOn() // in less than what may wait for the backend that reads
		}
	}
	s.sees(n, "chskd_backend_consumers_cut_total")
	s.sees(1, `chskd_client_events_dropped_total{reason="full"}`)
	s.await(func() error { return differ("consumers", s.now("chskd_backend_consumers"), 1) })
	s.goesOn()
	m.close()
	for _, c := range conns {
		c.Close()
	}
	s.bounded(64 << 20)
	s.over()
}
