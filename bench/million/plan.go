package main

import (
	"fmt"
	"math"
	"net"
	"strings"
	"time"
)

// What things need. Measured with Linux 6.18 and Go 1.26 (docs/million.md).
const (
	kernelBytes  = 10_200   // of a connection: a socket, file and epoll item at either end
	serverBytes  = 1000     // of a connection, in chskd
	workerBytes  = 250      // of a connection, in a load process
	serverBase   = 16 << 20 // of a chskd without clients
	workerBase   = 8 << 20  // of a load process without connections
	workerSpare  = 64       // descriptors of a load process that are not connections
	spareFiles   = 100      // of any of the processes: what the host has to have besides
	connsPerPage = 4        // of TCP buffers: a broadcast to a million took a page for eleven
	threadsEach  = 16       // of a process, at most
	serversMax   = 1000     // numbered in 16 bits
	workersMax   = 1000
	sigmas       = 6

	// Pings a second: with 12 processes a third of a core, with 110 most of one (docs/million.md).
	pingsPerCore  = 4000
	kaliveLeast   = 25 * time.Second // chskd's own defaults
	pingTimeLeast = 10 * time.Second
	perSecond     = 20_000 // deliveries of a broadcast on a machine that is busy otherwise
)

// plan is how the connections are divided.
type plan struct {
	conns   int // that fit
	servers int
	loops   int   // of each
	room    int   // connections that each may have
	shares  []int // of the load processes
	sources []string

	kalive, pingTimeout time.Duration

	findings []finding
}

// finding is one limit of the machine, and what a run of this size asks of it.
type finding struct {
	What   string `json:"what"`
	Have   string `json:"have"`
	Need   string `json:"need"`
	Set    string `json:"set,omitempty"`    // what to do; "" = it suffices
	Sysctl string `json:"sysctl,omitempty"` // that --set-sysctls sets, as a path below /proc/sys
	Value  string `json:"value,omitempty"`
	fits   int    // connections that it allows
	hard   bool   // no more than fits is tried
}

// makePlan divides the connections that o asks for, or as many as fit.
func makePlan(o *options, m *machine) (*plan, error) {
	p := &plan{conns: o.conns}
	if err := p.divide(o, m); err != nil {
		return nil, err
	}
	p.judge(m, int64(o.minFree)<<20)
	for _, f := range p.findings {
		if f.hard {
			p.conns = min(p.conns, f.fits)
		}
	}
	if p.conns < o.conns {
		if p.conns < 1 {
			return p, fmt.Errorf("no connection fits: %s", p.short())
		}
		if err := p.divide(o, m); err != nil {
			return nil, err
		}
	}
	p.sources = sourcesOf(p.conns, m)
	p.keepAlive(o, m)
	return p, nil
}

// divide finds how many processes p.conns need.
func (p *plan) divide(o *options, m *machine) error {
	each := m.files - workerSpare
	if each < 1 {
		return fmt.Errorf("only %d open files for a process: set `ulimit -Hn` (LimitNOFILE)", m.files)
	}
	workers := max(o.workers, (p.conns+each-1)/each)
	for p.servers = max(o.servers, 1); p.servers <= serversMax; p.servers++ {
		p.loops = max(1, (m.cores+p.servers-1)/p.servers)
		p.room = serverRoom(m.files, p.loops)
		if p.fullest() <= p.room {
			break
		}
	}
	if p.servers > serversMax || workers > workersMax {
		return fmt.Errorf("%d open files a process are too few for %d connections: set `ulimit -Hn` "+
			"(LimitNOFILE) to %d or more", m.files, p.conns, 2*p.conns/serversMax+4096)
	}
	p.room = min(p.room, p.fullest()+1024)
	p.shares = make([]int, workers)
	for i := range p.shares {
		p.shares[i] = p.conns*(i+1)/workers - p.conns*i/workers
	}
	return nil
}

// keepAlive makes the times such that the pings leave most of the machine idle, and that nobody is
// given up whose answer waits behind a broadcast.
func (p *plan) keepAlive(o *options, m *machine) {
	p.kalive, p.pingTimeout = o.kalive, o.pingTimeout
	if p.kalive == 0 {
		all := float64(p.conns) / float64(pingsPerCore*m.cores)
		p.kalive = max(kaliveLeast, time.Duration(all)*time.Second)
	}
	if p.pingTimeout == 0 {
		p.pingTimeout = max(pingTimeLeast, time.Duration(p.conns/perSecond)*time.Second)
	}
}

// fullest is how many connections the fullest chskd gets: the kernel gives each new one to any of
// them, so that their counts are spread as those of thrown dice.
func (p *plan) fullest() int {
	mean := float64(p.conns) / float64(p.servers)
	if p.servers == 1 {
		return p.conns
	}
	return int(mean+sigmas*math.Sqrt(mean)) + 1
}

