package bench_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chskd/chskd/bench"
)

func TestShares(t *testing.T) {
	cases := []struct {
		name                     string
		conns, perProcess, files int
		want                     []int
		err                      string
	}{
		{"fits one", 1000, 0, 2000, []int{1000}, ""},
		{"exactly fits", 936, 0, 1000, []int{936}, ""},
		{"one too many", 937, 0, 1000, []int{468, 469}, ""},
		{"asked for less", 10, 4, 1000, []int{3, 3, 4}, ""},
		{"asked for more than fits", 2000, 5000, 1064, []int{1000, 1000}, ""},
		{"too many processes", 100_000, 0, 164, nil, "ulimit -Hn"},
		{"no descriptors", 10, 0, 20, nil, "ulimit -n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := bench.Shares(c.conns, c.perProcess, c.files)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

func TestSources(t *testing.T) {
	few, err := bench.SourcesFor("ws://127.0.0.1:8080/chsk", 10)
	if err != nil || !slices.Equal(few, []string{"127.0.0.1"}) {
		t.Errorf("10 connections: %v, %v", few, err)
	}
	many, err := bench.SourcesFor("ws://127.0.0.1:8080/chsk", 1_000_000)
	if err != nil || len(many) < 1_000_000/65536 {
		t.Fatalf("a million connections: %d addresses, %v", len(many), err)
	}
	slices.Sort(many)
	if len(slices.Compact(many)) < 1_000_000/65536 {
		t.Error("addresses are the same")
	}
	_, err = bench.SourcesFor("ws://192.0.2.1/chsk", 1_000_000)
	if err == nil || !strings.Contains(err.Error(), "ip_local_port_range") {
		t.Errorf("a million to another host: %v", err)
	}
}

func TestUpgradeRequest(t *testing.T) {
	got, err := bench.Upgrade("ws://localhost:81/chsk?uid=u{i}", "a+b", 0xabc, 17)
	if err != nil {
		t.Fatal(err)
	}
	want := "GET /chsk?uid=u17&client-id=00000abc-0000-4000-8000-000000000011&csrf-token=a%2Bb " +
		"HTTP/1.1\r\nHost: localhost:81\r\n"
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\r\n\r\n") {
		t.Errorf("got %q", got)
	}
	bad := []string{"wss://h/chsk", "http://h/chsk", "ws://nowhere.invalid/", "ws://[::1"}
	for _, url := range bad {
		if _, err := bench.Upgrade(url, "", 0, 0); err == nil {
			t.Errorf("%s is taken", url)
		}
	}
}

func TestLeastSquares(t *testing.T) {
	line := bench.LeastSquares([]float64{4000, 11000, 18000}, []float64{4e6 + 7, 11e6 + 7, 18e6 + 7})
	if math.Abs(line.Slope-1000) > 1e-9 || math.Abs(line.Intercept-7) > 1e-3 || line.R2 < 1-1e-12 {
		t.Errorf("points on a line: %+v", line)
	}
	cloud := bench.LeastSquares([]float64{1, 2, 3, 4}, []float64{1, 3, 2, 4})
	if math.Abs(cloud.Slope-0.8) > 1e-9 || math.Abs(cloud.R2-0.64) > 1e-9 {
		t.Errorf("points beside a line: %+v", cloud)
	}
	if one := bench.LeastSquares([]float64{5}, []float64{5}); one.Slope != 0 {
		t.Errorf("one point: %+v", one)
	}
}

func TestLatencyTravels(t *testing.T) {
	count, p50, most, err := bench.MergeLatency([]int64{1000, 2000, 3000}, []int64{-5, 90_000_000})
	if err != nil || count != 5 || p50 != 2 {
		t.Errorf("count %d p50 %d err %v", count, p50, err)
	}
	if most < 90_000 || most > 90_100 {
		t.Errorf("max %d us, want 90000 to three digits", most)
	}
	for _, pairs := range [][]int64{{1}, {-1, 1}, {1 << 40, 1}} {
		if bench.BadPairs(pairs) == nil {
			t.Errorf("histogram %v is taken", pairs)
		}
	}
}

func TestKilobytes(t *testing.T) {
	got := bench.Kilobytes([]byte("5588-7ffd ---p 00:00 0 [rollup]\nRss:     1236 kB\n" +
		"Pss:  12 kB\nX: 3\n"))
	if got["Rss"] != 1236<<10 || got["Pss"] != 12<<10 || got["X"] != 0 {
		t.Errorf("got %v", got)
	}
}
