package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/chskd/chskd/cmd/chskd/config"
)

func defaultFile(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	if err := config.WriteYAML(&out, config.Default(), true); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// same compares all keys.
func same(t *testing.T, got, want *config.Config) {
	t.Helper()
	for _, k := range config.Keys() {
		if k.Text(got) != k.Text(want) || got.Changed(k.Path) != want.Changed(k.Path) {
			t.Errorf("%s is %q, want %q", k.Path, k.Text(got), k.Text(want))
		}
	}
}

// The default file has every key, loads, and changes nothing.
func TestDefaultFile(t *testing.T) {
	text := defaultFile(t)
	c := load(t, config.Sources{File: write(t, text)})
	same(t, c, config.Default())
	for _, k := range config.Keys() {
		if !c.Given(k.Path) {
			t.Errorf("%s is not in the file", k.Path)
		}
		if doc := strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " "); !strings.Contains(doc, k.Doc) {
			t.Errorf("%s is not explained", k.Path)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 101 {
			t.Errorf("a long line: %s", line)
		}
	}
}

// What is shown of options in force loads again as the same.
func TestShownFile(t *testing.T) {
	c := load(t, config.Sources{Flags: flags(t, "--allowed-origins=null,https://a.example", "--listen=[::1]:80",
		`--handshake-data={:a "b\\c"}`, "--allow-addresses=10.0.0.0/8,::1,2001:db8::/32", "--hook-cache=59m",
		"--hook-url=unix:/run/app.sock:/hook?a=b", "--jwt-uid-claim=true", "--jwt-issuer=- a: #b")})
	var out bytes.Buffer
	if err := config.WriteYAML(&out, c, false); err != nil {
		t.Fatal(err)
	}
	again := load(t, config.Sources{File: write(t, out.String())})
	same(t, again, c)
	if again.Hook.URL.Socket != "/run/app.sock" || again.Hook.URL.URL != "http://unix/hook?a=b" {
		t.Errorf("%+v", again.Hook.URL)
	}
}

func TestDefaultVariables(t *testing.T) {
	var out bytes.Buffer
	if err := config.WriteEnv(&out); err != nil {
		t.Fatal(err)
	}
	var environ []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "#") {
			environ = append(environ, strings.TrimSuffix(line, "\n"))
		}
	}
	if len(environ) != len(config.Keys())+1 {
		t.Errorf("%d variables for %d keys", len(environ), len(config.Keys()))
	}
	c := load(t, config.Sources{Environ: environ})
	same(t, c, config.Default())
	if len(c.Warnings()) > 0 {
		t.Error(c.Warnings())
	}
}

func TestDocumentation(t *testing.T) {
	var out bytes.Buffer
	if err := config.WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "..", "..", "docs", "config.md"), out.String())
}

// The schema takes the default file and what is good, and refuses every bad file that is bad by one
// value or key alone.
func TestSchema(t *testing.T) {
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(file string) error {
		var v any
		if err := yaml.Unmarshal([]byte(file), &v); err != nil {
			return err
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(instance)
	}
	for _, good := range []string{defaultFile(t), "loops: 2\n", "idle_timeout: 1m30s\nws_kalive_ms: 25s\n",
		"max_out_bytes: 65536\nmax_head_bytes: 64 KiB\nhook: {cache: 0}\njwt:\n"} {
		if err := validate(good); err != nil {
			t.Errorf("%.100s: %v", good, err)
		}
		load(t, config.Sources{File: write(t, good)})
	}
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, path := range files {
		name := filepath.Base(path)
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if validate(string(file)) != nil {
			refused++
			continue
		}
		for _, kind := range []string{"type_", "enum", "unknown_"} {
			if strings.HasPrefix(name, kind) && name != "type_number_hex.yaml" && name != "type_number_underscore.yaml" {
				t.Errorf("%s is taken", name)
			}
		}
	}
	if refused < 50 {
		t.Errorf("only %d bad files are refused", refused)
	}
}

func TestWarnings(t *testing.T) {
	file := write(t, "csrf: {cookie: a}\n")
	open := filepath.Join(filepath.Dir(file), "open")
	if err := os.WriteFile(open, []byte("hunter2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want []string
	}{
		{"", nil},
		{"--auth=anonymous --listen=0.0.0.0:80", nil},
		{"--allowed-origins=all", []string{"pages of any origin may connect (--allowed-origins all)"}},
		{"--insecure --listen=:80", []string{"clients on the network may name themselves (--insecure, auth mode client)"}},
		{"--insecure --listen=localhost:80", nil},
		{"--metrics-listen=:9464", []string{"whoever reaches :9464 can read the metrics (--metrics-listen)"}},
		{"--debug-echo=/echo --auth=anonymous --listen=:80", []string{"everybody may use the echo (--debug-echo)"}},
		{"--auth=hook --hook-url=http://10.0.0.1/h --allowed-origins=all", []string{
			"pages of any origin may connect (--allowed-origins all)",
			"a page of any origin acts for whoever has logged in: cookies say who a client is, " +
				"--allowed-origins is all, and no CSRF token is asked for",
			"--hook-url goes over the network without TLS"}},
		{"--auth=hook --hook-url=unix:/a:/b", nil},
		{"--auth=jwt --jwt-jwks-url=http://login/k --jwt-from=query:token", []string{
			"tokens in the query are kept in the logs of proxies (--jwt-from)",
			"--jwt-jwks-url goes over the network without TLS"}},
		{"--trusted-proxies=::/0", []string{
			"clients of the proxy may name themselves (--trusted-proxies, auth mode client)",
			"everybody is a trusted proxy (--trusted-proxies ::/0)"}},
		{"--trusted-proxies=10.0.0.1 --auth=anonymous", nil},
		{"--csrf-token=hunter2", []string{"every user of this machine can read --csrf-token in the list of " +
			"processes; use --csrf-token-file"}},
		{"--csrf-token-file=" + open, []string{"every user of this machine can read " + open + "; chmod o-rwx it"}},
		{"--jwt-issuer=a --hook-workers=3", []string{"--jwt-issuer has no effect: --auth does not have jwt",
			"--hook-workers has no effect: --auth does not have hook"}},
	} {
		got := load(t, config.Sources{Flags: flags(t, strings.Fields(c.args)...)}).Warnings()
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%s\nwant:\n%s", c.args, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	got := load(t, config.Sources{Environ: []string{"CHSKD_MAX_CONN=1", "CHSKD_COLOUR=1", "CHSKD_SERVICE_HOST=1",
		"HOME=/", "CHSKD_CONFIG="}}).Warnings()
	want := []string{"CHSKD_COLOUR is no option; `chskd config env` lists all",
		"CHSKD_MAX_CONN is no option; is CHSKD_MAX_CONNS meant?"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}
