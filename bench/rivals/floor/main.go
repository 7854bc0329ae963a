// Command floor is the least that a server on this kernel can do: one epoll loop of raw
// system calls that answers an upgrade, a chsk ping, and a client's wish for a broadcast,
// and knows nothing of users, order or loss. What the load tool measures against it is
// the kernel's part of chskd's figures, on the same machine in the same minute.
//
//	(cd bench/rivals/floor && go build -o ../../../bin/floor .) && bin/floor 8090 &
//	bin/chskd bench ping --url ws://127.0.0.1:8090/chsk --pid $!
//
// It answers `bench broadcast` too (without --api-socket).
package main

import (
	"bytes"
	"log"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/wsframe"
)

type server struct {
	epoll, listener int
	upgraded        map[int]bool
	conns           []int
	head            httpmin.Head
	out             []byte
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: floor PORT")
	}
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	s := &server{upgraded: map[int]bool{}}
	if err := s.listen(port); err != nil {
		log.Fatal(err)
	}
	s.run()
}

func (s *server) listen(port int) (err error) {
	s.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err = unix.SetsockoptInt(s.listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	addr := &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	if err = unix.Bind(s.listener, addr); err != nil {
		return err
	}
	if err = unix.Listen(s.listener, 4096); err != nil {
		return err
	}
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	return s.watch(s.listener)
}

func (s *server) watch(fd int) error {
	return unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (s *server) run() {
	events := make([]unix.EpollEvent, 1024)
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(s.epoll, events, -1)
		if err != nil {
			continue // a signal
		}
		for _, e := range events[:n] {
			fd := int(e.Fd)
			if fd == s.listener {
				s.accept()
				continue
			}
			n, err := unix.Read(fd, buf)
			if err != nil || n <= 0 {
				s.close(fd)
				continue
			}
			s.read(fd, buf[:n])
		}
	}
}

func (s *server) accept() {
	fd, _, err := unix.Accept4(s.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return
	}
	if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) != nil || s.watch(fd) != nil {
		_ = unix.Close(fd) // the load tool will say that it was refused
	}
}

func (s *server) close(fd int) {
	_ = unix.Close(fd) // nobody else has it
	delete(s.upgraded, fd)
	for i, c := range s.conns {
		if c == fd {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			return
		}
	}
}

const hello = `[[:chsk/handshake ["floor" nil nil]] nil]`

func (s *server) read(fd int, b []byte) {
	if !s.upgraded[fd] {
		if _, err := httpmin.ParseHead(b, 16<<10, &s.head); err != nil {
			s.close(fd)
			return
		}
		s.out = httpmin.AppendUpgrade(s.out[:0], s.head.WSKey, nil)
		s.out = wsframe.AppendHeader(s.out, wsframe.Text, len(hello))
		s.out = append(s.out, hello...)
		send(fd, s.out)
		s.upgraded[fd] = true
		s.conns = append(s.conns, fd)
		return
	}
	for len(b) > 0 {
		h, n, err := wsframe.ParseHeader(b)
		if err != nil || n+int(h.Len) > len(b) || h.Opcode == wsframe.Close {
			s.close(fd)
			return
		}
		p := b[n : n+int(h.Len)]
		wsframe.Mask(p, h.Key, 0)
		b = b[n+int(h.Len):]
		s.message(fd, p)
	}
}

func (s *server) message(fd int, p []byte) {
	if cb, ok := bytes.CutPrefix(p, []byte("[[:chsk/ws-ping] ")); ok {
		s.out = wsframe.AppendHeader(s.out[:0], wsframe.Text, len(`["pong" `)+len(cb))
		s.out = append(append(s.out, `["pong" `...), cb...)
		send(fd, s.out)
		return
	}
	if data, ok := bytes.CutPrefix(p, []byte("[[:bench/push ")); ok {
		const before, after = "[[[:bench/n ", "]] nil]"
		data = bytes.TrimSuffix(data, []byte("] nil]"))
		s.out = wsframe.AppendHeader(s.out[:0], wsframe.Text, len(before)+len(data)+len(after))
		s.out = append(append(append(s.out, before...), data...), after...)
		for _, c := range s.conns {
			send(c, s.out)
		}
	}
}

// send is the system call that chskd makes, its result thrown away.
func send(fd int, b []byte) {
	_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
}
