package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// request is one line from the driver to a worker.
type request struct {
	Op       string        `json:"op"` // open connect idle ping echo watch await
	Target   *target       `json:"target,omitempty"`
	Count    int           `json:"count,omitempty"`    // connect: how many more; ping, echo: at most
	Parallel int           `json:"parallel,omitempty"` // connect, ping, echo: at a time
	Size     int           `json:"size,omitempty"`     // echo: letters
	Duration time.Duration `json:"duration,omitempty"` // ping, echo
	Limit    time.Duration `json:"limit,omitempty"`    // how long answers may take
	Run      uint32        `json:"run,omitempty"`      // watch
	Last     uint32        `json:"last,omitempty"`     // await: of all,
	Lasts    []uint32      `json:"lasts,omitempty"`    // or by slot
}

// reply is a worker's one line for each request.
type reply struct {
	Err           string         `json:"err,omitempty"` // the worker itself is at fault
	Open          int            `json:"open"`
	Failures      map[string]int `json:"failures,omitempty"` // since the start, by reason
	ReceivedBytes int64          `json:"received_bytes"`     // since the start
	ServerPings   int64          `json:"server_pings"`       // since the start, all answered
	Handshakes    []int64        `json:"handshakes,omitempty"`
	Latency       []int64        `json:"latency,omitempty"`
	Sent          int64          `json:"sent,omitempty"`
	Got           int64          `json:"got,omitempty"`
	TookNs        int64          `json:"took_ns,omitempty"`
	Tally         *watchTally    `json:"tally,omitempty"`
	LastAt        int64          `json:"last_at,omitempty"` // ns, CLOCK_MONOTONIC: the last event
}

// serveWorker does what the lines of in ask, one answer each to out, until in ends; the end of in
// also breaks off a job that is under way, so that no worker outlives its driver.
func serveWorker(in io.Reader, out io.Writer) error {
	requests, ended := make(chan request), make(chan struct{})
	leaving := make(chan struct{})
	defer close(leaving)
	go func() {
		defer close(ended)
		lines := json.NewDecoder(in)
		for {
			var q request
			if lines.Decode(&q) != nil { // the end, or a driver that is no longer sane
				return
			}
			select {
			case requests <- q:
			case <-leaving:
				return
			}
		}
	}()
	w := worker{ended: ended}
	defer w.close()
	answers := json.NewEncoder(out)
	for {
		select {
		case <-ended:
			return nil
		case q := <-requests:
			if err := answers.Encode(w.answer(&q)); err != nil {
				return fmt.Errorf("bench: worker: %w", err)
			}
		}
	}
}

// worker is the state between requests.
type worker struct {
	loop  *loop
	ended <-chan struct{}
}

func (w *worker) close() {
	if w.loop != nil {
		w.loop.stop()
	}
}

func (w *worker) answer(q *request) *reply {
	r, err := w.do(q)
	if err != nil {
		return &reply{Err: err.Error()}
	}
	return r
}

func (w *worker) do(q *request) (*reply, error) {
	if (q.Op == "open") != (w.loop == nil) {
		return nil, errors.New("bench: worker: open comes first, once")
	}
	var j job
	switch q.Op {
	case "open":
		return &reply{}, w.open(q.Target)
	case "connect":
		j = &connectJob{count: q.Count, window: q.Parallel, limit: q.Limit}
	case "idle":
		j = idleJob{}
	case "ping", "echo":
		if q.Op == "echo" && q.Size < echoMin {
			return nil, errors.New("bench: worker: echo without a size")
		}
		j = &pingJob{
			parallel: q.Parallel, total: int64(q.Count), duration: q.Duration, limit: q.Limit,
			echo: q.Size,
		}
	case "watch":
		j = &watchJob{run: q.Run}
	case "await":
		if w.loop.watch == nil {
			return nil, errors.New("bench: worker: await without watch")
		}
		if q.Lasts != nil && len(q.Lasts) != len(w.loop.conns) {
			return nil, errors.New("bench: worker: await with a last event for too few connections")
		}
		j = &awaitJob{last: q.Last, lasts: q.Lasts, limit: q.Limit}
	default:
		return nil, fmt.Errorf("bench: worker: unknown op %q", q.Op)
	}
	return w.loop.do(j, w.ended)
}

func (w *worker) open(t *target) (err error) {
	if t == nil || packers[t.Packer] == nil {
		return errors.New("bench: worker: open without a target")
	}
	if _, err := raiseFiles(); err != nil {
		return err
	}
	w.loop, err = startLoop(*t)
	return err
}
