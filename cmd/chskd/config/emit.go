package config

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// plainText is what YAML takes for a text without quotes, and nothing else.
var plainText = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/._:+-]*[A-Za-z0-9/]$|^[0-9.]+:[0-9]+$`)

// WriteYAML writes c as a file that Load reads, every key with its value, secrets as ***. With
// comments each key has its line of the table above it.
func WriteYAML(w io.Writer, c *Config, comments bool) error {
	out, section := new(strings.Builder), ""
	if comments {
		out.WriteString(yamlHead)
	}
	for _, g := range Groups {
		if comments {
			fmt.Fprintf(out, "\n# %s\n# %s\n", g.Title, strings.Repeat("=", len(g.Title)))
		}
		for _, k := range g.Keys {
			name, indent := k.Path, ""
			if outer, leaf, nested := strings.Cut(k.Path, "."); nested {
				if outer != section {
					fmt.Fprintf(out, "%s%s:\n", blank(comments), outer)
				}
				name, indent, section = leaf, "  ", outer
			}
			if comments {
				out.WriteString(blank(comments && indent == ""))
				comment(out, indent, k)
			}
			fmt.Fprintf(out, "%s%s: %s\n", indent, name, k.yaml(c))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

const yamlHead = `# Options of chskd: every key with its default. What stays as it is can be left out.
# Each is also a flag of "chskd serve" (max_conns: --max-conns, jwt.issuer: --jwt-issuer) and a
# variable of the environment (CHSKD_MAX_CONNS, CHSKD_JWT_ISSUER). Flags win over variables, and
# variables over the file.
`

func blank(yes bool) string {
	if yes {
		return "\n"
	}
	return ""
}

// comment writes what the table says of a key.
func comment(out *strings.Builder, indent string, k *Key) {
	text := sentence(k.Doc) + " Example: " + k.example()
	for _, l := range wrap(text, 96-len(indent)) {
		fmt.Fprintf(out, "%s# %s\n", indent, l)
	}
}

// example is the key's example as it stands in a file.
func (k *Key) example() string {
	c := new(Config)
	v, wrong := k.convert(k.split(k.Example))
	if wrong != nil {
		panic("config: the example of " + k.Path + " is not taken")
	}
	if k.Secret() {
		return k.Example
	}
	k.value(c).Set(reflect.ValueOf(v))
	return k.yaml(c)
}

// sentence is a doc line with a full stop.
func sentence(doc string) string { return strings.TrimSuffix(doc, ".") + "." }

// wrap breaks a text into lines of at most n bytes, where it has spaces.
func wrap(text string, n int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > n {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// yaml gives the key's value as it stands in a file.
func (k *Key) yaml(c *Config) string {
	texts := k.texts(c)
	if t := k.Type(); t != "text" && t != "list" && t != "secret" {
		return texts[0]
	}
	for i, text := range texts {
		if !plainText.MatchString(text) || text == "true" || text == "false" || text == "null" {
			texts[i] = strconv.Quote(text)
		}
	}
	if k.List() {
		return "[" + strings.Join(texts, ", ") + "]"
	}
	return texts[0]
}

// WriteEnv writes the variables with the defaults, in the form of systemd's EnvironmentFile. An
// empty variable counts as absent.
func WriteEnv(w io.Writer) error {
	out, defaults := new(strings.Builder), Default()
	fmt.Fprintf(out, "# a YAML file with options\n%s=\n", FileVariable)
	for _, k := range keys {
		for _, l := range wrap(k.Doc, 96) {
			fmt.Fprintf(out, "# %s\n", l)
		}
		fmt.Fprintf(out, "%s=%s\n", k.Env(), k.Text(defaults))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteMarkdown writes docs/config.md.
func WriteMarkdown(w io.Writer) error {
	out, defaults := new(strings.Builder), Default()
	out.WriteString(markdownHead)
	for _, g := range Groups {
		fmt.Fprintf(out, "\n## %s\n\n| key | default | takes | |\n|---|---|---|---|\n", g.Title)
		for _, k := range g.Keys {
			value := "none"
			if text := k.Text(defaults); text != "" {
				value = "`" + k.yaml(defaults) + "`"
			}
			takes := k.want()
			if k.List() {
				takes = "list: " + strings.Replace(takes, "a list of some", "some", 1)
			}
			fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", k.Path, value, cell(takes), cell(k.Doc))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// cell is a text as a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "PATH/NAME", "`PATH/NAME`",
		"?packer=NAME", "`?packer=NAME`", "[:chskd/", "`[:chskd/", "n}]", "n}]`").Replace(text)
}

const markdownHead = `# Options

<!-- Made of the table of keys: go test ./cmd/chskd/config -update -->

Every option is a key of a YAML file, a variable of the environment and a flag of ` + "`chskd serve`" + `:

| | ` + "`max_conns`" + ` | ` + "`jwt.jwks_url`" + ` |
|---|---|---|
| flag | ` + "`--max-conns 10000`" + ` | ` + "`--jwt-jwks-url URL`" + ` |
| variable | ` + "`CHSKD_MAX_CONNS=10000`" + ` | ` + "`CHSKD_JWT_JWKS_URL=URL`" + ` |
| file | ` + "`max_conns: 10000`" + ` | ` + "`jwks_url: URL`" + ` below ` + "`jwt:`" + ` |

Flags win over variables, variables over the file, the file over the defaults. The file is the one that ` + "`--config`" + ` or
` + "`CHSKD_CONFIG`" + ` names; without them there is none. An empty variable counts as absent. Lists are ` + "`[a, b]`" + ` in the file and
` + "`a,b`" + ` elsewhere.

    chskd config default > chskd.yaml    # every key with its default and what it does
    chskd check chskd.yaml               # is it right, and what does it leave open?
    chskd serve --config chskd.yaml
    chskd config show --config chskd.yaml    # what is in force, from all sources
    chskd config env                     # all variables
    chskd config schema                  # JSON Schema (2020-12), for editors

What is unknown, doubled, of the wrong type or out of bounds, or contradicts something else, is an error that says what to
write instead, and the daemon does not start:

    chskd: chskd.yaml:3:12: max_conns "many": write a whole number, 0 to 1000000000
       3 | max_conns: many
         |            ^

Times have a unit (` + "`500ms`, `10s`, `1m30s`, `24h`" + `); keys with ` + "`_ms`" + ` also take a plain number of milliseconds. Sizes are bytes, or
have a unit (` + "`64KiB`, `16MiB`, `1GiB`" + `). A secret is given by itself or, better, in a file that ` + "`..._file`" + ` names (the newline at
its end is not part of it), and is shown nowhere: neither in logs nor in errors nor by ` + "`config show`" + `.
`
