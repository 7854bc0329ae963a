package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	startIn   = 2 * time.Minute // all chskd listen
	settleFor = 2 * time.Second
	arriveIn  = 3 * time.Minute // what was pushed has come
)

// phases is the run between start and stop.
func (r *runner) phases(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the pusher
	for _, phase := range []func(context.Context) error{
		r.startServers, r.startWorkers, r.connect, r.findPlaces, r.rest, r.push, r.broadcast, r.count,
	} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startServers starts the first chskd, which chooses the port, and then the others on it.
func (r *runner) startServers(ctx context.Context) error {
	listen := "127.0.0.1:0"
	for n := range r.p.servers {
		s, err := startServer(r.o, r.p, r.dir, n, listen)
		if err != nil {
			return err
		}
		r.servers = append(r.servers, s)
		if n > 0 {
			continue
		}
		if err := r.awaitServers(ctx); err != nil {
			return err
		}
		listen = s.addr
	}
	r.tell("%d chskd on %s", r.p.servers, listen)
	return r.awaitServers(ctx)
}

func (r *runner) awaitServers(ctx context.Context) error {
	end := time.Now().Add(startIn)
	for _, s := range r.servers {
		for s.addr == "" {
			if addr, ok := s.listening(); ok {
				s.addr = addr
				break
			}
			if err := s.alive(); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return errors.New("interrupted")
			case <-time.After(10 * time.Millisecond):
			}
			if time.Now().After(end) {
				return fmt.Errorf("%s does not say that it listens%s", s.name, s.lastWords())
			}
		}
	}
	return nil
}

func (r *runner) startWorkers(context.Context) error {
	first := 0
	for n, share := range r.p.shares {
		w, err := startWorker(r.dir, n)
		if err != nil {
			return err
		}
		w.first, w.conns = first, share
		first += share
		r.workers = append(r.workers, w)
	}
	return nil
}

// connect opens all connections, or as many as the time allows.
func (r *runner) connect(ctx context.Context) (err error) {
	if _, err := r.look(ctx, "starting"); err != nil {
		return err
	}
	if err := pause(ctx, settleFor); err != nil {
		return err
	}
	if r.report.Memory.Base, err = r.snapshot(); err != nil {
		return err
	}
	c := &r.report.Connect
	err = r.stage("connect", func() error {
		began := time.Now()
		window := max(r.o.window/len(r.workers), 1)
		if _, err := askAll(r.workers, func(w *worker) *request {
			return &request{Op: "connect", Target: &target{
				Address: r.servers[0].addr, Sources: r.p.sources, Run: r.id, First: w.first,
				Conns: w.conns, Window: window,
			}}
		}); err != nil {
			return err
		}
		for {
			s, err := r.look(ctx, "connecting")
			if err != nil {
				return err
			}
			if took := time.Since(began); s.Left == 0 {
				c.Seconds, c.Rate = took.Seconds(), float64(s.Open)/took.Seconds()
				return nil
			} else if took > r.o.connectFor && !c.OutOfTime {
				c.OutOfTime = true
				r.tell("connecting takes longer than %v: on with what is open", r.o.connectFor)
				_, err := askAll(r.workers, func(*worker) *request { return &request{Op: "stop"} })
				if err != nil {
					return err
				}
			}
		}
	})
	if err != nil {
		return err
	}
	c.Open, c.Retries, c.GaveUp, c.Reasons = r.last.Open, r.last.Retries, r.last.GaveUp, r.last.Reasons
	r.report.Conns = c.Open
	switch {
	case c.Open == 0:
		return fmt.Errorf("no connection came about: %v", c.Reasons)
	case c.Open < r.o.conns && r.o.exact:
		return fmt.Errorf("only %s of %s connections came about: %v", count(c.Open), count(r.o.conns),
			c.Reasons)
	}
	return nil
}

// findPlaces asks which connection is where.
func (r *runner) findPlaces(context.Context) error {
	replies, err := askAll(r.workers, func(*worker) *request { return &request{Op: "places"} })
	if err != nil {
		return err
	}
	p := &pusher{run: r.id, rate: r.o.rate, lines: make([]*line, len(r.servers))}
	handshakes, each := newLatency(), make([]int, len(r.servers))
	for _, one := range replies {
		p.places = append(p.places, one.Places...)
		handshakes.addPairs(one.Handshakes)
	}
	for _, at := range p.places {
		if at != nowhere {
			if int(at) >= len(each) {
				return fmt.Errorf("a connection is at chskd %d, which there is not", at)
			}
			each[at]++
		}
	}
	c := &r.report.Connect
	c.Handshakes, c.Each = handshakes.quantiles(), each
	r.pusher = p
	p.done = make(chan struct{})
	close(p.done) // it has not begun
	return nil
}

