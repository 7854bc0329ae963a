package httpmin_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

// rfcKey and rfcAccept are the example of RFC 6455 §1.3.
const (
	rfcKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	rfcAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func TestCheckUpgrade(t *testing.T) {
	const good = "GET /chsk HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + rfcKey + "\r\n\r\n"
	for _, c := range []struct {
		name     string
		from, to string // replaced in good
		status   int
	}{
		{"RFC 6455 §4.2.1 good", "", "", 0},
		{"RFC 6455 §4.2.1 POST", "GET", "POST", 400},
		{"RFC 6455 §4.2.1 HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400},
		{"RFC 6455 §4.2.1 no Connection: Upgrade", "Connection: Upgrade", "Connection: close", 400},
		{"RFC 6455 §4.2.1 no Upgrade", "Upgrade: websocket", "Upgrade: h2c", 400},
		{"RFC 6455 §4.4 version 8", "Version: 13", "Version: 8", 426},
		{"RFC 6455 §4.4 version 14", "Version: 13", "Version: 14", 426},
		{"RFC 6455 §4.4 version 013", "Version: 13", "Version: 013", 426},
		{"RFC 6455 §4.4 list of versions", "Version: 13", "Version: 13, 8", 426},
		{"RFC 6455 §4.4 no version", "Sec-WebSocket-Version", "X-Version", 426},
		{"RFC 6455 §4.2.1 no key", "Sec-WebSocket-Key", "X-Key", 400},
		{"RFC 6455 §4.2.1 empty key", rfcKey, "", 400},
		{"RFC 6455 §4.2.1 15 bytes", rfcKey, "dGhlIHNhbXBsZSBub25j", 400},
		{"RFC 6455 §4.2.1 17 bytes", rfcKey, "dGhlIHNhbXBsZSBub25jZWU=", 400},
		{"RFC 6455 §4.2.1 18 bytes", rfcKey, "dGhlIHNhbXBsZSBub25jZWVl", 400},
		{"RFC 6455 §4.2.1 not padded", rfcKey, rfcKey[:22], 400},
		{"RFC 6455 §4.2.1 not base64", rfcKey, "dGhlIHNhbXBsZSBub25j!Q==", 400},
		{"RFC 6455 §4.2.1 padding inside", rfcKey, "dGhlIHNhbXBsZSB=b25jZQ==", 400},
		{"RFC 4648 §5 other alphabet", rfcKey, "dGhlIHNhbXBsZSBub25-_Q==", 400},
		{"RFC 4648 §3.5 pad bits", rfcKey, rfcKey[:21] + "f==", 0},
		{"RFC 9110 §7.8 with a body", "\r\n\r\n", "\r\nContent-Length: 1\r\n\r\n", 400},
		{"RFC 9110 §7.8 with an empty body", "\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n", 0},
		{"RFC 9110 §7.8 chunked", "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parse(t, strings.Replace(good, c.from, c.to, 1))
			got := 0
			if err := httpmin.CheckUpgrade(h); err != nil {
				got = err.Status
			}
			if got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
		})
	}
}

func TestAppendUpgrade(t *testing.T) {
	const want = "before" + "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Accept: " + rfcAccept
	got := httpmin.AppendUpgrade([]byte("before"), []byte(rfcKey), nil)
	if string(got) != want+"\r\n\r\n" {
		t.Errorf("RFC 6455 §1.3\n got %q\nwant %q", got, want)
	}
	got = httpmin.AppendUpgrade([]byte("before"), []byte(rfcKey), []byte("chsk"))
	if string(got) != want+"\r\nSec-WebSocket-Protocol: chsk\r\n\r\n" {
		t.Errorf("RFC 6455 §4.2.2 subprotocol: %q", got)
	}
	dst, key := make([]byte, 0, 256), []byte(rfcKey)
	if n := testing.AllocsPerRun(100, func() { dst = httpmin.AppendUpgrade(dst[:0], key, key[:22]) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestNextProtocol(t *testing.T) {
	for _, c := range []struct{ list, want string }{
		{"", ""},
		{"chsk", "chsk"},
		{"chsk, token.a.b", "chsk|token.a.b"},
		{" \tchsk\t,,  , b ", "chsk|b"},
		{"a b, c", "c"},
		{"\"a\", b=c, d", "d"},
		{",", ""},
	} {
		var got []string
		for p, rest := httpmin.NextProtocol([]byte(c.list)); p != nil; p, rest = httpmin.NextProtocol(rest) {
			got = append(got, string(p))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("RFC 6455 §11.3.4 %q: %q, want %s", c.list, got, c.want)
		}
	}
}
