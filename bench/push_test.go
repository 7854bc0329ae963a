package bench_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
)

func TestPush(t *testing.T) {
	cases := []struct {
		name, fault, packer      string
		args                     string
		foreign, gaps            int64
		lost, doubled, reordered int64
		err                      string
	}{
		{name: "clean"},
		{name: "json", packer: "json"},
		{name: "by http", args: "--dialect http"},
		{name: "json by http", packer: "json", args: "--dialect http"},
		{name: "several processes", args: "--per-process 4"},
		{name: "at a rate", args: "--rate 2000"},
		{name: "at a rate, by http", args: "--rate 2000 --dialect http"},
		{name: "in bursts", args: "--burst 7"},
		{name: "flushed", args: "--flush"},
		{name: "users with names", args: "--uid user-{i}"},
		{name: "other events and gaps", fault: "foreign", args: "--users 1", foreign: 200, gaps: 200},
		{name: "lost", fault: "lose", args: "--users 1 --timeout 3s", lost: 1, err: "1 events lost"},
		{name: "doubled", fault: "double", args: "--users 1", doubled: 1, err: "1 events doubled"},
		{name: "reordered", fault: "reorder", args: "--users 1", reordered: 1,
			err: "1 events reordered"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			packer := cmp.Or(c.packer, "edn")
			s := startSente(t, c.fault, packer)
			if strings.Contains(c.args, "--uid") {
				s.url += "?uid=user-{i}"
			}
			args := []string{"push", "--conns", "10", "--window", "1", "--count", "200",
				"--packer", packer, "--api-socket", s.api}
			r, err := run(t, s, append(args, strings.Fields(c.args)...)...)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want one with %q", err, c.err)
			}
			p := r.Push
			if p.Pushed != 200 || p.CPU == nil || p.CPU.Operations != 200 {
				t.Errorf("%+v", p)
			}
			if paced := strings.Contains(c.args, "--rate"); paced != (p.Latency != nil) ||
				paced && p.Latency.Count != 200 {
				t.Errorf("latency %+v", p.Latency)
			}
			seen := p.Seen
			if seen.Events != 200-c.lost+c.doubled || seen.Foreign != c.foreign ||
				seen.Gaps != c.gaps || seen.Lost != c.lost || seen.Doubled != c.doubled ||
				seen.Reordered != c.reordered {
				t.Errorf("seen %+v", seen)
			}
			s.wantSpread(t, c.args)
		})
	}
}

// wantSpread checks who got the pushes.
func (s *sente) wantSpread(t *testing.T, args string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var counts []int
	for _, p := range s.peers {
		counts = append(counts, p.count)
	}
	slices.Sort(counts)
	switch {
	case strings.Contains(args, "--users 1"):
		if counts[8] != 0 || counts[9] != 200 {
			t.Errorf("one user gets pushes: %v", counts)
		}
	case strings.Contains(args, "--burst 7"):
		odd := 0
		for _, n := range counts {
			if n%7 != 0 {
				odd++
			}
		}
		if odd != 1 { // 200 is no multiple of 7: the last burst is short
			t.Errorf("pushes come seven at a time: %v", counts)
		}
	default:
		if counts[0] == 0 || counts[9] > 60 {
			t.Errorf("pushes are not spread: %v", counts)
		}
	}
}

func TestPushEndsByTime(t *testing.T) {
	s := startSente(t, "", "edn")
	r, err := run(t, s, "push", "--conns", "2", "--duration", "100ms", "--api-socket", s.api)
	if err != nil || r.Push.Pushed == 0 || r.Push.Seen.Events != r.Push.Pushed {
		t.Errorf("%+v, %v", r.Push, err)
	}
}

// What chskd says of pushes that it does not take, or says wrongly, is the run's error.
func TestPushFaults(t *testing.T) {
	cases := []struct{ fault, dialect, err string }{
		{"reject", "line", "1 pushes were rejected, the first one with: bad_event: no"},
		{"reject", "http", "1 pushes were rejected, the first one with: bad_event: no"},
		{"push junk", "line", "no JSON"},
		{"push junk", "http", "without a count"},
		{"push 503", "http", "status 503"},
		{"miscounted", "http", "20 pushes were sent, but 19 accepted"},
		{"no end", "line", "i/o timeout"},
	}
	for _, c := range cases {
		t.Run(c.fault+" by "+c.dialect, func(t *testing.T) {
			t.Parallel()
			s := startSente(t, c.fault, "edn")
			limit := "30s"
			if c.fault == "no end" {
				limit = "1s"
			}
			_, err := run(t, s, "push", "--conns", "2", "--count", "20", "--timeout", limit,
				"--dialect", c.dialect, "--api-socket", s.api)
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

func TestEcho(t *testing.T) {
	for _, args := range []string{
		"", "--packer json", "--ack", "--outstanding 3", "--size 1000", "--per-process 8",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			packer := "edn"
			if strings.Contains(args, "json") {
				packer = "json"
			}
			s := startSente(t, "", packer)
			r, err := run(t, s, append([]string{"echo", "--conns", "20", "--count", "300",
				"--duration", "1m", "--api-socket", s.api}, strings.Fields(args)...)...)
			if err != nil {
				t.Fatal(err)
			}
			e := r.Echo
			if e.Sent != 300 || e.Answered != 300 || e.Replied != 300 || e.Latency.Count != 300 ||
				e.CPU.Operations != 300 {
				t.Errorf("%+v", e)
			}
			s.echo.mu.Lock()
			defer s.echo.mu.Unlock()
			if want := int64(300); args == "--ack" && s.echo.acks != want {
				t.Errorf("acknowledged up to %d, want %d", s.echo.acks, want)
			}
		})
	}
}

// The application of a stock server may answer, and then there is no backend of ours.
func TestEchoOfAnApplication(t *testing.T) {
	for _, packer := range []string{"edn", "json"} {
		s := startSente(t, "", packer)
		r, err := run(t, s, "echo", "--conns", "5", "--count", "50", "--app", "--packer", packer)
		if err != nil || r.Echo.Answered != 50 || r.Echo.Replied != 0 {
			t.Errorf("%s: %+v, %v", packer, r.Echo, err)
		}
	}
}

func TestEchoFaults(t *testing.T) {
	cases := []struct{ fault, err string }{
		{"subscribe refused", "subscribe is answered with"},
		{"no reply", "no reply within 2s"},
		{"nobody answers", `not what was sent: ":chsk/error"`},
		{"wrong reply", "not what was sent"},
		{"backend gap", `was told {"type":"gap"`},
		{"same seq", "event 3 follows event 3"},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := startSente(t, c.fault, "edn")
			limit := "30s" // never reached: a backend that breaks ends the run
			if c.fault == "no reply" {
				limit = "2s"
			}
			_, err := run(t, s, "echo", "--conns", "5", "--count", "50", "--duration", "1s",
				"--timeout", limit, "--api-socket", s.api)
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `\`, ""), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}
