package main_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const docBackend = "../../docs/backend.md"

// doc is a document in Markdown.
type doc struct{ lines []string }

// docBlock is a fenced block; first is the number of its first line, from 1.
type docBlock struct {
	first int
	lines []string
}

func readDoc(t *testing.T, path string) *doc {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &doc{strings.Split(string(text), "\n")}
}

// blocks gives the fenced blocks of a kind.
func (d *doc) blocks(kind string) (list []docBlock) {
	for i := 0; i < len(d.lines); i++ {
		if !strings.HasPrefix(d.lines[i], "```") {
			continue
		}
		b := docBlock{first: i + 2}
		is := d.lines[i] == "```"+kind
		for i++; d.lines[i] != "```"; i++ {
			b.lines = append(b.lines, d.lines[i])
		}
		if is {
			list = append(list, b)
		}
	}
	return list
}

// rows gives the rows of the table that begins with a head, cell by cell.
func (d *doc) rows(t *testing.T, head string) (rows [][]string) {
	t.Helper()
	for i, line := range d.lines {
		if line != head {
			continue
		}
		for _, row := range d.lines[i+2:] {
			if !strings.HasPrefix(row, "|") {
				return rows
			}
			var cells []string
			for _, c := range strings.Split(strings.Trim(row, "|"), "|") {
				cells = append(cells, strings.TrimSpace(c))
			}
			rows = append(rows, cells)
		}
	}
	if rows == nil {
		t.Fatalf("there is no table %s", head)
	}
	return rows
}

// docVolatile is what differs each time. Where such a name stands in an example the daemon's
// answer has it too, of the same shape.
var docVolatile = regexp.MustCompile(`"(?:` +
	`(epoch)":"([A-Z2-7]{16})"|` +
	`(consumer)":"(c\d+)"|` +
	`(reply_to)":"(k\d+\.\d+\.[0-9a-f]{16})"|` +
	`(seq)":(\d+)|` +
	`(at)":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"|` +
	`(uptime_s)":([\d.e-]+)|` +
	`(next)":"([0-9a-z]+)"|` +
	`(version)":"([^"]+)")`)

// docShapes knows what stands for what: the examples' epochs, tokens and seqs, and the daemon's.
type docShapes struct {
	is  map[string]string // `"seq":7` of the example -> that of the daemon
	seq [2]int            // the last ones, of the example and the daemon
}

// real is a request of an example with what the daemon gave in place of what the example shows.
func (s *docShapes) real(request string) string {
	return docVolatile.ReplaceAllStringFunc(request, func(shown string) string {
		if is, known := s.is[shown]; known {
			return is
		}
		return shown
	})
}

// compare tells how an answer differs from the example's, which may leave out parts as "...".
func (s *docShapes) compare(got, want string) error {
	are := docVolatile.FindAllStringSubmatch(got, -1)
	for i, shown := range docVolatile.FindAllStringSubmatch(want, -1) {
		if i == len(are) {
			return fmt.Errorf("nothing is like %s", shown[0])
		}
		if err := s.learn(shown, are[i]); err != nil {
			return err
		}
	}
	got, want = docVolatile.ReplaceAllString(got, "<>"), docVolatile.ReplaceAllString(want, "<>")
	parts := strings.Split(want, "...")
	last := len(parts) - 1
	if rest, begins := strings.CutPrefix(got, parts[0]); !begins || last == 0 && rest != "" {
		return fmt.Errorf("they differ")
	}
	for i, part := range parts {
		at := strings.Index(got, part)
		if i == last && i > 0 {
			at = strings.LastIndex(got, part)
		}
		if at < 0 || i == last && i > 0 && at+len(part) < len(got) {
			return fmt.Errorf("%s is not in its place", part)
		}
		got = got[at+len(part):]
	}
	return nil
}

// volatileValue is the value of a match of docVolatile: one group has matched its name, the next its value.
func volatileValue(m []string) string {
	for i := 1; i < len(m); i += 2 {
		if m[i] != "" {
			return m[i+1]
		}
	}
	return ""
}

// docNames are what stays the same once it was given.
var docNames = regexp.MustCompile(`^"(epoch|consumer|reply_to)"`)

// learn takes a pair. A name that the examples show twice must be the same twice.
func (s *docShapes) learn(shown, is []string) error {
	if s.is == nil {
		s.is = map[string]string{}
	}
	before, known := s.is[shown[0]]
	if known && before != is[0] && docNames.MatchString(shown[0]) {
		return fmt.Errorf("%s was %s before and is %s now", shown[0], before, is[0])
	}
	if strings.HasPrefix(shown[0], `"seq"`) {
		if err := s.count(volatileValue(shown), volatileValue(is)); err != nil {
			return err
		}
	}
	s.is[shown[0]] = is[0]
	return nil
}

// count checks that seqs grow in the daemon's answers as they do in the examples.
func (s *docShapes) count(shown, is string) error {
	a, err := strconv.Atoi(shown)
	if err != nil {
		return err
	}
	b, err := strconv.Atoi(is)
	if err != nil {
		return err
	}
	if last := s.seq; last[0] != 0 && (a > last[0]) != (b > last[1]) {
		return fmt.Errorf("seq %d after %d in the example, %d after %d from the daemon",
			a, last[0], b, last[1])
	}
	s.seq = [2]int{a, b}
	return nil
}

// shellWords splits a command as a shell does that knows quotes and nothing else.
func shellWords(command string) (words []string) {
	word, begun, quote := "", false, rune(0)
	for _, c := range command + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word += string(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' && begun:
			words = append(words, word)
			word, begun = "", false
		case c != ' ':
			word += string(c)
			begun = true
		}
	}
	return words
}
