package packer_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// transitTree is a second reader of transit+json, over encoding/json and for nothing but clarity:
// it gives each value a text that is the same for equal values. It panics at what it cannot read.
type transitTree struct {
	cache []string
	refs  int
}

// transitCanon is the text of the one value in b.
func transitCanon(tb testing.TB, b string) string {
	tb.Helper()
	text, _ := transitCanonRefs(tb, b)
	return text
}

// transitCanonRefs tells also how many cache codes there were.
func transitCanonRefs(tb testing.TB, b string) (text string, refs int) {
	tb.Helper()
	defer func() {
		if x := recover(); x != nil {
			tb.Fatalf("%.2000s is not transit: %v", b, x)
		}
	}()
	t := transitTree{}
	return t.value(jsonTree(b)), t.refs
}

// jsonObject is an object with its names in order, name and value in turn.
type jsonObject []any

// jsonTree reads a JSON text.
func jsonTree(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v := jsonValue(d)
	if d.More() {
		panic("more than one value")
	}
	return v
}

func jsonValue(d *json.Decoder) any {
	token, err := d.Token()
	if err != nil {
		panic(err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token
	}
	all := []any{}
	for d.More() {
		all = append(all, jsonValue(d))
	}
	if _, err := d.Token(); err != nil {
		panic(err)
	}
	if delim == '{' {
		return jsonObject(all)
	}
	return all
}

func (t *transitTree) value(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return canonNumber(v.String())
	case string:
		return t.str(t.resolve(v, false))
	case jsonObject:
		if len(v) > 0 {
			if first := t.resolve(v[0].(string), true); strings.HasPrefix(first, "~#") {
				return t.tagged(first[2:], v[1])
			} else if len(v) > 0 {
				return t.pairs(first, v[1:])
			}
		}
		return "{}"
	}
	return t.array(v.([]any))
}

func (t *transitTree) array(v []any) string {
	if len(v) == 0 {
		return "[]"
	}
	first, ok := v[0].(string)
	if !ok {
		return "[" + t.all(v) + "]"
	}
	if first == "^ " {
		if len(v) == 1 {
			return "{}"
		}
		if key, ok := v[1].(string); ok {
			return t.pairs(t.resolve(key, true), v[2:])
		}
		return t.composite(v[1:])
	}
	first = t.resolve(first, false)
	if strings.HasPrefix(first, "~#") {
		if len(v) != 2 {
			panic("a tag without its value")
		}
		return t.tagged(first[2:], v[1])
	}
	if len(v) == 1 {
		return "[" + t.str(first) + "]"
	}
	return "[" + t.str(first) + " " + t.all(v[1:]) + "]"
}

func (t *transitTree) all(v []any) string {
	var parts []string
	for _, e := range v {
		parts = append(parts, t.value(e))
	}
	return strings.Join(parts, " ")
}

