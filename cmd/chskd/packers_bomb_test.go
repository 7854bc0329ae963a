package main_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// residentBytes is how much memory a daemon has.
func residentBytes(t *testing.T, d *daemon) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.PID))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no VmRSS in %s", text)
	}
	kB, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

// TestBombs: a message that inflates beyond the limit ends its WebSocket with 1009, and as a send
// is answered 413. Others do not notice, and the memory for it is bounded.
func TestBombs(t *testing.T) {
	t.Parallel()
	const inflated, limit, rounds = 64 << 20, 64 << 10, 40
	d := startDaemon(t, "--auth", "dev", "--max-message-bytes", strconv.Itoa(limit))
	s := openStream(t, d, false)
	p := packer.EDN.Gzip()
	neighbour := openPacked(t, d, p, "/chsk/gzip-edn?client-id=n&uid=n", "n")
	bomb := wrapGzip(t, p, string(bytes.Repeat([]byte(" "), inflated))+"[[:a/b] nil]", true)
	if len(bomb) >= limit {
		// A body or frame over the limit would be refused for that alone.
		bomb = wrapGzip(t, p, string(bytes.Repeat([]byte(" "), inflated/2))+"[[:a/b] nil]", true)
	}
	if len(bomb) >= limit {
		t.Fatalf("a bomb of %d bytes", len(bomb))
	}
	neighbour.alive()
	before := residentBytes(t, d)
	for i := range rounds {
		c := openPacked(t, d, p, "/chsk/gzip-edn?client-id=c&uid=c", "c")
		c.sayPacked(bomb)
		c.wantClosed(1009)
		c.tcp.Close()
		send := dialRaw(t, d)
		send.send(octetPost("/chsk/gzip-edn?client-id=a&binary%3F=true&udt=1", bomb))
		send.want(413, "The message is too long when inflated")
		send.wantEnd()
		if i%10 == 0 {
			neighbour.say(`[[:x/y] "cb"]`)
			reply(t, d, s.want("event n n ws [:x/y]"), ":fine")
			neighbour.want(`["fine","cb"]`)
		}
	}
	if n := counter(t, d, "bombs"); n != 2*rounds {
		t.Errorf("%d bombs were counted, want %d", n, 2*rounds)
	}
	if grown := residentBytes(t, d) - before; grown > inflated/2 {
		t.Errorf("%d bytes more than before", grown)
	}

	// Just the limit is no bomb.
	fits := fmt.Sprintf("[[:x/y %q] nil]", strings.Repeat("x", limit-20))
	neighbour.say(fits + strings.Repeat(" ", limit-len(fits)))
	s.want("event n n ws " + fits[1:len(fits)-len(" nil]")])
	request := octetPost("/chsk/gzip-edn?client-id=n&udt=2", wrapGzip(t, p, fits, true))
	if a := ask(t, d, request); a.status != 200 {
		t.Fatalf("%d bytes were answered %d %q", limit, a.status, a.body)
	}
	// A poll of who sent a bomb goes on: it is answered, so that a stock client comes back.
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk/gzip-edn?client-id=a&uid=a&udt=3&handshake%3F=1"))
	wantPacked(t, poll, p, handshakeOf("a"))
	poll.send(rawGet("/chsk/gzip-edn?client-id=a&uid=a&udt=4"))
	userIs(t, d, "uid=a", 0, 1)
	ask(t, d, octetPost("/chsk/gzip-edn?client-id=a&binary%3F=true&udt=5", bomb))
	wantPacked(t, poll, p, `[[],null]`)
}
