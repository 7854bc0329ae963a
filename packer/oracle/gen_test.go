package oracle_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gen writes random Clojure values as edn text, in all spellings that the reader knows.
type gen struct{ *rand.Rand }

// newGen seeds a generator anew each time, and prints the seed. CHSKD_SEED=n repeats a run.
func newGen(t *testing.T) gen {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CHSKD_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("CHSKD_SEED=%d", seed)
	return gen{rand.New(rand.NewPCG(seed, 0))}
}

func (g gen) pick(ss ...string) string { return ss[g.IntN(len(ss))] }

func (g gen) one(of ...func() string) string { return of[g.IntN(len(of))]() }

// values are n values, some of them small.
func (g gen) values(n int) []string {
	vs := make([]string, n)
	for i := range vs {
		vs[i] = g.value(g.IntN(5))
	}
	return vs
}

func (g gen) value(depth int) string {
	if depth == 0 || g.IntN(3) == 0 {
		return g.scalar()
	}
	var b strings.Builder
	switch g.IntN(9) {
	case 0, 1:
		b.WriteString("[" + g.joined(g.many(depth)) + "]")
	case 2:
		b.WriteString("(" + g.joined(g.many(depth)) + ")")
	case 3:
		b.WriteString("#{" + g.joined(g.many(depth)) + "}")
	case 4:
		b.WriteString("#:" + g.pick("user", "a.b", "é") + g.pick("", " ") + g.mapping(depth))
	case 5:
		tag := g.pick("foo/bar", "x", "my.ns/Rec", "a.b.C", "b", "set")
		b.WriteString("#" + tag + " " + g.value(depth-1))
	case 6:
		b.WriteString("^" + g.pick("{:doc \"x\"}", ":private", "String") + " [" +
			g.joined(g.many(depth)) + "]")
	default:
		b.WriteString(g.mapping(depth))
	}
	return b.String()
}

func (g gen) many(depth int) []string {
	vs := make([]string, g.IntN(5))
	if g.IntN(40) == 0 {
		vs = make([]string, 15+g.IntN(20)) // longer than the short headers of msgpack
		depth = 1
	}
	for i := range vs {
		vs[i] = g.value(depth - 1)
	}
	return vs
}

// joined puts something between values that the reader skips.
func (g gen) joined(vs []string) string {
	var b strings.Builder
	for i, v := range vs {
		if i > 0 {
			b.WriteString(g.pick(" ", " ", " ", ", ", "\n", " #_ skipped ", " ; comment\n", "\t,"))
		}
		b.WriteString(v)
	}
	return b.String()
}

func (g gen) mapping(depth int) string {
	vs := g.many(depth)
	for i, v := range vs {
		key := g.keyword()
		switch g.IntN(6) {
		case 0:
			key = g.scalar()
		case 1:
			key = g.value(depth - 1)
		case 2:
			key = g.str()
		}
		vs[i] = key + " " + v
	}
	return "{" + g.joined(vs) + "}"
}

func (g gen) scalar() string {
	return g.one(g.word, g.integer, g.integer, g.big, g.double, g.double, g.decimal, g.ratio, g.char,
		g.str, g.str, g.str, g.keyword, g.keyword, g.symbol, g.uuid, g.inst)
}

func (g gen) word() string { return g.pick("nil", "true", "false") }

// edges are the integers where a format changes its form.
var edges = []int64{0, 32, 127, 128, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1<<31 - 1,
	1 << 31, 1<<32 - 1, 1 << 32, 1<<53 - 1, 1 << 53, math.MaxInt64}

func (g gen) integer() string {
	n := edges[g.IntN(len(edges))] + int64(g.IntN(3)) - 1
	switch g.IntN(3) {
	case 0:
		n = int64(g.IntN(2000))
	case 1:
		n = int64(g.Uint64() >> g.IntN(64))
	}
	sign := g.pick("", "-", "+")
	if n < 0 {
		n = -(n + 1)
	}
	switch g.IntN(8) {
	case 0:
		return sign + "0x" + strconv.FormatInt(n, 16) + g.pick("", "N")
	case 1:
		return sign + "0" + strconv.FormatInt(n, 8) + g.pick("", "N")
	case 2:
		return sign + "36r" + strings.ToUpper(strconv.FormatInt(n, 36))
	case 3:
		return sign + strconv.FormatInt(n, 10) + "N"
	}
	return sign + strconv.FormatInt(n, 10)
}

