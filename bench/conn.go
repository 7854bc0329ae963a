package bench

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// connState is where a connection stands:
//
//	connecting -> upgrading -> handshaking -> open -> closed
//	     |            |            |           |  ^      ^
//	     +------------+------------+-----------|--|------+  every failure, counted by its reason
//	                                           v  |
//	                                    leaving -> away     a churning client, which comes back
//
// A polling client skips upgrading; a poster, which only carries POSTs, handshaking as well.
type connState uint8

const (
	connClosed      connState = iota
	connConnecting            // connect(2) is under way
	connUpgrading             // the upgrade request is sent
	connHandshaking           // 101 came (or the poll is sent), Sente's handshake did not yet
	connOpen
	connLeaving // we have said that we go, and read what is still under way
	connAway    // gone for a while; no socket
)

// connKind is what a connection speaks.
type connKind uint8

const (
	kindWS   connKind = iota
	kindPoll          // GETs that hang (ajax.go)
	kindPost          // POSTs of any client that polls
)

// conn is one connection. Small and kept in one slice of the loop: a run has many.
// Owner: loop.
type conn struct {
	at   int64  // ns: when connect(2) began, later when the outstanding question was due
	rest []byte // received bytes that are not a whole frame yet; nil when there are none

	fd     int32
	cb     uint32 // callback of the outstanding question; 0 = none
	udt    uint32 // kindPoll: ms after the loop's base, of the last poll
	client int32  // kindPost: slot of the client for which it asks now
	state  connState
	kind   connKind
	ask    uint8 // place of the outstanding question's asker
	inMsg  bool  // inside a fragmented message; its bytes are in loop.fragments
	again  bool  // kindPoll: has had its handshake, so that a new TCP connection polls at once
	queued bool  // waits in a pool to be asked
}

// dial begins the connection in slot. An error here is a failure of the connection.
func (l *loop) dial(slot int32) {
	l.dialAt(slot, l.clock.now())
}

// dialAt is dial for a connection that should have begun at a time.
func (l *loop) dialAt(slot int32, at int64) {
	c := &l.conns[slot]
	*c = conn{
		fd: -1, at: at, state: connConnecting, kind: c.kind, udt: c.udt, again: c.again,
		queued: c.queued,
	}
	l.pending++
	if err := l.connect(slot, c); err != nil {
		l.fail(slot, err)
	}
}

func (l *loop) connect(slot int32, c *conn) error {
	family, remote := l.target.sockaddr()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w%s", err, advice(err))
	}
	c.fd = int32(fd)
	if source := l.target.source(slot); source != nil {
		// The port is chosen by connect(2), which knows the peer, so that one port serves
		// several destinations; ip(7).
		if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return fmt.Errorf("IP_BIND_ADDRESS_NO_PORT: %w", err)
		}
		if err := unix.Bind(fd, source); err != nil {
			return fmt.Errorf("bind: %w%s", err, advice(err))
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("TCP_NODELAY: %w", err)
	}
	if err := unix.Connect(fd, remote); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect: %w%s", err, advice(err))
	}
	// Edge triggered, both directions at once: a connection costs one epoll_ctl in its life.
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | epollET, Fd: slot}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &e)
}

// ready acts on what epoll says of the connection in slot.
func (l *loop) ready(slot int32, events uint32) {
	c := &l.conns[slot]
	switch c.state {
	case connClosed, connAway:
	case connConnecting:
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			l.connected(slot, c)
		}
	default:
		if events&^unix.EPOLLOUT != 0 {
			l.read(slot, c, events&^(unix.EPOLLIN|unix.EPOLLOUT) != 0)
		}
	}
}

// connected sends the upgrade request, or the first poll.
func (l *loop) connected(slot int32, c *conn) {
	code, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		l.fail(slot, fmt.Errorf("connect: %w%s", err, advice(err)))
		return
	}
	switch c.kind {
	case kindWS:
		c.state = connUpgrading
		l.out = l.target.appendUpgrade(l.out[:0], slot, l.key)
		l.send(slot, c, l.out)
	case kindPoll:
		c.state = connHandshaking
		if c.again {
			l.opened(slot, c)
		}
		l.poll(slot, c)
	case kindPost:
		l.opened(slot, c)
	}
}

// read takes what the socket holds and gives whole frames on. Less than asked for means that the
// socket is empty (epoll(7)), so that the usual case is one call, unless epoll says that the server
// has ended its side: then there is that end to be read.
func (l *loop) read(slot int32, c *conn, ending bool) {
	for c.fd >= 0 {
		have := copy(l.in, c.rest)
		n, errno := recvNow(c.fd, l.in[have:have+readLen])
		switch {
		case errno == unix.EAGAIN:
			return
		case errno == unix.EINTR:
			continue
		case errno != 0 && c.state == connLeaving:
			l.run.churn.absent[slot].why |= causeReset
			l.run.churn.gone(l, slot, c)
			return
		case errno != 0:
			l.fail(slot, fmt.Errorf("read: %w", errno))
			return
		case n == 0:
			l.ended(slot, c)
			return
		}
		l.received += int64(n)
		var left []byte
		if c.kind == kindWS {
			left = l.consume(slot, c, l.in[:have+n])
		} else {
			left = l.answers(slot, c, l.in[:have+n])
		}
		if len(left) == 0 {
			c.rest = nil
		} else {
			c.rest = append(c.rest[:0], left...)
		}
		if n < readLen && !ending {
			return
		}
	}
}

