//go:build chskmutate

package backend_test

import (
	"testing"

	"github.com/chskd/chskd/backend"
)

// TestMutants breaks each rule of delivery in turn and demands that the simulation notices by what
// consumers read, without a look inside. See rules_mutate.go for how to run it.
func TestMutants(t *testing.T) {
	defer func() { backend.Mutant = "" }()
	for name, wrong := range backend.Mutants {
		t.Run(name, func(t *testing.T) {
			backend.Mutant = name
			var seen sights
			for seed := range int64(3000) {
				if err := playHub(seed, simSteps, false, &seen); err != nil {
					t.Logf("%s: noticed: %v", wrong, err)
					return
				}
			}
			t.Errorf("nobody notices that %s", wrong)
		})
	}
}
