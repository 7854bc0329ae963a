package engine

import (
	"fmt"
	"strings"
	"testing"
)

// TestBodyThatTricklesIsLate: a body that brings a byte now and then is answered 408 in
// its time, one that goes on is not.
func TestBodyThatTricklesIsLate(t *testing.T) {
	for _, c := range []struct {
		name string
		step int // bytes a second
		late bool
	}{
		{"trickles", 1, true},
		{"just too slow", 90, true},
		{"goes on", 200, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newSimWorld(t, 1)
			s, l := w.connect()
			const n = 20000
			w.give(s, l, fmt.Sprintf("POST /chsk?client-id=a HTTP/1.1\r\nHost: x\r\n"+
				"Content-Length: %d\r\n\r\n", n))
			for sent := 0; sent < n && !s.fin && sent < 60*c.step; sent += c.step {
				w.give(s, l, strings.Repeat("x", min(c.step, n-sent)))
				w.turns(true)
				w.advance(1000)
				w.turns(true)
			}
			s.ack(len(s.kernel))
			if got := strings.HasPrefix(string(s.got), "HTTP/1.1 408"); got != c.late {
				t.Fatalf("late %v, want %v: %q", got, c.late, s.got)
			}
		})
	}
}
