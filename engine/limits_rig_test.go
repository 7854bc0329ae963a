package engine

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/admit"
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// The limits under a clock that is set, over a network that does what it is told.

// plainSock is a conn whose peer reads, unless it is full.
type plainSock struct {
	in     []byte // arrived and not discarded
	out    []byte // what the peer has read
	held   []byte // what nobody reads
	full   bool   // the kernel takes nothing
	closed bool
	fin    bool
	c      *conn
	peer   netip.Addr
}

func (s *plainSock) SetContext(c any)         { s.c = c.(*conn) }
func (s *plainSock) Peek(int) ([]byte, error) { return s.in, nil }
func (s *plainSock) InboundBuffered() int     { return len(s.in) }
func (s *plainSock) OutboundBuffered() int    { return len(s.held) }
func (s *plainSock) Discard(n int) (int, error) {
	s.in = s.in[n:]
	return n, nil
}

func (s *plainSock) Write(b []byte) (int, error) {
	s.held = append(s.held, b...)
	return len(b), nil
}

type plainNet struct{ l *loop }

func (plainNet) fd(sock) int32             { return 0 }
func (plainNet) peer(s sock) netip.Addr    { return s.(*plainSock).peer }
func (plainNet) unacked(sock) (int, bool)  { return 0, true }
func (plainNet) acked(sock) (uint64, bool) { return 1 << 60, true }
func (plainNet) finish(s sock)             { s.(*plainSock).fin = true }
func (plainNet) send(x sock, _ int32, b []byte) (int, error) {
	s := x.(*plainSock)
	if s.full {
		return 0, nil
	}
	s.out = append(s.out, b...)
	return len(b), nil
}

func (n plainNet) close(x sock) {
	if s := x.(*plainSock); !s.closed {
		s.closed = true
		n.l.closed(s.c.slot)
	}
}

// earBackend counts what it hears.
type earBackend struct{ events int }

func (b *earBackend) Event(_, _ []byte, _ bool, _ []byte, _ bool, _ packer.Format, _ []byte, _ bool,
	_ []byte, _ time.Time) Verdict {
	b.events++
	return Taken
}
func (*earBackend) Presence(bool, []byte, []byte, bool) {}

// limitRig is an engine of one loop.
type limitRig struct {
	*loop
	t      *testing.T
	tick   uint32
	slow   time.Duration // that each turn takes
	wanted bool
	ear    earBackend
	socks  int
}

func newLimitRig(t *testing.T, change func(o *Options)) *limitRig {
	t.Helper()
	checker, err := auth.New(auth.Config{Mode: auth.Client})
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Auth, o.Log = checker, slog.New(slog.DiscardHandler)
	o.Limits.HeldConns = 8
	change(&o)
	r := &limitRig{t: t, tick: 1<<32 - 5000} // the clock wraps in most tests
	e, err := New(o, &r.ear)
	if err != nil {
		t.Fatal(err)
	}
	r.loop = e.loops[0]
	r.net = plainNet{r.loop}
	asked := 0
	r.time = func() (uint32, time.Time) {
		asked++ // the last time in a turn is later than the first, see measure
		return r.tick, time.UnixMilli(int64(r.tick)).Add(time.Duration(asked) * r.slow)
	}
	e.wakers[0].Set(func() { r.wanted = true })
	return r
}

func (r *limitRig) turns() {
	for r.wanted {
		r.wanted = false
		r.turn()
	}
}

// advance lets time pass, with every alarm on the way at its time.
func (r *limitRig) advance(ms uint32) {
	end := r.tick + ms
	for {
		due, ok := r.eng.clock.Next()
		if !ok || int32(due-end) > 0 {
			break
		}
		if int32(due-r.tick) > 0 {
			r.tick = due
		}
		r.eng.clock.Ring(r.tick)
		r.turns()
	}
	r.tick = end
}

// dial opens a conn from an address; nil when it is refused.
func (r *limitRig) dial(peer string) *plainSock {
	s := &plainSock{peer: netip.MustParseAddr(peer)}
	if !r.open(s) {
		return nil
	}
	return s
}

// give hands bytes to a conn.
func (r *limitRig) give(s *plainSock, text string) {
	if s.closed {
		return
	}
	s.in = append(s.in, text...)
	r.onTraffic(s.c.slot)
	r.turns()
}

// wsRequest is an upgrade of a new client.
func (r *limitRig) wsRequest(fields ...string) string {
	r.socks++
	return fmt.Sprintf("GET /chsk?client-id=c%d HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		r.socks) + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// pollRequest is a poll of a new client, that asks for a handshake or not.
func (r *limitRig) pollRequest(handshake bool, fields ...string) string {
	r.socks++
	q := ""
	if handshake {
		q = "&handshake%3F=1"
	}
	return fmt.Sprintf("GET /chsk?udt=1&client-id=c%d%s HTTP/1.1\r\nHost: x\r\n", r.socks, q) +
		strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// upgrade opens a conn from peer and sends an upgrade.
func (r *limitRig) ws(peer string, fields ...string) *plainSock {
	r.t.Helper()
	s := r.dial(peer)
	if s == nil {
		r.t.Fatalf("a conn from %s was refused", peer)
	}
	r.give(s, r.wsRequest(fields...))
	return s
}

// is checks what a conn was answered: a status, 0 for nothing yet, -1 for a close without one.
func (r *limitRig) is(s *plainSock, status int) {
	r.t.Helper()
	got := 0
	switch n, err := fmt.Sscanf(string(s.out), "HTTP/1.1 %d", &got); {
	case n == 1 && err == nil:
	case s.closed:
		got = -1
	}
	if got != status {
		r.t.Fatalf("answered %d, want %d: %.120q", got, status, s.out)
	}
}

// said takes what the peer has read since.
func (s *plainSock) said() string {
	out := string(s.out)
	s.out = nil
	return out
}

// frame is a frame as a client sends it.
func frame(fin bool, op wsframe.Opcode, payload string) string {
	key := [4]byte{1, 2, 3, 4}
	b := wsframe.AppendClientHeader(nil, fin, op, key, len(payload))
	n := len(b)
	b = append(b, payload...)
	wsframe.Mask(b[n:], key, 0)
	return string(b)
}

func text(message string) string { return frame(true, wsframe.Text, message) }

func set(list ...string) *admit.Prefixes {
	var ps []netip.Prefix
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return admit.NewPrefixes(ps)
}
