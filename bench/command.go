package bench

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// NewCommand returns the command `bench` with its scenarios idle, ping, broadcast, push and echo,
// to be added to a program's root command. Results go to the command's output; a run that fails,
// or whose check finds a fault, returns an error and the program should end with a status other
// than 0.
//
// When a run needs several processes, the program runs itself with the hidden sub-command
// `worker` of the same parent; it must therefore reach NewCommand by the same arguments again.
func NewCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "bench",
		Short: "Load a server with many WebSockets and say what they cost it",
		Long: "Opens many WebSockets to a server of Sente's protocol (chskd or a Sente server) and " +
			"says what\nthey cost it: memory, CPU and latency. Every answer is checked.",
		SilenceUsage: true,
	}
	root.AddCommand(idleCommand(), pingCommand(), broadcastCommand(), pushCommand(), echoCommand(),
		workerCommand())
	return root
}

func idleCommand() *cobra.Command {
	c, o := scenario("idle", idleRun, 18_000, "How long to watch the idle connections at the end")
	c.Short = "Memory per idle WebSocket, CPU per handshake, idle CPU"
	c.Flags().IntVar(&o.from, "from", 0, "Connections of the first step (0 = a fifth of --conns)")
	c.Flags().IntVar(&o.step, "step", 0, "Connections of each further step (0 = seven steps)")
	c.Flags().DurationVar(&o.settle, "settle", 3*time.Second, "Rest before memory is read")
	return c
}

func pingCommand() *cobra.Command {
	c, o := scenario("ping", pingRun, 1_000, "How long to ping")
	c.Short = "chsk pings: round trips a second, CPU per ping, latency"
	c.Flags().IntVar(&o.outstanding, "outstanding", 0,
		"Connections that wait for a pong at any time (0 = 64)")
	c.Flags().IntVar(&o.count, "count", 0, "Stop after so many pings (0 = by time only)")
	c.Flags().DurationVar(&o.settle, "settle", time.Second, "Rest before the pings")
	return c
}

func broadcastCommand() *cobra.Command {
	c, o := scenario("broadcast", broadcastChecked, 18_000, "How long to push")
	c.Short = "Numbered events to all: loss, doubling, order, CPU per delivery, latency"
	c.Flags().Float64Var(&o.rate, "rate", 10, "Broadcasts a second")
	c.Flags().IntVar(&o.events, "count", 0, "Stop after so many broadcasts (0 = by time only)")
	c.Flags().IntVar(&o.size, "size", 128, "Bytes of an event's text")
	c.Flags().BoolVar(&o.flush, "flush", false, "Ask the server to flush at once")
	c.Flags().DurationVar(&o.settle, "settle", time.Second, "Rest before the pushes")
	return c
}

func pushCommand() *cobra.Command {
	c, o := scenario("push", pushRun, 10_000, "How long to push")
	c.Short = "Numbered events to random users: pushes taken a second, loss, order, CPU, latency"
	f := c.Flags()
	f.StringVar(&o.dialect, "dialect", "line", "How to push: line, or http (one NDJSON request)")
	f.Float64Var(&o.rate, "rate", 0, "Pushes a second (0 = as fast as they are taken)")
	f.IntVar(&o.events, "count", 0, "Stop after so many pushes (0 = by time only)")
	f.IntVar(&o.size, "size", 128, "Bytes of an event's text")
	f.IntVar(&o.users, "users", 0, "Push to the first so many users only (0 = to all)")
	f.IntVar(&o.burst, "burst", 1, "Pushes in a row to the same user")
	f.StringVar(&o.uid, "uid", "",
		"uid of the user behind connection {i}, as the server knows it (default: its client-id)")
	f.BoolVar(&o.flush, "flush", false, "Ask the server to flush at once")
	f.DurationVar(&o.settle, "settle", time.Second, "Rest before the pushes")
	return c
}

func echoCommand() *cobra.Command {
	c, o := scenario("echo", echoRun, 200, "How long to send")
	c.Short = "Events to a backend of our own and its replies back: round trips, CPU, latency"
	f := c.Flags()
	f.IntVar(&o.outstanding, "outstanding", 0,
		"Connections that wait for a reply at any time (0 = all)")
	f.IntVar(&o.count, "count", 0, "Stop after so many round trips (0 = by time only)")
	f.IntVar(&o.size, "size", 64, "Letters of an event's text")
	f.BoolVar(&o.ack, "ack", false, "The backend subscribes with acks, and acknowledges each read")
	f.DurationVar(&o.settle, "settle", time.Second, "Rest before the first event")
	return c
}

func broadcastChecked(ctx context.Context, d *driver) error {
	if err := d.o.checkBroadcast(); err != nil {
		return err
	}
	return broadcastRun(ctx, d)
}

// scenario returns a sub-command with the flags that all have.
func scenario(name string, run func(context.Context, *driver) error, conns int,
	durationHelp string,
) (*cobra.Command, *options) {
	o := &options{}
	c := &cobra.Command{
		Use: name, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return execute(c, o, run) },
	}
	f := c.Flags()
	f.StringVar(&o.url, "url", "ws://127.0.0.1:8080/chsk",
		"The server; {i} in it becomes the connection's number")
	f.IntVar(&o.conns, "conns", conns, "WebSockets to open")
	f.DurationVar(&o.duration, "duration", 10*time.Second, durationHelp)
	f.DurationVar(&o.timeout, "timeout", 30*time.Second,
		"Limit of a step of handshakes, of the last answers, and of each push")
	f.IntVar(&o.window, "window", 256, "Handshakes at a time")
	f.StringVar(&o.packer, "packer", "edn", "Value format of the server: edn or json")
	f.IntSliceVar(&o.pids, "pid", nil,
		"The server's process, for its memory and CPU (default: whoever has --api-socket)")
	f.StringVar(&o.apiSocket, "api-socket", "", "chskd's API socket, by which to push")
	f.StringVar(&o.csrf, "csrf-token", "", "Value of the csrf-token parameter")
	f.StringVar(&o.origin, "origin", "", "Value of the Origin header")
	f.StringSliceVar(&o.sources, "source", nil,
		"Local addresses to connect from (default: as many of 127.x.y.z as ports ask for)")
	f.IntVar(&o.perProc, "per-process", 0,
		"Connections of a process (0 = as many as the limit of file descriptors allows)")
	f.BoolVar(&o.json, "json", false, "Print the result as JSON")
	return c, o
}

// execute runs a scenario from the flags to the printed result.
func execute(c *cobra.Command, o *options, run func(context.Context, *driver) error) error {
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	d, err := newDriver(ctx, o, c.Name(), workerArgs(c))
	if err != nil {
		return err
	}
	defer d.fleet.close()
	if err := run(ctx, d); err != nil {
		if ctx.Err() != nil {
			return errors.New("bench: interrupted")
		}
		return err
	}
	if err := d.report.write(c.OutOrStdout(), o.json); err != nil {
		return err
	}
	return d.report.verdict()
}

// workerArgs are the arguments by which this program reaches the command `worker` beside c.
func workerArgs(c *cobra.Command) []string {
	path := strings.Fields(c.CommandPath())
	path[len(path)-1] = "worker"
	return path[1:]
}

// workerCommand holds a share of the connections for a driver at the other end of stdin and
// stdout. Interrupts are the driver's business: a worker ends when its input does.
func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			signal.Ignore(os.Interrupt)
			return serveWorker(os.Stdin, os.Stdout)
		},
	}
}
