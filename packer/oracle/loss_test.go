package oracle_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/chskd/chskd/packer"
)

// losses are what becomes of a value that is written in a format: the table of docs/values.md as
// functions on trees. nil is a value that the format cannot hold, or one whose way through it a
// tree does not tell.
var losses = [packer.Count]func(*tree) *tree{
	packer.EDN:     func(t *tree) *tree { return t.mapped(looseName) },
	packer.Transit: func(t *tree) *tree { return t.mapped(transitNode) },
	packer.Msgpack: func(t *tree) *tree { return t.mapped(msgpackNode) },
	packer.JSON:    jsonLoss,
}

// through is an edn value t after formats, one after the other, and back in edn. From a format to
// itself is a copy.
func through(t *tree, way ...packer.Format) *tree {
	at := packer.EDN
	for _, f := range append(slices.Clone(way), packer.EDN) {
		if t == nil || t.clashes() {
			return nil
		}
		if f != at {
			t, at = losses[f](t), f
		}
	}
	if t == nil || t.clashes() {
		return nil
	}
	return t
}

// looseName is a keyword like :a/1b or a symbol like #:a/b, which edn can write as #:a{:1b 2} and
// #:#:a{b 2} only: where it is written by itself it is a string.
func looseName(t *tree) *tree {
	switch {
	case t.kind == "tag" && strings.ContainsAny(t.kids[0].text[:1], "_!<"):
		return tagAsMap(t) // read of "# !x"
	case t.kind != "k" && t.kind != "y":
		return t
	}
	_, name, _ := strings.Cut(t.text, "/")
	digit := name != "" && name[0] >= '0' && name[0] <= '9' && !(len(name) == 1 && name > "0")
	switch {
	case t.kind == "k" && (digit || strings.HasPrefix(t.text, ":")):
		return leaf("s", ":"+t.text)
	case t.kind == "y" && (digit || strings.ContainsAny(t.text[:1], "#:")):
		return leaf("s", t.text)
	}
	return t
}

// transitNode: a tag that means something in transit can mean nothing else.
func transitNode(t *tree) *tree {
	if t.kind != "tag" {
		return t
	}
	switch tag := t.kids[0].text; {
	case tag == "list", tag == "set", tag == "cmap", tag == "ratio",
		len(tag) == 1 && strings.Contains("_?:$infdzcmtubr'", tag):
		return tagAsMap(t)
	}
	return t
}

func msgpackNode(t *tree) *tree {
	switch t.kind {
	case "i":
		if !isInt64(t.text) {
			return nil
		}
	case "r":
		num, den, _ := strings.Cut(t.text, "/")
		if !isInt64(num) || !isInt64(den) {
			return nil
		}
	case "m":
		return double(decimalValue(t.text))
	case "s":
		return wellFormed(t)
	case "l":
		return &tree{kind: "v", kids: t.kids}
	case "tag":
		return tagAsMap(t)
	}
	return t
}

func isInt64(digits string) bool {
	_, err := strconv.ParseInt(digits, 10, 64)
	return err == nil
}

func double(v float64) *tree {
	bits := math.Float64bits(v)
	if math.IsNaN(v) {
		bits = 0x7ff8 << 48
	}
	text := strconv.FormatUint(bits, 16)
	return leaf("d", strings.Repeat("0", 16-len(text))+text)
}

func (t *tree) double() float64 {
	bits, err := strconv.ParseUint(t.text, 16, 64)
	if err != nil {
		panic("no double: " + t.text)
	}
	return math.Float64frombits(bits)
}

// decimalValue is a decimal in double precision. Decimals have no negative zero.
func decimalValue(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		panic("no decimal: " + text)
	}
	if isZeroText(text) {
		return 0
	}
	return v
}

// decimal is t with a decimal as its digits and exponent: JavaScript keeps the text that came.
func decimal(t *tree) *tree {
	if t.kind != "m" {
		return t
	}
	mantissa, exp, _ := strings.Cut(t.text, "E")
	whole, frac, _ := strings.Cut(mantissa, ".")
	e, err := strconv.Atoi(exp + "0")
	if err != nil {
		panic("no decimal: " + t.text)
	}
	digits := strings.TrimLeft(strings.TrimLeft(whole+frac, "-"), "0")
	if strings.HasPrefix(whole, "-") && digits != "" {
		digits = "-" + digits
	}
	return leaf("m", fmt.Sprintf("%se%d", digits, e/10-len(frac)))
}

func isZeroText(text string) bool {
	mantissa, _, _ := strings.Cut(text, "E")
	return strings.Trim(mantissa, "-0.") == ""
}

// unordered is t without the order of vectors, which JSON makes of sets.
func unordered(t *tree) *tree {
	if t.kind == "v" {
		return &tree{kind: "set", kids: t.kids}
	}
	return t
}

// wellFormed is a string whose lone surrogates became U+FFFD.
func wellFormed(t *tree) *tree { return leaf("s", escapedText(string(utf16.Decode(t.units())))) }

func tagAsMap(t *tree) *tree {
	return &tree{kind: "map", kids: []*tree{leaf("s", "#"+t.kids[0].text), t.kids[1]}}
}

// jsonLoss is t after JSON. Where two keys get one name, or a key's name depends on how its edn was
// spelled, the tree does not tell what becomes of it.
func jsonLoss(t *tree) *tree {
	switch t.kind {
	case "nil", "true", "false", "i", "s":
		return t
	case "d":
		if v := t.double(); !math.IsNaN(v) && !math.IsInf(v, 0) {
			return t
		}
		return leaf("s", jsonText(t))
	case "m":
		return jsonDecimal(t)
	case "r", "k", "y", "c", "u", "t":
		return leaf("s", jsonText(t))
	case "tag":
		return jsonLoss(tagAsMap(t))
	}
	out := &tree{kind: "v"}
	if t.kind == "map" {
		out.kind = "map"
	}
	for i, kid := range t.kids {
		if kid = jsonKid(kid, t.kind == "map" && i%2 == 0); kid == nil {
			return nil
		}
		out.kids = append(out.kids, kid)
	}
	return out
}

