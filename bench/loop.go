package bench

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	readLen    = 64 << 10              // bytes of one read
	turnEvents = 1024                  // epoll events of one turn
	wakeSlot   = -1                    // stands for the eventfd among the connections' slots
	timerSlot  = -2                    // and this for the timer
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

// loop is one epoll loop and its connections. Owner: the goroutine of serve; other goroutines use
// only do and stop.
type loop struct {
	target target
	codec  *codec
	clock  clock
	base   int64 // ms of the wall clock, which udt counts from

	epoll, wake int
	timer       int    // timerfd: ends a wait when the next question is due
	armed       int64  // ns: what the timer is set to
	wakeAt      int64  // ns: when the job wants its next step
	conns       []conn // the clients, and behind them the posters
	clients     int
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
	body        []byte // of a POST
	postUDT     int64  // ms of the wall clock: of the last POST
	scan        scanner
	fragments   map[int32][]byte

	received  int64 // bytes
	pinged    int64 // pings of the server that were answered
	polled    int64 // answers to polls
	forgotten int64 // polls that were answered with a handshake
	seen      int64 // events of the run
	answered  int64 // questions of all kinds
	watch     *watch
	run       *runJob

	recent   *latency // what was recorded since the last sample
	sampleAt int64

	told    atomic.Bool // the driver has ended the job
	jobs    chan job
	replies chan *reply
	samples chan sample // one is left out when nobody takes it
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
	codec, err := newCodec(t.Packer)
	if err != nil {
		return nil, err
	}
	l := &loop{
		target: t, codec: codec, clock: clock, base: time.Now().UnixMilli(),
		conns: make([]conn, t.Conns+t.Posters), clients: t.Conns,
		failures: make(map[string]int), handshakes: newLatency(), recent: newLatency(),
		in: make([]byte, messageLenMax+headLenMax+readLen), maskState: t.Run | 1,
		jobs: make(chan job, 1), replies: make(chan *reply, 1), samples: make(chan sample, 4),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails, crypto/rand
	l.key = base64.StdEncoding.EncodeToString(nonce[:])
	l.accept = acceptKey(l.key)
	for i := range l.conns {
		l.conns[i].kind = t.kind(i)
	}
	if err := l.openFiles(); err != nil {
		return nil, err
	}
	go l.serve()
	return l, nil
}

// openFiles makes what the loop waits with.
func (l *loop) openFiles() (err error) {
	l.epoll, l.wake, l.timer = -1, -1, -1
	defer func() {
		if err != nil {
			err = fmt.Errorf("bench: epoll: %w", err)
			l.closeFiles()
			unix.Close(l.wake)
		}
	}()
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return err
	}
	l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	for fd, slot := range map[int]int32{l.wake: wakeSlot, l.timer: timerSlot} {
		e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: slot}
		if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) closeFiles() {
	unix.Close(l.epoll)
	unix.Close(l.timer)
}

// do runs a job on the loop, tells how it goes on, and returns its reply. One caller at a time.
func (l *loop) do(j job, w *worker) (*reply, error) {
	l.told.Store(false)
	l.jobs <- j
	l.poke()
	for {
		select {
		case s := <-l.samples:
			if err := w.tell(s); err != nil {
				return nil, err
			}
		case <-w.requests: // only an end may come before the reply
			l.told.Store(true)
			l.poke()
		case r := <-l.replies:
			return r, nil
		case <-l.done:
			return nil, errors.New("bench: the loop ended")
		case <-w.ended:
			return nil, errors.New("bench: interrupted")
		}
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

// serve is the loop: wait, handle, step the job.
func (l *loop) serve() {
	runtime.LockOSThread()
	defer close(l.done)
	defer l.closeAll()
	events := make([]unix.EpollEvent, turnEvents)
	var current job
	for {
		select {
		case <-l.quit: // also when the wake that told of it brought a job, which is done already
			return
		default:
		}
		wait := -1
		if current != nil {
			wait = int(jobTick / time.Millisecond)
		}
		n, err := unix.EpollWait(l.epoll, events, wait)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(fmt.Sprintf("bench: epoll_wait: %v", err))
		}
		for i := range max(n, 0) {
			switch slot := events[i].Fd; slot {
			case wakeSlot:
				drain(l.wake)
			case timerSlot:
				drain(l.timer)
				l.armed = 0
			default:
				l.ready(slot, events[i].Events)
			}
		}
		select {
		case current = <-l.jobs:
			current.begin(l)
			l.sampleAt = l.clock.now()
		default:
		}
		if current == nil {
			continue
		}
		now := l.clock.now()
		l.wakeAt = 0
		if current.step(l, now) {
			l.replies <- current.report(l)
			current = nil
			continue
		}
		l.arm()
		l.sample(now)
	}
}

// wakeBy asks for a step of the job at a time (ns).
func (l *loop) wakeBy(at int64) {
	if l.wakeAt == 0 || at < l.wakeAt {
		l.wakeAt = at
	}
}

// arm sets the timer to when the job wants its step: to the ns, as waits of epoll are in ms.
func (l *loop) arm() {
	if l.wakeAt == 0 || l.wakeAt == l.armed {
		return
	}
	l.armed = l.wakeAt
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(l.wakeAt)}
	if err := unix.TimerfdSettime(l.timer, unix.TFD_TIMER_ABSTIME, &at, nil); err != nil {
		panic(fmt.Sprintf("bench: timerfd: %v", err))
	}
}

func drain(fd int) {
	var count [8]byte
	unix.Read(fd, count[:]) // only EAGAIN can happen, and means that there is nothing to drain
}

// opened counts the handshake of the connection in slot. Posters have none and are not counted.
func (l *loop) opened(slot int32, c *conn) {
	c.state = connOpen
	l.pending--
	if c.kind == kindPost {
		l.run.posters.put(l, slot)
		return
	}
	l.open++
	c.again = true
	now := l.clock.now()
	l.handshakes.record(now - c.at)
	if l.run != nil {
		l.run.returned(l, slot, c, now)
	}
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
	switch c.state {
	case connOpen:
		if c.kind != kindPost {
			l.open--
		}
	case connConnecting, connUpgrading, connHandshaking:
		l.pending--
	}
	if l.run != nil {
		l.run.failed(slot, c)
	}
	l.shut(c)
	l.forget(slot, c)
}

// forget drops what a connection that has no socket any more had under way.
func (l *loop) forget(slot int32, c *conn) {
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
	for i := range l.conns {
		c := &l.conns[i]
		if c.state == connOpen && c.kind == kindWS {
			l.out = appendFrame(l.out[:0], opClose, l.nextKey(), []byte{0x03, 0xe8})
			sendNow(c.fd, l.out) // best effort: the reset follows anyway
		}
		if c.state != connClosed {
			l.shut(c)
		}
	}
	l.closeFiles()
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
