package oracle_test

import (
	"bufio"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// A difference is one that is wanted: texts that match it ours may refuse or take though the JVM's
// reader does not. testdata/differences.txt holds them, each with its reason and an example, which
// must still differ.
type difference struct {
	ours    string // "takes" or "refuses"
	pattern *regexp.Regexp
	example string
	reason  string
}

func differences(t *testing.T) (list []difference) {
	t.Helper()
	file, err := os.Open("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, ";") {
			fields := strings.Split(line, "\t")
			if len(fields) != 4 {
				t.Fatalf("not four fields: %q", line)
			}
			nested := strings.Repeat("[", 600) + strings.Repeat("]", 600)
			list = append(list, difference{
				ours:    fields[0],
				pattern: regexp.MustCompile("(?s)" + fields[1]),
				example: strings.ReplaceAll(fields[2], "{600}", nested),
				reason:  fields[3],
			})
		}
	}
	return list
}

// mutated is text with some bytes gone, changed, doubled, or from elsewhere.
func (g gen) mutated(text string) string {
	b := []byte(text)
	for range 1 + g.IntN(3) {
		if len(b) == 0 {
			break
		}
		i := g.IntN(len(b))
		j := min(len(b), i+1+g.IntN(3))
		switch g.IntN(6) {
		case 0:
			b = append(b[:i], b[j:]...)
		case 1:
			b[i] = byte(g.IntN(128))
		case 2:
			b[i] ^= 1 << g.IntN(8)
		case 3:
			b = append(b[:i], append([]byte(g.fragment()), b[i:]...)...)
		case 4:
			b = append(b[:i], append([]byte(g.fragment()), b[j:]...)...)
		case 5:
			b = append(b[:j:j], b[i:]...)
		}
	}
	return string(b)
}

// fragment is a little text that means something to the reader.
func (g gen) fragment() string {
	return g.pick(
		"#", "#_", "##", "#:", "#:a{", "{", "}", "[", "]", "(", ")", `"`, `\`, `\u`, `\o`, "^",
		":", "::", "/", "'", "@", "`", "~", ";", "\n", ",", " ", "+", "-", ".", "0", "8", "9",
		"e", "E", "N", "M", "r", "x", "0x", "1/", "nil", "true", "#inst", "#uuid",
		"#inst \"2024-02-30\"", "#inst \"2024-01-01T\"", "##Inf", "\\newline", "\\u12", `"\u12"`,
		`"\8"`, "\x00", "\x7f", "\u00a0", "\u2028", "é", "😀", "#<", "#!", "#=", "#'a", "#\"a\"",
		"%", "&", "|", "a/b/c", "ns/", "/a", "_", "#{1 1}", "{1 2 1 3}", "{:a}", "1.5.", "1e",
		"3r2",
	)
}

// What tools.reader refuses of damaged text ours refuses, what it takes ours takes, and both make
// the same of it, save the differences on the list.
func TestDamagedTextIsReadAsTheJVMReadsIt(t *testing.T) {
	need(t, jvm)
	g := newGen(t)
	texts := make([]string, count(t, 30000))
	for i := range texts {
		texts[i] = g.mutated(g.value(g.IntN(3)))
	}
	list := differences(t)
	c := complaints{t: t}
	defer c.done()
	taken := 0
	var outs, from []string
	var wants []*tree
	for i, a := range jvm.askAll("tree", texts) {
		err := packer.EDN.CheckValue([]byte(texts[i]))
		switch {
		case (err != nil) != a.refused:
			if !listed(list, texts[i], err) {
				c.errorf("%q\nours: %v\ntools.reader: %v", texts[i], err, a)
			}
		case err == nil:
			taken++
			out, err := via(texts[i], packer.Transit)
			if err != nil {
				c.errorf("%q\n%v", texts[i], err)
			}
			if want := through(parseTree(a.text), packer.Transit); want != nil {
				outs, from, wants = append(outs, out), append(from, texts[i]), append(wants, want)
			}
		}
	}
	t.Logf("%d of %d damaged texts are readable", taken, len(texts))
	for i, a := range jvm.askAll("tree", outs) {
		if a.refused && listed(list, outs[i], nil) {
			continue
		}
		if a.refused || parseTree(a.text).String() != wants[i].String() {
			c.errorf("%q\nours: %s\nis  %v\nnot %v", from[i], outs[i], a, wants[i])
		}
	}
}

func listed(list []difference, text string, err error) bool {
	for _, d := range list {
		if (d.ours == "takes") == (err == nil) && d.pattern.MatchString(text) {
			return true
		}
	}
	return false
}

// No difference is on the list that there is not.
func TestListedDifferencesExist(t *testing.T) {
	need(t, jvm)
	for _, d := range differences(t) {
		a := jvm.askAll("tree", []string{d.example})[0]
		err := packer.EDN.CheckValue([]byte(d.example))
		taken := err == nil
		if taken != (d.ours == "takes") || taken != a.refused || !d.pattern.MatchString(d.example) {
			t.Errorf("%s (%s)\nours: %v\ntools.reader: %v", d.example, d.reason, err, a)
		}
		if err != nil && !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%s: %v", d.example, err)
		}
	}
}
