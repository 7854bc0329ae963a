package engine

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// Engines whose clients are known by a verifier that a test plays itself: loops in turn over
// connections that keep what is written to them, and a clock that the test moves.

// tape is a network that keeps all bytes.
type tape struct {
	sink
	l *loop
}

func (n tape) peer(sock) netip.Addr { return netip.Addr{} }

func (n tape) send(s sock, _ int32, b []byte) (int, error) {
	s.(*tapeSock).out = append(s.(*tapeSock).out, b...)
	return len(b), nil
}

func (n tape) finish(s sock) { s.(*tapeSock).fin = true }

func (n tape) close(s sock) {
	t := s.(*tapeSock)
	if !t.closed {
		t.closed = true
		n.l.closed(t.c.slot)
	}
}

type tapeSock struct {
	sinkSock
	rig         *grantRig
	l           *loop
	out         []byte
	closed, fin bool
}

// asking is a question to the verifier.
type asking struct {
	ticket uint64
	kind   auth.NeedKind
	client string
}

// grantRig is an engine and its verifier.
type grantRig struct {
	t       *testing.T
	e       *Engine
	now     uint32
	wall    time.Time
	wanted  []bool
	sync    *auth.Grant // is told at once
	asked   []asking
	revoked []string
	events  []string
}

func newGrantRig(t *testing.T, change func(*Options)) *grantRig {
	r := &grantRig{t: t, now: 1 << 31, wall: time.Unix(1_800_000_000, 0)}
	checker, err := auth.New(auth.Config{Modes: []auth.Mode{auth.JWT, auth.Hook}})
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Auth, o.Log, o.Verifier = checker, slog.New(slog.DiscardHandler), r
	if change != nil {
		change(&o)
	}
	if r.e, err = New(o, r); err != nil {
		t.Fatal(err)
	}
	r.wanted = make([]bool, o.Loops)
	for i, l := range r.e.loops {
		l.net = tape{l: l}
		l.time = func() (uint32, time.Time) { return r.now, r.wall }
		r.e.wakers[i].Set(func() { r.wanted[i] = true })
	}
	return r
}

func (r *grantRig) Verify(q *auth.Request, need auth.Need, ticket uint64, nowMs int64) *auth.Grant {
	if nowMs != r.wall.UnixMilli() {
		r.t.Errorf("asked at %d", nowMs)
	}
	r.asked = append(r.asked, asking{ticket, need.Kind, string(q.Client)})
	return r.sync
}

func (r *grantRig) Revoke(tenant, uid string, _ int64) {
	r.revoked = append(r.revoked, tenant+"/"+uid)
}

func (r *grantRig) Event(tenant, uid []byte, nilUID bool, client []byte, _ bool, _ packer.Format,
	event []byte, _ bool, _ []byte, _ time.Time) Verdict {
	who := fmt.Sprintf("%s/%s", tenant, uid)
	if nilUID {
		who = fmt.Sprintf("%s/nil", tenant)
	}
	r.events = append(r.events, fmt.Sprintf("%s %s %s", who, client, event))
	return Taken
}

func (r *grantRig) Presence(bool, []byte, []byte, bool) {}

// turns runs all loops until none wants a turn.
func (r *grantRig) turns() {
	for again := true; again; {
		again = false
		for i, w := range r.wanted {
			if w {
				r.wanted[i], again = false, true
				r.e.loops[i].turn()
			}
		}
	}
}

// pass lets time pass, of the loops and of the day.
func (r *grantRig) pass(d time.Duration) {
	for end := r.now + uint32(d/time.Millisecond); r.now != end; {
		step := end - r.now
		if due, ok := r.e.clock.Next(); ok && int32(due-r.now) > 0 {
			step = min(step, due-r.now)
		}
		r.now += step
		r.wall = r.wall.Add(time.Duration(step) * time.Millisecond)
		r.e.clock.Ring(r.now)
		r.turns()
	}
}

// step sets the clock of the day.
func (r *grantRig) step(d time.Duration) { r.wall = r.wall.Add(d) }

// open makes a connection on a loop.
func (r *grantRig) open(loop int) *tapeSock {
	s := &tapeSock{rig: r, l: r.e.loops[loop]}
	if !s.l.open(s) {
		r.t.Fatal("refused")
	}
	return s
}

// tell answers question n.
func (r *grantRig) tell(n int, g *auth.Grant) {
	r.e.Verified(r.asked[n].ticket, g)
	r.turns()
}

// give sends bytes to the server, with CRLF for LF.
func (s *tapeSock) give(b string) {
	s.in = append(s.in, strings.ReplaceAll(b, "\n", "\r\n")...)
	s.l.onTraffic(s.c.slot)
	s.rig.turns()
}

// took is what the server has written since the last time.
func (s *tapeSock) took() string {
	out := string(s.out)
	s.out = nil
	return out
}

// answers is what took says as the status lines and bodies in it.
func (s *tapeSock) answers() (out []string) {
	rest := s.took()
	for rest != "" {
		head, body, ok := strings.Cut(rest, "\r\n\r\n")
		if !ok {
			s.rig.t.Fatalf("no answer: %q", rest)
		}
		n := 0
		if _, length, ok := strings.Cut(head, "Content-Length: "); ok {
			fmt.Sscan(length, &n)
		}
		line, _, _ := strings.Cut(head, "\r\n")
		out = append(out, strings.TrimSpace(strings.TrimPrefix(line, "HTTP/1.1 ")[:3]+" "+body[:n]))
		rest = body[n:]
	}
	return out
}

// frames is the text of the frames in what the server has written.
func (s *tapeSock) frames() (out []string) {
	rest := []byte(s.took())
	for len(rest) > 0 {
		h, n, err := wsframe.ParseHeader(rest)
		if err != nil {
			s.rig.t.Fatalf("no frame: %q", rest)
		}
		payload := rest[n : n+int(h.Len)]
		rest = rest[n+int(h.Len):]
		if h.Opcode == wsframe.Close {
			out = append(out, fmt.Sprintf("close %d %s", int(payload[0])<<8|int(payload[1]), payload[2:]))
			continue
		}
		out = append(out, string(payload))
	}
	return out
}

// upgrade asks for a WebSocket.
func (s *tapeSock) upgrade(client, fields string) {
	s.give("GET /chsk?client-id=" + client + " HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n" +
		"Sec-WebSocket-Version: 13\nSec-WebSocket-Key: O4NW1Vm5Eq5cJ61NweZyWA==\n" + fields + "\n")
}

// upgraded makes a WebSocket whose grant is told at once, and returns what came with it.
func (r *grantRig) upgraded(loop int, client string, g *auth.Grant) (s *tapeSock, first []string) {
	r.t.Helper()
	r.sync = g
	s = r.open(loop)
	s.upgrade(client, "")
	r.sync = nil
	return s, s.switched()
}

// switched expects a 101, and returns the frames behind it.
func (s *tapeSock) switched() []string {
	s.rig.t.Helper()
	head, rest, _ := strings.Cut(string(s.out), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		s.rig.t.Fatalf("no upgrade: %q", s.out)
	}
	s.out = []byte(rest)
	return s.frames()
}

// event sends an event over a WebSocket.
func (s *tapeSock) event(edn string) {
	key := [4]byte{1, 2, 3, 4}
	b := wsframe.AppendClientHeader(nil, true, wsframe.Text, key, len(edn))
	n := len(b)
	b = append(b, edn...)
	wsframe.Mask(b[n:], key, 0)
	s.in = append(s.in, b...)
	s.l.onTraffic(s.c.slot)
	s.rig.turns()
}
