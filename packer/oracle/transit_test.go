package oracle_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// What ours writes in transit, ClojureScript and transit-js read as the value that it was.
func TestOthersReadOurTransit(t *testing.T) {
	need(t, jvm, cljs, transitJS)
	texts, trees := readable(t, count(t, 2500))
	written := make([]string, len(texts))
	for i, text := range texts {
		written[i] = transcoded(t, packer.Transit, text, packer.EDN)
	}
	t.Run("nbb", func(t *testing.T) {
		checkRead(t, cljs.askAll("transit-tree", written), texts, written, trees)
	})
	t.Run("transit-js", func(t *testing.T) {
		checkRead(t, transitJS.askAll("tree", written), texts, written, trees)
	})
}

// checkRead compares what a JavaScript reader made of each written value with what it was.
func checkRead(t *testing.T, answers []answer, texts, written []string, trees []*tree) {
	t.Helper()
	c := complaints{t: t}
	defer c.done()
	faults := 0
	for i, a := range answers {
		want := losses[packer.Transit](trees[i]).mapped(inJavaScript).mapped(decimal)
		switch {
		case !want.fitsJS():
			continue // two keys that are one in JavaScript
		case a.refused && strings.Contains(a.text, cljsFault):
			faults++
		case a.refused:
			c.errorf("%s\nwritten %q\nrefused: %s", texts[i], written[i], a.text)
		default:
			if got := parseTree(a.text).mapped(decimal).String(); got != want.String() {
				c.errorf("%s\nwritten %q\nis  %v\nnot %v", texts[i], written[i], got, want)
			}
		}
	}
	if faults > len(answers)/100 {
		c.errorf("ClojureScript's own fault in %d of %d values", faults, len(answers))
	}
}

// cljsFault is what ClojureScript says when its hash map has to compare a tagged value of transit,
// like a big integer, with a vector: rare, and nothing that ours could write otherwise.
const cljsFault = "nth not supported on this type"

// What ClojureScript writes in transit of values that it read from our edn, ours reads.
func TestOursReadsTransitOfClojureScript(t *testing.T) {
	need(t, jvm, cljs)
	texts, trees := readable(t, count(t, 2500))
	var from []string
	var wants []*tree
	for i, text := range texts {
		want := trees[i].mapped(inClojureScript)
		if want != nil && !want.has("tag") && want.fitsJS() {
			text = transcoded(t, packer.EDN, transcoded(t, packer.Transit, text, packer.EDN), packer.Transit)
			from, wants = append(from, text), append(wants, want.mapped(writtenByJS))
		}
	}
	checkWritten(t, packer.Transit, cljs.askAll("transit", from), from, wants)
}

// What transit-js writes, with its cache and without, ours reads.
func TestOursReadsTransitOfTransitJS(t *testing.T) {
	need(t, jvm, transitJS)
	texts, trees := readable(t, count(t, 2500))
	var from, asked []string
	var wants []*tree
	for i, text := range texts {
		if want := trees[i].mapped(inJavaScript); !want.fitsJS() {
			continue
		}
		tr := trees[i].mapped(longTag)
		from, asked = append(from, text), append(asked, tr.String())
		wants = append(wants, tr.mapped(throughJSNumbers))
	}
	for _, op := range []string{"transit", "verbose"} {
		t.Run(op, func(t *testing.T) {
			checkWritten(t, packer.Transit, transitJS.askAll(op, asked), from, wants)
		})
	}
}

// longTag is t with another tag for each that transit-js cannot write: of one letter, or transit's.
func longTag(t *tree) *tree {
	if t.kind == "tag" && (len(t.kids[0].text) == 1 || transitNode(t) != t) {
		return &tree{kind: "tag", kids: []*tree{leaf("y", "long"), t.kids[1]}}
	}
	return t
}

// fractionKey tells whether a map in t has a fraction for a key and is no cmap: JavaScript's
// writers of transit write it as the integer "~i1.5". The JVM's reader refuses that, and ours too.
func (t *tree) fractionKey() bool {
	fraction, composite := false, false
	for i, kid := range t.kids {
		if kid.fractionKey() {
			return true
		}
		if i%2 > 0 {
			continue
		}
		switch kid.kind {
		case "d":
			fraction = fraction || !math.IsInf(kid.double(), 0) && !math.IsNaN(kid.double())
		case "v", "l", "set", "map", "tag", "r":
			composite = true
		}
	}
	return t.kind == "map" && fraction && !composite
}

// throughJSNumbers is t after JavaScript held its doubles and printed them.
func throughJSNumbers(t *tree) *tree {
	if t.kind == "d" {
		return writtenByJS(jsNumber(t.double()))
	}
	return t
}

