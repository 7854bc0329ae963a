package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readLen   = 64 << 10
	turnLen   = 512                    // epoll events of one turn
	inputSlot = -1                     // stands for the requests among the slots of connections
	stepMs    = 20                     // a turn while there are connections to open
	stepFor   = 30 * time.Second       // a handshake may take so long
	pauseFor  = 500 * time.Millisecond // before another try
	triesMax  = 10
)

// load is a load process: one epoll loop with its connections and the driver's pipe.
// Owner: the one goroutine of the process.
type load struct {
	target  target
	remote  unix.Sockaddr
	sources []unix.Sockaddr
	epoll   int
	base    time.Time
	offset  int64 // of CLOCK_MONOTONIC at base

	conns   []conn
	dialled int    // slots that were tried at all
	steps   []step // handshakes under way, in the order of their deadlines
	again   []step // connections to be tried again, in the order of their times
	pending int
	stopped bool // nothing is dialled any more

	rest map[int32][]byte // by slot: bytes that are not a whole frame yet
	in   []byte
	out  []byte
	line []byte // of the request under way

	watch
	reply      // the counters
	handshakes latency
	latencies  [streams]latency
}

// step is a try of the connection in a slot, and a time (ns) at which something becomes of it.
type step struct {
	slot int32
	try  uint8
	at   int64
}

// work is a load process: it does what the lines of in ask, until in ends. Its connections end with
// a reset then, so that their ports are free at once.
func work(in, out *os.File) error {
	var ts unix.Timespec
	l := &load{
		base: time.Now(), rest: make(map[int32][]byte), handshakes: newLatency(),
		latencies: [streams]latency{newLatency(), newLatency()},
		in:        make([]byte, readLen+messageMax),
	}
	l.Reasons = make(map[string]int)
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	l.offset = ts.Nano()
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	requests := int(in.Fd())
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: inputSlot}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, requests, &e); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	events := make([]unix.EpollEvent, turnLen)
	for {
		n, err := unix.EpollWait(l.epoll, events, l.wait())
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for i := range max(n, 0) {
			if e := &events[i]; e.Fd != inputSlot {
				l.ready(e.Fd, uint8(e.Pad), e.Events)
			} else if ended, err := l.input(requests, out); ended || err != nil {
				return err
			}
		}
		l.dialMore()
	}
}

func (l *load) now() int64 { return l.offset + int64(time.Since(l.base)) }

func (l *load) wait() (ms int) {
	if l.left() > 0 {
		return stepMs
	}
	return -1
}

// left is how many connections have neither come about nor been given up.
func (l *load) left() int {
	if l.stopped {
		return l.pending
	}
	return len(l.conns) - l.dialled + l.pending + len(l.again)
}

// input reads what there is of requests, and answers those that are whole.
func (l *load) input(fd int, out *os.File) (ended bool, err error) {
	b := make([]byte, readLen)
	n, err := unix.Read(fd, b)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if n <= 0 {
		return true, err
	}
	l.line = append(l.line, b[:n]...)
	for {
		line, rest, whole := bytes.Cut(l.line, []byte("\n"))
		if !whole {
			return false, nil
		}
		answer, err := json.Marshal(l.answer(line))
		if err == nil {
			_, err = out.Write(append(answer, '\n'))
		}
		if err != nil {
			return true, fmt.Errorf("answer: %w", err)
		}
		l.line = append([]byte(nil), rest...)
	}
}

func (l *load) answer(line []byte) *reply {
	var q request
	r := &reply{}
	err := json.Unmarshal(line, &q)
	if err == nil {
		err = l.do(&q, r)
	}
	if err != nil {
		return &reply{Err: err.Error()}
	}
	return r
}

func (l *load) do(q *request, r *reply) error {
	switch q.Op {
	case "connect":
		if l.conns != nil || q.Target == nil {
			return errors.New("connect comes once, with a target")
		}
		if err := l.begin(*q.Target); err != nil {
			return err
		}
	case "stop":
		l.stopped = true
		l.GaveUp += len(l.conns) - l.dialled + len(l.again)
		l.dialled, l.again = len(l.conns), nil
	case "sample", "places", "tally":
	default:
		return fmt.Errorf("unknown op %q", q.Op)
	}
	*r = l.reply
	r.Left, r.Tally, r.LastAt = l.left(), l.watch.tally, l.reply.LastAt
	switch q.Op {
	case "places":
		r.Handshakes = l.handshakes.pairs()
		r.Places = make([]uint16, len(l.conns))
		for i := range l.conns {
			if r.Places[i] = nowhere; l.conns[i].state == open {
				r.Places[i] = l.conns[i].server
			}
		}
	case "tally":
		return l.judge(q, r)
	}
	return nil
}

// judge counts what is missing of what was pushed.
func (l *load) judge(q *request, r *reply) error {
	if len(q.Want) != len(l.conns) {
		return errors.New("tally: one number for each connection")
	}
	for i := range l.conns {
		c := &l.conns[i]
		r.Tally.Lost += l.lost(int32(i), toUser, c.upTo[toUser], q.Want[i])
		if c.opened && int(c.server) < len(q.Casts) {
			r.Tally.Lost += l.lost(int32(i), toAll, c.upTo[toAll], q.Casts[c.server])
		}
	}
	for s := range l.latencies {
		r.Latency[s] = l.latencies[s].pairs()
	}
	return nil
}

// begin makes room for the connections of t. The loop dials them.
func (l *load) begin(t target) error {
	addr, err := netip.ParseAddrPort(t.Address)
	if err != nil || !addr.Addr().Is4() {
		return fmt.Errorf("address %q is not IPv4:port", t.Address)
	}
	l.remote = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	for _, text := range t.Sources {
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() {
			return fmt.Errorf("source %q is not IPv4", text)
		}
		l.sources = append(l.sources, &unix.SockaddrInet4{Addr: a.As4()})
	}
	if len(l.sources) == 0 || t.Conns < 1 || t.Window < 1 {
		return errors.New("a target without sources, connections or window")
	}
	l.target, l.conns = t, make([]conn, t.Conns)
	return nil
}
