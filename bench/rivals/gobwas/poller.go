package main

import (
	"log"
	"net"
	"sync"
	"syscall"
)

// poller is one epoll instance of connections that wait for a message.
type poller struct {
	epoll int
	mu    sync.Mutex
	conns map[int32]net.Conn // by descriptor
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &poller{epoll: fd, conns: make(map[int32]net.Conn)}, err
}

// add watches a connection; level triggered, so that what is there already counts.
func (p *poller) add(conn net.Conn) {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		log.Fatal(err)
	}
	err2 := raw.Control(func(fd uintptr) {
		p.mu.Lock()
		p.conns[int32(fd)] = conn
		p.mu.Unlock()
		e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: int32(fd)}
		err = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, int(fd), &e)
	})
	if err != nil || err2 != nil {
		log.Fatal(err, err2)
	}
}

// run reads one message of each connection that has some. A client that sends half a message holds
// up all others: good enough for the load tool, not for the world. The descriptor leaves the epoll
// instance when it is closed.
func (p *poller) run() {
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := syscall.EpollWait(p.epoll, events, -1)
		if err != nil {
			continue // a signal
		}
		for _, e := range events[:n] {
			p.mu.Lock()
			conn := p.conns[e.Fd]
			p.mu.Unlock()
			if conn == nil || readOne(conn) {
				continue
			}
			p.mu.Lock()
			if p.conns[e.Fd] == conn { // else the number is another's by now
				delete(p.conns, e.Fd)
			}
			p.mu.Unlock()
		}
	}
}
