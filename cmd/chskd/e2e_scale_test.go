package main_test

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	crowdSockets = 5000
	crowdPolls   = 1000
	pollsAtOnce  = 50 // so that a poll follows its handshake before that is forgotten
	greeting     = "[[:chsk/handshake ["
)

// TestCrowd: thousands of clients at once, on both transports. All of them are counted, one
// broadcast reaches each of them once, and when they have left, nothing of them is left.
func TestCrowd(t *testing.T) {
	needFiles(t, crowdSockets+crowdPolls)
	d := startDaemon(t, "--lp-timeout-ms", "59000", "--ws-kalive-ms", "240000",
		"--session-keep-ms", "200", "--ms-allow-reconnect-before-close-ws", "200",
		"--ms-allow-reconnect-before-close-ajax", "2000")
	b := &backend{t, d}
	before := counter(t, d, "buffers_now")
	presence := followPresence(t, d)

	c := newCrowd(t, d)
	for i := range crowdSockets {
		c.join(rawUpgrade("/chsk?client-id=ws" + strconv.Itoa(i)))
	}
	c.await(c.members, greeting)
	for i := 0; i < crowdPolls; i += pollsAtOnce {
		c.joinPolls(i)
	}
	presentIs(t, d, crowdSockets+crowdPolls, crowdSockets, crowdPolls)
	b.awaitCounter("polls_now", crowdPolls)

	const toAll, toSockets = "[[[:e2e/to-all 1]] nil]", "[[[:e2e/to-all 2]] nil]"
	b.push(push{All: true, EDN: "[:e2e/to-all 1]"})
	c.await(c.members, toAll)
	b.push(push{All: true, EDN: "[:e2e/to-all 2]"}) // the polls are answered and do not come again
	c.await(c.members[:crowdSockets], toSockets)
	c.wantOnce(toAll)

	c.leave()
	presentIs(t, d, 0, 0, 0)
	presence.wantAll(crowdSockets + crowdPolls)
	waitFor(t, func() error { return differ("sessions", b.stats(), stats{}) })
	b.awaitCounter("conns_now", 0)
	b.awaitCounter("buffers_now", before)
	if got := counter(t, d, "panics"); got != 0 {
		t.Errorf("%d panics\n%s", got, d.Stderr())
	}
}

// crowd is many connections that one goroutine looks after.
type crowd struct {
	t       *testing.T
	addr    *unix.SockaddrInet4
	poller  int
	members []*member
	byFD    map[int]*member
}

// member is one connection and what came on it.
type member struct {
	fd  int
	got []byte
}

func newCrowd(t *testing.T, d *daemon) *crowd {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp4", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{
		t: t, poller: poller, byFD: map[int]*member{},
		addr: &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())},
	}
	t.Cleanup(func() {
		c.leave()
		_ = unix.Close(poller) // nothing is left to be done with it
	})
	return c
}

// join connects and sends a request.
func (c *crowd) join(request string) {
	c.t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	m := &member{fd: fd}
	c.members = append(c.members, m)
	c.byFD[fd] = m
	if err := unix.Connect(fd, c.addr); err != nil {
		c.t.Fatalf("connection %d: %v", len(c.members), err)
	}
	m.send(c.t, request)
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	if err := unix.EpollCtl(c.poller, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		c.t.Fatal(err)
	}
}

// joinPolls makes clients from the first on whose polls hang.
func (c *crowd) joinPolls(first int) {
	c.t.Helper()
	target := func(i int) string { return fmt.Sprintf("/chsk?client-id=poll%d&udt=", first+i) }
	for i := range pollsAtOnce {
		c.join(rawGet(target(i) + "1&handshake%3F=1"))
	}
	members := c.members[len(c.members)-pollsAtOnce:]
	c.await(members, greeting)
	for i, m := range members {
		m.send(c.t, rawGet(target(i)+"2"))
	}
}

func (m *member) send(t *testing.T, request string) {
	t.Helper()
	if n, err := unix.Write(m.fd, []byte(request)); n != len(request) || err != nil {
		t.Fatalf("%d of %d bytes were written: %v", n, len(request), err)
	}
}

// await reads until each of these members has got the text.
func (c *crowd) await(members []*member, text string) {
	c.t.Helper()
	deadline := time.Now().Add(comesTrue)
	for {
		left := 0
		for _, m := range members {
			if !bytes.Contains(m.got, []byte(text)) {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d of %d have not got %s", left, len(members), text)
		}
		c.read()
	}
}

// read waits for something to come, and reads what is there.
func (c *crowd) read() {
	c.t.Helper()
	events := make([]unix.EpollEvent, 1024)
	wait := 1000 // milliseconds; then somebody looks at the clock
	for {
		n, err := unix.EpollWait(c.poller, events, wait)
		if err != nil && err != unix.EINTR {
			c.t.Fatal(err)
		}
		for _, e := range events[:max(n, 0)] {
			c.readOne(c.byFD[int(e.Fd)])
		}
		if n <= 0 {
			return
		}
		wait = 0
	}
}

func (c *crowd) readOne(m *member) {
	c.t.Helper()
	var b [16 << 10]byte
	n, err := unix.Read(m.fd, b[:])
	if n <= 0 || err != nil {
		c.t.Fatalf("a connection ended: %v, after %q", err, m.got)
	}
	m.got = append(m.got, b[:n]...)
}

// wantOnce: nobody has got the text twice.
func (c *crowd) wantOnce(text string) {
	c.t.Helper()
	for _, m := range c.members {
		if n := bytes.Count(m.got, []byte(text)); n != 1 {
			c.t.Fatalf("a client got %s %d times: %q", text, n, m.got)
		}
	}
}

// leave resets all connections: so many that wait for their time to be over would be in the way of
// what comes next on this machine.
func (c *crowd) leave() {
	for fd := range c.byFD {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		_ = unix.Close(fd) // what was wrong with it shows in what the daemon counts
	}
	clear(c.byFD)
	c.members = nil
}

// presenceCount counts what a backend is told of users who come and go.
type presenceCount struct {
	t      *testing.T
	counts chan string // the result, or what was wrong
}

// followPresence follows until as many users have gone as have come, and none is left.
func followPresence(t *testing.T, d *daemon) *presenceCount {
	t.Helper()
	s := openStream(t, d, true)
	p := &presenceCount{t, make(chan string, 1)}
	go func() {
		opens, closes := 0, 0
		there := map[string]bool{}
		for opens < crowdSockets+crowdPolls || len(there) > 0 {
			var l streamLine
			if err := s.lines.Decode(&l); err != nil {
				p.counts <- err.Error()
				return
			}
			open := l.Type == "open"
			if l.UID == nil || there[*l.UID] == open {
				p.counts <- fmt.Sprintf("told %s while there was %v", &l, there[*l.UID])
				return
			}
			if open {
				opens, there[*l.UID] = opens+1, true
			} else {
				closes++
				delete(there, *l.UID)
			}
		}
		p.counts <- fmt.Sprintf("%d came, %d went", opens, closes)
	}()
	return p
}

// wantAll waits until so many have come and gone.
func (p *presenceCount) wantAll(n int) {
	p.t.Helper()
	want := fmt.Sprintf("%d came, %d went", n, n)
	select {
	case got := <-p.counts:
		if got != want {
			p.t.Errorf("presence: %s; want %s", strings.TrimSpace(got), want)
		}
	case <-time.After(comesTrue):
		p.t.Error("presence: not all were told")
	}
}
