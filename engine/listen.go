package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// sendBufBytes is the kernel's send buffer of a conn. The default would let it hold
// about 4 MB for a peer that does not read, before we see anything of it.
const sendBufBytes = 64 << 10

// FDs is how many descriptors so many loops take beside those of conns: each a listener, an
// epoll, its wake and both ends of its anchor; and what any process has.
func FDs(loops int) int { return 32 + 5*loops }

// leastConns is how many conns there must be room for.
const leastConns = 64

// RaiseFDs raises the process's soft limit of open files to its hard limit, and returns it.
func RaiseFDs() (nofile int, err error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	if r.Cur < r.Max {
		raised := unix.Rlimit{Cur: r.Max, Max: r.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			r = raised
		}
	}
	return int(min(r.Cur, 1<<30)), nil
}

// FitToFDs lowers the connection limits to what a limit of open files allows, of which so
// many are taken by others: FDs, and what they serve besides. A conn beyond them would be
// one that cannot be accepted, which ends the engine.
func (l *Limits) FitToFDs(nofile, taken int) error {
	room := nofile - taken
	if room < leastConns {
		return fmt.Errorf("engine: only %d open files allowed; set the limit (ulimit -n) to at least %d",
			nofile, taken+leastConns)
	}
	if l.HeldConns > room/8 {
		l.HeldConns = room / 8
	}
	if l.MaxConns > room-l.HeldConns {
		l.MaxConns = room - l.HeldConns
	}
	return nil
}

// reserve finds the port for a listen address with port 0. Every loop has a listener
// of its own, so that the kernel must be asked before there is one: by a socket that
// is bound to the port and does not listen. release frees it once the listeners are up.
//
// A port that is named must be free, unless it is shared: our listeners have SO_REUSEPORT,
// with which the kernel would let a second daemon of the same user have half of the
// clients of the first.
func reserve(addr string, shared bool) (resolved string, release func(), err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", nil, fmt.Errorf("engine: listen address %q: %w; write host:port, as 127.0.0.1:8080", addr, err)
	}
	ip, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return "", nil, fmt.Errorf("engine: listen address %q: %w", addr, err)
	}
	if ip.Port != 0 && shared {
		return addr, func() {}, nil
	}
	fd, p, err := bound(ip)
	if ip.Port == 0 && err == nil {
		return net.JoinHostPort(host, strconv.Itoa(p)), func() { _ = unix.Close(fd) }, nil
	}
	if ip.Port == 0 || errors.Is(err, unix.EADDRINUSE) {
		return "", nil, fmt.Errorf("engine: listen address %q: %w", addr, err)
	}
	if err == nil { // it is free; not closed, it would shut our listeners out
		_ = unix.Close(fd)
	}
	return addr, func() {}, nil // what else is wrong with it the listeners will tell
}

// bound makes a socket with an address. A port of one's choice must not be anybody's; one of the
// kernel's choice may be shared with the listeners to come.
func bound(a *net.TCPAddr) (fd, port int, err error) {
	family, sa := sockaddr(a)
	if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, 0, os.NewSyscallError("socket", err)
	}
	if port, err = bind(fd, sa, a.Port == 0); err != nil {
		_ = unix.Close(fd) // the bind's error is the one that matters
		return -1, 0, err
	}
	return fd, port, nil
}

func sockaddr(a *net.TCPAddr) (family int, sa unix.Sockaddr) {
	if v4 := a.IP.To4(); v4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(v4)}
	}
	in6 := &unix.SockaddrInet6{Port: a.Port}
	copy(in6.Addr[:], a.IP.To16())
	return unix.AF_INET6, in6
}

// bind fails with EADDRINUSE when somebody listens there, unless both share the port.
func bind(fd int, sa unix.Sockaddr, shared bool) (port int, err error) {
	options := []int{unix.SO_REUSEADDR}
	if shared {
		options = append(options, unix.SO_REUSEPORT)
	}
	for _, opt := range options {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, opt, 1); err != nil {
			return 0, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	return boundPort(fd)
}

func boundPort(fd int) (int, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return a.Port, nil
	case *unix.SockaddrInet6:
		return a.Port, nil
	}
	return 0, fmt.Errorf("engine: a socket of unknown family %T", sa)
}

// StopAccepting makes the kernel drop every new connection request to our listeners.
// gnet has no way to stop accepting, and closing a listener under it ends the engine;
// so a socket filter that lets nothing in is attached to each. A client's SYN is then
// repeated until the next server listens, which is just what a restart wants.
func (e *Engine) StopAccepting() error {
	_, portText, err := net.SplitHostPort(e.server.addr)
	if err != nil {
		return err
	}
	port, _ := strconv.Atoi(portText) // it was resolved
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}} // accept 0 bytes of any packet
	prog := unix.SockFprog{Len: 1, Filter: &nothing[0]}
	for _, entry := range dir {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on != 1 {
			continue
		}
		if p, err := boundPort(fd); err != nil || p != port {
			continue
		}
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

// gnetLog gives gnet's few lines to our log.
type gnetLog struct{ *slog.Logger }

func (g gnetLog) Debugf(format string, args ...any) { g.Debug(fmt.Sprintf("gnet: "+format, args...)) }
func (g gnetLog) Infof(format string, args ...any)  { g.Debug(fmt.Sprintf("gnet: "+format, args...)) }
func (g gnetLog) Warnf(format string, args ...any)  { g.Warn(fmt.Sprintf("gnet: "+format, args...)) }
func (g gnetLog) Errorf(format string, args ...any) { g.Error(fmt.Sprintf("gnet: "+format, args...)) }

// Fatalf is an error like any other to us: gnet returns from Run after it.
func (g gnetLog) Fatalf(format string, args ...any) { g.Error(fmt.Sprintf("gnet: "+format, args...)) }
