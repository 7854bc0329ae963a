package bench

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	pointEvery = 500 * time.Millisecond // of the time series
	pointsMax  = 10_000                 // then the series ends, and the run goes on
	plainEvery = 5 * time.Second        // lines on what is no terminal
	eraseLine  = "\r\x1b[K"             // to the line's beginning, and empty it: ECMA-48 EL
)

// point is how the run went for one stretch of time.
type point struct {
	At     float64 `json:"at_s"` // its end, from the beginning of the run
	Phase  string  `json:"phase"`
	Open   int     `json:"open"`
	Rate   float64 `json:"per_second"` // answers and events
	P50    int64   `json:"p50_us"`
	P99    int64   `json:"p99_us"`
	Max    int64   `json:"max_us"`
	Count  int64   `json:"count"` // of latencies
	RSS    int64   `json:"rss,omitempty"`
	CPUPct float64 `json:"core_percent"`
}

// monitor gathers what the workers tell while a run goes on: as a series of points, and as a line
// for people. On a terminal the line is drawn anew each time; elsewhere it is a line of its own.
// Any goroutine.
type monitor struct {
	w        io.Writer
	terminal bool
	every    time.Duration // below 0 = no lines

	mu      sync.Mutex
	server  server
	conns   int
	began   time.Time
	name    string // of the phase
	workers map[int]*sample
	recent  *latency
	series  []point

	done     int64 // at the last point
	cpu      cpuTime
	pointAt  time.Time
	linedAt  time.Time
	stop     chan struct{}
	stopped  chan struct{}
	stopping sync.Once
}

func newMonitor(w io.Writer, every time.Duration) *monitor {
	m := &monitor{
		w: w, terminal: isTerminal(w), every: every, workers: make(map[int]*sample),
		recent: newLatency(), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if every == 0 {
		if m.every = plainEvery; m.terminal {
			m.every = time.Second
		}
	}
	return m
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// begin starts to look at a run.
func (m *monitor) begin(s server, conns int) {
	now := time.Now()
	m.mu.Lock()
	m.server, m.conns, m.began, m.pointAt, m.linedAt = s, conns, now, now, now
	m.cpu, _ = s.cpu() // a server that is gone ends the run elsewhere
	m.mu.Unlock()
	go func() {
		defer close(m.stopped)
		tick := time.NewTicker(m.pace())
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.look()
			case <-m.stop:
				return
			}
		}
	}()
}

func (m *monitor) pace() time.Duration {
	if m.every > 0 {
		return min(pointEvery, m.every)
	}
	return pointEvery
}

// end stops it, takes the line away, and returns the series.
func (m *monitor) end() []point {
	m.stopping.Do(func() {
		close(m.stop)
		<-m.stopped
		m.look()
		if m.terminal {
			m.write(eraseLine)
		}
	})
	return m.series
}

// phase names what is done from now on.
func (m *monitor) phase(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.name = name
}

// take adds what a worker tells.
func (m *monitor) take(worker int, s *sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// Pairs of a worker of this very program are well-formed; others end the run by its replies.
	_ = m.recent.addPairs(s.Latency)
	m.workers[worker] = s
}

// opened takes over how many connections a worker has when its job is over.
func (m *monitor) opened(worker, count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := sample{Open: count}
	if last := m.workers[worker]; last != nil {
		s.Done = last.Done
	}
	m.workers[worker] = &s
}

// look makes a point of what came since the last one, and shows it if it is time.
func (m *monitor) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	took := now.Sub(m.pointAt).Seconds()
	if took < 0.01 {
		return
	}
	p := point{At: now.Sub(m.began).Seconds(), Phase: m.name}
	done := int64(0)
	for _, s := range m.workers {
		p.Open += s.Open
		done += s.Done
	}
	p.Rate = float64(done-m.done) / took
	sum := m.recent.summary()
	p.P50, p.P99, p.Max, p.Count = sum.P50, sum.P99, sum.Max, sum.Count
	if cpu, err := m.server.cpu(); err == nil && m.server != nil {
		p.CPUPct = 100 * (cpu.total - m.cpu.total).Seconds() / took
		p.RSS = m.server.resident()
		m.cpu = cpu
	}
	m.done, m.pointAt = done, now
	m.recent.h.Reset()
	if len(m.series) < pointsMax {
		m.series = append(m.series, p)
	}
	if m.every > 0 && now.Sub(m.linedAt) >= m.every-pointEvery/10 {
		m.linedAt = now
		m.show(&p)
	}
}

func (m *monitor) show(p *point) {
	line := fmt.Sprintf("%5.1fs %-10s %d of %d open, %.0f/s", p.At, p.Phase, p.Open, m.conns, p.Rate)
	if p.Count > 0 {
		line += fmt.Sprintf(", p50 %v p99 %v max %v", micros(p.P50), micros(p.P99), micros(p.Max))
	}
	if m.server != nil {
		line += fmt.Sprintf(", server %.0f%% CPU %s", p.CPUPct, mib(p.RSS))
	}
	if m.terminal {
		m.write(eraseLine + line)
	} else {
		m.write(line + "\n")
	}
}

// write has nobody to tell when the place for telling is gone.
func (m *monitor) write(text string) { _, _ = io.WriteString(m.w, text) }

// resident is the RSS of the server as /proc/P/statm says it, which costs the kernel nothing; the
// exact figure (smaps_rollup) walks all pages. 0 = not to be had.
func (s server) resident() (sum int64) {
	for _, pid := range s {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		fields := bytes.Fields(text)
		if err != nil || len(fields) < 2 {
			return 0
		}
		pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return 0
		}
		sum += pages * int64(os.Getpagesize())
	}
	return sum
}
