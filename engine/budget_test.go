package engine

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/auth"
)

// The budget of memory (docs/budget.md): what a session takes in the owner of its conn and
// in its home, all told, is counted here on whole engines with a network that is simulated,
// so that it is the same on every machine. What gnet and the kernel take beside it is
// measured with real connections in cmd/chskd.

// What a session may take at most, in bytes of live heap.
const (
	budgetWS   = 310 // an idle WebSocket
	budgetPoll = 355 // a parked poll
)

// budgetSessions is how many are simulated. It is no power of two, which would be the best
// case of tables that double.
const budgetSessions = 100_000

// quietSock is a conn that is told nothing, 24 bytes that are there before the count begins.
type quietSock struct {
	r *budgetRig
	c *conn
	n int // bytes of r.in that have not been read
}

func (s *quietSock) SetContext(c any)            { s.c = c.(*conn) }
func (s *quietSock) Peek(int) ([]byte, error)    { return s.r.in[len(s.r.in)-s.n:], nil }
func (s *quietSock) InboundBuffered() int        { return s.n }
func (s *quietSock) OutboundBuffered() int       { return 0 }
func (s *quietSock) Write(b []byte) (int, error) { return len(b), nil }
func (s *quietSock) Discard(n int) (int, error) {
	s.n -= n
	return n, nil
}

type quietNet struct{ l *loop }

func (quietNet) fd(sock) int32                               { return 0 }
func (quietNet) peer(sock) netip.Addr                        { return netip.Addr{} }
func (quietNet) send(_ sock, _ int32, b []byte) (int, error) { return len(b), nil }
func (quietNet) unacked(sock) (int, bool)                    { return 0, true }
func (quietNet) acked(s sock) (uint64, bool)                 { return uint64(s.(*quietSock).c.written), true }
func (quietNet) finish(sock)                                 {}
func (n quietNet) close(s sock)                              { n.l.closed(s.(*quietSock).c.slot) }

// budgetRig is an engine of one loop: owner and home keep the same as on two, where a
// message lies between them.
type budgetRig struct {
	*loop
	socks  []quietSock
	in     []byte // what the sock that is spoken to reads
	now    uint32
	wanted bool
}

func newBudgetRig(t testing.TB, sessions int) *budgetRig {
	checker, err := auth.New(auth.Config{Mode: auth.Dev})
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Auth, o.Log = checker, slog.New(slog.DiscardHandler)
	o.Limits.MaxConns = 2 * sessions
	e, err := New(o, deafBackend{})
	if err != nil {
		t.Fatal(err)
	}
	r := &budgetRig{loop: e.loops[0], socks: make([]quietSock, sessions), now: 1000}
	r.net = quietNet{r.loop}
	r.time = func() (uint32, time.Time) { return r.now, time.UnixMilli(int64(r.now)) }
	e.wakers[0].Set(func() { r.wanted = true })
	return r
}

// ask sends a request on the conn of a session.
func (r *budgetRig) ask(s *quietSock, format string, args ...any) {
	r.in = fmt.Appendf(r.in[:0], format, args...)
	s.n = len(r.in)
	r.onTraffic(s.c.slot)
	for r.wanted {
		r.wanted = false
		r.turn()
	}
}

// openAll opens the conns of sessions, twenty a millisecond, and has each be asked for.
func (r *budgetRig) openAll(t testing.TB, ask func(i int, s *quietSock)) {
	for i := range r.socks {
		s := &r.socks[i]
		s.r = r
		if i%20 == 0 {
			r.now++
			r.turn()
		}
		if !r.open(s) {
			t.Fatal("refused")
		}
		ask(i, s)
	}
}

// Ids as stock clients and applications have them: a random UUID for each client, and a
// short uid that is another.
const budgetIDs = "client-id=%08x-7c1f-4d52-9b1e-0c9fd52b5e3a&uid=user-%d"

// webSockets opens all sessions as WebSockets.
func (r *budgetRig) webSockets(t testing.TB) {
	r.openAll(t, func(i int, s *quietSock) {
		r.ask(s, "GET /chsk?"+budgetIDs+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"+
			"Upgrade: websocket\r\nOrigin: http://x\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: O4NW1Vm5Eq5cJ61NweZyWA==\r\n\r\n", i*0x9e37, i)
		if s.c.state != sWS || s.c.flags&fGated != 0 {
			t.Fatalf("session %d: state %d flags %x", i, s.c.state, s.c.flags)
		}
	})
}

// polls parks a poll of every session.
func (r *budgetRig) park(t testing.TB) {
	const poll = "GET /chsk?udt=%d&" + budgetIDs + "%s HTTP/1.1\r\nHost: x\r\n\r\n" // browsers say no origin to their own
	r.opts.LPTimeoutMs = 59_999                                                     // no poll is answered before the last is parked
	r.openAll(t, func(i int, s *quietSock) {
		r.ask(s, poll, 1_700_000_000_000+i, i*0x9e37, i, "&handshake?=1")
		r.ask(s, poll, 1_700_000_000_001+i, i*0x9e37, i, "")
		if s.c.state != sWait {
			t.Fatalf("session %d: state %d", i, s.c.state)
		}
	})
}

