package bench

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The flags that scenarios share.

func commonFlags(c *cobra.Command, o *options, conns int, durationHelp string) {
	f := c.Flags()
	f.StringVar(&o.url, "url", "ws://127.0.0.1:8080/chsk",
		"The server; {i} in it becomes the connection's number")
	f.IntVar(&o.conns, "conns", conns, "Clients: WebSockets, unless they poll")
	f.DurationVar(&o.duration, "duration", 10*time.Second, durationHelp)
	f.DurationVar(&o.timeout, "timeout", 30*time.Second,
		"Limit of a step of handshakes, of the last answers, and of each push")
	f.IntVar(&o.window, "window", 256, "Handshakes at a time")
	f.StringVar(&o.packer, "packer", "edn", "Packer of the server at --url: "+
		strings.Join(packerNames(), ", "))
	f.IntSliceVar(&o.pids, "pid", nil,
		"The server's processes, for memory and CPU (default: whoever has --api-socket)")
	f.StringVar(&o.apiSocket, "api-socket", "", "chskd's API socket, by which to push")
	f.StringVar(&o.csrf, "csrf-token", "", "The CSRF token that requests carry")
	f.StringVar(&o.origin, "origin", "", "Value of the Origin header")
	f.StringSliceVar(&o.sources, "source", nil,
		"Local addresses to connect from (default: as many of 127.x.y.z as ports ask for)")
	f.IntVar(&o.perProc, "per-process", 0,
		"Connections of a process (0 = as many as the limit of file descriptors allows)")
	outputFlags(f, &o.out)
}

// outputs is where the result goes and what it must be.
type outputs struct {
	json    bool
	html    string
	compare string
	status  time.Duration
	limits  limits
}

func outputFlags(f *pflag.FlagSet, o *outputs) {
	f.BoolVar(&o.json, "json", false, "Print the result as JSON")
	f.StringVar(&o.html, "html", "", "Write the result with plots to this file, which needs no other")
	f.StringVar(&o.compare, "compare", "", "Compare with an earlier result of the same load (--json)")
	f.DurationVar(&o.status, "status", 0,
		"How often to say how the run goes (0 = each second on a terminal, else each 5; below 0 = never)")
	l := &o.limits
	f.DurationVar(&l.p50, "max-p50", 0, "Fail if half of the operations of any kind took longer")
	f.DurationVar(&l.p99, "max-p99", 0, "Fail if 1% took longer")
	f.DurationVar(&l.p999, "max-p999", 0, "Fail if 0.1% took longer")
	f.Int64Var(&l.lost, "max-loss", 0, "Fail if more events were lost")
	f.Float64Var(&l.cpuUs, "max-cpu-us", 0, "Fail if an operation cost the server more CPU, in us")
	f.Float64Var(&l.rss, "max-rss", 0, "Fail if an idle client cost the server more RSS, in bytes")
	f.Float64Var(&l.rate, "min-rate", 0, "Fail if fewer operations were done a second")
}

// notLoad are the flags that do not say what the load is, so that runs that differ in them may be
// compared.
var notLoad = []string{
	"url", "duration", "count", "timeout", "window", "pid", "api-socket", "csrf-token", "origin",
	"source", "per-process", "settle", "json", "html", "compare", "status", "uid", "help",
}

// setupOf is the load as the flags say it, by their names.
func setupOf(c *cobra.Command) map[string]string {
	setup := make(map[string]string)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		limit := strings.HasPrefix(f.Name, "max-") || strings.HasPrefix(f.Name, "min-")
		if !limit && !slices.Contains(notLoad, f.Name) {
			setup[f.Name] = f.Value.String()
		}
	})
	return setup
}

func askFlags(c *cobra.Command, o *options, what, all string) {
	f := c.Flags()
	f.IntVar(&o.outstanding, "outstanding", 0,
		"Connections that wait for an answer at any time (0 = "+all+")")
	f.Float64Var(&o.rate, "rate", 0,
		"An open loop: so many "+what+" a second, whether or not earlier ones are answered")
	f.IntVar(&o.count, "count", 0, "Stop after so many (0 = by time only)")
	f.DurationVar(&o.settle, "settle", time.Second, "Rest before the first one")
	c.MarkFlagsMutuallyExclusive("outstanding", "rate")
}

func eventFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.IntVar(&o.events, "count", 0, "Stop after so many pushes (0 = by time only)")
	f.IntVar(&o.size, "size", 128, "Bytes of an event's text")
	f.BoolVar(&o.flush, "flush", false, "Ask the server to flush at once")
}

func pushFlags(c *cobra.Command, o *options, rateHelp string, rate float64) {
	c.Flags().Float64Var(&o.rate, "rate", rate, rateHelp)
	eventFlags(c, o)
	pushTargetFlags(c, o)
}

func pushTargetFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringVar(&o.dialect, "dialect", "line", "How to push: line, or http (one NDJSON request)")
	f.IntVar(&o.users, "users", 0, "Push to the first so many users only (0 = to all)")
	f.IntVar(&o.burst, "burst", 1, "Pushes in a row to the same user")
	f.StringVar(&o.uid, "uid", "",
		"uid of the user behind connection {i}, as the server knows it (default: its client-id)")
	f.DurationVar(&o.settle, "settle", time.Second, "Rest before the pushes")
}

func pollsFlag(c *cobra.Command, o *options, percent int) {
	c.Flags().IntVar(&o.polls, "polls", percent, "Percent of the clients that poll")
}

func postFlags(c *cobra.Command, o *options, rate float64) {
	f := c.Flags()
	f.Float64Var(&o.mix.posts, "posts", rate, "POSTs that want a reply a second, of clients that poll")
	f.IntVar(&o.posters, "posters", 0, "Connections that carry the POSTs (0 = 64)")
}

func topicFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.IntVar(&o.topics, "topics", 100, "Topics")
	f.IntVar(&o.each, "each", 1, "Topics that each user is in")
}

func churnFlags(c *cobra.Command, o *options, rate float64) {
	f := c.Flags()
	f.Float64Var(&o.mix.leaves, "leaves", rate, "Clients that leave a second; all of them come back")
	f.DurationVar(&o.away, "away", 500*time.Millisecond, "How long they stay away")
	f.DurationVar(&o.keep, "keep", time.Minute,
		"How long the server keeps what a client misses (chskd: --session-keep-ms)")
	f.Float64Var(&o.beyond, "beyond", 0, "Percent that stay away for --long-away instead")
	f.DurationVar(&o.longAway, "long-away", 0,
		"How long that is: surely longer than the server keeps (0 = --keep, half of it and 3s more)")
	f.StringSliceVar(&o.how, "how", []string{"close", "fin"},
		"How they leave, in turn: close (a close frame), fin (TCP ends), reset (it is cut)")
}
