//go:build chskmutate

package shard_test

import (
	"maps"
	"testing"

	"github.com/chskd/chskd/shard"
)

// TestMutants breaks each rule of the cursor and of topics in turn and demands that the model
// notices by what the shard does, without a look inside. See rules_mutate.go for how to run it.
func TestMutants(t *testing.T) {
	defer func() { shard.Mutant = "" }()
	mutants := maps.Clone(shard.Mutants)
	maps.Copy(mutants, shard.TopicMutants)
	for name, wrong := range mutants {
		t.Run(name, func(t *testing.T) {
			shard.Mutant = name
			for seed := range int64(5000) {
				if err := play(seed, 250, false); err != nil {
					t.Logf("%s: noticed: %v", wrong, err)
					return
				}
			}
			t.Errorf("nobody notices that %s", wrong)
		})
	}
}
