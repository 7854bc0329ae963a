package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chskd/chskd/cmd/chskd/config"
)

var update = flag.Bool("update", false, "write the expected outputs anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update writes it\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// Every bad file gets exactly the message that stands beside it: where, what is wrong, and what to
// write instead. No message has a secret; all of them are called hunter2 here.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			_, err := config.Load(config.Sources{File: path})
			if err == nil {
				t.Fatal("it was taken")
			}
			text := err.Error() + "\n"
			if !strings.Contains(text, path+":") {
				t.Errorf("the file is not named: %s", text)
			}
			if !strings.Contains(text, "; ") && !strings.Contains(text, ": ") {
				t.Errorf("what to write instead? %s", text)
			}
			if strings.Contains(text, "hunter") {
				t.Errorf("a secret is shown: %s", text)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".want", text)
		})
	}
}
