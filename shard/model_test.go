package shard_test

import (
	"fmt"
	"testing"

	"github.com/chskd/chskd/shard"
)

// These stand in an inbox for the words of home to the owner of a conn: that it
// is displaced, and that it is bound again.
var (
	shardAsk     = shard.Delivery{ID: 1<<64 - 1}
	shardRebound = shard.Delivery{ID: 1<<64 - 2}
)

// play runs one seed and returns what was wrong, nil if nothing. inside says
// whether the shard's own invariants are tested too, after every step.
func play(seed int64, steps int, inside bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if b, ok := r.(broken); ok {
				err = fmt.Errorf("seed %d: %s", seed, string(b))
				return
			}
			err = fmt.Errorf("seed %d: panic: %v", seed, r)
			if testing.Verbose() {
				panic(r)
			}
		}
	}()
	newWorld(seed).run(steps, inside)
	return nil
}

// TestModel plays random schedules of clients, conns and pushes, with messages
// between homes and owners under way, against the naive reference: every
// session gets exactly its list in order, from where it had confirmed; what is
// confirmed its client really had; gaps are only where a bound was reached;
// paces hold; presence alternates; at rest everything has come, and every
// payload is released once.
func TestModel(t *testing.T) {
	seeds := int64(3000)
	if testing.Short() {
		seeds = 300
	}
	for seed := range seeds {
		if err := play(seed, 250, true); err != nil {
			t.Fatal(err)
		}
	}
}
