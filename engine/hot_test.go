package engine

import (
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// The hot paths of one loop over a network that takes everything: what they allocate
// is a promise, what they cost a benchmark.

// sink is a network that takes all bytes and forgets them.
type sink struct{ l *loop }

func (sink) fd(sock) int32                               { return 0 }
func (sink) peer(s sock) netip.Addr                      { return s.(*sinkSock).peer }
func (sink) send(_ sock, _ int32, b []byte) (int, error) { return len(b), nil }
func (sink) unacked(sock) (int, bool)                    { return 0, true }
func (sink) acked(sock) (uint64, bool)                   { return 1 << 60, true }
func (sink) finish(sock)                                 {}
func (n sink) close(s sock)                              { n.l.closed(s.(*sinkSock).c.slot) }

// sinkSock has one read to give at a time.
type sinkSock struct {
	in   []byte
	c    *conn
	peer netip.Addr
}

func (s *sinkSock) SetContext(c any)            { s.c = c.(*conn) }
func (s *sinkSock) Peek(int) ([]byte, error)    { return s.in, nil }
func (s *sinkSock) InboundBuffered() int        { return len(s.in) }
func (s *sinkSock) OutboundBuffered() int       { return 0 }
func (s *sinkSock) Write(b []byte) (int, error) { return len(b), nil }
func (s *sinkSock) Discard(n int) (int, error) {
	s.in = s.in[n:]
	return n, nil
}

type deafBackend struct{}

func (deafBackend) Event(_, _ []byte, _ bool, _ []byte, _ bool, _ packer.Format, _ []byte, _ bool,
	_ []byte, _ time.Time) Verdict {
	return Taken
}
func (deafBackend) Presence(bool, []byte, []byte, bool) {}

type hotLoop struct {
	*loop
	wanted bool
	now    uint32
}

func newHotLoop(t testing.TB) *hotLoop {
	return newHotLoopWith(t, deafBackend{}, func(*Options) {})
}

func newHotLoopWith(t testing.TB, app Backend, change func(o *Options)) *hotLoop {
	checker, err := auth.New(auth.Config{Mode: auth.Client})
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Auth, o.Log = checker, slog.New(slog.DiscardHandler)
	change(&o)
	e, err := New(o, app)
	if err != nil {
		t.Fatal(err)
	}
	h := &hotLoop{loop: e.loops[0], now: 1000}
	h.net = sink{h.loop}
	h.time = func() (uint32, time.Time) { return h.now, time.Unix(int64(h.now/1000), 0) }
	e.wakers[0].Set(func() { h.wanted = true })
	return h
}

func (h *hotLoop) turns() {
	for h.wanted {
		h.wanted = false
		h.turn()
	}
}

func upgradeRequest(p packer.Packer, id string) []byte {
	return fmt.Appendf(nil, "GET /chsk/%v?client-id=%s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: Upgrade\r\n"+
		"Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"+
		"Upgrade: websocket\r\nOrigin: http://127.0.0.1:8080\r\nSec-WebSocket-Version: 13\r\n"+
		"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"+
		"Sec-WebSocket-Key: O4NW1Vm5Eq5cJ61NweZyWA==\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n", p, id)
}

// clientName is the client-id of client i, which is its uid too.
func clientName(i int) string { return fmt.Sprintf("0b4dd9ae-2b4c-4c58-b1ab-%012d", i) }

// connect makes a WebSocket of client i.
func (h *hotLoop) connect(t testing.TB, p packer.Packer, i int) *sinkSock {
	s := &sinkSock{in: upgradeRequest(p, clientName(i))}
	if !h.open(s) {
		t.Fatal("refused")
	}
	h.onTraffic(s.c.slot)
	h.turns()
	if s.c.state != sWS || s.c.flags&fGated != 0 {
		t.Fatalf("state %d flags %x after the upgrade", s.c.state, s.c.flags)
	}
	return s
}

// clientFrame is a masked frame with a message of packer p, given as edn.
func clientFrame(t testing.TB, p packer.Packer, edn string) []byte {
	payload := simPack(t, p, edn)
	key := [4]byte{9, 8, 7, 6}
	b := wsframe.AppendClientHeader(nil, true, opcode(p), key, len(payload))
	n := len(b)
	b = append(b, payload...)
	wsframe.Mask(b[n:], key, 0)
	return b
}

// feed gives the bytes of frame to s; they are unmasked in place, so of a copy.
func (h *hotLoop) feed(s *sinkSock, frame []byte, scratch []byte) {
	s.in = append(scratch[:0], frame...)
	h.onTraffic(s.c.slot)
	h.turns()
}

func TestHotPathsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for p := range packer.Packer(packer.Packers) {
		t.Run(p.String(), func(t *testing.T) { hotPaths(t, p) })
	}
}

