package backend

import (
	"fmt"
	"log/slog"
	"time"
)

// HubOptions are a hub's limits; 0 = the default of limits.go.
type HubOptions struct {
	QueueEvents int // items that one consumer has outstanding, or are held while there is none
	QueueBytes  int // and their bytes
	OnFull      OnFull
	HoldMax     time.Duration // how long an event is held
	AckTimeout  time.Duration // how long a consumer may have an event without acking it
	Log         *slog.Logger
}

// OnFull says what becomes of an event for which there is no consumer, or no room. In each case
// the next line of that group's stream says how many were missed.
type OnFull uint8

// The policies.
const (
	OnFullHold   OnFull = iota // held while there is no consumer; the newest are dropped when full
	OnFullDrop                 // dropped
	OnFullReject               // dropped, and the client is closed with 1013
)

var onFullNames = [...]string{OnFullHold: "hold", OnFullDrop: "drop", OnFullReject: "reject"}

// ParseOnFull reads "hold", "drop" or "reject". Any other text is an error for people.
func ParseOnFull(s string) (OnFull, error) {
	for i, name := range onFullNames {
		if s == name {
			return OnFull(i), nil
		}
	}
	return 0, fmt.Errorf("backend: on_full is hold, drop or reject, not %q", s)
}

// String is the policy's name.
func (o OnFull) String() string { return onFullNames[o] }

// HubStats are the hub's gauges and counters.
type HubStats struct {
	Consumers int `json:"consumers"`
	Groups    int `json:"groups"`
	Held      int `json:"held"`      // events that wait for a first consumer
	Queued    int `json:"queued"`    // items that wait for consumers, are being written, or not acked
	Unacked   int `json:"unacked"`   // those of them that were given and are not acked
	Items     int `json:"items"`     // events in memory
	Snapshots int `json:"snapshots"` // of who is online, being told
	Moving    int `json:"moving"`    // slots on the move

	Events      uint64 `json:"events"`       // offered by clients
	Delivered   uint64 `json:"delivered"`    // lines handed to consumers' sockets
	Acked       uint64 `json:"acked"`        // events
	Redelivered uint64 `json:"redelivered"`  // events given again after a death without ack
	Dropped     uint64 `json:"dropped"`      // events without room or consumer; told as gaps
	Rejected    uint64 `json:"rejected"`     // those of them whose client was to be closed
	Expired     uint64 `json:"expired"`      // events held for too long; told as gaps
	Unheard     uint64 `json:"unheard"`      // events that no consumer wanted or was there for
	Gaps        uint64 `json:"gaps"`         // gap lines
	Missed      uint64 `json:"missed"`       // events that those counted
	Moved       uint64 `json:"moved"`        // slots that changed their consumer
	Resyncs     uint64 `json:"resyncs"`      // presence snapshots started again
	Cut         uint64 `json:"cut"`          // consumers that stood still for too long
	AckTimeouts uint64 `json:"ack_timeouts"` // consumers that did not ack for too long
}

// Stats gives the hub's counters.
func (h *Hub) Stats() HubStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Groups = len(h.groups)
	s.Consumers = h.consumers
	for _, g := range h.groups {
		s.Held += g.held.count
		s.Moving += g.slots.moving
		s.Moved += g.slots.moves
		for _, c := range g.consumers {
			s.Queued += c.queue.count
			s.Unacked += c.unacked.len()
			s.Resyncs += c.resyncs
			if c.snap != nil {
				s.Snapshots++
			}
		}
	}
	return s
}
