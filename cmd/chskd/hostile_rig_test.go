package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Tests with hostile clients: the daemon itself over real sockets, under attack. In each of them
//
//	two healthy clients beside it, one of each transport, and their backend go on: what they ask
//	is answered, what is pushed to them comes, nothing else does (hostile_healthy_test.go);
//	counters say that the attack was under way, and by what it was met;
//	afterwards connections, sessions, files, buffers and memory are as before (ledger);
//	nothing panicked, and the log has not a line for each thing that a peer did.
//
//	hostile_slow_test.go     heads, bodies, handshakes that are never whole
//	hostile_readers_test.go  peers that do not read what they are sent
//	hostile_frames_test.go   fragments, control frames, ends in the middle of something
//	hostile_flood_test.go    too many connections, upgrades, fields, requests on one connection
//	hostile_polls_test.go    too many polls, sends and client-ids
//	hostile_values_test.go   values that are deep, and names that are long
//	hostile_gone_test.go     peers that vanish without a word
//	hostile_files_test.go    no file descriptor left
//	hostile_theft_test.go    client-ids of others
//	hostile_hook_test.go     an application that does not answer
//	hostile_backend_test.go  a backend that does not read
//
// Messages that inflate without end are in packers_bomb_test.go, one stalled reader among many in
// e2e_stall_test.go, --max-conns in http_cap_test.go.

// Slack of the ledger. The heap's is what a garbage collector with these settings may leave, and
// tables that keep their size; resident memory is given back to the system by and by.
const (
	hostileGC   = "GOGC=50"
	hostileMem  = "GOMEMLIMIT=48MiB"
	slackHeap   = 10 << 20
	slackRSS    = 40 << 20
	slackFiles  = 6    // requests of this test to the API socket
	slackBufs   = 64   // events of the healthy clients on their way
	slackSends  = 1000 // and what they were answered in the last 10 s, in case a browser asks again
	slackGo     = 24   // goroutines, two for each request to the API socket
	slackLines  = 8    // of the log
	hostileWait = 90 * time.Second
)

// hostileFlags make short what attacks wait for. The healthy clients are never silent for as long.
var hostileFlags = []string{
	"--head-timeout", "2s", "--idle-timeout", "3s",
	"--ws-kalive-ms", "2000", "--ws-ping-timeout-ms", "3000", "--lp-timeout-ms", "2000",
	"--send-buf-ms-ajax", "10", "--session-keep-ms", "1000",
	"--ms-allow-reconnect-before-close-ws", "100", "--ms-allow-reconnect-before-close-ajax", "2000",
}

// plan is how a daemon is started that will be attacked. The zero value is a good one.
type plan struct {
	flags   []string
	files   int      // limit of open files, 0 = as it is
	query   string   // of the healthy clients' requests, as "&uid=alice"
	fields  []string // of their heads
	prelude string   // what their connections begin with
}

// siege is a daemon under attack.
type siege struct {
	t       *testing.T
	d       *daemon
	healthy []*healthy
	counts  series // before the attack
	before  ledger
	lines   int // of the log, before
}

// besiege starts a daemon, its backend and two healthy clients, and writes down what there is.
func besiege(t *testing.T, p plan) *siege {
	t.Helper()
	under := []string{"env", hostileGC, hostileMem}
	if p.files > 0 {
		under = append(limitedFiles(p.files), under...)
	}
	s := &siege{t: t, d: startDaemonUnder(t, under, append(slices.Clone(hostileFlags), p.flags...)...)}
	s.settle(p)
	return s
}

// settle brings the healthy clients, and writes down what there is then.
func (s *siege) settle(p plan) {
	s.t.Helper()
	ctx, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	s.t.Cleanup(func() { // before the daemon ends
		for _, h := range s.healthy {
			h.leave()
		}
		end()
		all.Wait()
	})
	startHealthyBackend(ctx, s.t, s.d, &all)
	s.healthy = []*healthy{healthyWS(s.t, s.d, p), healthyAjax(s.t, s.d, p)}
	for _, h := range s.healthy {
		all.Go(h.run)
	}
	s.goesOn()
	s.counts = scrape(s.t, s.d)
	s.before = s.look()
	s.lines = strings.Count(s.d.Stderr(), "\n")
}

