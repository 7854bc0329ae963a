package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Key is a row of the table: what one key of [Config] means, and which values it takes.
//
// Immutable after start.
type Key struct {
	Path    string   // as "jwt.jwks_url"
	Doc     string   // what it does: the help of its flag, the comment in the default file
	Example string   // a value that is not the default, as it is written in a variable
	OneOf   []string // the values, or those of a list's items; nil = not an enumeration

	Least, Most int64 // of numbers: bytes of a Size, milliseconds of a Millis or a Duration

	form  func(text string) (why string, ok bool) // checks a text, or an item of a list; nil = any
	write string                                  // completes "write ..." for values with a form

	field []int // of Config, for reflect
	typ   reflect.Type
}

// Group is a heading of the table and the keys below it.
type Group struct {
	Title string
	Keys  []*Key
}

var (
	// Groups are all keys in the order in which they are shown.
	Groups = []Group{
		{"Places", places},
		{"Packers", packers},
		{"Who may connect, and who they are", identity},
		{"CSRF token", csrfKeys},
		{"Identity from a signed token (auth mode jwt)", jwtKeys},
		{"Identity from the application (auth mode hook)", hookKeys},
		{"Identity from a proxy (auth mode header)", headerKeys},
		{"Addresses and proxies", addresses},
		{"Limits", limits},
		{"Times of the protocol, with Sente's names", times},
		{"Delivery", delivery},
		{"Backends", backends},
	}
	keys   []*Key          // all of them, in that order
	byPath map[string]*Key // and by name
)

func init() {
	byPath = map[string]*Key{}
	for _, g := range Groups {
		for _, k := range g.Keys {
			k.field, k.typ = fieldOf(k.Path)
			keys = append(keys, k)
			byPath[k.Path] = k
		}
	}
}

// Keys are all keys in the order in which they are shown. They are not to be changed.
func Keys() []*Key { return keys }

// keyNamed gives the key of a path that is known to exist.
func keyNamed(path string) *Key {
	k := byPath[path]
	if k == nil {
		panic("config: no key " + path)
	}
	return k
}

// fieldOf finds the field of a path.
func fieldOf(path string) (index []int, t reflect.Type) {
	t = reflect.TypeFor[Config]()
	for name := range strings.SplitSeq(path, ".") {
		found := false
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("key") == name {
				index, t, found = append(index, i), f.Type, true
				break
			}
		}
		if !found {
			panic("config: the struct has no field for " + path)
		}
	}
	return index, t
}

// value is the key's field of c.
func (k *Key) value(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(k.field) }

// Field is the key's field of [Config], as "JWT.JWKSURL".
func (k *Key) Field() string {
	var names []string
	t := reflect.TypeFor[Config]()
	for _, i := range k.field {
		names = append(names, t.Field(i).Name)
		t = t.Field(i).Type
	}
	return strings.Join(names, ".")
}

// Flag is the name of the flag, without dashes.
func (k *Key) Flag() string { return strings.NewReplacer("_", "-", ".", "-").Replace(k.Path) }

// Env is the name of the variable.
func (k *Key) Env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(k.Path, ".", "_")) }

// List says whether the key takes a list.
func (k *Key) List() bool { return k.typ.Kind() == reflect.Slice }

// Secret says whether the key's value must not be shown.
func (k *Key) Secret() bool { return k.typ == reflect.TypeFor[Secret]() }

// Type is a word for what is to be written.
func (k *Key) Type() string {
	switch k.typ {
	case reflect.TypeFor[bool]():
		return "bool"
	case reflect.TypeFor[int]():
		return "number"
	case reflect.TypeFor[Millis]():
		return "ms"
	case reflect.TypeFor[Duration]():
		return "time"
	case reflect.TypeFor[Size]():
		return "size"
	case reflect.TypeFor[Secret]():
		return "secret"
	}
	if k.List() {
		return "list"
	}
	return "text"
}

// Text gives the key's value in c as a variable would have it, lists with commas. A secret is ***.
func (k *Key) Text(c *Config) string { return strings.Join(k.texts(c), ",") }

// texts gives the value as texts: the items of a list, else one.
func (k *Key) texts(c *Config) []string {
	v := k.value(c)
	if !k.List() {
		return []string{fmt.Sprint(v.Interface())}
	}
	out := []string{}
	for i := range v.Len() {
		text := fmt.Sprint(v.Index(i).Interface())
		if t := strings.TrimSuffix(strings.TrimSuffix(text, "/32"), "/128"); strings.Contains(t, ".") ||
			strings.HasSuffix(text, "/128") {
			text = t // one address
		}
		out = append(out, text)
	}
	return out
}

// want is what to write instead of a value that is not taken.
func (k *Key) want() string {
	number := fmt.Sprintf("%d to %d", k.Least, k.Most)
	switch k.typ {
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[int]():
		return "a whole number, " + number
	case reflect.TypeFor[Millis]():
		return number + " (milliseconds), or a time as " + k.sample()
	case reflect.TypeFor[Duration]():
		ms := func(n int64) string { return Duration(n * 1e6).String() }
		return "a time with its unit, as " + k.sample() + ", from " + ms(k.Least) + " to " + ms(k.Most)
	case reflect.TypeFor[Size]():
		return Size(k.Least).String() + " to " + Size(k.Most).String() + ", as 64KiB or 65536"
	}
	if k.OneOf != nil && k.write == "" {
		if k.List() {
			return "some of " + strings.Join(k.OneOf, ", ")
		}
		last := len(k.OneOf) - 1
		return strings.Join(k.OneOf[:last], ", ") + " or " + k.OneOf[last]
	}
	return k.write
}

// sample is the key's default, or its example where that is 0, with a unit.
func (k *Key) sample() string {
	for _, text := range []string{k.Text(Default()), k.Example} {
		if m, ok := parseMillis(text); ok && m > 0 {
			return Duration(m.Duration()).String()
		}
	}
	return "10s"
}
