package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/chskd/chskd/cmd/chskd/config"
)

// rewrite changes what is in a file.
func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// write makes a file of a text.
func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "chskd.yaml")
	rewrite(t, path, text)
	return path
}

// flags parses a command line.
func flags(t *testing.T, args ...string) *config.Flags {
	t.Helper()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f := config.NewFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// load reads what must be good.
func load(t *testing.T, s config.Sources) *config.Config {
	t.Helper()
	c, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leaves lists the paths of the struct's exported fields.
func leaves(t reflect.Type, prefix string) (paths []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch path := prefix + f.Tag.Get("key"); {
		case !f.IsExported():
		case f.Tag.Get("section") != "":
			paths = append(paths, leaves(f.Type, path+".")...)
		default:
			paths = append(paths, path)
		}
	}
	return paths
}

// The table has a row for every field and a field for every row, and is whole.
func TestTable(t *testing.T) {
	rows, names := map[string]bool{}, map[string]string{}
	for _, k := range config.Keys() {
		if rows[k.Path] {
			t.Errorf("%s is there twice", k.Path)
		}
		rows[k.Path] = true
		for _, name := range []string{k.Flag(), k.Env()} {
			if other := names[name]; other != "" {
				t.Errorf("%s is the name of %s and of %s", name, other, k.Path)
			}
			names[name] = k.Path
		}
		if k.Doc == "" || strings.HasSuffix(k.Doc, ".") || k.Example == "" ||
			k.Example == k.Text(config.Default()) {
			t.Errorf("%s: doc %q, example %q", k.Path, k.Doc, k.Example)
		}
	}
	fields := leaves(reflect.TypeFor[config.Config](), "")
	for _, path := range fields {
		if !rows[path] {
			t.Errorf("%s has no row", path)
		}
	}
	if len(fields) != len(rows) {
		t.Errorf("%d fields, %d rows", len(fields), len(rows))
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ path, flag, env string }{
		{"max_conns", "max-conns", "CHSKD_MAX_CONNS"},
		{"jwt.jwks_url", "jwt-jwks-url", "CHSKD_JWT_JWKS_URL"},
		{"csrf.token", "csrf-token", "CHSKD_CSRF_TOKEN"},
	} {
		for _, k := range config.Keys() {
			if k.Path == c.path && (k.Flag() != c.flag || k.Env() != c.env) {
				t.Errorf("%s: --%s %s", k.Path, k.Flag(), k.Env())
			}
		}
	}
}

// apart are keys that contradict another one when all have their examples.
var apart = map[string]bool{"csrf.token_file": true, "jwt.secret_file": true, "hook.secret_file": true,
	"jwt.keys_file": true, "path": true, "auth": true, "jwt.algorithms": true}

// Every key takes its example from each of the three sources, and it means the same in all.
func TestSourcesAgree(t *testing.T) {
	var file, section strings.Builder
	var environ, args []string
	last := ""
	for _, k := range config.Keys() {
		if apart[k.Path] {
			continue
		}
		value := k.Example
		if k.List() {
			value = "['" + strings.ReplaceAll(value, ",", "', '") + "']"
		} else if strings.ContainsAny(value, ":{#") {
			value = "'" + value + "'"
		}
		if outer, leaf, nested := strings.Cut(k.Path, "."); nested {
			if outer != last {
				fmt.Fprintf(&section, "%s:\n", outer)
			}
			last = outer
			fmt.Fprintf(&section, "  %s: %s\n", leaf, value)
		} else {
			fmt.Fprintf(&file, "%s: %s\n", k.Path, value)
		}
		environ = append(environ, k.Env()+"="+k.Example)
		args = append(args, "--"+k.Flag()+"="+k.Example)
	}
	byFile := load(t, config.Sources{File: write(t, file.String()+section.String())})
	byEnv := load(t, config.Sources{Environ: environ})
	byFlag := load(t, config.Sources{Flags: flags(t, args...)})
	for _, k := range config.Keys() {
		want := k.Example
		if k.Secret() {
			want = "***"
		}
		if apart[k.Path] {
			continue
		}
		for source, c := range map[string]*config.Config{"file": byFile, "env": byEnv, "flag": byFlag} {
			if got := k.Text(c); got != want || !c.Changed(k.Path) || !c.Given(k.Path) {
				t.Errorf("%s by %s: %q, want %q", k.Path, source, got, want)
			}
		}
	}
	if byFile.CSRF.Token.Reveal() != "oA3kX9..." || byEnv.JWT.Secret != byFlag.JWT.Secret {
		t.Error("secrets differ")
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "max_conns: 1\nmax_conns_per_address: 1\nmax_sessions_per_user: 1\n")
	c := load(t, config.Sources{
		Environ: []string{"CHSKD_CONFIG=" + file, "CHSKD_MAX_CONNS=2", "CHSKD_MAX_CONNS_PER_ADDRESS=2", "CHSKD_LOOPS="},
		Flags:   flags(t, "--max-conns=3"),
	})
	if c.MaxConns != 3 || c.MaxConnsPerAddress != 2 || c.MaxSessionsPerUser != 1 || c.Loops != 0 {
		t.Errorf("%d %d %d %d", c.MaxConns, c.MaxConnsPerAddress, c.MaxSessionsPerUser, c.Loops)
	}
	for path, want := range map[string]string{"max_conns": "--max-conns",
		"max_conns_per_address": "CHSKD_MAX_CONNS_PER_ADDRESS", "max_sessions_per_user": "max_sessions_per_user",
		"loops": "loops"} {
		if got := c.Name(path); got != want {
			t.Errorf("%s is called %s, want %s", path, got, want)
		}
	}
	other := write(t, "max_conns: 7\n")
	if c := load(t, config.Sources{File: other, Environ: []string{"CHSKD_CONFIG=" + file}}); c.MaxConns != 7 {
		t.Errorf("the variable wins over the flag: %d", c.MaxConns)
	}
}

// A list flag that is given twice is one list; of others the last one counts.
func TestFlagsTwice(t *testing.T) {
	c := load(t, config.Sources{Flags: flags(t, "--allowed-origins=https://a.example", "--loops=2",
		"--allowed-origins=https://b.example, https://c.example", "--loops=3", "--demo")})
	if len(c.AllowedOrigins) != 3 || c.Loops != 3 || !c.Demo {
		t.Errorf("%v %d %v", c.AllowedOrigins, c.Loops, c.Demo)
	}
}

// The messages of variables and flags are those of files, with their names.
func TestBadVariablesAndFlags(t *testing.T) {
	for _, c := range []struct{ environ, args, want string }{
		{"CHSKD_MAX_CONNS=many", "", `CHSKD_MAX_CONNS "many": write a whole number, 0 to 1000000000`},
		{"", "--max-conns=many", `--max-conns "many": write a whole number, 0 to 1000000000`},
		{"CHSKD_IDLE_TIMEOUT=75", "", "CHSKD_IDLE_TIMEOUT 75: the unit is missing; write a time with its " +
			"unit, as 75s, from 100ms to 24h"},
		{"CHSKD_MAX_HEAD_BYTES=64kb", "", `CHSKD_MAX_HEAD_BYTES "64kb": write 1KiB to 1MiB, as 64KiB or 65536`},
		{"CHSKD_DENY_ADDRESSES=::1,10.0.0.1/8", "", `CHSKD_DENY_ADDRESSES "10.0.0.1/8": the address goes on ` +
			"behind the prefix; write 10.0.0.0/8, or 10.0.0.1"},
		{"", "--auth=", "--auth: the list is empty; write some of jwt, header, hook, client, anonymous, dev"},
		{"", "--demo=maybe", `--demo "maybe": write true or false`},
		{"", "--on-gap=ignore", `--on-gap "ignore": write notice or close`},
		{"CHSKD_CSRF_TOKEN=hunter2\x01", "", "CHSKD_CSRF_TOKEN: write a text without control characters"},
		{"", "--csrf-token=hunter2\x01", "--csrf-token: write a text without control characters"},
		{"", "--auth=hook", "--auth has hook, but nobody to ask: write --hook-url, as http://127.0.0.1:3000/chskd"},
		{"CHSKD_AUTH=hook", "", "CHSKD_AUTH has hook, but nobody to ask: write --hook-url, as http://127.0.0.1:3000/chskd"},
		{"CHSKD_CSRF_TOKEN=hunter2", "--csrf-token-file=testdata/secret",
			"--csrf-token-file and CHSKD_CSRF_TOKEN are both given: leave one out"},
		{"CHSKD_LISTEN=:80", "", "--auth client lets a client be whoever it says, so it listens on loopback " +
			"only; write CHSKD_LISTEN=127.0.0.1:8080, or --auth anonymous, or add --insecure if the network is trusted"},
		{"CHSKD_LOOPS=x CHSKD_DEMO=x", "--path=x", "the options have 3 mistakes:\n" +
			"CHSKD_LOOPS \"x\": write a whole number, 0 to 256\nCHSKD_DEMO \"x\": write true or false\n" +
			`--path "x": write a path that must start with / and has no ?, # or space, as /chsk`},
		{"CHSKD_CONFIG=testdata/nowhere.yaml", "", "testdata/nowhere.yaml: no such file or directory"},
		{"CHSKD_CONFIG=testdata", "", "testdata: it is a folder"},
	} {
		t.Run(c.environ+" "+c.args, func(t *testing.T) {
			_, err := config.Load(config.Sources{Environ: strings.Fields(c.environ),
				Flags: flags(t, strings.Fields(c.args)...)})
			if err == nil {
				t.Fatal("it was taken")
			}
			got := strings.Split(err.Error(), "\n")
			for _, line := range strings.Split(c.want, "\n") {
				found := false
				for _, g := range got {
					found = found || g == line
				}
				if !found {
					t.Errorf("%s\nwant: %s", err, line)
				}
			}
		})
	}
}

// A contradiction between a variable and the file points at the file's part.
func TestConflictOfSources(t *testing.T) {
	file := write(t, "path: /chsk\ncsrf:\n  token: hunter2\n")
	_, err := config.Load(config.Sources{File: file, Environ: []string{"CHSKD_CSRF_TOKEN_FILE=testdata/secret"}})
	want := file + ":3:10: CHSKD_CSRF_TOKEN_FILE and csrf.token are both given: leave one out\n" +
		"   3 |   token: ***\n     |          ^"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant:\n%s", err, want)
	}
}

