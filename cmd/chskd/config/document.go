package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// position is a place in a file; both count from 1, columns in characters.
type position struct{ line, column int }

// document is the file as it stands there, for excerpts.
type document struct {
	name  string
	lines []string
	hide  []span // values that are shown as ***, in order; they do not overlap
}

// span is a stretch of the file; end is not in it.
type span struct{ begin, end position }

func newDocument(name string, text []byte) *document {
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return &document{name: name, lines: lines}
}

// end is the position behind the last character.
func (d *document) end() position { return position{len(d.lines) + 1, 1} }

// problem is a mistake at a place.
func (d *document) problem(at position, text string) *Problem {
	return &Problem{File: d.name, Line: at.line, Column: at.column, Text: text, excerpt: d.excerpt(at)}
}

// excerptMax is the longest part of a line that is shown, in characters.
const excerptMax = 100

// excerpt shows the line of a place with a caret below it. Hidden values are taken out first, which
// moves the caret when they stand before it.
func (d *document) excerpt(at position) string {
	if at.line < 1 || at.line > len(d.lines) {
		return ""
	}
	line, caret := []rune(d.lines[at.line-1]), at.column-1
	for _, h := range slices.Backward(d.hide) {
		if h.end.line < at.line || h.begin.line > at.line {
			continue
		}
		from, to := 0, len(line)
		if h.begin.line == at.line {
			from = min(h.begin.column-1, len(line))
		}
		if h.end.line == at.line {
			to = min(h.end.column-1, len(line))
		}
		if from >= to {
			continue
		}
		cut := []rune(hidden)
		if rest := strings.TrimLeft(string(line[to:]), " "); h.end.line == at.line && rest != "" {
			cut = append(cut, ' ') // what stands between the value and the next key went with it
		}
		switch {
		case caret >= to:
			caret += len(cut) - (to - from)
		case caret > from:
			caret = from
		}
		line = slices.Concat(line[:from], cut, line[to:])
	}
	caret = max(0, min(caret, len(line)))
	if caret > excerptMax-10 {
		skip := caret - excerptMax/2
		line, caret = slices.Concat([]rune("..."), line[skip:]), caret-skip+3
	}
	if len(line) > excerptMax {
		line = append(line[:excerptMax:excerptMax], []rune("...")...)
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(line[:min(caret, len(line))]))
	number := fmt.Sprintf("%4d", at.line)
	return fmt.Sprintf("\n%s | %s\n%s | %s^", number, string(line), strings.Repeat(" ", len(number)), pad)
}

// keyLine is a line that begins with a key.
var keyLine = regexp.MustCompile(`^\s*(?:- +)?["']?([A-Za-z_]+)["']?\s*:`)

// hideUnread hides what may be a secret in a line of a file that could not be taken apart: all but
// a key whose value may be seen.
func (d *document) hideUnread(line int) {
	if line < 1 || line > len(d.lines) {
		return
	}
	text := d.lines[line-1]
	begin := len(text) - len(strings.TrimLeft(text, " \t"))
	if m := keyLine.FindStringSubmatchIndex(text); m != nil {
		name := text[m[2]:m[3]]
		open := !strings.ContainsAny(text, "{,") && slices.ContainsFunc(keys, func(k *Key) bool {
			_, leaf, _ := strings.Cut("."+k.Path, ".")
			return leaf[strings.LastIndexByte(leaf, '.')+1:] == name && !k.Secret()
		})
		if open {
			return
		}
		begin = m[1]
	}
	for begin < len(text) && text[begin] == ' ' {
		begin++
	}
	column := len([]rune(text[:begin])) + 1
	d.hide = []span{{position{line, column}, position{line + 1, 1}}}
}
