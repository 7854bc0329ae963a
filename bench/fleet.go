package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// patience is what a worker gets beyond the time that its job may take; then it is given up.
const patience = 15 * time.Second

// fleet is the workers of a run as the driver sees them: together they have all connections.
// Owner: the driver's goroutine.
type fleet struct {
	workers []*link
	targets []target
	shares  []int // connections of each worker in all
	monitor *monitor
}

// link is the driver's end of one worker's pipes.
type link struct {
	in    io.WriteCloser
	lines *json.Decoder
	kill  func() // ends both pipes, and the process if there is one; may be called again
	wait  func() // until the worker is gone
}

// startFleet starts one worker for each share of t's connections. A single one runs in this
// process; several run this program again as `self...`.
func startFleet(ctx context.Context, t target, list []int, self []string, m *monitor) (
	*fleet, error,
) {
	f := &fleet{shares: list, monitor: m}
	for _, count := range list {
		t.Conns = count
		w, err := startLink(len(list) > 1, self)
		if err != nil {
			f.close()
			return nil, err
		}
		f.workers = append(f.workers, w)
		f.targets = append(f.targets, t)
		t.First += count
	}
	if _, err := f.do(ctx, 0, func(i int) *request {
		return &request{Op: "open", Target: &f.targets[i]}
	}); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func startLink(process bool, self []string) (*link, error) {
	if process {
		return startProcess(self)
	}
	toWorker, in := io.Pipe()
	out, fromWorker := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fromWorker.CloseWithError(serveWorker(toWorker, fromWorker))
	}()
	return &link{
		in: in, lines: json.NewDecoder(out),
		kill: func() {
			in.Close()
			out.Close()
		},
		wait: func() { <-done },
	}, nil
}

func startProcess(self []string) (*link, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	c := exec.Command(program, self...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: worker: %w", err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: worker: %w", err)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("bench: worker: %w", err)
	}
	return &link{
		in: in, lines: json.NewDecoder(out),
		kill: func() {
			in.Close()
			_ = c.Process.Kill() // it may be gone already, which is what is wanted
		},
		wait: func() {
			in.Close()
			_ = c.Wait() // how a worker that is not needed any more ends is of no interest
		},
	}, nil
}

// do asks every worker at once and waits for all, at most for limit and patience.
func (f *fleet) do(ctx context.Context, limit time.Duration, ask func(i int) *request) (
	[]*reply, error,
) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit+patience,
		fmt.Errorf("bench: a worker did not answer within %v", limit+patience))
	defer cancel()
	disarm := context.AfterFunc(ctx, f.kill)
	defer disarm()
	type answer struct {
		i   int
		r   *reply
		err error
	}
	answers := make(chan answer, len(f.workers))
	for i, w := range f.workers {
		go func() {
			r, err := w.ask(ask(i), func(s *sample) { f.monitor.take(i, s) })
			answers <- answer{i, r, err}
		}()
	}
	replies := make([]*reply, len(f.workers))
	var failed error
	for range f.workers {
		a := <-answers
		replies[a.i] = a.r
		failed = errors.Join(failed, a.err)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return replies, failed
}

// ask sends one line and reads until its reply, and gives samples on.
func (w *link) ask(q *request, tell func(*sample)) (*reply, error) {
	line, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("bench: request: %w", err)
	}
	_, err = w.in.Write(append(line, '\n'))
	if q.written != nil {
		q.written()
	}
	if err != nil {
		return nil, fmt.Errorf("bench: worker is gone: %w", err)
	}
	for {
		var r reply
		if err := w.lines.Decode(&r); err != nil {
			return nil, fmt.Errorf("bench: worker is gone: %w", err)
		}
		if r.Err != "" {
			return nil, errors.New(r.Err)
		}
		if r.Sample == nil {
			return &r, nil
		}
		tell(r.Sample)
	}
}

// connect opens count more connections in all, spread over the workers that have room, at most
// window at a time.
func (f *fleet) connect(ctx context.Context, count, window int, limit time.Duration) (
	[]*reply, error,
) {
	each := f.spread(count)
	return f.do(ctx, limit, func(i int) *request {
		return &request{
			Op: "connect", Count: each[i], Limit: limit, Parallel: max(window/len(f.workers), 1),
		}
	})
}

// spread divides count evenly over the workers' rooms and takes it from them.
func (f *fleet) spread(count int) []int {
	each := make([]int, len(f.workers))
	for count > 0 {
		placed := 0
		for i := range f.targets {
			left := len(f.targets) - i
			n := min(f.targets[i].Conns, (count+left-1)/left)
			f.targets[i].Conns -= n // from here on: the room that is left
			each[i] += n
			placed += n
			count -= n
		}
		if placed == 0 {
			panic("bench: more connections than room")
		}
	}
	return each
}

// end tells all workers that nothing more is pushed. One that is gone shows in its reply.
func (f *fleet) end() {
	for _, w := range f.workers {
		_, _ = io.WriteString(w.in, `{"op":"end"}`+"\n")
	}
}

func (f *fleet) kill() {
	for _, w := range f.workers {
		w.kill()
	}
}

// close lets every worker end in order.
func (f *fleet) close() {
	for _, w := range f.workers {
		w.in.Close()
	}
	for _, w := range f.workers {
		w.wait()
	}
}
