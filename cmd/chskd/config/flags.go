package config

import (
	"reflect"
	"strings"

	"github.com/spf13/pflag"
)

// Flags are the flags of all keys. They keep what was written; Load reads it, so that a mistake in a
// flag is told as one in a file is, and no secret is in the message.
type Flags struct {
	set     *pflag.FlagSet
	written map[string]*flagValue
}

// NewFlags adds a flag for every key to f.
func NewFlags(f *pflag.FlagSet) *Flags {
	flags, defaults := &Flags{f, map[string]*flagValue{}}, Default()
	for _, k := range keys {
		v := &flagValue{key: k, text: k.Text(defaults)}
		flags.written[k.Path] = v
		flag := f.VarPF(v, k.Flag(), "", k.Doc)
		if v.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	return flags
}

// flagValue is the text of a flag.
type flagValue struct {
	key   *Key
	text  string
	given bool
}

// String gives the text.
func (v *flagValue) String() string { return v.text }

// Type is a word for what is to be written. Texts are "string", so that pflag quotes their default.
func (v *flagValue) Type() string {
	if t := v.key.Type(); t != "text" {
		return t
	}
	return "string"
}

// Set keeps the text. A list that is given twice is one list.
func (v *flagValue) Set(text string) error {
	if v.given && v.key.List() {
		text = strings.Join([]string{v.text, text}, ",")
	}
	v.text, v.given = text, true
	return nil
}

// readFlags takes the flags that were given.
func (c *Config) readFlags(flags *Flags) (problems Problems) {
	for _, k := range keys {
		v := flags.written[k.Path]
		if !v.given {
			continue
		}
		value, wrong := k.convert(k.split(v.text))
		if wrong != nil {
			problems = append(problems, &Problem{Text: k.refused("--"+k.Flag(), wrong)})
			continue
		}
		k.value(c).Set(reflect.ValueOf(value))
		c.from[k.Path] = source{name: "--" + k.Flag(), flag: true}
	}
	return problems
}
