package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// readDumps adds up callgrind's dumps in dir: instructions by label. A dump that a program asked
// for is a file for each of its threads, whose head has
//
//	desc: Trigger: Client Request: LABEL
//	summary: INSTRUCTIONS
//
// The benchmark's thread is the one that did nearly all; what the others did meanwhile (the
// runtime's watchdog) is left out.
func readDumps(dir string) (map[string]float64, error) {
	files, err := filepath.Glob(filepath.Join(dir, "out.*"))
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		label, instr, err := parseDump(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if label != "" {
			out[label] = max(out[label], instr)
		}
	}
	return out, nil
}

// parseDump reads the head of one dump; label is "" for one that nobody asked for.
func parseDump(text string) (label string, instr float64, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if l, ok := strings.CutPrefix(line, "desc: Trigger: Client Request: "); ok {
			label = l
		}
		if n, ok := strings.CutPrefix(line, "summary: "); ok {
			// Threads that did nothing before the last reset are told as numbers below zero.
			v, err := strconv.ParseUint(n, 10, 64)
			return label, max(0, float64(int64(v))), err
		}
	}
	return "", 0, nil
}
