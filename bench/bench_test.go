package bench_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/bench"
)

// TestMain is also the program that the load tool runs again when it needs several processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if bench.NewCommand().Execute() != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// result is the printed JSON as far as tests look at it.
type result struct {
	Conns      int
	Processes  int
	Handshakes struct {
		Count   int
		CPU     *struct{ Operations int64 } `json:"server_cpu"`
		Latency struct{ Count int64 }
	}
	Idle *struct {
		Steps []struct {
			Conns  int
			Server *struct{ RSS, PSS int64 }
			Kernel struct {
				Slab    int64
				Sockets int64 `json:"tcp_inuse"`
			}
		}
		RSS *struct{ Slope, R2 float64 } `json:"rss_per_conn"`
		CPU *struct {
			EachUs float64 `json:"each_us"`
		} `json:"idle_cpu"`
	}
	Ping *struct {
		Sent, Answered int64
		CPU            *struct{ Operations int64 } `json:"server_cpu"`
		Latency        struct{ Count int64 }
	}
	Broadcast *struct {
		Pushed   int
		Expected int64
		Seen     struct{ Events, Batches, Foreign, Gaps, Lost, Doubled, Reordered int64 }
		Min      int                         `json:"sessions_min"`
		CPU      *struct{ Operations int64 } `json:"server_cpu"`
		Latency  struct{ Count int64 }
	}
	Push *struct {
		Pushed, Receivers int64
		Seen              struct{ Events, Batches, Foreign, Gaps, Lost, Doubled, Reordered int64 }
		CPU               *struct{ Operations int64 } `json:"server_cpu"`
		Latency           *struct{ Count int64 }
	}
	Echo *struct {
		Sent, Answered int64
		Replied        int64                       `json:"backend_replies"`
		CPU            *struct{ Operations int64 } `json:"server_cpu"`
		Latency        struct{ Count int64 }
	}
	Series []struct {
		At   float64 `json:"at_s"`
		Open int
	}
	Comparison []struct {
		Name     string
		Old, New float64
	}
	Pings    int64 `json:"server_pings_answered"`
	Failures map[string]int
}

// run executes the command with JSON output.
func run(t *testing.T, s *sente, args ...string) (r result, err error) {
	t.Helper()
	var out, told bytes.Buffer
	c := bench.NewCommand()
	c.SetOut(&out)
	c.SetErr(&told)
	c.SetArgs(append(args, "--url", s.url, "--json", "--settle", "0s"))
	err = c.Execute()
	if out.Len() > 0 && out.Bytes()[0] == '{' {
		if err := json.NewDecoder(&out).Decode(&r); err != nil {
			t.Fatalf("result is not JSON: %v", err)
		}
	}
	return r, err
}

func self() string { return fmt.Sprint(os.Getpid()) }

func TestIdle(t *testing.T) {
	s := startSente(t, "", "edn")
	r, err := run(t, s, "idle", "--conns", "50", "--from", "20", "--step", "20",
		"--duration", "50ms", "--pid", self())
	if err != nil {
		t.Fatal(err)
	}
	if r.Conns != 50 || r.Processes != 1 || r.Handshakes.Count != 50 ||
		r.Handshakes.Latency.Count != 50 || r.Handshakes.CPU.Operations != 50 {
		t.Errorf("handshakes: %+v", r)
	}
	want := []int{20, 40, 50}
	if len(r.Idle.Steps) != len(want) || r.Idle.RSS == nil || r.Idle.CPU == nil {
		t.Fatalf("idle: %+v", r.Idle)
	}
	for i, step := range r.Idle.Steps {
		if step.Conns != want[i] || step.Server.RSS <= 0 || step.Server.PSS <= 0 ||
			step.Kernel.Slab <= 0 || step.Kernel.Sockets < int64(2*want[i]) {
			t.Errorf("step %d: %+v", i, step)
		}
	}
}

