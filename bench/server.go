package bench

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

// server is the processes under load, as the kernel accounts for them. nil = not known, and then
// a report leaves out what it would say of them.
type server []int

// cpuTime is processor time of all threads of the server, exited ones included.
type cpuTime struct {
	total        time.Duration // to the ns: the process's own clock
	user, system time.Duration // proc_pid_stat(5), sampled each 10 ms: good for their proportion
}

// memory is the sum of /proc/P/smaps_rollup, in bytes.
type memory struct {
	RSS       int64 `json:"rss"`
	PSS       int64 `json:"pss"`
	Anonymous int64 `json:"anonymous"`
}

func (s server) cpu() (cpuTime, error) {
	var sum cpuTime
	for _, pid := range s {
		one, err := processCPU(pid)
		if err != nil {
			return cpuTime{}, fmt.Errorf("bench: server (pid %d): %w", pid, err)
		}
		sum.total += one.total
		sum.user += one.user
		sum.system += one.system
	}
	return sum, nil
}

func (a cpuTime) sub(b cpuTime) cpuTime {
	return cpuTime{a.total - b.total, a.user - b.user, a.system - b.system}
}

// processCPU reads the CPU clock of a process, which clock_getcpuclockid(3) numbers ~pid<<3 | 2.
func processCPU(pid int) (cpuTime, error) {
	t, err := statCPU(pid)
	if err != nil {
		return t, err
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err == nil {
		t.total = time.Duration(ts.Nano())
	}
	return t, nil
}

// statCPU reads utime and stime, fields 14 and 15 of /proc/P/stat. The second field may contain
// anything, so that counting begins behind its last bracket.
func statCPU(pid int) (cpuTime, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return cpuTime{}, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return cpuTime{}, errors.New("unreadable stat")
	}
	const tick = time.Second / 100 // USER_HZ is 100 on every architecture that Go runs on
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	t := cpuTime{user: time.Duration(user) * tick, system: time.Duration(system) * tick}
	t.total = t.user + t.system
	return t, errors.Join(err1, err2)
}

func (s server) memory() (memory, error) {
	var sum memory
	for _, pid := range s {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return memory{}, fmt.Errorf("bench: server (pid %d): %w", pid, err)
		}
		kb := kilobytes(text)
		sum.RSS += kb["Rss"]
		sum.PSS += kb["Pss"]
		sum.Anonymous += kb["Anonymous"]
	}
	return sum, nil
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

// kernelMemory is what the whole host's kernel holds. It counts both ends of a connection to this
// host, and whatever else the host does: read it on a quiet machine.
type kernelMemory struct {
	Slab    int64 `json:"slab"`       // bytes of kernel objects: sockets, files, epoll items
	TCP     int64 `json:"tcp_memory"` // bytes charged to TCP buffers
	Sockets int64 `json:"tcp_inuse"`
}

func readKernel() (kernelMemory, error) {
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return kernelMemory{}, fmt.Errorf("bench: %w", err)
	}
	k := kernelMemory{Slab: kilobytes(meminfo)["Slab"]}
	sockstat, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return kernelMemory{}, fmt.Errorf("bench: %w", err)
	}
	for line := range strings.Lines(string(sockstat)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(words); i += 2 {
			n, _ := strconv.ParseInt(words[i+1], 10, 64) // the kernel prints numbers here
			switch words[i] {
			case "inuse":
				k.Sockets = n
			case "mem":
				k.TCP = n * int64(os.Getpagesize())
			}
		}
	}
	return k, nil
}

// fit is the least squares line through points (x, y).
type fit struct {
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
	R2        float64 `json:"r2"` // 1 = all points lie on the line
}

// leastSquares fits a line; fewer than two different x give the zero fit.
func leastSquares(x, y []float64) fit {
	n := float64(len(x))
	var sumX, sumY, xx, xy, yy float64
	for i := range x {
		sumX += x[i]
		sumY += y[i]
	}
	if n < 2 {
		return fit{}
	}
	meanX, meanY := sumX/n, sumY/n
	for i := range x {
		dx, dy := x[i]-meanX, y[i]-meanY
		xx += dx * dx
		xy += dx * dy
		yy += dy * dy
	}
	if xx == 0 {
		return fit{}
	}
	f := fit{Slope: xy / xx, R2: 1}
	f.Intercept = meanY - f.Slope*meanX
	if yy > 0 {
		f.R2 = xy * xy / (xx * yy)
	}
	return f
}
