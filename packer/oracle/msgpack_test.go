package oracle_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// asMsgpack are trees as questions: the values that msgpack holds of them.
func asMsgpack(trees []*tree) []string {
	asked := make([]string, len(trees))
	for i, t := range msgpackTrees(trees) {
		asked[i] = t.String()
	}
	return asked
}

func msgpackTrees(trees []*tree) []*tree {
	out := make([]*tree, len(trees))
	for i, t := range trees {
		out[i] = losses[packer.Msgpack](t)
	}
	return out
}

// holdable are the values that msgpack can hold, and their trees in it.
func holdable(t *testing.T, n int) (texts []string, trees []*tree) {
	t.Helper()
	all, of := readable(t, n)
	for i, tr := range msgpackTrees(of) {
		if tr != nil && !tr.clashes() {
			texts, trees = append(texts, all[i]), append(trees, tr)
		}
	}
	return texts, trees
}

// What ours writes in msgpack, the library with taoensso's extensions reads as the value it was.
func TestOthersReadOurMsgpack(t *testing.T) {
	need(t, jvm, msgpackJS)
	texts, trees := holdable(t, count(t, 3000))
	written := make([]string, len(texts))
	for i, text := range texts {
		written[i] = transcoded(t, packer.Msgpack, text, packer.EDN)
	}
	c := complaints{t: t}
	defer c.done()
	for i, a := range msgpackJS.askAll("tree", written) {
		want := trees[i].mapped(inMsgpackJS)
		if !want.fitsJS() {
			continue
		}
		if a.refused || parseTree(a.text).String() != want.String() {
			c.errorf("%s\nwritten %q\nis  %v\nnot %v", texts[i], written[i], a, want)
		}
	}
}

// inMsgpackJS is t as the library reads it: characters are told apart from strings there, whole
// doubles not from integers.
func inMsgpackJS(t *tree) *tree {
	if t.kind == "d" {
		return jsNumber(t.double())
	}
	return t
}

// What the library writes with taoensso's extensions, ours reads: with cached keys, without, and
// with doubles in 32 bits.
func TestOursReadsMsgpackOfOthers(t *testing.T) {
	need(t, jvm, msgpackJS)
	texts, trees := holdable(t, count(t, 3000))
	asked := make([]string, len(trees))
	for i, tr := range trees {
		asked[i] = tr.String()
	}
	for _, op := range []string{"msgpack", "uncached", "narrow"} {
		t.Run(op, func(t *testing.T) {
			checkWritten(t, packer.Msgpack, msgpackJS.askAll(op, asked), texts, trees)
		})
	}
}

// Integers between int64 and uint64 can be read though no packer of Sente's writes them.
func TestUint64(t *testing.T) {
	need(t, jvm, msgpackJS)
	texts := []string{"9223372036854775808", "18446744073709551615", "[4294967296 9007199254740991]"}
	trees := jvm.trees(t, "tree", texts)
	asked := []string{trees[0].String(), trees[1].String(), trees[2].String()}
	checkWritten(t, packer.Msgpack, msgpackJS.askAll("msgpack", asked), texts, trees)
}

// The plain part of msgpack: JSON through the library alone and back, and ours in between.
func TestPlainMsgpack(t *testing.T) {
	need(t, msgpackJS)
	c := complaints{t: t}
	defer c.done()
	g := newGen(t)
	texts := make([]string, count(t, 3000))
	ours := make([]string, len(texts))
	for i := range texts {
		texts[i] = g.json(4)
		// The library alone knows no keywords, so keys are strings.
		b, err := packer.Append(nil, packer.Msgpack, []byte(texts[i]), packer.JSON,
			packer.Options{StringKeys: true})
		if err != nil {
			t.Fatalf("%s: %v", texts[i], err)
		}
		ours[i] = string(b)
	}
	theirs := msgpackJS.askAll("encode", texts)
	for i, back := range msgpackJS.askAll("decode", ours) {
		if back.refused || !sameJSON(back.text, texts[i]) {
			c.errorf("%s\nours, read there: %v", texts[i], back)
		}
		b, err := packer.Append(nil, packer.JSON, []byte(theirs[i].text), packer.Msgpack,
			packer.Options{})
		if theirs[i].refused || err != nil || !sameJSON(string(b), texts[i]) {
			c.errorf("%s\ntheirs %q, read here: %s %v", texts[i], theirs[i].text, b, err)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil &&
		reflect.DeepEqual(x, y)
}

// json is a random JSON value that msgpack and JavaScript hold as it is.
func (g gen) json(depth int) string {
	k := g.IntN(8)
	if depth == 0 {
		k = g.IntN(5)
	}
	switch k {
	case 0:
		return g.pick("null", "true", "false")
	case 1:
		edge := edges[g.IntN(len(edges)-2)] - int64(g.IntN(2)) // below 2^53
		return fmt.Sprint(g.pick("", "-"), edge+1)
	case 2:
		v := math.Float64frombits(g.Uint64())
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "1.5"
		}
		return strconv.FormatFloat(v, 'e', -1, 64)
	case 3, 4:
		return g.jsonString()
	}
	parts := make([]string, g.IntN(5)+g.IntN(2)*g.IntN(30))
	for i := range parts {
		parts[i] = g.json(depth - 1 - g.IntN(depth))
		if k > 5 {
			parts[i] = fmt.Sprintf(`"k%d%s:%s`, i, g.jsonString()[1:], parts[i])
		}
	}
	if k > 5 {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (g gen) jsonString() string {
	piece := g.pick("a", "room ", "é", "日", "😀", `\"`, `\u0000`, `\n`, "\x7f", "/")
	text := strings.Repeat(piece, g.IntN(9))
	if g.IntN(20) == 0 {
		text = strings.Repeat(text, 40)
	}
	return `"` + text + `"`
}
