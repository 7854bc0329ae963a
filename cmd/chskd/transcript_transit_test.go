package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// readTransit reads transit+json and writes it as edn.
func readTransit(message []byte) (edn string, err error) {
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return "", err
	}
	r := &transitReader{}
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("transit: %v", fault)
		}
	}()
	return r.value(tree, false), nil
}

// transitReader panics with what is wrong. cache are the strings that codes stand for.
type transitReader struct{ cache []string }

func (r *transitReader) value(v any, asKey bool) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case string:
		return transitScalar(r.resolve(v, asKey))
	case []any:
		return r.array(v)
	}
	panic(fmt.Sprintf("%v is not written by anybody here", v))
}

// resolve gives what a code stands for, and keeps what later codes may stand for.
func (r *transitReader) resolve(s string, asKey bool) string {
	if len(s) > 1 && s[0] == '^' && s != "^ " {
		at := int(s[1]) - 48
		if len(s) == 3 {
			at = at*44 + int(s[2]) - 48
		}
		return r.cache[at]
	}
	tagged := strings.HasPrefix(s, "~:") || strings.HasPrefix(s, "~$") || strings.HasPrefix(s, "~#")
	if len(s) >= 4 && (asKey || tagged) {
		if len(r.cache) == 44*44 {
			r.cache = nil
		}
		r.cache = append(r.cache, s)
	}
	return s
}

func (r *transitReader) array(v []any) string {
	if len(v) > 0 {
		if s, ok := v[0].(string); ok {
			first := r.resolve(s, false)
			if first == "^ " {
				return "{" + r.pairs(v[1:]) + "}"
			}
			if tag, ok := strings.CutPrefix(first, "~#"); ok {
				return r.tagged(tag, v[1])
			}
			return "[" + strings.TrimSpace(transitScalar(first)+" "+r.elements(v[1:])) + "]"
		}
	}
	return "[" + r.elements(v) + "]"
}

func (r *transitReader) elements(v []any) string {
	texts := make([]string, len(v))
	for i := range v {
		texts[i] = r.value(v[i], false)
	}
	return strings.Join(texts, " ")
}

func (r *transitReader) pairs(v []any) string {
	texts := make([]string, len(v))
	for i := range v {
		texts[i] = r.value(v[i], i%2 == 0)
	}
	return strings.Join(texts, " ")
}

func (r *transitReader) tagged(tag string, v any) string {
	switch tag {
	case "'":
		return r.value(v, false)
	case "set":
		return "#{" + r.elements(v.([]any)) + "}"
	case "list":
		return "(" + r.elements(v.([]any)) + ")"
	case "cmap":
		return "{" + r.elements(v.([]any)) + "}"
	case "ratio":
		parts := v.([]any)
		part := func(i int) string { return strings.TrimSuffix(r.value(parts[i], false), "N") }
		return part(0) + "/" + part(1)
	}
	return "#" + tag + " " + r.value(v, false)
}

func transitScalar(s string) string {
	if len(s) < 2 || s[0] != '~' {
		return quoteEDN(s)
	}
	rest := s[2:]
	switch s[1] {
	case '~', '^', '`':
		return quoteEDN(s[1:])
	case ':':
		return ":" + rest
	case '$', 'i':
		return rest
	case '?':
		return map[string]string{"t": "true", "f": "false"}[rest]
	case '_':
		return "nil"
	case 'n':
		return rest + "N"
	case 'f':
		return rest + "M"
	case 'z':
		return map[string]string{"NaN": "##NaN", "INF": "##Inf", "-INF": "##-Inf"}[rest]
	case 'u':
		return "#uuid " + quoteEDN(rest)
	case 'c':
		return charEDN(rest)
	case 'b':
		return "#bytes " + quoteEDN(rest)
	case 'm':
		ms, err := strconv.ParseInt(rest, 10, 64)
		if err != nil {
			panic(err)
		}
		return instEDN(time.UnixMilli(ms))
	}
	panic("scalar " + s)
}

func charEDN(s string) string { return fmt.Sprintf(`\u%04x`, []rune(s)[0]) }

func instEDN(at time.Time) string {
	return `#inst "` + at.UTC().Format("2006-01-02T15:04:05.000Z") + `"`
}
