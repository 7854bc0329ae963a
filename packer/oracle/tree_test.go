package oracle_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A tree is a Clojure value as an oracle tells it: a leaf (kind text) or a branch (kind tree ...).
//
//	nil true false                    no text
//	i d m r                           integer digits; bits of a double in hex; decimal; n/d
//	s c k y u t uri b                 string, char, keyword, symbol, uuid, ms since 1970, uri, hex
//	v l set map                       branches; a map's are key value key value ...
//	tag                               the tag as a symbol, and what is tagged
//
// Text is ASCII without space, parenthesis and backslash; \uXXXX is any other UTF-16 unit.
type tree struct {
	kind string
	text string
	kids []*tree
}

func leaf(kind, text string) *tree { return &tree{kind: kind, text: text} }

// parseTree reads one tree; it panics on anything else, because oracles write trees.
func parseTree(s string) *tree {
	t, rest := parseNode(s)
	if rest != "" {
		panic("more than one tree: " + s)
	}
	return t
}

func parseNode(s string) (t *tree, rest string) {
	end := strings.IndexAny(s, " )")
	if s == "" || s[0] != '(' || end < 0 {
		panic("no tree: " + s)
	}
	t = leaf(s[1:end], "")
	s = s[end:]
	for s[0] == ' ' {
		if s = s[1:]; s[0] == '(' {
			var kid *tree
			kid, s = parseNode(s)
			t.kids = append(t.kids, kid)
			continue
		}
		end := strings.IndexByte(s, ')')
		t.text, s = s[:end], s[end:]
	}
	return t, s[1:]
}

// String is the tree's notation, entries of sets and maps in the order of theirs. So equal values
// have equal strings.
func (t *tree) String() string {
	kids := t.written()
	if t.kind == "set" {
		slices.Sort(kids)
	}
	if t.kind == "map" {
		pairs := make([]string, len(kids)/2)
		for i := range pairs {
			pairs[i] = kids[2*i] + " " + kids[2*i+1]
		}
		slices.Sort(pairs)
		kids = pairs
	}
	all := t.kind
	if t.text != "" {
		all += " " + t.text
	}
	if len(kids) > 0 {
		all += " " + strings.Join(kids, " ")
	}
	return "(" + all + ")"
}

func (t *tree) written() []string {
	kids := make([]string, len(t.kids))
	for i, kid := range t.kids {
		kids[i] = kid.String()
	}
	return kids
}

// clashes tells whether keys of a map or elements of a set in t are equal by Clojure's =, for which
// list and vector, 0.0 and -0.0 are. (NaN is not, but no test wants two.)
func (t *tree) clashes() bool {
	step := 1
	if t.kind == "map" {
		step = 2
	}
	seen := map[string]bool{}
	for i, kid := range t.kids {
		if kid.clashes() {
			return true
		}
		if (t.kind == "set" || t.kind == "map") && i%step == 0 {
			key := kid.mapped(asKey).String()
			if seen[key] {
				return true
			}
			seen[key] = true
		}
	}
	return false
}

func asKey(t *tree) *tree {
	switch {
	case t.kind == "l":
		return &tree{kind: "v", kids: t.kids}
	case t.kind == "d" && t.double() == 0:
		return leaf("d", "0000000000000000")
	}
	return t
}

// mapped is t with every node replaced, from the leaves up. A nil from f makes the whole nil.
func (t *tree) mapped(f func(*tree) *tree) *tree {
	if len(t.kids) == 0 {
		return f(t)
	}
	copied := &tree{kind: t.kind, text: t.text, kids: make([]*tree, len(t.kids))}
	for i, kid := range t.kids {
		if copied.kids[i] = kid.mapped(f); copied.kids[i] == nil {
			return nil
		}
	}
	return f(copied)
}

// escapedText is s as the text of a leaf.
func escapedText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > ' ' && r < 0x7F && r != '(' && r != ')' && r != '\\' {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// units are the UTF-16 units of a leaf's text.
func (t *tree) units() (units []uint16) {
	for s := t.text; s != ""; {
		if s[0] != '\\' {
			units, s = append(units, uint16(s[0])), s[1:]
			continue
		}
		unit, err := strconv.ParseUint(s[2:6], 16, 16)
		if err != nil {
			panic("no tree text: " + t.text)
		}
		units, s = append(units, uint16(unit)), s[6:]
	}
	return units
}
