package daemontest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Patience bounds every wait. It is only reached when something is broken.
const Patience = 2 * time.Minute

// root holds the program, and all folders, until Main ends.
var root string

// Main gives what run gives, and takes away afterwards what the tests have built. TestMain ends the
// program with what it returns.
func Main(run func() int) (code int) {
	var err error
	if root, err = os.MkdirTemp("", "chskd-t"); err != nil {
		fmt.Fprintln(os.Stderr, "daemontest:", err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(root); err != nil {
			fmt.Fprintln(os.Stderr, "daemontest:", err)
			code = 1
		}
	}()
	return run()
}

// Folder makes a folder that is there until [Main] ends. The names of t.TempDir are too long for
// the path of a socket (unix(7): 107 bytes), this one's is not.
func Folder(t testing.TB) string {
	t.Helper()
	folder, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func newFolder() (string, error) {
	if root == "" {
		return "", fmt.Errorf("daemontest: TestMain does not call Main")
	}
	return os.MkdirTemp(root, "d")
}

// Program gives the path of the chskd program, built when first asked for.
func Program(t testing.TB) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var build = sync.OnceValues(func() (string, error) {
	folder, err := newFolder()
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "chskd")
	cmd := exec.Command("go", "build", "-o", program, "github.com/chskd/chskd/cmd/chskd")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// Eventually waits until a condition holds, and ends the test when it never does.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
