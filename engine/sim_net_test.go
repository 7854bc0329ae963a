package engine

import (
	"math/rand"
	"net/netip"
)

// The simulation's network. A simSock is a connection between a loop and a simulated
// client: it takes bytes into a kernel of small size, the peer acknowledges any prefix
// of them, and when the connection breaks the rest is lost, as with TCP. What the peer
// has acknowledged is what the client reads.

const simKernelBytes = 4096

// simT is what the simulation needs of a test.
type simT interface {
	Helper()
	Logf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

type simSock struct {
	t      simT
	in     []byte // arrived and not discarded
	kernel []byte // taken and not acknowledged
	out    []byte // buffered behind a full kernel, as gnet does
	acked  uint64
	got    []byte // acknowledged: the client's to read
	late   int    // so many of the last of them arrived after the server had closed
	wrote  int    // writes, to see that a closed sock gets none
	closed bool   // onClose was called
	broken bool   // cut by the network: writes fail
	fin    bool   // the server has sent its FIN
	ctx    any
	peer   netip.Addr
}

func (s *simSock) SetContext(c any) { s.ctx = c }

func (s *simSock) Peek(int) ([]byte, error) { return s.in, nil }

func (s *simSock) Discard(n int) (int, error) {
	s.in = s.in[n:]
	return n, nil
}

func (s *simSock) InboundBuffered() int  { return len(s.in) }
func (s *simSock) OutboundBuffered() int { return len(s.out) }

func (s *simSock) Write(b []byte) (int, error) {
	s.check()
	s.out = append(s.out, b...)
	s.pump()
	return len(b), nil
}

func (s *simSock) check() {
	if s.closed {
		s.t.Fatal("a write to a connection that is closed")
	}
	s.wrote++
}

// pump moves buffered bytes into the kernel.
func (s *simSock) pump() {
	n := min(simKernelBytes-len(s.kernel), len(s.out))
	s.kernel = append(s.kernel, s.out[:n]...)
	s.out = s.out[n:]
}

// ack lets the peer take n bytes of the kernel.
func (s *simSock) ack(n int) {
	n = min(n, len(s.kernel))
	s.got = append(s.got, s.kernel[:n]...)
	s.kernel = s.kernel[n:]
	s.acked += uint64(n)
	s.pump()
}

// simNet is the network of one loop.
type simNet struct {
	l   *loop
	rng *rand.Rand
}

func (n *simNet) fd(sock) int32          { return 0 }
func (n *simNet) peer(s sock) netip.Addr { return s.(*simSock).peer }

func (n *simNet) send(x sock, _ int32, b []byte) (int, error) {
	s := x.(*simSock)
	s.check()
	if s.broken && n.rng.Intn(3) == 0 {
		return 0, errBroken
	}
	room := simKernelBytes - len(s.kernel)
	if room > 0 && n.rng.Intn(20) == 0 {
		room = 1 + n.rng.Intn(room) // the kernel may take a part only
	}
	k := min(room, len(b))
	s.kernel = append(s.kernel, b[:k]...)
	return k, nil
}

type simError string

func (e simError) Error() string { return string(e) }

const errBroken = simError("sim: connection reset")

func (n *simNet) unacked(x sock) (int, bool)  { return len(x.(*simSock).kernel), true }
func (n *simNet) acked(x sock) (uint64, bool) { return x.(*simSock).acked, true }
func (n *simNet) finish(x sock)               { x.(*simSock).fin = true }

func (n *simNet) close(x sock) {
	s := x.(*simSock)
	if s.closed {
		return
	}
	c := s.ctx.(*conn)
	n.l.closed(c.slot) // the fd still answers
	s.closed, s.fin = true, true
	if !s.broken {
		// What the kernel has is still sent (RFC 9293 §3.6), and nobody hears that it arrived.
		s.late = len(s.kernel)
		s.ack(s.late)
	}
	s.kernel, s.out = nil, nil
}

// simBackend hears and checks what the backend is told.
type simBackend struct {
	t       simT
	rng     *rand.Rand
	picky   bool // takes not every event
	present map[string]bool
	opens   int
	closes  int
	tokens  []string
	events  int
}
