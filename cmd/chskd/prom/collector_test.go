package prom_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/prom"
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/metrics"
)

// rig is a daemon of numbers alone.
type rig struct {
	loop    metrics.Loop
	numbers engine.Numbers
	lags    []uint64
	hub     backend.HubStats
	mute    bool // the loops do not answer
	ready   bool
	waiting int
	fullest int
}

func (r *rig) source() prom.Source {
	return prom.Source{
		Version: "v1", MaxConns: 77, Loops: []*metrics.Loop{&r.loop, new(metrics.Loop)},
		Ask: func() (*engine.Numbers, []uint64, bool) {
			if r.mute {
				return nil, nil, false
			}
			return &r.numbers, r.lags, true
		},
		Waiting: func() (int, int) { return r.waiting, r.fullest },
		Hub:     func() backend.HubStats { return r.hub },
		Ready:   func() bool { return r.ready },
	}
}

// families gathers what the collector tells.
func (r *rig) families(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(prom.NewCollector(r.source())); err != nil {
		t.Fatal(err)
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// text is all series and their values.
func (r *rig) text(t *testing.T) string {
	var b strings.Builder
	for _, f := range r.families(t) {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

// scraped is an answer to a scrape.
func (r *rig) scraped(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	h := prom.Handler(r.source(), slog.New(slog.DiscardHandler))
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return string(b)
}

// untold are the numbers that have no series of their own, and why.
var untold = map[string]string{
	"loop.WSNow":       "chskd_channels has it by packer",
	"loop.PollsNow":    "chskd_channels has it by packer",
	"loop.Upgrades":    "chskd_handshakes_total",
	"loop.UpgradesBad": "chskd_handshakes_total",
	"loop.Deliveries":  "chskd_batch_events_count, without gaps",
	"loop.Gaps":        "chskd_gaps_total, which also has those that closed",
	"loop.Turns":       "chskd_loop_turn_seconds_count",
	"loop.ConnsHeld":   "chskd_connections_held_total, reason connections",
	"loop.ConnsShed":   "chskd_connections_shed_total, reason connections",
	"loop.BacklogNow":  "a part of chskd_mailbox_messages",
	"numbers.Open":     "chskd_connections",
	"numbers.Loops":    "chskd_loops",
	"hub.Rejected":     "chskd_client_events_rejected_total",
}

// TestEveryNumberIsTold: whichever number changes, the answer changes.
func TestEveryNumberIsTold(t *testing.T) {
	r := new(rig)
	before := r.text(t)
	tried := 0
	check := func(name string, change func()) {
		tried++
		*r = rig{}
		change()
		changed := r.text(t) != before
		why, exempt := untold[name]
		if exempt && changed {
			t.Errorf("%s is told, though %s", name, why)
		} else if !exempt && !changed {
			t.Errorf("%s has no metric; tell it, or say here why not", name)
		}
	}
	var walk func(name string, at func() reflect.Value)
	walk = func(name string, at func() reflect.Value) {
		v := at()
		if v.Type() == reflect.TypeFor[metrics.Counter]() {
			check(name, func() { at().Addr().Interface().(*metrics.Counter).Add(3) })
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.Name != "_" {
					walk(name+"."+f.Name, func() reflect.Value { return at().Field(i) })
				}
			}
		case reflect.Array:
			if name == "loop.Handshakes[1]" {
				walk(name, func() reflect.Value { return at().Slice(0, int(metrics.HandshakeMalformed)) })
				return // no poll is a malformed upgrade
			}
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", name, i), func() reflect.Value { return at().Index(i) })
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", name, i), func() reflect.Value { return at().Index(i) })
			}
		case reflect.Int, reflect.Int64:
			check(name, func() { at().SetInt(3000) })
		case reflect.Uint32, reflect.Uint64:
			check(name, func() { at().SetUint(3000) })
		default:
			t.Errorf("%s is a %v", name, v.Kind())
		}
	}
	walk("loop", func() reflect.Value { return reflect.ValueOf(&r.loop).Elem() })
	walk("numbers", func() reflect.Value { return reflect.ValueOf(&r.numbers).Elem() })
	walk("hub", func() reflect.Value { return reflect.ValueOf(&r.hub).Elem() })
	check("lags", func() { r.lags = []uint64{0, 5} })
	check("ready", func() { r.ready = true })
	check("waiting", func() { r.waiting = 1 })
	check("fullest", func() { r.fullest = 1 })
	if tried < 150 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

// TestNumberOfSeries: it is fixed, and what the daemon does changes nothing about it.
func TestNumberOfSeries(t *testing.T) {
	count := func(all []*dto.MetricFamily) (n int) {
		for _, f := range all {
			n += len(f.Metric)
		}
		return n
	}
	r := new(rig)
	idle := count(r.families(t))
	r.loop.Handshakes[metrics.WS][metrics.HandshakeOK].Add(1)
	r.loop.ClosesClient[metrics.CloseOf(4711)].Add(1)
	r.lags = make([]uint64, 1000)
	if busy := count(r.families(t)); busy != idle || idle > 300 {
		t.Errorf("%d series, idle %d; want them equal and below 300", busy, idle)
	}
	for _, f := range r.families(t) {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				switch l.GetName() {
				case "transport", "packer", "result", "by", "code", "session", "reason", "rank", "version":
				default:
					t.Errorf("%s has a label %s; is it bounded?", f.GetName(), l.GetName())
				}
			}
		}
	}
}

// TestLint: names, units and texts are as Prometheus asks.
func TestLint(t *testing.T) {
	for _, mute := range []bool{false, true} {
		r := &rig{mute: mute}
		problems, err := promlint.New(strings.NewReader(r.scraped(t))).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		for _, f := range r.families(t) {
			if !strings.HasPrefix(f.GetName(), "chskd_") || !strings.HasSuffix(f.GetHelp(), ".") {
				t.Errorf("%s: %q", f.GetName(), f.GetHelp())
			}
		}
	}
}

// TestMuteLoops: what only the loops know is left out, not told as 0; the rest is there.
func TestMuteLoops(t *testing.T) {
	r := &rig{mute: true}
	r.loop.Requests.Add(5)
	got := r.scraped(t)
	for _, want := range []string{
		"\nchskd_loops_answered 0\n", "\nchskd_http_requests_total 5\n", "\nchskd_connections 0\n",
		"\ngo_goroutines ", "\nprocess_open_fds ", "\nprocess_max_fds ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for _, no := range []string{"chskd_users", "chskd_sessions ", "chskd_cursor_lag", "chskd_gaps_total"} {
		if strings.Contains(got, "\n"+no) {
			t.Errorf("%s is told", no)
		}
	}
}

// TestValues: units, sums over loops and ranks.
func TestValues(t *testing.T) {
	r := &rig{ready: true, lags: []uint64{9, 1, 0, 0, 0, 0, 0, 0, 0, 0}, waiting: 5, fullest: 4}
	r.numbers.Oldest = 1500
	r.loop.ReplyTimes.Observe(3)
	r.loop.ReplyTimes.Observe(1000)
	r.loop.ReplyTimes.Observe(100_000)
	r.loop.TurnTimes.Observe(2)
	r.loop.BatchEvents.Observe(250)
	got := r.scraped(t)
	for _, want := range []string{
		`chskd_build_info{version="v1"} 1`, `chskd_ready 1`, `chskd_loops 2`, `chskd_loops_answered 1`,
		`chskd_connections_limit 77`, `chskd_log_oldest_seconds 1.5`,
		`chskd_cursor_lag_events{rank="p50"} 0`, `chskd_cursor_lag_events{rank="p90"} 1`,
		`chskd_cursor_lag_events{rank="p99"} 9`, `chskd_cursor_lag_events{rank="max"} 9`,
		`chskd_cursor_lag_sampled 10`, `chskd_mailbox_messages 5`, `chskd_mailbox_messages_max 4`,
		`chskd_reply_seconds_bucket{le="0.002"} 0`, `chskd_reply_seconds_bucket{le="0.004"} 1`,
		`chskd_reply_seconds_bucket{le="1.024"} 2`, `chskd_reply_seconds_bucket{le="65.536"} 2`,
		`chskd_reply_seconds_bucket{le="+Inf"} 3`, `chskd_reply_seconds_count 3`,
		`chskd_reply_seconds_sum 101.003`,
		`chskd_loop_turn_seconds_bucket{le="1.6e-05"} 0`, `chskd_loop_turn_seconds_bucket{le="3.2e-05"} 1`,
		`chskd_loop_turn_seconds_sum 3.2e-05`,
		`chskd_batch_events_bucket{le="128"} 0`, `chskd_batch_events_bucket{le="256"} 1`,
		`chskd_sent_events_total 250`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
}
