package main_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/api.md is written by a run of a daemon, from the templates in testdata/api:
//
//	docs_api_test.go         the templates, and what is put into them
//	docs_api_play_test.go    examples: what is said stands in a template, what comes is real
//	docs_api_tables_test.go  tables: of fields, from the OpenAPI file; of errors, from answers
//
// docs/backend.md is the guide beside it; docs_backend_test.go holds it to the source.

var update = flag.Bool("update", false, "write docs/api.md")

const docAPI = "../../docs/api.md"

// TestAPIReference: docs/api.md is what the daemon answers.
func TestAPIReference(t *testing.T) {
	t.Parallel()
	want := strings.Join(apiReference(t), "\n") + "\n"
	if *update {
		if err := os.WriteFile(docAPI, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(docAPI)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("docs/api.md is not what the daemon answers (- it, + the daemon):\n%s"+
			"to write it anew: go test ./cmd/chskd -run TestAPIReference -update",
			lineDiff(strings.Split(string(have), "\n"), strings.Split(want, "\n")))
	}
}

var directive = regexp.MustCompile(`^\{\{(\w+) (.*)\}\}$`)

// apiReference fills the templates, in the order of their names.
func apiReference(t *testing.T) (out []string) {
	paths, err := filepath.Glob("testdata/api/*.md.tmpl")
	if err != nil || len(paths) == 0 {
		t.Fatal("no templates", err)
	}
	p := newAPIPlay(t)
	for _, path := range paths {
		lines := readDoc(t, path).lines
		for i := 0; i < len(lines)-1; i++ { // the last one is empty
			if m := directive.FindStringSubmatch(lines[i]); m != nil {
				p.where = fmt.Sprintf("%s:%d", path, i+1)
				out = append(out, p.table(m[1], m[2])...)
				continue
			}
			kind, fenced := strings.CutPrefix(lines[i], "```")
			if !fenced {
				out = append(out, lines[i])
				continue
			}
			b := docBlock{first: i + 2}
			for i++; lines[i] != "```"; i++ {
				b.lines = append(b.lines, lines[i])
			}
			switch name, verb, _ := strings.Cut(kind, " "); name {
			case "play":
				if shown := p.play(path, b); len(shown) > 0 {
					out = slices.Concat(out, []string{"```console"}, shown, []string{"```"})
				} else {
					i++ // and the line between
				}
			case "errors":
				out = append(out, p.errors(path, verb, b)...)
			default:
				t.Fatalf("%s:%d: nobody knows what a %q is", path, b.first, kind)
			}
		}
	}
	p.endDaemon()
	p.allCodes(strings.Join(out, "\n"))
	return out
}

// notShown are the codes that no run gives at will, and why.
var notShown = map[string]string{
	"internal":  "a defect",
	"forbidden": "needs another user",
	"timeout":   "takes 10 s or more",
	"bad_body":  "needs a client that breaks off",
}

// allCodes: each code of the guide's table is in the reference with a real answer.
func (p *apiPlay) allCodes(text string) {
	for code := range p.codes {
		shown := strings.Contains(text, `"code":"`+code+`"`) || strings.Contains(text, "| `"+code+"` |")
		if _, rare := notShown[code]; shown == rare {
			p.Errorf("%s: shown %v, rare %v", code, shown, rare)
		}
	}
}

// lineDiff shows what differs between two texts, by lines: the longest common part stays out.
func lineDiff(a, b []string) string {
	var out strings.Builder
	for len(a) > 0 || len(b) > 0 {
		if len(a) > 0 && len(b) > 0 && a[0] == b[0] {
			a, b = a[1:], b[1:]
			continue
		}
		skipA, skipB := len(a), len(b)
		for i := 0; i < len(a) && i < skipA+skipB; i++ {
			if j := slices.Index(b, a[i]); j >= 0 && i+j < skipA+skipB {
				skipA, skipB = i, j
			}
		}
		for _, line := range a[:skipA] {
			fmt.Fprintf(&out, "- %s\n", line)
		}
		for _, line := range b[:skipB] {
			fmt.Fprintf(&out, "+ %s\n", line)
		}
		a, b = a[skipA:], b[skipB:]
	}
	return out.String()
}
