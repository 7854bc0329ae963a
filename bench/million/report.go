package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// report is a run's result.
type report struct {
	When     string    `json:"when"`
	Command  string    `json:"command"`
	Asked    int       `json:"asked"`
	Conns    int       `json:"conns"` // that were held
	Machine  hardware  `json:"machine"`
	Limits   []finding `json:"limits"`
	Servers  int       `json:"servers"`
	Loops    int       `json:"loops"` // of each server
	Workers  int       `json:"load_processes"`
	Sources  int       `json:"source_addresses"`
	HoldS    float64   `json:"hold_s"`
	KaliveS  float64   `json:"keep_alive_s"`
	PingOutS float64   `json:"ping_timeout_s"`

	Connect   connectResult   `json:"connect"`
	Memory    memoryResult    `json:"memory"`
	Stages    []stage         `json:"stages"`
	Hold      holdResult      `json:"hold"`
	Push      pushResult      `json:"push"`
	Broadcast broadcastResult `json:"broadcast"`
	Tally     tally           `json:"seen"`
	Faults    []string        `json:"faults"` // why the run failed
}

// hardware is where it ran.
type hardware struct {
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory"` // available before the run
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Files  int    `json:"open_files"` // that a process may have
}

type connectResult struct {
	Seconds    float64        `json:"seconds"`
	Rate       float64        `json:"per_second"`
	Open       int            `json:"open"`
	OutOfTime  bool           `json:"out_of_time,omitempty"`
	Retries    int            `json:"retries"`
	GaveUp     int            `json:"gave_up"`
	Reasons    map[string]int `json:"reasons,omitempty"` // of retries and of those given up
	Handshakes quantiles      `json:"handshakes"`        // from connect(2) to :chsk/handshake
	Each       []int          `json:"each"`              // connections of each chskd
}

// memoryResult has the moments: all processes up and nothing open; all open, after the quiet half;
// after pushes and broadcast; all stopped. PerConn is what idle has over base, by connection.
type memoryResult struct {
	Base            snapshot `json:"base"`
	Idle            snapshot `json:"idle"`
	End             snapshot `json:"end"`
	After           host     `json:"after"`
	TCPPeak         int64    `json:"tcp_memory_peak"`
	LowestAvailable int64    `json:"lowest_available"`
	PerConn         perConn  `json:"per_connection"`
}

// perConn is in bytes. A connection has both its ends on this machine, so Slab and Available hold
// two sockets.
type perConn struct {
	ServerRSS   float64 `json:"server_rss"`
	ServerPSS   float64 `json:"server_pss"`
	LoadPSS     float64 `json:"load_pss"`
	Slab        float64 `json:"slab"`
	TCPMemory   float64 `json:"tcp_memory"`
	Available   float64 `json:"available"` // by how much it fell
	BaseShare   float64 `json:"server_base_pss"`
	ServerTotal float64 `json:"server_pss_with_base"`
}

type holdResult struct {
	Pings   int64          `json:"pings"` // of the servers in the quiet half, all answered
	Closed  int            `json:"closed"`
	Reasons map[string]int `json:"reasons,omitempty"` // of all that failed in the run
}

type pushResult struct {
	Rate     float64   `json:"rate"`
	Sent     int       `json:"sent"`
	Answered int       `json:"answered"` // "status":"ok", "sessions":1
	Wrong    string    `json:"wrong,omitempty"`
	LateUs   int64     `json:"late_max_us"` // how far pushing fell behind its times
	Latency  quantiles `json:"latency"`     // from when a push was due to its arrival
}

type broadcastResult struct {
	Expected   int       `json:"expected"` // deliveries
	Answered   int       `json:"answered"` // chskd that said as many sessions as there are
	Wrong      string    `json:"wrong,omitempty"`
	AnsweredUs int64     `json:"answered_us"` // until the last answer
	Seconds    float64   `json:"seconds"`     // until the last delivery
	Latency    quantiles `json:"latency"`
}

func newReport(o *options, m *machine, p *plan) *report {
	r := &report{
		When: time.Now().UTC().Format(time.DateTime), Command: strings.Join(os.Args, " "),
		Asked: o.conns, Limits: p.findings, Servers: p.servers, Loops: p.loops,
		Workers: len(p.shares), Sources: len(p.sources), HoldS: o.hold.Seconds(),
		KaliveS: p.kalive.Seconds(), PingOutS: p.pingTimeout.Seconds(), Faults: []string{},
		Machine: hardware{
			Cores: m.cores, Memory: m.available, Go: runtime.Version(), Files: m.files,
		},
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		r.Machine.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	return r
}

// finish works out what follows from what was measured.
func (r *report) finish() {
	n := float64(max(r.Conns, 1))
	base, idle := &r.Memory.Base, &r.Memory.Idle
	each := func(a, b int64) float64 { return float64(b-a) / n }
	r.Memory.PerConn = perConn{
		ServerRSS:   each(base.Servers.RSS, idle.Servers.RSS),
		ServerPSS:   each(base.Servers.PSS, idle.Servers.PSS),
		LoadPSS:     each(base.Load.PSS, idle.Load.PSS),
		Slab:        each(base.Host.Slab, idle.Host.Slab),
		TCPMemory:   each(base.Host.TCPMemory, idle.Host.TCPMemory),
		Available:   each(idle.Host.Available, base.Host.Available),
		BaseShare:   each(0, base.Servers.PSS),
		ServerTotal: each(0, idle.Servers.PSS),
	}
	fault := func(is bool, format string, args ...any) {
		if is {
			r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
		}
	}
	fault(r.Connect.GaveUp > 0 && !r.Connect.OutOfTime, "%s connections never came about: %v",
		count(r.Connect.GaveUp), r.Connect.Reasons)
	fault(r.Hold.Closed > 0, "%s connections closed while they were held: %v", count(r.Hold.Closed),
		r.Hold.Reasons)
	fault(r.Push.Answered != r.Push.Sent, "%s of %s pushes were not answered with one session: %s",
		count(r.Push.Sent-r.Push.Answered), count(r.Push.Sent), r.Push.Wrong)
	fault(r.Broadcast.Answered != r.Servers, "%d of %d chskd did not count all their sessions: %s",
		r.Servers-r.Broadcast.Answered, r.Servers, r.Broadcast.Wrong)
	t := &r.Tally
	fault(t.Lost > 0 || t.Doubled > 0 || t.Reordered > 0, "lost %s, doubled %s, reordered %s",
		count(t.Lost), count(t.Doubled), count(t.Reordered))
}

// verdict is nil when nothing was at fault.
func (r *report) verdict() error {
	if len(r.Faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.Faults, "; "))
}

func (r *report) json() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}
