//go:build chskmutate

package engine

import (
	"fmt"
	"maps"
	"testing"

	"github.com/chskd/chskd/shard"
)

// simFailure is a failed check of a simulation that is meant to fail.
type simFailure string

// mutantT lets a simulation fail without failing the test.
type mutantT struct{ *testing.T }

func (m mutantT) Fatal(args ...any) { panic(simFailure(fmt.Sprint(args...))) }

func (m mutantT) Fatalf(format string, args ...any) { panic(simFailure(fmt.Sprintf(format, args...))) }

// unnoticed are broken rules that only the shard's own tests see, and why.
var unnoticed = map[string]string{
	"leave-keeps-place":  "entries stay for longer than they must, which no client sees",
	"walk-once":          "a walk of so few members is over in one turn",
	"grant-stays":        "nothing is pushed to the topics that identities cease to grant",
	"grant-takes-all":    "no topic is granted that a backend lets sessions join",
	"ttl-of-run-ignored": "a run is seldom remembered until a time in it is over",
}

// TestMutants breaks each rule of the shard (shard/rules_mutate.go) in turn, and
// demands that the simulation of the whole engine notices.
//
//	go test -tags chskmutate -run TestMutants ./shard ./engine
func TestMutants(t *testing.T) {
	defer func() { shard.Mutant = "" }()
	all := maps.Clone(shard.Mutants)
	maps.Copy(all, shard.TopicMutants)
	for name, wrong := range all {
		if unnoticed[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			shard.Mutant = name
			for seed := int64(1); seed <= 20000; seed++ {
				if why := simulateMutant(t, seed); why != "" {
					t.Logf("%s: noticed: %s", wrong, why)
					return
				}
			}
			t.Errorf("nobody notices that %s", wrong)
		})
	}
}

func simulateMutant(t *testing.T, seed int64) (why string) {
	defer func() {
		if f, ok := recover().(simFailure); ok {
			why = string(f)
		}
	}()
	simulate(mutantT{t}, seed)
	return ""
}
