package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// host is what the kernel says of the whole machine, in bytes. Neighbours are in it.
type host struct {
	Available   int64 `json:"available"` // MemAvailable
	Slab        int64 `json:"slab"`      // kernel objects: sockets, files, epoll items
	PageTables  int64 `json:"page_tables"`
	KernelStack int64 `json:"kernel_stack"`
	TCPSockets  int64 `json:"tcp_sockets"` // open ones, not bytes
	TCPMemory   int64 `json:"tcp_memory"`  // charged for what waits in buffers
}

// readHost reads /proc/meminfo and /proc/net/sockstat.
func readHost() (h host, err error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return h, err
	}
	kb := kilobytes(text)
	h.Available, h.Slab = kb["MemAvailable"], kb["Slab"]
	h.PageTables, h.KernelStack = kb["PageTables"], kb["KernelStack"]
	if text, err = os.ReadFile("/proc/net/sockstat"); err != nil {
		return h, err
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(words); i += 2 {
			n, _ := strconv.ParseInt(words[i+1], 10, 64) // the kernel prints numbers here
			switch words[i] {
			case "inuse":
				h.TCPSockets = n
			case "mem":
				h.TCPMemory = n * int64(os.Getpagesize())
			}
		}
	}
	return h, nil
}

// kilobytes reads lines of `Name:   123 kB` as bytes by name.
func kilobytes(text []byte) map[string]int64 {
	sizes := make(map[string]int64)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && unit == "kB" {
			sizes[name] = n << 10
		}
	}
	return sizes
}

// memory is the sum of /proc/P/smaps_rollup, in bytes. PSS divides what processes share.
type memory struct {
	RSS int64 `json:"rss"`
	PSS int64 `json:"pss"`
}

func memoryOf(pids []int) (m memory, err error) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return m, err
		}
		kb := kilobytes(text)
		m.RSS += kb["Rss"]
		m.PSS += kb["Pss"]
	}
	return m, nil
}

// snapshot is the memory at one moment.
type snapshot struct {
	Host    host   `json:"host"`
	Servers memory `json:"servers"`
	Load    memory `json:"load"`
}

// usage is processor time: of the processes by their own clocks (user and kernel, all threads),
// of the host as the kernel samples it.
type usage struct {
	at                    time.Time
	servers, load, driver time.Duration
	busy, idle, stolen    time.Duration // of all cores
}

// cpuOf reads the CPU clocks of processes, which clock_getcpuclockid(3) numbers ~pid<<3 | 2.
func cpuOf(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
			return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
		}
		sum += time.Duration(ts.Nano())
	}
	return sum, nil
}

func readUsage(servers, load []int) (u usage, err error) {
	u.at = time.Now()
	var errs [3]error
	u.servers, errs[0] = cpuOf(servers)
	u.load, errs[1] = cpuOf(load)
	u.driver, errs[2] = cpuOf([]int{os.Getpid()})
	text, err := os.ReadFile("/proc/stat")
	if err = errors.Join(append(errs[:], err)...); err != nil {
		return u, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	for i, field := range strings.Fields(string(line)) {
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks := time.Duration(n) * (time.Second / 100) // USER_HZ is 100 wherever Go runs
		switch i {
		case 4, 5: // idle, iowait
			u.idle += ticks
		case 1, 2, 3, 6, 7: // user nice system irq softirq
			u.busy += ticks
		case 8:
			u.stolen += ticks
		}
	}
	return u, nil
}

// stage is what a part of the run took, in cores: 1 = one core all the time.
type stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Servers float64 `json:"servers_cores"`
	Load    float64 `json:"load_cores"`
	Driver  float64 `json:"driver_cores"`
	Others  float64 `json:"others_cores"` // the rest of what is busy: neighbours, kernel threads
	Stolen  float64 `json:"stolen_cores"` // by the host of a virtual machine
	Idle    float64 `json:"idle_cores"`
}

func stageOf(name string, a, b usage) stage {
	s := b.at.Sub(a.at).Seconds()
	cores := func(d time.Duration) float64 { return d.Seconds() / max(s, 0.001) }
	st := stage{
		Name: name, Seconds: s, Servers: cores(b.servers - a.servers), Load: cores(b.load - a.load),
		Driver: cores(b.driver - a.driver), Idle: cores(b.idle - a.idle),
		Stolen: cores(b.stolen - a.stolen),
	}
	st.Others = max(cores(b.busy-a.busy)-st.Servers-st.Load-st.Driver, 0)
	return st
}
