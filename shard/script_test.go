package shard_test

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/shard"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts in testdata print into them")

// TestScripts plays the scripts of testdata. A script is a list of steps:
//
//	command arguments
//	----
//	what it prints
//
// separated by empty lines; lines that begin with # are for the reader. See
// script.run for the commands.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			playScript(t, file)
		})
	}
}

func playScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc := newScript()
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		out.WriteString(line + "\n")
		i++
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := i
		if i == len(lines) || lines[i] != "----" {
			t.Fatalf("%s:%d: no ---- after %q", file, i, line)
		}
		i++
		var want strings.Builder
		for ; i < len(lines) && lines[i] != ""; i++ {
			want.WriteString(lines[i] + "\n")
		}
		got := sc.run(strings.Fields(line))
		out.WriteString("----\n" + got)
		if got != want.String() && !*rewrite {
			t.Fatalf("%s:%d: %s\ngot:\n%swant:\n%s", file, at, line, got, want.String())
		}
		if err := sc.s.Check(); err != nil {
			t.Fatalf("%s:%d: %s: %v", file, at, line, err)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// script is a shard and the names that a script has given to what it returned.
type script struct {
	s        *shard.Shard
	cfg      shard.Config
	now      uint32
	ids      map[string]shard.SessionID
	released []string
}

func newScript() *script {
	sc := &script{
		ids: map[string]shard.SessionID{},
		cfg: shard.Config{
			WSGrace: 2500, AjaxGrace: 5000, Keep: 60000,
			FlushWS: 30, FlushAjax: 100, Pace: 20,
		},
	}
	sc.s = shard.New(sc.cfg)
	return sc
}

// named is a payload whose release is printed.
type named struct {
	sc   *script
	name string
	size int
	gone bool
}

func (n *named) Len() int { return n.size }

func (n *named) Release() {
	if n.gone {
		panic("released twice: " + n.name)
	}
	n.gone = true
	n.sc.released = append(n.sc.released, n.name)
}

// args are a command's words: plain ones in order, and key=value.
type args struct {
	word []string
	opt  map[string]string
}

func parseArgs(words []string) args {
	a := args{opt: map[string]string{}}
	for _, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok {
			a.opt[k] = v
		} else {
			a.word = append(a.word, w)
		}
	}
	return a
}

func (a args) at(i int) string {
	if i < len(a.word) {
		return a.word[i]
	}
	return ""
}

func (a args) has(word string) bool {
	for _, w := range a.word {
		if w == word {
			return true
		}
	}
	return false
}

func number(text string) uint64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (a args) num(key string) uint64 { return number(a.opt[key]) }

// to reads [tenant:]user[/client]; the user ~ is the one without uid.
func to(name string) shard.To {
	var t shard.To
	if tenant, rest, ok := strings.Cut(name, ":"); ok {
		t.Tenant, name = []byte(tenant), rest
	}
	user, client, ok := strings.Cut(name, "/")
	if ok {
		t.Client = []byte(client)
	}
	t.NilUID = user == "~"
	if !t.NilUID {
		t.UID = []byte(user)
	}
	return t
}

func key(name string) shard.Key { return shard.Key(to(name)) }
