package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	fdSpare    = 64 // descriptors of a worker that are not connections: epoll, pipes, Go's own
	workersMax = 64 // processes of one run
)

// raiseFiles reads RLIMIT_NOFILE, raises its soft value to the hard one, and returns how many
// descriptors a process may have.
func raiseFiles() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("bench: RLIMIT_NOFILE: %w", err)
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return 0, fmt.Errorf("bench: RLIMIT_NOFILE: %w", err)
		}
	}
	return int(min(limit.Cur, 1<<30)), nil
}

// shares divides conns over as few processes as the limit of descriptors allows, or perProcess if
// that is less (0 = as many as the limit allows).
func shares(conns, perProcess, files int) ([]int, error) {
	room := files - fdSpare
	if room < 1 {
		return nil, fmt.Errorf("bench: only %d file descriptors: set `ulimit -n` (or LimitNOFILE) "+
			"to at least %d", files, fdSpare+conns)
	}
	if perProcess > 0 {
		room = min(room, perProcess)
	}
	count := (conns + room - 1) / room
	if count > workersMax {
		return nil, fmt.Errorf("bench: %d connections at %d a process need %d processes, over the "+
			"limit of %d: set `ulimit -Hn` (or LimitNOFILE; at most sysctl fs.nr_open) to %d",
			conns, room, count, workersMax, conns/workersMax+1+fdSpare)
	}
	list := make([]int, count)
	for i := range list {
		list[i] = conns*(i+1)/count - conns*i/count
	}
	return list, nil
}

// sources names as many loopback addresses as conns need of local ports. Half of the port range a
// piece: connect(2) finds a port quickly among the even ones and searches long among the rest.
func sources(t *target, conns int) ([]string, error) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil {
		return nil, fmt.Errorf("bench: ip_local_port_range: %w", err)
	}
	each := max((high-low+1)/2, 1)
	if !t.loopback() {
		if conns > high-low+1 {
			return nil, fmt.Errorf("bench: %d connections from one address, which has %d ports: "+
				"give several with --source, or set sysctl net.ipv4.ip_local_port_range", conns, high-low+1)
		}
		return nil, nil
	}
	list := make([]string, 0, conns/each+1)
	for i := range conns/each + 1 {
		list = append(list, net.IPv4(127, byte(i>>16), byte(i>>8), byte(i)+1).String())
	}
	return list, nil
}

// checkServerFiles refuses a run that the server's own limit of descriptors cannot hold.
func checkServerFiles(pid, conns int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		return nil // not ours to read; the run itself will tell
	}
	_, line, _ := strings.Cut(string(text), "Max open files")
	fields := strings.Fields(line)
	if len(fields) < 1 {
		return nil
	}
	limit, err := strconv.Atoi(fields[0])
	if err == nil && limit < conns {
		return fmt.Errorf("bench: the server (pid %d) may open %d files, fewer than %d connections: "+
			"start it with a higher `ulimit -n` (or LimitNOFILE)", pid, limit, conns)
	}
	return nil
}

// advice says what to set when the kernel refuses a connection for want of something.
func advice(err error) string {
	switch {
	case errors.Is(err, unix.EMFILE):
		return ": raise `ulimit -n` (or LimitNOFILE)"
	case errors.Is(err, unix.ENFILE):
		return ": raise sysctl fs.file-max"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return ": no free local port: widen sysctl net.ipv4.ip_local_port_range, or more --source"
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
		return ": raise sysctl net.ipv4.tcp_mem"
	}
	return ""
}
