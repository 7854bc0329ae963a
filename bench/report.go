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

	Handshakes *handshakeResult `json:"handshakes,omitempty"`
	Idle       *idleResult      `json:"idle,omitempty"`
	Ping       *pingResult      `json:"ping,omitempty"`
	Broadcast  *broadcastResult `json:"broadcast,omitempty"`
	Push       *pushResult      `json:"push,omitempty"`
	Echo       *echoResult      `json:"echo,omitempty"`

	ServerPings int64          `json:"server_pings_answered"`
	Failures    map[string]int `json:"failures,omitempty"` // connections by what went wrong
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
	fmt.Fprintf(&b, "%s: %d WebSockets (%s) to %s from %d process(es)\n",
		r.Scenario, r.Conns, r.Packer, r.URL, r.Processes)
	if h := r.Handshakes; h != nil {
		fmt.Fprintf(&b, "handshakes     %d, %.0f/s\n", h.Count, h.PerSecond)
		fmt.Fprintf(&b, "  server CPU   %v\n  latency      %v\n", h.CPU, h.Latency)
	}
	r.Idle.text(&b)
	r.Ping.text(&b)
	r.Broadcast.text(&b)
	r.Push.text(&b)
	r.Echo.text(&b)
	if r.ServerPings > 0 {
		fmt.Fprintf(&b, "server pings   %d answered\n", r.ServerPings)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(&b, "FAILED         %d x %s\n", r.Failures[reason], reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict is an error if anything came out otherwise than it must.
func (r *report) verdict() error {
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
		add(t.Lost, "events lost")
		add(t.Doubled, "events doubled")
		add(t.Reordered, "events reordered")
	}
	if r.Broadcast != nil {
		tally(&r.Broadcast.Tally)
	}
	if r.Push != nil {
		tally(&r.Push.Tally)
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
