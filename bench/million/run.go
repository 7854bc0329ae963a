package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// runner is a run and what it has started. Owner: the driver's goroutine.
type runner struct {
	o       *options
	m       *machine
	p       *plan
	log     io.Writer
	dir     string // of sockets and logs; gone at the end
	id      uint32
	servers []*server
	workers []*worker
	lines   []*line
	pusher  *pusher
	report  *report

	began     time.Time
	toldAt    time.Time
	last      *reply // what the load processes said last
	tcpMemory int64  // the most that was seen
	lowest    int64  // the least available memory that was seen
}

// run does everything: look, start, connect, hold, push, broadcast, stop, tell. Whatever happens,
// what it started is ended, and what it set is set back.
func run(ctx context.Context, o *options, log, out io.Writer) (err error) {
	m, err := readMachine(o.fds)
	if err != nil {
		return err
	}
	p, err := makePlan(o, m)
	if p != nil {
		p.print(log, o.conns)
	}
	if o.checkOnly {
		return err
	}
	if o.setSysctls && p != nil {
		restore, setErr := setSysctls(p.findings, log)
		defer func() { err = errors.Join(err, restore()) }()
		if setErr != nil {
			return setErr
		}
		if m, err = readMachine(o.fds); err == nil {
			p, err = makePlan(o, m)
		}
	}
	if err != nil {
		return err
	}
	if p.conns < o.conns && o.exact {
		return fmt.Errorf("%s connections do not fit: %s", count(o.conns), p.short())
	}
	r := &runner{o: o, m: m, p: p, log: log, id: rand.Uint32(), began: time.Now()}
	r.report = newReport(o, m, p)
	if r.dir, err = os.MkdirTemp("", "chskd-million-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	err = r.phases(ctx)
	r.stop()
	if err != nil {
		return err
	}
	r.report.finish()
	if err := r.report.write(o.report); err != nil {
		return err
	}
	fmt.Fprint(out, r.report.markdown())
	return r.report.verdict()
}

// stop ends the load processes, whose connections end with resets, and then the servers.
func (r *runner) stop() {
	r.tell("stopping")
	if r.pusher != nil {
		<-r.pusher.done // its context is done, or it has ended
	}
	for _, l := range r.lines {
		l.conn.Close()
		<-l.done
	}
	for _, w := range r.workers {
		w.hangUp()
	}
	await(processesOf(r.workers), time.Minute)
	r.stopServers()
	if h, err := readHost(); err == nil {
		r.report.Memory.After = h
	}
}

func (r *runner) stopServers() {
	for _, s := range r.servers {
		s.signal(os.Interrupt)
	}
	await(processesOf(r.servers), 30*time.Second)
}

func processesOf[T interface{ self() *process }](list []T) (all []*process) {
	for _, t := range list {
		all = append(all, t.self())
	}
	return all
}

func (p *process) self() *process { return p }

// tell prints a line.
func (r *runner) tell(format string, args ...any) {
	fmt.Fprintf(r.log, "%6.1fs %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

const (
	lookEvery = 500 * time.Millisecond
	tellEvery = 5 * time.Second
)

// look waits a little, asks the load processes how it goes, and finds out what must end the run:
// a signal, a process that ended, or memory that runs out.
func (r *runner) look(ctx context.Context, doing string) (*reply, error) {
	select {
	case <-ctx.Done():
		return nil, errors.New("interrupted")
	case <-time.After(lookEvery):
	}
	if err := r.healthy(); err != nil {
		return nil, err
	}
	replies, err := askAll(r.workers, func(*worker) *request { return &request{Op: "sample"} })
	if err != nil {
		return nil, err
	}
	now, before := time.Now(), r.last
	r.last = sum(replies)
	if now.Sub(r.toldAt) >= tellEvery || before == nil {
		h, err := readHost()
		if err != nil {
			return nil, err
		}
		r.tell("%s: %s of %s open, %d closed, %d tried again; %s available", doing, count(r.last.Open),
			count(r.p.conns), r.last.Closed, r.last.Retries, mib(h.Available))
		r.toldAt = now
	}
	return r.last, nil
}

// healthy looks at the processes and the memory.
func (r *runner) healthy() error {
	for _, p := range append(processesOf(r.servers), processesOf(r.workers)...) {
		if err := p.alive(); err != nil {
			return err
		}
	}
	h, err := readHost()
	if err != nil {
		return err
	}
	available := h.Available
	if room, limited := cgroupRoom(); limited {
		available = min(available, room)
	}
	if r.lowest == 0 || available < r.lowest {
		r.lowest = available
	}
	r.tcpMemory = max(r.tcpMemory, h.TCPMemory)
	if available < int64(r.o.minFree)<<20 {
		return fmt.Errorf("only %s of memory are available, less than --min-free: ended", mib(available))
	}
	if tracked, most := conntrack(); most > 0 && tracked > most*9/10 {
		return fmt.Errorf("netfilter tracks %d connections and may %d: sysctl -w "+
			"net.netfilter.nf_conntrack_max=%d, or a rule with notrack for lo", tracked, most, 2*r.p.conns)
	}
	return nil
}

// snapshot reads the memory of all.
func (r *runner) snapshot() (s snapshot, err error) {
	var errs [3]error
	s.Servers, errs[0] = memoryOf(pidsOf(r.servers))
	s.Load, errs[1] = memoryOf(pidsOf(r.workers))
	s.Host, errs[2] = readHost()
	return s, errors.Join(errs[:]...)
}

// stage measures a part of the run.
func (r *runner) stage(name string, do func() error) error {
	servers, load := pidsOf(r.servers), pidsOf(r.workers)
	before, err := readUsage(servers, load)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := readUsage(servers, load)
	if err == nil {
		r.report.Stages = append(r.report.Stages, stageOf(name, before, after))
	}
	return err
}

// write writes FILE.md and FILE.json.
func (r *report) write(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	text, err := r.json()
	if err == nil {
		err = os.WriteFile(file+".json", text, 0o644)
	}
	if err == nil {
		err = os.WriteFile(file+".md", []byte(r.markdown()), 0o644)
	}
	return err
}