// Nothing that prints shows a secret, whether it came by itself or from a file.
func TestSecretsAreHidden(t *testing.T) {
	c := load(t, config.Sources{File: write(t, "csrf: {token_file: testdata/secret}\nhook: {secret: hunter2}\n")})
	if got := c.CSRF.Token.Reveal(); got != "hunter2 in a file" {
		t.Errorf("%q", got)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", c.CSRF)
		fmt.Fprintf(&out, verb+"\n", c.Hook.Secret)
		fmt.Fprintf(&out, verb+"\n", &c.Hook.Secret)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "a", c.Hook, "b", c.Hook.Secret)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "a", c.Hook, "b", c.Hook.Secret)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteYAML(&out, c, true); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "hunter") || strings.Contains(text, "68756e746572") ||
		!strings.Contains(text, `secret: "***"`) {
		t.Error(text)
	}
}

// No message shows a secret, wherever in its neighbourhood a mistake is.
func TestExcerptsHideSecrets(t *testing.T) {
	for _, text := range []string{
		"hook: {secret: hunter2, workers: x, timeout: 5}",
		"hook: {workers: x, secret: hunter2}",
		"hook: {secret: 'hunter2', secret: 'hunter3', timeout: 5}",
		"csrf:\n  token: |\n    hunter2\n    hunter3\n  cookie: a b",
		"csrf:\n  token: >-\n    hunter2\n\n    hunter3\nloops: x",
		"csrf:\n  token: \"hunter2\n    hunter3\"\n  cookie: a b",
		"csrf:\n  token: [hunter2, hunter3]\n",
		"csrf:\n  token: {hunter2: hunter3}\n",
		"csrf:\n  token: &a hunter2\n  cookie: *a\n",
		"csrf:\n  token: !!str hunter2\n",
		"csrf:\n  token:\n    - hunter2\n",
		"csrf_token: hunter2",
		"csrf.token: hunter2",
		"jwt: hunter2",
		"jwt: [hunter2]",
		"jwt:\n  secrets:\n    - hunter2\n",
		"csrf: {tokn: hunter2, cookie: a b}",
		"csrf: {token: hunter2",
		"csrf: {token: hunter2, cookie: [a}",
		"csrf:\n  token: 'hunter2\n  cookie: a\n",
		"csrf:\n  token: hunter2\n  hunter3\n  cookie: a b\n",
		"csrf:\n  token: hunter2: hunter3\n",
		"csrf:\n\ttoken: hunter2\n",
		"token hunter2",
		"- hunter2",
		"hunter2",
		"? [hunter2]\n: x",
		"csrf:\n  token: hunter2 # hunter3\n  cookie: a b # c\n",
		"csrf:\n  token: \xffhunter2\n",
		"a: b\n---\ncsrf: {token: hunter2}",
		"jwt:\n  secret: hunter2\nauth: [jwt]\n",
	} {
		_, err := config.Load(config.Sources{File: write(t, text)})
		if err == nil {
			t.Errorf("%q was taken", text)
		} else if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s", err)
		}
	}
}
