package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is the result of a run: printed as text, or as this JSON. What is not known (no server
// pid) or not measured by the scenario is left out.
type report struct {
	Scenario  string `json:"scenario"`
	URL       string `json:"url"`
	Packer    string `json:"packer"`
	Conns     int    `json:"conns"`
	Processes int    `json:"processes"` // of the load tool

	Setup map[string]string `json:"setup"` // the flags that say what the load is

	Handshakes *handshakeResult `json:"handshakes,omitempty"`
	Idle       *idleResult      `json:"idle,omitempty"`
	Join       *joinResult      `json:"join,omitempty"`
	Ping       *askResult       `json:"ping,omitempty"`
	Echo       *askResult       `json:"echo,omitempty"`
	Post       *askResult       `json:"post,omitempty"`
	Broadcast  *broadcastResult `json:"broadcast,omitempty"`
	Push       *pushResult      `json:"push,omitempty"` // to users, topics, or a mix
	Churn      *churnResult     `json:"churn,omitempty"`
	CPU        *cpuCost         `json:"server_cpu,omitempty"` // of all that a mix does, together

	Polls       int64          `json:"polls_answered,omitempty"`
	Forgotten   int64          `json:"polls_forgotten,omitempty"` // answered with a new handshake
	ServerPings int64          `json:"server_pings_answered"`
	Failures    map[string]int `json:"failures,omitempty"` // connections by what went wrong

	Series     []point      `json:"series,omitempty"` // how the run went
	Comparison []comparison `json:"comparison,omitempty"`
}

// cpuCost is what some operations cost the server. The total is exact to the ns; the user part is
// as good as the kernel's sampling, so look at it only when the total is a second or more.
type cpuCost struct {
	Operations int64   `json:"operations"`
	EachUs     float64 `json:"each_us"`
	UserUs     float64 `json:"user_us"`
	TotalS     float64 `json:"total_s"`
	CorePct    float64 `json:"core_percent"` // of one core while it was measured
}

func newCost(used cpuTime, operations int64, took time.Duration) *cpuCost {
	c := &cpuCost{Operations: operations, TotalS: used.total.Seconds()}
	if took > 0 {
		c.CorePct = 100 * used.total.Seconds() / took.Seconds()
	}
	if operations > 0 {
		c.EachUs = float64(used.total.Nanoseconds()) / 1000 / float64(operations)
	}
	if ticks := used.user + used.system; ticks > 0 {
		c.UserUs = c.EachUs * float64(used.user) / float64(ticks)
	}
	return c
}

func (c *cpuCost) String() string {
	if c == nil {
		return "unknown (give the server's --pid)"
	}
	return fmt.Sprintf("%.2f us each, %.2f of it in user space (%.2f s for %d, %.0f%% of a core)",
		c.EachUs, c.UserUs, c.TotalS, c.Operations, c.CorePct)
}

// text appends the line of a cost; nil = not known, or accounted for elsewhere.
func (c *cpuCost) text(b *strings.Builder) {
	if c != nil {
		fmt.Fprintf(b, "  server CPU   %v\n", c)
	}
}

// handshakeResult is the cost of getting connections open, upgrade and chsk handshake together.
type handshakeResult struct {
	Count     int            `json:"count"`
	PerSecond float64        `json:"per_second"`
	CPU       *cpuCost       `json:"server_cpu,omitempty"`
	Latency   latencySummary `json:"latency"` // from connect(2) to :chsk/handshake
}

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	var b strings.Builder
	r.text(&b)
	writeComparison(&b, r.Comparison)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *report) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %d clients (%s) to %s from %d process(es)\n",
		r.Scenario, r.Conns, r.Packer, r.URL, r.Processes)
	if h := r.Handshakes; h != nil {
		fmt.Fprintf(b, "handshakes     %d, %.0f/s\n", h.Count, h.PerSecond)
		h.CPU.text(b)
		fmt.Fprintf(b, "  latency      %v\n", h.Latency)
		if h.CPU == nil {
			b.WriteString("server CPU     unknown (give the server's --pid)\n")
		}
	}
	r.Idle.text(b)
	r.Join.text(b)
	r.Ping.text(b, "pings")
	r.Echo.text(b, "echoes")
	r.Post.text(b, "posts")
	r.Broadcast.text(b)
	r.Push.text(b)
	if r.Churn != nil {
		r.Churn.text(b, &r.Push.Tally)
	}
	if r.CPU != nil {
		fmt.Fprintf(b, "all together\n")
		r.CPU.text(b)
	}
	if r.Polls > 0 {
		fmt.Fprintf(b, "polls          %d answered, %d of them with a new handshake\n", r.Polls,
			r.Forgotten)
	}
	if r.ServerPings > 0 {
		fmt.Fprintf(b, "server pings   %d answered\n", r.ServerPings)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(b, "FAILED         %d x %s\n", r.Failures[reason], reason)
	}
}

// verdict is an error if anything came out otherwise than it must; so many events may be lost.
func (r *report) verdict(lostMax int64) error {
	var faults []string
	failed := 0
	for _, n := range r.Failures {
		failed += n
	}
	add := func(n int64, what string) {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(int64(failed), "connections failed: "+mostOf(r.Failures))
	tally := func(t *watchTally) {
		if t.Lost > lostMax {
			add(t.Lost, "events lost")
		}
		add(t.Strayed, "events to topics that a user is not in")
		add(t.Doubled, "events doubled")
		add(t.Reordered, "events reordered")
	}
	if r.Broadcast != nil {
		tally(&r.Broadcast.Tally)
	}
	if r.Push != nil {
		tally(&r.Push.Tally)
	}
	for _, a := range []*askResult{r.Ping, r.Echo, r.Post} {
		if a != nil {
			add(a.Unsent, "questions not asked: lower the rate, or more connections")
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New("bench: " + strings.Join(faults, "; "))
}

// mostOf is the reason that most connections failed by.
func mostOf(failures map[string]int) string {
	best := ""
	for _, reason := range slices.Sorted(maps.Keys(failures)) {
		if best == "" || failures[reason] > failures[best] {
			best = reason
		}
	}
	return best
}
