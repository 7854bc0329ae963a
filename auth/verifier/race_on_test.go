//go:build race

package verifier_test

const raceOn = true
