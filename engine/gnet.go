package engine

import (
	"context"
	"net"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/admit"
)

// server is the thin shell: gnet's callbacks, each of which finds its loop and calls
// one method of it under a recover.
//
// gnet tells a loop nothing about itself, and gives no handle of a loop that has no
// conn yet. So each loop gets one conn of our own when it starts, its anchor, one end
// of a socketpair; loops are numbered in the order in which they are first seen.
type server struct {
	gnet.BuiltinEventEngine

	e        *Engine
	gnet     gnet.Engine
	roster   admit.Roster[gnet.EventLoop]
	anchors  []*os.File // far ends of the anchors, kept open
	booted   bool
	addr     string
	reserved func() // frees the socket that held the port until we listened
}

// anchorMark is the context of an anchor conn.
type anchorMark struct{}

func newServer(e *Engine) *server {
	s := &server{e: e}
	for _, l := range e.loops {
		l.net = kernel{}
		l.conns.loop = uint8(l.id)
	}
	return s
}

// Run serves until Stop, or until gnet ends by itself, which callers must treat as
// fatal: it has closed every conn.
func (e *Engine) Run() error {
	addr, release, err := reserve(e.opts.Listen, e.opts.ReusePort)
	if err != nil {
		return err
	}
	e.server.addr, e.server.reserved = addr, release
	return gnet.Run(e.server, "tcp://"+addr,
		gnet.WithNumEventLoop(e.opts.Loops),
		gnet.WithReuseAddr(true), // and by it of conns that outlive us: a restart finds the port free
		gnet.WithReusePort(true),
		gnet.WithTicker(true),
		gnet.WithTCPNoDelay(gnet.TCPNoDelay),
		gnet.WithTCPKeepAlive(2*time.Minute),
		gnet.WithSocketSendBuffer(sendBufBytes),
		gnet.WithLogger(gnetLog{e.opts.Log}),
	)
}

// Stop ends Run. Conns that are still open are cut.
func (e *Engine) Stop(ctx context.Context) error { return e.server.gnet.Stop(ctx) }

// OnBoot is called before the loops start.
func (s *server) OnBoot(eng gnet.Engine) gnet.Action {
	s.gnet = eng
	return gnet.None
}

// OnTick is called once all loops run; it gives each its anchor. We have no other use
// for gnet's ticker: mailbox.Clock wakes loops at their deadlines.
func (s *server) OnTick() (time.Duration, gnet.Action) {
	if !s.booted {
		s.booted = true
		s.reserved()
		for range s.e.loops {
			if err := s.anchor(); err != nil {
				s.e.log().Error("engine: cannot start an event loop", "error", err)
				return time.Hour, gnet.Shutdown
			}
		}
	}
	return 24 * time.Hour, gnet.None
}

// anchor registers one end of a socketpair with the next loop.
func (s *server) anchor() error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return os.NewSyscallError("socketpair", err)
	}
	near := os.NewFile(uintptr(fds[0]), "anchor")
	s.anchors = append(s.anchors, os.NewFile(uintptr(fds[1]), "anchor"))
	c, err := net.FileConn(near)
	_ = near.Close() // FileConn has its own copy
	if err != nil {
		return err
	}
	ctx := gnet.NewContext(context.Background(), anchorMark{})
	_, err = s.gnet.Register(gnet.NewNetConnContext(ctx, c))
	return err
}

// OnOpen is called when a conn was accepted.
func (s *server) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	n, first := s.roster.Number(c.EventLoop())
	l := s.e.loops[n]
	if first {
		el := c.EventLoop()
		s.e.wakers[n].Set(func() {
			// It fails only when the engine goes down, and then there is nothing to do.
			_ = el.Execute(context.Background(), l)
		})
		if s.roster.Len() == len(s.e.loops) && s.e.opts.Ready != nil {
			s.e.opts.Ready(s.addr)
		}
	}
	if _, isAnchor := c.Context().(anchorMark); isAnchor {
		return nil, gnet.None
	}
	if !l.open(c) {
		return nil, gnet.Close
	}
	return nil, gnet.None
}

// OnTraffic is called when bytes came.
func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	if cn, ok := c.Context().(*conn); ok {
		s.e.loops[cn.loop].onTraffic(cn.slot)
	}
	return gnet.None
}

// OnClose is called when a conn is gone, its fd still open.
func (s *server) OnClose(c gnet.Conn, _ error) gnet.Action {
	if cn, ok := c.Context().(*conn); ok {
		l := s.e.loops[cn.loop]
		l.closed(cn.slot)
	}
	return gnet.None
}

// Run is the loop's turn; gnet calls it for the wake that is outstanding.
func (l *loop) Run(context.Context) error {
	defer l.recovered()
	l.turn()
	return nil
}

// kernel asks the real kernel.
type kernel struct{}

func (kernel) fd(s sock) int32 { return int32(s.(gnet.Conn).Fd()) }

func (kernel) peer(s sock) netip.Addr {
	if a, ok := s.(gnet.Conn).RemoteAddr().(*net.TCPAddr); ok {
		return admit.Clean(a.AddrPort().Addr())
	}
	return netip.Addr{}
}

func (kernel) send(_ sock, fd int32, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	// RawSyscall: the call does not block, so that the scheduler need not hear of it.
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])),
		uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR, unix.ENOBUFS:
		return 0, nil
	}
	return 0, errno
}

func (kernel) unacked(s sock) (int, bool) {
	n, err := unix.IoctlGetInt(s.(gnet.Conn).Fd(), unix.SIOCOUTQ)
	return n, err == nil
}

func (kernel) acked(s sock) (uint64, bool) {
	info, err := unix.GetsockoptTCPInfo(s.(gnet.Conn).Fd(), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return info.Bytes_acked, true
}

func (kernel) finish(s sock) {
	_ = unix.Shutdown(s.(gnet.Conn).Fd(), unix.SHUT_WR) // fails only when the peer was faster
}

func (kernel) close(s sock) {
	c := s.(gnet.Conn)
	_ = c.EventLoop().Close(c) // fails only when it is closed already
}
