package main

import (
	"log/slog"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/config"
)

// apiOf makes the options of the hub and of the server.
func apiOf(c *config.Config, log *slog.Logger) (h backend.HubOptions, o backend.Options) {
	onFull, err := backend.ParseOnFull(c.BackendOnFull)
	if err != nil {
		panic("chskd: a policy that config takes and backend does not: " + c.BackendOnFull)
	}
	h.OnFull = onFull
	h.QueueEvents, h.QueueBytes = c.BackendQueueEvents, int(c.BackendQueueBytes)
	h.HoldMax, h.AckTimeout = c.BackendHoldMs.Duration(), c.BackendAckTimeoutMs.Duration()
	o.AllowUIDs = c.APIAllowUIDs
	o.MaxLine, o.Stall = int(c.APIMaxLine), c.APIStallMs.Duration()
	h.Log, o.Log = log, log
	return h, o
}