// goesOn waits until both healthy clients have done some rounds that began after now.
func (s *siege) goesOn() {
	s.t.Helper()
	const rounds = 4
	want := make([]int64, len(s.healthy))
	for i, h := range s.healthy {
		want[i] = h.rounds.Load() + rounds
	}
	s.await(func() error {
		for i, h := range s.healthy {
			if err := h.failed.Load(); err != nil {
				s.t.Fatalf("the healthy client over %s: %v", h.name, *err)
			}
			if got := h.rounds.Load(); got < want[i] {
				return fmt.Errorf("the healthy client over %s stands at round %d", h.name, got)
			}
		}
		return nil
	})
}

// await waits until check finds nothing to complain about.
func (s *siege) await(check func() error) {
	s.t.Helper()
	for deadline := time.Now().Add(hostileWait); ; time.Sleep(30 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal(err)
		}
	}
}

// grew says by how much the sum of counters has grown since the attack began. A name is one of a
// scrape, with its labels; one that ends in `{` stands for all with other labels.
func (s *siege) grew(names ...string) (n int) {
	s.t.Helper()
	return int(s.counted(scrape(s.t, s.d), names) - s.counted(s.counts, names))
}

func (s *siege) counted(all series, names []string) (sum float64) {
	s.t.Helper()
	for _, name := range names {
		found := false
		for k, v := range all {
			if k == name || strings.HasSuffix(name, "{") && strings.HasPrefix(k, name) {
				sum, found = sum+v, true
			}
		}
		if !found {
			s.t.Fatalf("there is no counter %s", name)
		}
	}
	return sum
}

// sees waits until the sum of counters has grown by n or more.
func (s *siege) sees(n int, names ...string) {
	s.t.Helper()
	s.await(func() error {
		if got := s.grew(names...); got < n {
			return fmt.Errorf("%s has grown by %d, want %d", strings.Join(names, " + "), got, n)
		}
		return nil
	})
}

// now reads a gauge.
func (s *siege) now(name string) int {
	s.t.Helper()
	v, ok := scrape(s.t, s.d)[name]
	if !ok {
		s.t.Fatalf("there is no gauge %s", name)
	}
	return int(v)
}

// ledger is what an attack takes and must give back.
type ledger struct {
	conns, sessions, users, topics, held, queued int
	buffers, entries, files, goroutines          int
	heap, resident                               int
}

func (s *siege) look() ledger {
	s.t.Helper()
	all := scrape(s.t, s.d)
	return ledger{
		conns: int(all["chskd_connections"]), sessions: int(all["chskd_sessions"]),
		users: int(all["chskd_users"]), topics: int(all["chskd_topics"]),
		held: int(all["chskd_backend_held_events"]), queued: int(all["chskd_backend_queued_events"]),
		buffers: int(all["chskd_buffers"]), entries: int(all["chskd_log_events"]),
		files: openFiles(s.t, s.d), goroutines: int(all["go_goroutines"]),
		heap: int(all["go_memstats_heap_alloc_bytes"]), resident: residentBytes(s.t, s.d),
	}
}

// over ends a siege: the attackers are gone, or have been sent away.
func (s *siege) over() {
	s.t.Helper()
	s.await(func() error { return s.look().returned(s.before) })
	s.goesOn()
	if n := s.grew("chskd_panics_total"); n != 0 {
		s.t.Errorf("%d panics", n)
	}
	log := s.d.Stderr()
	if n := strings.Count(log, "\n") - s.lines; n > slackLines || strings.Contains(log, "panic") {
		s.t.Errorf("%d lines were logged, the last ones: %s", n, log[max(0, len(log)-1000):])
	}
	after := s.look()
	s.t.Logf("heap %d KiB before, %d after; resident %d, %d, at most %d", s.before.heap>>10,
		after.heap>>10, s.before.resident>>10, after.resident>>10, s.peak()>>10)
}

