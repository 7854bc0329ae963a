package engine

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// everyPacker runs a test once for each.
func everyPacker(t *testing.T, run func(t *testing.T, p packer.Packer)) {
	t.Helper()
	for p := range packer.Packer(packer.Packers) {
		t.Run(p.String(), func(t *testing.T) { run(t, p) })
	}
}

// listeners are WebSocket clients of one user, one for each packer, who have their handshakes.
func listeners(w *simWorld) (clients [packer.Packers]*simClient) {
	u := &simUser{uid: "u"}
	for p := range clients {
		c := &simClient{w: w, user: u, id: fmt.Sprint("c", p), packer: packer.Packer(p)}
		clients[p] = c
		w.clients = append(w.clients, c)
		c.start()
		w.turns(true)
		c.sock.ack(len(c.sock.kernel))
		c.read()
		if !c.open {
			w.t.Fatalf("%v: no handshake", c.packer)
		}
	}
	return clients
}

// heard is the next message of c as JSON.
func (c *simClient) heard() string {
	c.w.turns(true)
	c.sock.ack(len(c.sock.kernel))
	h, n, err := wsframe.ParseHeader(c.sock.got)
	if err != nil || h.Opcode != opcode(c.packer) || len(c.sock.got) < n+int(h.Len) {
		c.w.t.Fatalf("%v: no message in %q", c.packer, c.sock.got)
	}
	payload := c.sock.got[n : n+int(h.Len)]
	c.sock.got = c.sock.got[n+int(h.Len):]
	return simUnpack(c.w.t, c.packer, string(payload))
}

// TestWhatAPackerCannotExpress: an integer beyond 64 bits has no form in msgpack. Clients of
// msgpack are told of a gap where such events stood, one for all that adjoin, the others get them.
func TestWhatAPackerCannotExpress(t *testing.T) {
	const big = "123456789012345678901234567890"
	for _, c := range []struct {
		name, pushes, all, msgpack string
	}{
		{"alone", "X", "[X]", "[G1]"},
		{"two", "XX", "[X,X]", "[G2]"},
		{"in front", "XA", "[X,A]", "[G1,A]"},
		{"behind", "AX", "[A,X]", "[A,G1]"},
		{"between", "AXXA", "[A,X,X,A]", "[A,G2,A]"},
		{"apart", "XAXXXAX", "[X,A,X,X,X,A,X]", "[G1,A,G3,A,G1]"},
		{"none", "AA", "[A,A]", "[A,A]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newSimWorld(t, 1)
			clients := listeners(w)
			for i, kind := range c.pushes {
				value := "1"
				if kind == 'X' {
					value = big
				}
				w.e.Push(&Push{UIDs: []string{"u"}, Event: []byte("[:a/b " + value + "]"),
					Flush: i == len(c.pushes)-1}, nil)
			}
			event := strings.NewReplacer("A", `["a/b",1]`, "X", `["a/b",`+big+`]`,
				"G1", `["chskd/gap",{"missed":1}]`, "G2", `["chskd/gap",{"missed":2}]`,
				"G3", `["chskd/gap",{"missed":3}]`)
			for _, x := range clients {
				want := c.all
				if x.packer.Format() == packer.Msgpack {
					want = c.msgpack
				}
				if got := x.heard(); got != "["+event.Replace(want)+",null]" {
					t.Errorf("%v got %s, want %s", x.packer, got, want)
				}
			}
			n := uint64(0)
			for _, l := range w.e.loops {
				n += l.m.Untranslatable.Load()
			}
			if want := uint64(strings.Count(c.pushes, "X")); n != want {
				t.Errorf("%d events were counted, want %d", n, want)
			}
		})
	}
}

// TestPushedReferences: what is pushed may refer to keys that came before in it. Events of several
// pushes stand in one batch, where such a reference would mean something else.
func TestPushedReferences(t *testing.T) {
	for _, c := range []struct {
		name   string
		format packer.Format
		event  string
	}{
		{"transit", packer.Transit, `["~:t/n",[["^ ","~:name",1],["^ ","^1","^0"]]]`},
		{"msgpack", packer.Msgpack,
			"\x92\xc7\x03\x00t/n\x92\x81\xc7\x04\x00name\x01\x81\xd4\x08\x00\xc7\x03\x00t/n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.format.CheckEvent([]byte(c.event)); err != nil {
				t.Fatal(err)
			}
			w := newSimWorld(t, 1)
			clients := listeners(w)
			w.e.Push(&Push{UIDs: []string{"u"}, Event: []byte("[:a/b {:other 1}]")}, nil)
			for i := range 2 {
				w.e.Push(&Push{UIDs: []string{"u"}, Format: c.format, Event: []byte(c.event),
					Flush: i == 1}, nil)
			}
			const event = `["t/n",[{"name":1},{"name":"t/n"}]]`
			for _, x := range clients {
				if got := x.heard(); got != `[[["a/b",{"other":1}],`+event+","+event+`],null]` {
					t.Errorf("%v got %s", x.packer, got)
				}
			}
		})
	}
}

