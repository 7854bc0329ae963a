package packer_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// gen writes random values in the encoders' own style, so that a lossless way there and back gives
// the same bytes.
type gen struct{ *rand.Rand }

func (g gen) pick(ss ...string) string { return ss[g.IntN(len(ss))] }

func (g gen) number() string {
	switch g.IntN(4) {
	case 0:
		return strconv.Itoa(g.IntN(2000) - 1000)
	case 1:
		return strconv.FormatInt(int64(g.Uint64()), 10)
	case 2:
		return strconv.FormatUint(g.Uint64(), 10) + strconv.FormatUint(g.Uint64N(1<<60)+1<<59, 10)
	}
	v := math.Float64frombits(g.Uint64())
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0.5"
	}
	s := strconv.FormatFloat(v, 'E', -1, 64)
	return s
}

var alphabet = []rune{
	'a', 'Z', '0', ' ', '"', '\\', '\n', 0, 0x1F, 0x7F, 'é', '日', '😀', 0x2028, ':', '/',
}

// text is the inside of a string, as units; both encoders escape it their own way.
func (g gen) text() []rune {
	rs := make([]rune, g.IntN(8))
	for i := range rs {
		rs[i] = alphabet[g.IntN(len(alphabet))]
	}
	return rs
}

func (g gen) edn(depth int) string {
	k := g.IntN(8)
	if depth == 0 {
		k = g.IntN(5)
	}
	switch k {
	case 0, 1:
		return g.number()
	case 2, 3:
		return ednString(string(g.text()))
	case 4:
		return g.pick("nil", "true", "false")
	case 5:
		return "[" + strings.Join(g.many(depth, g.edn), " ") + "]"
	}
	var pairs []string
	for i, v := range g.many(depth, g.edn) {
		key := fmt.Sprintf(":%s%d", g.pick("a", "ns/b", "room-id", "é", "x.y/z?"), i)
		if g.IntN(4) == 0 {
			key = ednString(string(g.text()) + " " + strconv.Itoa(i))
		}
		pairs = append(pairs, key+" "+v)
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

func (g gen) json(depth int) string {
	k := g.IntN(8)
	if depth == 0 {
		k = g.IntN(5)
	}
	switch k {
	case 0, 1:
		return g.number()
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

func (g gen) many(depth int, one func(int) string) []string {
	vs := make([]string, g.IntN(5))
	for i := range vs {
		vs[i] = one(depth - 1)
	}
	return vs
}

func ednString(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`).Replace(s) + `"`
}

func jsonString(s string) string {
	s = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\x00", `\u0000`, "\x1f", `\u001f`).Replace(s)
	return `"` + s + `"`
}

// Every JSON value comes back from edn as it was: names become keywords only where that is certain.
func TestJSONSurvivesEDN(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(1, 2))}
	for range 20000 {
		thereAndBack(t, g.json(4), packer.JSON, packer.EDN)
	}
}

// edn values without what JSON lacks come back as they were.
func TestEDNSurvivesJSON(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(3, 4))}
	for range 20000 {
		thereAndBack(t, g.edn(4), packer.EDN, packer.JSON)
	}
}

func thereAndBack(t *testing.T, text string, f, other packer.Format) {
	t.Helper()
	there, err := transcode(other, text, f)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	back, err := transcode(f, there, other)
	if err != nil || back != text {
		t.Fatalf("%v\n%s became %v\n%s and then\n%s", err, text, other, there, back)
	}
}

// What an encoder wrote is written the same when read again: the second way there is the first.
func TestEncodersAreStable(t *testing.T) {
	for _, v := range vectors(t) {
		if v.ReadError != "" || v.Input == "" {
			continue
		}
		first, err := transcode(packer.JSON, "["+v.Input+"\n]", packer.EDN)
		if err != nil {
			continue // a vector of which only the first form is read
		}
		edn, err := transcode(packer.EDN, first, packer.JSON)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		if second, err := transcode(packer.JSON, edn, packer.EDN); err != nil || second != first {
			t.Errorf("%s: %s, then %s, then %s %v", v.Name, first, edn, second, err)
		}
	}
}
