package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is one mistake: what is wrong, and what to write instead.
type Problem struct {
	File   string // "" = it is not in the file
	Line   int    // from 1
	Column int    // from 1, in characters
	Text   string // without newline; secrets are not in it

	excerpt string // the line, secrets taken out, and a caret below the column
}

// Error gives file, line, column and text, and the line itself below them.
func (p *Problem) Error() string {
	if p.File == "" {
		return p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", p.File, p.Line, p.Column, p.Text, p.excerpt)
}

// Problems are all mistakes that were found, those of the file in the order of its lines.
type Problems []*Problem

// problemsMax is how many are told at once.
const problemsMax = 10

// Error gives the mistakes, one below the other.
func (ps Problems) Error() string {
	if len(ps) == 1 {
		return ps[0].Error()
	}
	var out strings.Builder
	fmt.Fprintf(&out, "the options have %d mistakes:", len(ps))
	for i, p := range ps {
		if i == problemsMax {
			fmt.Fprintf(&out, "\nand %d more", len(ps)-i)
			break
		}
		out.WriteByte('\n')
		out.WriteString(p.Error())
	}
	return out.String()
}

// sorted puts the file's mistakes in the order of its lines, the others behind them.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b *Problem) int {
		if a.File == "" || b.File == "" {
			return cmp.Compare(b.File, a.File)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}

// refused says that a value of a key is not taken; name is how the user knows the key.
func (k *Key) refused(name string, b *bad) string {
	text, fix := name, b.fix
	if !k.Secret() && (b.text != "" || b.why == "") {
		text += " " + k.shown(b.text)
	}
	if b.why != "" {
		text += ": " + b.why + ";"
	} else {
		text += ":"
	}
	if fix == "" {
		fix = "write " + k.want()
	}
	return text + " " + fix
}

// shown is a value as messages show it: numbers as they are, all else quoted and cut short.
func (k *Key) shown(text string) string {
	const most = 64
	if _, err := strconv.ParseInt(text, 10, 64); err == nil && k.Type() != "text" {
		return text
	}
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "..."
	}
	return strconv.Quote(text)
}
