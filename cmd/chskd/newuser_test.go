package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/internal/daemontest"
)

const repoFolder = "../.."

// TestNewUser goes the way that the README shows, with the tools that it names: `make run`, its
// ten lines of Python, the page in a browser, and pushes from a shell that are seen there. It is
// skipped as TestBrowser is.
func TestNewUser(t *testing.T) {
	chromium := needChromium(t)
	for _, tool := range []string{"make", "python3", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
	readme := newReadme(t)
	folder := daemontest.Folder(t)
	env := newUserEnv(folder)
	d, page := makeRun(t, folder, env)

	hello := filepath.Join(folder, "hello.py")
	if err := os.WriteFile(hello, []byte(readme.tenLines(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	daemontest.Start(t, exec.Command("python3", hello, d.API))
	waitFor(t, func() error { // the demo's own backend is the other one
		return hasText(apiCall(t, d, "/v1/stats", ""), `"consumers":2`)
	})

	const text = `"quoted" from a shell`
	pushes, err := json.Marshal([]map[string]string{
		{"run": `chskd push --all chat/message '{"text":"\"quoted\" from a shell"}'`, "text": text},
		{"run": readme.curlPush(t, d.API), "text": "hi"},
	})
	if err != nil {
		t.Fatal(err)
	}
	runNode(t, []string{"newuser.test.mjs"},
		append(env, "CHROMIUM="+chromium, "ADDRESS="+page, "PUSHES="+string(pushes))...)
}

// newUserEnv is what a user's login has set, who has a folder for sockets and has installed there
// what make builds, over what a make or a service that runs these tests has set.
func newUserEnv(folder string) []string {
	return []string{
		"XDG_RUNTIME_DIR=" + folder, "RUNTIME_DIRECTORY=",
		"PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH"),
		"MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=",
	}
}

var demoLine = regexp.MustCompile(`(?m)^demo: open (http://\S+/) in two tabs$`)

// makeRun is `make run`, but that the program does not replace the one that is there, and that the
// port is free. It gives the daemon and the page as they were printed.
func makeRun(t *testing.T, folder string, env []string) (d *daemon, page string) {
	t.Helper()
	cmd := exec.Command("make", "run", "BIN="+filepath.Join(folder, "chskd"),
		"RUNFLAGS=--listen 127.0.0.1:0")
	cmd.Dir, cmd.Env = repoFolder, append(os.Environ(), env...)
	run := daemontest.Start(t, cmd)
	api := filepath.Join(folder, "chskd.sock")
	t.Cleanup(func() {
		run.End(t, syscall.SIGTERM) // make hands it on, and waits
		if pid := serverOf(api); pid != 0 {
			t.Errorf("chskd, process %d, outlives the make that ran it", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may end just now
		}
	})
	d = tested(daemontest.Await(t, run))
	if d.API != api {
		t.Errorf("the API socket is %s, not in $XDG_RUNTIME_DIR", d.API)
	}
	waitFor(t, func() error { return hasText(d.Stderr(), "demo: open ") })
	line := demoLine.FindStringSubmatch(d.Stderr())
	if line == nil {
		t.Fatalf("the page's address is not told: %s", d.Stderr())
	}
	return d, line[1]
}

func hasText(text, part string) error {
	if strings.Contains(text, part) {
		return nil
	}
	return fmt.Errorf("no %q in %q", part, text)
}

// serverOf gives the process that listens on a socket, or 0.
func serverOf(path string) (pid int) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return 0
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // the connection is open
		if peer, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(peer.Pid)
		}
	})
	return pid
}

// readmeText is the README.
type readmeText string

func newReadme(t *testing.T) readmeText {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repoFolder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return readmeText(text)
}

var (
	pythonBlock = regexp.MustCompile("(?s)\n## In your language\n[^#]*?\n```python\n(.*?\n)```\n")
	curlLines   = regexp.MustCompile(`(?m)^    (api\(\) .*|api v1/push .*"all":true.*)$`)
	triedSocket = regexp.MustCompile(`--unix-socket \S+`)
)

// tenLines is the program in Python that stands in the README.
func (r readmeText) tenLines(t *testing.T) string {
	t.Helper()
	block := pythonBlock.FindStringSubmatch(string(r))
	if block == nil {
		t.Fatal("README.md shows no Python in the section In your language")
	}
	return block[1]
}

// curlPush is the README's push with curl, but for the socket's path.
func (r readmeText) curlPush(t *testing.T, api string) string {
	t.Helper()
	lines := curlLines.FindAllString(string(r), -1)
	if len(lines) != 2 {
		t.Fatalf("README.md shows no push with curl: %q", lines)
	}
	for i, line := range lines {
		line = strings.TrimSpace(line)
		line, _, _ = strings.Cut(line, "   #") // told to the reader, not to the shell
		lines[i] = triedSocket.ReplaceAllLiteralString(line, "--unix-socket "+api)
	}
	return strings.Join(lines, "\n")
}
