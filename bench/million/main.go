package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// options are the flags of the command.
type options struct {
	conns       int
	hold        time.Duration
	chskd       string
	report      string
	servers     int
	workers     int
	fds         int
	window      int
	kalive      time.Duration
	pingTimeout time.Duration
	rate        float64
	minFree     int // MiB
	connectFor  time.Duration
	exact       bool
	setSysctls  bool
	checkOnly   bool
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerArg {
		exit(work(os.Stdin, os.Stdout))
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err == nil {
		// Children are killed when the thread that made them ends (process.go): never, here.
		runtime.LockOSThread()
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM,
			syscall.SIGHUP)
		err = run(ctx, o, os.Stderr, os.Stdout)
		stop()
	}
	exit(err)
}

func exit(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "million:", err)
	os.Exit(1)
}

func parse(args []string, errs io.Writer) (*options, error) {
	o := &options{}
	f := pflag.NewFlagSet("million", pflag.ContinueOnError)
	f.SetOutput(errs)
	f.SortFlags = false
	f.IntVar(&o.conns, "conns", 1_000_000, "WebSockets to open")
	f.DurationVar(&o.hold, "hold", 5*time.Minute, "how long all are held: half of it with nothing "+
		"but keep-alive, half with pushes")
	f.StringVar(&o.chskd, "chskd", "bin/chskd", "the program under load")
	f.StringVar(&o.report, "report", "bin/million-report",
		"where the report goes: FILE.md and FILE.json")
	f.IntVar(&o.servers, "servers", 0, "chskd processes (0 = as few as the limit of open "+
		"files allows)")
	f.IntVar(&o.workers, "workers", 0, "load processes (0 = likewise)")
	f.IntVar(&o.fds, "fds", 0, "open files that a process may have, if not the hard limit "+
		"(ulimit -Hn)")
	f.IntVar(&o.window, "window", 1024, "handshakes under way at a time, in all")
	f.DurationVar(&o.kalive, "kalive", 0, "keep-alive of chskd (--ws-kalive-ms); 0 = 25s, or as "+
		"much longer as so many connections need on so many cores")
	f.DurationVar(&o.pingTimeout, "ping-timeout", 0, "and how long it waits for an answer "+
		"(--ws-ping-timeout-ms); 0 = 10s, or likewise")
	f.Float64Var(&o.rate, "rate", 1000, "pushes a second, to random users")
	f.IntVar(&o.minFree, "min-free", 3072, "MiB of memory that must stay available; below it the "+
		"run is ended")
	f.DurationVar(&o.connectFor, "connect-for", 12*time.Minute, "after this time the run goes on "+
		"with what is open")
	f.BoolVar(&o.exact, "exact", false, "fail where fewer connections fit or open, instead of "+
		"going on")
	f.BoolVar(&o.setSysctls, "set-sysctls", false, "set the sysctls that are too low, and set them "+
		"back at the end")
	f.BoolVar(&o.checkOnly, "check", false, "only say what this machine allows and what to set")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("no argument is known: %q", f.Arg(0))
	case o.conns < 1 || o.conns > 16_000_000:
		return nil, errors.New("--conns: 1 to 16000000")
	case o.servers < 0 || o.servers > serversMax || o.workers < 0 || o.workers > workersMax:
		return nil, fmt.Errorf("--servers: at most %d; --workers: at most %d", serversMax, workersMax)
	case o.window < 1 || o.rate < 0 || o.rate > 1_000_000 || o.minFree < 0:
		return nil, errors.New("--window is at least 1, --rate 0 to 1000000, --min-free not below 0")
	case o.hold < 0 || o.kalive < 0 || o.pingTimeout < 0:
		return nil, errors.New("--hold, --kalive and --ping-timeout are not below 0")
	}
	return o, nil
}
