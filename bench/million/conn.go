package main

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/wsframe"
)

// state is where a connection stands:
//
//	idle -> connecting -> upgrading -> open -> shut
//	 ^          |            |
//	 +----------+------------+   tried again, triesMax times
type state uint8

const (
	idle       state = iota
	connecting       // connect(2) is under way
	upgrading        // the request is sent; 101 and the handshake come together or not
	open
	shut
)

// conn is one connection. Owner: load.
type conn struct {
	began  int64 // ns: of this try
	fd     int32
	upTo   [streams]uint32 // the highest number of each stream that came
	server uint16          // the chskd that has it, known from its handshake
	state  state
	try    uint8
	agreed bool // 101 came
	opened bool // it was open at some time
}

const (
	messageMax = 64 << 10
	headEnd    = "\r\n\r\n"
	key        = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455 §1.3: no proxy is in between
	// what belongs to the key
	accepted = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// mask is the masking key of all our frames: the server has to unmask, and nobody guesses here.
var mask = [4]byte{0x5b, 0xd1, 0xe9, 0x95}

// dialMore keeps as many handshakes under way as the window allows, and gives up those that take
// too long.
func (l *load) dialMore() {
	now := l.now()
	for len(l.steps) > 0 {
		s := l.steps[0]
		c := &l.conns[s.slot]
		waits := c.try == s.try && (c.state == connecting || c.state == upgrading)
		if waits && now < s.at {
			break
		}
		l.steps = l.steps[1:]
		if waits {
			l.fail(s.slot, errors.New("handshake: no answer in time"))
		}
	}
	for l.pending < l.target.Window {
		switch {
		case len(l.again) > 0 && l.again[0].at <= now:
			slot := l.again[0].slot
			l.again = l.again[1:]
			l.dial(slot, now)
		case l.dialled < len(l.conns):
			l.dialled++
			l.dial(int32(l.dialled-1), now)
		default:
			return
		}
	}
}

// dial begins a try of the connection in slot.
func (l *load) dial(slot int32, now int64) {
	c := &l.conns[slot]
	*c = conn{fd: -1, began: now, state: connecting, try: c.try + 1}
	l.pending++
	l.steps = append(l.steps, step{slot, c.try, now + int64(stepFor)})
	if err := l.connect(slot, c); err != nil {
		l.fail(slot, err)
	}
}

func (l *load) connect(slot int32, c *conn) error {
	const kind = unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	fd, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	c.fd = int32(fd)
	// The port is chosen by connect(2), which knows the peer; ip(7).
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return fmt.Errorf("IP_BIND_ADDRESS_NO_PORT: %w", err)
	}
	number := l.target.First + int(slot)
	if err := unix.Bind(fd, l.sources[number%len(l.sources)]); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("TCP_NODELAY: %w", err)
	}
	// However this process ends, its connections end with a reset, and leave no TIME-WAIT behind.
	linger := unix.Linger{Onoff: 1}
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		return fmt.Errorf("SO_LINGER: %w", err)
	}
	if err := unix.Connect(fd, l.remote); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	e := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | epollET, Fd: slot, Pad: int32(c.try),
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &e)
}

const epollET = 1 << 31 // unix.EPOLLET is negative on some platforms

// ready acts on what epoll says of a try of the connection in slot.
func (l *load) ready(slot int32, try uint8, events uint32) {
	c := &l.conns[slot]
	if c.try != try || c.fd < 0 {
		return // of a socket that was closed in this turn
	}
	if c.state == connecting {
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			l.connected(slot, c)
		}
		return
	}
	if events&^unix.EPOLLOUT != 0 {
		l.read(slot, c, events&^(unix.EPOLLIN|unix.EPOLLOUT) != 0)
	}
}

// connected sends the upgrade request (RFC 6455 §4.1, with Sente's parameter).
func (l *load) connected(slot int32, c *conn) {
	code, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		l.fail(slot, fmt.Errorf("connect: %w", err))
		return
	}
	c.state = upgrading
	l.out = append(l.out[:0], "GET /chsk?client-id="...)
	l.out = appendUID(l.out, l.target.Run, l.target.First+int(slot))
	l.out = append(append(l.out, " HTTP/1.1\r\nHost: "...), l.target.Address...)
	l.out = append(l.out, "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+key+headEnd...)
	l.send(slot, c, l.out)
}

