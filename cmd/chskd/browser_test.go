package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	browserFolder  = "../../browser"
	browserTimeout = 5 * time.Minute
)

// TestBrowser lets two tabs of a real Chromium use the demo page; see browser/demo.test.mjs. It
// installs nothing (`make browser-deps` does): where something is missing it is skipped, loudly,
// or fails if CHSKD_REQUIRE_BROWSER=1.
func TestBrowser(t *testing.T) {
	chromium := needChromium(t)
	runNode(t, []string{"demo.test.mjs"}, "CHSKD="+daemonProgram(t), "CHROMIUM="+chromium)
}

// needChromium gives the browser's path, if there is also what drives it.
func needChromium(t *testing.T) string {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	needFile(t, chromium)
	needFile(t, filepath.Join(browserFolder, "node_modules/playwright-core/package.json"))
	return chromium
}

// TestPageEDN tests the page's edn reader and writer, for which node is enough.
func TestPageEDN(t *testing.T) {
	runNode(t, []string{"--test", "edn.test.mjs"})
}

func needFile(t *testing.T, path string) {
	if _, err := os.Stat(path); err != nil {
		missing(t, path)
	}
}

// missing ends the test for want of a tool.
func missing(t *testing.T, what string) {
	if os.Getenv("CHSKD_REQUIRE_BROWSER") == "1" {
		t.Fatalf("%s is missing and CHSKD_REQUIRE_BROWSER=1: run `make browser-deps`", what)
	}
	t.Skipf("\n**** SKIPPED: %s needs %s; `make browser-deps` installs it ****", t.Name(), what)
}

// runNode runs a script of the browser folder and shows what it printed.
func runNode(t *testing.T, args []string, env ...string) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, args...)
	cmd.Dir = browserFolder
	cmd.Env = append(os.Environ(), env...)
	// The script stops the daemon and the browser when it is asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