func (g gen) digits(n int) string {
	b := make([]byte, 1+g.IntN(n))
	for i := range b {
		b[i] = '0' + byte(g.IntN(10))
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

func (g gen) big() string {
	return g.pick("", "-") + g.pick("9223372036854775807", "9223372036854775808",
		"18446744073709551615", "18446744073709551616", g.digits(19), g.digits(60)) + g.pick("", "N")
}

func (g gen) double() string {
	switch g.IntN(4) {
	case 0:
		return g.pick("##Inf", "##-Inf", "##NaN", "1e400", "-1e400", "-0.0", "0.0", "1.", "2.0", "1e5",
			"5e-324", "1.7976931348623157E308", "1e-400", "9007199254740992.0", "1e21", "3.4028235e38")
	case 1:
		return g.pick("", "-") + g.digits(5) + "." + g.digits(20) + g.pick("", "e3", "E-7", "e+30")
	case 2:
		return strconv.FormatFloat(float64(float32(g.NormFloat64())), 'f', -1, 64) + "e0"
	}
	v := math.Float64frombits(g.Uint64())
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0.5"
	}
	return strconv.FormatFloat(v, 'e', -1, 64)
}

func (g gen) decimal() string {
	return g.pick("", "-") + g.pick("1.50M", "0M", "0.00M", "1E+3M", "1e-400M", "1e400M",
		g.digits(30)+"M", g.digits(3)+"."+g.digits(30)+"M", g.digits(4)+"."+g.digits(4)+"e-"+g.digits(2)+"M")
}

func (g gen) ratio() string {
	return g.pick("", "-") + g.pick("22/7", "4/2", "0/5", "1/3", g.digits(5)+"/"+g.digits(5),
		g.digits(25)+"/"+g.digits(25))
}

func (g gen) char() string {
	return `\` + g.pick("a", "Z", "0", "newline", "space", "tab", "return", "backspace", "formfeed",
		"u0041", "u00e9", "u2028", "u0000", "o101", "o0", "é", "日", "(", `"`, `\`, "~", "^", "/", ":")
}

// pieces are what strings are made of, as edn text: what a format escapes or cannot hold, and what
// transit gives a meaning at the beginning.
var pieces = []string{
	"a", "Z", "0", " ", "room", "~", "^", "`", "~:a", "^ ", "^0", "~#set", "~n1", `\"`, `\\`, `\n`,
	"\n", "\t", `\r`, `\b`, `\f`, "\x00", "\x1b", "\x1f", "\x7f", "é", "日本", "😀", "\u2028",
	`\u00e9`, `\uD83D\uDE00`, `\uD83D`, `\uDE00`, `\uFFFF`, `\101`, "/", "</script>", ":", "#",
}

func (g gen) str() string {
	var b strings.Builder
	n := g.IntN(6)
	if g.IntN(30) == 0 {
		n = 30 + g.IntN(300) // longer than the short headers of msgpack
	}
	for range n {
		b.WriteString(pieces[g.IntN(len(pieces))])
	}
	return `"` + b.String() + `"`
}

func (g gen) name() string {
	return g.pick("a", "b", "id", "text", "room-id", "user-name", "é", "日本", "x.y", "a?", "b!",
		"*c*", "->d", "a:b", "a'", "x#", "%", "&", "=", "<>", "$e", "|f|", "g1", "_", "-", "+h", ".i", "a.b.c",
		"nil?", "trueish", "kebab-case-of-some-length")
}

func (g gen) keyword() string {
	switch g.IntN(8) {
	case 0:
		return ":" + g.name() + "/" + g.name()
	case 1:
		return ":" + g.pick("12", "1a", "true", "nil", "a/b", "ns//", "/")
	}
	return ":" + g.name()
}

func (g gen) symbol() string {
	if g.IntN(4) == 0 {
		return g.name() + "/" + g.name()
	}
	return g.pick(g.name(), "/", "ns//", "foo.Bar")
}

func (g gen) uuid() string {
	s := fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", g.Uint32(), g.Uint32()>>16, g.Uint32()>>16,
		g.Uint32()>>16, g.Uint64()>>16)
	if g.IntN(4) == 0 {
		s = strings.ToUpper(s)
	}
	return `#uuid "` + s + `"`
}

func (g gen) inst() string {
	const gregorian = 1583 // the JVM reads an earlier date as Julian, ClojureScript and packer do not
	day := fmt.Sprintf("%04d-%02d-%02d", gregorian+g.IntN(9999-gregorian), 1+g.IntN(12), 1+g.IntN(28))
	if g.IntN(2) == 0 {
		day = fmt.Sprintf("%04d-%02d-%02d", 1900+g.IntN(200), 1+g.IntN(12), 1+g.IntN(28))
	}
	text := g.pick(day[:4], day[:7], day, day+"T12:34", day+"T12:34:56",
		fmt.Sprintf("%sT%02d:%02d:%02d.%03d", day, g.IntN(24), g.IntN(60), g.IntN(60), g.IntN(1000)),
		day+"T00:00:00.123456789")
	if len(text) > 10 {
		text += g.pick("", "Z", "-00:00", "+02:00", "-11:30")
	}
	return `#inst "` + text + `"`
}
