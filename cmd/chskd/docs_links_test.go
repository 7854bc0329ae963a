package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	docLink    = regexp.MustCompile(`\]\(([^)\s]*)\)`)
	docHeading = regexp.MustCompile(`^#+ (.*)$`)
	notInSlug  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// TestDocsLinks: what the guide and the reference link to is there, also inside documents.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	for _, path := range []string{docBackend, docAPI} {
		for _, m := range docLink.FindAllStringSubmatch(strings.Join(readDoc(t, path).lines, "\n"), -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s: %v", path, m[1], err)
			} else if anchor != "" && !docAnchors(t, to)[anchor] {
				t.Errorf("%s: %s: there is no such heading", path, m[1])
			}
		}
	}
}

// docAnchors are the anchors of a document's headings, as GitHub makes them.
func docAnchors(t *testing.T, path string) map[string]bool {
	t.Helper()
	anchors := map[string]bool{}
	for _, line := range readDoc(t, path).lines {
		if m := docHeading.FindStringSubmatch(line); m != nil {
			slug := notInSlug.ReplaceAllString(strings.ToLower(m[1]), "")
			anchors[strings.ReplaceAll(slug, " ", "-")] = true
		}
	}
	return anchors
}