// liveHeap is what is reachable.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what was freed by the first is swept before the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// perSession is how much live heap each session of a rig takes.
func perSession(t *testing.T, open func(r *budgetRig)) float64 {
	r := newBudgetRig(t, budgetSessions)
	before := liveHeap()
	open(r)
	r.now += 11_000 // past the time that requests have, and before that of polls
	for range 100 {
		r.turn() // each does a bounded part of what is due
	}
	each := float64(liveHeap()-before) / budgetSessions
	if n := r.sh.Counts().Users; n != budgetSessions || r.conns.live != budgetSessions {
		t.Fatalf("%d users, %d conns", n, r.conns.live)
	}
	runtime.KeepAlive(r)
	return each
}

func TestBudgetOfASession(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	for _, c := range []struct {
		name   string
		open   func(r *budgetRig)
		budget float64
	}{
		{"idle WebSocket", func(r *budgetRig) { r.webSockets(t) }, budgetWS},
		{"parked poll", func(r *budgetRig) { r.park(t) }, budgetPoll},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := perSession(t, c.open)
			t.Logf("%.1f B a session, budget %.0f", got, c.budget)
			if got > c.budget {
				t.Errorf("%.1f B a session; docs/budget.md says %.0f", got, c.budget)
			}
		})
	}
}

func TestBudgetOfSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"conn", unsafe.Sizeof(conn{}), 64},
		{"sock", unsafe.Sizeof(sock(nil)), 16},
		{"parked", unsafe.Sizeof(parked{}), 16},
		{"ackNode", unsafe.Sizeof(ackNode{}), 24},
		{"callback", unsafe.Sizeof(callback{}), 40},
		{"extra", unsafe.Sizeof(extra{}), 144},
		{"place", unsafe.Sizeof(place{}), 32},
		{"spoken", unsafe.Sizeof(spoken{}), 48},
		{"expiry", unsafe.Sizeof(expiry{}), 32},
		{"gnet's conn", sizeOfGnetConn(t), 248},
		{"gnet's conn as GCMillion has it", unsafe.Sizeof(gnetConn{}), 248},
	} {
		if c.got != c.want {
			t.Errorf("%s has %d B; docs/budget.md says %d", c.name, c.got, c.want)
		}
	}
}

// sizeOfGnetConn is asked of one, for its type is not exported.
func sizeOfGnetConn(t *testing.T) uintptr {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := gnet.NewClient(&gnet.BuiltinEventEngine{}, gnet.WithLogger(gnetLog{slog.New(slog.DiscardHandler)}))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	size := reflect.TypeOf(c).Elem().Size()
	if err := client.Stop(); err != nil {
		t.Fatal(err)
	}
	return size
}

// BenchmarkGCMillion is a forced collection with a million simulated sessions, in CPU
// seconds: of what is ours, and with conns as gnet makes them beside it.
//
//	go test ./engine -run '^$' -bench GCMillion -benchtime 5x
func BenchmarkGCMillion(b *testing.B) {
	const sessions = 1_000_000
	r := newBudgetRig(b, sessions)
	r.webSockets(b)
	b.Run("sessions", collect)
	conns := gnetConns(sessions)
	b.Run("sessions-and-gnet", collect)
	runtime.KeepAlive(r)
	runtime.KeepAlive(conns)
}

func collect(b *testing.B) {
	runtime.GC()
	before, n := cpuSeconds(b), 0
	for b.Loop() {
		runtime.GC()
		n++
	}
	b.ReportMetric((cpuSeconds(b)-before)/float64(n), "CPU-s/op")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/1_000_000, "B/session")
}

// gnetConn has the pointers and the size of gnet's conn, and so have the values that it
// points to (gnet v2.10.0, connection_unix.go).
type gnetConn struct {
	fd     int
	_      [16]byte       // gfd
	_      any            // its context
	_      unsafe.Pointer // and the one that is safe
	remote any            // *unix.SockaddrInet4
	proto  string
	_      any            // local address
	peer   any            // *net.TCPAddr
	_      unsafe.Pointer // loop
	_      [48]byte       // outbound buffer
	poll   struct {
		fd       int
		callback func()
	}
	_    unsafe.Pointer // inbound buffer
	_, _ []byte         // what is read, and its cache
	_    [8]byte        // flags
}

func (c *gnetConn) processIO() { c.fd++ }

// gnetConns are conns as gnet has them, by descriptor.
func gnetConns(n int) map[int]*gnetConn {
	all := make(map[int]*gnetConn)
	for fd := range n {
		from := new(unix.SockaddrInet4)
		c := &gnetConn{fd: fd, proto: "tcp", remote: from, peer: &net.TCPAddr{IP: from.Addr[:]}}
		c.poll.callback = c.processIO
		all[fd] = c
	}
	return all
}

func cpuSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
