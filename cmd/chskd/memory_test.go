package main

import (
	"bytes"
	"log/slog"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/chskd/chskd/cmd/chskd/config"
)

func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for _, c := range []struct {
		name        string
		env         string
		limit, want int64 // want 0: as it is
		by          string
	}{
		{"configured", "", 3 << 30, 3 << 30, "by=memory_limit"},
		{"configured, and in the environment", "2GiB", 3 << 30, 3 << 30, "by=memory_limit"},
		{"in the environment, which the runtime reads", "2GiB", 0, before, "GOMEMLIMIT"},
		{"neither: whatever the cgroup has", "", 0, 0, "memory is "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GOMEMLIMIT", c.env)
			debug.SetMemoryLimit(before)
			var out bytes.Buffer
			limitMemory(&config.Config{MemoryLimit: config.Size(c.limit)},
				slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
			if got := debug.SetMemoryLimit(-1); c.want != 0 && got != c.want {
				t.Errorf("the limit is %d, want %d", got, c.want)
			}
			if !strings.Contains(out.String(), c.by) || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("logged %q, want one line with %q", out.String(), c.by)
			}
		})
	}
}
