package backend_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

// The simulation: the hub alone, under a seeded schedule of events, consumers that come, read,
// ack, stall and die, changes of presence, and time. Same seed, same run:
//
//	go test -run TestSimulation ./backend -hubseed 4711 -v
//
// It knows the hub only by what its consumers read (sim_world_test.go says what must hold), and
// besides compares the hub's counts with what is there after every step.

var hubSeed = flag.Int64("hubseed", -1, "play only this seed of the hub's simulation, and tell it")

// broken is what a check of the simulation panics with.
type broken string

// playHub runs one seed and returns what was wrong, nil if nothing. inside says whether the hub's
// own counts are tested too, after every step.
func playHub(seed int64, steps int, inside bool, seen *sights) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if b, ok := r.(broken); ok {
				err = fmt.Errorf("seed %d: %s", seed, string(b))
				return
			}
			err = fmt.Errorf("seed %d: panic: %v", seed, r)
			if *hubSeed >= 0 {
				panic(r)
			}
		}
	}()
	w := newSimWorld(seed)
	for range steps {
		w.step()
		if inside {
			w.checkInside()
		}
	}
	w.finish()
	seen.add(w)
	return nil
}

// sights are the situations that the schedules came to: a simulation that never sees one proves
// nothing about it.
type sights struct {
	stats                      backend.HubStats
	frozen, fenced, wickedAcks int
	lives, exactGaps           int
}

func (s *sights) add(w *simWorld) {
	st := w.h.Stats()
	s.stats.Redelivered += st.Redelivered
	s.stats.Dropped += st.Dropped
	s.stats.Rejected += st.Rejected
	s.stats.Expired += st.Expired
	s.stats.Unheard += st.Unheard
	s.stats.Moved += st.Moved
	s.stats.Resyncs += st.Resyncs
	s.stats.AckTimeouts += st.AckTimeouts
	s.stats.Gaps += st.Gaps
	s.stats.Acked += st.Acked
	s.frozen += w.seen.frozen
	s.fenced += w.seen.fenced
	s.wickedAcks += w.seen.wickedAcks
	s.lives += w.seen.lives
	s.exactGaps += w.seen.exactGaps
}

func TestSimulation(t *testing.T) {
	var seen sights
	if *hubSeed >= 0 {
		if err := playHub(*hubSeed, simSteps, true, &seen); err != nil {
			t.Fatal(err)
		}
		return
	}
	seeds := int64(10_000)
	if testing.Short() || raceEnabled {
		seeds = 500
	}
	for seed := range seeds {
		if err := playHub(seed, simSteps, true, &seen); err != nil {
			t.Fatal(err)
		}
	}
	s := seen.stats
	for what, n := range map[string]uint64{
		"redelivered": s.Redelivered, "dropped": s.Dropped, "rejected": s.Rejected,
		"expired": s.Expired, "unheard": s.Unheard, "moved slots": s.Moved, "resyncs": s.Resyncs,
		"ack timeouts": s.AckTimeouts, "gaps": s.Gaps, "acked": s.Acked,
		"frozen snapshots": uint64(seen.frozen), "fenced events": uint64(seen.fenced),
		"acks of what is not written": uint64(seen.wickedAcks), "live": uint64(seen.lives),
		"gaps checked for their place": uint64(seen.exactGaps),
	} {
		t.Logf("%s: %d", what, n)
		if n < uint64(seeds)/50 {
			t.Errorf("%s only %d times in %d schedules: the simulation hardly tests it", what, n, seeds)
		}
	}
}

const simSteps = 160

// simConfig is what one schedule varies.
type simConfig struct {
	roomy    bool // no bound is ever reached
	solo     bool // at most one consumer in a group at a time: gaps are checked for their place
	churny   bool // presence changes faster than it is read
	ack      map[string]bool
	presence bool
	onFull   backend.OnFull
	holdMs   int64
	ackMs    int64
}

func newSimConfig(rng *rand.Rand) simConfig {
	return simConfig{
		roomy: rng.IntN(4) == 0, solo: rng.IntN(4) == 0, churny: rng.IntN(3) == 0,
		presence: rng.IntN(3) > 0,
		ack:      map[string]bool{"default": rng.IntN(2) == 0, "work": rng.IntN(3) > 0},
		onFull:   backend.OnFull(max(rng.IntN(5)-2, 0)),
		holdMs:   int64(1+rng.IntN(3)) * 20_000, ackMs: int64(1+rng.IntN(3)) * 15_000,
	}
}

func (c simConfig) options() backend.HubOptions {
	o := backend.HubOptions{
		QueueEvents: 8, QueueBytes: 1600, OnFull: c.onFull,
		HoldMax: time.Duration(c.holdMs) * time.Millisecond, AckTimeout: time.Duration(c.ackMs) * time.Millisecond,
	}
	if c.roomy {
		o.QueueEvents, o.QueueBytes = 10_000, 1<<24
	}
	return o
}
