package wirecases

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed http/*.txt frames/*.txt
var files embed.FS

// HTTP is one stream of requests. Immutable after New.
type HTTP struct {
	Name    string
	In      string
	Want    []string // the words of the verdict, without the names of others
	Differs []string // implementations that do not read it as we do
}

// Behind is the good request that follows a stream.
const Behind = "GET /behind HTTP/1.1\r\nHost: behind\r\n\r\n"

// Ends reports whether nothing that follows the stream may be read.
func (c *HTTP) Ends() bool {
	last := c.Want[len(c.Want)-1]
	return last != "ok" && !strings.HasPrefix(last, "ok=")
}

// HTTPCases gives all cases. A file that cannot be read is a mistake in this package: it panics.
func HTTPCases() (cases []HTTP) {
	for _, c := range sections("http") {
		colon := strings.LastIndex(c.title, ": ")
		if colon < 0 {
			panic("wirecases: no verdict in " + c.title)
		}
		h := HTTP{Name: c.title[:colon]}
		for _, word := range strings.Fields(repeat(c.title[colon+2:])) {
			if other, ok := strings.CutPrefix(word, "!"); ok {
				h.Differs = append(h.Differs, other)
				continue
			}
			h.Want = append(h.Want, unescape(word))
		}
		for _, line := range c.lines {
			if text, ok := strings.CutSuffix(line, `\`); ok {
				h.In += unescape(text)
				continue
			}
			h.In += unescape(line) + "\r\n"
		}
		cases = append(cases, h)
	}
	return cases
}

// section is one case as it stands in its file.
type section struct {
	title string
	lines []string
}

// sections gives the cases of all files of a folder. Lines before the first case are for people.
func sections(folder string) (all []section) {
	names, err := fs.Glob(files, folder+"/*.txt")
	if err != nil {
		panic("wirecases: " + err.Error())
	}
	seen := map[string]bool{}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic("wirecases: " + err.Error())
		}
		first := len(all)
		for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			title, is := strings.CutPrefix(line, "== ")
			switch {
			case is && seen[title]:
				panic("wirecases: twice: " + title)
			case is:
				seen[title] = true
				all = append(all, section{title: title})
			case len(all) > first:
				c := &all[len(all)-1]
				c.lines = append(c.lines, line)
			}
		}
	}
	return all
}

var repeated = regexp.MustCompile(`<<([0-9]+) ((?:[^>]|>[^>])+)>>`)

// repeat resolves repetitions.
func repeat(text string) string {
	return repeated.ReplaceAllStringFunc(text, func(s string) string {
		m := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[1]) // the expression lets only numbers pass
		return strings.Repeat(m[2], n)
	})
}

// unescape resolves repetitions, then escapes as in Go's strings.
func unescape(text string) string {
	text = repeat(text)
	var out []byte
	for text != "" {
		if text[0] != '\\' {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		c, multibyte, rest, err := strconv.UnquoteChar(text, 0)
		if err != nil {
			panic(fmt.Sprintf("wirecases: bad escape in %q", text))
		}
		if multibyte {
			out = append(out, string(c)...)
		} else {
			out = append(out, byte(c))
		}
		text = rest
	}
	return string(out)
}

// Cuts gives where a stream of n bytes may be cut: everywhere, but for long ones all near their
// ends and a few between.
func Cuts(n int) (at []int) {
	step := 1
	if n > 600 {
		step = n / 40
	}
	for i := 1; i < n; i++ {
		if i%step == 0 || i <= 60 || i >= n-60 {
			at = append(at, i)
		}
	}
	return slices.Clip(at)
}
