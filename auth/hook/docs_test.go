package hook_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
	"github.com/chskd/chskd/packer"
)

// docBlock gives a block of a kind in docs/auth.md, counted from 0.
func docBlock(t *testing.T, kind string, n int) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/auth.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "\n```"+kind+"\n")
	if len(blocks) < n+2 {
		t.Fatalf("there are %d blocks of %s", len(blocks)-1, kind)
	}
	block, _, _ := strings.Cut(blocks[n+1], "\n```\n")
	return block
}

// TestDocsAnswer: the example of an answer is one, and the table has its fields and bounds.
func TestDocsAnswer(t *testing.T) {
	g, err := hook.ParseAnswer([]byte(docBlock(t, "json", 1)), asked)
	if err != nil {
		t.Fatal(err)
	}
	want := &auth.Grant{UID: "alice", Tenant: "acme", CSRF: "kX3...", Handshake: []byte(`{:role "admin"}`),
		Topics: []string{"news", "room-7"}, Expires: asked.UnixMilli() + 3_600_000}
	if !reflect.DeepEqual(g, want) {
		t.Errorf("%+v, want %+v", g, want)
	}
	text, err := os.ReadFile("../../docs/auth.md")
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := hook.ParseAnswer([]byte(`{"?":1}`), asked)
	_, names, _ := strings.Cut(unknown.Error(), "may have: ")
	for _, name := range strings.Fields(names) {
		if !strings.Contains(string(text), "\n| `"+name+"` | ") {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// start runs a program until the test ends.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
}

// TestDocsPython runs the example, and asks it.
func TestDocsPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	dir := t.TempDir()
	program, socket := filepath.Join(dir, "who.py"), filepath.Join(dir, "who.sock")
	// Its own log is of no interest here.
	text := strings.Replace(docBlock(t, "python", 0), "def address_string(self): return \"chskd\"",
		"def log_message(self, *_): pass", 1)
	if err := os.WriteFile(program, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, python, program, socket)
	for n := 0; ; n++ {
		if _, err := os.Stat(socket); err == nil {
			break
		} else if n == 6000 {
			t.Fatal("it does not listen")
		}
		time.Sleep(10 * time.Millisecond)
	}
	ask := func(secret, cookie string) *auth.Grant {
		c := client(t, hook.Config{URL: "unix:" + socket + ":/who", Secret: secret, Timeout: time.Minute,
			Now: func() time.Time { return asked }})
		var g *auth.Grant
		for range 3 { // over a kept connection
			if g, _ = c.Ask(t.Context(), &hook.Question{ClientID: "tab-1", Cookie: cookie}); g == hook.Unreachable {
				time.Sleep(100 * time.Millisecond) // it is bound, and does not listen yet
			}
		}
		return g
	}
	want := &auth.Grant{UID: "alice", Handshake: []byte(`{:role "admin"}`), Expires: asked.UnixMilli() + 3_600_000}
	if g := ask("s3cret", "session=4f2a"); !reflect.DeepEqual(g, want) {
		t.Errorf("%+v %v", g, g.Refusal)
	}
	refused := auth.Refusal{Status: 401, Body: "Please log in, tab-1"}
	if g := ask("s3cret", "session=other"); g.Refusal == nil || *g.Refusal != refused {
		t.Errorf("%+v %v", g, g.Refusal)
	}
	if g := ask("", "session=4f2a"); g.Refusal == nil || *g.Refusal != refused {
		t.Errorf("without the secret: %+v %v", g, g.Refusal)
	}
}

// TestDocsClojure runs the handler, and reads the wiring, which needs libraries.
func TestDocsClojure(t *testing.T) {
	if err := packer.EDN.CheckValue([]byte(docBlock(t, "clojure", 1))); err != nil {
		t.Error(err)
	}
	clojure, err := exec.LookPath("clojure")
	if err != nil || testing.Short() {
		t.Skip("no clojure, or no time for it")
	}
	program := docBlock(t, "clojure", 0) + `
		(def session {:uid "alice" :role :admin :topics [:news]
		              :ring.middleware.anti-forgery/anti-forgery-token "x"})
		(doseq [s [session (dissoc session :uid) (assoc session :banned true)
		           (dissoc session :ring.middleware.anti-forgery/anti-forgery-token) nil]]
		  (prn (who {:session s :body {:client_id "tab"}})))`
	file := filepath.Join(t.TempDir(), "who.clj")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), clojure, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 5 {
		t.Fatalf("%s", out)
	}
	for i, want := range []string{":status 200", ":status 401", ":status 403", ":status 403", ":status 401"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("%d: %s, want %s", i, lines[i], want)
		}
	}
	// What the middleware would make of the first.
	body, _, _ := strings.Cut(lines[0], ":body ")
	value := strings.TrimSuffix(strings.TrimPrefix(lines[0], body+":body "), "}")
	answer, err := packer.Append(nil, packer.JSON, []byte(value), packer.EDN, packer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := hook.ParseAnswer(answer, asked)
	if err != nil || g.UID != "alice" || g.CSRF != "x" || string(g.Handshake) != `{:role :admin, :tab "tab"}` ||
		len(g.Topics) != 1 || g.Expires != asked.UnixMilli()+30*60*1000 {
		t.Errorf("%s gives %+v, %v", answer, g, err)
	}
}
