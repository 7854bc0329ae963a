package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/daemontest"
)

// configFile makes a file of options in a folder where a socket can be.
func configFile(t *testing.T, text string) (path, folder string) {
	t.Helper()
	folder = daemontest.Folder(t)
	path = filepath.Join(folder, "chskd.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, folder
}

// A daemon takes its options from a file and variables, and flags win.
func TestServeConfigFile(t *testing.T) {
	path, folder := configFile(t, "listen: 127.0.0.1:1\npath: /live\nauth: [anonymous]\npacker: json\n")
	c := startCommand(t, []string{"serve", "--listen=127.0.0.1:0"}, func(cmd *exec.Cmd) {
		cmd.Env = append(os.Environ(), "CHSKD_CONFIG="+path, "CHSKD_PACKER=transit",
			"CHSKD_API_SOCKET="+filepath.Join(folder, "s"), "CHSKD_LOOPS=1", "CHSKD_LOPS=1")
	})
	awaitText(t, c.errs, "/live, API socket "+filepath.Join(folder, "s")+", 1 loops, packer transit, auth anonymous")
	awaitText(t, c.errs, "CHSKD_LOPS is no option; is CHSKD_LOOPS meant?")
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := c.end(); code != 0 {
		t.Errorf("exit %d: %s", code, c.errs)
	}
}

func TestServeBadConfigFile(t *testing.T) {
	path, _ := configFile(t, "listen: 127.0.0.1:0\nmax_conns: many\n")
	_, errs, code := runCommand(t, "", "serve", "--config", path)
	want := "chskd: " + path + ":2:12: max_conns \"many\": write a whole number, 0 to 1000000000\n" +
		"   2 | max_conns: many\n     |            ^\n"
	if code != 1 || errs != want {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestCLICheck(t *testing.T) {
	path, folder := configFile(t, "api_socket: s\nallowed_origins: [all]\n")
	socket := "--api-socket=" + filepath.Join(folder, "new", "s")
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args      []string
		code      int
		out, errs string // parts
	}{
		{[]string{socket}, 0, "ok\n", ""},
		{[]string{path, socket}, 0, "ok\n", "warning: pages of any origin may connect (allowed_origins all)"},
		{[]string{"--config", path, socket}, 0, "ok\n", "warning: pages"},
		{[]string{socket, "--csrf-token-file", secret}, 0, "ok\n", ""},
		{[]string{socket, "--csrf-token-file", folder + "/none"}, 1, "", "no such file or directory; write the path"},
		{[]string{socket, "--loops=300"}, 1, "", "--loops 300: write a whole number, 0 to 256"},
		{[]string{socket, "--handshake-data=99999999999999999999999"}, 1, "", "cannot be written in msgpack"},
		{[]string{socket, "--metrics-listen=nowhere.invalid:1"}, 1, "", `--metrics-listen "nowhere.invalid:1": `},
		{[]string{"--api-socket=" + path + "/s"}, 1, "", "chskd.yaml is no folder"},
		{[]string{folder + "/none.yaml"}, 1, "", "none.yaml: no such file or directory"},
		{[]string{path, "--config", path}, 2, "", "name one"},
		{[]string{path, path}, 2, "", "accepts at most 1 arg"},
		{[]string{"--port=1"}, 2, "", "unknown flag: --port"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			out, errs, code := runCommand(t, "", append([]string{"check"}, c.args...)...)
			if code != c.code || out != c.out || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" {
				t.Errorf("exit %d, %q, %q", code, out, errs)
			}
			if strings.Contains(out+errs, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("check made something: %v %v", entries, err)
	}
}

func TestCLIConfig(t *testing.T) {
	text, errs, code := runCommand(t, "", "config", "default")
	if code != 0 {
		t.Fatal(errs)
	}
	path, folder := configFile(t, text)
	socket := "--api-socket=" + filepath.Join(folder, "s")
	if out, errs, code := runCommand(t, "", "check", path, socket); code != 0 || out != "ok\n" || errs != "" {
		t.Errorf("the default file: exit %d, %s%s", code, out, errs)
	}
	out, errs, code := runCommand(t, "", "config", "show", "--config", path, "--csrf-token=hunter2", "--loops=3")
	if code != 0 || !strings.Contains(out, "\nloops: 3\n") || !strings.Contains(out, `token: "***"`) ||
		strings.Contains(out+errs, "hunter2") {
		t.Errorf("show: exit %d, %s%s", code, out, errs)
	}
	out, _, code = runCommand(t, "", "config", "env")
	if code != 0 || !strings.Contains(out, "\nCHSKD_LISTEN=127.0.0.1:8080\n") {
		t.Errorf("env: exit %d, %s", code, out)
	}
	out, _, code = runCommand(t, "", "config", "schema")
	if code != 0 || !json.Valid([]byte(out)) {
		t.Errorf("schema: exit %d, %s", code, out)
	}
	for _, args := range [][]string{{"config", "env", "x"}, {"config", "show", "--port=1"}} {
		if _, errs, code := runCommand(t, "", args...); code != 2 || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
}
