package packer_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/packer"
)

// mgen writes random values of everything that msgpack keeps, in the edn encoder's own style.
type mgen struct{ gen }

func newMgen(seed uint64) mgen { return mgen{gen{rand.New(rand.NewPCG(seed, 7))}} }

// long is an integer of any size that msgpack has, small ones more often than chance would have it.
func (g mgen) long() string {
	return strconv.FormatInt(int64(g.Uint64())>>g.IntN(64), 10)
}

// double is a float in the style of the decoder.
func (g mgen) double() string {
	v := math.Float64frombits(g.Uint64())
	if g.IntN(2) == 0 {
		v = float64(int64(g.Uint64())>>g.IntN(64)) / float64(int64(1)<<g.IntN(20))
	}
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "##NaN"
	case math.IsInf(v, 0):
		return "##Inf"
	case a != 0 && (a < 1e-7 || a >= 1e21):
		mantissa, exp, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exp)
		return fmt.Sprintf("%sE%d", mantissa, n)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func (g mgen) inst() string {
	ms := g.Int64N(8_000_000_000_000) - 4_000_000_000_000
	return `#inst "` + time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") + `"`
}

func (g mgen) ratio() string {
	a, b := g.Int64N(1<<62)>>g.IntN(62), g.Int64N(1<<62)>>g.IntN(62)+2
	for x, y := a, b; ; x, y = y, x%y {
		if y == 0 {
			if a, b = a/x, b/x; b > 1 {
				return fmt.Sprintf("%d/%d", a, b)
			}
			return "1/2"
		}
	}
}

func (g mgen) scalar() string {
	switch g.IntN(10) {
	case 0:
		return g.long()
	case 1:
		return g.double()
	case 2:
		return ednString(strings.Repeat(string(g.text()), 1+g.IntN(20)))
	case 3:
		return g.pick("nil", "true", "false")
	case 4:
		return g.pick(":a", ":a/b", ":é/日", ":x.y/z?", ":"+strings.Repeat("k", g.IntN(300)+1))
	case 5:
		return g.pick("a", "a/b", "->", "é", "ns//")
	case 6:
		return `\` + g.pick("a", "é", "日", `"`, "u000a", "u0020", "u2028", `\`)
	case 7:
		return g.inst()
	case 8:
		return g.ratio()
	}
	return fmt.Sprintf(`#uuid "%08x-0000-4000-8000-%012x"`, g.Uint32(), g.Uint64()>>16)
}

func (g mgen) value(depth int) string {
	if depth == 0 || g.IntN(3) == 0 {
		return g.scalar()
	}
	n := g.IntN(5)
	if g.IntN(20) == 0 {
		n = g.IntN(20) + 10
	}
	vs := make([]string, n)
	for i := range vs {
		vs[i] = g.value(depth - 1)
	}
	switch g.IntN(4) {
	case 0:
		return "[" + strings.Join(vs, " ") + "]"
	case 1:
		return "#{" + strings.Join(g.distinct(depth, n), " ") + "}"
	case 2:
		b := strings.Repeat("x", g.IntN(20))
		text := base64.StdEncoding.EncodeToString([]byte(b))
		return fmt.Sprintf(`#msgpack/ext%d "%s"`, g.IntN(100)+10, text)
	}
	for i, k := range g.distinct(depth, n) {
		vs[i] = k + " " + vs[i]
	}
	return "{" + strings.Join(vs, ", ") + "}"
}

// distinct are n keys, of which few are composite and many are met again in other maps.
func (g mgen) distinct(depth, n int) []string {
	ks := make([]string, n)
	for i := range ks {
		switch g.IntN(8) {
		case 0:
			ks[i] = fmt.Sprintf("[%d %s]", i, g.value(depth-1))
		case 1:
			ks[i] = fmt.Sprint(i)
		case 2:
			ks[i] = fmt.Sprintf("{:k%d %d}", g.IntN(4), i)
		case 3, 4:
			ks[i] = fmt.Sprintf(`"k%d"`, i)
		default:
			ks[i] = fmt.Sprintf(":k/x%d", i)
		}
	}
	return ks
}

