package main_test

import (
	"strings"
	"testing"
	"time"

	million "github.com/chskd/chskd/bench/million"
)

const plenty = 1 << 40 // bytes

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		conns   int
		m       million.Machine
		fits    int
		servers int
		loads   int
		short   string // what is said to be too small; "" = nothing
	}{
		"as many files as one likes": {1_000_000,
			million.Machine{Cores: 8, Files: 1 << 30, FileMax: 1 << 40, Available: plenty},
			1_000_000, 1, 1, ""},
		"20000 files a process": {1_000_000,
			million.Machine{Cores: 2, Files: 20_000, FileMax: 1 << 40, Available: plenty},
			1_000_000, 59, 51, ""},
		"1024 files a process": {20_000,
			million.Machine{Cores: 2, Files: 1024, FileMax: 1 << 40, Available: plenty},
			20_000, 34, 21, ""},
		"too few files on the host": {1_000_000,
			million.Machine{Cores: 2, Files: 1 << 20, FileMax: 1_000_200, Available: plenty},
			500_000, 1, 1, "fs.file-max"},
		"too little memory": {1_000_000,
			million.Machine{Cores: 2, Files: 1 << 30, FileMax: 1 << 40, Available: 1 << 30},
			91_563, 1, 1, "memory"},
		"netfilter tracks": {1_000_000,
			million.Machine{Cores: 2, Files: 1 << 30, FileMax: 1 << 40, Available: plenty,
				Tracked: 144, TrackMax: 262_144}, 262_000, 1, 1, "nf_conntrack_max"},
		"netfilter tracks nothing": {1_000_000,
			million.Machine{Cores: 2, Files: 1 << 30, FileMax: 1 << 40, Available: plenty,
				TrackMax: 262_144}, 1_000_000, 1, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := million.MakePlan(c.conns, c.m)
			if err != nil {
				t.Fatal(err)
			}
			// What a process takes is measured, and may be measured anew.
			if p.Conns < c.fits*9/10 || p.Conns > c.fits*11/10 || c.short != "memory" && p.Conns != c.fits {
				t.Errorf("%d fit, want %d", p.Conns, c.fits)
			}
			if p.Servers != c.servers || len(p.Shares) != c.loads {
				t.Errorf("%d chskd and %d load processes, want %d and %d", p.Servers, len(p.Shares),
					c.servers, c.loads)
			}
			if !strings.Contains(p.Short, c.short) || c.short == "" && p.Short != "" {
				t.Errorf("too small: %q", p.Short)
			}
			holds(t, &p, c.m.Files)
		})
	}
}

// holds checks what is true of every plan.
func holds(t *testing.T, p *million.Plan, files int) {
	t.Helper()
	all := 0
	for _, n := range p.Shares {
		all += n
		if n > files-50 {
			t.Errorf("a load process with %d files is to open %d connections", files, n)
		}
	}
	if all != p.Conns {
		t.Errorf("the shares are %d together, want %d", all, p.Conns)
	}
	if p.Room*p.Servers < p.Conns || p.Room > files {
		t.Errorf("%d chskd with room for %d each", p.Servers, p.Room)
	}
	if p.Sources*3600 < p.Conns {
		t.Errorf("%d source addresses", p.Sources)
	}
}

func TestPlanRefuses(t *testing.T) {
	for name, m := range map[string]million.Machine{
		"no files":  {Cores: 1, Files: 60, FileMax: 1 << 40, Available: plenty},
		"few files": {Cores: 1, Files: 300, FileMax: 1 << 40, Available: plenty},
		"no memory": {Cores: 1, Files: 1 << 20, FileMax: 1 << 40, Available: 1 << 20},
	} {
		if p, err := million.MakePlan(1_000_000, m); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Keep-alive grows with the connections, from chskd's defaults.
func TestPlanKeepAlive(t *testing.T) {
	m := million.Machine{Cores: 2, Files: 1 << 30, FileMax: 1 << 40, Available: plenty}
	for conns, want := range map[int][2]time.Duration{
		1000:      {25 * time.Second, 10 * time.Second},
		1_000_000: {125 * time.Second, 50 * time.Second},
	} {
		p, err := million.MakePlan(conns, m)
		if err != nil || p.Kalive != want[0] || p.PingTimeout != want[1] {
			t.Errorf("%d: %v and %v, %v; want %v", conns, p.Kalive, p.PingTimeout, err, want)
		}
	}
}