func TestPing(t *testing.T) {
	for _, packer := range []string{"edn", "json"} {
		t.Run(packer, func(t *testing.T) {
			s := startSente(t, "", packer)
			r, err := run(t, s, "ping", "--conns", "20", "--outstanding", "5", "--count", "500",
				"--duration", "1m", "--packer", packer, "--pid", self())
			if err != nil {
				t.Fatal(err)
			}
			p := r.Ping
			if p.Sent != 500 || p.Answered != 500 || p.Latency.Count != 500 || p.CPU.Operations != 500 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// An open loop asks at its times, also when connections are fewer than what waits for answers, and
// says what it could not ask.
func TestPingAtARate(t *testing.T) {
	s := startSente(t, "", "edn")
	for _, args := range []string{"", "--per-process 3"} {
		r, err := run(t, s, append([]string{"ping", "--conns", "8", "--rate", "400", "--duration",
			"500ms"}, strings.Fields(args)...)...)
		if err != nil {
			t.Fatal(err)
		}
		// Workers round their parts of the rate down.
		if p := r.Ping; p.Sent < 198 || p.Sent > 200 || p.Answered != p.Sent ||
			p.Latency.Count != p.Sent {
			t.Errorf("%+v", p)
		}
	}
	s = startSente(t, "no pong", "edn")
	_, err := run(t, s, "ping", "--conns", "1", "--rate", "100", "--duration", "100ms",
		"--timeout", "1s")
	if err == nil || !strings.Contains(err.Error(), "9 questions not asked") {
		t.Errorf("one ping of ten is answered by nobody, the others cannot be asked: %v", err)
	}
}

func TestPingEndsByTime(t *testing.T) {
	r, err := run(t, startSente(t, "", "edn"), "ping", "--conns", "3", "--duration", "100ms")
	if err != nil || r.Ping.Sent == 0 || r.Ping.Answered != r.Ping.Sent || r.Ping.CPU != nil {
		t.Errorf("%+v, %v", r.Ping, err)
	}
}

func TestBroadcast(t *testing.T) {
	cases := []struct {
		name, fault, packer         string
		foreign, gaps, batches      int64
		lost, doubled, reordered    int64
		events                      int64
		err                         string
		viaClient, severalProcesses bool
	}{
		{name: "clean", events: 60, batches: 60},
		{name: "json", packer: "json", events: 60, batches: 60},
		{name: "several processes", severalProcesses: true, events: 60, batches: 60},
		{name: "asked for by a client", viaClient: true, events: 60, batches: 60},
		{name: "several events a batch", fault: "together", events: 60, batches: 57},
		{name: "other events and gaps", fault: "foreign", events: 60, batches: 60, foreign: 6, gaps: 6},
		{name: "lost", fault: "lose", events: 59, batches: 59, lost: 1, err: "1 events lost"},
		{name: "doubled", fault: "double", events: 61, batches: 61, doubled: 1, err: "1 events doubled"},
		{name: "reordered", fault: "reorder", events: 60, batches: 60, reordered: 1,
			err: "1 events reordered"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			packer := cmp.Or(c.packer, "edn")
			s := startSente(t, c.fault, packer)
			args := []string{"broadcast", "--conns", "10", "--count", "6", "--rate", "200",
				"--packer", packer}
			if !c.viaClient {
				args = append(args, "--api-socket", s.api)
			}
			if c.severalProcesses {
				args = append(args, "--per-process", "4")
			}
			if c.lost > 0 {
				args = append(args, "--timeout", "3s") // waits for what is lost
			}
			r, err := run(t, s, args...)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want one with %q", err, c.err)
			}
			b := r.Broadcast
			if b.Pushed != 6 || b.Expected != 60 || b.Latency.Count != c.events {
				t.Errorf("%+v", b)
			}
			seen := b.Seen
			if seen.Events != c.events || seen.Batches != c.batches || seen.Foreign != c.foreign ||
				seen.Gaps != c.gaps || seen.Lost != c.lost || seen.Doubled != c.doubled ||
				seen.Reordered != c.reordered {
				t.Errorf("seen %+v", seen)
			}
			if !c.viaClient && (b.Min != 10 || b.CPU.Operations != c.events) {
				t.Errorf("sessions %d, CPU %+v", b.Min, b.CPU)
			}
			if c.severalProcesses && r.Processes != 3 {
				t.Errorf("%d processes", r.Processes)
			}
		})
	}
}

// A server that does something else than it must is an error that says what, in bounded time.
func TestFaults(t *testing.T) {
	broadcast := []string{"broadcast", "--conns", "5", "--count", "4", "--rate", "200"}
	ping := []string{"ping", "--conns", "5", "--count", "50"}
	cases := []struct {
		fault string
		args  []string
		err   string
	}{
		{"refused", ping, "403 Forbidden"},
		{"silent", ping, "no answer to the upgrade within 3s"},
		{"no handshake", ping, "no :chsk/handshake after the upgrade within 3s"},
		{"push first", ping, "handshake out of place"},
		{"junk", ping, "malformed message"},
		{"masked", ping, "masked"},
		{"closed", ping, `server closed with code 1001 "going away"`},
		{"cut", ping, "ended the TCP connection"},
		{"no pong", ping, "no pong within 3s"},
		{"wrong pong", ping, `pong for "ffffff"`},
		{"bad event", broadcast, "an event has no id"},
		{"push 503", broadcast, "status 503"},
		{"push junk", broadcast, "neither sessions nor an error"},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := startSente(t, c.fault, "edn")
			limit := "30s" // never reached: the fault is seen when it comes
			if strings.HasSuffix(c.err, "within 3s") {
				limit = "3s"
			}
			args := append([]string{"--timeout", limit, "--duration", "1s"}, c.args[1:]...)
			if c.args[0] == "broadcast" {
				args = append(args, "--api-socket", s.api)
			}
			_, err := run(t, s, append(c.args[:1:1], args...)...)
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

// What a server may do, though a quiet one never does.
func TestUnusualButRight(t *testing.T) {
	for _, fault := range []string{"split", "fragments", "several"} {
		t.Run(fault, func(t *testing.T) {
			s := startSente(t, fault, "edn")
			r, err := run(t, s, "ping", "--conns", "2", "--count", "10")
			if err != nil || r.Ping.Answered != 10 {
				t.Fatalf("%+v, %v", r.Ping, err)
			}
			if fault != "several" {
				return
			}
			if r.Pings != 3 {
				t.Errorf("%d server pings counted", r.Pings)
			}
			first := s.firstPeer()
			for range 3 {
				if got := <-first.pongs; got != `[[:chsk/ws-pong] nil]` {
					t.Errorf("the server's ping is answered with %s", got)
				}
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	s := startSente(t, "", "edn")
	s.url = "ws://127.0.0.1:1/chsk"
	begin := time.Now()
	_, err := run(t, s, "idle", "--conns", "1000")
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
}

func TestOptionsAreBounded(t *testing.T) {
	s := startSente(t, "", "edn")
	cases := []struct{ name, args string }{
		{"no connections", "idle --conns 0"},
		{"too many connections", "idle --conns 9000000"},
		{"no time", "ping --duration 0s"},
		{"a day", "ping --duration 24h"},
		{"more outstanding than there are", "ping --conns 5 --outstanding 6"},
		{"first step over all", "idle --conns 5 --from 6"},
		{"unknown packer", "ping --packer bson"},
		{"tiny event", "broadcast --conns 1 --size 10"},
		{"huge event", "broadcast --conns 1 --size 1000000"},
		{"no rate", "broadcast --conns 1 --rate 0"},
		{"too many events", "broadcast --conns 1 --rate 100000 --duration 1h"},
		{"no such process", "ping --conns 1 --pid 2147483646"},
		{"no such socket", "broadcast --conns 1 --api-socket /nonexistent"},
		{"push without a socket", "push --conns 1"},
		{"push in an unknown dialect", "push --conns 1 --dialect grpc --api-socket " + s.api},
		{"push backwards", "push --conns 1 --rate -1 --api-socket " + s.api},
		{"push no event", "push --conns 1 --rate 1 --duration 10ms --api-socket " + s.api},
		{"push tiny events", "push --conns 1 --size 10 --api-socket " + s.api},
		{"push to more than there are", "push --conns 1 --users 2 --api-socket " + s.api},
		{"push no bursts", "push --conns 1 --burst 0 --api-socket " + s.api},
		{"push to one uid", "push --conns 1 --uid u1 --api-socket " + s.api},
		{"push to nobody's socket", "push --conns 1 --api-socket /nonexistent"},
		{"echo without a socket", "echo --conns 1"},
		{"echo of nothing", "echo --conns 1 --size 0 --api-socket " + s.api},
		{"echo to more than there are", "echo --conns 1 --outstanding 2 --api-socket " + s.api},
		{"extra words", "ping now"},
		{"a negative rate", "ping --conns 1 --rate -1"},
		{"a rate and a closed loop", "ping --conns 1 --rate 5 --outstanding 1"},
		{"more than all poll", "idle --conns 1 --polls 101"},
		{"no topics", "topic --conns 1 --topics 0 --api-socket " + s.api},
		{"in more topics than there are", "topic --conns 1 --topics 2 --each 3 --api-socket " + s.api},
		{"too many posters", "poll --conns 1 --posters 5000 --api-socket " + s.api},
		{"posts of nobody", "mixed --conns 10 --polls 0 --api-socket " + s.api},
		{"a mix of nothing", "mixed --pings 0 --echoes 0 --posts 0 --pushes 0 --broadcasts 0 " +
			"--topic-pushes 0 --leaves 0 --api-socket " + s.api},
		{"nobody leaves", "churn --conns 1 --leaves 0 --api-socket " + s.api},
		{"away for longer than is kept", "churn --conns 1 --away 2m --api-socket " + s.api},
		{"leaves otherwise", "churn --conns 1 --how politely --api-socket " + s.api},
		{"away for too short", "churn --conns 1 --beyond 1 --long-away 1s --api-socket " + s.api},
		{"more than all stay away", "churn --conns 1 --beyond 101 --api-socket " + s.api},
		{"nothing to compare with", "ping --conns 1 --compare /nonexistent"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := run(t, s, strings.Fields(c.args)...); err == nil {
				t.Error("is taken")
			}
		})
	}
}

func TestText(t *testing.T) {
	s := startSente(t, "", "edn")
	cases := []struct{ args, want string }{
		{"idle --conns 4 --duration 10ms --pid " + self(), "per client     RSS"},
		{"ping --conns 2 --count 20", "unknown (give the server's --pid)"},
		{"broadcast --conns 2 --count 2 --rate 100 --api-socket " + s.api,
			"lost 0, doubled 0, reordered 0"},
		{"push --conns 2 --count 20 --api-socket " + s.api, "20 of 128 B by line as fast as taken"},
		{"echo --conns 2 --count 20 --api-socket " + s.api, "20 of 64 B sent, 20 answered"},
	}
	for _, c := range cases {
		t.Run(strings.Fields(c.args)[0], func(t *testing.T) {
			var out bytes.Buffer
			cmd := bench.NewCommand()
			cmd.SetOut(&out)
			cmd.SetArgs(append(strings.Fields(c.args), "--url", s.url, "--settle", "0s"))
			if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), c.want) {
				t.Errorf("%v\n%s", err, out.String())
			}
		})
	}
}
