package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what the kernel allows, as read before anything is started. A number that the kernel
// does not tell is 0, and is not judged then.
type machine struct {
	cores     int
	files     int // RLIMIT_NOFILE, hard
	fileMax   int // fs.file-max
	filesOpen int // of the whole host
	portLow   int // net.ipv4.ip_local_port_range
	portHigh  int
	backlog   int // net.core.somaxconn
	synQueue  int // net.ipv4.tcp_max_syn_backlog
	tcpPages  [3]int
	watches   int // fs.epoll.max_user_watches
	pidMax    int // kernel.pid_max
	tracked   int // connections that conntrack knows now
	trackMax  int
	available int64 // bytes of memory, of the host or of our cgroup, whichever is less
	cgroup    bool  // it is the cgroup's
}

const procSys = "/proc/sys/"

// readMachine reads the limits. fds > 0 lowers our own and our children's limit of open files.
func readMachine(fds int) (*machine, error) {
	m := &machine{cores: runtime.NumCPU()}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("RLIMIT_NOFILE: %w", err)
	}
	if fds > 0 {
		limit.Max = min(limit.Max, uint64(fds))
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("RLIMIT_NOFILE: %w", err)
	}
	m.files = int(min(limit.Max, 1<<30))
	numbers("fs/file-max", &m.fileMax)
	numbers("fs/file-nr", &m.filesOpen)
	numbers("net/ipv4/ip_local_port_range", &m.portLow, &m.portHigh)
	numbers("net/core/somaxconn", &m.backlog)
	numbers("net/ipv4/tcp_max_syn_backlog", &m.synQueue)
	numbers("net/ipv4/tcp_mem", &m.tcpPages[0], &m.tcpPages[1], &m.tcpPages[2])
	numbers("fs/epoll/max_user_watches", &m.watches)
	numbers("kernel/pid_max", &m.pidMax)
	m.tracked, m.trackMax = conntrack()
	host, err := readHost()
	if err != nil {
		return nil, err
	}
	m.available = host.Available
	if room, ok := cgroupRoom(); ok && room < m.available {
		m.available, m.cgroup = room, true
	}
	return m, nil
}

// numbers reads the numbers of a sysctl; those that are not there stay as they are. Some do not fit
// an int (fs.file-max may be 2^63-1): more than anybody needs.
func numbers(name string, into ...*int) {
	text, err := os.ReadFile(procSys + name)
	if err != nil {
		return
	}
	for i, field := range strings.Fields(string(text)) {
		if i == len(into) {
			return
		}
		if n, err := strconv.ParseUint(field, 10, 64); err == nil {
			*into[i] = int(min(n, 1<<50))
		}
	}
}

// conntrack is how many connections netfilter tracks in this network namespace, and the most that
// it may. While it has no rule that needs it, the count stays 0.
func conntrack() (count, most int) {
	numbers("net/netfilter/nf_conntrack_count", &count)
	numbers("net/netfilter/nf_conntrack_max", &most)
	return count, most
}

// cgroupRoom is how much memory our cgroup (version 2) and those above it still allow. The kernel's
// own memory for sockets counts there as well.
func cgroupRoom() (room int64, limited bool) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	_, path, ok := bytes.Cut(bytes.TrimSpace(text), []byte("0::/"))
	if !ok {
		return 0, false
	}
	const root = "/sys/fs/cgroup"
	for dir := filepath.Join(root, string(path)); len(dir) >= len(root); dir = filepath.Dir(dir) {
		most, err1 := readNumber(filepath.Join(dir, "memory.max"))
		now, err2 := readNumber(filepath.Join(dir, "memory.current"))
		if err1 != nil || err2 != nil {
			continue // no limit there: the file says max, or there is none
		}
		if !limited || most-now < room {
			room, limited = most-now, true
		}
	}
	return room, limited
}

func readNumber(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
