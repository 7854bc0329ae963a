package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// answerIn bounds the wait for an answer of a load process, which has nothing to do but its loop.
const answerIn = 2 * time.Minute

// worker is a load process. Owner: the driver's goroutine.
type worker struct {
	*process
	first, conns int // which connections it has
	in, out      *os.File
	lines        *bufio.Reader
}

// startWorker starts this program again as a load process.
func startWorker(dir string, number int) (*worker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, err
	}
	defer theirOut.Close()
	cmd := exec.Command(program, workerArg)
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	w.in, w.out, w.lines = in, out, bufio.NewReaderSize(out, 64<<10)
	if w.process, err = startProcess(fmt.Sprintf("load-%d", number), dir, cmd); err != nil {
		w.hangUp()
		return nil, err
	}
	return w, nil
}

// hangUp tells the process to end.
func (w *worker) hangUp() {
	w.in.Close()
	w.out.Close()
}

func (w *worker) ask(q *request) error {
	line, err := json.Marshal(q)
	if err != nil {
		return err
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", w.name, err), w.alive())
	}
	return nil
}

func (w *worker) answer() (*reply, error) {
	if err := w.out.SetReadDeadline(time.Now().Add(answerIn)); err != nil {
		return nil, err
	}
	line, err := w.lines.ReadBytes('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", w.name, err), w.alive())
	}
	r := &reply{}
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	if r.Err != "" {
		return nil, fmt.Errorf("%s: %s", w.name, r.Err)
	}
	return r, nil
}

// askAll asks all load processes, which work at the same time, and reads their answers in turn.
func askAll(list []*worker, q func(w *worker) *request) ([]*reply, error) {
	for _, w := range list {
		if err := w.ask(q(w)); err != nil {
			return nil, err
		}
	}
	var replies []*reply
	for _, w := range list {
		r, err := w.answer()
		if err != nil {
			return nil, err
		}
		replies = append(replies, r)
	}
	return replies, nil
}

// sum adds up the counters of replies.
func sum(replies []*reply) *reply {
	all := &reply{Reasons: make(map[string]int)}
	for _, r := range replies {
		all.Open += r.Open
		all.Left += r.Left
		all.GaveUp += r.GaveUp
		all.Retries += r.Retries
		all.Closed += r.Closed
		all.Pings += r.Pings
		all.Tally.add(&r.Tally)
		for why, n := range r.Reasons {
			all.Reasons[why] += n
		}
		for s := range all.LastAt {
			all.LastAt[s] = max(all.LastAt[s], r.LastAt[s])
		}
	}
	return all
}
