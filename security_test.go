package chskd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	linkedTest = regexp.MustCompile(`\[(Test\w+)\]\(([^)]+_test\.go)\)`)
	linkedFile = regexp.MustCompile(`\]\(([^)#:]+)[^)]*\)`)
)

// TestSecurityNames: what SECURITY.md, and the README of the proxies, name is there.
func TestSecurityNames(t *testing.T) {
	tests := 0
	for path, folder := range map[string]string{"SECURITY.md": "./", "docs/proxy/README.md": "docs/proxy/"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range linkedFile.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(folder + string(m[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for _, m := range linkedTest.FindAllSubmatch(text, -1) {
			tests++
			source, err := os.ReadFile(folder + string(m[2]))
			if err != nil || !strings.Contains(string(source), "\nfunc "+string(m[1])+"(t *testing.T)") {
				t.Errorf("%s: %s is not in %s", path, m[1], m[2])
			}
		}
	}
	if tests < 50 {
		t.Errorf("only %d tests are named", tests)
	}
}
