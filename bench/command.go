package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// NewCommand returns the command `bench` with its scenarios idle, ping, echo, broadcast, push,
// topic, poll, churn and mixed, to be added to a program's root command. Results go to the
// command's output, how a run goes on to its error output; a run that fails, or whose check finds a
// fault, returns an error and the program should end with a status other than 0.
//
// When a run needs several processes, the program runs itself with the hidden sub-command
// `worker` of the same parent; it must therefore reach NewCommand by the same arguments again.
func NewCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "bench",
		Short: "Load a server with many clients and say what they cost it",
		Long: "Opens many WebSockets or long polls to a server of Sente's protocol (chskd or a Sente " +
			"server) and\nsays what they cost it: memory, CPU and latency. Every answer and event is " +
			"checked. The exit\nstatus is 0 only if nothing failed, nothing was lost, doubled or " +
			"reordered, and every\nthreshold (--max-p99 ...) held.",
		Example: `  chskd bench idle  --conns 18000 --api-socket $SOCK
  chskd bench ping  --conns 1000 --rate 5000 --max-p99 20ms --pid $(pidof chskd)
  chskd bench push  --conns 10000 --rate 5000 --html push.html --api-socket $SOCK
  chskd bench topic --conns 10000 --topics 100 --rate 100 --json --api-socket $SOCK >new.json
  chskd bench topic --conns 10000 --topics 100 --rate 100 --compare new.json --api-socket $SOCK
  chskd bench ping  --url ws://127.0.0.1:3000/chsk     # any Sente server`,
		SilenceUsage: true,
	}
	root.AddCommand(idleCommand(), pingCommand(), echoCommand(), broadcastCommand(), pushCommand(),
		topicCommand(), pollCommand(), churnCommand(), mixedCommand(), workerCommand())
	return root
}

func idleCommand() *cobra.Command {
	c, o := scenario("idle", idleRun, 18_000, "How long to watch the idle connections at the end")
	c.Short = "Memory per idle client, CPU per handshake, idle CPU"
	c.Example = "  chskd bench idle --conns 18000 --from 4000 --step 2000 --api-socket $SOCK\n" +
		"  chskd bench idle --conns 10000 --polls 100 --pid 4711 --max-rss 1000"
	f := c.Flags()
	f.IntVar(&o.from, "from", 0, "Connections of the first step (0 = a fifth of --conns)")
	f.IntVar(&o.step, "step", 0, "Connections of each further step (0 = seven steps)")
	f.DurationVar(&o.settle, "settle", 3*time.Second, "Rest before memory is read")
	pollsFlag(c, o, 0)
	return c
}

func pingCommand() *cobra.Command {
	c, o := scenario("ping", pingRun, 1_000, "How long to ping")
	c.Short = "chsk pings: round trips a second, CPU per ping, latency"
	c.Example = "  chskd bench ping --conns 1000 --outstanding 64 --pid 4711\n" +
		"  chskd bench ping --conns 1000 --rate 5000 --max-p99 20ms"
	askFlags(c, o, "pings", "64")
	return c
}

func echoCommand() *cobra.Command {
	c, o := scenario("echo", echoRun, 200, "How long to send")
	c.Short = "Events to a backend of our own and its replies back: round trips, CPU, latency"
	c.Example = "  chskd bench echo --conns 200 --api-socket $SOCK\n" +
		"  chskd bench echo --conns 2000 --rate 3000 --ack --api-socket $SOCK"
	askFlags(c, o, "events", "all")
	f := c.Flags()
	f.IntVar(&o.size, "size", 64, "Letters of an event's text")
	f.BoolVar(&o.ack, "ack", false, "The backend subscribes with acks, and acknowledges each read")
	f.BoolVar(&o.app, "app", false,
		"No backend of our own: the application replies to :bench/echo with its data")
	return c
}

func broadcastCommand() *cobra.Command {
	c, o := scenario("broadcast", broadcastRun, 18_000, "How long to push")
	c.Short = "Numbered events to all: loss, doubling, order, CPU per delivery, latency"
	c.Example = "  chskd bench broadcast --conns 18000 --rate 5 --size 128 --api-socket $SOCK"
	f := c.Flags()
	f.Float64Var(&o.rate, "rate", 10, "Broadcasts a second")
	eventFlags(c, o)
	f.DurationVar(&o.settle, "settle", time.Second, "Rest before the pushes")
	pollsFlag(c, o, 0)
	return c
}

