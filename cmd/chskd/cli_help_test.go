package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every command of the API shows examples and exit codes, and the examples do what they say: each
// is run as it stands in --help, by a shell.
func TestCLIHelp(t *testing.T) {
	d := startDaemon(t)
	folder := t.TempDir()
	pushes := `{"uid":"alice","event":["chat/message",{"text":"hi"}]}` + "\n"
	if err := os.WriteFile(filepath.Join(folder, "pushes.ndjson"), []byte(pushes), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"push", "events", "connected", "close", "reply", "join", "leave"} {
		t.Run(name, func(t *testing.T) {
			help, _, code := runCommand(t, "", name, "--help")
			_, after, found := strings.Cut(help, "\nExamples:\n")
			block, _, _ := strings.Cut(after, "\n\n")
			if code != 0 || !found || !strings.Contains(help, "\nExit codes:\n") ||
				!strings.Contains(help, "  3  no daemon") {
				t.Fatalf("exit %d:\n%s", code, help)
			}
			for line := range strings.Lines(block) {
				line = strings.TrimSpace(line)
				if !strings.Contains(line, "chskd "+name) {
					t.Errorf("an example of something else: %s", line)
					continue
				}
				helpExample(t, d, folder, name, line)
			}
		})
	}
}

// helpExample runs one line as a user would.
func helpExample(t *testing.T, d *daemon, folder, name, line string) {
	t.Helper()
	c := startCommand(t, nil, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "exec " + line}
		if strings.Contains(line, "| chskd") {
			cmd.Args[2] = line
		}
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "CHSKD_API_SOCKET="+d.API,
			"PATH="+filepath.Dir(daemonProgram(t))+":"+os.Getenv("PATH"))
	})
	if name == "events" { // it does not end by itself
		awaitText(t, c.out, `"type":"hello"`)
		if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	want := 0
	if name == "reply" { // to an event that nobody sent
		want = 1
	}
	code := c.end()
	if errs := c.errs.String(); code != want || want == 1 && !strings.Contains(errs, "(unknown_reply)") {
		t.Errorf("%s: exit %d, %s%s", line, code, c.out, errs)
	}
}
