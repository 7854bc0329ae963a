package packer_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// transit writes random values of every type that edn and transit share, as the transit encoder
// writes them.
func (g gen) transit(depth int) string {
	k := g.IntN(14)
	if depth == 0 {
		k = g.IntN(6)
	}
	switch k {
	case 0, 1, 2:
		return g.transitScalar()
	case 3:
		return g.transitNumber()
	case 4:
		return g.pick("null", "true", "false", `""`)
	case 5:
		return transitString(string(g.text()))
	case 6, 7:
		return "[" + strings.Join(g.many(depth, g.transit), ",") + "]"
	case 8:
		return `["~#list",[` + strings.Join(g.many(depth, g.transit), ",") + "]]"
	case 9:
		return `["~#set",[` + strings.Join(g.unique(depth), ",") + "]]"
	case 10:
		return `["~#` + g.pick("foo", "foo/bar", "x.y/z", "link", "é") + `",` + g.transit(depth-1) + "]"
	}
	return g.transitMap(depth)
}

func (g gen) transitMap(depth int) string {
	keys := g.unique(depth)
	composite := false
	for _, key := range keys {
		composite = composite || key[0] == '['
	}
	var pairs []string
	for i, key := range keys {
		if key[0] != '[' && key[0] != '"' {
			if composite && strings.Contains(strings.Join(keys[:i], ""), "[") {
				pairs = append(pairs, key, g.transit(depth-1))
				continue // behind the first composite key the others are as they are
			}
			key = transitKey(key)
		}
		pairs = append(pairs, key, g.transit(depth-1))
	}
	if composite {
		return `["~#cmap",[` + strings.Join(pairs, ",") + "]]"
	}
	return strings.Join(append([]string{`["^ "`}, pairs...), ",") + "]"
}

// transitKey is a word or number as a map key.
func transitKey(value string) string {
	switch {
	case value == "null":
		return `"~_"`
	case value == "true", value == "false":
		return `"~?` + value[:1] + `"`
	case strings.ContainsAny(value, ".E"):
		return `"~d` + value + `"`
	}
	return `"~i` + value + `"`
}

// unique are values no two of which are equal.
func (g gen) unique(depth int) (values []string) {
	all := "["
	for _, v := range g.many(depth, g.transit) {
		if packer.Transit.CheckValue([]byte(`["~#set",`+all+v+`]]`)) == nil {
			values = append(values, v)
			all += v + ","
		}
	}
	return values
}

func (g gen) transitNumber() string {
	switch g.IntN(4) {
	case 0:
		return strconv.Itoa(g.IntN(2000) - 1000)
	case 1:
		return strconv.FormatInt(int64(g.Uint64())>>10, 10)
	case 2:
		return fmt.Sprintf("%d.%d", g.IntN(100)-50, g.IntN(100))
	}
	return fmt.Sprintf("%d.%dE%d", g.IntN(9), g.IntN(100), g.IntN(300)-150)
}

func (g gen) transitScalar() string {
	big := strconv.FormatUint(g.Uint64()|1<<63, 10) + strconv.Itoa(g.IntN(1000))
	switch g.IntN(9) {
	case 0:
		return `"~i` + strconv.FormatInt(int64(g.Uint64()|1<<62), 10) + `"`
	case 1:
		return `"~n` + g.pick("5", "-7", big, "-"+big) + `"`
	case 2:
		return `"~f` + g.pick("1.50", "-0.001", "1E+3", "10", big) + `"`
	case 3:
		return `"~z` + g.pick("INF", "-INF", "NaN") + `"`
	case 4:
		return `"~c` + g.pick("a", `\n`, `\"`, "~", "^", "é", `\u0000`, " ") + `"`
	case 5:
		return `"~m` + strconv.Itoa(g.IntN(2e12)-1e12) + `"`
	case 6:
		return fmt.Sprintf(`"~u%08x-0000-4000-8000-%012x"`, g.Uint32(), g.Uint64N(1<<48))
	case 7:
		num := g.pick("1", "-2", "1267650600228229401496703205376") // no factor below to reduce
		return `["~#ratio",["~n` + num + `","~n` + g.pick("3", "7", "1000003") + `"]]`
	}
	return `"~` + g.pick(":", "$") + g.pick("a", "ab/c", "room-id", "é", "x.y/z?", "a1", "longer/name") + `"`
}

func transitString(s string) string {
	if s != "" && strings.Contains("~^`", s[:1]) {
		s = "~" + s
	}
	return transitQuoted(s)
}

