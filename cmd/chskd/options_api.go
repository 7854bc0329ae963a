package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/chskd/chskd/backend"
)

// apiSettings are the options of the backend API, as they are written.
type apiSettings struct {
	allowUIDs   []uint
	maxLine     int
	stallMs     uint32
	onFull      string
	queueEvents int
	queueBytes  int
	holdMs      uint32
	ackMs       uint32
}

// flags names the options.
func (s *apiSettings) flags(f *pflag.FlagSet) {
	f.UintSliceVar(&s.allowUIDs, "api-allow-uids", nil,
		"ids of system users that may use the API socket, besides root and the daemon's own")
	f.IntVar(&s.maxLine, "api-max-line", backend.MaxLineDefault,
		"longest request object of a backend, in bytes, at most 16777216")
	f.Uint32Var(&s.stallMs, "api-stall-ms", ms(backend.StallDefault),
		"a backend that leaves its socket full for so long is cut")
	f.StringVar(&s.onFull, "backend-on-full", backend.OnFullHold.String(),
		"an event for which no backend is there, or none has room: hold (keep it, up to the "+
			"queue's bounds), drop, or reject (close its client with 1013)")
	f.IntVar(&s.queueEvents, "backend-queue-events", backend.QueueEventsDefault,
		"events that wait for one consumer, or are held while there is none")
	f.IntVar(&s.queueBytes, "backend-queue-bytes", backend.QueueBytesDefault, "and their bytes")
	f.Uint32Var(&s.holdMs, "backend-hold-ms", ms(backend.HoldMaxDefault),
		"an event is held no longer than this")
	f.Uint32Var(&s.ackMs, "backend-ack-timeout-ms", ms(backend.AckTimeoutDefault),
		"a consumer with acks that has not acked an event for so long is cut, and the event "+
			"given to another")
}

// build makes the options of the hub and of the server. Errors say what to write instead.
func (s *apiSettings) build(log *slog.Logger) (h backend.HubOptions, o backend.Options, err error) {
	if h.OnFull, err = backend.ParseOnFull(s.onFull); err != nil {
		return h, o, fmt.Errorf("--backend-on-full %q: write hold, drop or reject", s.onFull)
	}
	for _, c := range []struct {
		name      string
		value     int64
		low, high int64
	}{
		{"api-max-line", int64(s.maxLine), 1 << 10, 16 << 20},
		{"api-stall-ms", int64(s.stallMs), 1, 3_600_000},
		{"backend-queue-events", int64(s.queueEvents), 1, 1 << 24},
		{"backend-queue-bytes", int64(s.queueBytes), 1 << 10, 1 << 32},
		{"backend-hold-ms", int64(s.holdMs), 1, 86_400_000},
		{"backend-ack-timeout-ms", int64(s.ackMs), 1, 86_400_000},
	} {
		if c.value < c.low || c.value > c.high {
			return h, o, fmt.Errorf("--%s %d: write a number from %d to %d", c.name, c.value, c.low, c.high)
		}
	}
	for _, uid := range s.allowUIDs {
		if uid > 1<<32-2 {
			return h, o, fmt.Errorf("--api-allow-uids %d: write ids of users, as `id -u NAME` gives", uid)
		}
		o.AllowUIDs = append(o.AllowUIDs, uint32(uid))
	}
	h.QueueEvents, h.QueueBytes = s.queueEvents, s.queueBytes
	h.HoldMax, h.AckTimeout = duration(s.holdMs), duration(s.ackMs)
	o.MaxLine, o.Stall = s.maxLine, duration(s.stallMs)
	h.Log, o.Log = log, log
	return h, o, nil
}

func ms(d time.Duration) uint32 { return uint32(d / time.Millisecond) }

func duration(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }
