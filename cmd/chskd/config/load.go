package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// envPrefix begins the names of our variables.
const envPrefix = "CHSKD_"

// FileVariable names the file when no flag does.
const FileVariable = envPrefix + "CONFIG"

// Sources are where options come from, the weakest first.
type Sources struct {
	File    string   // path of the YAML file; "" = the one that CHSKD_CONFIG names, or none
	Environ []string // as os.Environ gives it; an empty variable counts as absent
	Flags   *Flags   // nil = none
}

// Load reads the options from all sources and checks them, also against each other. The error is
// [Problems], all of them, or says that the file cannot be read.
func Load(s Sources) (*Config, error) {
	c := Default()
	c.from = map[string]source{}
	environ := env.ToMap(s.Environ)
	var problems Problems
	if path := cmp.Or(s.File, environ[FileVariable]); path != "" {
		text, err := readFile(path, fileMax)
		if err != nil {
			return nil, err
		}
		problems = c.readYAML(path, text)
	}
	problems = append(problems, c.readEnviron(environ)...)
	if s.Flags != nil {
		problems = append(problems, c.readFlags(s.Flags)...)
	}
	if len(problems) == 0 {
		problems = c.readSecrets()
	}
	if len(problems) == 0 {
		problems = c.contradictions()
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return c, nil
}

// Bounds of the files that are read.
const (
	fileMax   = 1 << 20
	secretMax = 64 << 10
)

// readFile reads a small regular file. The error names it and says what is wrong.
func readFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder")
	} else if err == nil && info.Size() > most {
		err = fmt.Errorf("it is longer than %v", Size(most))
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // without the path, which is told once
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// readEnviron takes the variables. The library finds each field's variable by the tags of the
// struct; what it holds is read as the table says.
func (c *Config) readEnviron(environ map[string]string) (problems Problems) {
	named := map[string]*Key{}
	for _, k := range keys {
		named[k.Env()] = k
	}
	given := map[string]string{} // by the names of the tags, which are in lower case
	for name, text := range environ {
		if rest, ours := strings.CutPrefix(name, envPrefix); ours && named[name] != nil {
			given[strings.ToLower(rest)] = text
		} else if ours && !foreign(rest) {
			c.unknowns = append(c.unknowns, name)
		}
	}
	slices.Sort(c.unknowns)
	var k *Key // whose variable is being read
	parsers := map[reflect.Type]env.ParserFunc{}
	for _, key := range keys {
		parsers[key.typ] = func(text string) (any, error) {
			v, wrong := k.convert(k.split(text))
			if wrong != nil {
				problems = append(problems, &Problem{Text: k.refused(k.Env(), wrong)})
				return k.value(c).Interface(), nil
			}
			c.from[k.Path] = source{name: k.Env()}
			return v, nil
		}
	}
	err := env.ParseWithOptions(c, env.Options{
		Environment: given, TagName: "key", PrefixTagName: "section", FuncMap: parsers,
		OnSet: func(name string, _ any, _ bool) { k = named[envPrefix+strings.ToUpper(name)] },
	})
	if err != nil {
		problems = append(problems, &Problem{Text: "the environment cannot be read: " + err.Error()})
	}
	return problems
}

// foreign says whether a variable that begins with CHSKD_ is not one of the daemon's options: those
// of the commands and of tests, and what Kubernetes sets for a service named chskd.
func foreign(rest string) bool {
	for _, begin := range []string{"CONFIG", "REQUIRE_", "TEST_", "SEED", "SERVICE_", "PORT"} {
		if strings.HasPrefix(rest, begin) {
			return true
		}
	}
	return false
}

// readSecrets reads the files of secrets in place of the secrets.
func (c *Config) readSecrets() (problems Problems) {
	for _, k := range keys {
		path, isFile := strings.CutSuffix(k.Path, "_file")
		if !isFile || byPath[path] == nil || !byPath[path].Secret() {
			continue
		}
		secret, file := byPath[path], k.value(c).String()
		if file == "" {
			continue
		}
		if c.Changed(path) {
			problems = append(problems, c.conflict(k.Path+" "+path, "%s and %s are both given: leave one out",
				c.Name(k.Path), c.Name(path)))
			continue
		}
		text, err := readFile(file, secretMax)
		value := strings.TrimRight(string(text), "\r\n")
		if err == nil && value == "" {
			err = fmt.Errorf("%s: it is empty", file)
		}
		if _, wrong := secret.convert([]string{value}); err == nil && wrong != nil {
			err = fmt.Errorf("%s: it has more than a line, or control characters", file)
		}
		if err != nil {
			problems = append(problems, c.conflict(k.Path, "%s: %v; write %s", c.Name(k.Path), err,
				k.want()))
			continue
		}
		secret.value(c).Set(reflect.ValueOf(Secret{value}))
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o007 != 0 {
			c.loose = append(c.loose, file)
		}
	}
	return problems
}

// conflict is a mistake that only shows when keys are seen together. It points at the first of the
// paths, which are separated by spaces, that is in the file.
func (c *Config) conflict(paths, format string, args ...any) *Problem {
	text := fmt.Sprintf(format, args...)
	for path := range strings.FieldsSeq(paths) {
		if from := c.from[path]; from.at != (position{}) {
			return c.file.problem(from.at, text)
		}
	}
	return &Problem{Text: text}
}