func pushCommand() *cobra.Command {
	c, o := scenario("push", pushRun, 10_000, "How long to push")
	c.Short = "Numbered events to random users: pushes taken a second, loss, order, CPU, latency"
	c.Example = "  chskd bench push --conns 10000 --rate 5000 --api-socket $SOCK\n" +
		"  chskd bench push --conns 10000 --burst 64 --api-socket $SOCK   # the ceiling"
	pushFlags(c, o, "Pushes a second (0 = as fast as they are taken)", 0)
	pollsFlag(c, o, 0)
	return c
}

func topicCommand() *cobra.Command {
	c, o := scenario("topic", topicRun, 10_000, "How long to push")
	c.Short = "Numbered events to random topics: every member of each is counted"
	c.Example = "  chskd bench topic --conns 10000 --topics 100 --rate 100 --api-socket $SOCK\n" +
		"  chskd bench topic --conns 1000 --topics 50 --each 5 --rate 0 --duration 3s --api-socket $SOCK"
	pushFlags(c, o, "Pushes a second, in all (0 = as fast as they are taken)", 100)
	topicFlags(c, o)
	pollsFlag(c, o, 0)
	return c
}

func pollCommand() *cobra.Command {
	c, o := scenario("poll", pollRun, 2_000, "How long to push and to post")
	c.Short = "Long-poll clients: pushes to random ones, and POSTs that want a reply"
	c.Example = "  chskd bench poll --conns 2000 --rate 1000 --posts 200 --api-socket $SOCK"
	pushFlags(c, o, "Pushes a second (0 = as fast as they are taken)", 500)
	postFlags(c, o, 100)
	o.polls = 100
	return c
}

func churnCommand() *cobra.Command {
	c, o := scenario("churn", churnRun, 1_000, "How long clients leave")
	c.Short = "Clients that leave and come back while events are pushed to them"
	c.Example = "  chskd bench churn --conns 1000 --leaves 100 --rate 2000 --api-socket $SOCK\n" +
		"  chskd serve --session-keep-ms 2000 &\n" +
		"  chskd bench churn --conns 1000 --keep 2s --beyond 10 --how close,fin,reset --api-socket $SOCK"
	pushFlags(c, o, "Pushes a second (0 = as fast as they are taken)", 1000)
	churnFlags(c, o, 50)
	return c
}

func mixedCommand() *cobra.Command {
	c, o := scenario("mixed", mixedRun, 1_000, "How long")
	c.Short = "All at once: pings, echoes, polls and POSTs, pushes, topics, broadcasts, churn"
	c.Example = "  chskd bench mixed --conns 1000 --api-socket $SOCK\n" +
		"  chskd bench mixed --conns 5000 --pushes 5000 --echoes 1000 --leaves 0 --api-socket $SOCK"
	f := c.Flags()
	for _, r := range []struct {
		to    *float64
		name  string
		rate  float64
		usage string
	}{
		{&o.mix.pings, "pings", 100, "Pings a second"},
		{&o.mix.echoes, "echoes", 100, "Events that want a reply a second, over WebSocket"},
		{&o.mix.pushes, "pushes", 500, "Pushes to random users a second"},
		{&o.mix.broadcasts, "broadcasts", 1, "Pushes to all a second"},
		{&o.mix.topics, "topic-pushes", 10, "Pushes to random topics a second"},
	} {
		f.Float64Var(r.to, r.name, r.rate, r.usage)
	}
	pushTargetFlags(c, o)
	eventFlags(c, o)
	topicFlags(c, o)
	postFlags(c, o, 50)
	churnFlags(c, o, 10)
	pollsFlag(c, o, 20)
	return c
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
	commonFlags(c, o, conns, durationHelp)
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
	setup := setupOf(c)
	old, err := o.out.readOld(c.Name(), setup) // before a run that could not be compared
	if err != nil {
		return err
	}
	m := newMonitor(c.ErrOrStderr(), o.out.status)
	d, err := newDriver(ctx, o, c.Name(), workerArgs(c), m)
	if err != nil {
		return err
	}
	defer d.fleet.close()
	defer m.end()
	if err := run(ctx, d); err != nil {
		if ctx.Err() != nil {
			return errors.New("bench: interrupted")
		}
		return err
	}
	d.report.Series = m.end()
	d.report.Setup = setup
	return o.out.write(c.OutOrStdout(), d.report, old)
}

// write prints a result and says whether it is as it must be.
func (o *outputs) write(w io.Writer, r *report, old *report) error {
	if old != nil {
		r.Comparison = compare(old, r)
	}
	if err := r.write(w, o.json); err != nil {
		return err
	}
	if o.html != "" {
		if err := writeHTML(o.html, r); err != nil {
			return err
		}
	}
	return errors.Join(r.verdict(o.limits.lost), o.limits.check(r))
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