// TestSendsInPieces: an Ajax send is the same however it is cut, and a send of another packer than
// it says is refused.
func TestSendsInPieces(t *testing.T) {
	everyPacker(t, func(t *testing.T, p packer.Packer) {
		message := simPack(t, p, `[[:a/b {:k "`+strings.Repeat("v", 20)+`"}] nil]`)
		large := simPack(t, p, `[[:a/b {:k "`+strings.Repeat("value ", 250)+`"}] nil]`)
		dummy := `["chsk/dummy-cb-200",null]`
		for _, c := range []struct{ name, request, want string }{
			{"short", sendOf(p, message, p.Binary()), dummy},
			{"long", sendOf(p, large, p.Binary()), dummy},
			{"of the other kind", sendOf(p, message, !p.Binary()), "The packer " + p.String() + " sends "},
			{"unreadable", sendOf(p, "\xc1", p.Binary()), "The message is not readable as " + p.String()},
		} {
			if p.Gzip() && c.name == "unreadable" {
				c.request = sendOf(p, "\x01\x1f", true)
			}
			for cut := 0; cut < len(c.request); cut += 1 + cut*len(c.request)/60000 {
				w := newSimWorld(t, 1)
				s, l := w.connect()
				w.give(s, l, c.request[:cut])
				w.turns(true)
				w.give(s, l, c.request[cut:])
				w.turns(true)
				s.ack(len(s.kernel))
				head, body, _ := bytes.Cut(s.got, []byte("\r\n\r\n"))
				got := string(body)
				if bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
					got = simUnpack(t, p, got)
				}
				if !strings.HasPrefix(got, c.want) || (w.backend.events == 1) != (c.want == dummy) {
					t.Fatalf("%s, cut at %d: %q %q, %d events", c.name, cut, head, got, w.backend.events)
				}
			}
		}
	})
}

// sendOf is an Ajax send in packer p, as bytes or as a form.
func sendOf(p packer.Packer, packed string, binary bool) string {
	query, body, media := "", "client-id=c&udt=1&ppstr="+url.QueryEscape(packed),
		"application/x-www-form-urlencoded;charset=UTF-8"
	if binary {
		query, body, media = "?binary%3F=true&client-id=c&udt=1", packed, "application/octet-stream"
	}
	return fmt.Sprintf("POST /chsk/%v%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"+
		"Content-Length: %d\r\n\r\n%s", p, query, media, len(body), body)
}

// TestReplaysByBody: two sends of one client and time are one if their bytes are the same, and two
// if not, also where the message is the body.
func TestReplaysByBody(t *testing.T) {
	everyPacker(t, func(t *testing.T, p packer.Packer) {
		w := newSimWorld(t, 1)
		for i, want := range []int{1, 1, 2, 2} {
			edn := `[[:a/b "one"] nil]`
			if i == 2 {
				edn = `[[:a/b "two"] nil]`
			}
			s, l := w.connect()
			w.give(s, l, sendOf(p, simPack(t, p, edn), p.Binary()))
			w.turns(true)
			if w.backend.events != want {
				t.Fatalf("send %d: %d events, want %d", i, w.backend.events, want)
			}
		}
	})
}

// TestBombsLeaveNothing: a message that inflates beyond the limit is not kept, and the next one of
// another conn is read.
func TestBombsLeaveNothing(t *testing.T) {
	p := packer.EDN.Gzip()
	w := newSimWorld(t, 1)
	w.e.opts.Limits.MessageBytes = 10_000
	bomb := sendOf(p, simPack(t, p, `[[:a/b "`+strings.Repeat("0", 100_000)+`"] nil]`), true)
	good := sendOf(p, simPack(t, p, `[[:a/b "`+strings.Repeat("0", 9_000)+`"] nil]`), true)
	for i, request := range []string{bomb, strings.Replace(good, "udt=1", "udt=2", 1), bomb, good} {
		s, l := w.connect()
		w.give(s, l, request)
		w.turns(true)
		s.ack(len(s.kernel))
		if status := string(s.got[9:12]); status != []string{"413", "200", "413", "200"}[i] {
			t.Fatalf("request %d: %q", i, s.got)
		}
	}
	if n := w.backend.events; n != 2 {
		t.Fatalf("%d events, want 2", n)
	}
}