// settled writes a text anew, so that it is as the encoder has it: ratios are reduced by then.
func settled(t *testing.T, text string) string {
	t.Helper()
	edn, err := transcode(packer.EDN, text, packer.Transit)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	text, err = transcode(packer.Transit, edn, packer.EDN)
	if err != nil {
		t.Fatalf("%s: %v", edn, err)
	}
	return text
}

// Every value of transit that edn has comes back from edn as it was, and means on the way what the
// second reader says.
func TestTransitSurvivesEDN(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(7, 8))}
	for range 4000 {
		first := g.transit(4)
		text := settled(t, first)
		if transitCanon(t, text) != transitCanon(t, first) {
			t.Fatalf("%s became %s", first, text)
		}
		thereAndBack(t, text, packer.Transit, packer.EDN)
	}
}

// With codes a text is the same value, in whatever format it is written.
func TestTransitCodesChangeNothing(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(9, 10))}
	codes := 0
	for range 2000 {
		text := settled(t, g.transit(5))
		coded := withCodes(text)
		codes += strings.Count(coded, `"^`) - strings.Count(coded, `"^ "`)
		for to := range packer.Count {
			plain, errPlain := transcode(to, text, packer.Transit)
			out, err := transcode(to, coded, packer.Transit)
			if out != plain || (err == nil) != (errPlain == nil) {
				t.Fatalf("%s\n%s %v\nwith codes %s\n%s %v", text, plain, errPlain, coded, out, err)
			}
		}
	}
	if codes < 300 {
		t.Errorf("only %d codes", codes)
	}
}

// The verbose form is the same value.
func TestTransitVerboseIsTheSame(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(11, 12))}
	for range 2000 {
		text := settled(t, g.transit(4))
		verbose := verboseForm(jsonTree(text))
		want, err := transcode(packer.EDN, text, packer.Transit)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := transcode(packer.EDN, verbose, packer.Transit); err != nil || got != want {
			t.Fatalf("%s is %s, verbose %s is %s %v", text, want, verbose, got, err)
		}
	}
}

// verboseForm writes maps and tags as objects.
func verboseForm(v any) string {
	list, ok := v.([]any)
	if !ok {
		if s, ok := v.(string); ok {
			return transitQuoted(s)
		}
		return strings.NewReplacer("<nil>", "null").Replace(fmt.Sprint(v))
	}
	var parts []string
	for _, e := range list {
		parts = append(parts, verboseForm(e))
	}
	var first string
	if len(list) > 0 {
		first, _ = list[0].(string)
	}
	switch {
	case first == "^ ":
		var pairs []string
		for i := 1; i < len(parts); i += 2 {
			pairs = append(pairs, parts[i]+":"+parts[i+1])
		}
		return "{" + strings.Join(pairs, ",") + "}"
	case strings.HasPrefix(first, "~#"):
		return "{" + parts[0] + ":" + parts[1] + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Every JSON value comes back from transit as it was.
func TestJSONSurvivesTransit(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(13, 14))}
	for range 4000 {
		thereAndBack(t, g.json(4), packer.JSON, packer.Transit)
	}
}

// edn comes back from transit as it was, but for the N of integers beyond 64 bits.
func TestEDNSurvivesTransit(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(15, 16))}
	for range 4000 {
		text := g.edn(4)
		there, err := transcode(packer.Transit, text, packer.EDN)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		back, err := transcode(packer.EDN, there, packer.Transit)
		if err != nil {
			t.Fatalf("%s: %v", there, err)
		}
		want, errWant := transcode(packer.JSON, text, packer.EDN)
		if got, err := transcode(packer.JSON, back, packer.EDN); err != nil || errWant != nil || got != want {
			t.Fatalf("%s became %s and then %s: %v %v", text, there, back, err, errWant)
		}
		thereAndBack(t, back, packer.EDN, packer.Transit)
	}
}

// Bytes of any length are written in transit as they were, and in edn as base64.
func TestTransitBytes(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(17, 18))}
	for n := range 600 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(g.Uint32())
		}
		text := base64.StdEncoding.EncodeToString(b)
		in := `[["^ ","~b` + text + `","~b` + text + `"],"~:long","^N"]`
		code := "^0"
		if len(text) > 1 {
			code = "^1" // the key is cached
		}
		in = strings.Replace(in, "^N", code, 1)
		want := strings.Replace(in, code, "~:long", 1)
		if got, err := transcode(packer.Transit, in, packer.Transit); err != nil || got != want {
			t.Fatalf("%s became %s %v", in, got, err)
		}
		want = `[{"` + text + `" "` + text + `"} :long :long]`
		if got, err := transcode(packer.EDN, in, packer.Transit); err != nil || got != want {
			t.Fatalf("%s became %s %v", in, got, err)
		}
	}
}
