package packer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// transitNestings are ways to go one level deeper, and back.
var transitNestings = map[string][2]string{
	"vector":           {`[`, `]`},
	"second element":   {`[1,`, `]`},
	"list":             {`["~#list",[`, `]]`},
	"set":              {`["~#set",[`, `]]`},
	"map":              {`["^ ","a",`, `]`},
	"object":           {`{"a":`, `}`},
	"cmap":             {`["~#cmap",["a",`, `]]`},
	"key":              {`["~#cmap",[`, `,1]]`},
	"bare key":         {`["^ ",`, `,1]`},
	"tag":              {`["~#x",`, `]`},
	"tag of an object": {`{"~#x":`, `}`},
	"quote":            {`["~#'",`, `]`},
	"quote of a quote": {`["~#'",["~#x",`, `]]`},
}

// Depth is the same in all formats: what is just deep enough here is so in edn, and what edn can
// hold comes back.
func TestTransitDepth(t *testing.T) {
	for name, way := range transitNestings {
		levels := 1
		if name == "quote of a quote" {
			levels = 2
		}
		nest := func(n int) string {
			return strings.Repeat(way[0], n) + "7" + strings.Repeat(way[1], n)
		}
		deepest := nest(packer.DepthMax / levels)
		if err := packer.Transit.CheckValue([]byte(deepest)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for to := range packer.Count {
			out, err := transcode(to, deepest, packer.Transit)
			if err != nil || to.CheckValue([]byte(out)) != nil {
				t.Errorf("%s: to %v: %v, %v", name, to, err, to.CheckValue([]byte(out)))
			}
			if back, err := transcode(packer.Transit, out, to); err != nil {
				t.Errorf("%s: from %v: %v", name, to, err)
			} else if err := packer.Transit.CheckValue([]byte(back)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, text := range []string{
			nest(packer.DepthMax/levels + 1), strings.Repeat(way[0], 1<<17),
			`{"a":[` + deepest + `]}`,
		} {
			if got := reasonOf(t, packer.Transit.CheckValue([]byte(text))); got != "nested deeper than 512" {
				t.Errorf("%s: %d bytes: %s", name, len(text), got)
			}
		}
	}
	open, end := strings.Repeat("[", packer.DepthMax-1), strings.Repeat("]", packer.DepthMax-1)
	for value, deeper := range map[string]string{
		`["~#ratio",["~n1","~n2"]]`: "nested deeper than 512", `"~m0"`: "nested deeper than 512",
		`["~Xa"]`: "nested deeper than 512", `"~Xa"`: "nested deeper than 512",
	} {
		text := open + value + end
		err := packer.Transit.CheckValue([]byte(text))
		if value == `["~Xa"]` {
			if reasonOf(t, err) != deeper {
				t.Errorf("%s inside 511: %v", value, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s inside 511: %v", value, err)
		}
		out, err := transcode(packer.EDN, text, packer.Transit)
		if err != nil || packer.EDN.CheckValue([]byte(out)) != nil {
			t.Errorf("%s inside 511 to edn: %v", value, err)
		}
	}
}

// A value that is cut off anywhere is refused.
func TestTransitCutOff(t *testing.T) {
	type row struct{ Name, Transit string }
	var rows []row
	readJSON(t, "testdata/transit_messages.json", &rows)
	for _, v := range rows {
		in := []byte(v.Transit)
		if len(in) > 1<<10 {
			continue
		}
		for n := range in {
			var m packer.Message
			if packer.Transit.CheckValue(in[:n]) == nil || packer.Transit.ParseMessage(in[:n], &m) == nil {
				t.Errorf("%s: taken: %.2000s", v.Name, in[:n])
			}
		}
	}
}

// A short text of codes for a long string would be gigabytes without them.
func TestTransitExpansion(t *testing.T) {
	long := strings.Repeat("x", 40<<10)
	codes := strings.Repeat(`,"^0"`, 20<<10)
	for name, text := range map[string]string{
		"keyword":        `["~:` + long + `"` + codes + `]`,
		"escaped":        `["~:\u0061` + long + `"` + codes + `]`,
		"key":            `[["^ ","` + long + `",1]` + strings.Repeat(`,["^ ","^0",1]`, 20<<10) + `]`,
		"object":         `[{"` + long + `":1}` + strings.Repeat(`,{"^0":1}`, 20<<10) + `]`,
		"tag":            `[["~#` + long + `",1]` + strings.Repeat(`,["^0",1]`, 20<<10) + `]`,
		"tag of objects": `[["~#` + long + `",1]` + strings.Repeat(`,{"^0":1}`, 20<<10) + `]`,
		"first element":  `["~:` + long + `"` + strings.Repeat(`,["^0"]`, 20<<10) + `]`,
	} {
		got := reasonOf(t, packer.Transit.CheckValue([]byte(text)))
		if got != "references grow the value too much" {
			t.Errorf("%s: %d bytes: %q", name, len(text), got)
		}
	}
	// What a stock writer makes of rows with long names is no attack.
	rows := `[` + strings.Repeat(`["^ ","~:customer/shipping-address",1,"~:customer/billing-address",2],`, 5000) + `1]`
	if got, err := transcode(packer.Transit, withCodes(rows), packer.Transit); err != nil || got != rows {
		t.Errorf("rows: %v, and not the same", err)
	}
}

// Maps and sets of many keys, where the last one is the first once more.
func TestTransitManyKeys(t *testing.T) {
	const n = 5000
	var pairs, keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf(`"~:key-%d"`, i))
		pairs = append(pairs, fmt.Sprintf(`"~:key-%d",%d`, i, i))
	}
	last := n/1936*1936 + 5 // in the cache when all is read
	for name, c := range map[string][3]string{
		"map":       {`["^ ",`, strings.Join(pairs, ","), `]`},
		"cmap":      {`["~#cmap",[[1],0,`, strings.Join(pairs, ","), `]]`},
		"object":    {`{`, strings.ReplaceAll(strings.Join(pairs, ","), `",`, `":`), `}`},
		"set":       {`["~#set",[`, strings.Join(keys, ","), `]]`},
		"keys: set": {`["~#cmap",[["~#set",[`, strings.Join(keys, ","), `]],1]]`},
	} {
		if err := packer.Transit.CheckValue([]byte(c[0] + c[1] + c[2])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		value := map[string]string{"object": ":1", "map": ",1", "cmap": ",1"}[name]
		code := codeOf(last % 1936)
		if name == "cmap" || strings.HasSuffix(name, "set") {
			code = codeOf((last + 1) % 1936) // the tag has an entry too
			if name == "keys: set" {
				code = codeOf((last + 2) % 1936)
			}
		}
		for _, again := range []string{keys[0], keys[n-1], keys[last], `"` + code + `"`} {
			text := c[0] + c[1] + "," + again + value + c[2]
			if got := reasonOf(t, packer.Transit.CheckValue([]byte(text))); got != "duplicate key" {
				t.Errorf("%s with %s: %q", name, again, got)
			}
		}
	}
}

// A composite key changes the header of the map around it, which moves what was written since. Maps
// in keys of maps make that quadratic, so it has a bound; beyond it every map is a cmap from the
// start.
func TestTransitShiftIsBounded(t *testing.T) {
	nest := func(n int, in string) string {
		return strings.Repeat("{", n) + in + strings.Repeat(" 1}", n)
	}
	xs := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		text    string
		givesUp bool
	}{
		"plain":        {`{:a 1, :b {:c 2}}`, false},
		"one key":      {`{:a 1, [1] 2}`, false},
		"nested":       {nest(100, "1"), false},
		"nested, long": {nest(500, ednString(xs)), true},
		"keys in front": {strings.Repeat(`{:aaaaaaaaaaa "bbbbbbbbbbbbbbbbbbbbb", `, 500) + "[1]" +
			strings.Repeat(" 1}", 500), true},
		"one late key":   {`{:a "` + xs + `", [1] 2}`, false},
		"many small":     {"[" + strings.Repeat(`{[1] {:a 1}} `, 50000) + "1]", false},
		"in a long text": {`["` + xs + `" ` + nest(500, "1") + "]", false},
	} {
		moved, givenUp := packer.ShiftWork([]byte(c.text))
		got, err := transcode(packer.Transit, c.text, packer.EDN)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if moved > packer.ShiftMax(len(got)) || givenUp != c.givesUp {
			t.Errorf("%s: %d bytes moved for %d written, given up: %v", name, moved, len(got), givenUp)
		}
		if wide := !strings.Contains(got, `"^ "`); c.givesUp && !wide {
			t.Errorf("%s: given up, but %.80s is not wide", name, got)
		}
		back, err := transcode(packer.EDN, got, packer.Transit)
		if err != nil || back != c.text {
			t.Errorf("%s: comes back as %.80s %v", name, back, err)
		}
	}
}

// The two ways to write maps mean the same.
func TestTransitWideMeansTheSame(t *testing.T) {
	value := `{:a {} nil 1 true 2 1.5 3 7 4 "~x" {\a 1 #inst "2024" 2} 1/2 5 {:b 6} 7}`
	spite := strings.Repeat("{", 500) + ednString(strings.Repeat("x", 1<<20)) +
		strings.Repeat(" 1}", 500)
	wide, err := transcode(packer.Transit, "["+value+" "+spite+"]", packer.EDN)
	if err != nil || strings.Contains(wide, `"^ "`) {
		t.Fatalf("%v: %.200s is not wide", err, wide)
	}
	narrow, err := transcode(packer.Transit, value, packer.EDN)
	if err != nil || !strings.Contains(narrow, `"^ "`) {
		t.Fatalf("%v: %s is not narrow", err, narrow)
	}
	end := strings.Index(wide, `,["~#cmap",[["~#cmap",[["~#cmap"`)
	if end < 0 || transitCanon(t, wide[1:end]) != transitCanon(t, narrow) {
		t.Errorf("wide %.400s, narrow %s", wide, narrow)
	}
}