func hotPaths(t *testing.T, p packer.Packer) {
	h := newHotLoop(t)
	s := h.connect(t, p, 1)
	for i := range 50 {
		h.connect(t, p, 2+i)
	}
	long := strings.Repeat("hello ", 300) // is compressed
	scratch := make([]byte, 0, 8192)
	ping := clientFrame(t, p, `[[:chsk/ws-ping] "a1b2c3"]`)
	event := clientFrame(t, p, `[[:chat/send {:text "hello", :n 17}] nil]`)
	large := clientFrame(t, p, `[[:chat/send {:text "`+long+`", :n 17}] nil]`)
	all := &Push{All: true, Event: []byte(`[:chat/message {:text "hello"}]`)}
	one := &Push{UIDs: []string{clientName(1)}, Event: all.Event}
	wide := &Push{All: true, Event: []byte(`[:chat/message {:text "` + long + `"}]`)}
	room := &Push{Topic: "room:1", Event: all.Event}
	latest := &Push{Topic: "room:1", Event: all.Event, Key: "position", TTL: time.Minute}
	for i := range 51 {
		h.eng.Join(&Membership{UID: clientName(1 + i), Topic: "room:1"}, nil)
	}
	h.turns()
	// A pool that the garbage collector empties on the way is filled again.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, c := range []struct {
		name string
		max  float64 // the caller's own, on its own goroutine
		work func()
	}{
		{"chsk ping", 0, func() { h.feed(s, ping, scratch) }},
		{"event", 0, func() { h.feed(s, event, scratch) }},
		{"event of 2 KB", 0, func() { h.feed(s, large, scratch) }},
		{"push to one user", 3, func() { h.eng.Push(one, nil); h.turns() }},
		{"broadcast to 51", 5, func() { h.eng.Push(all, nil); h.turns() }},
		{"topic of 51", 5, func() { h.eng.Push(room, nil); h.turns() }},
		{"topic of 51, with key and time", 5, func() { h.eng.Push(latest, nil); h.turns() }},
		{"broadcast of 2 KB to 51", 5, func() { h.eng.Push(wide, nil); h.turns() }},
	} {
		for range 200 { // pools and slabs fill
			h.now += 40
			c.work()
		}
		got := testing.AllocsPerRun(500, func() {
			h.now += 40
			c.work()
		})
		if got > c.max {
			t.Errorf("%s: %v allocations, want at most %v", c.name, got, c.max)
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	h := newHotLoop(b)
	req := upgradeRequest(0, "0b4dd9ae-2b4c-4c58-b1ab-0c9fd52b5e3a")
	for loop := count.Loop(b, 1000); loop.Next(); {
		s := &sinkSock{in: req}
		h.open(s)
		h.onTraffic(s.c.slot)
		h.turns()
		h.closeConn(s.c.slot)
		h.turns()
		h.now++
	}
}

func BenchmarkPing(b *testing.B) {
	for p := range packer.Packer(packer.Packers) {
		b.Run(p.String(), func(b *testing.B) {
			h := newHotLoop(b)
			s := h.connect(b, p, 1)
			frame := clientFrame(b, p, `[[:chsk/ws-ping] "a1b2c3"]`)
			scratch := make([]byte, 0, 256)
			for loop := count.Loop(b, 1000); loop.Next(); {
				h.feed(s, frame, scratch)
			}
		})
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, p := range []packer.Packer{packer.EDN.Packer(), packer.Msgpack.Packer(), packer.EDN.Gzip()} {
		for _, conns := range []int{500, 10000} {
			b.Run(fmt.Sprintf("%v/%d", p, conns), func(b *testing.B) { broadcast(b, p, conns) })
		}
	}
}

func broadcast(b *testing.B, chosen packer.Packer, conns int) {
	h := newHotLoop(b)
	for i := range conns {
		h.connect(b, chosen, i)
	}
	p := &Push{All: true, Event: []byte(`[:chat/message {:text "hello"}]`)}
	n := 0
	for loop := count.Loop(b, 50); loop.Next(); { // 2 s of 40 ms: what is unacknowledged is looked at every second
		h.now += 40
		h.eng.Push(p, nil)
		h.turns()
		n += conns
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/delivery")
}