func jsonKid(t *tree, key bool) *tree {
	if key {
		return jsonKey(t)
	}
	return jsonLoss(t)
}

// jsonDecimal: a decimal without point and exponent is an integer's digits.
func jsonDecimal(t *tree) *tree {
	if strings.ContainsAny(t.text, ".E") {
		return double(decimalValue(t.text))
	}
	return leaf("i", t.text)
}

// jsonKey is a map key after it was a name in JSON.
func jsonKey(t *tree) *tree {
	switch t.kind {
	case "d", "m", "v", "l", "set", "map", "tag":
		return nil
	}
	key := leaf("s", jsonText(t))
	if text := wellFormed(key).text; text == key.text && isKeywordText(key.units()) {
		key.kind = "k"
	}
	return key
}

// jsonText is the text of a scalar's JSON string, or of its JSON.
func jsonText(t *tree) string {
	switch t.kind {
	case "nil":
		return "null"
	case "true", "false":
		return t.kind
	case "d":
		switch v := t.double(); {
		case math.IsNaN(v):
			return "##NaN"
		case v > 0:
			return "##Inf"
		}
		return "##-Inf"
	case "t":
		ms, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			panic("no instant: " + t.text)
		}
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return t.text
}

// isKeywordText tells whether a name becomes a keyword: packer's documentation in other words.
func isKeywordText(units []uint16) bool {
	const apart = "\";^()[]{}\\,@`~ "
	text := string(utf16.Decode(units))
	for _, r := range text {
		if !unicode.IsPrint(r) || strings.ContainsRune(apart, r) {
			return false
		}
	}
	switch {
	case text == "/":
		return true
	case text == "", strings.ContainsAny(text[:1], "#':"), strings.Contains(text, "::"),
		strings.HasSuffix(text, ":"):
		return false
	}
	ns, name, slashed := strings.Cut(text, "/")
	if !slashed || name == "/" && ns != "" && !strings.HasSuffix(ns, ":") {
		return true
	}
	if ns == "" || strings.HasSuffix(ns, ":") || strings.Contains(name, "/") {
		return false
	}
	return !unicode.IsDigit([]rune(name + "0")[0])
}

// inJavaScript is t as JavaScript's numbers and strings hold it: 2.0 is 2, a character is a string.
func inJavaScript(t *tree) *tree {
	switch t.kind {
	case "c":
		return leaf("s", t.text)
	case "d":
		return jsNumber(t.double())
	}
	return t
}

func jsNumber(v float64) *tree {
	const safeMax = 1<<53 - 1
	if v == math.Trunc(v) && math.Abs(v) <= safeMax && (v != 0 || !math.Signbit(v)) {
		return leaf("i", strconv.FormatInt(int64(v), 10))
	}
	return double(v)
}

// inClojureScript is t as ClojureScript's edn reader takes it: every number a double. nil is a
// ratio of numbers beyond double precision, which it divides in its own way.
func inClojureScript(t *tree) *tree {
	switch t.kind {
	case "i", "m":
		return jsNumber(decimalValue(t.text))
	case "r":
		num, den, _ := strings.Cut(t.text, "/")
		if len(num) > 16 || len(den) > 15 {
			return nil
		}
		return jsNumber(decimalValue(num) / decimalValue(den))
	}
	return inJavaScript(t)
}

// writtenByJS is t after JavaScript printed its numbers: -0 is 0, and a double below 1e21 that is
// an integer has an integer's digits.
func writtenByJS(t *tree) *tree {
	const digitsMax = 1e21
	if t.kind != "d" {
		return t
	}
	v := t.double()
	if v != math.Trunc(v) || math.Abs(v) >= digitsMax || math.IsInf(v, 0) {
		return t
	}
	if v == 0 {
		return leaf("i", "0")
	}
	n, ok := new(big.Int).SetString(strconv.FormatFloat(v, 'f', -1, 64), 10)
	if !ok {
		panic("no integer: " + t.text)
	}
	return leaf("i", n.String())
}

// fitsJS tells whether JavaScript's libraries can hold t: no keys are equal to them, to which -0 is
// 0, and to transit-js an empty map is every object without properties.
func (t *tree) fitsJS() bool {
	return !t.mapped(zeroless).clashes() && !t.emptyMapKey()
}

func zeroless(t *tree) *tree {
	if t.kind == "d" && t.double() == 0 {
		return leaf("i", "0")
	}
	return t
}

func (t *tree) emptyMapKey() bool {
	for i, kid := range t.kids {
		key := t.kind == "set" || t.kind == "map" && i%2 == 0
		if kid.emptyMapKey() || key && kid.holdsEmptyMap() {
			return true
		}
	}
	return false
}

func (t *tree) holdsEmptyMap() bool {
	if t.kind == "map" && len(t.kids) == 0 {
		return true
	}
	for _, kid := range t.kids {
		if kid.holdsEmptyMap() {
			return true
		}
	}
	return false
}

// has tells whether a node of t is of one of the kinds.
func (t *tree) has(kinds ...string) bool {
	for _, k := range kinds {
		if t.kind == k {
			return true
		}
	}
	for _, kid := range t.kids {
		if kid.has(kinds...) {
			return true
		}
	}
	return false
}