// returned says what has not come back.
func (l ledger) returned(to ledger) error {
	for _, c := range []struct {
		what            string
		is, was, atMore int
	}{
		{"connections", l.conns, to.conns, 0},
		{"sessions", l.sessions, to.sessions, 0},
		{"users", l.users, to.users, 0},
		{"topics", l.topics, to.topics, 0},
		{"held events", l.held, to.held, slackBufs},
		{"queued events", l.queued, to.queued, slackBufs},
		{"buffers", l.buffers, to.buffers, slackBufs + slackSends},
		{"entries of logs", l.entries, to.entries, slackBufs},
		{"files", l.files, to.files, slackFiles},
		{"goroutines", l.goroutines, to.goroutines, slackGo},
		{"bytes of heap", l.heap, to.heap, slackHeap},
		{"bytes resident", l.resident, to.resident, slackRSS},
	} {
		if c.is > c.was+c.atMore {
			return fmt.Errorf("%d %s, %d before: %+v", c.is, c.what, c.was, l)
		}
	}
	return nil
}

// peak is the most memory that the daemon ever had (proc(5), VmHWM).
func (s *siege) peak() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.d.PID))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kB int
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		s.t.Fatal(err)
	}
	return kB << 10
}

// bounded: the daemon never had more than so many bytes beyond what it had before.
func (s *siege) bounded(more int) {
	s.t.Helper()
	if got := s.peak() - s.before.resident; got > more {
		s.t.Errorf("the attack made the daemon %d KiB larger, allowed are %d", got>>10, more>>10)
	}
}

// mob is some hostile connections.
type mob struct {
	s     *siege
	conns []net.Conn
}

// dial opens n connections. Their receive buffers are as small as the kernel lets them be, so that
// a peer that does not read is soon full.
func (s *siege) dial(n int) *mob {
	s.t.Helper()
	m := &mob{s: s}
	s.t.Cleanup(m.close)
	for range n {
		conn, err := narrow.Dial("tcp", s.d.Addr)
		if err != nil {
			s.t.Fatal(err)
		}
		m.conns = append(m.conns, conn)
	}
	return m
}

var narrow = net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
	var err error
	return firstOf(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
	}), err)
}}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// close ends all; who was sent away already is left alone.
func (m *mob) close() {
	for _, c := range m.conns {
		_ = c.Close() // closed by the test before
	}
}

// reset ends all with a TCP reset.
func (m *mob) reset() {
	m.s.t.Helper()
	for _, c := range m.conns {
		resetConn(m.s.t, c)
	}
}

// say sends a text on each connection; who was sent away is seen by the daemon's counters.
func (m *mob) say(text func(i int) string) {
	for i, c := range m.conns {
		_, _ = io.WriteString(c, text(i)) // see above
	}
}

func (m *mob) sayAll(text string) { m.say(func(int) string { return text }) }

// pour sends a text again and again on each connection, all at once, until so many bytes are sent
// or the daemon takes no more or ends the connection. It says how many bytes went out.
func (m *mob) pour(text string, bytes int) int {
	var sent atomic.Int64
	var all sync.WaitGroup
	batch := strings.Repeat(text, max(1, 32<<10/len(text)))
	for _, c := range m.conns {
		all.Go(func() {
			for left := bytes; left > 0; left -= len(batch) {
				_ = c.SetWriteDeadline(time.Now().Add(2 * time.Second)) // Write shows a closed one
				n, err := io.WriteString(c, batch)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return int(sent.Load())
}

// answered reads one answer on each connection, and counts them by status; 0 = none.
func (m *mob) answered() map[int]int {
	got := map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, c := range m.conns {
		all.Go(func() {
			_ = c.SetReadDeadline(time.Now().Add(hostileWait)) // Read shows a closed one
			line := make([]byte, len("HTTP/1.1 200"))
			status := 0
			if _, err := io.ReadFull(c, line); err == nil {
				_, _ = fmt.Sscan(string(line[9:]), &status) // stays 0
			}
			mu.Lock()
			got[status]++
			mu.Unlock()
		})
	}
	all.Wait()
	return got
}

// ended waits until the daemon has ended each connection; what it says before is thrown away.
func (m *mob) ended() {
	m.s.t.Helper()
	for _, c := range m.conns {
		_ = c.SetReadDeadline(time.Now().Add(hostileWait)) // Read shows a closed one
		if _, err := io.Copy(io.Discard, c); err != nil && os.IsTimeout(err) {
			m.s.t.Fatalf("the daemon keeps a connection: %v", err)
		}
	}
}