// read takes what the socket holds. Less than asked for means that it is empty (epoll(7)), unless
// the server has ended its side.
func (l *load) read(slot int32, c *conn, ending bool) {
	for c.fd >= 0 {
		have := copy(l.in, l.rest[slot])
		n, _, err := unix.Recvfrom(int(c.fd), l.in[have:have+readLen], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			l.fail(slot, fmt.Errorf("read: %w", err))
			return
		case n == 0:
			l.fail(slot, errors.New("the server ended the TCP connection"))
			return
		}
		left, err := l.consume(slot, c, l.in[:have+n])
		if err == nil && len(left) >= messageMax {
			err = errors.New("a message over the limit")
		}
		if err != nil {
			l.fail(slot, err)
			return
		}
		if len(left) > 0 {
			l.rest[slot] = append([]byte(nil), left...)
		} else if have > 0 {
			delete(l.rest, slot)
		}
		if n < readLen && !ending {
			return
		}
	}
}

// consume handles the whole frames of b and returns what is left.
func (l *load) consume(slot int32, c *conn, b []byte) (left []byte, err error) {
	if !c.agreed {
		head, rest, whole := bytes.Cut(b, []byte(headEnd))
		if !whole {
			return b, nil
		}
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		if !bytes.HasPrefix(line, []byte("HTTP/1.1 101")) || !bytes.Contains(head, []byte(accepted)) {
			return nil, fmt.Errorf("upgrade refused: %q", clip(line))
		}
		c.agreed, b = true, rest
	}
	for len(b) > 0 && c.fd >= 0 {
		h, n, err := wsframe.ParseHeader(b)
		if errors.Is(err, wsframe.ErrShort) || err == nil && uint64(len(b)-n) < h.Len {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if err := l.frame(slot, c, h, b[n:n+int(h.Len)]); err != nil {
			return nil, err
		}
		b = b[n+int(h.Len):]
	}
	return nil, nil
}

// frame acts on one frame; chskd sends a message in one (RFC 6455 §5.2).
func (l *load) frame(slot int32, c *conn, h wsframe.Header, payload []byte) error {
	switch {
	case h.Masked || h.RSV != 0 || !h.Fin:
		return errors.New("a frame as chskd sends none")
	case h.Opcode == wsframe.Ping:
		l.sendFrame(slot, c, wsframe.Pong, payload)
		return nil
	case h.Opcode == wsframe.Pong:
		return nil
	case h.Opcode == wsframe.Close:
		code, reason, err := wsframe.ParseClose(payload)
		if err != nil {
			return err
		}
		return fmt.Errorf("the server closed: %d %q", code, clip(reason))
	case h.Opcode != wsframe.Text:
		return errors.New("a binary message")
	case c.state == upgrading:
		return l.welcome(c, payload)
	case string(payload) == serverPing:
		l.Pings++
		l.sendFrame(slot, c, wsframe.Text, []byte(clientPong))
		return nil
	}
	now := l.now()
	return eachEvent(payload, func(e event) {
		l.see(slot, &c.upTo[e.stream], e)
		l.latencies[e.stream].record(now - e.at)
		l.LastAt[e.stream] = now
	})
}

// welcome reads Sente's handshake, with which a connection is open.
func (l *load) welcome(c *conn, message []byte) (err error) {
	if c.server, err = serverOf(message); err != nil {
		return err
	}
	c.state, c.opened = open, true
	l.pending--
	l.Open++
	l.handshakes.record(l.now() - c.began)
	return nil
}

func (l *load) sendFrame(slot int32, c *conn, op wsframe.Opcode, payload []byte) {
	l.out = wsframe.AppendClientHeader(l.out[:0], true, op, mask, len(payload))
	from := len(l.out)
	l.out = append(l.out, payload...)
	wsframe.Mask(l.out[from:], mask, 0)
	l.send(slot, c, l.out)
}

// send writes a small message at once: a socket that is full of those is the server's fault.
func (l *load) send(slot int32, c *conn, b []byte) {
	n, err := unix.SendmsgN(int(c.fd), b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err == nil && n < len(b) {
		err = errors.New("the server does not read")
	}
	if err != nil {
		l.fail(slot, fmt.Errorf("write: %w", err))
	}
}

// reasonsMax bounds the reasons that are told apart.
const reasonsMax = 20

// fail ends the connection in slot. One that was not open yet is tried again.
func (l *load) fail(slot int32, why error) {
	c := &l.conns[slot]
	if c.fd < 0 && c.state != connecting {
		return // it has ended already, in the midst of what was read
	}
	if c.fd >= 0 {
		unix.Close(int(c.fd))
		c.fd = -1
	}
	delete(l.rest, slot)
	text := why.Error()
	if c.state == open {
		c.state = shut
		l.Open--
		l.Closed++
		text = "when open: " + text
	} else {
		c.state = idle
		l.pending--
		if c.try < triesMax && !l.stopped {
			l.Retries++
			l.again = append(l.again, step{slot, c.try, l.now() + int64(pauseFor)})
		} else {
			l.GaveUp++
		}
	}
	if _, known := l.Reasons[text]; !known && len(l.Reasons) == reasonsMax {
		text = "other"
	}
	l.Reasons[text]++
}
