package oracle_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// count is how many values a test makes.
func count(t *testing.T, n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// readable makes n random values and their trees. Where the JVM's reader refuses one, as two equal
// keys, ours must too; then it is not among the values.
func readable(t *testing.T, n int) (texts []string, trees []*tree) {
	t.Helper()
	c := complaints{t: t}
	defer c.done()
	made := newGen(t).values(n)
	for i, a := range jvm.askAll("tree", made) {
		err := packer.EDN.CheckValue([]byte(made[i]))
		if (err != nil) != a.refused {
			c.errorf("%s\nours: %v\ntools.reader: %v", made[i], err, a)
		}
		if err == nil && !a.refused {
			texts, trees = append(texts, made[i]), append(trees, parseTree(a.text))
		}
	}
	if len(texts) < n/2 {
		t.Fatalf("only %d of %d values are readable", len(texts), n)
	}
	return texts, trees
}

// What the JVM prints, ours reads as what was printed. (It prints :a/1b of #:a{:1b 2}, which it
// cannot read itself: what it refuses, ours refuses.)
func TestOursReadsWhatTheJVMPrints(t *testing.T) {
	need(t, jvm)
	c := complaints{t: t}
	defer c.done()
	texts, trees := readable(t, count(t, 3000))
	for _, op := range []string{"print", "short"} {
		printed := jvm.written(t, op, texts)
		for i, a := range jvm.askAll("tree", printed) {
			err := packer.EDN.CheckValue([]byte(printed[i]))
			if (err != nil) != a.refused {
				c.errorf("%s\nours: %v\ntools.reader: %v", printed[i], err, a)
			}
			want := trees[i].mapped(unprintable).String()
			if !a.refused && parseTree(a.text).String() != want {
				c.errorf("%s\nis %v\nnot %v", printed[i], a, want)
			}
		}
	}
}

// unprintable: Java's UTF-8 writes a lone surrogate as ?.
func unprintable(t *tree) *tree {
	if t.kind != "s" {
		return t
	}
	return leaf("s", strings.ReplaceAll(wellFormed(t).text, `\ufffd`, "?"))
}

// replaced: JavaScript's writes one as U+FFFD.
func replaced(t *tree) *tree {
	if t.kind != "s" {
		return t
	}
	return wellFormed(t)
}

// What ours writes in edn, of values in transit and msgpack, ClojureScript reads as what it was,
// and ours reads what ClojureScript prints of it.
func TestClojureScriptReadsOurEDN(t *testing.T) {
	need(t, jvm, cljs)
	texts, trees := readable(t, count(t, 2000))
	for _, f := range []packer.Format{packer.Transit, packer.Msgpack} {
		t.Run(f.String(), func(t *testing.T) {
			var written []string
			var wants []*tree
			for i, text := range texts {
				out, err := via(text, f)
				want := through(trees[i], f)
				if err != nil || want == nil {
					continue
				}
				want = want.mapped(inClojureScript)
				if want != nil && want.fitsJS() {
					written, wants = append(written, out), append(wants, want)
				}
			}
			checkClojureScript(t, written, wants)
		})
	}
}

func checkClojureScript(t *testing.T, written []string, wants []*tree) {
	t.Helper()
	c := complaints{t: t}
	defer c.done()
	for i, a := range cljs.askAll("edn-tree", written) {
		if a.refused || parseTree(a.text).String() != wants[i].String() {
			c.errorf("%s\nis  %v\nnot %v", written[i], a, wants[i])
		}
	}
	printed := cljs.written(t, "print", written)
	for i, a := range jvm.askAll("tree", printed) {
		if err := packer.EDN.CheckValue([]byte(printed[i])); (err != nil) != a.refused {
			c.errorf("%s\nours: %v\ntools.reader: %v", printed[i], err, a)
		}
		want := wants[i].mapped(writtenByJS).mapped(replaced).String()
		if !a.refused && parseTree(a.text).String() != want {
			c.errorf("%s\nis  %v\nnot %v", printed[i], a, want)
		}
	}
}