// checkWritten compares what ours makes of what another wrote with what it should be.
func checkWritten(t *testing.T, f packer.Format, written []answer, from []string, wants []*tree) {
	t.Helper()
	c := complaints{t: t}
	defer c.done()
	var outs []string
	var places []int
	for i, a := range written {
		if a.refused {
			c.errorf("%s\nnot written: %s", from[i], a.text)
			continue
		}
		out, err := packer.Append(nil, packer.EDN, []byte(a.text), f, packer.Options{})
		if f == packer.Transit && wants[i].fractionKey() {
			if err == nil {
				c.errorf("%s\nwritten %q\nis read", from[i], a.text)
			}
			continue
		}
		if err != nil {
			c.errorf("%s\nwritten %q\nours: %v", from[i], a.text, err)
			continue
		}
		outs, places = append(outs, string(out)), append(places, i)
	}
	if len(outs) < len(from)/2 {
		c.errorf("only %d of %d values were written and read", len(outs), len(from))
	}
	for n, a := range jvm.askAll("tree", outs) {
		i := places[n]
		want := wants[i].mapped(looseName).String()
		if a.refused || parseTree(a.text).String() != want {
			c.errorf("%s\nwritten %q\nours %s\nis  %v\nnot %s", from[i], written[i].text, outs[n], a, want)
		}
	}
}

// transcoded is text in another format; it must be possible.
func transcoded(t *testing.T, to packer.Format, text string, from packer.Format) string {
	t.Helper()
	b, err := packer.Append(nil, to, []byte(text), from, packer.Options{})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return string(b)
}

// cacheTexts are values whose keys and keywords repeat, with fewer, and with more than transit's
// cache has codes of one character, and entries.
func cacheTexts() (texts []string) {
	repeated := func(distinct int, write func(b *strings.Builder, i int)) {
		var b strings.Builder
		for i := range distinct * 2 {
			write(&b, i%7*i/7%distinct) // some soon again, some late
		}
		texts = append(texts, "["+b.String()+"]")
	}
	for _, distinct := range []int{1, 43, 44, 45, 1935, 1936, 1937, 2500} {
		repeated(distinct, func(b *strings.Builder, i int) { fmt.Fprintf(b, ":some/kw-%d ", i) })
	}
	for _, distinct := range []int{1, 15, 100, 700} {
		repeated(distinct, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "{:key-%d 1, \"name-%d\" :val-%d, :k%d nil}", i, i, i%50, i%7)
		})
		repeated(distinct, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "sym-%d #{:kw-%d} (%d) #tag-%d/x {1234%d :kw-%d, \\a b} ",
				i, i, i%60, i, i, i*7%distinct)
		})
	}
	return texts
}

// The cache of transit, and the keys of msgpack that stand for earlier ones, far beyond their ends:
// what others write with them ours reads, and a copy by ours is plain.
func TestReferences(t *testing.T) {
	need(t, jvm, cljs, transitJS, msgpackJS)
	texts := cacheTexts()
	trees := jvm.trees(t, "tree", texts)
	plain := make([]*tree, len(texts)) // without tags, which ClojureScript cannot write
	asked := make([]string, len(texts))
	var untagged []string
	var untaggedTrees []*tree
	for i := range trees {
		plain[i], asked[i] = trees[i].mapped(inJavaScript), trees[i].String()
		if !trees[i].has("tag") {
			untagged, untaggedTrees = append(untagged, texts[i]), append(untaggedTrees, plain[i])
		}
	}
	for _, source := range []struct {
		name    string
		f       packer.Format
		written []answer
		texts   []string
		wants   []*tree
	}{
		{"transit-js", packer.Transit, transitJS.askAll("transit", asked), texts, trees},
		{"nbb", packer.Transit, cljs.askAll("transit", untagged), untagged, untaggedTrees},
		{"msgpack", packer.Msgpack, msgpackJS.askAll("msgpack", asMsgpack(trees)), texts, trees},
	} {
		t.Run(source.name, func(t *testing.T) {
			wants := source.wants
			if source.f == packer.Msgpack {
				wants = msgpackTrees(trees)
			}
			checkWritten(t, source.f, source.written, source.texts, wants)
			checkPlain(t, source.f, source.written)
		})
	}
}

// checkPlain wants a copy in the same format to mean the same, and its copy to be it.
func checkPlain(t *testing.T, f packer.Format, written []answer) {
	t.Helper()
	for _, a := range written {
		once := transcoded(t, f, a.text, f)
		if twice := transcoded(t, f, once, f); twice != once {
			t.Errorf("a copy without references is written anew: %.200q", once)
		}
		if edn := transcoded(t, packer.EDN, a.text, f); edn != transcoded(t, packer.EDN, once, f) {
			t.Errorf("a copy is another value: %.200q", once)
		}
	}
}
