package proxy_test

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"testing"
)

// TestPage: a real browser, behind each proxy (page.test.mjs).
func TestPage(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		cmp.Or(os.Getenv("CHROMIUM"), "/usr/bin/chromium"), "../../browser/node_modules/playwright-core",
	} {
		if _, err := os.Stat(path); err != nil {
			noBrowser(t, path)
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		noBrowser(t, "node")
	}
	args := []string{"page.test.mjs"}
	for _, k := range kinds {
		k.need(t)
		d := serve(t, k)
		newBackend(t, d)
		args = append(args, startFront(t, k, d).origin())
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, node, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// noBrowser ends the test for want of what `make browser-deps` installs.
func noBrowser(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CHSKD_REQUIRE_BROWSER") == "1" {
		t.Fatalf("%s is missing and CHSKD_REQUIRE_BROWSER=1: run `make browser-deps`", what)
	}
	t.Skipf("\n**** SKIPPED: %s needs %s; `make browser-deps` installs it ****", t.Name(), what)
}