// json is a JSON value whose numbers msgpack keeps, as edn's style writes them.
func (g mgen) json(depth int) string {
	k := g.IntN(8)
	if depth == 0 {
		k = g.IntN(5)
	}
	switch k {
	case 0:
		return g.long()
	case 1:
		if s := g.double(); s[0] != '#' {
			return s
		}
		return "1.5"
	case 2, 3:
		return jsonString(string(g.text()))
	case 4:
		return g.pick("null", "true", "false")
	case 5:
		return "[" + strings.Join(g.many(depth, g.json), ",") + "]"
	}
	var pairs []string
	for i, v := range g.many(depth, g.json) {
		pairs = append(pairs, jsonString(string(g.text())+strconv.Itoa(i))+":"+v)
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// What msgpack keeps comes back as it was: straight, by way of transit, and when its keys are
// references on the way.
func TestEDNSurvivesMsgpack(t *testing.T) {
	g := newMgen(11)
	referred := 0
	for range 6000 {
		text := g.value(4)
		thereAndBack(t, text, packer.EDN, packer.Msgpack)
		plain := toMsgpack(t, text)
		if strings.Contains(text, "NaN") {
			continue // equals nothing, and the bytes of it differ
		}
		packed, refs := withReferences(t, plain)
		referred += refs
		if back := fromMsgpack(t, packed); back != text {
			t.Fatalf("%s with %d references came back as\n%s", text, refs, back)
		}
		again, err := packer.Append(nil, packer.Msgpack, packed, packer.Msgpack, packer.Options{})
		if err != nil || refs > 0 && string(again) != string(plain) {
			t.Fatalf("%s: %x written anew: %x %v, want %x", text, packed, again, err, plain)
		}
		transit, err := packer.Append(nil, packer.Transit, packed, packer.Msgpack, packer.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err = packer.Append(nil, packer.Msgpack, transit, packer.Transit, packer.Options{})
		if err != nil || canon(t, again) != canon(t, plain) {
			t.Fatalf("%s by way of transit: %s\n%x\n%x %v", text, transit, plain, again, err)
		}
	}
	if referred < 1000 {
		t.Errorf("only %d references", referred)
	}
}

func TestJSONSurvivesMsgpack(t *testing.T) {
	g := newMgen(12)
	for range 10000 {
		thereAndBack(t, g.json(4), packer.JSON, packer.Msgpack)
	}
}

// withReferences writes a value as Sente's packer does: a key that was there before becomes its
// index.
func withReferences(tb testing.TB, plain []byte) (packed []byte, refs int) {
	tb.Helper()
	w := refWriter{tree: tree{b: plain}, index: map[string]int{}}
	packed = w.value()
	if w.i != len(plain) {
		tb.Fatalf("%x: %d bytes are left", plain, len(plain)-w.i)
	}
	return packed, w.refs
}

type refWriter struct {
	tree
	index map[string]int
}

func (w *refWriter) value() []byte {
	start := w.i
	c := w.take(1)[0]
	n, pairs := -1, false
	switch {
	case c >= 0x80 && c < 0x90:
		n, pairs = int(c&15), true
	case c >= 0x90 && c < 0xa0:
		n = int(c & 15)
	case c == 0xdc || c == 0xdd:
		n = int(w.big(2 << (c - 0xdc)))
	case c == 0xde || c == 0xdf:
		n, pairs = int(w.big(2<<(c-0xde))), true
	default:
		return w.setOrScalar(start, c)
	}
	out := append([]byte(nil), w.b[start:w.i]...)
	for range n {
		if pairs {
			out = append(out, w.key()...)
		}
		out = append(out, w.value()...)
	}
	return out
}

func (w *refWriter) key() []byte {
	start := w.i
	k := w.value()
	w.i = start
	text := w.tree.value()
	if text[0] != ':' && text[0] != '"' {
		return k
	}
	if i, ok := w.index[text]; ok {
		w.refs++
		return []byte{0xd4, 8, byte(i)}
	}
	if len(w.index) < 256 {
		w.index[text] = len(w.index)
	}
	return k
}

// setOrScalar writes the array in a set anew, with its length, and copies any other value.
func (w *refWriter) setOrScalar(start int, c byte) []byte {
	if c >= 0xc7 && c <= 0xc9 || c >= 0xd4 && c <= 0xd8 {
		if c <= 0xc9 {
			w.big(1 << (c - 0xc7))
		}
		if w.take(1)[0] == 4 {
			content := w.value()
			n := len(content)
			head := []byte{0xc9, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 4}
			return append(head, content...)
		}
	}
	w.i = start
	w.tree.value()
	return append([]byte(nil), w.b[start:w.i]...)
}
