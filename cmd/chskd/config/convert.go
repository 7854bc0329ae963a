package config

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bad is what is wrong with a value: one of its texts, and why when that is not plain from what to
// write instead.
type bad struct {
	item int // which item of a list
	text string
	why  string
	fix  string // what to write, when it is not what the table says
}

// convert reads what was written for a key: one text, or the items of a list. The value has the type
// of the key's field.
func (k *Key) convert(texts []string) (any, *bad) {
	if !k.List() {
		v, why, ok := k.scalar(texts[0])
		if !ok {
			return nil, &bad{text: texts[0], why: why}
		}
		return v, nil
	}
	list := reflect.Zero(k.typ)
	if len(texts) == 0 && k.value(Default()).Len() > 0 {
		return nil, &bad{why: "the list is empty"}
	}
	for i, text := range texts {
		v, why, ok := k.item(text)
		switch {
		case !ok:
			return nil, &bad{item: i, text: text, why: why, fix: k.network(text)}
		case slices.Contains(texts[:i], text):
			return nil, &bad{item: i, text: text, why: "it is there twice", fix: "leave one out"}
		}
		list = reflect.Append(list, reflect.ValueOf(v))
	}
	return list.Interface(), nil
}

// scalar reads the text of a key that takes no list.
func (k *Key) scalar(text string) (v any, why string, ok bool) {
	var number int64
	switch k.typ {
	case reflect.TypeFor[bool]():
		return text == "true", "", text == "true" || text == "false"
	case reflect.TypeFor[int]():
		number, ok = wholeNumber(text)
		v = int(number)
	case reflect.TypeFor[Millis]():
		var m Millis
		m, ok = parseMillis(text)
		v, number = m, int64(m)
	case reflect.TypeFor[Duration]():
		var d Duration
		d, ok = parseDuration(text)
		if bare, isNumber := wholeNumber(text); !ok && isNumber && bare != 0 {
			why = "the unit is missing"
		}
		ok = ok && (d == 0 || d >= Duration(time.Millisecond)) // no less: bounds are in ms
		v, number = d, int64(time.Duration(d)/time.Millisecond)
		if ok && number == k.Most && time.Duration(d)%time.Millisecond != 0 {
			number++
		}
	case reflect.TypeFor[Size]():
		var s Size
		s, ok = parseSize(text)
		v, number = s, int64(s)
	case reflect.TypeFor[HookURL]():
		if text == "" {
			return HookURL{}, "", true
		}
		v, ok = parseHook(text)
		return v, "", ok
	case reflect.TypeFor[Secret]():
		if why, ok = k.text(text); ok {
			v = Secret{text}
		}
		return v, why, ok
	default:
		why, ok = k.text(text)
		return text, why, ok
	}
	return v, why, ok && number >= k.Least && number <= k.Most
}

// item reads one item of a list.
func (k *Key) item(text string) (v any, why string, ok bool) {
	switch k.typ {
	case reflect.TypeFor[[]netip.Prefix]():
		return prefixItem(text)
	case reflect.TypeFor[[]uint32]():
		n, err := strconv.ParseUint(text, 10, 32)
		return uint32(n), "", err == nil && int64(n) <= k.Most
	case reflect.TypeFor[[]TokenPlace]():
		v, ok = parsePlace(text)
		return v, "", ok
	}
	if text == "" {
		return nil, "", false
	}
	why, ok = k.text(text)
	return text, why, ok
}

// network is what to write in place of an address of a network with bits behind its prefix.
func (k *Key) network(text string) string {
	p, err := netip.ParsePrefix(text)
	if k.typ != reflect.TypeFor[[]netip.Prefix]() || err != nil || p == p.Masked() {
		return ""
	}
	return "write " + p.Masked().String() + ", or " + p.Addr().String()
}

func prefixItem(text string) (any, string, bool) {
	p, why, ok := parsePrefix(text)
	return p, why, ok
}

// text checks a text by the key's enumeration and form. An empty one is none, where none is the
// default.
func (k *Key) text(text string) (why string, ok bool) {
	if text == "" && k.value(Default()).IsZero() {
		return "", true
	}
	if k.OneOf != nil {
		return "", slices.Contains(k.OneOf, text)
	}
	if text == "" || k.form == nil {
		return "", text != ""
	}
	return k.form(text)
}

// wholeNumber reads a number in digits; underscores and other notations are none.
func wholeNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && !strings.HasPrefix(text, "+")
}

// split takes a list apart as variables and flags have it.
func split(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// texts takes the text of a variable or a flag apart, if the key takes a list.
func (k *Key) split(text string) []string {
	if k.List() {
		return split(text)
	}
	return []string{text}
}
