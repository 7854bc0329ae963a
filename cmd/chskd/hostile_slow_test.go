package main_test

import (
	"strings"
	"testing"
	"time"
)

// trickle sends a text on all connections a byte at a time, again and again, until check is
// content. It ends where the text does.
func (m *mob) trickle(text string, check func() bool) {
	for i := range len(text) {
		m.sayAll(text[i : i+1])
		if check() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestSlowHeads: clients that send their heads a byte at a time, with a field that never ends. Each
// is told 408 when its time is over.
func TestSlowHeads(t *testing.T) {
	t.Parallel()
	const n = 200
	s := besiege(t, plan{flags: []string{"--head-timeout", "1s"}})
	m := s.dial(n)
	m.sayAll("GET /chsk?client-id=slow HTTP/1.1\r\nHost: x\r\nX-A: ")
	m.trickle(strings.Repeat("a", 5000), func() bool { return s.grew("chskd_http_timeouts_total") >= n })
	s.sees(n, "chskd_http_timeouts_total")
	s.goesOn()
	if got := m.answered(); got[408] != n {
		t.Errorf("answers by status: %v", got)
	}
	m.ended()
	s.over()
}
