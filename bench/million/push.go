package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// apiPatience bounds each wait for an API socket.
const apiPatience = time.Minute

// line is a connection to the API socket of one chskd. Its answers are counted by a goroutine of
// its own, which owns right and wrong until done is closed.
type line struct {
	conn  *net.UnixConn
	sent  int
	right int    // pushes that went to as many sessions as they should
	wrong string // the first other answer
	done  chan struct{}
}

func answerFor(sessions int) string {
	return fmt.Sprintf(`{"type":"result","ref":1,"status":"ok","sessions":%d}`+"\n", sessions)
}

// openLine opens one to a chskd; every push over it is to go to so many sessions.
func openLine(s *server, sessions int) (*line, error) {
	conn, err := s.dialAPI()
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, done: make(chan struct{})}
	want := answerFor(sessions)
	go func() {
		defer close(l.done)
		r := bufio.NewReader(conn)
		for {
			got, err := r.ReadString('\n')
			if err != nil {
				return // the end, or a deadline: what is missing is seen by the counts
			}
			if got == want {
				l.right++
			} else if l.wrong == "" {
				l.wrong = got
			}
		}
	}()
	return l, nil
}

func (l *line) push(b []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(apiPatience)); err != nil {
		return err
	}
	l.sent++
	_, err := l.conn.Write(b)
	return err
}

// finish says that nothing more comes; the server answers what there was and closes.
func (l *line) finish() (err error) {
	if err = l.conn.CloseWrite(); err == nil {
		err = l.conn.SetReadDeadline(time.Now().Add(apiPatience))
	}
	if err != nil {
		l.conn.Close()
	}
	<-l.done
	l.conn.Close()
	return err
}

// pusher pushes to random users at a rate: an open loop, in which each push has its time. Owner:
// the goroutine of pushAll, and the driver's after it.
type pusher struct {
	run    uint32
	rate   float64
	places []uint16
	lines  []*line
	want   []uint32      // by connection: the pushes that its user was sent
	late   time.Duration // the longest that a push left after its time
	sent   int
	err    error
	done   chan struct{}
}

// start begins to push for so long.
func (p *pusher) start(ctx context.Context, duration time.Duration) {
	p.done = make(chan struct{})
	p.want = make([]uint32, len(p.places))
	go func() {
		defer close(p.done)
		p.err = p.pushAll(ctx, duration)
	}()
}

func (p *pusher) pushAll(ctx context.Context, duration time.Duration) error {
	var b, uid []byte
	rng := rand.New(rand.NewPCG(uint64(p.run), 0))
	start, clock := time.Now(), monotonic()
	for i := range int(p.rate * duration.Seconds()) {
		due := time.Duration(float64(i) / p.rate * float64(time.Second))
		if wait := due - time.Since(start); wait > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
		}
		p.late = max(p.late, time.Since(start)-due)
		to := rng.IntN(len(p.places))
		for p.places[to] == nowhere {
			to = (to + 1) % len(p.places)
		}
		p.want[to]++
		uid = appendUID(uid[:0], p.run, to)
		b = appendPush(b[:0], uid, event{toUser, p.want[to], clock + int64(due)})
		if err := p.lines[p.places[to]].push(b); err != nil {
			return fmt.Errorf("push: %w", err)
		}
		p.sent++
	}
	return nil
}

// monotonic is CLOCK_MONOTONIC, which all processes share, in ns.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(fmt.Sprintf("million: there is no clock: %v", err))
	}
	return ts.Nano()
}