// serverRoom is how many clients chskd takes with so many open files: it keeps back what its loops,
// backends and held requests may need.
func serverRoom(files, loops int) int {
	room := files - (32 + 5*loops) - min(1024, max(files/8, 16))
	return room - min(1024, room/8)
}

// judge compares what p.conns need with what the machine has.
func (p *plan) judge(m *machine, minFree int64) {
	n, processes := p.conns, p.servers+len(p.shares)
	p.add(finding{What: "open files of a process (ulimit -Hn, LimitNOFILE)", Have: count(m.files),
		Need: fmt.Sprintf("any number: %d chskd and %d load processes with this one", p.servers,
			len(p.shares))}, true, "")
	others := m.filesOpen + processes*spareFiles
	p.limit(m.fileMax, 2*n+others, (m.fileMax-others)/2, true, "open files of the host", "fs/file-max")
	p.limit(m.watches, 2*n+others, (m.watches-others)/2, true, "watches of a user's epolls",
		"fs/epoll/max_user_watches")
	p.limit(m.backlog, 1024, n, false, "accept queue", "net/core/somaxconn")
	p.limit(m.synQueue, 1024, n, false, "queue of handshakes", "net/ipv4/tcp_max_syn_backlog")
	p.limit(m.tcpPages[1], n/connsPerPage, n, false, "TCP buffers, pages (the second number)",
		"net/ipv4/tcp_mem")
	p.limit(m.pidMax, processes*threadsEach+1000, n, false, "process and thread numbers",
		"kernel/pid_max")
	if m.trackMax > 0 && m.tracked > 0 {
		p.limit(m.trackMax, n+m.tracked, m.trackMax-m.tracked, true, "connections that netfilter tracks",
			"net/netfilter/nf_conntrack_max")
	}
	p.add(finding{What: "local ports (net.ipv4.ip_local_port_range)",
		Have: fmt.Sprintf("%d to %d", m.portLow, m.portHigh),
		Need: fmt.Sprintf("any range: %d source addresses 127.x.y.z with this one",
			n/portsEach(m)+1)}, true, "")

	base := int64(p.servers)*serverBase + int64(len(p.shares))*workerBase + minFree
	const each = kernelBytes + serverBytes + workerBytes
	f := finding{What: "memory available", Have: mib(m.available), Need: mib(base + int64(n)*each),
		fits: int(max(m.available-base, 0) / each), hard: true}
	what := "more memory, or --min-free lower"
	if m.cgroup {
		f.What += " (of the cgroup)"
		what = "the cgroup's memory.max (MemoryMax) higher"
	}
	p.add(f, m.available >= base+int64(n)*each, what)
}

// limit adds the finding of one sysctl.
func (p *plan) limit(have, need, fits int, hard bool, what, sysctl string) {
	name := strings.ReplaceAll(sysctl, "/", ".")
	f := finding{What: what + " (" + name + ")", Have: count(have), Need: count(need), fits: fits,
		hard: hard, Sysctl: sysctl, Value: fmt.Sprint(need)}
	if sysctl == "net/ipv4/tcp_mem" {
		f.Value = fmt.Sprint(need*3/4, need, need*2)
	}
	p.add(f, have == 0 || have >= need, fmt.Sprintf(`sysctl -w %s="%s"`, name, f.Value))
}

func (p *plan) add(f finding, enough bool, set string) {
	if enough {
		f.Sysctl, f.Value, f.hard = "", "", false
	} else {
		f.Set = set
	}
	p.findings = append(p.findings, f)
}

// short says what is too small, in one sentence a limit.
func (p *plan) short() string {
	var list []string
	for _, f := range p.findings {
		if f.Set != "" {
			list = append(list, fmt.Sprintf("%s: %s, needed %s: %s", f.What, f.Have, f.Need, f.Set))
		}
	}
	return strings.Join(list, "; ")
}

// portsEach is how many local ports of each source address are to be used: a quarter of those that
// connect(2) takes first, which are every other one of the range. It tries them one by one until
// one is free: with nearly all in use a machine made 380 connections a second instead of 4,500.
func portsEach(m *machine) int { return max((m.portHigh-m.portLow+1)/8, 1) }

// sourcesOf names as many loopback addresses as the connections need.
func sourcesOf(conns int, m *machine) (list []string) {
	for i := range conns/portsEach(m) + 1 {
		list = append(list, net.IPv4(127, 1, byte(i/250), byte(i%250)+1).String())
	}
	return list
}

// count is a number as people read it: 1,000,000.
func count[N int | int64](n N) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func mib(bytes int64) string { return count(bytes>>20) + " MiB" }
