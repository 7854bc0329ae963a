package main_test

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A hunk is one deliberate difference from a recording, in the form of a patch: lines that stay
// (` `), lines that the recorded server sent and chskd does not (`-`), and lines that only chskd
// sends (`+`). The recording is patched before it is played, so a difference that is not listed
// fails, and so does a listed one that does not occur.
type hunk struct {
	recording, why string
	lines          []string // each with its first byte
	where          string   // file:line, for messages
}

const differencesFile = "testdata/differences.txt"

var (
	hunkHead = regexp.MustCompile(`^@@ (\S+) \(([a-i]|strict|sente)\) \S.*$`)
	hunkLine = regexp.MustCompile(`^[ +-][<>] c\d+ \S.*$`)
)

// loadDifferences reads the list, by recording.
func loadDifferences(t *testing.T) map[string][]*hunk {
	f, err := os.Open(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string][]*hunk{}
	var h *hunk
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		m := hunkHead.FindStringSubmatch(line)
		switch {
		case line == "" || line[0] == '#':
		case m != nil:
			h = &hunk{recording: m[1], why: line[3:], where: fmt.Sprintf("%s:%d", differencesFile, n)}
			all[h.recording] = append(all[h.recording], h)
		case h != nil && hunkLine.MatchString(line) && line[:2] != "+>" && line[:2] != "->":
			h.lines = append(h.lines, line)
		default:
			t.Fatalf("%s:%d: not a line of a hunk: %q", differencesFile, n, line)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// matches compares a line with a pattern, which may end with `*` for any rest.
func matches(pattern, line string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(line, prefix)
	}
	return pattern == line
}

// apply patches the steps. A hunk must fit at exactly one place.
func (h *hunk) apply(t *testing.T, steps []expected) []expected {
	var old []string
	for _, line := range h.lines {
		if line[0] != '+' {
			old = append(old, line[1:])
		}
	}
	at := -1
	for i := 0; i+len(old) <= len(steps); i++ {
		if !fits(old, steps[i:]) {
			continue
		}
		if at >= 0 {
			t.Fatalf("%s: fits at two places of the recording", h.where)
		}
		at = i
	}
	if at < 0 {
		t.Fatalf("%s: fits nowhere in the recording:\n%s", h.where, joinLines(steps))
	}
	patched := append([]expected{}, steps[:at]...)
	next := at
	for _, line := range h.lines {
		switch line[0] {
		case ' ':
			patched = append(patched, steps[next])
			next++
		case '-':
			next++
		case '+':
			patched = append(patched, newExpected(t, line[1:], patched))
		}
	}
	return append(patched, steps[next:]...)
}

func fits(old []string, steps []expected) bool {
	for i, pattern := range old {
		if !matches(pattern, steps[i].line) {
			return false
		}
	}
	return true
}

func joinLines(steps []expected) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString("  " + s.line + "\n")
	}
	return b.String()
}

// expected is a step as it is played: recorded, or added by a hunk.
type expected struct {
	line string // as step.line; for a step of the server possibly with a `*` at its end
	conn int
	at   float64 // seconds
	step *step   // nil when added
}

// newExpected is a step of the server that a hunk adds behind the steps so far.
func newExpected(t *testing.T, line string, before []expected) expected {
	number, _, _ := strings.Cut(line[len("< c"):], " ")
	conn, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("no connection in %q", line)
	}
	e := expected{line: line, conn: conn}
	if len(before) > 0 {
		e.at = before[len(before)-1].at
	}
	return e
}

func (e *expected) fromClient() bool { return e.line[0] == '>' }

// script is the recording as it is to be played against chskd, its differences applied.
func (r *recording) script(t *testing.T, differences []*hunk) []expected {
	steps := make([]expected, len(r.Steps))
	for i := range r.Steps {
		s := &r.Steps[i]
		steps[i] = expected{line: s.line(t, r.Packer), conn: s.Conn, at: s.T, step: s}
	}
	for _, h := range differences {
		steps = h.apply(t, steps)
	}
	return steps
}
