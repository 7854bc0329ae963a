package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cost is what some operations cost the server.
type cost struct {
	Operations int64   `json:"operations"`
	EachUs     float64 `json:"each_us"`
	UserUs     float64 `json:"user_us"`
	TotalS     float64 `json:"total_s"`
}

// usage is processor time of a process: the total to the ns, its parts sampled by the kernel.
type usage struct {
	total        time.Duration
	user, system int64 // ticks
}

func newCost(used usage, operations int64) cost {
	c := cost{Operations: operations, TotalS: used.total.Seconds()}
	if operations > 0 {
		c.EachUs = float64(used.total.Nanoseconds()) / 1000 / float64(operations)
	}
	if ticks := used.user + used.system; ticks > 0 {
		c.UserUs = c.EachUs * float64(used.user) / float64(ticks)
	}
	return c
}

// readUsage reads the CPU clock of a process, which clock_getcpuclockid(3) numbers ~pid<<3 | 2, and
// fields 14 and 15 of /proc/P/stat.
func readUsage(pid int) (u usage, err error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
		return u, err
	}
	u.total = time.Duration(ts.Nano())
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return u, fmt.Errorf("process %d has an unreadable stat", pid)
	}
	if u.user, err = strconv.ParseInt(string(fields[11]), 10, 64); err != nil {
		return u, err
	}
	u.system, err = strconv.ParseInt(string(fields[12]), 10, 64)
	return u, err
}

func (u *usage) add(v usage) {
	u.total, u.user, u.system = u.total+v.total, u.user+v.user, u.system+v.system
}

// measure is what a process uses while do runs.
func measure(pid int, do func() error) (usage, error) {
	before, err := readUsage(pid)
	if err != nil {
		return usage{}, err
	}
	if err := do(); err != nil {
		return usage{}, err
	}
	after, err := readUsage(pid)
	return usage{after.total - before.total, after.user - before.user, after.system - before.system}, err
}

// memory is the resident bytes of a process.
func memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == "Rss:" {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no Rss", pid)
}

// fit is the line of least squares through some points.
type fit struct {
	Slope float64 `json:"slope"`
	R2    float64 `json:"r2"`
}

func leastSquares(x, y []float64) fit {
	var mx, my float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(y))
	}
	var xx, xy, yy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		xy += (x[i] - mx) * (y[i] - my)
		yy += (y[i] - my) * (y[i] - my)
	}
	if xx == 0 || yy == 0 {
		return fit{}
	}
	return fit{Slope: xy / xx, R2: xy * xy / (xx * yy)}
}
