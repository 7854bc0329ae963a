package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// print says what the machine allows, and what is made of it.
func (p *plan) print(w io.Writer, asked int) {
	for _, f := range p.findings {
		fmt.Fprintf(w, "%-64s %s (needed: %s)\n", f.What, f.Have, f.Need)
		if f.Set != "" {
			effect := "may be slow"
			if f.hard {
				effect = "enough for " + count(max(f.fits, 0))
			}
			fmt.Fprintf(w, "    %s. Set: %s\n", effect, f.Set)
		}
	}
	if p.conns < asked {
		fmt.Fprintf(w, "%s connections were asked for; %s fit here, and so many are opened.\n",
			count(asked), count(max(p.conns, 0)))
	}
	fmt.Fprintf(w, "%s connections: %d chskd with %d loop(s) each, %d load processes, %d source "+
		"addresses\n", count(p.conns), p.servers, p.loops, len(p.shares), len(p.sources))
}

// markdown is the report for people.
func (r *report) markdown() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s WebSockets on one machine\n\n", count(r.Conns))
	if r.Conns < r.Asked {
		fmt.Fprintf(b, "%s were asked for.\n\n", count(r.Asked))
	}
	m := &r.Machine
	fmt.Fprintf(b, "%s UTC, %d cores, %s available before, Linux %s, %s, %s open files a process.\n"+
		"%d chskd with %d loop(s) each on one port, %d load processes, %d source addresses. Keep-alive "+
		"%gs, ping timeout %gs.\n\n    %s\n", r.When, m.Cores, mib(m.Memory), m.Kernel, m.Go,
		count(m.Files), r.Servers, r.Loops, r.Workers, r.Sources, r.KaliveS, r.PingOutS, r.Command)
	r.writeConnect(b)
	r.writeMemory(b)
	r.writeCPU(b)
	r.writeDelivery(b)
	r.writeLimits(b)
	b.WriteString("\n## Verdict\n\n")
	if len(r.Faults) == 0 {
		b.WriteString("Nothing was lost, doubled, reordered or closed.\n")
	}
	for _, f := range r.Faults {
		fmt.Fprintf(b, "- %s\n", f)
	}
	return b.String()
}

func (r *report) writeConnect(b *strings.Builder) {
	c := &r.Connect
	fmt.Fprintf(b, "\n## Connecting\n\n%s in %.1f s: %s a second. %d tried again, %d given up",
		count(c.Open), c.Seconds, count(int(c.Rate)), c.Retries, c.GaveUp)
	if c.OutOfTime {
		b.WriteString(" (time was over)")
	}
	fmt.Fprintf(b, ". Handshake, from `connect` to `:chsk/handshake`: %v.\n", c.Handshakes)
	if len(c.Each) > 1 {
		fmt.Fprintf(b, "The chskd had %s to %s each.\n", count(slices.Min(c.Each)),
			count(slices.Max(c.Each)))
	}
	for _, why := range slices.Sorted(maps.Keys(c.Reasons)) {
		fmt.Fprintf(b, "- %d times %s\n", c.Reasons[why], why)
	}
}

func (r *report) writeMemory(b *strings.Builder) {
	m := &r.Memory
	b.WriteString("\n## Memory\n\n| | nothing open | all open, idle | after pushes and broadcast | " +
		"a connection (bytes) |\n|---|--:|--:|--:|--:|\n")
	p := &m.PerConn
	for _, row := range []struct {
		name            string
		base, idle, end int64
		each            float64
	}{
		{"RSS of the chskd", m.Base.Servers.RSS, m.Idle.Servers.RSS, m.End.Servers.RSS, p.ServerRSS},
		{"PSS of the chskd", m.Base.Servers.PSS, m.Idle.Servers.PSS, m.End.Servers.PSS, p.ServerPSS},
		{"PSS of the load", m.Base.Load.PSS, m.Idle.Load.PSS, m.End.Load.PSS, p.LoadPSS},
		{"kernel Slab, both ends", m.Base.Host.Slab, m.Idle.Host.Slab, m.End.Host.Slab, p.Slab},
		{"TCP buffers", m.Base.Host.TCPMemory, m.Idle.Host.TCPMemory, m.End.Host.TCPMemory,
			p.TCPMemory},
		{"MemAvailable", m.Base.Host.Available, m.Idle.Host.Available, m.End.Host.Available,
			-p.Available},
	} {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.0f |\n", row.name, mib(row.base), mib(row.idle),
			mib(row.end), row.each)
	}
	fmt.Fprintf(b, "\nMost TCP buffers at any time: %s. Least memory available: %s. TCP sockets of "+
		"the host: %s before, %s with all open, %s after the end; available then: %s.\n",
		mib(m.TCPPeak), mib(m.LowestAvailable), count(m.Base.Host.TCPSockets),
		count(m.Idle.Host.TCPSockets), count(m.After.TCPSockets), mib(m.After.Available))
}

func (r *report) writeCPU(b *strings.Builder) {
	b.WriteString("\n## CPU, in cores\n\n| | seconds | chskd | load | driver | others | stolen | " +
		"idle |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range r.Stages {
		fmt.Fprintf(b, "| %s | %.1f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |\n", s.Name, s.Seconds,
			s.Servers, s.Load, s.Driver, s.Others, s.Stolen, s.Idle)
	}
	fmt.Fprintf(b, "\nPings in the quiet half: %s, all answered. Connections that closed: %d.\n",
		count(r.Hold.Pings), r.Hold.Closed)
}

func (r *report) writeDelivery(b *strings.Builder) {
	p, c, t := &r.Push, &r.Broadcast, &r.Tally
	fmt.Fprintf(b, "\n## Delivery\n\n| | sent | right answers | delivered | from due to arrival |\n"+
		"|---|--:|--:|--:|---|\n")
	fmt.Fprintf(b, "| pushes to random users, %g/s | %s | %s | %s | %v |\n", p.Rate, count(p.Sent),
		count(p.Answered), count(t.Events[toUser]), p.Latency)
	fmt.Fprintf(b, "| one broadcast to each chskd | %d | %d | %s of %s | %v |\n", r.Servers,
		c.Answered, count(t.Events[toAll]), count(c.Expected), c.Latency)
	fmt.Fprintf(b, "\nLost %s, doubled %s, reordered %s. The pusher fell at most %v behind. The "+
		"broadcast was taken by all chskd after %v and had reached everybody after %.2f s: %s "+
		"deliveries a second.\n",
		count(t.Lost), count(t.Doubled), count(t.Reordered),
		(time.Duration(p.LateUs) * time.Microsecond).Round(10*time.Microsecond),
		(time.Duration(c.AnsweredUs) * time.Microsecond).Round(time.Millisecond), c.Seconds,
		count(int(float64(t.Events[toAll])/max(c.Seconds, 0.001))))
}

func (r *report) writeLimits(b *strings.Builder) {
	b.WriteString("\n## Limits\n\n| | here | needed |\n|---|--:|---|\n")
	for _, f := range r.Limits {
		fmt.Fprintf(b, "| %s | %s | %s |\n", f.What, f.Have, f.Need)
	}
}