// rest is half of the hold, in which nothing happens but keep-alive.
func (r *runner) rest(ctx context.Context) (err error) {
	if err := pause(ctx, settleFor); err != nil {
		return err
	}
	half := r.o.hold / 2
	pings := r.last.Pings
	err = r.stage("keep-alive only", func() error { return r.during(ctx, half, "holding") })
	if err != nil {
		return err
	}
	r.report.Hold.Pings = r.last.Pings - pings
	r.report.Memory.Idle, err = r.snapshot()
	return err
}

// during looks on for so long.
func (r *runner) during(ctx context.Context, d time.Duration, doing string) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if _, err := r.look(ctx, doing); err != nil {
			return err
		}
	}
	return nil
}

// push is the other half, with pushes to random users.
func (r *runner) push(ctx context.Context) error {
	for n, s := range r.servers {
		l, err := openLine(s, 1)
		if err != nil {
			return err
		}
		r.lines = append(r.lines, l)
		r.pusher.lines[n] = l
	}
	half := r.o.hold - r.o.hold/2
	err := r.stage("keep-alive and pushes", func() error {
		r.pusher.start(ctx, half)
		return r.during(ctx, half, "pushing")
	})
	if err != nil {
		return err
	}
	select {
	case <-r.pusher.done:
	case <-time.After(arriveIn):
		return errors.New("the pushes are not done when their time is long over")
	}
	if r.pusher.err != nil {
		return r.pusher.err
	}
	b := &r.report.Push
	b.Sent, b.Rate, b.LateUs = r.pusher.sent, r.o.rate, r.pusher.late.Microseconds()
	for _, l := range r.lines {
		if err := l.finish(); err != nil {
			return err
		}
		b.Answered += l.right
		if l.wrong != "" && b.Wrong == "" {
			b.Wrong = l.wrong
		}
	}
	r.lines = nil
	return r.arrived(ctx, toUser, int64(b.Sent), "waiting for pushes")
}

// arrived waits until so many events have come; the counts tell whether they have.
func (r *runner) arrived(ctx context.Context, s stream, want int64, doing string) error {
	for end := time.Now().Add(arriveIn); time.Now().Before(end); {
		now, err := r.look(ctx, doing)
		if err != nil || now.Tally.Events[s] >= want {
			return err
		}
	}
	return nil
}

// broadcast pushes one event to all users of every chskd.
func (r *runner) broadcast(ctx context.Context) error {
	b := &r.report.Broadcast
	for n, s := range r.servers {
		l, err := openLine(s, r.report.Connect.Each[n])
		if err != nil {
			return err
		}
		r.lines = append(r.lines, l)
	}
	b.Expected = r.last.Open
	return r.stage("broadcast", func() error {
		start := monotonic()
		text := appendPush(nil, nil, event{toAll, 1, start})
		for _, l := range r.lines {
			if err := l.push(text); err != nil {
				return fmt.Errorf("broadcast: %w", err)
			}
		}
		for _, l := range r.lines {
			if err := l.finish(); err != nil {
				return err
			}
			b.Answered += l.right
			if l.wrong != "" && b.Wrong == "" {
				b.Wrong = l.wrong
			}
		}
		r.lines = nil
		b.AnsweredUs = (monotonic() - start) / 1000
		if err := r.arrived(ctx, toAll, int64(b.Expected), "broadcasting"); err != nil {
			return err
		}
		b.Seconds = float64(r.last.LastAt[toAll]-start) / 1e9
		return nil
	})
}

// count asks what has come and what is missing.
func (r *runner) count(context.Context) (err error) {
	if r.report.Memory.End, err = r.snapshot(); err != nil {
		return err
	}
	casts := make([]uint32, len(r.servers))
	for i := range casts {
		casts[i] = 1
	}
	replies, err := askAll(r.workers, func(w *worker) *request {
		return &request{Op: "tally", Want: r.pusher.want[w.first : w.first+w.conns], Casts: casts}
	})
	if err != nil {
		return err
	}
	all := sum(replies)
	var l [streams]latency
	for s := range l {
		l[s] = newLatency()
		for _, one := range replies {
			l[s].addPairs(one.Latency[s])
		}
	}
	b := r.report
	b.Tally, b.Hold.Closed, b.Hold.Reasons = all.Tally, all.Closed, all.Reasons
	b.Push.Latency, b.Broadcast.Latency = l[toUser].quantiles(), l[toAll].quantiles()
	b.Memory.TCPPeak, b.Memory.LowestAvailable = r.tcpMemory, r.lowest
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.New("interrupted")
	case <-time.After(d):
		return nil
	}
}
