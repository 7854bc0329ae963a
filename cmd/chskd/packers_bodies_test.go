package main_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// TestPackedBodies: a packer of text is sent as a form, one of bytes as bytes; what stands behind
// bytes is ignored, and the two are not mistaken for each other.
func TestPackedBodies(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	const edn = `[:a/b {:k "v"}]`
	for _, p := range allPackers {
		target := fmt.Sprintf("/chsk/%v?client-id=c", p)
		message := pack(t, p, "["+edn+" nil]")
		form := "ppstr=" + url.QueryEscape(message)
		padded := message
		if p.Format() == packer.Msgpack {
			// A browser sends 1,024 bytes of the packer's buffer, or twice as many, and so on.
			padded += strings.Repeat("\x00", 1024-len(message))
		}
		octets, text := 200, 400
		if !p.Binary() {
			octets, text = 400, 200
		}
		for _, c := range []struct {
			name, request string
			status        int
		}{
			{"bytes", octetPost(target+"&udt=1&binary%3F=true", message), octets},
			{"bytes, without saying binary", octetPost(target+"&udt=2", message), octets},
			{"bytes with NULs behind", octetPost(target+"&udt=3", padded), octets},
			{"bytes in chunks", rawRequest("POST", target+"&udt=4",
				"Content-Type: Application/Octet-Stream; x=y", "Transfer-Encoding: chunked") +
				fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(message), message), octets},
			{"a form", rawPost(target+"&udt=5", form), text},
		} {
			a := ask(t, d, c.request)
			if a.status != c.status {
				t.Fatalf("%v: %s: %d %q, want %d", p, c.name, a.status, a.body, c.status)
			}
			if a.status == 200 {
				s.want("event c c ajax " + edn)
				if got := unpack(t, p, a.body); got != `["chsk/dummy-cb-200",null]` {
					t.Fatalf("%v: %s: answered %s", p, c.name, got)
				}
			} else if !strings.HasPrefix(a.body, "The packer "+p.String()+" sends ") {
				t.Fatalf("%v: %s: %q", p, c.name, a.body)
			}
		}
		if !p.Binary() {
			continue
		}
		for name, request := range map[string]string{
			"no type": rawRequest("POST", target, fmt.Sprintf("Content-Length: %d", len(message))) +
				message,
			"no body":    octetPost(target, ""),
			"junk":       octetPost(target, "\x01\xc1\xc1"),
			"cut":        octetPost(target, message[:len(message)-3]),
			"the params": octetPost("/chsk/"+p.String(), "client-id=c&"+form),
		} {
			if a := ask(t, d, request); a.status != 400 {
				t.Errorf("%v: %s: %d %q, want 400", p, name, a.status, a.body)
			}
		}
	}
}

// TestPackedReplays: the POST that a browser sends again is done once, also where the message is
// the body; another message at the same time is another.
func TestPackedReplays(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	p := packer.Msgpack.Packer()
	for _, n := range []string{"1", "1", "2", "2", "3"} {
		ask(t, d, octetPost("/chsk/msgpack?client-id=c&udt=7", pack(t, p, "[[:a/b "+n+"] nil]")))
	}
	s.want("event c c ajax [:a/b 1]", "event c c ajax [:a/b 2]", "event c c ajax [:a/b 3]")
	if n := counter(t, d, "posts_replayed"); n != 2 {
		t.Errorf("%d replays, want 2", n)
	}
}

// TestWrongFrameKind: a text packer's message in a binary frame, or the other way round, is counted
// and ignored, as Sente does.
func TestWrongFrameKind(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for i, p := range allPackers {
		c := openPacked(t, d, p, fmt.Sprintf("/chsk/%v?client-id=c", p), "c")
		// A message that can be both: all of it is UTF-8.
		message := pack(t, p, `[[:chsk/ws-ping] "wrong"]`)
		if p.Format() == packer.Msgpack {
			message = strings.Map(func(r rune) rune { return r & 0x7F }, message)
		}
		if p.Binary() {
			wsSend(c.tcp, wsText(message), nil)
		} else {
			wsSend(c.tcp, wsBinary(message), nil)
		}
		c.alive()
		if n := counter(t, d, "undecodable"); n != uint64(i+1) {
			t.Errorf("%v: %d messages were not readable, want %d", p, n, i+1)
		}
		c.tcp.Close()
	}
}

// TestGzipThreshold: what has 1,024 bytes before it is wrapped is compressed; a client may compress
// what it likes. unpack checks it for every message of the server in these tests.
func TestGzipThreshold(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--send-buf-ms-ws", "0")
	s := openStream(t, d, false)
	for _, f := range []packer.Format{packer.EDN, packer.JSON, packer.Transit, packer.Msgpack} {
		p := f.Gzip()
		c := openPacked(t, d, p, fmt.Sprintf("/chsk/%v?client-id=c-%v&uid=%v", p, p, p), p.String())
		c.alive() // so its home knows it
		for n := 990; n <= 1030; n++ {
			edn := fmt.Sprintf("[:a/b %q]", strings.Repeat("x", n))
			inJSON := fmt.Sprintf(`["a/b",%q]`, strings.Repeat("x", n))
			pushEDN(t, d, fmt.Sprintf(`"uid":%q`, p), edn)
			c.want("[[" + inJSON + "],null]")
			if n%10 != 0 {
				continue
			}
			plain := pack(t, f.Packer(), "["+edn+` "cb"]`)
			for _, compress := range []bool{false, true} {
				c.sayPacked(wrapGzip(t, p, plain, compress))
				l := s.want(fmt.Sprintf("event %v c-%v ws %s", p, p, edn))
				reply(t, d, l, edn)
				c.want("[" + inJSON + `,"cb"]`)
			}
		}
		c.sayPacked("\x02" + pack(t, f.Packer(), `[[:chsk/ws-ping] "cb"]`)) // another flag is raw
		c.want(`["pong","cb"]`)
		for _, bad := range []string{"", "\x01", "\x01\x1f\x8b", "\x01no gzip at all"} {
			c.sayPacked(bad)
		}
		c.alive()
	}
}
