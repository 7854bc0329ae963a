package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/chskd/chskd/cmd/chskd/config"
)

// Memory that the daemon may use. The limit is soft (runtime/debug.SetMemoryLimit): near it
// garbage is collected more often, up to half of the CPU; what is in use is never given up.
// In a container the limit must be known, for beyond it the kernel ends the daemon at once.

// memoryShare of a cgroup's limit is for the heap; the rest is for the kernel's part, as
// buffers of sockets, which counts there and which Go does not see.
const memoryShare = 0.9

// limitMemory sets the limit that was configured, or that the environment or the cgroup has.
func limitMemory(c *config.Config, log *slog.Logger) {
	from := "memory_limit"
	switch {
	case c.MemoryLimit > 0:
		debug.SetMemoryLimit(int64(c.MemoryLimit))
	case os.Getenv("GOMEMLIMIT") != "": // the runtime has read it
		from = "GOMEMLIMIT"
	default:
		from = "cgroup"
		if _, err := memlimit.Set(memlimit.WithRatio(memoryShare)); err != nil {
			// Not everywhere can it be read, and the daemon serves without it as well.
			log.Debug("memory is not limited: no limit of a cgroup can be read", "error", err)
			return
		}
	}
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		log.Debug("memory is not limited", "by", from)
		return
	}
	log.Info("memory is limited", "by", from, "bytes", limit)
}
