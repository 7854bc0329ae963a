package engine

import (
	"fmt"
	"strings"
	"testing"
)

// TestSendsThatCannotBeTaken: over the limits an Ajax send is refused softly, and the
// backend does not hear of it.
func TestSendsThatCannotBeTaken(t *testing.T) {
	const limit = 3
	w := newSimWorld(t, 2)
	w.e.opts.Limits.ReplayedPosts = limit
	send := func(i int) (answer string) {
		ppstr := "%5B%5B%3Aa%2Fb%5D%20%3Aajax%5D"
		body := fmt.Sprintf("client-id=c&udt=%d&ppstr=%s", i, ppstr)
		s, l := w.connect()
		w.give(s, l, fmt.Sprintf("POST /chsk HTTP/1.1\r\nHost: x\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
			len(body), body))
		w.turns(true)
		s.ack(len(s.kernel))
		_, answer, _ = strings.Cut(string(s.got), "\r\n\r\n")
		return answer
	}
	for i := range limit {
		if got := send(i); got != "" {
			t.Fatalf("send %d was answered %q before its reply", i, got)
		}
	}
	if got := send(limit); got != "[:chsk/error nil]" {
		t.Fatalf("the send over the limit was answered %q", got)
	}
	if w.backend.events != limit {
		t.Fatalf("the backend heard %d events, want %d", w.backend.events, limit)
	}
	// The replay of one that waits joins it, limit or not.
	if got := send(0); got != "" {
		t.Fatalf("a replay was answered %q", got)
	}
	if w.backend.events != limit {
		t.Fatal("a replay was told to the backend")
	}
}
