package main_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// patience is how much later than recorded a server's step may come.
	patience = 10 * time.Second

	// impatience replaces it once a step did not come: the run has failed already.
	impatience = 300 * time.Millisecond

	// seesClose: a server that closes a connection first is noticed only where the recorded client
	// stayed at least this long, for in less it depends on the machine who is first.
	seesClose = 0.05
)

// player plays one script against one daemon. Its own goroutine sends; one goroutine a connection
// notes what comes back.
type player struct {
	t      testing.TB
	addr   string
	packer string // of the recording
	script []expected
	conns  map[int]*playConn
	diffs  []string

	wait time.Duration

	mu      sync.Mutex // guards got, ended of every connection
	changed chan struct{}
}

func newPlayer(t testing.TB, addr, packer string, script []expected) *player {
	return &player{
		t: t, addr: addr, packer: packer, script: script, wait: patience,
		conns: map[int]*playConn{}, changed: make(chan struct{}, 1),
	}
}

// play runs the script to its end and gives the differences, none if all went as written.
func (p *player) play() []string {
	defer p.closeAll()
	last := p.script[0].at  // of the step before
	acted := p.script[0].at // of the client's step before
	for i := range p.script {
		s := &p.script[i]
		if s.fromClient() {
			p.await(p.script[:i], seconds(last-acted))
			time.Sleep(seconds(s.at - last))
			p.act(s, i)
			acted = s.at
		}
		last = s.at
	}
	p.await(p.script, seconds(last-acted))
	p.awaitEnds()
	p.compare()
	return p.diffs
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// await waits until everything that the server sends in these steps has come; recorded is how
// long that took there.
func (p *player) await(steps []expected, recorded time.Duration) {
	want := map[int]int{}
	for _, s := range steps {
		if !s.fromClient() {
			want[s.conn]++
		}
	}
	if !p.until(p.wait+recorded, func() bool {
		for number, n := range want {
			if c := p.conns[number]; len(c.got) < n && !c.ended {
				return false
			}
		}
		return true
	}) {
		p.wait = impatience
	}
}

// awaitEnds waits until the server has closed every connection.
func (p *player) awaitEnds() {
	p.until(p.wait, func() bool {
		for _, c := range p.conns {
			if !c.ended {
				return false
			}
		}
		return true
	})
}

// until waits for a condition on what was received; false when it did not become true in time.
func (p *player) until(limit time.Duration, ok func() bool) bool {
	timeout := time.After(limit)
	for {
		p.mu.Lock()
		done := ok()
		p.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-p.changed:
		case <-timeout:
			return false
		}
	}
}

// act does one step of the client.
func (p *player) act(s *expected, i int) {
	switch s.step.Kind {
	case "tcp-open":
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			p.t.Fatal(err)
		}
		conn := &playConn{number: s.conn, tcp: c.(*net.TCPConn), player: p}
		p.mu.Lock()
		p.conns[s.conn] = conn
		p.mu.Unlock()
		go conn.read()
	case "tcp-fin":
		p.checkFirst(s, i)
		_ = p.conns[s.conn].tcp.CloseWrite() // the server may have closed first
	default:
		if s.step.Kind == "http" {
			p.mu.Lock()
			c := p.conns[s.conn]
			c.methods = append(c.methods, strings.Fields(s.line)[3]) // > c1 http GET ...
			p.mu.Unlock()
		}
		if _, err := p.conns[s.conn].tcp.Write(s.step.bytes(p.t)); err != nil {
			p.diffs = append(p.diffs, fmt.Sprintf("not sent: %s: %v", s.line, err))
		}
	}
}

// checkFirst notes that the server ended a connection that the recorded one let the client end.
func (p *player) checkFirst(s *expected, i int) {
	var before float64
	for _, e := range p.script[:i] {
		if e.line == finLine(s.conn) {
			return
		}
		if e.conn == s.conn {
			before = e.at
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns[s.conn].ended && s.at-before >= seesClose {
		p.diffs = append(p.diffs, fmt.Sprintf("c%d: the server closed first", s.conn))
	}
}

func finLine(conn int) string { return fmt.Sprintf("< c%d fin", conn) }

// compare checks, connection by connection, what came against what the script says.
func (p *player) compare() {
	p.mu.Lock()
	defer p.mu.Unlock()
	want := map[int][]string{}
	for _, s := range p.script {
		if !s.fromClient() {
			want[s.conn] = append(want[s.conn], s.line)
		}
	}
	for number, c := range p.conns {
		if !slices.EqualFunc(want[number], c.got, matches) {
			p.diffs = append(p.diffs, fmt.Sprintf("c%d: want\n\t%s\ngot\n\t%s", number,
				strings.Join(want[number], "\n\t"), strings.Join(c.got, "\n\t")))
		}
	}
	slices.Sort(p.diffs)
}

func (p *player) closeAll() {
	for _, c := range p.conns {
		_ = c.tcp.Close() // every comparison is done
	}
}