// pairs is a map with string keys, the first of which is read.
func (t *transitTree) pairs(first string, rest []any) string {
	key := t.str(first)
	var parts []string
	for {
		parts = append(parts, key+" "+t.value(rest[0]))
		if rest = rest[1:]; len(rest) == 0 {
			break
		}
		if s, ok := rest[0].(string); ok {
			key = t.str(t.resolve(s, true))
		} else {
			key = t.value(rest[0])
		}
		rest = rest[1:]
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

// composite is a map whose keys are not cached.
func (t *transitTree) composite(v []any) string {
	var parts []string
	for i := 0; i < len(v); i += 2 {
		key := t.value(v[i])
		parts = append(parts, key+" "+t.value(v[i+1]))
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

func (t *transitTree) tagged(tag string, v any) string {
	switch tag {
	case "'":
		return t.value(v)
	case "list":
		return "(" + t.all(v.([]any)) + ")"
	case "set":
		var parts []string
		for _, e := range v.([]any) {
			parts = append(parts, t.value(e))
		}
		slices.Sort(parts)
		return "#{" + strings.Join(parts, " ") + "}"
	case "cmap":
		return t.composite(v.([]any))
	case "ratio":
		parts := v.([]any)
		var part [2]big.Int
		for i := range part {
			part[i].SetString(strings.TrimPrefix(t.value(parts[i]), "big"), 10)
		}
		return new(big.Rat).SetFrac(&part[0], &part[1]).RatString()
	}
	return "#" + tag + " " + t.value(v)
}

// resolve gives what a code stands for, and caches what takes an entry (transit-format, "Caching").
func (t *transitTree) resolve(s string, key bool) string {
	if strings.HasPrefix(s, "^") && s != "^ " {
		i := 0
		for _, c := range s[1:] {
			i = i*44 + int(c) - 48
		}
		t.refs++
		return t.cache[i]
	}
	if takesEntry(s, key) {
		if len(t.cache) == 44*44 {
			t.cache = nil
		}
		t.cache = append(t.cache, s)
	}
	return s
}

func takesEntry(s string, key bool) bool {
	return len(utf16.Encode([]rune(s))) > 3 && (key || s[0] == '~' && strings.Contains(":$#", s[1:2]))
}

func (t *transitTree) str(s string) string {
	if len(s) < 2 || s[0] != '~' {
		return strconv.Quote(s)
	}
	rest := s[2:]
	switch s[1] {
	case '~', '^', '`':
		return strconv.Quote(s[1:])
	case '\'':
		return strconv.Quote(rest)
	case ':':
		return ":" + rest
	case '$':
		return "sym " + rest
	case 'i':
		return canonNumber(rest)
	case 'n':
		return "big" + canonNumber(rest)
	case 'd':
		return canonFloat(rest)
	case 'f':
		return canonDecimal(rest)
	case 'z':
		return "##" + rest
	case '_':
		return "nil"
	case '?':
		return strconv.FormatBool(rest == "t")
	case 'c', 'r':
		return s[1:2] + strconv.Quote(rest)
	case 'm':
		return "inst " + rest
	case 't':
		at, err := time.Parse(time.RFC3339, rest)
		if err != nil {
			panic(err)
		}
		return "inst " + strconv.FormatInt(at.UnixMilli(), 10)
	case 'u':
		return "uuid " + strings.ToLower(rest)
	case 'b':
		b, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			panic(err)
		}
		return fmt.Sprintf("bytes 0x%x", b)
	case '#':
		panic("a tag alone")
	}
	return "#" + s[1:2] + " " + strconv.Quote(rest)
}

func canonNumber(s string) string {
	if strings.ContainsAny(s, ".eE") {
		return canonFloat(s)
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic("integer " + s)
	}
	return n.String()
}

func canonFloat(s string) string {
	v, err := strconv.ParseFloat(s, 64)
	if v == 0 && err != nil {
		panic(err)
	}
	return "float " + strconv.FormatFloat(v, 'g', -1, 64)
}

func canonDecimal(s string) string {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("decimal " + s)
	}
	return "decimal " + r.String()
}

// withCodes writes a transit text anew with every cache code that a stock writer would write.
func withCodes(text string) string {
	w := transitWriter{codes: map[string]string{}}
	w.value(jsonTree(text), false)
	return w.buf.String()
}

type transitWriter struct {
	buf   bytes.Buffer
	codes map[string]string
}

func (w *transitWriter) value(v any, key bool) {
	switch v := v.(type) {
	case string:
		w.buf.WriteString(transitQuoted(w.coded(v, key)))
	case []any:
		w.buf.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				w.buf.WriteByte(',')
			}
			w.value(e, i%2 == 1 && v[0] == "^ ")
		}
		w.buf.WriteByte(']')
	case json.Number:
		w.buf.WriteString(v.String())
	default:
		fmt.Fprint(&w.buf, map[any]string{nil: "null", true: "true", false: "false"}[v])
	}
}

func (w *transitWriter) coded(s string, key bool) string {
	if !takesEntry(s, key) {
		return s
	}
	if code, ok := w.codes[s]; ok {
		return code
	}
	if len(w.codes) == 44*44 {
		clear(w.codes)
	}
	i := len(w.codes)
	code := "^" + string(rune(48+i%44))
	if i >= 44 {
		code = "^" + string(rune(48+i/44)) + string(rune(48+i%44))
	}
	w.codes[s] = code
	return s
}
