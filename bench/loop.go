package bench

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	readLen    = 64 << 10              // bytes of one read
	turnEvents = 1024                  // epoll events of one turn
	wakeSlot   = -1                    // stands for the eventfd among the connections' slots
	jobTick    = 20 * time.Millisecond // a job looks at its deadline at least this often
	reasonsMax = 16                    // different failure reasons that are kept apart
	epollET    = 1 << 31               // unix.EPOLLET is negative on some platforms
)

// clock reads CLOCK_MONOTONIC, which all processes of a host share, at the price of time.Since.
type clock struct {
	base   time.Time
	offset int64
}

func newClock() (clock, error) {
	var ts unix.Timespec
	base := time.Now()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return clock{}, fmt.Errorf("bench: clock: %w", err)
	}
	return clock{base: base, offset: ts.Nano()}, nil
}

func (c *clock) now() int64 { return c.offset + int64(time.Since(c.base)) }

// loop is one epoll loop and its connections. Owner: the goroutine of run; other goroutines use
// only do and stop.
type loop struct {
	target target
	packer *packer
	clock  clock

	epoll, wake int
	conns       []conn
	started     int // slots that were dialled so far
	pending     int // dialled, neither open nor failed
	open        int
	closed      int // failed at any time
	failures    map[string]int
	handshakes  *latency

	key, accept string // Sec-WebSocket-Key of all upgrades of this loop, and its answer
	maskState   uint32
	in          []byte // a message in the making and one read
	out         []byte // requests, pings and echoes
	text        []byte // what goes into out
	control     []byte // answers, which may go out while out is in use
	scan        scanner
	fragments   map[int32][]byte

	received int64 // bytes
	pinged   int64 // pings of the server that were answered
	watch    *watch
	pings    *pingJob

	jobs    chan job
	replies chan *reply
	quit    chan struct{}
	done    chan struct{}
}

// startLoop makes a loop for all connections of t and runs it.
func startLoop(t target) (*loop, error) {
	clock, err := newClock()
	if err != nil {
		return nil, err
	}
	if err := t.resolve(); err != nil {
		return nil, err
	}
	l := &loop{
		target: t, packer: packers[t.Packer], clock: clock,
		conns: make([]conn, t.Conns), failures: make(map[string]int), handshakes: newLatency(),
		in: make([]byte, messageLenMax+headLenMax+readLen), maskState: t.Run | 1,
		jobs: make(chan job, 1), replies: make(chan *reply, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails, crypto/rand
	l.key = base64.StdEncoding.EncodeToString(nonce[:])
	l.accept = acceptKey(l.key)
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("bench: epoll: %w", err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		unix.Close(l.epoll)
		return nil, fmt.Errorf("bench: eventfd: %w", err)
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeSlot}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, l.wake, &e); err != nil {
		unix.Close(l.epoll)
		unix.Close(l.wake)
		return nil, fmt.Errorf("bench: epoll: %w", err)
	}
	go l.run()
	return l, nil
}

// do runs a job on the loop and returns its reply. One caller at a time.
func (l *loop) do(j job, abort <-chan struct{}) (*reply, error) {
	l.jobs <- j
	l.poke()
	select {
	case r := <-l.replies:
		return r, nil
	case <-l.done:
		return nil, errors.New("bench: the loop ended")
	case <-abort:
		return nil, errors.New("bench: interrupted")
	}
}

// stop ends the loop and its connections, and waits until they are gone.
func (l *loop) stop() {
	close(l.quit)
	l.poke()
	<-l.done
	unix.Close(l.wake)
}

func (l *loop) poke() {
	one := binary.NativeEndian.AppendUint64(nil, 1)
	if _, err := unix.Write(l.wake, one); err != nil && !errors.Is(err, unix.EAGAIN) {
		panic(fmt.Sprintf("bench: eventfd: %v", err))
	}
}

// run is the loop: wait, handle, step the job.
func (l *loop) run() {
	runtime.LockOSThread()
	defer close(l.done)
	defer l.closeAll()
	events := make([]unix.EpollEvent, turnEvents)
	var current job
	for {
		wait := -1
		if current != nil {
			wait = int(jobTick / time.Millisecond)
		}
		n, err := unix.EpollWait(l.epoll, events, wait)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(fmt.Sprintf("bench: epoll_wait: %v", err))
		}
		for i := range max(n, 0) {
			if events[i].Fd == wakeSlot {
				l.drainWake()
			} else {
				l.ready(events[i].Fd, events[i].Events)
			}
		}
		select {
		case <-l.quit:
			return
		case current = <-l.jobs:
			current.begin(l)
		default:
		}
		if current != nil && current.step(l, l.clock.now()) {
			l.replies <- current.report(l)
			current = nil
		}
	}
}

func (l *loop) drainWake() {
	var count [8]byte
	unix.Read(l.wake, count[:]) // only EAGAIN can happen, and means that there is nothing to drain
}

// opened counts the handshake of c.
func (l *loop) opened(c *conn) {
	c.state = connOpen
	l.pending--
	l.open++
	l.handshakes.record(l.clock.now() - c.at)
}

// fail closes the connection in slot and counts why.
func (l *loop) fail(slot int32, reason error) {
	c := &l.conns[slot]
	if c.state == connClosed {
		return
	}
	text := reason.Error()
	if _, known := l.failures[text]; !known && len(l.failures) >= reasonsMax {
		text = "other reasons"
	}
	l.failures[text]++
	l.closed++
	if c.state == connOpen {
		l.open--
	} else {
		l.pending--
	}
	if c.cb != 0 && l.pings != nil {
		l.pings.outstanding--
	}
	l.shut(c)
	c.rest, c.cb, c.inMsg = nil, 0, false
	delete(l.fragments, slot)
}

// shut closes the socket with a reset: thousands of sockets in TIME_WAIT would take the ports that
// the next run needs.
func (l *loop) shut(c *conn) {
	c.state = connClosed
	if c.fd < 0 {
		return
	}
	// A socket that refuses the option is closed all the same.
	_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(int(c.fd))
	c.fd = -1
}

// closeAll says goodbye (RFC 6455 §7.1.1, code 1000) and closes everything.
func (l *loop) closeAll() {
	for i := range l.conns[:l.started] {
		c := &l.conns[i]
		if c.state == connOpen {
			l.out = appendFrame(l.out[:0], opClose, l.nextKey(), []byte{0x03, 0xe8})
			sendNow(c.fd, l.out) // best effort: the reset follows anyway
		}
		if c.state != connClosed {
			l.shut(c)
		}
	}
	unix.Close(l.epoll)
}

// nextKey is the next mask key: xorshift32, never zero, so that the server has to unmask.
func (l *loop) nextKey() uint32 {
	x := l.maskState
	x ^= x << 13
	x ^= x >> 17
	x ^= x << 5
	l.maskState = x
	return x
}

// recvNow and sendNow are the plain system calls on sockets that never block, without the
// bookkeeping that Go's scheduler wants of calls that may.

func recvNow(fd int32, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

func sendNow(fd int32, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}
