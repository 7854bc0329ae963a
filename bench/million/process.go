package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a child of ours. It has a process group of its own, so that Ctrl-C comes to us alone
// and we end it in order; and should we be killed, the kernel kills it.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string // file with all that it printed
	ended chan struct{}
	err   error // how it ended, once that is closed
}

// startProcess starts cmd, which prints to a file in dir.
func startProcess(name, dir string, cmd *exec.Cmd) (*process, error) {
	p := &process{
		name: name, cmd: cmd, log: filepath.Join(dir, name+".log"), ended: make(chan struct{}),
	}
	f, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the child has its own
	if cmd.Stdout == nil {
		cmd.Stdout = f
	}
	cmd.Stderr = f
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// alive is nil, or how the process ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s (pid %d) ended: %v%s", p.name, p.pid(), p.err, p.lastWords())
	default:
		return nil
	}
}

// lastWords is the end of what the process printed.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + string(text[max(len(text)-1000, 0):])
}

// signal is for a process that may have ended, which is what is wanted.
func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// await waits for the end of processes that were told to end, and kills those that take longer.
func await(list []*process, patience time.Duration) {
	late := time.After(patience)
	for _, p := range list {
		select {
		case <-p.ended:
			continue
		case <-late:
			late = nil
			for _, q := range list {
				q.signal(syscall.SIGKILL)
			}
		}
		<-p.ended
	}
}

func pidsOf[P interface{ pid() int }](list []P) (pids []int) {
	for _, p := range list {
		pids = append(pids, p.pid())
	}
	return pids
}