// ended acts on the server's end of the TCP connection in slot.
func (l *loop) ended(slot int32, c *conn) {
	switch {
	case c.state == connLeaving:
		l.run.churn.gone(l, slot, c)
	case c.kind == kindWS:
		l.fail(slot, errors.New("server ended the TCP connection without a close frame"))
	default:
		l.fail(slot, errors.New("server ended the TCP connection before it answered"))
	}
}

// consume handles the whole frames of b and returns what is left.
func (l *loop) consume(slot int32, c *conn, b []byte) []byte {
	if c.state == connUpgrading {
		n, err := parseUpgrade(b, l.accept)
		if errors.Is(err, errShort) {
			return b
		}
		if err != nil {
			l.fail(slot, err)
			return nil
		}
		c.state = connHandshaking
		b = b[n:]
	}
	for len(b) > 0 && c.fd >= 0 {
		f, n, err := parseFrame(b)
		if errors.Is(err, errShort) {
			return b
		}
		if err == nil {
			err = l.frame(slot, c, f)
		}
		if err != nil {
			l.fail(slot, err)
			return nil
		}
		b = b[n:]
	}
	return nil
}

// frame acts on one frame of an upgraded connection.
func (l *loop) frame(slot int32, c *conn, f frame) error {
	switch f.op {
	case opPing:
		l.control = appendFrame(l.control[:0], opPong, l.nextKey(), f.payload)
		l.send(slot, c, l.control)
		return nil
	case opPong:
		return nil
	case opClose:
		if c.state == connLeaving {
			return nil // the answer to ours
		}
		return errors.New(closeText(f.payload))
	case opBinary, opText:
		if f.op != l.codec.opcode() {
			return fmt.Errorf("frame of opcode %d, but the packer's is %d", f.op, l.codec.opcode())
		}
		if c.inMsg {
			return errors.New("new message inside a fragmented one")
		}
		if f.fin {
			return l.message(slot, c, f.payload)
		}
	case opContinuation:
		if !c.inMsg {
			return errors.New("continuation without a start")
		}
	}
	return l.fragment(slot, c, f)
}

// fragment gathers a fragmented message (RFC 6455 §5.4) and hands it on when it is whole.
func (l *loop) fragment(slot int32, c *conn, f frame) error {
	if l.fragments == nil {
		l.fragments = make(map[int32][]byte)
	}
	whole := append(l.fragments[slot], f.payload...)
	if len(whole) > messageLenMax {
		return fmt.Errorf("message is over the limit of %d bytes", messageLenMax)
	}
	c.inMsg = !f.fin
	if !f.fin {
		l.fragments[slot] = whole
		return nil
	}
	delete(l.fragments, slot)
	return l.message(slot, c, whole)
}

// message acts on one message of Sente's protocol.
func (l *loop) message(slot int32, c *conn, payload []byte) error {
	text, err := l.codec.decode(payload)
	if err != nil {
		return err
	}
	kind, cb, err := l.scan.start(l.codec.read, text)
	if err != nil {
		return err
	}
	if (c.state == connHandshaking) != (kind == messageHandshake) {
		return fmt.Errorf("handshake out of place: got %q", clip(text))
	}
	switch kind {
	case messageHandshake:
		l.opened(slot, c)
	case messagePing:
		l.pinged++
		l.control = l.appendMessage(l.control[:0], []byte(l.codec.write.pong))
		l.send(slot, c, l.control)
	case messagePong:
		return l.ponged(slot, c, cb)
	case messageReply:
		return l.echoed(slot, c, cb)
	case messageBatch:
		return l.batch(slot, c)
	}
	return nil
}

// batch reads the events of a message that start has recognised.
func (l *loop) batch(slot int32, c *conn) error {
	now := l.clock.now()
	if l.watch != nil {
		l.watch.tally.Batches++
	}
	if c.state == connLeaving {
		l.run.churn.absent[slot].why |= causeLate
	}
	for {
		var e event
		more, err := l.scan.nextEvent(&e)
		if err != nil || !more {
			return err
		}
		if l.watch != nil {
			if ns := l.watch.see(slot, &e, now); ns >= 0 {
				l.recent.record(ns)
				l.seen++
			}
		}
	}
}

// appendMessage appends the frame of a message, given in the syntax that codec.encode reads.
func (l *loop) appendMessage(dst, text []byte) []byte {
	return appendFrame(dst, l.codec.opcode(), l.nextKey(), l.codec.encode(text))
}

// send writes a small message at once. A server that does not read what little a run sends it is
// at fault, so a full socket is a failure and nothing is ever queued.
func (l *loop) send(slot int32, c *conn, b []byte) {
	if c.state == connLeaving {
		return // after a close frame nothing may follow (RFC 6455 §5.5.1)
	}
	n, errno := sendNow(c.fd, b)
	if errno != 0 {
		l.fail(slot, fmt.Errorf("write: %w", errno))
	} else if n < len(b) {
		l.fail(slot, errors.New("write: the server does not read"))
	}
}
