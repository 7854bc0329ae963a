//go:build race

package engine

// raceEnabled: under the race detector pools forget at random, so that allocations
// cannot be counted.
const raceEnabled = true
